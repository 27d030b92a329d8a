/* SPDX-License-Identifier: MIT
 * score_degree.c - the share of an entity's own neighbours that is in the pool: what pool_fraction counts,
 * divided by the degree, so that neither hubs nor large pools change its scale. */
#include "pipeline/score.h"

static const struct param params[] = { SCORE_PARAMS, { 0 } };

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    const struct graph *g = &q->kb->graph;
    for (size_t i = 0; i < q->pool_count; i++) {
        const uint32_t x = q->pool[i].entity;
        const size_t degree = g->start[x + 1] - g->start[x];
        size_t neighbours = 0;
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++) neighbours += q->stamp[g->other[j]] == q->epoch;
        q->pool[i].graph_score = degree ? (double)neighbours / (double)degree : 0;
    }
    score_run(self, q);
    return ERR_OK;
}

const struct stage_ops score_degree = {
    .name = "degree", .slot = SLOT_SCORE, .summary = "share of an entity's neighbours that is in the pool",
    .params = params, .create = score_create, .refresh = score_refresh_self, .run = run, .destroy = score_destroy,
};
