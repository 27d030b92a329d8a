/* SPDX-License-Identifier: MIT
 * score_pool_fraction.c - the engine's score: the share of the rest of the pool that is a neighbour, and a
 * weighted sum with the cosine. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "vector_weight", PARAM_REAL, -1e6, 1e6, "0.6", "", NULL, "weight of the exact cosine" },
    { "graph_weight", PARAM_REAL, -1e6, 1e6, "0.4", "", NULL, "weight of the graph score" },
    { 0 },
};

struct self { double vector_weight, graph_weight; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "score=pool_fraction: no memory");
    self->vector_weight = params_real(env->params, "vector_weight");
    self->graph_weight = params_real(env->params, "graph_weight");
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    const struct graph *g = &q->kb->graph;
    for (size_t i = 0; i < q->pool_count; i++) {
        struct member *m = &q->pool[i];
        size_t neighbours = 0;
        for (size_t j = g->start[m->entity]; j < g->start[m->entity + 1]; j++)
            neighbours += q->stamp[g->other[j]] == q->epoch;
        m->graph_score = q->pool_count > 1 ? (double)neighbours / (double)(q->pool_count - 1) : 0;
        m->combined_score = self->vector_weight * (double)m->vector_score + self->graph_weight * m->graph_score;
    }
    return ERR_OK;
}

const struct stage_ops score_pool_fraction = {
    .name = "pool_fraction", .slot = SLOT_SCORE, .summary = "share of the pool that is a neighbour (the engine's)",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
