/* SPDX-License-Identifier: MIT
 * metric.h - how good an answer is: bench/quality/metric_<name>.c exports one `const struct metric_ops`,
 * and its name is a column of every row and of every per-query file.
 *
 * Ids within a list: best first.  An id that comes a second time counts for nothing, but keeps its
 * rank.  What is missing counts as wrong. */
#ifndef ASSAY_METRIC_H
#define ASSAY_METRIC_H
#include <stddef.h>
#include <stdint.h>

struct id_list {
    const int64_t *at; /* NULL: this evidence does not exist */
    size_t count;
};

struct label {
    int64_t id;
    int64_t grade; /* relevant when > 0 */
};

/* All that is known about one query. */
struct evidence {
    size_t k;                   /* results asked for */
    struct id_list found;       /* an index: what it returned; a pipeline: stage one's first k */
    const double *found_scores; /* exact scores of `found` in float64, recomputed; NULL: unknown */
    struct id_list truth;       /* exact nearest neighbours */
    const double *truth_scores; /* their exact scores, higher is nearer */
    struct id_list candidates;  /* stage one whole, before any exact re-scoring */
    struct id_list decoded;     /* exact search over what the codes stand for */
    struct id_list answers;       /* a pipeline's final results */
    struct id_list reranked;      /* what rerank kept */
    struct id_list pool;          /* the same and what expand brought in */
    struct id_list unfiltered;    /* the best k of the pool */
    struct id_list exact_answers; /* the same pipeline, exact stage one, all candidates */
    struct id_list ungraphed_answers; /* the same pipeline, no expansion */
    const struct label *labels; /* highest grade first; NULL: this query has none */
    size_t label_count;
};

enum metric_fold { METRIC_MEAN, METRIC_P5 }; /* over queries: mean, or 5th percentile */
enum metric_better { METRIC_MORE, METRIC_LESS, METRIC_NEITHER };

struct metric_ops {
    const char *name, *summary;
    const char *label; /* of an axis: "recall@k" */
    const char *unit;  /* NULL: a share, or a number without one */
    enum metric_better better; /* which end of it one wants */
    enum metric_fold fold;
    double (*of)(const struct evidence *v); /* NaN: not applicable to this query */
};
const struct metric_ops *metric_at(size_t i); /* every registered metric; NULL past the last */
const struct metric_ops *metric_find(const char *name); /* NULL: there is none such */
size_t metric_count(void);
/* "recall_strict_lo", "recall_strict_hi": the columns of its interval.  They live as long as the program. */
const char *metric_lo(size_t i);
const char *metric_hi(size_t i);

/* One value a query into one of the row, skipping NaN; NaN when nothing is left.  Scratch is
 * `count` doubles. */
double metric_folded(const struct metric_ops *m, const double *values, size_t count, double *scratch);
size_t metric_p5_rank(size_t count); /* of METRIC_P5, from 0, among `count` values in ascending order; count > 0 */

/* --- for metrics ---------------------------------------------------------------------------- */
/* 1 when list.at[i] is not among the i before it. */
int metric_is_first(struct id_list list, size_t i);
/* Of the first `depth` ids of list, how many different ones are among the first `among` of set. */
size_t metric_overlap(struct id_list list, size_t depth, struct id_list set, size_t among);
/* overlap of the first ten / the longer of both tens; 1 when both are empty, NaN when either list
 * does not exist or k < 10. */
double metric_same_ten(struct id_list a, struct id_list b, size_t k);
/* Share of the truth's first k that is in the first `depth` of list; NaN without evidence. */
double metric_recall(const struct evidence *v, struct id_list list, size_t depth);
/* 1 when the truth's first is among the first `depth` found, else 0; NaN without evidence, or where fewer than `depth` were
 * asked for. */
double metric_nearest_in(const struct evidence *v, size_t depth);
/* 1 when recall_strict is at least `share`, else 0; NaN without evidence. */
double metric_covered(const struct evidence *v, double share);
static inline int metric_is_judged(const struct evidence *v) { return v->labels && v->label_count; }
size_t metric_relevant(const struct evidence *v); /* entities with a grade above 0; 0 without labels */
/* Of the first `depth` ids of list, how many different ones are relevant. */
size_t metric_relevant_in(const struct evidence *v, struct id_list list, size_t depth);
/* The same as a share of all that is relevant, 0 where nothing is; NaN where nothing was judged, or the list does not
 * exist. */
double metric_relevant_share(const struct evidence *v, struct id_list list, size_t depth);
/* What trec_eval says of the results' first `cut`, averaged over the judged questions (-c): recall_k, P_k, success_k,
 * ndcg_cut_k, and all_recall_k (1 when recall_k is 1).  A judged question without anything relevant counts as 0.  NaN:
 * not judged, no results exist, or fewer than `cut` were asked for. */
double metric_recall_at(const struct evidence *v, size_t cut);
double metric_all_recall_at(const struct evidence *v, size_t cut);
double metric_p_at(const struct evidence *v, size_t cut);
double metric_success_at(const struct evidence *v, size_t cut);
double metric_ndcg_at(const struct evidence *v, size_t cut);
struct metric_cut {
    const char *name; /* of a column is label_NAME_at_CUT */
    double (*of)(const struct evidence *v, size_t cut);
};
const struct metric_cut *metric_cut_at(size_t i); /* NULL past the last */
int64_t metric_grade(const struct evidence *v, int64_t id); /* 0: not judged */
#endif
