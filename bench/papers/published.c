/* SPDX-License-Identifier: MIT
 * published.c - reads the table of a paper's numbers, strictly. */
#include "bench/papers/published.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <math.h>
#include <string.h>

enum { ITEM, CLASS, CELL, VALUE, DIGIT, UNIT, HOW, WHERE, RULE, TOLERANCE, WHY, FIELDS };
static const char *const fields[FIELDS] = { "item", "class", "cell",  "value", "digit",     "unit",
                                            "how",  "where", "rule", "tolerance", "why" };
static const char *const classes[] = { "R", "T", "X" };
static const char *const rules[] = { "within", "at_least", "at_most", "direction", "shape" };
static const char *const hows[] = { "printed", "figure", "code", "secondary" };

const char *paper_class_name(enum paper_class c) { return classes[c]; }
const char *paper_rule_name(enum paper_rule r) { return rules[r]; }

/* --- cells --------------------------------------------------------------------------------------- */

static size_t pair_size(const char *at) { return strcspn(at, ";"); }

static const char *next_pair(const char *at)
{
    at += pair_size(at);
    return *at ? at + 1 : at;
}

int cell_in(const char *part, const char *whole)
{
    for (; *part; part = next_pair(part)) {
        const char *at = whole;
        while (*at && (pair_size(at) != pair_size(part) || memcmp(at, part, pair_size(part)) != 0)) at = next_pair(at);
        if (!*at) return 0;
    }
    return 1;
}

static int is_key(const char *pair, const char *key)
{
    const size_t size = strlen(key);
    return strncmp(pair, key, size) == 0 && pair[size] == '=';
}

int cell_get(const char *cell, const char *key, char *out, size_t size)
{
    out[0] = 0;
    for (; *cell; cell = next_pair(cell))
        if (is_key(cell, key)) {
            const size_t skip = strlen(key) + 1;
            snprintf(out, size, "%.*s", (int)(pair_size(cell) - skip), cell + skip);
            return 1;
        }
    return 0;
}

void cell_without(const char *cell, const char *const *keys, size_t count, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (; *cell; cell = next_pair(cell)) {
        size_t i = 0;
        while (i < count && !(keys[i] && is_key(cell, keys[i]))) i++;
        if (i == count && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ";" : "", (int)pair_size(cell), cell);
    }
}

void cell_beside(const char *cell, const char *other, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (; *cell; cell = next_pair(cell)) {
        const size_t key = strcspn(cell, "=") + 1;
        const char *at = other;
        while (*at && strncmp(at, cell, key) != 0) at = next_pair(at);
        if (!*at && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ";" : "", (int)pair_size(cell), cell);
    }
}

/* --- lines ---------------------------------------------------------------------------------------- */

struct reading {
    const char *file;
    size_t number;
    char *cells[FIELDS];
};

static int bad(const struct reading *r, int field, const char *why, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s:%zu: %s '%s': %s", r->file, r->number, fields[field], r->cells[field], why);
}

/* Cuts a line at its tabs; "-" is an empty field. */
static int cut(struct reading *r, char *line, struct err *e)
{
    size_t count = 0;
    for (char *at = line; at; count++) {
        char *tab = strchr(at, '\t');
        if (tab) *tab = 0;
        if (count < FIELDS) r->cells[count] = strcmp(at, "-") == 0 ? at + 1 : at;
        at = tab ? tab + 1 : NULL;
    }
    return count == FIELDS ? ERR_OK : FAIL(e, ERR_FORMAT, "%s:%zu: %zu fields where the header has %d", r->file, r->number,
                                           count, FIELDS);
}

static int choice(const struct reading *r, int field, const char *const *names, size_t count, int *out, struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(r->cells[field], names[i]) == 0) {
            *out = (int)i;
            return ERR_OK;
        }
    return FAIL(e, ERR_FORMAT, "%s:%zu: %s '%s': unknown%s", r->file, r->number, fields[field], r->cells[field],
                NEAREST(r->cells[field], names, count));
}

static int number(const struct reading *r, int field, double least, double *out, struct err *e)
{
    if (!text_to_f64(r->cells[field], out) || !isfinite(*out)) return bad(r, field, "no number", e);
    return *out >= least ? ERR_OK : bad(r, field, "less than 0", e);
}

