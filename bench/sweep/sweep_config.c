/* SPDX-License-Identifier: MIT
 * sweep_config.c - reads a sweep's YAML.  A shape that is not expected is an error with its line. */
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { BYTES_MAX = 4 << 20, DEPTH_MAX = 16, VALUES_MAX = 100000, REPS_MAX = 1000 };

struct reading {
    yaml_document_t document;
    const char *path;
    struct sweep *sweep;
    struct err *e;
};

static size_t line_of(const yaml_node_t *n) { return n->start_mark.line + 1; }

#define BAD(r, n, ...) bad((r), line_of(n), __VA_ARGS__)
static int bad(struct reading *r, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int bad(struct reading *r, size_t line, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return FAIL(r->e, ERR_ARG, "%s:%zu: %s", r->path, line, text);
}

static int no_memory(struct reading *r) { return FAIL(r->e, ERR_MEM, "%s: no memory", r->path); }

static yaml_node_t *node_at(struct reading *r, int index) { return yaml_document_get_node(&r->document, index); }

static const char *scalar(const yaml_node_t *n)
{
    return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

/* "key:" with nothing after it, or ~ or null, which say nothing either. */
static int is_empty(const yaml_node_t *n)
{
    static const char *const nothing[] = { "", "~", "null", "Null", "NULL" };
    int empty = 0;
    for (size_t i = 0; scalar(n) && i < sizeof nothing / sizeof *nothing; i++)
        empty |= n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(scalar(n), nothing[i]) == 0;
    return empty;
}

/* --- values -------------------------------------------------------------------------------------- */
static int text_value(struct reading *r, const yaml_node_t *n, const char *key, char **out)
{
    if (!scalar(n)) return BAD(r, n, "%s: a text is wanted", key);
    if (is_empty(n) || !*scalar(n)) return BAD(r, n, "%s: it has no value", key);
    free(*out);
    *out = strdup(scalar(n));
    return *out ? ERR_OK : no_memory(r);
}

static int number_value(struct reading *r, const yaml_node_t *n, const char *key, double least, double most,
                        double *out)
{
    double value;
    if (!scalar(n) || !text_to_f64(scalar(n), &value)) return BAD(r, n, "%s: a number is wanted", key);
    if (value < least || value > most) return BAD(r, n, "%s: %s is not within %g..%g", key, scalar(n), least, most);
    *out = value;
    return ERR_OK;
}

static int count_value(struct reading *r, const yaml_node_t *n, const char *key, int64_t most, size_t *out)
{
    int64_t value;
    if (!scalar(n) || !text_to_i64(scalar(n), &value) || value < 1 || value > most)
        return BAD(r, n, "%s: a whole number from 1 to %lld is wanted", key, (long long)most);
    *out = (size_t)value;
    return ERR_OK;
}

static int add_value(const char *value, void *context)
{
    struct axis *a = context;
    if (a->count == VALUES_MAX) return ERR_ARG;
    if (!mem_one_more(&a->values, a->count, &a->room, sizeof *a->values)) return ERR_MEM;
    a->values[a->count] = strdup(value);
    if (!a->values[a->count]) return ERR_MEM;
    a->count++;
    return ERR_OK;
}

/* "A..B" of whole numbers; 0: it is none. */
static int is_range(const char *text, int64_t *from, int64_t *to)
{
    char first[24];
    const char *dots = strstr(text, "..");
    if (!dots || (size_t)(dots - text) >= sizeof first) return 0;
    snprintf(first, sizeof first, "%.*s", (int)(dots - text), text);
    return text_to_i64(first, from) && text_to_i64(dots + 2, to);
}

/* One scalar of an axis: "1..8" and the ranges inside a spec become several values. */
static int scalar_values(struct reading *r, const yaml_node_t *n, struct axis *a)
{
    if (!scalar(n)) return BAD(r, n, "%s: values are texts or numbers", a->name);
    if (is_empty(n)) return BAD(r, n, "%s: it has no value", a->name);
    int64_t from, to, more;
    struct err why = { 0 };
    int status = ERR_OK;
    if (is_range(scalar(n), &from, &to)) {
        if (from > to || __builtin_sub_overflow(to, from, &more) || more >= VALUES_MAX)
            return BAD(r, n, "%s: range %s is empty or longer than %d", a->name, scalar(n), VALUES_MAX);
        for (; status == ERR_OK && from <= to; from++) {
            char number[24];
            snprintf(number, sizeof number, "%lld", (long long)from);
            status = add_value(number, a);
        }
    } else {
        status = spec_expand(scalar(n), add_value, a, &why);
    }
    if (a->count == VALUES_MAX && status == ERR_ARG) return BAD(r, n, "%s: more than %d values", a->name, VALUES_MAX);
    if (status == ERR_ARG) return BAD(r, n, "%s: %s", a->name, why.text);
    return status == ERR_MEM ? no_memory(r) : status;
}

static int axis_values(struct reading *r, const yaml_node_t *n, struct axis *a)
{
    if (n->type != YAML_SEQUENCE_NODE) return scalar_values(r, n, a);
    int status = ERR_OK;
    for (yaml_node_item_t *i = n->data.sequence.items.start; status == ERR_OK && i < n->data.sequence.items.top; i++)
        status = scalar_values(r, node_at(r, *i), a);
    if (status == ERR_OK && a->count == 0) return BAD(r, n, "%s: no values", a->name);
    return status;
}

/* A mapping of names to values. */
static int grid_value(struct reading *r, const yaml_node_t *n, const char *key, struct grid *g)
{
    if (n->type != YAML_MAPPING_NODE) return BAD(r, n, "%s: names with values are wanted", key);
    int status = ERR_OK;
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; status == ERR_OK && p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *name = node_at(r, p->key);
        if (!scalar(name)) return BAD(r, name, "%s: a name is wanted", key);
        for (size_t i = 0; i < g->count; i++)
            if (strcmp(g->axes[i].name, scalar(name)) == 0)
                return BAD(r, name, "%s comes twice: in line %zu already", scalar(name), g->axes[i].line);
        struct axis *grown = mem_grow(g->axes, g->count, g->count + 1, sizeof *grown);
        if (!grown) return no_memory(r);
        g->axes = grown;
        g->axes[g->count] = (struct axis){ .name = strdup(scalar(name)), .line = line_of(name) };
        if (!g->axes[g->count++].name) return no_memory(r);
        status = axis_values(r, node_at(r, p->value), &g->axes[g->count - 1]);
    }
    return status;
}

/* Names of a mapping may not come twice: which of them would hold? */
static int names_once(struct reading *r, const yaml_node_t *map)
{
    const yaml_node_pair_t *const start = map->data.mapping.pairs.start;
    for (const yaml_node_pair_t *p = start; p < map->data.mapping.pairs.top; p++)
        for (const yaml_node_pair_t *q = start; q < p; q++) {
            const yaml_node_t *name = node_at(r, p->key), *before = node_at(r, q->key);
            if (scalar(name) && scalar(before) && strcmp(scalar(name), scalar(before)) == 0)
                return BAD(r, name, "%s comes twice: in line %zu already", scalar(name), line_of(before));
        }
    return ERR_OK;
}

/* --- the keys ---------------------------------------------------------------------------------------- */
static int read_dataset(struct reading *r, const yaml_node_t *n)
{
    struct sweep *s = r->sweep;
    enum metric metric;
    if (n->type != YAML_MAPPING_NODE) return BAD(r, n, "dataset: base, query, truth and metric are wanted");
    int status = names_once(r, n);
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; status == ERR_OK && p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(r, p->key), *value = node_at(r, p->value);
        static const char *const names[] = { "base", "query", "truth", "metric" };
        const char *name = scalar(key);
        if (!name) return BAD(r, key, "dataset: a name is wanted");
        if (strcmp(name, "base") == 0) status = text_value(r, value, name, &s->base);
        else if (strcmp(name, "query") == 0) status = text_value(r, value, name, &s->query);
        else if (strcmp(name, "truth") == 0) status = text_value(r, value, name, &s->truth);
        else if (strcmp(name, "metric") != 0)
            return BAD(r, key, "dataset has no '%s'%s", name, NEAREST(name, names, 4));
        else if (!scalar(value) || metric_parse(scalar(value), &metric, NULL) != ERR_OK)
            return BAD(r, value, "metric is cosine, dot or l2");
        else s->metric = metric_name(metric);
    }
    if (status == ERR_OK && (!s->base || !s->query)) return BAD(r, n, "dataset needs base and query");
    return status;
}

