/* SPDX-License-Identifier: MIT
 * figure_inside.h - what the files of figure.h share; include that first. */
#ifndef ASSAY_FIGURE_INSIDE_H
#define ASSAY_FIGURE_INSIDE_H

/* The machine of numbers that were published or taken down elsewhere: quality only, never time. */
#define RECORDED "recorded"
#define EXTERNAL "ids:" /* how the index of another program's answers begins */

struct selection { /* the rows of one figure */
    size_t *rows, count;
};

/* What a figure makes of a table. */
struct view {
    const struct table *t;
    const struct figure_kind *k;
    const char *x;
    int pipeline; /* bits are called bit_width, and the index spec repeats them */
    char *apart;  /* of each column: it tells series apart */
};

/* --- figure.c --- */
/* 1 when `name` is one of the names in "a,b|c". */
int figure_in_list(const char *list, const char *name);
/* The commonest value of a column: in a sweep of one axis at a time, the default. */
const char *figure_usual_value(const struct table *t, const struct selection *s, int column);
int series_add_point(struct series *s, struct figure_point p); /* 0: no memory */
void series_free(struct series *s);

/* --- figure_title.c --- */
/* "wordnet/kb.sqlite" is called wordnet, unless another file of that folder is in the table: "wordnet kb". */
void figure_add_dataset(struct text *out, const struct table *t, int column, const char *value, char between);
/* The file's name carries what other figures of the same kind have otherwise; the title says it all, and no path. */
void figure_name(const struct table *t, struct figure *f, size_t row,
                 int (*splits)(const struct figure_kind *k, const char *column));

/* --- figure_name.c --- */
/* 1 where methods at levels on several data sets share a figure. */
int figure_is_across_sets(const struct figure_kind *k);
/* A setting as it tells series apart: an index spec loses the parameters that vary along the line. */
void figure_add_value(struct text *out, const struct view *v, const char *name, const char *value);
enum series_mark figure_mark_of(const struct table *t, size_t row);
/* Labels of settings that differ, then the series in order: ours, foreign.  ERR_MEM. */
int figure_label_series(const struct view *v, struct figure *f, const struct selection *s,
                        struct err *e);

/* --- figure_merge.c --- */
/* Repetitions and seeds become one point with its reach; leaves what the kind asks for.  ERR_MEM. */
int figure_tidy(struct figure *f, size_t rows, struct err *e);
/* Adds the Pareto front of all our own points as a series.  ERR_MEM. */
int figure_add_front(struct figure *f, struct err *e);
#endif
