/* SPDX-License-Identifier: MIT
 * pipeline.c - settings choose the stages, the stages answer, the clock watches. */
#include "pipeline/pipeline.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#include <time.h>

enum { SETTINGS_MAX = 256, NAMES_MAX = 256, GRAPH_KEY_SIZE = 128 };

static const char *const usual_stage[SLOT_COUNT] = { "rp", "index", "cosine", "bfs", "pool_fraction", "threshold",
                                                     "pool_first" };

static const struct param own_params[] = {
    { "compat", PARAM_FLAG, 0, 0, "false", "", NULL,
      "the engine's rules: min_vector_score is 0 unless set, and holds for approximate scores too" },
    { "min_vector_score", PARAM_REAL, -INFINITY, INFINITY, "-inf", "", NULL,
      "exact cosine that the pool asks for; -inf: off" },
    { "edge_types", PARAM_TEXT, 0, 0, "", "", NULL, "relation types that count, separated by commas; empty: all" },
    { "min_edge_weight", PARAM_REAL, 0, 1, "0", "", NULL, "weight that a relation must reach to count" },
    { "edge_direction", PARAM_CHOICE, 0, 0, "both", "", "both|out|in", "which way relations are followed" },
    { "max_fanout", PARAM_INT, 0, 4294967294, "0", "", NULL,
      "most neighbours of an entity, the first ones: a hub of thousands costs that many cosines; 0: all, as the engine" },
    { "hyperedges", PARAM_FLAG, 0, 0, "false", "", NULL, "members of a hyperedge are neighbours too" },
    { "edge_rewire", PARAM_REAL, 0, 1, "0", "", NULL,
      "share of relations that get a random target: what a graph's gain must not survive" },
    { "rewire_seed", PARAM_INT, 0, 9007199254740992, "1", "", NULL, "of those targets: another one, another random graph" },
    { "build_threads", PARAM_INT, 1, 1024, "1", "", NULL, "threads that build the index" },
    { 0 },
};

struct setting {
    const char *key, *value;
};

struct pipeline {
    struct store *store;
    struct kernel_set kernels;
    struct params *own;
    struct {
        const struct stage_ops *ops;
        struct params *params;
        void *self;
    } at[SLOT_COUNT];
    struct setting settings[SETTINGS_MAX]; /* what is in force; keys and values are the tables' */
    size_t setting_count;
    struct kb *kb; /* shared by the pipelines of pipeline_share, const */
    int url_of_base;      /* embed_url is the base's and not the caller's: it gets no key */
    size_t context_bytes; /* most text of one result's context; 0: any */
    int stale; /* the base changed and loading it has not succeeded yet */
    char graph_key[GRAPH_KEY_SIZE]; /* of the settings that kb.graph was loaded with */
    double build_s;
    struct query q;
    /* the answer, grown when a query asks for more than any before */
    size_t k_room;
    struct result *results;
    int64_t *context_ids;
    struct entity *context_entities;
    struct text text;   /* of all entities of the answer, one string after the other */
    size_t *text_at;    /* where the three strings of each begin */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- settings ---------------------------------------------------------------------------------- */

static int slot_of(const char *key)
{
    int s = 0;
    while (s < SLOT_COUNT && strcmp(slot_name((enum slot)s), key) != 0) s++;
    return s;
}

/* Every name that may be set, each once. */
static size_t all_names(const char **names)
{
    size_t count = 0;
    for (int s = 0; s < SLOT_COUNT; s++) names[count++] = slot_name((enum slot)s);
    for (const struct param *p = own_params; p->name; p++) names[count++] = p->name;
    for (size_t i = 0; stage_at(i); i++)
        for (const struct param *p = stage_at(i)->params; p && p->name; p++) {
            size_t j = 0;
            while (j < count && strcmp(names[j], p->name) != 0) j++;
            if (j == count && count < NAMES_MAX) names[count++] = p->name;
        }
    return count;
}

static const struct param *any_param(const char *key)
{
    const struct param *p = param_find(own_params, key);
    for (size_t i = 0; !p && stage_at(i); i++) p = param_find(stage_at(i)->params, key);
    return p;
}

struct param *pipeline_params(void)
{
    const char *names[NAMES_MAX];
    const size_t count = all_names(names);
    struct text choices = { 0 };
    size_t choices_at[SLOT_COUNT];
    for (int s = 0; s < SLOT_COUNT; s++) {
        choices_at[s] = choices.size;
        for (size_t i = 0, n = 0; stage_at(i); i++)
            if ((int)stage_at(i)->slot == s) text_add(&choices, "%s%s", n++ ? "|" : "", stage_at(i)->name);
        text_add_bytes(&choices, "", 1);
    }
    struct param *table = choices.failed ? NULL : mem_zero(1, (count + 1) * sizeof *table + choices.size);
    if (table) {
        char *strings = memcpy((char *)(table + count + 1), choices.at, choices.size);
        for (size_t i = 0; i < count; i++) {
            const struct param *known = any_param(names[i]);
            if (known) table[i] = *known;
            else table[i] = (struct param){ names[i], PARAM_CHOICE, 0, 0, usual_stage[slot_of(names[i])], "",
                                            strings + choices_at[slot_of(names[i])], "the stage of this slot" };
        }
    }
    text_free(&choices);
    return table;
}

static int unknown_key(const char *key, struct err *e)
{
    const char *names[NAMES_MAX];
    const size_t count = all_names(names);
    return FAIL(e, ERR_ARG, "no setting '%s'%s", key, NEAREST(key, names, count));
}

static int choose_stage(struct pipeline *p, int slot, const char *name, struct err *e)
{
    p->at[slot].ops = stage_find((enum slot)slot, name);
    if (p->at[slot].ops) return ERR_OK;
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; stage_at(i); i++)
        if ((int)stage_at(i)->slot == slot) names[count++] = stage_at(i)->name;
    return FAIL(e, ERR_ARG, "%s=%s: no such stage%s", slot_name((enum slot)slot), name,
                NEAREST(name, names, count));
}

