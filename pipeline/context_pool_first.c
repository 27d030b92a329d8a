/* SPDX-License-Identifier: MIT
 * context_pool_first.c - the engine's context of a result: its neighbours in the order of a walk, those in
 * the pool before the others.  (Its "Memex(RL) sizing"; the paper, arXiv 2603.04257, has no graph.) */
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
    if (!self) return FAIL(e, ERR_MEM, "context=pool_first: no memory");
    self->depth = (int)params_int(env->params, "context_depth");
    self->most = env->context_room = (size_t)params_int(env->params, "max_context_entities");
    *self_ = self;
    return ERR_OK;
}

static size_t attach(const struct self *self, struct query *q, uint32_t entity, uint32_t *out)
{
    const size_t most = self->most < q->context_room ? self->most : q->context_room;
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

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    for (size_t i = 0; i < q->kept_count; i++)
        q->context_count[i] = attach(self, q, q->pool[q->kept[i]].entity, q->context + i * q->context_room);
    return ERR_OK;
}

const struct stage_ops context_pool_first = {
    .name = "pool_first", .slot = SLOT_CONTEXT, .summary = "neighbours, members of the pool first (the engine's)",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
