/* SPDX-License-Identifier: MIT
 * sweep_plan.c - from axes to points. */
#include "bench/rows/expr.h"
#include "bench/rows/output.h"
#include "bench/points/ann_row.h"
#include "bench/points/rag_row.h"
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- names ---------------------------------------------------------------------------------------- */
static const struct param point_params[] = {
    { "index", PARAM_SPEC, 0, 0, "", "", NULL, "spec of an index" },
    { "k", PARAM_INT, 1, 1e6, "10", "", NULL, "results a query" },
    { "rerank", PARAM_INT, 0, 1e6, "0", "vectors", NULL, "the top so many are scored exactly; 0: none" },
    { "batch", PARAM_INT, 1, 1e6, "1", "queries", NULL, "queries in one timed call" },
    { "threads", PARAM_INT, 1, 256, "1", "", NULL, "threads that build, and that search at a time" },
    { "kernel", PARAM_TEXT, 0, 0, "", "", NULL, "as --kernel" },
    { "seed", PARAM_INT, 0, 9007199254740992, "42", "", NULL, "of everything random in an index" },
    { 0 },
};
static const struct param pipeline_point_params[] = {
    { "k", PARAM_INT, 1, 1e6, "10", "", NULL, "results a question" },
    { "kernel", PARAM_TEXT, 0, 0, "", "", NULL, "as --kernel" },
    { 0 },
};

int vocabulary_find(const struct vocabulary *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->at[i].name, name) == 0) return (int)i;
    return -1;
}

const char *vocabulary_hint(struct hint *out, const struct vocabulary *n, const char *wanted)
{
    const char *all[SWEEP_NAMES];
    for (size_t i = 0; i < n->count; i++) all[i] = n->at[i].name;
    return text_hint(out, wanted, all, n->count);
}

static int vocabulary_add(struct vocabulary *n, const struct param *table, struct err *e)
{
    for (; table && table->name; table++) {
        if (vocabulary_find(n, table->name) >= 0) continue;
        if (n->count == SWEEP_NAMES) return FAIL(e, ERR_ARG, "more than %d names to vary", SWEEP_NAMES);
        n->at[n->count++] = *table;
    }
    return ERR_OK;
}

/* The parameters of every index that a grid names. */
static int vocabulary_of_indexes(struct vocabulary *n, const struct sweep *s, const struct grid *g,
                                 size_t *seen, struct err *e)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; strcmp(g->axes[i].name, "index") == 0 && j < g->axes[i].count; j++) {
            const struct index_ops *ops;
            struct params *params;
            int status = index_parse(g->axes[i].values[j], &ops, &params, e);
            if (status != ERR_OK) return err_context(e, status, "%s:%zu", s->path, g->axes[i].line);
            params_destroy(params);
            status = vocabulary_add(n, ops->params, e);
            if (status != ERR_OK) return status;
            ++*seen;
        }
    return ERR_OK;
}

int vocabulary_of(struct vocabulary *n, const struct sweep *s, struct err *e)
{
    size_t indexes = 0;
    *n = (struct vocabulary){ 0 };
    int status = vocabulary_add(n, s->is_pipeline ? pipeline_point_params : point_params, e);
    n->settings = n->count;
    if (status == ERR_OK && s->is_pipeline) {
        n->owned = pipeline_params();
        status = n->owned ? vocabulary_add(n, n->owned, e)
                          : FAIL(e, ERR_MEM, "no memory for the parameters of a pipeline");
        n->settings = n->count;
        indexes++; /* it has a default */
        const struct index_ops *usual = index_find(n->at[vocabulary_find(n, "index")].usual);
        if (status == ERR_OK && usual) status = vocabulary_add(n, usual->params, e);
    }
    if (status == ERR_OK) status = vocabulary_of_indexes(n, s, &s->fixed, &indexes, e);
    if (status == ERR_OK) status = vocabulary_of_indexes(n, s, &s->axes, &indexes, e);
    for (size_t i = 0; status == ERR_OK && i < s->grid_count; i++)
        status = vocabulary_of_indexes(n, s, &s->grids[i], &indexes, e);
    if (status == ERR_OK && indexes == 0)
        return FAIL(e, ERR_ARG, "%s: no index: name one under base, or several under axes", s->path);
    return status;
}

void vocabulary_free(struct vocabulary *n)
{
    mem_free(n->owned);
    *n = (struct vocabulary){ 0 };
}

