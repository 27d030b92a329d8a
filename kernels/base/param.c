/* SPDX-License-Identifier: MIT
 * param.c - parses spec strings by their tables, checks every value, and spells a spec canonically. */
#include "kernels/base/param.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, VALUE_MAX = 1024 };

struct value {
    int64_t integer;
    double real;
    char *text;
};

struct params {
    const struct param *table;
    char *who;
    size_t count;
    struct value *values;
};

static const struct param no_params[] = { { 0 } };

static size_t table_count(const struct param *table)
{
    size_t n = 0;
    while (table && table[n].name) n++;
    return n;
}

const struct param *param_find(const struct param *table, const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0) return table;
    return NULL;
}

/* Position of `value` in "a|b|c", -1 when it is not there. */
static int choice_at(const char *choices, const char *value)
{
    const size_t size = strlen(value);
    int at = 0;
    for (const char *c = choices; c; at++) {
        const char *bar = strchr(c, '|');
        const size_t n = bar ? (size_t)(bar - c) : strlen(c);
        if (n == size && memcmp(c, value, n) == 0) return at;
        c = bar ? bar + 1 : NULL;
    }
    return -1;
}

static int out_of_bounds(const struct param *p, const char *who, const char *value, struct err *e)
{
    return FAIL(e, ERR_ARG, "%s: %s=%s outside %g..%g", who, p->name, value, p->least, p->most);
}

static int parse(const struct param *p, const char *who, const char *value, struct value *out, struct err *e)
{
    out->integer = 0;
    out->real = 0;
    switch (p->type) {
    case PARAM_INT:
        if (!text_to_i64(value, &out->integer))
            return FAIL(e, ERR_ARG, "%s: %s=%s is not a whole number", who, p->name, value);
        out->real = (double)out->integer;
        if (out->real < p->least || out->real > p->most) return out_of_bounds(p, who, value, e);
        return ERR_OK;
    case PARAM_REAL:
        if (!text_to_f64(value, &out->real))
            return FAIL(e, ERR_ARG, "%s: %s=%s is not a number", who, p->name, value);
        if (out->real < p->least || out->real > p->most) return out_of_bounds(p, who, value, e);
        return ERR_OK;
    case PARAM_FLAG:
        out->integer = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
        if (!out->integer && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
            return FAIL(e, ERR_ARG, "%s: %s=%s is neither true nor false", who, p->name, value);
        return ERR_OK;
    case PARAM_CHOICE:
        out->integer = choice_at(p->choices, value);
        if (out->integer < 0)
            return FAIL(e, ERR_ARG, "%s: %s=%s is none of %s", who, p->name, value, p->choices);
        return ERR_OK;
    case PARAM_SPEC:
    case PARAM_TEXT: return ERR_OK;
    }
    return ERR_OK;
}

int param_check(const struct param *p, const char *who, const char *value, struct err *e)
{
    struct value ignored;
    return parse(p, who, value, &ignored, e);
}

static int unknown_key(const struct params *p, const char *key, struct err *e)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (; count < p->count && count < NAMES_MAX; count++) names[count] = p->table[count].name;
    if (count == 0) return FAIL(e, ERR_ARG, "%s takes no parameters, so no '%s'", p->who, key);
    return FAIL(e, ERR_ARG, "%s has no parameter '%s'%s", p->who, key,
                NEAREST(key, names, count));
}

/* A value in its one spelling, so that equal settings compare and hash equal. */
static const char *spell(const struct param *p, const struct value *parsed, const char *typed, char number[40])
{
    if (p->type >= PARAM_CHOICE) return typed;
    const locale_t host = text_c_locale();
    if (p->type == PARAM_INT) snprintf(number, 40, "%lld", (long long)parsed->integer);
    if (p->type == PARAM_REAL) snprintf(number, 40, "%.12g", parsed->real);
    if (p->type == PARAM_FLAG) snprintf(number, 40, "%s", parsed->integer ? "true" : "false");
    text_host_locale(host);
    return number;
}

int params_set(struct params *p, const char *key, const char *value, struct err *e)
{
    const struct param *param = param_find(p->table, key);
    if (!param) return unknown_key(p, key, e);
    struct value parsed;
    const int status = parse(param, p->who, value, &parsed, e);
    if (status != ERR_OK) return status;
    char number[40];
    parsed.text = strdup(spell(param, &parsed, value, number));
    if (!parsed.text) return FAIL(e, ERR_MEM, "%s: no memory for %s", p->who, key);
    struct value *slot = &p->values[param - p->table];
    free(slot->text);
    *slot = parsed;
    return ERR_OK;
}

