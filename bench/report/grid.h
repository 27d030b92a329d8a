/* SPDX-License-Identifier: MIT
 * grid.h - a table of results on a page: about eight columns, the rest a click away.
 *
 * The rows that a page shows at once stand in it as HTML, which is all that a browser without scripts gets; all rows and
 * columns stand beside as JSON, from which report.js sorts, filters and shows more. */
#ifndef ASSAY_GRID_H
#define ASSAY_GRID_H
#include "bench/report/results.h"
#include "kernels/base/text.h"

enum { GRID_SHOWN = 8, GRID_WHOLE = 12, GRID_PAGE = 100 };
struct grid_plan {
    size_t number;       /* of the table on its page, from 1 */
    const char *caption; /* plain text */
    const struct results *results; /* of the same table; NULL: it has none */
    const uint64_t *ids; /* of each row's point where there are no results; NULL: none */
    int is_whole;        /* all columns are shown, GRID_WHOLE at most, but those that are ends of intervals */
};
void grid_add(struct text *out, const struct grid_plan *plan, const struct table *t);
#endif
