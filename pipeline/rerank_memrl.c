/* SPDX-License-Identifier: MIT
 * rerank_memrl.c - MemRL's two phases (arXiv 2601.03192, eq. 4, 6, 7): candidates more similar than a gate,
 * ranked by (1 - lambda) z(cosine) + lambda z(utility).  The utility of an entity is learnt from rewards:
 * Q <- Q + alpha (reward - Q) for every entity that was used (pipeline_feedback).
 *
 * The gate is a quantile of the cosines between random pairs of entities (the paper's appendix E.2 takes
 * the top fifth: memrl_gate=0.8).  Its released code scales cosines by a fixed mean and deviation of the
 * corpus rather than by those of the pool: memrl_scale=corpus.  Scaled relevance may be negative, so
 * min_combined_score belongs far below 0. */
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/topk.h"
#include "pipeline/stage.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PAIRS = 4096 };
enum scale { POOL, CORPUS, NONE };

static const struct param params[] = {
    { "top_k_rerank", PARAM_INT, 1, 4294967295, "20", "", NULL, "candidates that survive the exact scores" },
    { "memrl_lambda", PARAM_REAL, 0, 1, "0.5", "", NULL, "weight of utility against similarity" },
    { "memrl_scale", PARAM_CHOICE, 0, 0, "pool", "", "pool|corpus|none", "what similarities are z-scored by" },
    { "memrl_gate", PARAM_REAL, 0, 1, "0", "", NULL,
      "quantile of pairwise similarity that candidates must exceed; 0: off" },
    { "memrl_alpha", PARAM_REAL, 0, 1, "0.3", "", NULL, "rate at which rewards change utilities" },
    { "memrl_initial", PARAM_REAL, -1e6, 1e6, "0", "", NULL, "utility of an entity without rewards" },
    { "utility_file", PARAM_TEXT, 0, 0, "", "", NULL, "lines of entity id and utility to start from; empty: none" },
    { 0 },
};

struct utility {
    int64_t id;
    double q;
};
struct self {
    const struct kernel_set *kernels;
    size_t most;
    double lambda, alpha, initial, gate_quantile;
    enum scale scale;
    struct utility *given; /* of the file */
    size_t given_count;
    int64_t *ids;          /* by entity, as are the utilities */
    double *q;
    size_t count;
    struct hit *best, *pairs;
    double corpus_mean, corpus_sd, gate;
    /* of the query at hand: z = (x - mean) / sd */
    double s_mean, s_sd, q_mean, q_sd;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_free(self->given);
    mem_free(self->ids);
    mem_free(self->q);
    mem_free(self->best);
    mem_free(self->pairs);
    mem_free(self);
}

static int read_utilities(struct self *self, struct store *store, const char *path, struct err *e)
{
    FILE *f;
    struct err why;
    int status = file_open_text(&f, path, &why);
    if (status != ERR_OK) return FAIL(e, status, "rerank=memrl: utility_file=%s", why.text);
    char line[1024];
    for (size_t number = 1, room = 0; status == ERR_OK && fgets(line, sizeof line, f); number++) {
        int64_t id;
        double q;
        if (line[0] == '#' || line[0] == '\n') continue;
        line[strcspn(line, "\r\n")] = 0;
        char *gap = strrchr(line, strchr(line, '\t') ? '\t' : ' ');
        if (gap) *gap = 0;
        if (!gap || !text_to_f64(gap + 1, &q) || !isfinite(q)) {
            status = FAIL(e, ERR_FORMAT, "rerank=memrl: %s: line %zu is not 'entity utility'", path, number);
            break;
        }
        status = store_find_id(store, line, &id, e);
        if (status == ERR_NOT_FOUND) {
            status = FAIL(e, ERR_FORMAT, "rerank=memrl: %s: line %zu: no entity has the id '%.80s'", path, number, line);
            break;
        }
        if (!mem_one_more(&self->given, self->given_count, &room, sizeof *self->given)) {
            status = FAIL(e, ERR_MEM, "rerank=memrl: no memory");
            break;
        }
        self->given[self->given_count++] = (struct utility){ id, q };
    }
    fclose(f);
    return status;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "rerank=memrl: no memory");
    self->kernels = env->kernels;
    self->most = (size_t)params_int(env->params, "top_k_rerank");
    self->lambda = params_real(env->params, "memrl_lambda");
    self->alpha = params_real(env->params, "memrl_alpha");
    self->initial = params_real(env->params, "memrl_initial");
    self->gate_quantile = params_real(env->params, "memrl_gate");
    self->scale = (enum scale)params_int(env->params, "memrl_scale");
    const char *path = params_text(env->params, "utility_file");
    const int status = *path ? read_utilities(self, env->store, path, e) : ERR_OK;
    if (status != ERR_OK) return destroy(self), status;
    *self_ = self;
    return ERR_OK;
}

