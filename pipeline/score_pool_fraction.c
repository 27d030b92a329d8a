/* SPDX-License-Identifier: MIT
 * score_pool_fraction.c - the engine's graph score: the share of the rest of the pool that is a neighbour.
 * It shrinks as the pool grows (0.02-0.07 in a pool of a hundred), so its weight is nearly inert. */
#include "pipeline/score.h"

static const struct param params[] = { SCORE_PARAMS, { 0 } };

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    const struct graph *g = &q->kb->graph;
    for (size_t i = 0; i < q->pool_count; i++) {
        const uint32_t x = q->pool[i].entity;
        size_t neighbours = 0;
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++) neighbours += q->stamp[g->other[j]] == q->epoch;
        q->pool[i].graph_score = q->pool_count > 1 ? (double)neighbours / (double)(q->pool_count - 1) : 0;
    }
    score_run(self, q);
    return ERR_OK;
}

const struct stage_ops score_pool_fraction = {
    .name = "pool_fraction", .slot = SLOT_SCORE, .summary = "share of the pool that is a neighbour (the engine's)",
    .params = params, .create = score_create, .refresh = score_refresh_self, .run = run, .destroy = score_destroy,
};
