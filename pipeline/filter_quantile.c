/* SPDX-License-Identifier: MIT
 * filter_quantile.c - drops the lower part of the pool, whatever the scale of its scores. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "filter_quantile", PARAM_REAL, 0, 1, "0.5", "", NULL,
      "share of the pool, lowest combined scores first, to drop" },
    { 0 },
};

struct self { double share; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "filter=quantile: no memory");
    self->share = params_real(env->params, "filter_quantile");
    *self_ = self;
    return ERR_OK;
}

/* Keeps all but the worst floor(share * pool). */
static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    const size_t keep = q->pool_count - (size_t)(self->share * (double)q->pool_count);
    for (size_t i = 0; i < q->pool_count; i++) q->kept[q->kept_count++] = (uint32_t)i;
    if (keep < q->kept_count) query_take_best(q, keep);
    return ERR_OK;
}

const struct stage_ops filter_quantile = {
    .name = "quantile", .slot = SLOT_FILTER, .summary = "the best share of the pool",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
