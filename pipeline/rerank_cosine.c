/* SPDX-License-Identifier: MIT
 * rerank_cosine.c - stage two: exact cosines of the candidates; the best top_k_rerank are the pool.
 * The engine calls it MemRL; that paper reranks by learnt utility instead (arXiv 2601.03192, eq. 7). */
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "top_k_rerank", PARAM_INT, 1, 4294967295, "20", "", NULL, "candidates that survive the exact scores" },
    { 0 },
};

struct self {
    size_t most;
    struct hit *best;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_free(self->best);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "rerank=cosine: no memory");
    self->most = (size_t)params_int(env->params, "top_k_rerank");
    *self_ = self;
    return ERR_OK;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const size_t n = kb->vectors.rows.count, room = self->most < n ? self->most : n;
    mem_free(self->best);
    self->best = mem_alloc(room, sizeof *self->best);
    return self->best ? ERR_OK : FAIL(e, ERR_MEM, "rerank=cosine: no memory for top_k_rerank=%zu", self->most);
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    if (!q->has_vector) return query_keep_order(q, self->most), ERR_OK; /* words alone are asked */
    size_t count = query_exact_scores(q);
    struct topk best;
    topk_init(&best, self->best, self->most);
    /* Entity numbers ascend with ids, so they break ties as ids do.  Scores of NaN fail the test. */
    for (size_t i = 0; i < count; i++)
        if (q->scores[i] >= q->min_vector_score) topk_push(&best, q->entities[i], q->scores[i]);
    count = topk_finish(&best);
    for (size_t i = 0; i < count; i++) (void)pool_enter(q, (uint32_t)self->best[i].id, self->best[i].score);
    return ERR_OK;
}


const struct stage_ops rerank_cosine = {
    .name = "cosine", .slot = SLOT_RERANK, .summary = "exact cosine of every candidate",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
    .orders_by_cosine = 1,
};
