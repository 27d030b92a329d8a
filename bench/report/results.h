/* SPDX-License-Identifier: MIT
 * results.h - the rows of one file of results as points that may be compared.
 *
 * A group is what one may compare: one data set (by name and content), machine and k.  Rows of other seeds and
 * repetitions are one point; its numbers are their means. */
#ifndef ASSAY_RESULTS_H
#define ASSAY_RESULTS_H
#include <stddef.h>
#include <stdint.h>
#include "bench/rows/figure.h"
#include "bench/rows/table.h"

struct result_point {
    uint64_t id;        /* figure_point_id of its rows */
    const size_t *rows; /* of the table, ascending; the first speaks for the settings */
    size_t count;
};

struct result_group {
    const struct table *t; /* outlives it */
    const char *folder;    /* where the per-query files lie; outlives it */
    struct result_point *points; /* in the order of the rows */
    size_t count;
    size_t *rows, row_count;
    int is_pipeline;
    const char *by;        /* the column of quality that decides; NULL: none has values */
    unsigned char *varies; /* of each column: a setting that differs among the points and belongs in their names */
    size_t varying;
    const char **usual; /* of each column that varies: its commonest value */
    int has_usual;      /* each of them is commoner than any other: not so in a grid */
};

struct results {
    struct result_group *groups; /* in the order of the rows */
    size_t count;
    int is_parts; /* rows of parts of the queries or of states of a base (strata.csv, churn.csv): no answer is theirs */
};
/* Of the rows that are ok.  A table without a column point_id has no groups.  ERR_MEM. */
int results_init(struct results *r, const struct table *t, const char *folder, struct err *e);
void results_free(struct results *r);

/* A column of a point with its interval (columns _lo and _hi): means over its rows; NaN: no number. */
struct value result_value(const struct result_group *g, const struct result_point *p, const char *column);
/* Of one row. */
struct value table_value(const struct table *t, size_t row, const char *column);
/* TABLE_NONE: there is no such end ("lo", "hi") of that column. */
int table_end_column(const struct table *t, const char *column, const char *end);
/* What tells a point apart from the others of its group: all settings that vary, or where those are many and there are
 * usual ones those that are not; "usual settings" where all are. */
void result_name(const struct result_group *g, const struct result_point *p, struct text *out);
/* The commonest value of each setting that varies: "bit_width=3 graph_depth=1". */
void result_usual(const struct result_group *g, struct text *out);
/* The point that has all of them; NULL: none has, or nothing is usual. */
const struct result_point *result_usual_point(const struct result_group *g);
/* "wordnet/kb.sqlite" -> "wordnet". */
void result_data(const struct result_group *g, struct text *out);
#endif
