/* SPDX-License-Identifier: MIT
 * filter_threshold.c - drops results whose combined score is too low.  (min_vector_score acts where
 * entities enter the pool, because the size of the pool is part of the graph score.) */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "min_combined_score", PARAM_REAL, -1e9, 1e9, "0", "", NULL, "lowest combined score of a result" },
    { 0 },
};

struct self { double least; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "filter=threshold: no memory");
    self->least = params_real(env->params, "min_combined_score");
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    for (size_t i = 0; i < q->pool_count; i++)
        if (q->pool[i].combined_score >= self->least) q->kept[q->kept_count++] = (uint32_t)i;
    return ERR_OK;
}

const struct stage_ops filter_threshold = {
    .name = "threshold", .slot = SLOT_FILTER, .summary = "an absolute least combined score",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
