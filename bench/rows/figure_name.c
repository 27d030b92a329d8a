/* SPDX-License-Identifier: MIT
 * figure_name.c - what series are called: only what tells them apart. */
#define _GNU_SOURCE /* strverscmp */
#include "bench/rows/figure.h"
#include "bench/rows/figure_inside.h"
#include "index/index.h"
#include "kernels/base/mem.h"
#include <stdlib.h>
#include <string.h>

/* Another program's answers are called by the file, without its folders. */
static void add_external(struct text *out, const char *value)
{
    value += strcspn(value, "=:") + 1;
    if (strncmp(value, "file=", 5) == 0) value += 5;
    const size_t size = strcspn(value, ",");
    size_t name = size;
    while (name > 0 && value[name - 1] != '/') name--;
    text_add(out, "%.*s (external)", (int)(size - name), value + name);
}

/* "ivf:nlist=9,inner=(rabitq:bits=8)" is ivf(rabitq); of a peer all but what follows ';' is its name. */
static void add_method(struct text *out, const char *name, const char *value)
{
    static const char inner[] = "inner=(", peer[] = "peer:lib=";
    if (strcmp(name, "rerank") == 0) {
        text_add(out, "%s", *value && strcmp(value, "0") != 0 ? " + exact rerank" : "");
        return;
    }
    if (strncmp(value, EXTERNAL, strlen(EXTERNAL)) == 0) {
        add_external(out, value);
        return;
    }
    if (strncmp(value, peer, strlen(peer)) == 0) {
        value += strlen(peer);
        const size_t library = strcspn(value, ":");
        const int is_factory = value[library] && !strchr(value, '=') ? 1 : strchr(value, ';') != NULL;
        text_add(out, "%.*s%s", (int)(is_factory ? strcspn(value, ";") : library), value,
                 is_factory && strchr(value, ';') ? ")" : "");
        return;
    }
    char index[64];
    snprintf(index, sizeof index, "%.*s", (int)strcspn(value, ":"), value);
    text_add(out, "%s", index);
    const struct index_ops *ops = index_find(index);
    const struct param *p = ops ? param_find(ops->params, "inner") : NULL;
    const char *at = strstr(value, inner);
    if (at || p) at = at ? at + strlen(inner) : p->usual;
    if (at) text_add(out, "(%.*s)", (int)strcspn(at, ":,)"), at);
}

/* A setting as it tells series apart: an index spec loses the parameters that vary along the line.
 */
void figure_add_value(struct text *out, const struct view *v, const char *name, const char *value)
{
    if (v->k->levels && strcmp(name, "dataset") == 0) {
        figure_add_dataset(out, v->t, table_column(v->t, name), value, ' ');
        text_add(out, ": ");
        return;
    }
    if (v->k->levels) {
        add_method(out, name, value);
        return;
    }
    if (strcmp(name, "index") != 0) {
        const int is_flag = v->k->method && strcmp(name, "rerank") == 0;
        text_add(out, "%s", !is_flag ? value : *value && strcmp(value, "0") != 0 ? "exact rerank" : "");
        return;
    }
    if (strncmp(value, "peer:lib=", 9) == 0) value += 9;
    if (strncmp(value, EXTERNAL, strlen(EXTERNAL)) == 0) {
        add_external(out, value);
        return;
    }
    const size_t before = out->size;
    for (const char *at = value; *at;) { /* pieces end at , ( ) : and keep their end */
        const size_t size = strcspn(at, ",():"), key = strcspn(at, "=");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)(key < size ? key : 0), at);
        const int varies = *word && (figure_in_list(v->k->along, word) || figure_in_list(v->k->x, word) ||
                                     (v->pipeline && strcmp(word, "bits") == 0));
        const size_t whole = size + (at[size] != 0);
        if (!varies) text_add_bytes(out, at, whole);
        if (varies &&
            at[size] != ',') { /* the last of its list: so is the comma or colon before it */
            while (out->size && strchr(",:", out->at[out->size - 1])) out->at[--out->size] = 0;
            text_add_bytes(out, at + size, whole - size);
        }
        at += whole;
    }
    if (out->size > before + 3 && memcmp(out->at + out->size - 3, ":()", 3) == 0) out->at[out->size -= 3] = 0;
}

/* A library that was built for any CPU: its recall is right, its speed is an artefact. */
static int is_generic(const struct table *t, size_t row)
{
    return strstr(table_text(t, row, table_column(t, "kernel_used")), "peer_isa=generic") != NULL;
}

enum series_mark figure_mark_of(const struct table *t, size_t row)
{
    const char *index = table_text(t, row, table_column(t, "index"));
    const int recorded = strcmp(table_text(t, row, table_column(t, "machine")), RECORDED) == 0;
    return recorded || strncmp(index, EXTERNAL, strlen(EXTERNAL)) == 0 || is_generic(t, row) ? SERIES_FOREIGN
                                                                            : SERIES_OURS;
}

/* Which settings differ among our series: they make the labels.  -1: no memory to know. */
static int differs(const struct view *v, const struct figure *f, size_t c)
{
    struct text first = { 0 }, other = { 0 };
    int found = 0;
    for (size_t i = 0; i < f->count && found == 0 && f->series[i].mark == SERIES_OURS; i++) {
        struct text *to = i ? &other : &first;
        text_clear(to);
        figure_add_value(to, v, v->t->names[c], table_text(v->t, f->series[i].row, (int)c));
        found = to->failed ? -1 : i && strcmp(text_of(&first), text_of(&other)) != 0;
    }
    text_free(&first);
    text_free(&other);
    return found;
}

