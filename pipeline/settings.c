/* SPDX-License-Identifier: MIT
 * settings.c - reads "key=value" pairs into chosen stages and checked values, and says which of them have no effect. */
#include "pipeline/settings.h"
#include "kernels/base/mem.h"
#include "pipeline/pipeline.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { NAMES_MAX = 256 };

static const char *const usual_stage[SLOT_COUNT] = { "rp", "index", "cosine", "bfs", "pool_fraction", "threshold",
                                                     "pool_first" };

static const struct param own_params[] = {
    { "compat", PARAM_FLAG, 0, 0, "false", "", NULL,
      "the engine's rules: min_vector_score is 0 unless set, and holds for approximate scores too; vectors of no entity take "
      "places and count in the pool, and are no answers.  On purpose as ever: NULL properties are {}, and vectors that are not "
      "finite or of another dimension are passed over (the engine fails); equals are ordered by id (there: by chance); by words, "
      "entities alone" },
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

static int choose_stage(struct settings *set, int slot, const char *name, struct err *e)
{
    set->ops[slot] = stage_find((enum slot)slot, name);
    if (set->ops[slot]) return ERR_OK;
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
static int idle_setting(const struct settings *set, const char *key, const char *value, struct err *e)
{
    struct text owners = { 0 };
    const int slot = pipeline_owners(key, &owners);
    const int status = FAIL(e, ERR_ARG, "%s=%s has no effect: it is a setting of %s, and %s=%s is chosen", key, value,
                            text_of(&owners), slot_name((enum slot)slot), set->ops[slot]->name);
    text_free(&owners);
    return status;
}

/* strict: a setting of a stage that is not chosen is an error. */
static int apply_setting(struct settings *set, const char *key, const char *value, int strict, struct err *e)
{
    const struct param *known = any_param(key);
    if (!known) return unknown_key(key, e);
    int status = param_check(known, "pipeline", value, e), used = 0;
    if (status == ERR_OK && param_find(own_params, key)) {
        status = set_in(set->own, own_params, key, value, e);
        used = 1;
    }
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) {
        if (!param_find(set->ops[s]->params, key)) continue;
        status = set_in(set->params[s], set->ops[s]->params, key, value, e);
        used = 1;
    }
    return status == ERR_OK && !used && strict ? idle_setting(set, key, value, e) : status;
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
    int may = known->type != PARAM_TEXT && strncmp(key, "embed_", 6) != 0; /* not how often and how long a service is tried */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) may |= strcmp(key, texts[i]) == 0;
    return may;
}

/* A base that sets what it may not is refused, unless the caller sets that too: then the base's value is of no use. */
static int check_base(struct settings *set, const struct store *base, const struct wish *w, struct err *e)
{
    for (size_t i = 0; i < w->of_base; i++) {
        const char *key = wish_key(w, i);
        if (!base_may_set(key, wish_value(w, i)) && wish_find(w, key, w->of_base, w->count) == w->count)
            return FAIL(e, ERR_FORMAT, "%s: its own setting %s=%.80s is nothing that a base may ask for: delete it "
                        "from assay_settings, or give %s yourself", store_path(base), key, wish_value(w, i), key);
    }
    /* The base names a service, by its address or by asking for the stage whose usual address then holds. */
    const size_t url = wish_find(w, "embed_url", 0, w->count), stage = wish_find(w, "embed", 0, w->count);
    const int own_url = url < w->of_base, own_stage = url == w->count && stage < w->of_base;
    set->asks_elsewhere |= (own_url || own_stage) && !set->trusted;
    return ERR_OK;
}

static int gather(struct settings *set, struct store *base, const char *const *given, size_t count, struct wish *w,
                  struct err *e)
{
    int status = store_settings(base, wish_add, w, e);
    w->of_base = w->count;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const char *equals = strchr(given[i], '=');
        if (!equals) return FAIL(e, ERR_ARG, "'%s' is not key=value", given[i]);
        if (strcmp(given[i], SETTINGS_TRUST) == 0) {
            set->trusted = 1;
            continue;
        }
        struct text key = { 0 };
        text_add_bytes(&key, given[i], (size_t)(equals - given[i]));
        status = key.failed ? ERR_MEM : wish_add(w, text_of(&key), equals + 1);
        text_free(&key);
    }
    if (status == ERR_MEM) return FAIL(e, ERR_MEM, "no memory for settings");
    if (status == ERR_ARG) return FAIL(e, ERR_ARG, "more than %d settings", SETTINGS_MAX);
    return status == ERR_OK ? check_base(set, base, w, e) : status;
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

static int check_bits(const struct settings *set, const struct wish *w, struct err *e)
{
    const struct params *chosen = set->params[SLOT_RETRIEVE];
    if (wish_find(w, "bit_width", w->of_base, w->count) == w->count) return ERR_OK; /* the base's own is no mistake */
    if (!param_find(set->ops[SLOT_RETRIEVE]->params, "bit_width")) return ERR_OK;
    if (pipeline_takes_bits(params_text(chosen, "index"))) return ERR_OK;
    return FAIL(e, ERR_ARG, "bit_width=%s has no effect: index=%s has no bits", params_text(chosen, "bit_width"),
                params_text(chosen, "index"));
}

