/* SPDX-License-Identifier: MIT
 * pipeline.c - opens a base with the stages that its settings choose, notices when it changes, and runs every
 * question through the stages under the clock. */
#include "pipeline/pipeline.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "pipeline/settings.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { GRAPH_KEY_SIZE = 128 };

struct pipeline {
    struct store *store;
    struct kernel_set kernels;
    struct settings set;
    void *self[SLOT_COUNT]; /* of each stage; NULL: without state */
    struct kb *kb; /* shared by the pipelines of pipeline_share, const */
    size_t context_room, context_bytes; /* as the context stage has them: entities of one result, and text; 0: any */
    int stale; /* the base changed and loading it has not succeeded yet */
    int held;  /* ... and must not: it is being measured */
    char graph_key[GRAPH_KEY_SIZE]; /* of the settings that kb.graph was loaded with */
    double build_s;
    struct query q;
    /* the answer, grown when a query asks for more than any before */
    size_t k_room;
    struct result *results;
    int64_t *context_ids;
    struct entity *context_entities;
    struct text text;     /* of all entities of the answer, one string after the other */
    size_t (*text_at)[3]; /* where the three strings of each begin */
    int64_t *text_ids;    /* which entities those are, each once */
    size_t text_count;
};

/* --- the base in memory ---------------------------------------------------------------------------- */

static void query_free(struct query *q)
{
    mem_free(q->vector);
    mem_free(q->candidates);
    mem_free(q->pool);
    mem_free(q->place);
    mem_free(q->stamp);
    mem_free(q->kept);
    mem_free(q->entities);
    mem_free(q->rows);
    mem_free(q->scores);
    walk_free(&q->walk);
}

/* Room for any query over this base.  Most of it is never touched, and so costs addresses only. */
static int query_alloc(struct query *q, const struct kb *kb, struct err *e)
{
    const size_t n = kb->vectors.rows.count, entities = kb->graph.count;
    q->vector = mem_alloc(kb->vectors.rows.dim, sizeof *q->vector);
    q->candidates = mem_alloc(n, sizeof *q->candidates);
    q->pool = mem_alloc(n, sizeof *q->pool);
    q->kept = mem_alloc(n, sizeof *q->kept);
    q->place = mem_alloc(entities, sizeof *q->place);
    q->stamp = mem_zero(entities, sizeof *q->stamp);
    q->entities = mem_alloc(entities, sizeof *q->entities);
    q->rows = mem_alloc(entities, sizeof *q->rows);
    q->scores = mem_alloc(entities, sizeof *q->scores);
    if (!q->vector || !q->candidates || !q->pool || !q->kept || !q->place || !q->stamp || !q->entities || !q->rows ||
        !q->scores)
        return FAIL(e, ERR_MEM, "no memory for queries over %zu entities", entities);
    return walk_init(&q->walk, &kb->graph, e);
}

static void answer_free(struct pipeline *p)
{
    mem_free(p->results);
    mem_free(p->context_ids);
    mem_free(p->context_entities);
    mem_free(p->text_at);
    mem_free(p->text_ids);
    mem_free(p->q.context);
    mem_free(p->q.context_count);
    p->results = NULL;
    p->context_ids = NULL;
    p->context_entities = NULL;
    p->text_at = NULL;
    p->text_ids = NULL;
    p->q.context = NULL;
    p->q.context_count = NULL;
    p->k_room = 0;
}

static struct graph_options graph_options_of(const struct pipeline *p)
{
    return (struct graph_options){ .types = params_text(p->set.own, "edge_types"),
                                   .least_weight = params_real(p->set.own, "min_edge_weight"),
                                   .direction = (enum graph_direction)params_int(p->set.own, "edge_direction"),
                                   .hyperedges = (int)params_int(p->set.own, "hyperedges"),
                                   .fanout = (uint32_t)params_int(p->set.own, "max_fanout"),
                                   .rewire = params_real(p->set.own, "edge_rewire"),
                                   .seed = (uint64_t)params_int(p->set.own, "rewire_seed") };
}

