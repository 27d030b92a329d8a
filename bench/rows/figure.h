/* SPDX-License-Identifier: MIT
 * figure.h - from a table of results to the series of one figure.
 *
 * A series is one build key: rows that agree in every setting but those that the figure varies
 * along a line.  Rows of different machines never share a series, and where time is drawn never a
 * figure; the same holds for batch sizes, thread counts, data sets and k.  Repetitions of a point
 * count as their median, seeds too: neither is ever a series or an axis.  Whether a column is a setting or a
 * measurement its table says (column_role in bench/rows/row.h). */
#ifndef ASSAY_FIGURE_H
#define ASSAY_FIGURE_H
#include <stdint.h>
#include "bench/rows/contrast.h"
#include "bench/rows/table.h"
#include "kernels/base/text.h"

enum { FIGURE_PANELS = 10 };

/* Columns written "a|b" stand for the first of them that has a value in the figure's rows. */
struct figure;
struct figure_kind;
/* What a figure is made of, and who takes it. */
struct figure_source {
    const struct table *t;
    const struct contrast *points; /* the same rows with the folders of their per-query files; NULL: there are none */
    int (*each)(struct figure *f, void *context, struct err *e);
    void *context;
};
struct figure_kind {
    const char *name;             /* of the files that are written */
    const char *gp;               /* scripts/plots/<gp>.gp draws it */
    int (*make)(const struct figure_source *from, const struct figure_kind *k, struct err *e); /* NULL: figures_each does */
    enum figure_layout { LAYOUT_LINES, LAYOUT_ROWS, LAYOUT_STAGES, LAYOUT_GRID } layout;
    const char *x;                /* NULL: every row is a bar of its own */
    const char *y[FIGURE_PANELS]; /* measurements, a panel or a part of a bar each */
    const char *total;            /* bars: the measurement that their parts add up to, as a point's x; or NULL */
    const char *needs;            /* a column without which a row is not drawn; NULL: the first y */
    const char *along;            /* settings that vary along a line beside x: "a,b" or NULL */
    const char *across; /* columns that vary from point to point of a line with x, and split no
                           figures: "n,dataset" */
    const char *by;   /* not NULL: series by this setting alone, all others at their usual value */
    const char *without; /* rows that have a value in one of these are left out: "a,b" */
    const char *zero;    /* rows that have more than 0 here are left out */
    int best;            /* of points with equal x the one with the highest first y alone */
    size_t least;        /* points that make a series worth drawing */
    const double *levels; /* ends at 0: a series is a method (an index by name), its points the highest first y at
                             each level of x or more; NaN: never reached.  Across data sets: a method on one of them,
                             and a figure only of several */
    int timed;           /* time is drawn */
    int front;           /* a line is the Pareto front of its series (high x, low first y): 1; -1: high first y */
    int method;          /* exact re-ranking is a method of its own, how deep it goes is not */
    int ceiling;         /* the second y is what the first cannot be above: dashed, in the same panel */
    const char *ceiling_label;
    int steps;           /* lines are stairs */
    /* LAYOUT_ROWS, a series a row: */
    const char *const *marks; /* what its first, second ... point is; where `hollow`, a full and a hollow one.  Ends at NULL */
    int of_y;                 /* along the axis lies the first y, not x */
    int hollow;               /* 1: where the first y is 0 the mark is hollow; otherwise where the series is foreign */
    double reference;         /* a line across all rows: 1 on a logarithmic axis; 0: none */
    int zero_line;            /* a line across all rows at 0 */
};

/* A value with the ends of its 95 % interval; NaN: not applicable, or no interval.  From the row's columns _lo and _hi
 * (over queries, or over calls) and from the rows of other seeds, or where there is one seed of repetitions: the exact
 * interval of their median, of fewer than six all that was seen.  Both together add as independent errors do. */
struct value { double at, lo, hi; };

struct figure_point {
    struct value x, y[FIGURE_PANELS];
    uint64_t id;      /* hash of all settings but the seed; 0: its row was written by hand */
    const char *seed; /* its row's */
    double bits;      /* its row's bits a dimension; NaN: it has none */
    size_t row;       /* one of its rows */
    int on_front;
};

enum series_mark { SERIES_OURS, SERIES_FOREIGN, SERIES_FRONT };
struct series {
    struct text key, label;
    enum series_mark mark; /* FOREIGN: recorded elsewhere, ids:, a generic build: no line, no front */
    size_t row;            /* its first, which speaks for the settings of all */
    struct figure_point *points;  /* ascending x; behind them those that are off the series' front */
    size_t count, off_count;
};

struct figure {
    const struct figure_kind *kind;
    const struct table *table;
    struct text name, title; /* the title says data and conditions, never a path */
    struct text under;       /* a line under it; may be empty */
    const char *x, *y[FIGURE_PANELS]; /* resolved column names; y without values left out */
    size_t y_count;
    struct series *series; /* ours, foreign, front */
    size_t count;
};

/* Calls each(figure, context) for every figure of a kind that the table can fill, in the order of
 * the rows; stops at the first status that is not ERR_OK.  The figure is gone after the call. */
int figures_each(const struct table *t, const struct figure_kind *kind,
                 int (*each)(struct figure *f, void *context, struct err *e), void *context,
                 struct err *e);

/* Settings of the table that take several numbers: axes worth a figure.  Returns how many. */
size_t figure_axes(const struct table *t, const char **names, size_t room);
/* 1 where a column says what was asked for, and so tells points apart; a seed does not. */
int figure_is_setting(const struct table *t, size_t column);
/* 1 for the parameters of an index row that its canonical spec does not say: the caller's, such as
 * rerank. */
int figure_is_callers(const char *name);
/* Hash of all settings of a row and its data: rows of other seeds and repetitions have the same, in whatever file they
 * stand; 0: no point_id. */
uint64_t figure_point_id(const struct table *t, size_t row);
/* "lat_p50_us" -> "latency p50 (us)"; the name itself where there is no better one. */
const char *figure_label(const char *column);
#endif
