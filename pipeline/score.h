/* SPDX-License-Identifier: MIT
 * score.h - what every score stage ends with: the weighted sum of relevance and graph score, after
 * both were brought to one scale. */
#ifndef ASSAY_SCORE_H
#define ASSAY_SCORE_H
#include "pipeline/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How each of the two scores is scaled over the pool before the sum.  A score that is constant over
 * the pool becomes 0 (0.5 as a percentile).
 * percentile: share of the pool that scores less, plus half of the share that scores the same (the
 * probability integral transform of arXiv 2603.28886). */
#define SCORE_PARAMS                                                                                \
    { "vector_weight", PARAM_REAL, -1e6, 1e6, "0.6", "", NULL,                                      \
      "weight of the relevance (the exact cosine, unless rerank says otherwise)" },                 \
    { "graph_weight", PARAM_REAL, -1e6, 1e6, "0.4", "", NULL, "weight of the graph score" },        \
    { "calibration", PARAM_CHOICE, 0, 0, "none", "", "none|minmax|zscore|percentile",               \
      "how both scores are scaled over the pool before the sum" }

struct score {
    double vector_weight, graph_weight;
    int calibration;
    struct hit *order;  /* one per vector */
    double *calibrated;
};

/* As the hooks of a stage whose state begins with a struct score. */
int score_init(struct score *s, const struct stage_env *env, struct err *e);
int score_refresh(struct score *s, const struct kb *kb, struct err *e);
void score_fini(struct score *s);
/* The same as hooks of a stage that needs no other state. */
int score_create(void **self, struct stage_env *env, struct err *e);
int score_refresh_self(void *self, const struct kb *kb, struct err *e);
void score_destroy(void *self);

/* combined_score of every member, from relevance and graph_score. */
void score_run(const struct score *s, struct query *q);

#ifdef __cplusplus
}
#endif
#endif
