/* SPDX-License-Identifier: MIT
 * retrieve_exact.c - stage one without an index: the exact cosine of every vector, read where the base holds them.
 * What an approximate stage one is judged against; index=flat gives the same from a copy. */
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include "pipeline/retrieve.h"

static const struct param params[] = {
    TOP_K_CANDIDATES,
    { 0 },
};

struct self { size_t most; };

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "retrieve=exact: no memory");
    self->most = (size_t)params_int(env->params, "top_k_candidates");
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    const struct kb *kb = q->kb;
    const size_t n = kb->vectors.rows.count;
    struct topk best;
    for (size_t i = 0; i < n; i++) q->rows[i] = (uint32_t)i;
    kb_cosines(kb, q->kernels, q->vector, q->rows, n, q->scores);
    topk_init(&best, q->candidates, self->most < n ? self->most : n);
    for (size_t i = 0; i < n; i++) topk_push(&best, kb->vectors.ids[i], q->scores[i]);
    q->candidate_count = topk_finish(&best);
    return ERR_OK;
}

const struct stage_ops retrieve_exact = {
    .name = "exact", .slot = SLOT_RETRIEVE, .by_ids = 1, .summary = "nearest vectors by exact cosine, no index",
    .params = params, .create = create, .run = run, .destroy = mem_free, .exact_twin = "exact",
};
