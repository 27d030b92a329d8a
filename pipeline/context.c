/* SPDX-License-Identifier: MIT
 * context.c - reads how much context a result gets, and asks the stage for it, result by result. */
#include "pipeline/context.h"
#include "kernels/base/mem.h"

int context_create(void **self_, struct stage_env *env, struct err *e)
{
    struct context *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "no memory for a context stage");
    self->depth = (int)params_int(env->params, "context_depth");
    self->most = env->context_room = (size_t)params_int(env->params, "max_context_entities");
    env->context_bytes = (size_t)params_int(env->params, "max_context_bytes");
    *self_ = self;
    return ERR_OK;
}

int context_run(const struct context *self, struct query *q,
               size_t (*attach)(const struct context *self, struct query *q, uint32_t entity, size_t most, uint32_t *out))
{
    const size_t most = self->most < q->context_room ? self->most : q->context_room;
    for (size_t i = 0; i < q->kept_count; i++)
        q->context_count[i] = attach(self, q, q->pool[q->kept[i]].entity, most, q->context + i * q->context_room);
    return ERR_OK;
}
