/* SPDX-License-Identifier: MIT
 * expand_ppr.c - the entities that a personalised PageRank from the pool visits most join it.  The rank
 * is found by pushing residual mass (Andersen, Chung & Lang, FOCS 2006): work is bounded by
 * 1 / (ppr_epsilon (1 - ppr_damping)) whatever the size of the graph, and a hub spreads its mass thin. */
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include "pipeline/stage.h"

static const struct param params[] = {
    { "ppr_damping", PARAM_REAL, 0, 0.99, "0.5", "", NULL, "probability that the walker goes on" },
    { "ppr_epsilon", PARAM_REAL, 1e-9, 1, "1e-05", "", NULL, "residual per edge that is left where it is" },
    { "max_expansion", PARAM_INT, 0, 4294967295, "100", "", NULL, "entities that may join the pool" },
    { 0 },
};

struct self {
    double damping, epsilon;
    size_t most, room;
    double *mass, *residual; /* one per entity, zero between queries */
    uint32_t *queue, *round; /* who gives in the next round; in this one */
    double *taken;           /* ... and what, by place in it */
    uint32_t *touched;
    unsigned char *state;    /* 1: touched, 2: in the queue */
    struct hit *best;
};

static void free_arrays(struct self *self)
{
    mem_free(self->mass);
    mem_free(self->residual);
    mem_free(self->taken);
    mem_free(self->queue);
    mem_free(self->round);
    mem_free(self->touched);
    mem_free(self->state);
    mem_free(self->best);
}

static void destroy(void *self_)
{
    free_arrays(self_);
    mem_free(self_);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "expand=ppr: no memory");
    self->damping = params_real(env->params, "ppr_damping");
    self->epsilon = params_real(env->params, "ppr_epsilon");
    self->most = (size_t)params_int(env->params, "max_expansion");
    *self_ = self;
    return ERR_OK;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const size_t n = kb->graph.count;
    free_arrays(self);
    self->room = self->most < n ? self->most : n;
    self->mass = mem_zero(n, sizeof *self->mass);
    self->residual = mem_zero(n, sizeof *self->residual);
    self->taken = mem_alloc(n, sizeof *self->taken);
    self->queue = mem_alloc(n, sizeof *self->queue);
    self->round = mem_alloc(n, sizeof *self->round);
    self->touched = mem_alloc(n, sizeof *self->touched);
    self->state = mem_zero(n, 1);
    self->best = mem_alloc(self->room, sizeof *self->best);
    if (self->mass && self->residual && self->taken && self->queue && self->round && self->touched &&
        self->state && self->best)
        return ERR_OK;
    return FAIL(e, ERR_MEM, "expand=ppr: no memory for %zu entities", n);
}

struct push {
    size_t waiting, touched_count;
};

static void give(struct self *self, const struct graph *g, struct push *p, uint32_t x, double amount)
{
    const double ways = (double)(g->start[x + 1] - g->start[x]);
    self->residual[x] += amount;
    if (!(self->state[x] & 1)) {
        self->state[x] |= 1;
        self->touched[p->touched_count++] = x;
    }
    if ((self->state[x] & 2) || self->residual[x] <= self->epsilon * (ways > 1 ? ways : 1)) return;
    self->state[x] |= 2;
    self->queue[p->waiting++] = x;
}

/* All that wait give at once, not one after the other: what is left over, and so who joins the pool, would depend on the
 * order of relations otherwise.  A tenth more time (twohop, 20,000 entities: 156 us for 142). */
static void push_round(struct self *self, const struct graph *g, struct push *p)
{
    const size_t count = p->waiting;
    uint32_t *const round = self->queue;
    self->queue = self->round;
    self->round = round;
    p->waiting = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t x = round[i];
        self->taken[i] = self->residual[x];
        self->residual[x] = 0;
        self->state[x] &= (unsigned char)~2;
        self->mass[x] += g->start[x + 1] > g->start[x] ? (1 - self->damping) * self->taken[i] : self->taken[i];
    }
    for (size_t i = 0; i < count; i++) {
        const uint32_t x = round[i];
        const double ways = (double)(g->start[x + 1] - g->start[x]);
        for (size_t j = g->start[x]; j < g->start[x + 1]; j++)
            give(self, g, p, g->other[j], self->damping * self->taken[i] / ways);
    }
}

static size_t push_all(struct self *self, const struct query *q)
{
    const struct graph *g = &q->kb->graph;
    struct push p = { 0 };
    double sum = 0;
    for (size_t i = 0; i < q->pool_count; i++) sum += q->pool[i].vector_score > 0 ? (double)q->pool[i].vector_score : 0;
    for (size_t i = 0; i < q->pool_count; i++) {
        const double score = q->pool[i].vector_score > 0 ? (double)q->pool[i].vector_score : 0;
        give(self, g, &p, q->pool[i].entity, sum > 0 ? score / sum : 1 / (double)q->pool_count);
    }
    while (p.waiting) push_round(self, g, &p);
    return p.touched_count;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    struct self *self = self_;
    const struct kb *kb = q->kb;
    struct topk best;
    const size_t touched = push_all(self, q);
    topk_init(&best, self->best, self->room);
    for (size_t i = 0; i < touched; i++) {
        const uint32_t x = self->touched[i];
        if (self->mass[x] > 0 && kb->row_of[x] != KB_NO_ROW && pool_find(q, x) < 0)
            topk_push(&best, x, (float)self->mass[x]);
        self->mass[x] = self->residual[x] = 0;
        self->state[x] = 0;
    }
    const size_t count = topk_finish(&best);
    for (size_t i = 0; i < count; i++) q->rows[i] = kb->row_of[self->best[i].id];
    kb_cosines(kb, q->kernels, q->vector, q->rows, count, q->scores);
    for (size_t i = 0; i < count; i++) (void)pool_enter(q, (uint32_t)self->best[i].id, q->scores[i]);
    return ERR_OK;
}

const struct stage_ops expand_ppr = {
    .name = "ppr", .slot = SLOT_EXPAND, .summary = "what personalised PageRank from the pool visits most",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
};