/* "(spec)" without its parentheses, as inside a spec string. */
static int set_in(struct params *params, const struct param *table, const char *key, const char *value, struct err *e)
{
    const size_t size = strlen(value);
    if (param_find(table, key)->type != PARAM_SPEC || size < 2 || value[0] != '(' || value[size - 1] != ')')
        return params_set(params, key, value, e);
    struct text inner = { 0 };
    text_add(&inner, "%.*s", (int)(size - 2), value + 1);
    const int status = inner.failed ? FAIL(e, ERR_MEM, "no memory for %s", key)
                                    : params_set(params, key, text_of(&inner), e);
    text_free(&inner);
    return status;
}

int pipeline_owners(const char *key, struct text *out)
{
    int slot = SLOT_COUNT;
    for (size_t i = 0; stage_at(i); i++) {
        if (!param_find(stage_at(i)->params, key)) continue;
        text_add(out, "%s%s=%s", slot < SLOT_COUNT ? " or " : "", slot_name(stage_at(i)->slot), stage_at(i)->name);
        slot = (int)stage_at(i)->slot;
    }
    return slot;
}

/* A setting without effect is a mistake: the stage that has it was not chosen. */
static int idle_setting(const struct pipeline *p, const char *key, const char *value, struct err *e)
{
    struct text owners = { 0 };
    const int slot = pipeline_owners(key, &owners);
    const int status = FAIL(e, ERR_ARG, "%s=%s has no effect: it is a setting of %s, and %s=%s is chosen", key, value,
                            text_of(&owners), slot_name((enum slot)slot), p->at[slot].ops->name);
    text_free(&owners);
    return status;
}

/* strict: a setting of a stage that is not chosen is an error. */
static int apply_setting(struct pipeline *p, const char *key, const char *value, int strict, struct err *e)
{
    const struct param *known = any_param(key);
    if (!known) return unknown_key(key, e);
    int status = param_check(known, "pipeline", value, e), used = 0;
    if (status == ERR_OK && param_find(own_params, key)) {
        status = set_in(p->own, own_params, key, value, e);
        used = 1;
    }
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        if (!param_find(p->at[s].ops->params, key)) continue;
        status = set_in(p->at[s].params, p->at[s].ops->params, key, value, e);
        used = 1;
    }
    return status == ERR_OK && !used && strict ? idle_setting(p, key, value, e) : status;
}

/* All settings in the order in which they hold: the base's, then the caller's. */
struct wish {
    struct text text; /* "key\0value\0" each */
    size_t count, at[SETTINGS_MAX];
    size_t of_base; /* so many are the base's */
};

static int wish_add(void *context, const char *key, const char *value)
{
    struct wish *w = context;
    if (w->count == SETTINGS_MAX) return ERR_ARG;
    w->at[w->count++] = w->text.size;
    text_add_bytes(&w->text, key, strlen(key) + 1);
    text_add_bytes(&w->text, value, strlen(value) + 1);
    return w->text.failed ? ERR_MEM : ERR_OK;
}

static const char *wish_key(const struct wish *w, size_t i) { return w->text.at + w->at[i]; }
static const char *wish_value(const struct wish *w, size_t i) { return wish_key(w, i) + strlen(wish_key(w, i)) + 1; }