/* --- points ------------------------------------------------------------------------------------------ */
static void point_free(struct point *p)
{
    mem_free(p->values);
    mem_free(p->settings);
    *p = (struct point){ 0 };
}

static int point_make(const struct plan *p, struct point *out)
{
    *out = (struct point){ .values = mem_zero(p->names.count, sizeof *out->values),
                           .settings = mem_alloc(p->names.count, sizeof *out->settings) };
    return out->values && out->settings;
}

static int no_memory(struct err *e) { return FAIL(e, ERR_MEM, "no memory for a point"); }

static const char *value_at(const struct vocabulary *n, const struct point *p, size_t at)
{
    return p->values[at] ? p->values[at] : n->at[at].usual;
}

static const char *value_of(const struct vocabulary *n, const struct point *p, const char *name)
{
    const int at = vocabulary_find(n, name);
    return at < 0 ? NULL : value_at(n, p, (size_t)at);
}

static size_t number_of(const struct vocabulary *n, const struct point *p, const char *name)
{
    int64_t value = 0;
    const char *text = value_of(n, p, name);
    return text && text_to_i64(text, &value) ? (size_t)value : 0;
}

int vocabulary_spell(const struct vocabulary *n, int at, const char *value, char **out, struct err *e)
{
    const struct param table[2] = { n->at[at], { 0 } };
    struct params *params;
    int status = params_create(&params, table, n->at[at].name, NULL, e);
    if (status != ERR_OK) return status;
    status = params_set(params, n->at[at].name, value, e);
    char *copy = status == ERR_OK ? strdup(params_text(params, n->at[at].name)) : NULL;
    params_destroy(params);
    if (status == ERR_OK && !copy) return no_memory(e);
    *out = copy;
    return status;
}

/* The value is in its one spelling: sweep_load saw to that. */
static int set_value(struct plan *p, struct point *made, const char *name, const char *value, struct err *e)
{
    const char **to = &made->values[vocabulary_find(&p->names, name)];
    *to = pool_keep(&p->texts, value);
    return *to ? ERR_OK : no_memory(e);
}

struct ann_point plan_ann(const struct plan *p, const struct point *point)
{
    const struct vocabulary *n = &p->names;
    return (struct ann_point){
        .spec = point->spec,
        .kernel = value_of(n, point, "kernel"),
        .k = number_of(n, point, "k"),
        .rerank = number_of(n, point, "rerank"),
        .batch = number_of(n, point, "batch"),
        .threads = (int)number_of(n, point, "threads"),
        .seed = number_of(n, point, "seed"),
    };
}

struct rag_point plan_rag(const struct plan *p, const struct point *point)
{
    return (struct rag_point){
        .settings = point->settings,
        .setting_count = point->setting_count,
        .kernel = value_of(&p->names, point, "kernel"),
        .k = number_of(&p->names, point, "k"),
        .threads = 1,
    };
}

/* The point's index with the parameters that are varied and that it has, canonical. */
static int settle_spec(struct plan *p, const struct point *point, const char **out, struct err *e)
{
    const struct index_ops *ops;
    struct params *params = NULL;
    struct text spec = { 0 };
    const char *const asked = value_of(&p->names, point, "index");
    uint64_t key = hash64(0, &asked, sizeof asked); /* equal texts are one, so their places will do */
    key = hash64(key, point->values + p->names.settings, (p->names.count - p->names.settings) * sizeof *point->values);
    if (p->last_spec && key == p->last_spec_key) return *out = p->last_spec, ERR_OK;
    int status = index_parse(asked, &ops, &params, e);
    for (size_t i = p->names.settings; status == ERR_OK && i < p->names.count; i++)
        if (point->values[i] && param_find(ops->params, p->names.at[i].name))
            status = params_set(params, p->names.at[i].name, point->values[i], e);
    if (status == ERR_OK) params_canonical(params, &spec);
    params_destroy(params);
    if (status == ERR_OK && (spec.failed || !(*out = pool_keep(&p->texts, text_of(&spec))))) status = no_memory(e);
    if (status == ERR_OK) p->last_spec = *out, p->last_spec_key = key;
    text_free(&spec);
    return status;
}

