/* SPDX-License-Identifier: MIT
 * tune.h - which settings suit a knowledge base and its questions.
 *
 * The questions are split, by a seed.  Every point of a grid is measured over one part; among those whose p99 stays
 * within the limit the one with the best mean wins, and the others are compared with it, question by question.  The
 * same questions picked the winner, so the intervals hold for all pairs of points together (verdict_all_pairs); over the
 * comparisons with the winner alone they would be too narrow.  The winner, those that are not resolved from it, and the
 * defaults are then measured again over the other part, which had no say: the best of many is partly luck, and only
 * these second numbers are reported as what to expect.  There the comparisons with the winner are all that count
 * (Bonferroni over the finalists).
 *
 * Without labels nothing says which answers are better.  Then only what approximates may vary (stage one), and what
 * is maximised is agreement with the same pipeline without approximation. */
#ifndef ASSAY_TUNE_H
#define ASSAY_TUNE_H
#include "bench/time/verdict.h"
#include "bench/sweep/sweep.h"

struct tune_request {
    const char *by;     /* metric to maximise; NULL: label_ndcg_at_10, or agree_at_10 without labels */
    double max_p99_us;
    double held_out;    /* share of the questions */
    uint64_t seed;      /* of the split */
    size_t least_calls; /* timed calls a point; a p99 needs 500 */
    double budget_s;    /* for the grid; 0: none */
    size_t most;        /* points measured again, winner and defaults included */
};

/* One point over one part of the questions. */
struct tune_measured {
    double mean;          /* of the metric */
    double p50_us, p99_us, p99_lo_us, p99_hi_us, bytes_per_vector; /* NaN: unknown */
    double *values;       /* of the metric, by question */
    double *us;           /* median time, by question */
    struct text csv;      /* its row */
};

struct tune_point {
    const struct point *point; /* of the plan */
    int is_default; /* what would hold if no axis were set: the base's own settings, or the usual ones */
    int feasible, resolved; /* resolved: worse than the winner over the tuning questions */
    struct interval against; /* mean minus the winner's over the tuning questions, for all pairs together */
    struct tune_measured tuning, held_out;
    struct quality_difference held_against; /* the winner, over the held-out questions; measured again only */
    int again; /* measured again */
};

struct tune {
    const struct tune_request *request;
    const struct sweep *sweep; /* grid and data, as sweep_parse made it; outlives the tuning */
    struct plan plan;
    struct layout layout;
    const char *by;
    size_t metric; /* position of `by` among all metrics */
    struct rag_set tuning, held_out;
    size_t left_out; /* questions without anything relevant, where labels say what is better: in neither part */
    struct tune_point *points; /* plan.count */
    size_t feasible, unresolved; /* points; without the winner */
    /* The unresolved point that was fastest over the tuning questions, if it was faster than the winner, is not worse than
     * it over the held-out ones and keeps to the limit there; NULL: none.  How much faster the held-out questions say,
     * which had no say in that: the median over questions of winner's / its time, with the exact 95 % interval of the
     * sign test.  Of one process, one after the other. */
    const struct tune_point *faster;
    double ratio;
    struct interval ratio_within;
    size_t *again, again_count;  /* measured again: the winner, the unresolved from fast to slow, the defaults */
};

/* The default grid of a knowledge base as YAML for sweep_parse: bit_width (where the index has bits) x
 * top_k_candidates, with labels x graph_depth.  axes: "key=v1,v2" replace or add; settings: "key=value" held fixed.  ERR_ARG, ERR_MEM. */
struct tune_grid {
    const char *kb, *questions, *qrels; /* qrels NULL: no labels */
    const char *const *axes, *const *settings;
    size_t axis_count, setting_count, k;
    const char *kernel;
    const char *query_ids; /* of questions that are vectors; NULL: none */
    int drop_unjudgeable;  /* labels of documents that are not there */
};
int tune_yaml(const struct tune_grid *g, struct text *out, struct err *e);

/* Opens the data and lays out the grid.  ERR_ARG: a metric that is unknown or does not fit (k, labels), an axis that
 * only labels could decide, an embedder that varies, fewer than ten questions in a part (that have something relevant,
 * where the metric asks for labels). */
int tune_open(struct tune *t, const struct tune_request *r, const struct sweep *s, struct err *e);
/* Measures the grid and judges it.  ERR_NOT_FOUND: no point keeps to the limit (the fastest is named). */
int tune_run(struct tune *t, struct run *run, struct err *e);
/* Measures the finalists again. */
int tune_confirm(struct tune *t, struct run *run, struct err *e);
void tune_close(struct tune *t);

static inline const struct tune_point *tune_winner(const struct tune *t) { return &t->points[t->again[0]]; }
#endif
