/* SPDX-License-Identifier: MIT
 * pivot.h - one number of many points as a table for a paper: methods down, a setting across.
 *
 * Rows of other seeds and repetitions are one point, its number their mean.  Where other settings vary, the table is of
 * their usual values, and a note says how many points that leaves out.  The best of a column is bold, and those not told
 * from it are marked: by paired randomization tests over the queries in <point_id>.pq.tsv (Holm over the column, 0.05), or
 * where a file is missing by intervals that overlap. */
#ifndef ASSAY_PIVOT_H
#define ASSAY_PIVOT_H
#include "bench/rows/contrast.h"

struct pivot_plan {
    const char *rows, *cols, *value; /* columns; of an index its spec without what is across */
    enum sheet_format format;        /* LaTeX wants booktabs and siunitx */
    const char *against_itself;      /* what an A/A arm was off by, for the paragraph on methods; NULL: there was none */
};
/* Of LaTeX, before each table a \newcommand for its headline numbers, and after it a paragraph on methods.  ERR_ARG: no
 * such column; ERR_NOT_FOUND: no row has all three; ERR_MEM. */
int pivot_print(const struct contrast *c, const struct pivot_plan *plan, struct text *out, struct err *e);
#endif