static int settle_ann(struct plan *p, struct point *point, struct err *e)
{
    const int status = settle_spec(p, point, &point->spec, e);
    if (status != ERR_OK) return status;
    const struct ann_point asked = plan_ann(p, point);
    const uint64_t made_by[] = { asked.seed, (uint64_t)asked.threads };
    point->build_key = hash64(hash64(0, point->spec, strlen(point->spec)), asked.kernel, strlen(asked.kernel));
    point->load_key = point->build_key = hash64(point->build_key, made_by, sizeof made_by);
    return ann_point_id(point->id, &p->ann, &asked, e);
}

/* 1 when a setting is about this slot. */
static int is_about(enum slot slot, const char *name)
{
    int found = strcmp(name, slot_name(slot)) == 0;
    for (size_t i = 0; !found && stage_at(i); i++)
        found = stage_at(i)->slot == slot && param_find(stage_at(i)->params, name);
    return found;
}

/* Takes away the settings of stages that the point does not choose: graph_depth=1 and =2 are one point where
 * expand=none is. */
static void drop_idle(const struct plan *p, struct point *point)
{
    const size_t kept = pipeline_in_force(&p->rag.usual, point->settings, point->setting_count);
    for (size_t i = kept; i < point->setting_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(point->settings[i], "="), point->settings[i]);
        point->values[vocabulary_find(&p->names, name)] = NULL;
    }
    point->setting_count = kept;
}

/* The settings of a pipeline; parameters of its index go into the spec. */
static int settle_rag(struct plan *p, struct point *point, int trust, struct err *e)
{
    int varied = 0;
    for (size_t i = p->names.settings; i < p->names.count; i++) varied |= point->values[i] != NULL;
    if (varied) {
        const int status = settle_spec(p, point, &point->values[vocabulary_find(&p->names, "index")], e);
        if (status != ERR_OK) return status;
    }
    const char *kernel = value_of(&p->names, point, "kernel");
    point->load_key = point->build_key = hash64(0, kernel, strlen(kernel));
    for (size_t i = 0; i < p->names.settings; i++) {
        const struct param *name = &p->names.at[i];
        if (!point->values[i] || param_find(pipeline_point_params, name->name)) continue;
        struct text setting = { 0 };
        text_add(&setting, name->type == PARAM_SPEC ? "%s=(%s)" : "%s=%s", name->name, point->values[i]);
        if (setting.failed) return no_memory(e);
        if (is_about(SLOT_EMBED, name->name)) point->load_key = hash64(point->load_key, setting.at, setting.size);
        if (is_about(SLOT_RETRIEVE, name->name) && strcmp(name->name, "top_k_candidates") != 0)
            point->build_key = hash64(point->build_key, setting.at, setting.size);
        const char *kept = pool_keep(&p->texts, text_of(&setting));
        text_free(&setting);
        if (!kept) return no_memory(e);
        point->settings[point->setting_count++] = kept;
    }
    point->build_key = hash64(point->build_key, &point->load_key, sizeof point->load_key);
    drop_idle(p, point);
    if (trust) point->settings[point->setting_count++] = SETTINGS_TRUST; /* there is room, as k is no setting */
    const struct rag_point asked = plan_rag(p, point);
    return rag_point_id(point->id, &p->rag, &asked, e);
}

/* What a condition sees: the value, "" where the point's index has no such parameter. */
struct sight {
    const struct plan *plan;
    const struct point *point;
    char buffer[2][256]; /* for the two sides of a clause */
    int turn;
};

static const char *seen(void *context, const char *name)
{
    struct sight *s = context;
    const char *value = value_of(&s->plan->names, s->point, name);
    if (!value || s->plan->rag.db || param_find(point_params, name)) return value;
    const struct index_ops *ops;
    struct params *params;
    if (index_parse(s->point->spec, &ops, &params, NULL) != ERR_OK) return "";
    char *out = s->buffer[s->turn ^= 1];
    snprintf(out, sizeof s->buffer[0], "%s", param_find(ops->params, name) ? params_text(params, name) : "");
    params_destroy(params);
    return out;
}

static int allowed(const struct plan *p, const struct sweep *s, const struct point *point, int *holds, struct err *e)
{
    struct sight sight = { .plan = p, .point = point };
    *holds = 1;
    for (size_t i = 0; *holds && i < s->condition_count; i++) {
        char unknown[64];
        const int status = expr_holds(s->conditions[i].text, seen, &sight, 1, holds, unknown, e);
        if (status == ERR_OK) continue;
        if (*unknown)
            (void)FAIL(e, status, "no name '%s'%s", unknown,
                       vocabulary_hint(&(struct hint){ { 0 } }, &p->names, unknown));
        return err_context(e, status, "%s:%zu", s->path, s->conditions[i].line);
    }
    return ERR_OK;
}

