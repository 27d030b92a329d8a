/* SPDX-License-Identifier: MIT
 * score_smart.c - how current, how trusted and how depended on an entity is: the engine's smart_search (crate 0.12), which
 * scores .5 cosine + .2 temporal + .2 confidence + .1 in-degree / most in-degree over the exact best max(3k, 20).
 *
 * Here the last three are the graph score, by their weights' shares: vector_weight=.5 graph_weight=.5 and the defaults
 * below are the engine's numbers, and retrieve=exact expand=none top_k_rerank=30 its pool of k=10.
 *   temporal    0 before valid_from, exp(-.1 x days past valid_until), else 1
 *   confidence  the column, as smart_search reads it, or what decay makes of it: base_confidence exp(-decay_rate x days
 *               since created_at) + .1 ln(1 + access_count), as the crate's ConfidenceEngine has it but for logged feedback
 *   in-degree   of kg_dependencies */
#include "kernels/base/mem.h"
#include "pipeline/score.h"
#include <math.h>
#include <time.h>

static const double day = 86400, staleness = 0.1, access_bonus = 0.1;

static const struct param params[] = {
    SCORE_PARAMS,
    { "smart_temporal", PARAM_REAL, 0, 1e6, "0.4", "", NULL, "weight of being valid now, in the graph score" },
    { "smart_confidence", PARAM_REAL, 0, 1e6, "0.4", "", NULL, "weight of the confidence, in the graph score" },
    { "smart_in_degree", PARAM_REAL, 0, 1e6, "0.2", "", NULL, "weight of how many depend on it, over the most, in the graph score" },
    { "smart_decay", PARAM_FLAG, 0, 0, "false", "", NULL, "confidence by age and access, in place of the column" },
    { "smart_now", PARAM_INT, 0, 9e15, "0", "s", NULL, "the time that is now, since 1970; 0: the clock's, when the base is loaded" },
    { 0 },
};

struct self {
    struct score score; /* first: score.h's hooks */
    struct store *store;
    double temporal, confidence, in_degree;
    int decay;
    int64_t now;
    double *worth; /* graph score, by entity */
};

/* While a base is read. */
struct reading { struct self *self; const struct kb *kb; double now, *degree, most; };

static int take_facts(void *context, const struct entity_facts *f)
{
    struct reading *r = context;
    const uint32_t x = graph_find(&r->kb->graph, f->id);
    if (x == GRAPH_NONE) return ERR_OK;
    const struct self *s = r->self;
    const double past = f->valid_until == INT64_MAX ? 0 : (r->now - (double)f->valid_until) / day;
    const double valid = (double)f->valid_from > r->now ? 0 : past > 0 ? exp(-staleness * past) : 1;
    const double age = fmax(0, (r->now - (double)f->created_at) / day);
    const double decayed = f->base_confidence * exp(-f->decay_rate * age) + access_bonus * log1p((double)f->access_count);
    s->worth[x] += s->temporal * valid + s->confidence * (s->decay ? decayed : f->confidence);
    return ERR_OK;
}

static int take_dependency(void *context, int64_t source, int64_t target)
{
    struct reading *r = context;
    const uint32_t x = graph_find(&r->kb->graph, target);
    (void)source;
    if (x != GRAPH_NONE) r->most = fmax(r->most, ++r->degree[x]);
    return ERR_OK;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *s = mem_zero(1, sizeof *s);
    if (!s) return FAIL(e, ERR_MEM, "score=smart: no memory");
    *self_ = s;
    s->store = env->store;
    s->temporal = params_real(env->params, "smart_temporal");
    s->confidence = params_real(env->params, "smart_confidence");
    s->in_degree = params_real(env->params, "smart_in_degree");
    s->decay = (int)params_int(env->params, "smart_decay");
    s->now = params_int(env->params, "smart_now");
    return score_init(&s->score, env, e);
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *s = self_;
    struct reading r = { .self = s, .kb = kb, .now = s->now ? (double)s->now : (double)time(NULL) };
    mem_free(s->worth);
    s->worth = mem_zero(kb->graph.count, sizeof *s->worth);
    r.degree = mem_zero(kb->graph.count, sizeof *r.degree);
    int status = s->worth && r.degree ? ERR_OK : FAIL(e, ERR_MEM, "score=smart: no memory for %zu entities", kb->graph.count);
    if (status == ERR_OK) status = store_facts(s->store, take_facts, &r, e);
    if (status == ERR_OK) status = store_dependencies(s->store, take_dependency, &r, e);
    for (size_t x = 0; status == ERR_OK && r.most > 0 && x < kb->graph.count; x++)
        s->worth[x] += s->in_degree * r.degree[x] / r.most;
    mem_free(r.degree);
    return status == ERR_OK ? score_refresh(&s->score, kb, e) : status;
}

static int run(void *self_, struct query *q, struct err *e)
{
    const struct self *s = self_;
    (void)e;
    for (size_t i = 0; i < q->pool_count; i++) q->pool[i].graph_score = s->worth[q->pool[i].entity];
    score_run(&s->score, q);
    return ERR_OK;
}

static void destroy(void *self_)
{
    struct self *s = self_;
    score_fini(&s->score);
    mem_free(s->worth);
    mem_free(s);
}

const struct stage_ops score_smart = {
    .name = "smart", .slot = SLOT_SCORE, .summary = "whether valid now, how trusted, how depended on (smart_search)",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
};
