/* SPDX-License-Identifier: MIT
 * filter_version.c - keeps what one version of the base holds: an entity of a schema-4 base has a bit a version slot
 * (kg_versions.bit_slot), and one without any is of no version. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "version_slot", PARAM_INT, 0, 63, "0", "", NULL, "bit of the version that results must be of" },
    { 0 },
};

struct self {
    struct store *store;
    int slot;
    const struct kb *kb;
    unsigned char *held; /* by entity */
};

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "filter=version: no memory");
    self->store = env->store;
    self->slot = (int)params_int(env->params, "version_slot");
    *self_ = self;
    return ERR_OK;
}

static int take(void *context, const struct entity_facts *f)
{
    struct self *self = context;
    const uint32_t x = graph_find(&self->kb->graph, f->id);
    if (x != GRAPH_NONE) self->held[x] = f->validity >> self->slot & 1;
    return ERR_OK;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    mem_free(self->held);
    self->kb = kb;
    self->held = mem_zero(kb->graph.count, 1);
    if (!self->held) return FAIL(e, ERR_MEM, "filter=version: no memory for %zu entities", kb->graph.count);
    return store_facts(self->store, take, self, e);
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    for (size_t i = 0; i < q->pool_count; i++)
        if (self->held[q->pool[i].entity]) q->kept[q->kept_count++] = (uint32_t)i;
    return ERR_OK;
}

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_free(self->held);
    mem_free(self);
}

const struct stage_ops filter_version = {
    .name = "version", .slot = SLOT_FILTER, .summary = "what one version of the base holds (schema 4)",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
};
