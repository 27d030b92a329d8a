/* SPDX-License-Identifier: MIT
 * sweep_config.c - reads a sweep's YAML.  A shape that is not expected is an error with its line. */
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

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

/* --- values -------------------------------------------------------------------------------------- */
static int text_value(struct reading *r, const yaml_node_t *n, const char *key, char **out)
{
    if (!scalar(n)) return BAD(r, n, "%s: a text is wanted", key);
    free(*out);
    *out = strdup(scalar(n));
    return *out ? ERR_OK : no_memory(r);
}

static int number_value(struct reading *r, const yaml_node_t *n, const char *key, double least, double *out)
{
    double value;
    if (!scalar(n) || !text_to_f64(scalar(n), &value)) return BAD(r, n, "%s: a number is wanted", key);
    if (value < least) return BAD(r, n, "%s: %s is below %g", key, scalar(n), least);
    *out = value;
    return ERR_OK;
}

static int add_value(const char *value, void *context)
{
    struct axis *a = context;
    char **grown = mem_grow(a->values, a->count, a->count + 1, sizeof *grown);
    if (!grown) return ERR_MEM;
    a->values = grown;
    a->values[a->count] = strdup(value);
    if (!a->values[a->count]) return ERR_MEM;
    a->count++;
    return ERR_OK;
}

/* One scalar of an axis: "1..8" and the ranges inside a spec become several values. */
static int scalar_values(struct reading *r, const yaml_node_t *n, struct axis *a)
{
    if (!scalar(n)) return BAD(r, n, "%s: values are texts or numbers", a->name);
    long from, to;
    int end = 0, status = ERR_OK;
    if (sscanf(scalar(n), "%ld..%ld%n", &from, &to, &end) == 2 && scalar(n)[end] == 0) {
        if (from > to || to - from > 1000) return BAD(r, n, "%s: range %s is empty or too long", a->name, scalar(n));
        for (; status == ERR_OK && from <= to; from++) {
            char number[24];
            snprintf(number, sizeof number, "%ld", from);
            status = add_value(number, a);
        }
    } else {
        status = spec_expand(scalar(n), add_value, a, r->e);
    }
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
            if (strcmp(g->axes[i].name, scalar(name)) == 0) return BAD(r, name, "%s comes twice", scalar(name));
        struct axis *grown = mem_grow(g->axes, g->count, g->count + 1, sizeof *grown);
        if (!grown) return no_memory(r);
        g->axes = grown;
        g->axes[g->count] = (struct axis){ .name = strdup(scalar(name)), .line = line_of(name) };
        if (!g->axes[g->count++].name) return no_memory(r);
        status = axis_values(r, node_at(r, p->value), &g->axes[g->count - 1]);
    }
    return status;
}