/* Mean, deviation and quantile of the cosines of random pairs; the same pairs for the same base. */
static void study_corpus(struct self *self, const struct kb *kb)
{
    const struct rows *rows = &kb->vectors.rows;
    struct rng rng;
    double sum = 0, squares = 0;
    self->corpus_mean = 0;
    self->corpus_sd = 1;
    self->gate = -INFINITY;
    if (rows->count < 2) return;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < PAIRS; i++) {
        const uint32_t a = (uint32_t)rng_below(&rng, rows->count), b = (uint32_t)rng_below(&rng, rows->count - 1);
        const uint32_t other = b < a ? b : b + 1;
        float cosine;
        kb_cosines(kb, self->kernels, rows_at(*rows, a), &other, 1, &cosine);
        self->pairs[i] = (struct hit){ (int64_t)i, cosine };
        sum += (double)cosine;
        squares += (double)cosine * (double)cosine;
    }
    self->corpus_mean = sum / PAIRS;
    const double variance = squares / PAIRS - self->corpus_mean * self->corpus_mean;
    self->corpus_sd = variance > 0 ? sqrt(variance) : 1;
    if (self->gate_quantile <= 0) return;
    hits_sort(self->pairs, PAIRS); /* highest first */
    const size_t above = (size_t)((1 - self->gate_quantile) * PAIRS);
    self->gate = (double)self->pairs[above < PAIRS ? above : PAIRS - 1].score;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const struct graph *g = &kb->graph;
    const size_t n = kb->vectors.rows.count, room = self->most < n ? self->most : n;
    self->ids = mem_alloc(g->count, sizeof *self->ids);
    self->q = mem_alloc(g->count, sizeof *self->q);
    self->best = mem_alloc(room, sizeof *self->best);
    self->pairs = mem_alloc(PAIRS, sizeof *self->pairs);
    if (!self->ids || !self->q || !self->best || !self->pairs)
        return FAIL(e, ERR_MEM, "rerank=memrl: no memory for %zu entities", g->count);
    self->count = g->count;
    for (size_t i = 0; i < g->count; i++) self->ids[i] = g->ids[i], self->q[i] = self->initial;
    for (size_t i = 0; i < self->given_count; i++) {
        const uint32_t x = graph_find(g, self->given[i].id);
        if (x != GRAPH_NONE) self->q[x] = self->given[i].q;
    }
    study_corpus(self, kb);
    return ERR_OK;
}

/* What was learnt before the base changed. */
static void inherit(void *self_, const void *old_, const struct kb *kb)
{
    struct self *self = self_;
    const struct self *old = old_;
    for (size_t i = 0; i < old->count; i++) {
        const uint32_t x = graph_find(&kb->graph, old->ids[i]);
        if (x != GRAPH_NONE) self->q[x] = old->q[i];
    }
}

static void mean_and_sd(double sum, double squares, size_t n, double *mean, double *sd)
{
    *mean = n ? sum / (double)n : 0;
    const double variance = n ? squares / (double)n - *mean * *mean : 0;
    *sd = variance > 1e-18 ? sqrt(variance) : INFINITY; /* all the same: z is 0 */
}

/* The scales of this query, from the candidates that passed the gate. */
static void set_scales(struct self *self, const struct query *q, size_t count)
{
    double s = 0, ss = 0, u = 0, uu = 0;
    for (size_t i = 0; i < count; i++) {
        const double score = (double)q->scores[i], utility = self->q[q->entities[i]];
        s += score, ss += score * score;
        u += utility, uu += utility * utility;
    }
    mean_and_sd(s, ss, count, &self->s_mean, &self->s_sd);
    mean_and_sd(u, uu, count, &self->q_mean, &self->q_sd);
    if (self->scale == CORPUS) self->s_mean = self->corpus_mean, self->s_sd = self->corpus_sd;
    if (self->scale == NONE) self->s_mean = self->q_mean = 0, self->s_sd = self->q_sd = 1;
}

static double relevance(const void *self_, uint32_t entity, float exact)
{
    const struct self *self = self_;
    return (1 - self->lambda) * ((double)exact - self->s_mean) / self->s_sd +
           self->lambda * (self->q[entity] - self->q_mean) / self->q_sd;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    struct self *self = self_;
    if (!q->has_vector) return query_keep_order(q, self->most), ERR_OK; /* words alone are asked */
    struct topk best;
    const size_t found = query_exact_scores(q);
    size_t count = 0;
    for (size_t i = 0; i < found; i++) {
        if (!(q->scores[i] >= q->min_vector_score) || !((double)q->scores[i] > self->gate)) continue;
        q->entities[count] = q->entities[i];
        q->scores[count++] = q->scores[i];
    }
    set_scales(self, q, count);
    q->relevance = relevance;
    q->reranker = self;
    topk_init(&best, self->best, self->most);
    for (size_t i = 0; i < count; i++)
        topk_push(&best, (int64_t)((uint64_t)q->entities[i] << 31 | i),
                  (float)relevance(self, q->entities[i], q->scores[i])); /* ties go to the lower entity */
    count = topk_finish(&best);
    for (size_t i = 0; i < count; i++) {
        const uint32_t at = (uint32_t)(self->best[i].id & 0x7fffffff);
        (void)pool_enter(q, q->entities[at], q->scores[at]);
    }
    return ERR_OK;
}

static void feedback(void *self_, uint32_t entity, double reward)
{
    struct self *self = self_;
    self->q[entity] += self->alpha * (reward - self->q[entity]);
}

static double utility(const void *self, uint32_t entity) { return ((const struct self *)self)->q[entity]; }

const struct stage_ops rerank_memrl = {
    .name = "memrl", .slot = SLOT_RERANK, .summary = "exact cosine and learnt utility (MemRL)",
    .params = params, .create = create, .refresh = refresh, .inherit = inherit, .run = run, .feedback = feedback, .utility = utility,
    .destroy = destroy,
};