/* The last of wishes from..to - 1 of that key; `to` when there is none. */
static size_t wish_find(const struct wish *w, const char *key, size_t from, size_t to)
{
    for (size_t i = to; i-- > from;)
        if (strcmp(wish_key(w, i), key) == 0) return i;
    return to;
}

/* 1 when some word of the spec is the name of an index with a text among its parameters: a file to read, a
 * library to run. */
static int spec_reaches_out(const char *spec)
{
    for (const char *at = spec; *at;) {
        char word[64];
        const size_t size = strcspn(at, ":=,()");
        snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : sizeof word - 1), at);
        const struct index_ops *ops = index_find(word);
        for (const struct param *p = ops ? ops->params : NULL; p && p->name; p++)
            if (p->type == PARAM_TEXT) return 1;
        at += size + (at[size] != 0);
    }
    return 0;
}

/* A base may come from anybody: numbers and choices are its business, texts only these.  Others name files to
 * read and, embed_command, a shell's command line. */
static int base_may_set(const char *key, const char *value)
{
    static const char *const texts[] = { "embed_url", "embed_model", "embed_vector", "edge_types" };
    const struct param *known = any_param(key);
    if (!known) return 1; /* a slot; or a mistake, which apply_setting reports */
    if (known->type == PARAM_SPEC) return !spec_reaches_out(value);
    int may = known->type != PARAM_TEXT;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) may |= strcmp(key, texts[i]) == 0;
    return may;
}

/* What it may not set it has not set, where the caller does; otherwise it is not used. */
static int check_base(struct pipeline *p, const struct wish *w, struct err *e)
{
    for (size_t i = 0; i < w->of_base; i++) {
        const char *key = wish_key(w, i);
        if (!base_may_set(key, wish_value(w, i)) && wish_find(w, key, w->of_base, w->count) == w->count)
            return FAIL(e, ERR_FORMAT, "%s: its own setting %s=%.80s is nothing that a base may ask for: delete it "
                        "from assay_settings, or give %s yourself", store_path(p->store), key, wish_value(w, i), key);
    }
    const size_t url = wish_find(w, "embed_url", 0, w->count);
    p->url_of_base |= url < w->of_base;
    return ERR_OK;
}

static int gather(struct pipeline *p, const char *const *settings, size_t count, struct wish *w, struct err *e)
{
    int status = store_settings(p->store, wish_add, w, e);
    w->of_base = w->count;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const char *equals = strchr(settings[i], '=');
        if (!equals) return FAIL(e, ERR_ARG, "'%s' is not key=value", settings[i]);
        struct text key = { 0 };
        text_add_bytes(&key, settings[i], (size_t)(equals - settings[i]));
        status = key.failed ? ERR_MEM : wish_add(w, text_of(&key), equals + 1);
        text_free(&key);
    }
    if (status == ERR_MEM) return FAIL(e, ERR_MEM, "no memory for settings");
    if (status == ERR_ARG) return FAIL(e, ERR_ARG, "more than %d settings", SETTINGS_MAX);
    return status == ERR_OK ? check_base(p, w, e) : status;
}

int pipeline_takes_bits(const char *spec)
{
    const struct index_ops *ops;
    struct params *values = NULL;
    struct text bare = { 0 };
    const size_t size = strlen(spec);
    const int wrapped = size >= 2 && spec[0] == '(' && spec[size - 1] == ')';
    text_add_bytes(&bare, spec + wrapped, size - 2 * (size_t)wrapped);
    int takes = index_parse(text_of(&bare), &ops, &values, NULL) != ERR_OK || param_find(ops->params, "bits");
    if (!takes && param_find(ops->params, "inner")) takes = pipeline_takes_bits(params_text(values, "inner"));
    params_destroy(values);
    text_free(&bare);
    return takes;
}

static int check_bits(const struct pipeline *p, const struct wish *w, struct err *e)
{
    const struct params *chosen = p->at[SLOT_RETRIEVE].params;
    if (wish_find(w, "bit_width", w->of_base, w->count) == w->count) return ERR_OK; /* the base's own is no mistake */
    if (!param_find(p->at[SLOT_RETRIEVE].ops->params, "bit_width")) return ERR_OK;
    if (pipeline_takes_bits(params_text(chosen, "index"))) return ERR_OK;
    return FAIL(e, ERR_ARG, "bit_width=%s has no effect: index=%s has no bits", params_text(chosen, "bit_width"),
                params_text(chosen, "index"));
}

