/* SPDX-License-Identifier: MIT
 * context_bfs.c - context of a result: its neighbours in the order of a walk, whether in the pool or not. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "context_depth", PARAM_INT, 0, GRAPH_DEPTH_MAX, "2", "steps", NULL, "how far context may lie from its result" },
    { "max_context_entities", PARAM_INT, 0, 1000000, "5", "", NULL, "context entities of one result" },
    { 0 },
};

struct self {
    int depth;
    size_t most;
};

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "context=bfs: no memory");
    self->depth = (int)params_int(env->params, "context_depth");
    self->most = env->context_room = (size_t)params_int(env->params, "max_context_entities");
    *self_ = self;
    return ERR_OK;
}

static size_t attach(const struct self *self, struct query *q, uint32_t entity, uint32_t *out)
{
    const size_t most = self->most < q->context_room ? self->most : q->context_room;
    const size_t count = graph_neighbors(&q->kb->graph, &q->walk, &entity, 1, self->depth, most, NULL);
    for (size_t i = 0; i < count; i++) out[i] = q->walk.found[i];
    return count;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    for (size_t i = 0; i < q->kept_count; i++)
        q->context_count[i] = attach(self, q, q->pool[q->kept[i]].entity, q->context + i * q->context_room);
    return ERR_OK;
}

const struct stage_ops context_bfs = {
    .name = "bfs", .slot = SLOT_CONTEXT, .summary = "neighbours, nearest first",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
