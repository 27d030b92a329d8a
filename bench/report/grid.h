/* SPDX-License-Identifier: MIT
 * grid.h - a table of results on a page: about eight columns, the rest a click away.
 *
 * The rows that a page shows at once stand in it as HTML, which is all that a browser without scripts gets; all rows and
 * columns stand beside as JSON, from which report.js sorts, filters and shows more. */
#ifndef ASSAY_GRID_H
#define ASSAY_GRID_H
#include "bench/report/results.h"
#include "kernels/base/text.h"

enum { GRID_SHOWN = 8, GRID_PAGE = 100 };
/* number: of the table on its page, from 1.  results: of the same table; its groups may be none. */
void grid_add(struct text *out, size_t number, const char *caption, const struct table *t, const struct results *results);
#endif
