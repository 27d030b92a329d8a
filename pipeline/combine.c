/* SPDX-License-Identifier: MIT */
#include "pipeline/combine.h"
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include <math.h>

enum calibration { NONE, MINMAX, ZSCORE, PERCENTILE };

int combine_init(struct combine *c, const struct stage_env *env, struct err *e)
{
    (void)e;
    c->vector_weight = params_real(env->params, "vector_weight");
    c->graph_weight = params_real(env->params, "graph_weight");
    c->calibration = (int)params_int(env->params, "calibration");
    return ERR_OK;
}

int combine_refresh(struct combine *c, const struct kb *kb, struct err *e)
{
    const size_t n = kb->vectors.rows.count;
    combine_fini(c);
    if (c->calibration == NONE) return ERR_OK;
    c->order = mem_alloc(n, sizeof *c->order);
    c->calibrated = mem_alloc(n, sizeof *c->calibrated);
    return c->order && c->calibrated ? ERR_OK : FAIL(e, ERR_MEM, "no memory to calibrate %zu scores", n);
}

void combine_fini(struct combine *c)
{
    mem_free(c->order);
    mem_free(c->calibrated);
    c->order = NULL;
    c->calibrated = NULL;
}

int combine_create(void **self, struct stage_env *env, struct err *e)
{
    struct combine *c = mem_zero(1, sizeof *c);
    if (!c) return FAIL(e, ERR_MEM, "no memory for a score stage");
    *self = c;
    return combine_init(c, env, e);
}

int combine_refresh_self(void *self, const struct kb *kb, struct err *e) { return combine_refresh(self, kb, e); }

void combine_destroy(void *self)
{
    combine_fini(self);
    mem_free(self);
}

static double score_of(const struct member *m, int graph) { return graph ? m->graph_score : m->relevance; }

static void percentiles(const struct combine *c, const struct query *q, int graph, double *out)
{
    const size_t n = q->pool_count;
    for (size_t i = 0; i < n; i++) c->order[i] = (struct hit){ (int64_t)i, (float)score_of(&q->pool[i], graph) };
    hits_sort(c->order, n);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && c->order[to].score == c->order[from].score;) to++;
        const double share = ((double)(n - to) + 0.5 * (double)(to - from)) / (double)n;
        for (size_t i = from; i < to; i++) out[c->order[i].id] = share;
    }
}

/* x -> (x - shift) * scale over the pool; scale 0 where all are the same. */
static void shift_and_scale(const struct combine *c, const struct query *q, int graph, double *shift, double *scale)
{
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    for (size_t i = 0; i < q->pool_count; i++) {
        const double x = score_of(&q->pool[i], graph);
        least = x < least ? x : least;
        most = x > most ? x : most;
        sum += x;
    }
    const double mean = sum / (double)q->pool_count;
    for (size_t i = 0; i < q->pool_count; i++) {
        const double d = score_of(&q->pool[i], graph) - mean;
        squares += d * d;
    }
    const double spread = c->calibration == MINMAX ? most - least : sqrt(squares / (double)q->pool_count);
    *shift = c->calibration == MINMAX ? least : mean;
    *scale = most > least ? 1 / spread : 0;
}

/* Adds weight x calibrated score to every combined score. */
static void add_term(const struct combine *c, struct query *q, int graph, double weight)
{
    double shift = 0, scale = 1;
    if (c->calibration == PERCENTILE) percentiles(c, q, graph, c->calibrated);
    if (c->calibration == MINMAX || c->calibration == ZSCORE) shift_and_scale(c, q, graph, &shift, &scale);
    for (size_t i = 0; i < q->pool_count; i++) {
        struct member *m = &q->pool[i];
        const double x = c->calibration == PERCENTILE ? c->calibrated[i] : (score_of(m, graph) - shift) * scale;
        m->combined_score += weight * x;
    }
}

void combine_run(const struct combine *c, struct query *q)
{
    for (size_t i = 0; i < q->pool_count; i++) q->pool[i].combined_score = 0;
    if (q->pool_count == 0) return;
    add_term(c, q, 0, c->vector_weight);
    add_term(c, q, 1, c->graph_weight);
}
