/* SPDX-License-Identifier: MIT
 * score_ppr.c - personalised PageRank inside the pool: a walker starts at a member with a probability in
 * proportion to its cosine, goes on to a neighbour in the pool with probability ppr_damping and starts
 * again otherwise; the graph score is how often it is there, the most visited member being 1.  HippoRAG
 * (arXiv 2405.14831, section 2.3) ranks so, over the whole graph and from the entities of the question. */
#include "kernels/base/mem.h"
#include "pipeline/score.h"
#include <math.h>

static const struct param params[] = {
    SCORE_PARAMS,
    { "ppr_damping", PARAM_REAL, 0, 0.99, "0.5", "", NULL, "probability that the walker goes on" },
    { 0 },
};

struct self {
    struct score score;
    double damping;
    double *start, *now, *next; /* one per vector */
    uint32_t *degree;           /* inside the pool */
};

static void free_arrays(struct self *self)
{
    mem_free(self->start);
    mem_free(self->now);
    mem_free(self->next);
    mem_free(self->degree);
}

static void destroy(void *self_)
{
    struct self *self = self_;
    free_arrays(self);
    score_fini(&self->score);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "score=ppr: no memory");
    self->damping = params_real(env->params, "ppr_damping");
    *self_ = self;
    return score_init(&self->score, env, e);
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const size_t n = kb->vectors.rows.count;
    free_arrays(self);
    self->start = mem_alloc(n, sizeof *self->start);
    self->now = mem_alloc(n, sizeof *self->now);
    self->next = mem_alloc(n, sizeof *self->next);
    self->degree = mem_alloc(n, sizeof *self->degree);
    if (!self->start || !self->now || !self->next || !self->degree)
        return FAIL(e, ERR_MEM, "score=ppr: no memory for %zu vectors", n);
    return score_refresh(&self->score, kb, e);
}

/* Where walks start, and how many ways lead on from each member. */
static void prepare(const struct self *self, const struct query *q)
{
    const struct graph *g = &q->kb->graph;
    double sum = 0;
    for (size_t i = 0; i < q->pool_count; i++) {
        const uint32_t x = q->pool[i].entity;
        self->start[i] = q->pool[i].vector_score > 0 ? (double)q->pool[i].vector_score : 0;
        sum += self->start[i];
        self->degree[i] = 0;
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++) self->degree[i] += q->stamp[g->other[j]] == q->epoch;
    }
    for (size_t i = 0; i < q->pool_count; i++) {
        self->start[i] = sum > 0 ? self->start[i] / sum : 1 / (double)q->pool_count;
        self->now[i] = self->start[i];
    }
}

/* One step of every walker; the largest share. */
static double step(const struct self *self, const struct query *q)
{
    const struct graph *g = &q->kb->graph;
    double stuck = 0, most = 0;
    for (size_t i = 0; i < q->pool_count; i++)
        if (self->degree[i] == 0) stuck += self->now[i];
    for (size_t i = 0; i < q->pool_count; i++) {
        const uint32_t x = q->pool[i].entity;
        double arrives = stuck * self->start[i];
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++) {
            const int64_t from = pool_find(q, g->other[j]);
            if (from >= 0) arrives += self->now[from] / (double)self->degree[from];
        }
        self->next[i] = (1 - self->damping) * self->start[i] + self->damping * arrives;
        most = self->next[i] > most ? self->next[i] : most;
    }
    for (size_t i = 0; i < q->pool_count; i++) self->now[i] = self->next[i];
    return most;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    prepare(self, q);
    /* After r rounds less than damping^r of the walkers are out of place. */
    const int rounds = self->damping > 0 ? (int)ceil(log(1e-9) / log(self->damping)) : 1;
    double most = 0;
    for (int r = 0; r < rounds && q->pool_count; r++) most = step(self, q);
    for (size_t i = 0; i < q->pool_count; i++) q->pool[i].graph_score = most > 0 ? self->now[i] / most : 0;
    score_run(&self->score, q);
    return ERR_OK;
}

const struct stage_ops score_ppr = {
    .name = "ppr", .slot = SLOT_SCORE, .summary = "personalised PageRank inside the pool",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
};