/* "turboquant, 3 bits, graph_depth=1, exact rerank" */
static void add_setting(struct text *label, const struct view *v, const char *name, const struct text *value)
{
    const int is_index = strcmp(name, "index") == 0 || (v->k->method && strcmp(name, "rerank") == 0);
    const int is_bits = strcmp(name, "bits") == 0 || strcmp(name, "bit_width") == 0;
    if (!value->size) return;
    if (label->size) text_add(label, ", ");
    if (is_bits) text_add(label, "%s bit%s", text_of(value), strcmp(text_of(value), "1") == 0 ? "" : "s");
    else text_add(label, is_index ? "%s%s" : "%s=%s", is_index ? "" : name, text_of(value));
}

/* "turboquant, 3 bits" where the bits do not vary along the line. */
static void add_index(struct text *out, const struct view *v, size_t row)
{
    struct figure_kind kind = *v->k;
    struct view plain = *v;
    const char *bits = table_text(v->t, row, table_column(v->t, "bits"));
    const int varies = figure_in_list(v->k->along, "bits") || figure_in_list(v->k->x, "bits");
    const char *spec = table_text(v->t, row, table_column(v->t, "index"));
    if (!varies && strstr(spec, "bits=")) kind.along = "bits";
    plain.k = &kind;
    figure_add_value(out, &plain, "index", spec);
    if (!varies && strstr(spec, "bits=") && *bits) text_add(out, ", %s bit%s", bits, strcmp(bits, "1") == 0 ? "" : "s");
}

static void add_label(struct series *series, const struct view *v, const struct selection *s,
                      const char *differing)
{
    const struct table *t = v->t;
    const int bars = !v->k->x;
    struct text *label = &series->label;
    if (v->k->by) { /* the axis says what */
        text_add(label, "%s", table_text(t, series->row, table_column(t, v->k->by)));
        return;
    }
    for (size_t c = 0; v->k->levels && c < t->columns; c++)
        if (v->apart[c]) figure_add_value(label, v, t->names[c], table_text(t, series->row, (int)c));
    for (size_t c = 0; c < t->columns; c++) {
        if (!differing[c] || series->mark != SERIES_OURS || v->k->levels) continue;
        const char *name = t->names[c], *value = table_text(t, series->row, (int)c);
        if (bars && strcmp(value, figure_usual_value(t, s, (int)c)) == 0)
            continue; /* bars: what is unusual */
        struct text said = { 0 };
        const int is_index = strcmp(name, "index") == 0 && !v->pipeline;
        if (is_index) add_index(&said, v, series->row);
        else figure_add_value(&said, v, name, value);
        add_setting(label, v, name, &said);
        text_free(&said);
    }
    if (label->size == 0) {
        const char *index = table_text(t, series->row, table_column(t, "index"));
        if (*index && !bars)
            figure_add_value(label, v, "index", index);
        else
            text_add(label, "defaults");
    }
    if (strcmp(table_text(t, series->row, table_column(t, "machine")), RECORDED) == 0)
        text_add(label, " (" RECORDED ")");
    if (is_generic(t, series->row)) text_add(label, " (generic build)");
}

static int by_label(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    if (p->mark != q->mark) return (int)p->mark - (int)q->mark;
    const char *s = text_of(&p->label), *t = text_of(&q->label);
    return strcmp(s, t) == 0            ? 0
           : strcmp(s, "defaults") == 0 ? -1
           : strcmp(t, "defaults") == 0 ? 1
                                        : strverscmp(s, t);
}

static int by_mark(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    return p->mark != q->mark ? (int)p->mark - (int)q->mark : (p->row > q->row) - (p->row < q->row);
}

/* The fastest first, by what the lowest level allows. */
static int by_level(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    const double x = p->points[0].y[0].at, y = q->points[0].y[0].at;
    return (x < y) - (x > y);
}

/* Set by set: the set is what the key begins with. */
static int by_set_and_level(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    const char *s = text_of(&p->key), *t = text_of(&q->key);
    const size_t size = strcspn(s, "\n"), other = strcspn(t, "\n");
    return size == other && memcmp(s, t, size) == 0 ? by_level(a, b) : strverscmp(s, t);
}

int figure_is_across_sets(const struct figure_kind *k) { return k->levels && figure_in_list(k->across, "dataset"); }

int figure_label_series(const struct view *v, struct figure *f, const struct selection *s,
                        struct err *e)
{
    char *differing = mem_zero(v->t->columns, 1);
    int ok = differing != NULL;
    qsort(f->series, f->count, sizeof *f->series, by_mark);
    for (size_t c = 0; ok && c < v->t->columns; c++) {
        const int beside_others = strcmp(v->t->names[c], "index") == 0 && f->count &&
                                  f->series[f->count - 1].mark == SERIES_FOREIGN;
        const int found = !v->apart[c] ? 0 : beside_others ? 1 : differs(v, f, c);
        differing[c] = (char)(found > 0);
        ok = found >= 0;
    }
    for (size_t i = 0; ok && i < f->count; i++) {
        add_label(&f->series[i], v, s, differing);
        ok = !f->series[i].label.failed;
    }
    mem_free(differing);
    qsort(f->series, f->count, sizeof *f->series, figure_is_across_sets(v->k) ? by_set_and_level : v->k->levels ? by_level : by_label);
    return ok ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", v->k->name);
}