static int apply_all(struct pipeline *p, const struct wish *w, struct err *e)
{
    int status = params_create(&p->own, own_params, "pipeline", NULL, e), threshold_set = 0;
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) status = choose_stage(p, s, usual_stage[s], e);
    for (size_t i = 0; status == ERR_OK && i < w->count; i++) {
        const char *key = wish_key(w, i);
        if (slot_of(key) < SLOT_COUNT) status = choose_stage(p, slot_of(key), wish_value(w, i), e);
    }
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        status = params_create(&p->at[s].params, p->at[s].ops->params, p->at[s].ops->name, NULL, e);
    for (size_t i = 0; status == ERR_OK && i < w->count; i++) {
        const char *key = wish_key(w, i);
        threshold_set |= strcmp(key, "min_vector_score") == 0;
        if (slot_of(key) == SLOT_COUNT) status = apply_setting(p, key, wish_value(w, i), i >= w->of_base, e);
    }
    if (status == ERR_OK) status = check_bits(p, w, e);
    if (status == ERR_OK && params_int(p->own, "compat") && !threshold_set)
        status = params_set(p->own, "min_vector_score", "0", e);
    return status;
}

static int choose_usual(void *context, const char *key, const char *value)
{
    struct stage_choice *c = context;
    const int slot = slot_of(key);
    const struct stage_ops *ops = slot < SLOT_COUNT ? stage_find((enum slot)slot, value) : NULL;
    if (ops) c->at[slot] = ops;
    return ERR_OK;
}

int pipeline_usual(struct stage_choice *out, struct store *s, struct err *e)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++) out->at[slot] = stage_find((enum slot)slot, usual_stage[slot]);
    return store_settings(s, choose_usual, out, e);
}

/* 1 when some stage has the setting, but none of those chosen; or when it sets the bits of an index without. */
static int is_idle(const struct stage_choice *chosen, const char *index, const char *key)
{
    int known = 0;
    if (param_find(own_params, key)) return 0;
    if (strcmp(key, "bit_width") == 0 && !pipeline_takes_bits(index)) return 1;
    for (size_t i = 0; stage_at(i); i++) {
        if (!param_find(stage_at(i)->params, key)) continue;
        if (chosen->at[stage_at(i)->slot] == stage_at(i)) return 0;
        known = 1;
    }
    return known;
}

static void key_of(const char *setting, char key[64])
{
    const char *equals = strchr(setting, '=');
    snprintf(key, 64, "%.*s", (int)(equals ? (size_t)(equals - setting) : strlen(setting)), setting);
}

size_t pipeline_in_force(const struct stage_choice *usual, const char **settings, size_t count)
{
    struct stage_choice chosen = *usual;
    const char *index = any_param("index")->usual;
    char key[64];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(settings[i], '=');
        key_of(settings[i], key);
        if (equals) (void)choose_usual(&chosen, key, equals + 1);
        if (equals && strcmp(key, "index") == 0) index = equals + 1;
    }
    for (size_t i = 0; i < count; i++) {
        const char *setting = settings[i];
        key_of(setting, key);
        if (is_idle(&chosen, index, key)) continue;
        for (size_t j = i; j > kept; j--) settings[j] = settings[j - 1];
        settings[kept++] = setting;
    }
    return kept;
}

static void list_table(struct pipeline *p, const struct param *table, const struct params *params)
{
    for (; table && table->name; table++) {
        size_t i = 0;
        while (i < p->setting_count && strcmp(p->settings[i].key, table->name) != 0) i++;
        if (i < p->setting_count) continue; /* two stages share it */
        if (strcmp(table->name, "bit_width") == 0 && !pipeline_takes_bits(params_text(params, "index"))) continue;
        assert(i < SETTINGS_MAX);
        p->settings[p->setting_count++] = (struct setting){ table->name, params_text(params, table->name) };
    }
}

static void list_settings(struct pipeline *p)
{
    for (int s = 0; s < SLOT_COUNT; s++)
        p->settings[p->setting_count++] = (struct setting){ slot_name((enum slot)s), p->at[s].ops->name };
    list_table(p, own_params, p->own);
    for (int s = 0; s < SLOT_COUNT; s++) list_table(p, p->at[s].ops->params, p->at[s].params);
}

size_t pipeline_setting_count(const struct pipeline *p) { return p->setting_count; }

void pipeline_setting(const struct pipeline *p, size_t i, const char **key, const char **value)
{
    assert(i < p->setting_count);
    *key = p->settings[i].key;
    *value = p->settings[i].value;
}

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
    mem_free(p->q.context);
    mem_free(p->q.context_count);
    p->results = NULL;
    p->context_ids = NULL;
    p->context_entities = NULL;
    p->text_at = NULL;
    p->q.context = NULL;
    p->q.context_count = NULL;
    p->k_room = 0;
}

