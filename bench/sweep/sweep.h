/* SPDX-License-Identifier: MIT
 * sweep.h - many points of a grid, measured one after the other, each in a process of its own.
 *
 *   config   what to vary (YAML)                                                   sweep_config.c
 *   plan     the points: every name with its value, each once                       sweep_plan.c
 *   run      a process loads, builds, and forks one a point; a crash is a row       sweep_run.c
 *   merge    shards into one file; the best row                                    sweep_merge.c
 *   order    which points a budget reaches first                                   sweep_order.c
 *   anchor   what the machines did meanwhile                                       sweep_anchor.c
 *   refine   the points near the front, again                                      sweep_refine.c
 *
 * A point's id is a hash of its canonical parameters, the data and the schema, so it is the same on
 * every machine and in every plan that contains it. */
#ifndef ASSAY_SWEEP_H
#define ASSAY_SWEEP_H
#include "bench/points/ann.h"
#include "bench/points/rag.h"
#include "bench/rows/row.h"
#include "bench/rows/run.h"
#include "bench/rows/table.h"
#include "bench/sweep/pool.h"
#include "kernels/base/err.h"
#include "kernels/base/param.h"

enum { SWEEP_NAMES = 128 };

struct plan;
struct point;

/* --- config ----------------------------------------------------------------------------------- */
struct axis {
    char *name;
    char **values;
    size_t count, room, line;
};

struct grid {
    struct axis *axes;
    size_t count;
};

struct condition {
    char *text;
    size_t line;
};

struct sweep {
    char *path; /* of the YAML, for messages */
    int is_pipeline;
    char *base, *query, *truth; /* an index sweep; truth may be NULL */
    const char *metric; /* NULL: the one that the base's file names, else cosine */
    char *kb, *questions, *qrels; /* a pipeline sweep; qrels may be NULL */
    char *query_ids; /* of questions that are vectors; may be NULL */
    int trust; /* not of the file: a service that the base names may be asked */
    int drop_unjudgeable; /* labels of documents that are not there; else they count as never found */
    struct grid fixed;            /* `base:`, one value an axis */
    struct grid axes;             /* `axes:` */
    int one_at_a_time;            /* each axis around the fixed values, not their product */
    struct grid *grids;           /* `grids:`, each a product */
    size_t grid_count;
    struct condition *conditions;
    size_t condition_count;
    double budget_s; /* 0: none */
    size_t least_calls; /* 0: as ann_plan says; a pipeline 2,000 */
    size_t reps;
    double keep_from_s; /* indexes that took so long to build are kept; faster ones are not faster to read back */
    int untimed;        /* quality alone: every question once, as many points at a time as there are CPUs */
    const unsigned char *only; /* by point of the plan: 1 where it is to be measured; NULL: all */
    /* Called in every worker before it measures; NULL.  Tests let it die here. */
    void (*before_point)(const struct plan *p, const struct point *point);
};
/* Reads and checks it: one document of at most 4 MiB, no key twice, no value left empty; every axis must be known and
 * every value fit it; nothing is said both in an index's spec and by name, nor under base and, unless one_at_a_time, under
 * axes.  Errors name path, line and the nearest name.  Paths inside are as on the command line: relative to the working
 * folder. */
int sweep_load(struct sweep *s, const char *path, struct err *e);
/* The same from a text; `name` stands for the path in messages.  What is under base may be an axis too: whoever made the text
 * says by it which value is the usual one. */
int sweep_parse(struct sweep *s, const char *name, const char *yaml, struct err *e);
void sweep_free(struct sweep *s);

/* --- names -------------------------------------------------------------------------------------- */
/* What may be varied: an index's point (index, k, rerank, batch, threads, kernel, seed, and the
 * parameters of the indexes that the sweep names), or a pipeline's (k, kernel, every setting, and the
 * parameters of its indexes). */