/* The end of a value that starts at `at`: the next ',' outside parentheses; NULL: unbalanced. */
static const char *value_end(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        if (*at == '(') depth++;
        if (*at == ')' && --depth < 0) return NULL;
        if (*at == ',' && depth == 0) break;
    }
    return depth == 0 ? at : NULL;
}

static int set_all(struct params *p, const char *args, struct err *e)
{
    while (args && *args) {
        char pair[VALUE_MAX];
        const char *end = value_end(args);
        if (!end) return FAIL(e, ERR_ARG, "%s: parentheses do not balance in '%s'", p->who, args);
        const size_t size = (size_t)(end - args);
        if (size >= sizeof pair)
            return FAIL(e, ERR_ARG, "%s: a value of %zu characters, at most %zu", p->who, size, sizeof pair - 1);
        memcpy(pair, args, size);
        pair[size] = 0;
        char *value = strchr(pair, '=');
        if (!value) return FAIL(e, ERR_ARG, "%s: '%s' is not key=value", p->who, pair);
        *value++ = 0;
        const size_t length = strlen(value);
        if (length >= 2 && value[0] == '(' && value[length - 1] == ')') {
            value[length - 1] = 0;
            value++;
        }
        const int status = params_set(p, pair, value, e);
        if (status != ERR_OK) return status;
        args = *end ? end + 1 : NULL;
    }
    return ERR_OK;
}

int params_create(struct params **out, const struct param *table, const char *who, const char *args, struct err *e)
{
    struct params *p = mem_zero(1, sizeof *p);
    if (!p) return FAIL(e, ERR_MEM, "%s: no memory for parameters", who);
    p->table = table ? table : no_params;
    p->count = table_count(p->table);
    p->who = strdup(who);
    p->values = mem_zero(p->count, sizeof *p->values);
    int status = ERR_OK;
    if (!p->who || !p->values) status = FAIL(e, ERR_MEM, "%s: no memory for parameters", who);
    for (size_t i = 0; status == ERR_OK && i < p->count; i++)
        status = params_set(p, p->table[i].name, p->table[i].usual, e);
    if (status == ERR_OK) status = set_all(p, args, e);
    if (status == ERR_OK) *out = p;
    else params_destroy(p);
    return status;
}

int params_are_of(const struct params *p, const struct param *table) { return p->table == table; }

int params_equal_but(const struct params *a, const struct params *b, const char *but)
{
    if (a->table != b->table || strcmp(a->who, b->who) != 0) return 0;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->table[i].name, but) != 0 && strcmp(a->values[i].text, b->values[i].text) != 0) return 0;
    return 1;
}

void params_destroy(struct params *p)
{
    if (!p) return;
    for (size_t i = 0; p->values && i < p->count; i++) free(p->values[i].text);
    mem_free(p->values);
    free(p->who);
    mem_free(p);
}

static const struct value *value_of(const struct params *p, const char *name, const struct param **param)
{
    *param = param_find(p->table, name);
    assert(*param != NULL);
    return &p->values[*param - p->table];
}

int64_t params_int(const struct params *p, const char *name)
{
    const struct param *param;
    const struct value *v = value_of(p, name, &param);
    assert(param->type == PARAM_INT || param->type == PARAM_FLAG || param->type == PARAM_CHOICE);
    return v->integer;
}

double params_real(const struct params *p, const char *name)
{
    const struct param *param;
    const struct value *v = value_of(p, name, &param);
    assert(param->type == PARAM_REAL);
    return v->real;
}

const char *params_text(const struct params *p, const char *name)
{
    const struct param *param;
    return value_of(p, name, &param)->text;
}

void params_canonical(const struct params *p, struct text *out)
{
    char separator = ':';
    text_add(out, "%s", p->who);
    for (size_t i = 0; i < p->count; i++) {
        const struct param *param = &p->table[i];
        struct value usual;
        char number[40];
        if (parse(param, p->who, param->usual, &usual, NULL) != ERR_OK) {
            out->failed = 1;
            return;
        }
        if (strcmp(p->values[i].text, spell(param, &usual, param->usual, number)) == 0) continue;
        const char *format = param->type == PARAM_SPEC ? "%c%s=(%s)" : "%c%s=%s";
        text_add(out, format, separator, param->name, p->values[i].text);
        separator = ',';
    }
}