/* The defaults of all that is varied somewhere: said, so that a default and the same value chosen
 * are one point.  (A pipeline's base may recommend other values for what nobody varies.) */
static void set_defaults(const struct plan *p, const struct sweep *s, struct point *made)
{
    for (size_t i = 0; i <= s->grid_count; i++) {
        const struct grid *g = i == 0 ? &s->axes : &s->grids[i - 1];
        for (size_t j = 0; j < g->count; j++) {
            const int at = vocabulary_find(&p->names, g->axes[j].name);
            made->values[at] = p->usual[at];
        }
    }
}

/* Adds the point of defaults, fixed values and the chosen ones (which[i] beyond an axis: not chosen),
 * unless it is there or a condition forbids it. */
static int add_point(struct plan *p, const struct sweep *s, const struct grid *chosen, const size_t *which,
                     struct err *e)
{
    struct point made;
    int holds = 1, status = ERR_OK;
    if (point_make(p, &made)) set_defaults(p, s, &made);
    else status = no_memory(e);
    for (size_t i = 0; status == ERR_OK && i < s->fixed.count; i++)
        status = set_value(p, &made, s->fixed.axes[i].name, s->fixed.axes[i].values[0], e);
    for (size_t i = 0; status == ERR_OK && i < chosen->count; i++)
        if (which[i] < chosen->axes[i].count)
            status = set_value(p, &made, chosen->axes[i].name, chosen->axes[i].values[which[i]], e);
    if (status == ERR_OK) status = s->is_pipeline ? settle_rag(p, &made, s->trust, e) : settle_ann(p, &made, e);
    if (status == ERR_OK) status = allowed(p, s, &made, &holds, e);
    const size_t ids = p->ids.count;
    if (status == ERR_OK && holds && !pool_keep(&p->ids, made.id)) status = no_memory(e);
    const int is_new = status == ERR_OK && holds && p->ids.count > ids;
    if (is_new && !mem_one_more(&p->points, p->count, &p->room, sizeof *p->points)) status = no_memory(e);
    if (is_new && status == ERR_OK) p->points[p->count++] = made;
    else point_free(&made);
    return status;
}

enum { AXES_MAX = 64 };

static int add_product(struct plan *p, const struct sweep *s, const struct grid *g, struct err *e)
{
    size_t which[AXES_MAX] = { 0 }, product = 1;
    if (g->count > AXES_MAX) return FAIL(e, ERR_ARG, "%s: more than %d axes", s->path, AXES_MAX);
    for (size_t i = 0; i < g->count; i++)
        if (__builtin_mul_overflow(product, g->axes[i].count, &product) || product > PLAN_POINTS_MAX)
            return FAIL(e, ERR_ARG, "%s:%zu: with %s there are more than %d combinations", s->path, g->axes[i].line,
                        g->axes[i].name, PLAN_POINTS_MAX);
    for (;;) {
        const int status = add_point(p, s, g, which, e);
        if (status != ERR_OK) return status;
        size_t i = g->count; /* the last axis turns fastest */
        while (i > 0 && ++which[i - 1] == g->axes[i - 1].count) which[--i] = 0;
        if (i == 0) return ERR_OK;
    }
}

/* The point of the defaults, then each axis alone. */
static int add_star(struct plan *p, const struct sweep *s, const struct grid *g, struct err *e)
{
    size_t which[AXES_MAX];
    if (g->count > AXES_MAX) return FAIL(e, ERR_ARG, "%s: more than %d axes", s->path, AXES_MAX);
    /* An axis without a default, as `index`, rests on its first value. */
    for (size_t i = 0; i < g->count; i++) {
        int fixed = *p->names.at[vocabulary_find(&p->names, g->axes[i].name)].usual != 0;
        for (size_t j = 0; j < s->fixed.count; j++) fixed |= strcmp(s->fixed.axes[j].name, g->axes[i].name) == 0;
        which[i] = fixed ? SIZE_MAX : 0;
    }
    int status = add_point(p, s, g, which, e);
    for (size_t i = 0; i < g->count; i++) {
        const size_t rest = which[i];
        for (size_t j = 0; status == ERR_OK && j < g->axes[i].count; j++) {
            which[i] = j;
            status = add_point(p, s, g, which, e);
        }
        which[i] = rest;
    }
    return status;
}

