/* SPDX-License-Identifier: MIT
 * contrast.h - the points of results side by side, each difference tested on the queries that both answered.
 *
 * Points are compared within one data set, machine and k.  Rows of other seeds and repetitions are one point: its
 * number is their mean, and a query's value the mean over seeds.  Tests are randomization tests on the mean of paired
 * differences (time/paired.h), corrected by Holm over a column; intervals of differences are percentile bootstraps over
 * queries.  Where per-query files are missing the numbers stand without tests, and a line says so. */
#ifndef ASSAY_CONTRAST_H
#define ASSAY_CONTRAST_H
#include "bench/rows/sheet.h"
#include "bench/rows/table.h"

struct contrast {
    struct table table;
    struct source { char folder[512]; size_t first; } *sources; /* of rows from `first` on */
    size_t source_count;
};
/* Adds a file of rows; its per-query files lie beside it.  ERR_FORMAT: no file of rows. */
int contrast_add(struct contrast *c, const char *path, struct err *e);
void contrast_free(struct contrast *c);

struct contrast_plan {
    const char *columns; /* "recall_strict,label_mrr": of quality; NULL: up to three that say most */
    enum sheet_format format;
};
/* Every point a row; in each column of quality the best, and those that are not significantly worse.  ERR_ARG: a column
 * that is no metric, or has no values; ERR_NOT_FOUND: no row is ok. */
int contrast_table(const struct contrast *c, const struct contrast_plan *plan, struct text *out, struct err *e);
/* The point that most others differ from in one setting alone, and each of those changes: difference with interval,
 * Holm-corrected p, latency beside it.  ERR_NOT_FOUND: no two points differ in one setting alone. */
int contrast_ablation(const struct contrast *c, const struct contrast_plan *plan, struct text *out, struct err *e);
/* 1 for what a sweep of one axis at a time wrote (its note says so), and where all points of the
 * first group are such changes. */
int contrast_is_star(const struct contrast *c);
#endif
