/* SPDX-License-Identifier: MIT
 * portrait_out.h - a portrait (bench/quality/portrait.h) as lines for a person, as one JSON object, and as a page of
 * figures. */
#ifndef ASSAY_PORTRAIT_OUT_H
#define ASSAY_PORTRAIT_OUT_H
#include "bench/quality/portrait.h"
#include "kernels/base/text.h"

void portrait_lines(struct text *out, const struct portrait *p);
/* Queries, and what is to be warned of. */
void match_lines(struct text *out, const struct portrait *base, const struct portrait *query, const struct match *m);
/* ,"key":value...: the members of a JSON object after the first. */
void portrait_members(struct text *out, const struct portrait *p);
void match_members(struct text *out, const struct match *m, size_t count);
/* <dir>/<name>.{dat,png,svg,pdf} by scripts/plots/portrait.gp; m may be NULL.  ERR_IO, ERR_NOT_FOUND, ERR_MEM. */
int portrait_plot(const struct portrait *p, const struct match *m, size_t queries, const char *dir, const char *name,
                  struct err *e);
#endif