struct place { uint64_t key; size_t at, first; };

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static int by_first(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Stable: keys in the order in which they first came, points of a key in theirs. */
static int group_by_key(struct plan *p, int build, struct err *e)
{
    struct place *places = mem_alloc(p->count, sizeof *places);
    struct point *sorted = mem_alloc(p->count, sizeof *sorted);
    if (!places || !sorted) {
        mem_free(places);
        mem_free(sorted);
        return FAIL(e, ERR_MEM, "no memory for %zu points", p->count);
    }
    for (size_t i = 0; i < p->count; i++)
        places[i] = (struct place){ build ? p->points[i].build_key : p->points[i].load_key, i, i };
    qsort(places, p->count, sizeof *places, by_key);
    for (size_t i = 1; i < p->count; i++)
        if (places[i].key == places[i - 1].key) places[i].first = places[i - 1].first;
    qsort(places, p->count, sizeof *places, by_first);
    for (size_t i = 0; i < p->count; i++) sorted[i] = p->points[places[i].at];
    mem_free(places);
    mem_free(p->points);
    p->points = sorted;
    p->room = p->count;
    return ERR_OK;
}

static int open_data(struct plan *p, const struct sweep *s, struct err *e)
{
    const struct question_files files = { s->questions, s->query_ids, s->qrels, s->drop_unjudgeable };
    return s->is_pipeline ? rag_set_open(&p->rag, s->kb, &files, e) : ann_set_open(&p->ann, s->base, s->query, s->metric, e);
}

/* Every name that a grid sets must have an effect somewhere. */
static int check_used(const struct plan *p, const struct sweep *s, const struct grid *g, struct err *e)
{
    for (size_t i = 0; i < g->count; i++) {
        const int at = vocabulary_find(&p->names, g->axes[i].name);
        size_t j = 0;
        while (j < p->count && !p->points[j].values[at]) j++;
        if (j < p->count) continue;
        struct text owners = { 0 };
        (void)pipeline_owners(g->axes[i].name, &owners);
        const int status = FAIL(e, ERR_ARG, "%s:%zu: %s has no effect: it is a setting of %s, which no point chooses%s",
                                s->path, g->axes[i].line, g->axes[i].name, text_of(&owners),
                                strcmp(g->axes[i].name, "bit_width") == 0 ? " with an index that has bits" : "");
        text_free(&owners);
        return status;
    }
    return ERR_OK;
}

static int spell_defaults(struct plan *p, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < p->names.count; i++) {
        char *spelled = NULL;
        if (!*p->names.at[i].usual) continue;
        status = vocabulary_spell(&p->names, (int)i, p->names.at[i].usual, &spelled, e);
        if (status == ERR_OK && !(p->usual[i] = pool_keep(&p->texts, spelled))) status = no_memory(e);
        free(spelled);
    }
    return status;
}

/* What the points have in common, and what not. */
static void look_over(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct point *point = &p->points[i];
        const size_t k = number_of(&p->names, point, "k"), kept = number_of(&p->names, point, "top_k_rerank");
        p->depth = k > p->depth ? k : p->depth;
        p->depth = kept > p->depth ? kept : p->depth;
        for (size_t n = 0; n < p->names.count; n++)
            p->varies[n] |= strcmp(value_at(&p->names, point, n), value_at(&p->names, &p->points[0], n)) != 0;
    }
}

int plan_make(struct plan *out, const struct sweep *s, struct err *e)
{
    struct plan p = { .rag = { .replay_fd = -1 } };
    int status = vocabulary_of(&p.names, s, e);
    if (status == ERR_OK) status = spell_defaults(&p, e);
    if (status == ERR_OK) status = open_data(&p, s, e);
    if (status == ERR_OK) status = s->one_at_a_time ? add_star(&p, s, &s->axes, e) : add_product(&p, s, &s->axes, e);
    for (size_t i = 0; status == ERR_OK && i < s->grid_count; i++) status = add_product(&p, s, &s->grids[i], e);
    if (status == ERR_OK && p.count == 0) status = FAIL(e, ERR_ARG, "%s: the constraints leave no point", s->path);
    if (status == ERR_OK && s->is_pipeline) status = check_used(&p, s, &s->fixed, e);
    if (status == ERR_OK && s->is_pipeline) status = check_used(&p, s, &s->axes, e);
    for (size_t i = 0; status == ERR_OK && s->is_pipeline && i < s->grid_count; i++)
        status = check_used(&p, s, &s->grids[i], e);
    if (status == ERR_OK) status = group_by_key(&p, 1, e);
    if (status == ERR_OK) status = group_by_key(&p, 0, e);
    if (status == ERR_OK) look_over(&p);
    if (status == ERR_OK) *out = p;
    else plan_free(&p);
    return status;
}