static int read_kb(struct reading *r, const yaml_node_t *n)
{
    r->sweep->is_pipeline = 1;
    return text_value(r, n, "kb", &r->sweep->kb);
}

static int read_queries(struct reading *r, const yaml_node_t *n)
{
    return text_value(r, n, "queries", &r->sweep->questions);
}

static int read_qrels(struct reading *r, const yaml_node_t *n) { return text_value(r, n, "qrels", &r->sweep->qrels); }

static int read_query_ids(struct reading *r, const yaml_node_t *n)
{
    return text_value(r, n, "query_ids", &r->sweep->query_ids);
}

static int read_axes(struct reading *r, const yaml_node_t *n) { return grid_value(r, n, "axes", &r->sweep->axes); }

static int read_fixed(struct reading *r, const yaml_node_t *n)
{
    const int status = grid_value(r, n, "base", &r->sweep->fixed);
    for (size_t i = 0; status == ERR_OK && i < r->sweep->fixed.count; i++) {
        const struct axis *a = &r->sweep->fixed.axes[i];
        if (a->count != 1) return bad(r, a->line, "base: %s: one value; vary it under axes", a->name);
    }
    return status;
}

static int flag_value(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
    const char *value = scalar(n);
    if (!value || (strcmp(value, "true") != 0 && strcmp(value, "false") != 0))
        return BAD(r, n, "%s: true or false is wanted", key);
    *out = value[0] == 't';
    return ERR_OK;
}

