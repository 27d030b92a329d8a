/* SPDX-License-Identifier: MIT
 * rerank_none.c - no second stage: the candidates stay in the order of the retrieve stage, and its scores are what
 * the score stage weighs.  What the graph brings in later was not retrieved, and comes after all of them.  For figures
 * that compare retrievers: an exact cosine of every candidate would give all of them the same order. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "top_k_rerank", PARAM_INT, 1, 4294967295, "20", "", NULL, "candidates that survive the exact scores" },
    { 0 },
};

struct self { size_t most; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "rerank=none: no memory");
    self->most = (size_t)params_int(env->params, "top_k_rerank");
    *self_ = self;
    return ERR_OK;
}

static int run(void *self, struct query *q, struct err *e)
{
    (void)e;
    query_keep_order(q, ((const struct self *)self)->most);
    return ERR_OK;
}

const struct stage_ops rerank_none = {
    .name = "none", .slot = SLOT_RERANK, .summary = "the retriever's own order",
    .params = params, .create = create, .run = run, .destroy = mem_free,
};
