/* SPDX-License-Identifier: MIT
 * figure_make.h - figures that are not rows along columns: pairs, ranks, distributions. */
#ifndef ASSAY_FIGURE_MAKE_H
#define ASSAY_FIGURE_MAKE_H
#include "bench/rows/contrast.h"
#include "bench/rows/figure.h"

/* Each makes its figures of what it needs, none where that is not there. */
int make_recall_at_k(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_before_after(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_ranks(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_ccdf(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_forest(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_compare(const struct figure_source *from, const struct figure_kind *k, struct err *e);
int make_density(const struct figure_source *from, const struct figure_kind *k, struct err *e);

/* Ratios of times with their intervals, a row each, hollow where not resolved: <dir>/<name>.{dat,png,svg,pdf}. */
struct figure_ratio { struct text label; double at, lo, hi; int resolved; };
int figure_of_ratios(const struct figure_ratio *rows, size_t count, const char *name, const char *title, const char *under,
                     const char *dir, struct err *e);

/* --- parts --- */
struct figure_group { size_t *rows, count; }; /* rows of one figure, in order */
/* Calls made(group) for the ok rows of each data set, k and machine (and threads and batch). */
int make_each_group(const struct figure_source *from, const struct figure_kind *k,
                    int (*made)(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *g,
                                struct err *e),
                    struct err *e);
/* The rows that say most, at most `most`: 4 bits before 2, 1, 8 and others, and those of usual settings alone where there
 * are two or more. */
void make_choose(const struct table *t, struct figure_group *g, size_t most);
/* "turboquant, 3 bits, graph_depth=0": index, bits, and what is unusual in the group. */
void make_label(const struct table *t, const struct figure_group *g, size_t row, struct text *out);
int make_begin(struct figure *f, const struct figure_source *from, const struct figure_kind *k, size_t row);
struct series *make_series(struct figure *f, const char *label, size_t row); /* NULL: no memory */
int make_point(struct series *s, const struct table *t, size_t row, struct value x, struct value y); /* 0: no memory */
struct value make_value(double at, double lo, double hi);
/* Hands over what has series and frees it.  ERR_MEM where something was not whole. */
int make_hand_over(struct figure *f, const struct figure_source *from, int whole, struct err *e);
#endif