static struct graph_options graph_options_of(const struct pipeline *p)
{
    return (struct graph_options){ .types = params_text(p->own, "edge_types"),
                                   .least_weight = params_real(p->own, "min_edge_weight"),
                                   .direction = (enum graph_direction)params_int(p->own, "edge_direction"),
                                   .hyperedges = (int)params_int(p->own, "hyperedges"),
                                   .fanout = (uint32_t)params_int(p->own, "max_fanout"),
                                   .rewire = params_real(p->own, "edge_rewire"),
                                   .seed = (uint64_t)params_int(p->own, "rewire_seed") };
}

/* Equal for settings that give equal graphs. */
static const char *graph_key(const struct pipeline *p, char key[GRAPH_KEY_SIZE])
{
    const struct graph_options o = graph_options_of(p);
    const uint64_t types = hash64(0, o.types, strlen(o.types));
    snprintf(key, GRAPH_KEY_SIZE, "%g %d %d %u %g %llu %016llx", o.least_weight, (int)o.direction, o.hyperedges, o.fanout,
             o.rewire, (unsigned long long)(o.rewire > 0 ? o.seed : 0), (unsigned long long)types);
    return key;
}

static void kb_release(struct kb *kb)
{
    if (!kb || __atomic_sub_fetch(&kb->users, 1, __ATOMIC_ACQ_REL) > 0) return;
    kb_free(kb);
    mem_free(kb);
}

/* Queries run over kb, in the room of *q, from now on. */
static void take_base(struct pipeline *p, struct kb *kb, struct query *q)
{
    q->min_vector_score = p->q.min_vector_score;
    q->compat = p->q.compat;
    q->context_room = p->q.context_room;
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

/* Loads what the database now holds, and tells every stage.  On failure the pipeline stays stale. */
static int reload(struct pipeline *p, struct err *e)
{
    struct query q = { .store = p->store, .kernels = &p->kernels };
    const struct graph_options graph = graph_options_of(p);
    p->stale = 1;
    struct kb *kb = mem_zero(1, sizeof *kb);
    if (!kb) return FAIL(e, ERR_MEM, "%s: no memory", store_path(p->store));
    int status = kb_load(kb, p->store, &graph, &p->kernels, e);
    kb->users = 1;
    if (status == ERR_OK) status = query_alloc(&q, kb, e);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        if (p->at[s].ops->refresh) status = p->at[s].ops->refresh(p->at[s].self, kb, e);
    if (status != ERR_OK) {
        query_free(&q);
        kb_release(kb);
        return status;
    }
    take_base(p, kb, &q);
    return ERR_OK;
}

static int refresh_if_changed(struct pipeline *p, struct err *e)
{
    int changed = 0;
    const int status = store_changed(p->store, &changed, e);
    if (status != ERR_OK) return status;
    return changed || p->stale ? reload(p, e) : ERR_OK;
}

/* --- open and close ---------------------------------------------------------------------------------- */

static int create_stages(struct pipeline *p, const struct index_cache *adopted, struct err *e)
{
    int status = ERR_OK;
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        struct stage_env env = { .params = p->at[s].params, .store = p->store, .kernels = &p->kernels,
                                 .threads = (int)params_int(p->own, "build_threads"), .adopted = adopted,
                                 .keyless = p->url_of_base };
        if (p->at[s].ops->create) status = p->at[s].ops->create(&p->at[s].self, &env, e);
        if (s == SLOT_CONTEXT) p->q.context_room = env.context_room, p->context_bytes = env.context_bytes;
    }
    return status;
}

/* Stages as the settings have them; they know no base yet. */
static int configure(struct pipeline *p, const char *const *settings, size_t count, const struct index_cache *adopted,
                     struct err *e)
{
    struct wish wish = { 0 };
    int status = gather(p, settings, count, &wish, e);
    if (status == ERR_OK) status = apply_all(p, &wish, e);
    if (status == ERR_OK) {
        list_settings(p);
        p->q.compat = (int)params_int(p->own, "compat");
        p->q.min_vector_score = (float)params_real(p->own, "min_vector_score");
        status = create_stages(p, adopted, e);
    }
    text_free(&wish.text);
    return status;
}

int pipeline_open(struct pipeline **out, const char *db_path, const char *const *settings, size_t setting_count,
                  const struct kernel_set *kernels, struct err *e)
{
    struct pipeline *p = mem_zero(1, sizeof *p);
    if (!p) return FAIL(e, ERR_MEM, "%s: no memory", db_path);
    int status = kernels ? (p->kernels = *kernels, ERR_OK) : kernel_set_resolve(&p->kernels, NULL, e);
    if (status == ERR_OK) status = store_open(&p->store, db_path, STORE_READ, e);
    if (status == ERR_OK) status = store_read_begin(p->store, e);
    if (status == ERR_OK) status = configure(p, settings, setting_count, NULL, e);
    if (status == ERR_OK) status = refresh_if_changed(p, e);
    if (p->store) store_read_end(p->store);
    if (status == ERR_OK) *out = p;
    else pipeline_close(p);
    return status;
}

