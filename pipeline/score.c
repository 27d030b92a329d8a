/* SPDX-License-Identifier: MIT
 * score.c - brings relevance and graph score to one scale over the pool and adds them up by their weights. */
#include "pipeline/score.h"
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include <math.h>

enum calibration { NONE, MINMAX, ZSCORE, PERCENTILE };

int score_init(struct score *s, const struct stage_env *env, struct err *e)
{
    (void)e;
    s->vector_weight = params_real(env->params, "vector_weight");
    s->graph_weight = params_real(env->params, "graph_weight");
    s->calibration = (int)params_int(env->params, "calibration");
    return ERR_OK;
}

int score_refresh(struct score *s, const struct kb *kb, struct err *e)
{
    const size_t n = kb->vectors.rows.count;
    score_fini(s);
    if (s->calibration == NONE) return ERR_OK;
    s->order = mem_alloc(n, sizeof *s->order);
    s->calibrated = mem_alloc(n, sizeof *s->calibrated);
    return s->order && s->calibrated ? ERR_OK : FAIL(e, ERR_MEM, "no memory to calibrate %zu scores", n);
}

void score_fini(struct score *s)
{
    mem_free(s->order);
    mem_free(s->calibrated);
    s->order = NULL;
    s->calibrated = NULL;
}

int score_create(void **self, struct stage_env *env, struct err *e)
{
    struct score *s = mem_zero(1, sizeof *s);
    if (!s) return FAIL(e, ERR_MEM, "no memory for a score stage");
    *self = s;
    return score_init(s, env, e);
}

int score_refresh_self(void *self, const struct kb *kb, struct err *e) { return score_refresh(self, kb, e); }

void score_destroy(void *self)
{
    score_fini(self);
    mem_free(self);
}

static double score_of(const struct member *m, int graph) { return graph ? m->graph_score : m->relevance; }

static void percentiles(const struct score *s, const struct query *q, int graph, double *out)
{
    const size_t n = q->pool_count;
    for (size_t i = 0; i < n; i++) s->order[i] = (struct hit){ (int64_t)i, (float)score_of(&q->pool[i], graph) };
    hits_sort(s->order, n);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && s->order[to].score == s->order[from].score;) to++;
        const double share = ((double)(n - to) + 0.5 * (double)(to - from)) / (double)n;
        for (size_t i = from; i < to; i++) out[s->order[i].id] = share;
    }
}

/* x -> (x - shift) * scale over the pool; scale 0 where all are the same. */
static void shift_and_scale(const struct score *s, const struct query *q, int graph, double *shift, double *scale)
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
    const double spread = s->calibration == MINMAX ? most - least : sqrt(squares / (double)q->pool_count);
    *shift = s->calibration == MINMAX ? least : mean;
    *scale = most > least ? 1 / spread : 0;
}

/* Adds weight x calibrated score to every combined score. */
static void add_term(const struct score *s, struct query *q, int graph, double weight)
{
    double shift = 0, scale = 1;
    if (s->calibration == PERCENTILE) percentiles(s, q, graph, s->calibrated);
    if (s->calibration == MINMAX || s->calibration == ZSCORE) shift_and_scale(s, q, graph, &shift, &scale);
    for (size_t i = 0; i < q->pool_count; i++) {
        struct member *m = &q->pool[i];
        const double x = s->calibration == PERCENTILE ? s->calibrated[i] : (score_of(m, graph) - shift) * scale;
        m->combined_score += weight * x;
    }
}

void score_run(const struct score *s, struct query *q)
{
    for (size_t i = 0; i < q->pool_count; i++) q->pool[i].combined_score = 0;
    if (q->pool_count == 0) return;
    add_term(s, q, 0, s->vector_weight);
    add_term(s, q, 1, s->graph_weight);
}
