/* SPDX-License-Identifier: MIT
 * retrieve_hybrid.c - the lists of retrieve=index and retrieve=bm25, fused: by reciprocal rank (Cormack,
 * Clarke & Buettcher, SIGIR 2009), or by a weighted sum of scores, each list's scaled to 0..1. */
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include "pipeline/retrieve.h"
#include <string.h>

extern const struct stage_ops retrieve_index, retrieve_bm25;

static const struct param params[] = {
    RETRIEVE_INDEX_PARAMS,
    { "fusion", PARAM_CHOICE, 0, 0, "rrf", "", "rrf|weighted", "how the two lists become one" },
    { "rrf_k", PARAM_REAL, 0, 1e6, "60", "ranks", NULL, "an entity scores 1 / (rrf_k + rank) in each list" },
    { "word_weight", PARAM_REAL, 0, 1, "0.5", "", NULL, "weight of the words; vectors have the rest" },
    { 0 },
};

enum list { VECTORS, WORDS, LISTS };

struct self {
    void *part[LISTS];
    int weighted;
    double rrf_k, weight[LISTS];
    size_t room;
    struct hit *hits;  /* both lists, one after the other; then the best */
    double *fused;     /* by entity, 0 between queries */
    struct hit *best;
};

static const struct stage_ops *const parts[LISTS] = { &retrieve_index, &retrieve_bm25 };

static void destroy(void *self_)
{
    struct self *self = self_;
    for (int i = 0; i < LISTS; i++)
        if (self->part[i]) parts[i]->destroy(self->part[i]);
    mem_free(self->hits);
    mem_free(self->fused);
    mem_free(self->best);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "retrieve=hybrid: no memory");
    self->weighted = (int)params_int(env->params, "fusion");
    self->rrf_k = params_real(env->params, "rrf_k");
    self->weight[WORDS] = params_real(env->params, "word_weight");
    self->weight[VECTORS] = 1 - self->weight[WORDS];
    self->room = (size_t)params_int(env->params, "top_k_candidates");
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < LISTS; i++) status = parts[i]->create(&self->part[i], env, e);
    if (status != ERR_OK) return destroy(self), status;
    *self_ = self;
    return ERR_OK;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const size_t n = kb->vectors.rows.count, most = self->room < n ? self->room : n;
    mem_free(self->hits);
    mem_free(self->fused);
    mem_free(self->best);
    self->hits = mem_alloc(most, LISTS * sizeof *self->hits);
    self->fused = mem_zero(kb->graph.count, sizeof *self->fused);
    self->best = mem_alloc(most, sizeof *self->best);
    if (!self->hits || !self->fused || !self->best) return FAIL(e, ERR_MEM, "retrieve=hybrid: no memory");
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < LISTS; i++) status = parts[i]->refresh(self->part[i], kb, e);
    return status;
}

/* What the hit at `rank` of a list adds; never quite 0, so that the last of a list stays a candidate. */
static double share(const struct self *self, int list, const struct hit *hits, size_t count, size_t rank)
{
    if (!self->weighted) return 1 / (self->rrf_k + (double)rank + 1);
    const double high = (double)hits[0].score, low = (double)hits[count - 1].score;
    return self->weight[list] * (high > low ? ((double)hits[rank].score - low) / (high - low) : 1) + 1e-9;
}

static int run(void *self_, struct query *q, struct err *e)
{
    struct self *self = self_;
    const struct graph *g = &q->kb->graph;
    size_t count = 0;
    for (int list = 0; list < LISTS; list++) {
        q->candidate_count = 0;
        const int status = parts[list]->run(self->part[list], q, e);
        if (status != ERR_OK) {
            for (size_t i = 0; i < count; i++) self->fused[self->hits[i].id] = 0;
            return status;
        }
        for (size_t rank = 0; rank < q->candidate_count; rank++) {
            const uint32_t x = graph_find(g, q->candidates[rank].id);
            if (x == GRAPH_NONE) continue;
            self->fused[x] += share(self, list, q->candidates, q->candidate_count, rank);
            self->hits[count++].id = x;
        }
    }
    struct topk best;
    topk_init(&best, self->best, self->room);
    for (size_t i = 0; i < count; i++) { /* an entity of both lists comes twice: the second time it holds nothing */
        double *fused = &self->fused[self->hits[i].id];
        if (*fused > 0) topk_push(&best, g->ids[self->hits[i].id], (float)*fused);
        *fused = 0;
    }
    q->candidate_count = topk_finish(&best);
    memcpy(q->candidates, self->best, q->candidate_count * sizeof *self->best);
    return ERR_OK;
}

static void kernels(const void *self, struct text *out)
{
    retrieve_index.kernels(((const struct self *)self)->part[VECTORS], out);
}

static const struct index_cache *cache(const void *self)
{
    return retrieve_index.cache(((const struct self *)self)->part[VECTORS]);
}

static int work(const void *self, struct index_work *out)
{
    return retrieve_index.work(((const struct self *)self)->part[VECTORS], out);
}

const struct stage_ops retrieve_hybrid = {
    .name = "hybrid", .slot = SLOT_RETRIEVE, .summary = "vectors and words, fused",
    .params = params, .create = create, .refresh = refresh, .run = run, .kernels = kernels, .cache = cache,
    .work = work, .destroy = destroy,
};