/* All that the settings made. */
static void unconfigure(struct pipeline *p)
{
    for (int s = 0; s < SLOT_COUNT; s++) {
        if (p->at[s].self && p->at[s].ops->destroy) p->at[s].ops->destroy(p->at[s].self);
        params_destroy(p->at[s].params);
        p->at[s].self = NULL;
        p->at[s].params = NULL;
    }
    params_destroy(p->own);
    p->own = NULL;
    p->url_of_base = 0;
    p->setting_count = 0;
    answer_free(p);
}

int pipeline_change(struct pipeline *p, const char *const *settings, size_t setting_count, struct err *e)
{
    char key[GRAPH_KEY_SIZE];
    int changed = 0, status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    unconfigure(p);
    status = store_changed(p->store, &changed, e); /* the new stages need not see a base that is no more */
    p->stale |= changed;
    if (status == ERR_OK) status = configure(p, settings, setting_count, NULL, e);
    if (status == ERR_OK && strcmp(graph_key(p, key), p->graph_key) != 0) p->stale = 1;
    for (int s = 0; status == ERR_OK && !p->stale && s < SLOT_COUNT; s++)
        if (p->at[s].ops->refresh) status = p->at[s].ops->refresh(p->at[s].self, p->kb, e);
    const struct index_cache *cache = status == ERR_OK ? pipeline_cache(p) : NULL;
    p->build_s = cache ? cache->build_s : 0;
    if (status == ERR_OK && p->stale) status = reload(p, e);
    store_read_end(p->store);
    return status;
}

/* The settings in force, as they would be given. */
static int spell_settings(const struct pipeline *p, struct text *all, const char **list)
{
    size_t at[SETTINGS_MAX];
    for (size_t i = 0; i < p->setting_count; i++) {
        at[i] = all->size;
        text_add(all, "%s=%s", p->settings[i].key, p->settings[i].value);
        text_add_bytes(all, "", 1);
    }
    for (size_t i = 0; i < p->setting_count && !all->failed; i++) list[i] = all->at + at[i];
    return all->failed ? ERR_MEM : ERR_OK;
}

int pipeline_refresh(struct pipeline *p, struct err *e)
{
    int status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    status = refresh_if_changed(p, e);
    store_read_end(p->store);
    return status;
}

/* Begins a transaction of p's in which the database is what `from` has loaded. */
static int begin_alike(struct pipeline *p, struct pipeline *from, struct err *e)
{
    for (;;) {
        int changed = 0;
        int status = pipeline_refresh(from, e);
        if (status == ERR_OK) status = store_read_begin(p->store, e);
        if (status == ERR_OK) status = store_changed(p->store, &changed, e); /* from here p sees one state */
        if (status == ERR_OK) status = store_changed(from->store, &changed, e);
        if (status != ERR_OK || !changed) return status; /* still what was loaded: so it was when p began */
        from->stale = 1;
        store_read_end(p->store);
    }
}

static int share_into(struct pipeline *p, struct pipeline *from, struct err *e)
{
    const char *path = store_path(from->store), *settings[SETTINGS_MAX];
    struct text all = { 0 };
    struct query q = { .store = NULL, .kernels = &p->kernels };
    int status = spell_settings(from, &all, settings);
    if (status != ERR_OK) (void)FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) status = store_open(&p->store, path, STORE_READ, e);
    if (status == ERR_OK) status = begin_alike(p, from, e);
    p->url_of_base = from->url_of_base; /* settings that are spelled out look like the caller's */
    if (status == ERR_OK) status = configure(p, settings, from->setting_count, pipeline_cache(from), e);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        if (p->at[s].ops->refresh) status = p->at[s].ops->refresh(p->at[s].self, from->kb, e);
    q.store = p->store;
    if (status == ERR_OK) status = query_alloc(&q, from->kb, e);
    if (status == ERR_OK) {
        __atomic_add_fetch(&from->kb->users, 1, __ATOMIC_RELAXED);
        take_base(p, from->kb, &q);
    } else {
        query_free(&q);
    }
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
    if (p->q.context_room > p->kb->graph.count) p->q.context_room = p->kb->graph.count;
    const size_t context = p->q.context_room;
    p->results = mem_alloc(k, sizeof *p->results);
    p->q.context_count = mem_alloc(k, sizeof *p->q.context_count);
    p->q.context = mem_alloc(k, context * sizeof *p->q.context);
    p->context_ids = mem_alloc(k, context * sizeof *p->context_ids);
    p->context_entities = mem_alloc(k, context * sizeof *p->context_entities);
    p->text_at = mem_alloc(k, (context + 1) * 3 * sizeof *p->text_at);
    if (!p->results || !p->q.context_count || !p->q.context || !p->context_ids || !p->context_entities || !p->text_at) {
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
    return square < 1e36 ? ERR_OK : FAIL(e, ERR_ARG, "the query vector has a length of %g, at most 1e18", sqrt(square));
}