/* The engine's candidates may be of no entity; stages that go by words know entities only. */
static int keeps_orphans(const struct pipeline *p)
{
    return params_int(p->set.own, "compat") && p->set.ops[SLOT_RETRIEVE]->by_ids;
}

/* Equal for settings that give equal graphs. */
static const char *graph_key(const struct pipeline *p, char key[GRAPH_KEY_SIZE])
{
    const struct graph_options o = graph_options_of(p);
    const uint64_t types = hash64(0, o.types, strlen(o.types));
    snprintf(key, GRAPH_KEY_SIZE, "%d %g %d %d %u %g %llu %016llx", keeps_orphans(p), o.least_weight, (int)o.direction, o.hyperedges, o.fanout,
             o.rewire, (unsigned long long)(o.rewire > 0 ? o.seed : 0), (unsigned long long)types);
    return key;
}

static void kb_keep(struct kb *kb) { __atomic_add_fetch(&kb->users, 1, __ATOMIC_RELAXED); }

static void kb_release(struct kb *kb)
{
    if (!kb || __atomic_sub_fetch(&kb->users, 1, __ATOMIC_ACQ_REL) > 0) return;
    kb_free(kb);
    mem_free(kb);
}

/* --- stages over a base ----------------------------------------------------------------------------- */

static void destroy_stage(const struct pipeline *p, int slot, void *self)
{
    if (self && p->set.ops[slot]->destroy) p->set.ops[slot]->destroy(self);
}

/* Of what make_stages made, all but the ones in use. */
static void drop_stages(const struct pipeline *p, void *self[SLOT_COUNT])
{
    for (int s = 0; s < SLOT_COUNT; s++)
        if (self[s] != p->self[s]) destroy_stage(p, s, self[s]);
}

/* Stages that know kb, beside those in use; one that no base concerns stays. */
static int make_stages(struct pipeline *p, const struct kb *kb, const struct index_cache *adopted, void *self[SLOT_COUNT],
                       struct err *e)
{
    int status = ERR_OK;
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        const struct stage_ops *ops = p->set.ops[s];
        struct stage_env env = { .params = p->set.params[s], .store = p->store, .kernels = &p->kernels,
                                 .threads = (int)params_int(p->set.own, "build_threads"), .adopted = adopted,
                                 .asks_elsewhere = p->set.asks_elsewhere };
        if (p->self[s] && !ops->refresh) {
            self[s] = p->self[s];
            continue;
        }
        if (ops->create) status = ops->create(&self[s], &env, e);
        if (status == ERR_OK && ops->refresh) status = ops->refresh(self[s], kb, e);
        if (status == ERR_OK && s == SLOT_CONTEXT) p->context_room = env.context_room, p->context_bytes = env.context_bytes;
    }
    if (status != ERR_OK) drop_stages(p, self);
    return status;
}

/* These stages, kb and the room of *q are in use from now on.  Nothing can fail. */
static void take(struct pipeline *p, void *self[SLOT_COUNT], struct kb *kb, struct query *q)
{
    for (int s = 0; s < SLOT_COUNT; s++) {
        if (self[s] == p->self[s]) continue;
        if (p->self[s] && p->set.ops[s]->inherit) p->set.ops[s]->inherit(self[s], p->self[s], kb);
        destroy_stage(p, s, p->self[s]);
        p->self[s] = self[s];
    }
    q->compat = (int)params_int(p->set.own, "compat");
    q->min_vector_score = (float)params_real(p->set.own, "min_vector_score");
    q->context_room = p->context_room < kb->graph.count ? p->context_room : kb->graph.count;
    answer_free(p); /* its room depends on the base too */
    query_free(&p->q);
    kb_release(p->kb);
    p->kb = kb;
    p->q = *q;
    p->q.kb = kb;
    p->stale = 0;
    (void)graph_key(p, p->graph_key);
    const struct index_cache *cache = pipeline_cache(p);
    p->build_s = cache ? cache->build_s : 0;
}