static const char *bounds_text(const struct param *p, char *buffer, size_t size)
{
    switch (p->type) {
    case PARAM_INT: snprintf(buffer, size, "%.0f..%.0f", p->least, p->most); break;
    case PARAM_REAL: snprintf(buffer, size, "%g..%g", p->least, p->most); break;
    case PARAM_FLAG: return "true|false";
    case PARAM_CHOICE: return p->choices;
    case PARAM_SPEC: return "(SPEC)";
    case PARAM_TEXT: return "TEXT";
    }
    return buffer;
}

void params_help(const struct param *table, struct text *out)
{
    for (const struct param *p = table; p && p->name; p++) {
        char bounds[64];
        text_add(out, "  %-20s %-28s default %-10s %s%s%s%s\n", p->name, bounds_text(p, bounds, sizeof bounds),
                 p->usual, p->help, *p->unit ? " [" : "", p->unit, *p->unit ? "]" : "");
    }
}

int spec_split(const char *spec, char *name, size_t name_size, const char **args, struct err *e)
{
    const char *colon = strchr(spec, ':');
    const size_t size = colon ? (size_t)(colon - spec) : strlen(spec);
    if (size == 0) return FAIL(e, ERR_ARG, "'%s': a spec is name[:key=value,...]", spec);
    if (size >= name_size) return FAIL(e, ERR_ARG, "'%s': a name of more than %zu characters", spec, name_size - 1);
    memcpy(name, spec, size);
    name[size] = 0;
    *args = colon ? colon + 1 : NULL;
    return ERR_OK;
}

/* The first "=A..B" of integers in spec: bounds, and where the text A..B starts and ends. */
static int find_range(const char *spec, const char **start, const char **end, long long *from, long long *to)
{
    for (const char *dots = strstr(spec, ".."); dots; dots = strstr(dots + 1, "..")) {
        const char *a = dots, *b = dots + 2;
        while (a > spec && isdigit((unsigned char)a[-1])) a--;
        while (isdigit((unsigned char)*b)) b++;
        if (a == dots || b == dots + 2 || a == spec || a[-1] != '=') continue;
        if (*b && *b != ',' && *b != ')') continue;
        *start = a;
        *end = b;
        *from = strtoll(a, NULL, 10);
        *to = strtoll(dots + 2, NULL, 10);
        return 1;
    }
    return 0;
}

int spec_says(const char *spec, const char *key, int inside)
{
    const size_t size = strlen(key);
    int depth = 0;
    for (const char *c = spec; *c; c++) {
        if (*c == '(') depth++;
        if (*c == ')') depth--;
        const int starts = c > spec && strchr(":,(", c[-1]) && strncmp(c, key, size) == 0 && c[size] == '=';
        if (starts && (depth == 0 || inside)) return 1;
    }
    return 0;
}

/* How many specs the ranges stand for; 0: too many, or a range that is empty. */
static size_t expansions(const char *spec)
{
    const char *start, *end;
    long long from, to, more;
    size_t count = 1;
    while (find_range(spec, &start, &end, &from, &to)) {
        if (from > to || __builtin_sub_overflow(to, from, &more) || more >= SPEC_EXPANSIONS_MAX) return 0;
        count *= (size_t)more + 1;
        if (count > SPEC_EXPANSIONS_MAX) return 0;
        spec = end;
    }
    return count;
}

static int expand(const char *spec, int (*each)(const char *spec, void *context), void *context, struct err *e)
{
    const char *start, *end;
    long long from, to;
    if (!find_range(spec, &start, &end, &from, &to)) return each(spec, context);
    int status = ERR_OK;
    for (long long v = from; v <= to && status == ERR_OK; v++) {
        struct text one = { 0 };
        text_add(&one, "%.*s%lld%s", (int)(start - spec), spec, v, end);
        status = one.failed ? FAIL(e, ERR_MEM, "no memory for '%s'", spec)
                            : expand(text_of(&one), each, context, e);
        text_free(&one);
    }
    return status;
}

int spec_expand(const char *spec, int (*each)(const char *spec, void *context), void *context, struct err *e)
{
    if (expansions(spec) == 0)
        return FAIL(e, ERR_ARG, "'%.200s': a range is empty, or there are more than %d specs in it", spec,
                    SPEC_EXPANSIONS_MAX);
    return expand(spec, each, context, e);
}