/* The question's vector, or the one that the embed stage makes of its text. */
static int embed_question(struct pipeline *p, const struct question *question, struct answer *out, struct err *e)
{
    struct query *q = &p->q;
    const uint64_t started = now_ns();
    const size_t dim = q->kb->vectors.rows.dim;
    int status = check_question(p, question, e);
    q->id = question->id;
    q->text = question->text;
    if (status == ERR_OK && question->vector) memcpy(q->vector, question->vector, dim * sizeof *q->vector);
    else if (status == ERR_OK) status = p->at[SLOT_EMBED].ops->run(p->at[SLOT_EMBED].self, q, e);
    if (status == ERR_OK) status = check_vector(q, e);
    const char *stage = question->vector ? "given" : p->at[SLOT_EMBED].ops->name;
    out->trace[SLOT_EMBED] = (struct stage_trace){ stage, 1, dim, now_ns() - started };
    return status;
}

int pipeline_embed(struct pipeline *p, const char *const *texts, const int64_t *ids, size_t count, float *out,
                   struct err *e)
{
    struct query *q = &p->q;
    const size_t dim = p->kb->vectors.rows.dim;
    const struct stage_ops *ops = p->at[SLOT_EMBED].ops;
    void *self = p->at[SLOT_EMBED].self;
    int status = ops->embed_many ? ops->embed_many(self, texts, count, dim, out, e) : ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        q->id = ids[i];
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
        const uint64_t started = now_ns();
        const int status = p->at[s].ops->run(p->at[s].self, q, e);
        if (status != ERR_OK) return status;
        if (s == SLOT_FILTER) query_take_best(q, q->k);
        const size_t left = items(q, s);
        out->trace[s] = (struct stage_trace){ p->at[s].ops->name, in, left, now_ns() - started };
        in = left;
    }
    return ERR_OK;
}

/* Copies an entity's three strings into p->text; they move while it grows, so only offsets count. */
static int fetch(struct pipeline *p, uint32_t entity, size_t *text_at, struct err *e)
{
    struct entity got;
    const int status = store_entity(p->store, p->kb->graph.ids[entity], &got, e);
    if (status != ERR_OK) return status;
    const char *const strings[3] = { got.type, got.name, got.properties };
    for (int i = 0; i < 3; i++) {
        text_at[i] = p->text.size;
        text_add_bytes(&p->text, strings[i], strlen(strings[i]) + 1);
    }
    return p->text.failed ? FAIL(e, ERR_MEM, "no memory for the text of the results") : ERR_OK;
}

static struct entity placed(const struct pipeline *p, int64_t id, const size_t *text_at)
{
    const char *t = p->text.at;
    return (struct entity){ id, t + text_at[0], t + text_at[1], t + text_at[2] };
}