/* Stages and room for queries over kb, which is taken whatever comes of it: all of them or none. */
static int renew(struct pipeline *p, struct kb *kb, const struct index_cache *adopted, struct err *e)
{
    struct query q = { .store = p->store, .kernels = &p->kernels };
    void *self[SLOT_COUNT] = { NULL };
    int status = query_alloc(&q, kb, e);
    if (status == ERR_OK) status = make_stages(p, kb, adopted, self, e);
    if (status == ERR_OK) return take(p, self, kb, &q), ERR_OK;
    query_free(&q);
    kb_release(kb);
    return status;
}

/* Loads what the database now holds.  On failure the pipeline stays stale, and as it was. */
static int reload(struct pipeline *p, struct err *e)
{
    const struct graph_options graph = graph_options_of(p);
    p->stale = 1;
    struct kb *kb = mem_zero(1, sizeof *kb);
    if (!kb) return FAIL(e, ERR_MEM, "%s: no memory", store_path(p->store));
    const int status = kb_load(kb, p->store, &graph, keeps_orphans(p), &p->kernels, e);
    kb->users = 1;
    if (status == ERR_OK) return renew(p, kb, pipeline_cache(p), e);
    kb_release(kb);
    return status;
}

static int note_changes(struct pipeline *p, struct err *e)
{
    int changed = 0;
    const int status = store_changed(p->store, &changed, e);
    p->stale |= changed;
    if (status == ERR_OK && p->held && p->stale)
        return FAIL(e, ERR_BUSY, "%s: the base changed while it was measured", store_path(p->store));
    return status;
}

static int refresh_if_changed(struct pipeline *p, struct err *e)
{
    const int status = note_changes(p, e);
    return status == ERR_OK && p->stale ? reload(p, e) : status;
}

/* --- open and close ---------------------------------------------------------------------------------- */

int pipeline_open(struct pipeline **out, const char *db_path, const char *const *settings, size_t setting_count,
                  const struct kernel_set *kernels, struct err *e)
{
    struct pipeline *p = mem_zero(1, sizeof *p);
    if (!p) return FAIL(e, ERR_MEM, "%s: no memory", db_path);
    int status = kernels ? (p->kernels = *kernels, ERR_OK) : kernel_set_resolve(&p->kernels, NULL, e);
    if (status == ERR_OK) status = store_open(&p->store, db_path, STORE_READ, e);
    if (status == ERR_OK) status = store_read_begin(p->store, e);
    if (status == ERR_OK) status = settings_read(&p->set, p->store, settings, setting_count, e);
    if (status == ERR_OK) status = refresh_if_changed(p, e);
    if (p->store) store_read_end(p->store);
    if (status == ERR_OK) *out = p;
    else pipeline_close(p);
    return status;
}

void pipeline_hold(struct pipeline *p) { p->held = 1; }

/* Frees the stages and all else that the settings made. */
static void unconfigure(struct pipeline *p)
{
    for (int s = 0; s < SLOT_COUNT; s++) {
        destroy_stage(p, s, p->self[s]);
        p->self[s] = NULL;
    }
    settings_clear(&p->set);
    answer_free(p);
}

int pipeline_change(struct pipeline *p, const char *const *settings, size_t setting_count, struct err *e)
{
    char key[GRAPH_KEY_SIZE];
    int status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    status = note_changes(p, e); /* the new stages need not see a base that is no more */
    if (status == ERR_OK) {
        unconfigure(p);
        status = settings_read(&p->set, p->store, settings, setting_count, e);
    }
    if (status == ERR_OK && !p->stale && strcmp(graph_key(p, key), p->graph_key) == 0) {
        kb_keep(p->kb);
        status = renew(p, p->kb, NULL, e);
    } else if (status == ERR_OK) {
        status = reload(p, e);
    }
    store_read_end(p->store);
    return status;
}