struct vocabulary {
    struct param at[SWEEP_NAMES + 1]; /* ends at a NULL name */
    size_t count;
    size_t settings;     /* those before are of the point or the pipeline, those from here of its indexes */
    struct param *owned; /* pipeline_params */
};
int vocabulary_of(struct vocabulary *n, const struct sweep *s, struct err *e);
void vocabulary_free(struct vocabulary *n);
/* A value in its one spelling, for the caller to free: "1" and "true" are the same flag.  ERR_ARG: it does not fit. */
int vocabulary_spell(const struct vocabulary *n, int at, const char *value, char **out, struct err *e);
int vocabulary_find(const struct vocabulary *n, const char *name); /* -1: none */
const char *vocabulary_hint(struct hint *out, const struct vocabulary *n, const char *wanted); /* text_hint */

/* --- plan --------------------------------------------------------------------------------------- */
struct point {
    char id[17];
    uint64_t load_key;  /* equal: one group loads for all (an index sweep: and builds the index) */
    uint64_t build_key; /* equal: the same index (a pipeline finds it beside the database) */
    const char **values;   /* by name, as many as the vocabulary has; NULL: not set.  Texts are the plan's */
    const char *spec;      /* an index's canonical spec */
    const char **settings; /* a pipeline's "key=value" */
    size_t setting_count;
};

struct plan {
    struct vocabulary names;
    struct pool texts, ids; /* of all points: equal texts are one */
    const char *usual[SWEEP_NAMES];    /* by name: the default in its one spelling; NULL: none */
    const char *last_spec; /* the index that was settled last, and of which values: most points have their neighbour's */
    uint64_t last_spec_key;
    unsigned char varies[SWEEP_NAMES]; /* by name: 1 where points differ in it */
    struct point *points; /* ordered so that equal keys are neighbours */
    size_t count, room;
    struct ann_set ann; /* of an index sweep, opened */
    struct rag_set rag; /* of a pipeline sweep, opened, not prepared */
    size_t depth;       /* neighbours that some point needs */
};
enum { PLAN_POINTS_MAX = 1000000 };
/* Opens the data (ids depend on its content) and lays out the points, in time that grows with their number (100,000 in
 * 5 s).  The sweep must outlive it.  ERR_ARG: more than PLAN_POINTS_MAX combinations. */
int plan_make(struct plan *p, const struct sweep *s, struct err *e);
void plan_free(struct plan *p);
/* Appends the point as a config that plans it alone. */
void plan_yaml(const struct plan *p, const struct sweep *s, const struct point *point, struct text *out);
/* "graph_depth=1 bit_width=3 ...": the values of the names that differ between points of the plan. */
void plan_describe(const struct plan *p, const struct point *point, struct text *out);
struct ann_point plan_ann(const struct plan *p, const struct point *point);
struct rag_point plan_rag(const struct plan *p, const struct point *point);
int plan_layout(const struct plan *p, struct layout *l, struct err *e);
/* <folder>/points.tsv: one line a point, id, tab, description. */
int plan_write(const struct plan *p, const char *folder, struct err *e);

/* --- run ------------------------------------------------------------------------------------------ */
struct shard { size_t at, of; }; /* of 0: all */
static inline int shard_has(struct shard s, const char *id)
{
    return s.of == 0 || hash64(0, id, 16) % s.of == s.at;
}

struct run_result {
    size_t wanted, skipped, measured, failed;
    size_t set_aside; /* rows of an earlier version of the data */
    size_t unwritten; /* of the failed, those without a row: the file could not take it */
    struct err why_unwritten; /* the first of those */
    int budget_spent;
    int stopped; /* by SIGINT or SIGTERM: its number */
};
/* Measures what <folder>'s CSVs do not hold yet, and appends to <folder>/sweep.csv, or to
 * sweep.<at>-of-<of>.csv.  What is done is known by point and repetition.  A repetition that failed is tried again, three
 * times in all; then its point is given up.  SIGINT and SIGTERM stop it between rows; sweep_run then returns ERR_OK and says which. */