static int fill_results(struct pipeline *p, struct err *e)
{
    const struct query *q = &p->q;
    const size_t context = q->context_room;
    int status = ERR_OK;
    text_clear(&p->text);
    for (size_t r = 0, t = 0; status == ERR_OK && r < q->kept_count; r++) {
        status = fetch(p, q->pool[q->kept[r]].entity, p->text_at + t, e), t += 3;
        const size_t start = p->text.size;
        for (size_t c = 0; status == ERR_OK && c < q->context_count[r]; c++, t += 3) {
            const size_t before = p->text.size;
            status = fetch(p, q->context[r * context + c], p->text_at + t, e);
            if (p->context_bytes == 0 || p->text.size - start - 3 * (c + 1) <= p->context_bytes) continue;
            p->text.size = before; /* each string brings its 0, which is no text */
            q->context_count[r] = c;
            break;
        }
    }
    for (size_t r = 0, t = 0; status == ERR_OK && r < q->kept_count; r++) {
        const struct member *m = &q->pool[q->kept[r]];
        const int64_t id = p->kb->graph.ids[m->entity];
        p->results[r] = (struct result){ id, (double)m->vector_score, m->graph_score, m->combined_score,
                                         placed(p, id, p->text_at + t), p->context_ids + r * context,
                                         p->context_entities + r * context, q->context_count[r] };
        t += 3;
        for (size_t c = 0; c < q->context_count[r]; c++, t += 3) {
            p->context_ids[r * context + c] = p->kb->graph.ids[q->context[r * context + c]];
            p->context_entities[r * context + c] = placed(p, p->context_ids[r * context + c], p->text_at + t);
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
    const uint64_t started = now_ns();
    if (status == ERR_OK) status = fill_results(p, e);
    out->fetch_ns = now_ns() - started;
    out->trace[SLOT_CONTEXT].out = items(q, SLOT_CONTEXT); /* what the budget of bytes has left */
    out->results = p->results;
    out->count = q->kept_count;
    out->candidates = q->candidates;
    out->vector = q->vector;
    out->candidate_count = q->candidate_count;
    return status;
}

int pipeline_query(struct pipeline *p, const struct question *question, size_t k, struct answer *out, struct err *e)
{
    const uint64_t started = now_ns(), statements = store_statements(p->store);
    const struct kb *base = p->kb;
    struct answer answer = { 0 };
    for (int s = 0; s < SLOT_COUNT; s++) answer.trace[s].stage = p->at[s].ops->name;
    if (k == 0) return FAIL(e, ERR_ARG, "k=0, at least 1");
    /* A text is embedded before the transaction, which keeps writers out: a service may take its time. */
    const int early = !question->vector && base->vectors.rows.count > 0;
    int status = early ? embed_question(p, question, &answer, e) : ERR_OK;
    if (status == ERR_OK) status = store_read_begin(p->store, e);
    if (status != ERR_OK) return status;
    status = refresh_if_changed(p, e);
    if (status == ERR_OK && p->kb->vectors.rows.count > 0)
        status = answer_question(p, question, k, early && p->kb == base, &answer, e);
    store_read_end(p->store);
    if (status != ERR_OK) return status;
    answer.sql_statements = store_statements(p->store) - statements;
    answer.total_ns = now_ns() - started;
    *out = answer;
    return ERR_OK;
}

/* --- learning -------------------------------------------------------------------------------------- */

static int find_entity(const struct pipeline *p, int64_t id, uint32_t *out, struct err *e)
{
    *out = graph_find(&p->kb->graph, id);
    return *out == GRAPH_NONE ? FAIL(e, ERR_NOT_FOUND, "no entity %lld", (long long)id) : ERR_OK;
}

int pipeline_feedback(struct pipeline *p, const int64_t *ids, size_t count, double reward, struct err *e)
{
    int learners = 0, status = ERR_OK;
    uint32_t entity;
    for (size_t i = 0; status == ERR_OK && i < count; i++) status = find_entity(p, ids[i], &entity, e);
    if (status == ERR_OK && !isfinite(reward)) status = FAIL(e, ERR_ARG, "a reward of %g", reward);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        if (!p->at[s].ops->feedback) continue;
        learners++;
        for (size_t i = 0; i < count; i++)
            p->at[s].ops->feedback(p->at[s].self, graph_find(&p->kb->graph, ids[i]), reward);
    }
    return status == ERR_OK && !learners ? FAIL(e, ERR_UNSUPPORTED, "no stage of this pipeline learns") : status;
}

int pipeline_utility(const struct pipeline *p, int64_t id, double *out, struct err *e)
{
    uint32_t entity;
    const int status = find_entity(p, id, &entity, e);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        if (p->at[s].ops->utility) return *out = p->at[s].ops->utility(p->at[s].self, entity), ERR_OK;
    return status == ERR_OK ? FAIL(e, ERR_UNSUPPORTED, "no stage of this pipeline learns") : status;
}

/* --- what it is made of -------------------------------------------------------------------------------- */

const struct index_cache *pipeline_cache(const struct pipeline *p)
{
    return p->at[SLOT_RETRIEVE].ops->cache ? p->at[SLOT_RETRIEVE].ops->cache(p->at[SLOT_RETRIEVE].self) : NULL;
}

const struct index *pipeline_index(const struct pipeline *p)
{
    const struct index_cache *cache = pipeline_cache(p);
    return cache ? cache->index : NULL;
}

int pipeline_work(const struct pipeline *p, struct index_work *out)
{
    const struct stage_ops *ops = p->at[SLOT_RETRIEVE].ops;
    return ops->work ? ops->work(p->at[SLOT_RETRIEVE].self, out) : 0;
}

const struct query *pipeline_last(const struct pipeline *p) { return &p->q; }
const struct kb *pipeline_kb(const struct pipeline *p) { return p->kb; }
const struct store *pipeline_store(const struct pipeline *p) { return p->store; }
double pipeline_build_s(const struct pipeline *p) { return p->build_s; }

void pipeline_kernels(const struct pipeline *p, struct text *out)
{
    for (int s = 0; s < SLOT_COUNT; s++)
        if (p->at[s].ops->kernels) p->at[s].ops->kernels(p->at[s].self, out);
    if (!strstr(text_of(out), "cosine_f32=")) kernel_set_describe(&p->kernels, OP_cosine_f32, out);
}
