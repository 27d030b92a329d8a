/* SPDX-License-Identifier: MIT
 * figure_kinds.h - the figures there are: which columns each is made of. */
#ifndef ASSAY_FIGURE_KINDS_H
#define ASSAY_FIGURE_KINDS_H
#include "bench/rows/figure.h"

extern const struct figure_kind figure_kinds[]; /* a NULL name ends them */
size_t figure_kind_count(void);
/* ERR_ARG in *e names the nearest. */
const struct figure_kind *figure_kind_find(const char *name, struct err *e);
/* 1: some kind has this column for its x, with measurements of its own. */
int figure_kind_is_for(const char *column);
#endif