int pipeline_refresh(struct pipeline *p, struct err *e)
{
    int status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    status = refresh_if_changed(p, e);
    store_read_end(p->store);
    return status;
}

/* Begins a read transaction of p in which the database is as `from` has it in memory. */
static int begin_alike(struct pipeline *p, struct pipeline *from, struct err *e)
{
    enum { TRIES = 100 };
    for (int try = 0; try < TRIES; try++) {
        int changed = 0;
        int status = pipeline_refresh(from, e);
        if (status == ERR_OK) status = store_read_begin(p->store, e);
        if (status == ERR_OK) status = store_changed(p->store, &changed, e); /* from here p sees one state */
        if (status == ERR_OK) status = store_changed(from->store, &changed, e);
        if (status != ERR_OK || !changed) return status; /* still what was loaded: so it was when p began */
        from->stale = 1;
        store_read_end(p->store);
    }
    return FAIL(e, ERR_BUSY, "%s: it changes faster than it is loaded", store_path(p->store));
}

static int share_into(struct pipeline *p, struct pipeline *from, struct err *e)
{
    const char *path = store_path(from->store), *settings[SETTINGS_MAX];
    struct text all = { 0 };
    int status = settings_spell(&from->set, &all, settings);
    if (status != ERR_OK) (void)FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) status = store_open(&p->store, path, STORE_READ, e);
    if (status == ERR_OK) status = begin_alike(p, from, e);
    p->set.asks_elsewhere = from->set.asks_elsewhere; /* settings that are spelled out look like the caller's */
    p->set.rerank_said = from->set.rerank_said;
    if (status == ERR_OK) status = settings_read(&p->set, p->store, settings, from->set.count, e);
    p->set.rerank_said = from->set.rerank_said;
    if (status == ERR_OK) {
        kb_keep(from->kb);
        status = renew(p, from->kb, pipeline_cache(from), e);
    }
    p->held = from->held;
    text_free(&all);
    if (p->store) store_read_end(p->store);
    return status;
}

int pipeline_share(struct pipeline **out, struct pipeline *p, struct err *e)
{
    struct pipeline *twin = mem_zero(1, sizeof *twin);
    if (!twin) return FAIL(e, ERR_MEM, "%s: no memory", store_path(p->store));
    twin->kernels = p->kernels;
    const int status = share_into(twin, p, e);
    if (status == ERR_OK) *out = twin;
    else pipeline_close(twin);
    return status;
}

void pipeline_close(struct pipeline *p)
{
    if (!p) return;
    unconfigure(p);
    text_free(&p->text);
    query_free(&p->q);
    kb_release(p->kb);
    store_close(p->store);
    mem_free(p);
}

/* --- query ----------------------------------------------------------------------------------------- */

static int reserve(struct pipeline *p, size_t k, struct err *e)
{
    if (k > p->kb->vectors.rows.count) k = p->kb->vectors.rows.count;
    if (k <= p->k_room) return ERR_OK;
    answer_free(p);
    const size_t context = p->q.context_room;
    p->results = mem_alloc(k, sizeof *p->results);
    p->q.context_count = mem_alloc(k, sizeof *p->q.context_count);
    p->q.context = mem_alloc(k, context * sizeof *p->q.context);
    p->context_ids = mem_alloc(k, context * sizeof *p->context_ids);
    p->context_entities = mem_alloc(k, context * sizeof *p->context_entities);
    p->text_at = mem_alloc(k, (context + 1) * sizeof *p->text_at);
    p->text_ids = mem_alloc(k, (context + 1) * sizeof *p->text_ids);
    if (!p->results || !p->q.context_count || !p->q.context || !p->context_ids || !p->context_entities || !p->text_at ||
        !p->text_ids) {
        answer_free(p);
        return FAIL(e, ERR_MEM, "no memory for %zu results with %zu context entities each", k, context);
    }
    p->k_room = k;
    return ERR_OK;
}