static int read_one_at_a_time(struct reading *r, const yaml_node_t *n)
{
    return flag_value(r, n, "one_at_a_time", &r->sweep->one_at_a_time);
}

static int read_drop(struct reading *r, const yaml_node_t *n)
{
    return flag_value(r, n, "drop_unjudgeable", &r->sweep->drop_unjudgeable);
}

static int read_timed(struct reading *r, const yaml_node_t *n)
{
    int timed = 1;
    const int status = flag_value(r, n, "timed", &timed);
    r->sweep->untimed = !timed;
    return status;
}

static int read_grids(struct reading *r, const yaml_node_t *n)
{
    struct sweep *s = r->sweep;
    if (n->type != YAML_SEQUENCE_NODE) return BAD(r, n, "grids: a list of grids is wanted");
    int status = ERR_OK;
    for (yaml_node_item_t *i = n->data.sequence.items.start;
         status == ERR_OK && i < n->data.sequence.items.top; i++) {
        struct grid *grown = mem_grow(s->grids, s->grid_count, s->grid_count + 1, sizeof *grown);
        if (!grown) return no_memory(r);
        s->grids = grown;
        s->grids[s->grid_count++] = (struct grid){ 0 };
        status = grid_value(r, node_at(r, *i), "grids", &s->grids[s->grid_count - 1]);
    }
    return status;
}

static int read_conditions(struct reading *r, const yaml_node_t *n)
{
    struct sweep *s = r->sweep;
    if (n->type != YAML_SEQUENCE_NODE) return BAD(r, n, "constraints: a list of conditions is wanted");
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        const yaml_node_t *text = node_at(r, *i);
        if (!scalar(text) || is_empty(text))
            return BAD(r, text, "constraints: texts, as 'top_k_rerank <= top_k_candidates'");
        struct condition *grown = mem_grow(s->conditions, s->condition_count, s->condition_count + 1, sizeof *grown);
        if (!grown) return no_memory(r);
        s->conditions = grown;
        s->conditions[s->condition_count] = (struct condition){ strdup(scalar(text)), line_of(text) };
        if (!s->conditions[s->condition_count++].text) return no_memory(r);
    }
    return ERR_OK;
}

static int read_budget(struct reading *r, const yaml_node_t *n)
{
    return number_value(r, n, "budget_s", 0, 1e9, &r->sweep->budget_s);
}

static int read_calls(struct reading *r, const yaml_node_t *n)
{
    return count_value(r, n, "min_calls", 1000000000, &r->sweep->least_calls);
}

static int read_reps(struct reading *r, const yaml_node_t *n)
{
    return count_value(r, n, "reps", REPS_MAX, &r->sweep->reps);
}

static const struct key {
    const char *name;
    int (*read)(struct reading *r, const yaml_node_t *n);
} keys[] = {
    { "dataset", read_dataset },
    { "kb", read_kb },
    { "queries", read_queries },
    { "query_ids", read_query_ids },
    { "qrels", read_qrels },
    { "drop_unjudgeable", read_drop },
    { "base", read_fixed },
    { "axes", read_axes },
    { "grids", read_grids },
    { "one_at_a_time", read_one_at_a_time },
    { "constraints", read_conditions },
    { "budget_s", read_budget },
    { "min_calls", read_calls },
    { "timed", read_timed },
    { "reps", read_reps },
};
enum { KEYS = sizeof keys / sizeof *keys };