int sweep_run(const struct sweep *s, const struct plan *p, const char *folder, struct shard shard, struct run *run,
              struct run_result *out, struct err *e);

/* Marks in only[] (room for every point) the measured points near the Pareto front: no other is as good and cheaper by more than
 * `near` (0.05: 5 %), nor as cheap and better by more than that share of what qualities span.  quality NULL: the first of the
 * usual ones that has values, cost NULL: lat_p50_us; both are filled in.  ERR_ARG: no such column; ERR_NOT_FOUND: none of
 * the plan's points is there. */
struct refine_wish { const char *csv, *quality, *cost; double near; };
struct refine_found { size_t measured, near, strangers; /* strangers: good rows of points that are not of the plan */ };
int sweep_refine(const struct plan *p, struct refine_wish *w, unsigned char *only, struct refine_found *out, struct err *e);

/* The order in which points cover a grid evenly, however far one gets: order[i] of `count` of the plan's.  ERR_MEM. */
int sweep_order(const struct plan *p, const struct point *const *points, size_t count, size_t *order, struct err *e);

/* Times a small work that no data changes, and adds it to <folder>/anchors.<at>-of-<of>.csv; at: "start" or "end". */
int sweep_anchor(const struct run *run, const char *folder, struct shard shard, const char *at, struct err *e);
/* What the anchors of a folder say: [0] in cache, [1] from memory.  count 0: there are none. */
struct sweep_anchors {
    size_t count, nodes;
    double apart[2]; /* slowest node over the fastest, medians */
    double drift[2]; /* the most that a shard's end is off its start, as a ratio above 1 */
};
int sweep_anchors(const char *folder, struct sweep_anchors *out, struct err *e);

/* Moves the rows of `dataset` whose `data` is another to the end of <csv>.earlier.  For whoever holds csv open by
 * row_open, which has to be opened again when rows moved.  ERR_FORMAT, ERR_IO: nothing is lost. */
int sweep_set_aside(const char *csv, const char *dataset, const char *data, size_t *moved, struct err *e);

/* --- results --------------------------------------------------------------------------------------- */
/* How far a plan has come in a folder: done is a point with a row "ok" for every repetition; rows counts those. */
struct sweep_status { size_t points, done, failed, missing, rows; };
int sweep_status(const struct plan *p, size_t reps, const char *folder, struct sweep_status *out, struct err *e);
/* What the whole plan takes by the mean of its rows in a folder: timed calls, and builds, one a thread and core.  Loading,
 * truth and judging come on top.  rows 0: none of its points is measured there, and nothing is known. */
struct sweep_cost { double calls_s, core_s; size_t rows; };
int sweep_cost(struct plan *p, size_t reps, size_t builds, const char *folder, struct sweep_cost *out, struct err *e);
/* Adds the rows of files, and of every sweep.csv and sweep.*.csv in folders; all must have the same
 * columns.  ERR_NOT_FOUND, ERR_FORMAT. */
int sweep_read(struct table *t, const char *const *inputs, size_t count, struct err *e);
/* A table's header and one of its rows as CSV, LF included. */
void sweep_add_names(const struct table *t, struct text *out);
void sweep_add_row(const struct table *t, size_t row, struct text *out);
/* All of sweep_read as one file: the first "ok" of each (point_id, rep, machine), or else its first
 * failure, sorted.  The same bytes whatever the order of inputs, and merging the result changes nothing. */
int sweep_merge(const char *const *inputs, size_t count, const char *out, struct err *e);
/* Prints the row with the largest (or smallest) `column` among those that are ok and hold every
 * condition.  ERR_NOT_FOUND when there is none. */
int sweep_best(const char *path, const char *const *where, size_t where_count, const char *column, int largest,
               int json, struct err *e);
#endif