static size_t items(const struct query *q, int slot)
{
    size_t context = 0;
    switch (slot) {
    case SLOT_EMBED: return q->kb->vectors.rows.dim;
    case SLOT_RETRIEVE: return q->candidate_count;
    case SLOT_RERANK:
    case SLOT_EXPAND:
    case SLOT_SCORE: return q->pool_count;
    case SLOT_FILTER: return q->kept_count;
    default:
        for (size_t i = 0; i < q->kept_count; i++) context += q->context_count[i];
        return context;
    }
}

static int check_question(const struct pipeline *p, const struct question *question, struct err *e)
{
    const size_t dim = p->kb->vectors.rows.dim;
    if (!question->vector && !question->text) return FAIL(e, ERR_ARG, "a question without text and without vector");
    if (question->vector && question->dim != dim)
        return FAIL(e, ERR_ARG, "a query of %zu dimensions, the base has %zu", question->dim, dim);
    return ERR_OK;
}

/* What an index would refuse: anything not finite, or whose square overflows. */
static int check_vector(const struct query *q, struct err *e)
{
    const size_t dim = q->kb->vectors.rows.dim;
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        if (!isfinite(q->vector[i])) return FAIL(e, ERR_ARG, "the query vector is not finite in column %zu", i);
        square += (double)q->vector[i] * (double)q->vector[i];
    }
    if (square > 0 && square < 1e-30)
        return FAIL(e, ERR_ARG, "the query vector has a length of %g, too small for a cosine (at least 1e-15, or 0): scale it",
                    sqrt(square));
    return square < 1e36 ? ERR_OK : FAIL(e, ERR_ARG, "the query vector has a length of %g, at most 1e18", sqrt(square));
}

/* Nothing asks for the question's vector. */
static int by_words_alone(const struct pipeline *p)
{
    const char *rerank = p->set.ops[SLOT_RERANK]->name;
    return p->set.ops[SLOT_RETRIEVE]->by_words && (!p->set.rerank_said || strcmp(rerank, "none") == 0);
}

/* The question's vector, or the one that the embed stage makes of its text. */
static int embed_question(struct pipeline *p, const struct question *question, struct answer *out, struct err *e)
{
    struct query *q = &p->q;
    const uint64_t started = clock_ns();
    const size_t dim = q->kb->vectors.rows.dim;
    int status = check_question(p, question, e);
    q->id = question->id;
    q->name = question->name;
    q->text = question->text;
    q->has_vector = 1;
    if (status == ERR_OK && question->vector) memcpy(q->vector, question->vector, dim * sizeof *q->vector);
    else if (status == ERR_OK) status = p->set.ops[SLOT_EMBED]->run(p->self[SLOT_EMBED], q, e);
    if (status == ERR_NOT_FOUND && by_words_alone(p)) { /* no embedder for this base, and none is needed */
        memset(q->vector, 0, dim * sizeof *q->vector);
        q->has_vector = 0;
        status = ERR_OK;
    }
    if (status == ERR_OK) status = check_vector(q, e);
    const char *stage = !q->has_vector ? "none" : question->vector ? "given" : p->set.ops[SLOT_EMBED]->name;
    out->trace[SLOT_EMBED] = (struct stage_trace){ stage, 1, dim, clock_ns() - started };
    return status;
}

long pipeline_known_words(struct pipeline *p, const char *text)
{
    const struct stage_ops *ops = p->set.ops[SLOT_EMBED];
    size_t count = 0;
    if (!ops->known || ops->known(p->self[SLOT_EMBED], text, &count, NULL) != ERR_OK) return -1;
    return (long)count;
}

