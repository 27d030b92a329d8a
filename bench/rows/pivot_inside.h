/* SPDX-License-Identifier: MIT
 * pivot_inside.h - what the files of pivot.h share; include that first. */
#ifndef ASSAY_PIVOT_INSIDE_H
#define ASSAY_PIVOT_INSIDE_H

struct pivot_cell {
    double value, lo, hi, p; /* NaN: none */
    size_t row, count;       /* its first row, and how many */
    enum sheet_mark mark;
};
struct pivot {
    const struct contrast *c;
    const struct pivot_plan *plan;
    size_t *rows, row_count, left_out;
    struct text *names, *cols; /* down, across */
    size_t name_count, col_count;
    struct pivot_cell *cells; /* row after row */
    struct text dataset;      /* what it is called, without folders */
    int untested;             /* some ties are by intervals */
    int is_one_of_many;       /* other tables come before or after */
};
/* --- pivot_out.c --- */
void pivot_out(const struct pivot *p, struct text *out);
#endif