static int read_cell(const struct reading *r, struct err *e)
{
    for (const char *at = r->cells[CELL]; *at; at = next_pair(at)) {
        const char *equals = memchr(at, '=', pair_size(at));
        if (!equals || equals == at) return bad(r, CELL, "not key=value;key=value", e);
    }
    return *r->cells[CELL] ? ERR_OK : bad(r, CELL, "which number is it?", e);
}

static int read_impossible(const struct reading *r, struct err *e)
{
    for (int i = CELL; i <= TOLERANCE; i++)
        if (i != WHERE && *r->cells[i]) return bad(r, i, "class X has none", e);
    return *r->cells[WHY] ? ERR_OK : bad(r, WHY, "class X gives its reason", e);
}

static int read_line(struct reading *r, struct paper_line *out, struct err *e)
{
    int class = 0, rule = 0, how = 0;
    int status = choice(r, CLASS, classes, sizeof classes / sizeof *classes, &class, e);
    if (status != ERR_OK) return status;
    if (!*r->cells[ITEM]) return bad(r, ITEM, "no name", e);
    *out = (struct paper_line){ r->cells[ITEM], r->cells[CELL], r->cells[UNIT], r->cells[HOW],
                                r->cells[WHERE], r->cells[WHY], (enum paper_class)class, PAPER_WITHIN,
                                (double)NAN, (double)NAN, (double)NAN, r->number };
    if (class == PAPER_X) return read_impossible(r, e);
    status = read_cell(r, e);
    if (status == ERR_OK) status = number(r, VALUE, (double)-INFINITY, &out->value, e);
    if (status == ERR_OK) status = number(r, DIGIT, 0, &out->digit, e);
    if (status == ERR_OK) status = number(r, TOLERANCE, 0, &out->tolerance, e);
    if (status == ERR_OK) status = choice(r, HOW, hows, sizeof hows / sizeof *hows, &how, e);
    if (status == ERR_OK) status = choice(r, RULE, rules, sizeof rules / sizeof *rules, &rule, e);
    if (status == ERR_OK && !*r->cells[WHERE]) status = bad(r, WHERE, "no source", e);
    if (status == ERR_OK && class == PAPER_T && rule == PAPER_WITHIN)
        status = bad(r, RULE, "numbers of other data are not compared (class T)", e);
    if (status == ERR_OK && rule == PAPER_DIRECTION && out->value == 0)
        status = bad(r, VALUE, "0 is no direction", e);
    out->rule = (enum paper_rule)rule;
    return status;
}

int paper_table_read(struct paper_table *t, const char *file, const char *text, struct err *e)
{
    *t = (struct paper_table){ .text = mem_alloc(strlen(text) + 1, 1) };
    size_t room = 1;
    for (const char *c = text; *c; c++) room += *c == '\n';
    t->lines = mem_zero(room, sizeof *t->lines);
    int status = t->text && t->lines ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %s", file);
    struct reading r = { .file = file };
    char *at = t->text;
    if (status == ERR_OK) memcpy(t->text, text, strlen(text) + 1);
    while (status == ERR_OK && *at) {
        char *line = at;
        at += strcspn(at, "\n");
        if (*at) *at++ = 0;
        r.number++;
        status = cut(&r, line, e);
        for (int i = 0; status == ERR_OK && r.number == 1 && i < FIELDS; i++)
            if (strcmp(r.cells[i], fields[i]) != 0)
                status = FAIL(e, ERR_FORMAT, "%s:1: column '%s' where '%s' belongs", file, r.cells[i], fields[i]);
        if (status == ERR_OK && r.number > 1) status = read_line(&r, &t->lines[t->count], e);
        t->count += status == ERR_OK && r.number > 1;
    }
    if (status == ERR_OK && r.number == 0) status = FAIL(e, ERR_FORMAT, "%s: empty", file);
    if (status != ERR_OK) paper_table_free(t);
    return status;
}

void paper_table_free(struct paper_table *t)
{
    mem_free(t->lines);
    mem_free(t->text);
    *t = (struct paper_table){ 0 };
}
