/* SPDX-License-Identifier: MIT
 * score_max_neighbour.c - the relevance of the best neighbour in the pool; 0 without one.  An answer
 * may stand beside what the question names. */
#include "pipeline/score.h"

static const struct param params[] = { SCORE_PARAMS, { 0 } };

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    const struct graph *g = &q->kb->graph;
    for (size_t i = 0; i < q->pool_count; i++) {
        const uint32_t x = q->pool[i].entity;
        double best = 0;
        int found = 0;
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++) {
            const int64_t at = pool_find(q, g->other[j]);
            if (at < 0 || (found && q->pool[at].relevance <= best)) continue;
            best = q->pool[at].relevance;
            found = 1;
        }
        q->pool[i].graph_score = best;
    }
    score_run(self, q);
    return ERR_OK;
}

const struct stage_ops score_max_neighbour = {
    .name = "max_neighbour", .slot = SLOT_SCORE, .summary = "relevance of the best neighbour in the pool",
    .params = params, .create = score_create, .refresh = score_refresh_self, .run = run, .destroy = score_destroy,
};