/* --- the keys ---------------------------------------------------------------------------------------- */
static int read_dataset(struct reading *r, const yaml_node_t *n)
{
    struct sweep *s = r->sweep;
    if (n->type != YAML_MAPPING_NODE) return BAD(r, n, "dataset: base, query, truth and metric are wanted");
    int status = ERR_OK;
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
        else if (!scalar(value) || metric_parse(scalar(value), &s->metric, NULL) != ERR_OK)
            return BAD(r, value, "metric is cosine, dot or l2");
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

static int read_one_at_a_time(struct reading *r, const yaml_node_t *n)
{
    const char *value = scalar(n);
    if (!value || (strcmp(value, "true") != 0 && strcmp(value, "false") != 0))
        return BAD(r, n, "one_at_a_time: true or false");
    r->sweep->one_at_a_time = value[0] == 't';
    return ERR_OK;
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
        if (!scalar(text)) return BAD(r, text, "constraints: texts, as 'top_k_rerank <= top_k_candidates'");
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
    return number_value(r, n, "budget_s", 0, &r->sweep->budget_s);
}

static int read_calls(struct reading *r, const yaml_node_t *n)
{
    double value = 0;
    const int status = number_value(r, n, "min_calls", 1, &value);
    r->sweep->least_calls = (size_t)value;
    return status;
}

static int read_reps(struct reading *r, const yaml_node_t *n)
{
    double value = 0;
    const int status = number_value(r, n, "reps", 1, &value);
    r->sweep->reps = (size_t)value;
    return status;
}

static const struct key {
    const char *name;
    int (*read)(struct reading *r, const yaml_node_t *n);
} keys[] = {
    { "dataset", read_dataset },
    { "kb", read_kb },
    { "queries", read_queries },
    { "qrels", read_qrels },
    { "base", read_fixed },
    { "axes", read_axes },
    { "grids", read_grids },
    { "one_at_a_time", read_one_at_a_time },
    { "constraints", read_conditions },
    { "budget_s", read_budget },
    { "min_calls", read_calls },
    { "reps", read_reps },
};
enum { KEYS = sizeof keys / sizeof *keys };

static int read_top(struct reading *r)
{
    const yaml_node_t *top = yaml_document_get_root_node(&r->document);
    if (!top || top->type != YAML_MAPPING_NODE) return bad(r, 1, "a sweep is a mapping: dataset or kb, axes, ...");
    for (yaml_node_pair_t *p = top->data.mapping.pairs.start; p < top->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(r, p->key);
        const char *names[KEYS], *name = scalar(key);
        size_t i = 0;
        for (size_t j = 0; j < KEYS; j++) names[j] = keys[j].name;
        while (name && i < KEYS && strcmp(keys[i].name, name) != 0) i++;
        if (!name) return BAD(r, key, "a name is wanted");
        if (i == KEYS) return BAD(r, key, "no key '%s'%s", name, NEAREST(name, names, KEYS));
        const int status = keys[i].read(r, node_at(r, p->value));
        if (status != ERR_OK) return status;
    }
    const struct sweep *s = r->sweep;
    if (!s->base == !s->is_pipeline) return bad(r, 1, "either dataset (base, query) or kb and queries is wanted");
    if (s->is_pipeline && !s->questions) return bad(r, 1, "kb needs queries");
    return ERR_OK;
}

static int parse(struct reading *r, FILE *file)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return no_memory(r);
    yaml_parser_set_input_file(&parser, file);
    int status = ERR_OK;
    if (!yaml_parser_load(&parser, &r->document))
        status = bad(r, parser.problem_mark.line + 1, "%s%s%s", parser.problem ? parser.problem : "not YAML",
                     parser.context ? ", " : "", parser.context ? parser.context : "");
    yaml_parser_delete(&parser);
    if (status != ERR_OK) return status;
    status = read_top(r);
    yaml_document_delete(&r->document);
    return status;
}

/* --- checks --------------------------------------------------------------------------------------------- */
static int check_grid(struct reading *r, const struct vocabulary *names, const struct grid *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct axis *a = &g->axes[i];
        const int at = vocabulary_find(names, a->name);
        if (at < 0)
            return bad(r, a->line, "no axis '%s'%s", a->name,
                       vocabulary_hint(&(struct hint){ { 0 } }, names, a->name));
        for (size_t j = 0; j < a->count; j++) {
            struct err why = { 0 };
            if (param_check(&names->at[at], "axis", a->values[j], &why) != ERR_OK)
                return bad(r, a->line, "%s", why.text);
        }
    }
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
    vocabulary_free(&names);
    return status;
}

static int load(struct sweep *out, const char *path, FILE *file, struct err *e)
{
    struct sweep s = { .reps = 1 };
    struct reading r = { .path = path, .sweep = &s, .e = e };
    s.path = strdup(path);
    int status = s.path ? parse(&r, file) : no_memory(&r);
    fclose(file);
    if (status == ERR_OK) status = check(&r);
    if (status == ERR_OK) *out = s;
    else sweep_free(&s);
    return status;
}

int sweep_load(struct sweep *out, const char *path, struct err *e)
{
    FILE *file = fopen(path, "r");
    if (!file) return FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    return load(out, path, file, e);
}

int sweep_parse(struct sweep *out, const char *name, const char *yaml, struct err *e)
{
    FILE *file = fmemopen((char *)(uintptr_t)yaml, strlen(yaml), "r"); /* it is only read */
    return file ? load(out, name, file, e) : FAIL(e, ERR_MEM, "%s: no memory", name);
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
    char *const texts[] = { s->path, s->base, s->query, s->truth, s->kb, s->questions, s->qrels };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
    grid_free(&s->fixed);
    grid_free(&s->axes);
    for (size_t i = 0; i < s->grid_count; i++) grid_free(&s->grids[i]);
    for (size_t i = 0; i < s->condition_count; i++) free(s->conditions[i].text);
    mem_free(s->grids);
    mem_free(s->conditions);
    *s = (struct sweep){ 0 };
}