static int read_top(struct reading *r)
{
    const yaml_node_t *top = yaml_document_get_root_node(&r->document);
    if (!top || top->type != YAML_MAPPING_NODE) return bad(r, 1, "a sweep is a mapping: dataset or kb, axes, ...");
    const int once = names_once(r, top);
    if (once != ERR_OK) return once;
    for (yaml_node_pair_t *p = top->data.mapping.pairs.start; p < top->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(r, p->key);
        const char *names[KEYS], *name = scalar(key);
        size_t i = 0;
        for (size_t j = 0; j < KEYS; j++) names[j] = keys[j].name;
        while (name && i < KEYS && strcmp(keys[i].name, name) != 0) i++;
        if (!name) return BAD(r, key, "a name is wanted");
        if (i == KEYS) return BAD(r, key, "no key '%s'%s", name, NEAREST(name, names, KEYS));
        const int empty = is_empty(node_at(r, p->value));
        const int status = empty ? BAD(r, key, "%s: it has no value", name) : keys[i].read(r, node_at(r, p->value));
        if (status != ERR_OK) return status;
    }
    const struct sweep *s = r->sweep;
    if (!s->base == !s->is_pipeline) return bad(r, 1, "either dataset (base, query) or kb and queries is wanted");
    if (s->is_pipeline && !s->questions) return bad(r, 1, "kb needs queries");
    if (s->untimed && s->least_calls) return bad(r, 1, "min_calls is of timed points, and timed is false");
    if (!s->is_pipeline && (s->questions || s->qrels || s->query_ids || s->drop_unjudgeable))
        return bad(r, 1, "queries, query_ids, qrels and drop_unjudgeable are of a kb, not of a dataset");
    return ERR_OK;
}

static int not_yaml(struct reading *r, const yaml_parser_t *parser)
{
    return bad(r, parser->problem_mark.line + 1, "%s%s%s", parser->problem ? parser->problem : "not YAML",
               parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* One document, of no depth that a sweep could want, before anything is built of it. */
static int look_through(struct reading *r, const char *yaml, size_t size)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int status = ERR_OK, depth = 0, documents = 0, ended = 0;
    if (!yaml_parser_initialize(&parser)) return no_memory(r);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, size);
    while (status == ERR_OK && !ended) {
        if (!yaml_parser_parse(&parser, &event)) {
            status = not_yaml(r, &parser);
            break;
        }
        const size_t line = event.start_mark.line + 1;
        depth += event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        ended = event.type == YAML_STREAM_END_EVENT;
        if (documents > 1) status = bad(r, line, "a second document: a sweep is one");
        if (depth > DEPTH_MAX) status = bad(r, line, "nested deeper than %d", DEPTH_MAX);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

static int parse(struct reading *r, const char *yaml, size_t size)
{
    yaml_parser_t parser;
    if (size > BYTES_MAX) return bad(r, 1, "%zu bytes: a sweep has at most %d", size, BYTES_MAX);
    int status = look_through(r, yaml, size);
    if (status != ERR_OK) return status;
    if (!yaml_parser_initialize(&parser)) return no_memory(r);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, size);
    if (!yaml_parser_load(&parser, &r->document)) status = not_yaml(r, &parser);
    yaml_parser_delete(&parser);
    if (status != ERR_OK) return status;
    status = read_top(r);
    yaml_document_delete(&r->document);
    return status;
}

/* --- checks --------------------------------------------------------------------------------------------- */
/* Every name is known, every value fits it and is put into its one spelling. */
static int check_grid(struct reading *r, const struct vocabulary *names, struct grid *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct axis *a = &g->axes[i];
        const int at = vocabulary_find(names, a->name);
        if (at < 0)
            return bad(r, a->line, "no axis '%s'%s", a->name,
                       vocabulary_hint(&(struct hint){ { 0 } }, names, a->name));
        for (size_t j = 0; j < a->count; j++) {
            struct err why = { 0 };
            char *spelled = NULL;
            if (vocabulary_spell(names, at, a->values[j], &spelled, &why) != ERR_OK)
                return bad(r, a->line, "%s", why.text);
            free(a->values[j]);
            a->values[j] = spelled;
        }
    }
    return ERR_OK;
}

/* Grids in the order fixed, axes, grids; NULL ends them. */
static const struct grid *grid_of(const struct sweep *s, size_t i)
{
    return i == 0 ? &s->fixed : i == 1 ? &s->axes : i - 2 < s->grid_count ? &s->grids[i - 2] : NULL;
}

/* Finds an index among the values of g whose spec says `key`. */
static const char *said_in(const struct grid *g, const char *key, int inside, size_t *line)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; strcmp(g->axes[i].name, "index") == 0 && j < g->axes[i].count; j++)
            if (spec_says(g->axes[i].values[j], key, inside)) return *line = g->axes[i].line, g->axes[i].values[j];
    return NULL;
}

