/* SPDX-License-Identifier: MIT
 * eden_page.h - the dispute on one page: what was claimed, what holds and on what, made of eden_who.csv,
 * eden_pull_request.csv and eden_claims.csv alone. */
#ifndef ASSAY_PAPERS_EDEN_PAGE_H
#define ASSAY_PAPERS_EDEN_PAGE_H
#include "kernels/base/err.h"
#include "kernels/base/text.h"

/* The page's text, and its figure <dir>/eden.{dat,png,svg,pdf}.  ERR_NOT_FOUND without <dir>/eden_who.csv. */
int eden_text(const char *dir, struct text *out, struct err *e);
int eden_figure(const char *dir, struct err *e);
/* Both, into dir; nothing where there is no eden_who.csv. */
int eden_page(const char *dir, struct err *e);
#endif
