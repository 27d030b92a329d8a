/* SPDX-License-Identifier: MIT
 * context_pool_first.c - the engine's context of a result: its neighbours in the order of a walk, those in
 * the pool before the others.  (Its "Memex(RL) sizing"; the paper, arXiv 2603.04257, has no graph.) */
#include "kernels/base/mem.h"
#include "pipeline/context.h"

static const struct param params[] = { CONTEXT_PARAMS, { 0 } };

static size_t attach(const struct context *self, struct query *q, uint32_t entity, size_t most, uint32_t *out)
{
    const size_t others = q->pool_count - 1; /* of the pool; the walk ends when it has met as many as fit */
    const struct walk_goal goal = { q->stamp, q->epoch, others < most ? others : most, most };
    const size_t found = most == 0 ? 0 : graph_neighbors(&q->kb->graph, &q->walk, &entity, 1, self->depth,
                                                         q->kb->graph.count, &goal);
    size_t count = 0;
    for (int in_pool = 1; in_pool >= 0; in_pool--)
        for (size_t i = 0; i < found && count < most; i++)
            if ((q->stamp[q->walk.found[i]] == q->epoch) == in_pool) out[count++] = q->walk.found[i];
    return count;
}

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    return context_run(self, q, attach);
}

const struct stage_ops context_pool_first = {
    .name = "pool_first", .slot = SLOT_CONTEXT, .summary = "neighbours, members of the pool first (the engine's)",
    .params = params, .create = context_create, .run = run, .destroy = mem_free,
};