/* What an index's spec says and a name says too: the name would win for the points of every grid, as its default is set
 * where it is not varied.  Of a pipeline's bit_width the spec would win, in those grids where both meet. */
static int check_twice(struct reading *r, const struct vocabulary *names)
{
    const struct sweep *s = r->sweep;
    for (size_t i = 0; grid_of(s, i); i++)
        for (size_t j = 0; j < grid_of(s, i)->count; j++) {
            const struct axis *a = &grid_of(s, i)->axes[j];
            const int is_bits = s->is_pipeline && strcmp(a->name, "bit_width") == 0;
            const int of_index = vocabulary_find(names, a->name) >= (int)names->settings;
            for (size_t k = 0; (is_bits || of_index) && grid_of(s, k); k++) {
                const int meet = k == 0 || i == 0 ? !(s->one_at_a_time && k == 1) : k == i && !(s->one_at_a_time && i == 1);
                size_t line;
                const char *spec = of_index || meet ? said_in(grid_of(s, k), is_bits ? "bits" : a->name, is_bits, &line) : NULL;
                if (spec) return bad(r, a->line, "%s is given twice: here, and in '%s' of line %zu", a->name, spec, line);
            }
        }
    return ERR_OK;
}

/* A value under base that no point of the axes' product would have. */
static int check_overridden(struct reading *r)
{
    const struct grid *axes = &r->sweep->axes, *fixed = &r->sweep->fixed;
    for (size_t i = 0; i < axes->count && !r->sweep->one_at_a_time; i++) /* an axis alone is varied around that value */
        for (size_t j = 0; j < fixed->count; j++)
            if (strcmp(axes->axes[i].name, fixed->axes[j].name) == 0)
                return bad(r, axes->axes[i].line, "%s is given twice: here, and under base in line %zu", axes->axes[i].name,
                           fixed->axes[j].line);
    return ERR_OK;
}

static int check(struct reading *r)
{
    struct vocabulary names;
    struct sweep *s = r->sweep;
    int status = vocabulary_of(&names, s, r->e);
    if (status == ERR_OK) status = check_grid(r, &names, &s->fixed);
    if (status == ERR_OK) status = check_grid(r, &names, &s->axes);
    for (size_t i = 0; status == ERR_OK && i < s->grid_count; i++) status = check_grid(r, &names, &s->grids[i]);
    if (status == ERR_OK) status = check_twice(r, &names);
    vocabulary_free(&names);
    return status;
}

static int load(struct sweep *out, const char *name, const char *yaml, size_t size, int is_file, struct err *e)
{
    struct sweep s = { .reps = 1, .keep_from_s = 1 };
    struct reading r = { .path = name, .sweep = &s, .e = e };
    s.path = strdup(name);
    int status = s.path ? parse(&r, yaml, size) : no_memory(&r);
    if (status == ERR_OK) status = check(&r);
    if (status == ERR_OK && is_file) status = check_overridden(&r);
    if (status == ERR_OK) *out = s;
    else sweep_free(&s);
    return status;
}

int sweep_parse(struct sweep *out, const char *name, const char *yaml, struct err *e)
{
    return load(out, name, yaml, strlen(yaml), 0, e);
}

int sweep_load(struct sweep *out, const char *path, struct err *e)
{
    unsigned char *yaml;
    size_t size;
    int status = mem_read_file(&yaml, &size, path, e);
    if (status != ERR_OK) return status;
    status = load(out, path, (const char *)yaml, size, 1, e);
    mem_free(yaml);
    return status;
}

static void grid_free(struct grid *g)
{
    for (size_t i = 0; i < g->count; i++) {
        for (size_t j = 0; j < g->axes[i].count; j++) free(g->axes[i].values[j]);
        mem_free(g->axes[i].values);
        free(g->axes[i].name);
    }
    mem_free(g->axes);
}

void sweep_free(struct sweep *s)
{
    char *const texts[] = { s->path, s->base, s->query, s->truth, s->kb, s->questions, s->query_ids, s->qrels };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
    grid_free(&s->fixed);
    grid_free(&s->axes);
    for (size_t i = 0; i < s->grid_count; i++) grid_free(&s->grids[i]);
    for (size_t i = 0; i < s->condition_count; i++) free(s->conditions[i].text);
    mem_free(s->grids);
    mem_free(s->conditions);
    *s = (struct sweep){ 0 };
}
