/* SPDX-License-Identifier: MIT
 * expand_bfs.c - neighbours of the pool join it, with their exact scores.  The engine attributes it to
 * RAPO (arXiv 2603.03078), which has no graph; the idea is its own. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "enable_graph_expansion", PARAM_FLAG, 0, 0, "true", "", NULL, "false is expand=none" },
    { "graph_depth", PARAM_INT, 0, GRAPH_DEPTH_MAX, "1", "steps", NULL, "how far neighbours may lie" },
    { 0 },
};

struct self { int depth; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "expand=bfs: no memory");
    if (params_int(env->params, "enable_graph_expansion")) self->depth = (int)params_int(env->params, "graph_depth");
    *self_ = self;
    return ERR_OK;
}

/* One walk from all seeds finds what a walk from each would, and sees every entity once. */
static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    const struct kb *kb = q->kb;
    for (size_t i = 0; i < q->pool_count; i++) q->entities[i] = q->pool[i].entity;
    const size_t found = graph_neighbors(&kb->graph, &q->walk, q->entities, q->pool_count, self->depth,
                                         kb->graph.count, NULL);
    size_t count = 0;
    for (size_t i = 0; i < found; i++) {
        const uint32_t entity = q->walk.found[i];
        if (kb->row_of[entity] == KB_NO_ROW) continue;
        q->entities[count] = entity;
        q->rows[count++] = kb->row_of[entity];
    }
    kb_cosines(kb, q->kernels, q->vector, q->rows, count, q->scores);
    for (size_t i = 0; i < count; i++) (void)pool_enter(q, q->entities[i], q->scores[i]);
    return ERR_OK;
}

const struct stage_ops expand_bfs = {
    .name = "bfs", .slot = SLOT_EXPAND, .summary = "neighbours within graph_depth steps of the pool",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