void plan_free(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++) point_free(&p->points[i]);
    mem_free(p->points);
    pool_free(&p->texts);
    pool_free(&p->ids);
    ann_set_close(&p->ann);
    rag_set_close(&p->rag);
    vocabulary_free(&p->names);
    *p = (struct plan){ .rag = { .replay_fd = -1 } };
}

void plan_describe(const struct plan *p, const struct point *point, struct text *out)
{
    const size_t start = out->size;
    if (point->spec) text_add(out, "%s", point->spec);
    for (size_t i = 0; i < p->names.count; i++) {
        const char *name = p->names.at[i].name;
        /* A spec holds the index and its parameters. */
        if (point->spec && (strcmp(name, "index") == 0 || !param_find(point_params, name))) continue;
        const int idle = p->rag.db && !point->values[i] && *p->names.at[i].usual;
        if (!idle && p->varies[i])
            text_add(out, "%s%s=%s", out->size > start ? " " : "", name, value_of(&p->names, point, name));
    }
    if (out->size == start) text_add(out, "defaults");
}

static void add_quoted(struct text *out, const char *key, const char *value)
{
    text_add(out, "%s: '", key);
    for (const char *c = value; *c; c++) {
        if (*c == '\'') text_add(out, "'"); /* YAML doubles it */
        text_add_bytes(out, c, 1);
    }
    text_add(out, "'\n");
}

void plan_yaml(const struct plan *p, const struct sweep *s, const struct point *point, struct text *out)
{
    if (s->is_pipeline) {
        add_quoted(out, "kb", s->kb);
        add_quoted(out, "queries", s->questions);
        if (s->query_ids) add_quoted(out, "query_ids", s->query_ids);
        if (s->qrels) add_quoted(out, "qrels", s->qrels);
        if (s->drop_unjudgeable) text_add(out, "drop_unjudgeable: true\n");
    } else {
        text_add(out, "dataset:\n");
        add_quoted(out, "  base", s->base);
        add_quoted(out, "  query", s->query);
        if (s->truth) add_quoted(out, "  truth", s->truth);
        if (s->metric) text_add(out, "  metric: %s\n", s->metric);
    }
    text_add(out, "base:\n  k: %s\n", value_of(&p->names, point, "k"));
    if (point->spec) add_quoted(out, "  index", point->spec);
    for (size_t i = 0; i < p->names.count; i++) {
        const char *name = p->names.at[i].name;
        const int in_spec = i >= p->names.settings || (point->spec && strcmp(name, "index") == 0);
        if (!point->values[i] || in_spec || strcmp(name, "k") == 0) continue;
        text_add(out, "  ");
        double number;
        if (text_to_f64(point->values[i], &number)) text_add(out, "%s: %s\n", name, point->values[i]);
        else add_quoted(out, name, point->values[i]);
    }
}

int plan_layout(const struct plan *p, struct layout *l, struct err *e)
{
    int status = layout_init(l, e);
    if (status != ERR_OK) return status;
    if (p->rag.db) {
        status = rag_layout(l, e);
        return status == ERR_OK ? layout_add(l, p->names.at + p->names.settings, e) : status;
    }
    for (size_t i = 0; status == ERR_OK && i < p->count; i++) {
        const struct index_ops *ops;
        struct params *params;
        status = index_parse(p->points[i].spec, &ops, &params, e);
        if (status != ERR_OK) break;
        params_destroy(params);
        status = ann_layout(l, ops, e);
    }
    return status;
}

int plan_write(const struct plan *p, const char *folder, struct err *e)
{
    struct text lines = { 0 };
    for (size_t i = 0; i < p->count; i++) {
        text_add(&lines, "%s\t", p->points[i].id);
        plan_describe(p, &p->points[i], &lines);
        text_add(&lines, "\n");
    }
    const int status = output_write_in(folder, "points.tsv", &lines, e);
    text_free(&lines);
    return status;
}
