/* SPDX-License-Identifier: MIT
 * context_bfs.c - context of a result: its neighbours in the order of a walk, whether in the pool or not. */
#include "kernels/base/mem.h"
#include "pipeline/context.h"

static const struct param params[] = { CONTEXT_PARAMS, { 0 } };

static size_t attach(const struct context *self, struct query *q, uint32_t entity, size_t most, uint32_t *out)
{
    const size_t count = graph_neighbors(&q->kb->graph, &q->walk, &entity, 1, self->depth, most, NULL);
    for (size_t i = 0; i < count; i++) out[i] = q->walk.found[i];
    return count;
}

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    return context_run(self, q, attach);
}

const struct stage_ops context_bfs = {
    .name = "bfs", .slot = SLOT_CONTEXT, .summary = "neighbours, nearest first",
    .params = params, .create = context_create, .run = run, .destroy = mem_free,
};