static int is_wished(const struct wish *w, const char *key) { return wish_find(w, key, 0, w->count) < w->count; }

/* What holds where neither the base nor the caller says: the usual stages, but for the embedder that the base was made by. */
static const char *usual_of(int slot, struct store *base)
{
    const char *by = slot == SLOT_EMBED ? store_embedder(base) : NULL;
    return by && strcmp(by, "lsa") == 0 ? by : usual_stage[slot];
}

/* What follows from the stages, where it is not said: no graph score mixes into a retriever's own, whose scale
 * is another; and scores around a mean of 0 are not held to a threshold of 0. */
static int apply_rest(struct settings *set, const struct wish *w, struct err *e)
{
    const struct params *score = set->params[SLOT_SCORE], *filter = set->params[SLOT_FILTER];
    const char *rerank = set->ops[SLOT_RERANK]->name;
    const struct param *score_table = set->ops[SLOT_SCORE]->params, *rerank_table = set->ops[SLOT_RERANK]->params;
    int status = ERR_OK;
    if (strcmp(rerank, "none") == 0 && !is_wished(w, "graph_weight") && param_find(score_table, "graph_weight"))
        status = params_set(set->params[SLOT_SCORE], "graph_weight", "0", e);
    const int centred = (param_find(rerank_table, "memrl_scale") &&
                         strcmp(params_text(set->params[SLOT_RERANK], "memrl_scale"), "none") != 0) ||
                        (param_find(score_table, "calibration") && strcmp(params_text(score, "calibration"), "zscore") == 0);
    if (status == ERR_OK && centred && !is_wished(w, "min_combined_score") &&
        param_find(set->ops[SLOT_FILTER]->params, "min_combined_score") && filter)
        status = params_set(set->params[SLOT_FILTER], "min_combined_score", "-1e9", e);
    if (status == ERR_OK && params_int(set->own, "compat") && !is_wished(w, "min_vector_score"))
        status = params_set(set->own, "min_vector_score", "0", e);
    return status;
}

static int apply_all(struct settings *set, struct store *base, const struct wish *w, struct err *e)
{
    int status = params_create(&set->own, own_params, "pipeline", NULL, e);
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++) status = choose_stage(set, s, usual_of(s, base), e);
    for (size_t i = 0; status == ERR_OK && i < w->count; i++) {
        const char *key = wish_key(w, i);
        if (slot_of(key) < SLOT_COUNT) status = choose_stage(set, slot_of(key), wish_value(w, i), e);
    }
    for (int s = 0; status == ERR_OK && s < SLOT_COUNT; s++)
        status = params_create(&set->params[s], set->ops[s]->params, set->ops[s]->name, NULL, e);
    for (size_t i = 0; status == ERR_OK && i < w->count; i++) {
        const char *key = wish_key(w, i);
        if (slot_of(key) == SLOT_COUNT) status = apply_setting(set, key, wish_value(w, i), i >= w->of_base, e);
    }
    if (status == ERR_OK) status = check_bits(set, w, e);
    set->rerank_said = is_wished(w, "rerank");
    return status == ERR_OK ? apply_rest(set, w, e) : status;
}

static void list_table(struct settings *set, const struct param *table, const struct params *params)
{
    for (; table && table->name; table++) {
        size_t i = 0;
        while (i < set->count && strcmp(set->in_force[i].key, table->name) != 0) i++;
        if (i < set->count) continue; /* two stages share it */
        if (strcmp(table->name, "bit_width") == 0 && !pipeline_takes_bits(params_text(params, "index"))) continue;
        assert(i < SETTINGS_MAX);
        set->in_force[set->count++] = (struct setting){ table->name, params_text(params, table->name) };
    }
}

static void list_all(struct settings *set)
{
    for (int s = 0; s < SLOT_COUNT; s++)
        set->in_force[set->count++] = (struct setting){ slot_name((enum slot)s), set->ops[s]->name };
    list_table(set, own_params, set->own);
    for (int s = 0; s < SLOT_COUNT; s++) list_table(set, set->ops[s]->params, set->params[s]);
}

int settings_read(struct settings *set, struct store *base, const char *const *given, size_t count, struct err *e)
{
    struct wish wish = { 0 };
    int status = gather(set, base, given, count, &wish, e);
    if (status == ERR_OK) status = apply_all(set, base, &wish, e);
    if (status == ERR_OK) list_all(set);
    text_free(&wish.text);
    return status;
}

void settings_clear(struct settings *set)
{
    for (int s = 0; s < SLOT_COUNT; s++) params_destroy(set->params[s]);
    params_destroy(set->own);
    *set = (struct settings){ 0 };
}

int settings_spell(const struct settings *set, struct text *all, const char **list)
{
    size_t at[SETTINGS_MAX];
    for (size_t i = 0; i < set->count; i++) {
        at[i] = all->size;
        text_add(all, "%s=%s", set->in_force[i].key, set->in_force[i].value);
        text_add_bytes(all, "", 1);
    }
    for (size_t i = 0; i < set->count && !all->failed; i++) list[i] = all->at + at[i];
    return all->failed ? ERR_MEM : ERR_OK;
}

/* --- settings without a pipeline ------------------------------------------------------------------- */

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
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        out->at[slot] = stage_find((enum slot)slot, usual_of(slot, s));
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