int pipeline_embed(struct pipeline *p, const char *const *texts, const int64_t *ids, const char *const *names,
                   size_t count, float *out, struct err *e)
{
    struct query *q = &p->q;
    const size_t dim = p->kb->vectors.rows.dim;
    const struct stage_ops *ops = p->set.ops[SLOT_EMBED];
    void *self = p->self[SLOT_EMBED];
    int status = ops->embed_many ? ops->embed_many(self, texts, count, dim, out, e) : ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        q->id = ids[i];
        q->name = names ? names[i] : NULL;
        q->text = texts[i];
        if (ops->embed_many) memcpy(q->vector, out + i * dim, dim * sizeof *out);
        else status = ops->run(self, q, e);
        if (status == ERR_OK) status = check_vector(q, e);
        if (status == ERR_OK) memcpy(out + i * dim, q->vector, dim * sizeof *out);
        else status = err_context(e, status, "question %lld", (long long)ids[i]);
    }
    return status;
}

/* Everything after embed. */
static int run_stages(struct pipeline *p, struct answer *out, struct err *e)
{
    struct query *q = &p->q;
    size_t in = q->kb->vectors.rows.count;
    for (int s = SLOT_RETRIEVE; s < SLOT_COUNT; s++) {
        const uint64_t started = clock_ns();
        const int status = p->set.ops[s]->run(p->self[s], q, e);
        if (status != ERR_OK) return status;
        if (s == SLOT_FILTER) {
            out->filtered = q->pool_count - q->kept_count;
            query_drop_absent(q);
            query_take_best(q, q->k);
        }
        const size_t left = items(q, s);
        const char *stage = s == SLOT_RERANK && !q->has_vector ? "none" : p->set.ops[s]->name;
        out->trace[s] = (struct stage_trace){ stage, in, left, clock_ns() - started };
        in = left;
    }
    return ERR_OK;
}

/* --- the text of an answer ----------------------------------------------------------------------------
 * Every entity is read once, wherever the answer has it: walk.stamp marks those that are asked for, and rows has their place
 * in p->text_at. */

static void ask_for(struct pipeline *p, uint32_t entity)
{
    struct query *q = &p->q;
    if (q->walk.stamp[entity] == q->walk.epoch) return;
    q->walk.stamp[entity] = q->walk.epoch;
    q->rows[entity] = (uint32_t)p->text_count;
    p->text_ids[p->text_count++] = p->kb->graph.ids[entity];
}

static struct entity placed(const struct pipeline *p, uint32_t entity)
{
    const size_t place = p->q.rows[entity], *at = p->text_at[place];
    const char *t = p->text.at;
    return (struct entity){ p->text_ids[place], t + at[0], t + at[1], t + at[2] };
}

/* How many of the first `most` context entities of result r have no more text than it may have; all of them are read. */
static size_t within_bytes(const struct pipeline *p, size_t r, size_t most)
{
    const uint32_t *context = p->q.context + r * p->q.context_room;
    size_t bytes = 0, c = 0;
    for (; c < most; c++) {
        const struct entity got = placed(p, context[c]);
        bytes += strlen(got.type) + strlen(got.name) + strlen(got.properties);
        if (bytes > p->context_bytes) break;
    }
    return c;
}

/* Reads the results and their context: all at once or, as far as bytes are counted, some more of each at a time. */
static int read_text(struct pipeline *p, struct err *e)
{
    enum { SOME = 16 };
    struct query *q = &p->q;
    const size_t step = p->context_bytes ? SOME : q->context_room;
    int more = 1, status = ERR_OK;
    p->text_count = 0;
    text_clear(&p->text);
    walk_forget(&q->walk, &p->kb->graph);
    for (size_t r = 0; r < q->kept_count; r++) ask_for(p, q->pool[q->kept[r]].entity);
    for (size_t from = 0, read = 0; status == ERR_OK && more; from += step, read = p->text_count) {
        for (size_t r = 0; r < q->kept_count; r++)
            for (size_t c = from; c < q->context_count[r] && c < from + step; c++) ask_for(p, q->context[r * q->context_room + c]);
        status = store_entities(p->store, p->text_ids + read, p->text_count - read, &p->text, p->text_at + read, e);
        more = 0;
        for (size_t r = 0; status == ERR_OK && p->context_bytes && r < q->kept_count; r++) {
            const size_t known = q->context_count[r] < from + step ? q->context_count[r] : from + step;
            const size_t fit = within_bytes(p, r, known);
            if (fit < known) q->context_count[r] = fit;
            more |= q->context_count[r] > from + step;
        }
    }
    if (p->text.failed) text_free(&p->text); /* a query without memory is not the last */
    return status;
}

static int fill_results(struct pipeline *p, struct err *e)
{
    const struct query *q = &p->q;
    const size_t context = q->context_room;
    const int status = read_text(p, e);
    for (size_t r = 0; status == ERR_OK && r < q->kept_count; r++) {
        const struct member *m = &q->pool[q->kept[r]];
        const struct entity entity = placed(p, m->entity);
        p->results[r] = (struct result){ entity.id, (double)m->vector_score, m->graph_score, m->combined_score, entity,
                                         p->context_ids + r * context, p->context_entities + r * context, q->context_count[r] };
        for (size_t c = 0; c < q->context_count[r]; c++) {
            p->context_entities[r * context + c] = placed(p, q->context[r * context + c]);
            p->context_ids[r * context + c] = p->context_entities[r * context + c].id;
        }
    }
    return status;
}

/* Inside the transaction.  embedded: the vector has been made, over this very base. */
static int answer_question(struct pipeline *p, const struct question *question, size_t k, int embedded,
                           struct answer *out, struct err *e)
{
    struct query *q = &p->q;
    int status = embedded ? ERR_OK : embed_question(p, question, out, e);
    if (status == ERR_OK) status = reserve(p, k, e);
    if (status != ERR_OK) return status;
    q->k = k;
    q->candidate_count = q->pool_count = q->kept_count = 0;
    q->relevance = NULL;
    if (++q->epoch == 0) {
        memset(q->stamp, 0, p->kb->graph.count * sizeof *q->stamp);
        q->epoch = 1;
    }
    status = run_stages(p, out, e);
    const uint64_t started = clock_ns();
    if (status == ERR_OK) status = fill_results(p, e);
    out->fetch_ns = clock_ns() - started;
    out->trace[SLOT_CONTEXT].out = items(q, SLOT_CONTEXT); /* what the budget of bytes has left */
    out->results = p->results;
    out->count = q->kept_count;
    out->candidates = q->candidates;
    out->vector = q->has_vector ? q->vector : NULL;
    out->candidate_count = q->candidate_count;
    return status;
}

int pipeline_query(struct pipeline *p, const struct question *question, size_t k, struct answer *out, struct err *e)
{
    const uint64_t started = clock_ns(), statements = store_statements(p->store);
    const struct kb *base = p->kb;
    struct answer answer = { 0 };
    struct err why = { 0 };
    for (int s = 0; s < SLOT_COUNT; s++) answer.trace[s].stage = p->set.ops[s]->name;
    if (k == 0) return FAIL(e, ERR_ARG, "k=0, at least 1");
    if (question->text && !*question->text && !question->vector) { /* asks for nothing */
        p->q.candidate_count = p->q.pool_count = p->q.kept_count = 0;
        *out = answer;
        return ERR_OK;
    }
    /* A text is embedded before the transaction, which keeps writers out: a service may take its time.  What that
     * fails of may be that the base is another by now. */
    const int early = !question->vector && base->vectors.rows.count > 0;
    const int embedded = early ? embed_question(p, question, &answer, &why) : ERR_OK;
    int status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    status = refresh_if_changed(p, e);
    if (status == ERR_OK && p->kb == base && embedded != ERR_OK) status = FAIL(e, embedded, "%s", why.text);
    if (status == ERR_OK && p->kb->vectors.rows.count > 0)
        status = answer_question(p, question, k, early && p->kb == base, &answer, e);
    store_read_end(p->store);
    if (status != ERR_OK) return status;
    answer.sql_statements = store_statements(p->store) - statements;
    answer.total_ns = clock_ns() - started;
    *out = answer;
    return ERR_OK;
}

/* --- learning -------------------------------------------------------------------------------------- */

static int find_entity(const struct pipeline *p, int64_t id, uint32_t *out, struct err *e)
{
    *out = graph_entity(&p->kb->graph, id);
    return *out == GRAPH_NONE ? FAIL(e, ERR_NOT_FOUND, "no entity %lld", (long long)id) : ERR_OK;
}

int pipeline_feedback(struct pipeline *p, const int64_t *ids, size_t count, double reward, struct err *e)
{
    int learners = 0, status = ERR_OK;
    uint32_t entity;
    for (size_t i = 0; status == ERR_OK && i < count; i++) status = find_entity(p, ids[i], &entity, e);
    if (status == ERR_OK && !isfinite(reward)) status = FAIL(e, ERR_ARG, "a reward of %g", reward);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        if (!p->set.ops[s]->feedback) continue;
        learners++;
        for (size_t i = 0; i < count; i++)
            p->set.ops[s]->feedback(p->self[s], graph_find(&p->kb->graph, ids[i]), reward);
    }
    return status == ERR_OK && !learners ? FAIL(e, ERR_UNSUPPORTED, "no stage of this pipeline learns") : status;
}

int pipeline_utility(const struct pipeline *p, int64_t id, double *out, struct err *e)
{
    uint32_t entity;
    const int status = find_entity(p, id, &entity, e);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        if (p->set.ops[s]->utility) return *out = p->set.ops[s]->utility(p->self[s], entity), ERR_OK;
    return status == ERR_OK ? FAIL(e, ERR_UNSUPPORTED, "no stage of this pipeline learns") : status;
}

/* --- what it is made of -------------------------------------------------------------------------------- */

size_t pipeline_setting_count(const struct pipeline *p) { return p->set.count; }

void pipeline_setting(const struct pipeline *p, size_t i, const char **key, const char **value)
{
    assert(i < p->set.count);
    *key = p->set.in_force[i].key;
    *value = p->set.in_force[i].value;
}

const struct index_cache *pipeline_cache(const struct pipeline *p)
{
    const void *self = p->self[SLOT_RETRIEVE]; /* NULL until the base is loaded */
    return self && p->set.ops[SLOT_RETRIEVE]->cache ? p->set.ops[SLOT_RETRIEVE]->cache(self) : NULL;
}

const struct index *pipeline_index(const struct pipeline *p)
{
    const struct index_cache *cache = pipeline_cache(p);
    return cache ? cache->index : NULL;
}

int pipeline_work(const struct pipeline *p, struct index_work *out)
{
    const struct stage_ops *ops = p->set.ops[SLOT_RETRIEVE];
    return ops->work ? ops->work(p->self[SLOT_RETRIEVE], out) : 0;
}

const struct query *pipeline_last(const struct pipeline *p) { return &p->q; }
const struct kb *pipeline_kb(const struct pipeline *p) { return p->kb; }
const struct store *pipeline_store(const struct pipeline *p) { return p->store; }
double pipeline_build_s(const struct pipeline *p) { return p->build_s; }

void pipeline_kernels(const struct pipeline *p, struct text *out)
{
    for (int s = 0; s < SLOT_COUNT; s++)
        if (p->set.ops[s]->kernels) p->set.ops[s]->kernels(p->self[s], out);
    if (!strstr(text_of(out), "cosine_f32=")) kernel_set_describe(&p->kernels, OP_cosine_f32, out);
}
