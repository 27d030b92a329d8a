/* SPDX-License-Identifier: MIT
 * results.c - groups and points of a file of rows, what they measured and what they are called. */
#include "bench/report/results.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_WHOLE = 3 }; /* settings that a name tells, usual or not */

/* --- values ------------------------------------------------------------------------------------- */

int table_end_column(const struct table *t, const char *column, const char *end)
{
    const char *unit = strrchr(column, '_');
    char name[96];
    snprintf(name, sizeof name, "%s_%s", column, end);
    const int found = table_column(t, name);
    if (found >= 0 || !unit) return found;
    snprintf(name, sizeof name, "%.*s_%s%s", (int)(unit - column), column, end, unit);
    return table_column(t, name);
}

struct value table_value(const struct table *t, size_t row, const char *column)
{
    return (struct value){ table_number(t, row, table_column(t, column)),
                           table_number(t, row, table_end_column(t, column, "lo")),
                           table_number(t, row, table_end_column(t, column, "hi")) };
}

struct value result_value(const struct result_group *g, const struct result_point *p, const char *column)
{
    const int columns[3] = { table_column(g->t, column), table_end_column(g->t, column, "lo"),
                             table_end_column(g->t, column, "hi") };
    double mean[3];
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        size_t have = 0;
        for (size_t i = 0; i < p->count; i++) {
            const double value = table_number(g->t, p->rows[i], columns[c]);
            if (isfinite(value)) sum += value, have++;
        }
        mean[c] = have ? sum / (double)have : (double)NAN;
    }
    return (struct value){ mean[0], mean[1], mean[2] };
}

static const char *cell(const struct table *t, size_t row, const char *column)
{
    return table_text(t, row, table_column(t, column));
}

/* --- groups ------------------------------------------------------------------------------------- */

static uint64_t group_key(const struct table *t, size_t row)
{
    static const char *const same[] = { "dataset", "data", "machine", "k" };
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const char *value = cell(t, row, same[i]);
        key = hash64(key, value, strlen(value) + 1);
    }
    return key;
}

struct keyed { uint64_t group, id; size_t row; };

static int by_key(const void *a, const void *b)
{
    const struct keyed *p = a, *q = b;
    if (p->group != q->group) return p->group < q->group ? -1 : 1;
    if (p->id != q->id) return p->id < q->id ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

static int by_first_row(const void *a, const void *b)
{
    const struct result_point *p = a, *q = b;
    return (p->rows[0] > q->rows[0]) - (p->rows[0] < q->rows[0]);
}

static int has_values(const struct result_group *g, const char *column)
{
    const int c = table_column(g->t, column);
    for (size_t i = 0; c >= 0 && i < g->row_count; i++)
        if (isfinite(table_number(g->t, g->rows[i], c))) return 1;
    return 0;
}

/* A plain index is its spec, which tells its parameters; a pipeline has them as settings of its own. */
static int is_of_name(const struct result_group *g, size_t column)
{
    const struct table *t = g->t;
    const char *name = t->names[column];
    if (!figure_is_setting(t, column) || strcmp(name, "data") == 0) return 0;
    if (g->is_pipeline) return strcmp(name, "index") != 0 || table_column(t, "bit_width") < 0;
    return (column_role(name) == COLUMN_SETTING && strcmp(name, "bits") != 0) || figure_is_callers(name);
}

/* The commonest value of a column among the points, the first of equals; *is_clear: no other is as common.  Of many points
 * the first few hundred tell. */
static const char *commonest(const struct result_group *g, size_t column, int *is_clear)
{
    const size_t asked = g->count < 300 ? g->count : 300;
    const char *best = "";
    size_t most = 0;
    for (size_t i = 0; i < asked; i++) {
        const char *value = table_text(g->t, g->points[i].rows[0], (int)column);
        size_t count = 0;
        for (size_t j = 0; j < asked; j++) count += strcmp(value, table_text(g->t, g->points[j].rows[0], (int)column)) == 0;
        if (count == most && strcmp(value, best) != 0) *is_clear = 0;
        if (count > most) best = value, most = count, *is_clear = 1;
        if (count * 2 > asked) break;
    }
    return best;
}

static int describe(struct result_group *g)
{
    static const char *const decide[] = { "label_ndcg_at_10", "agree_at_10", "recall_strict", NULL };
    g->is_pipeline = has_values(g, "agree_at_10") || has_values(g, "t_score_us");
    for (size_t i = 0; decide[i] && !g->by; i++)
        if (has_values(g, decide[i])) g->by = decide[i];
    g->has_usual = 1;
    g->varies = mem_zero(g->t->columns, 1);
    g->usual = mem_zero(g->t->columns, sizeof *g->usual);
    if (!g->varies || !g->usual) return 0;
    for (size_t c = 0; c < g->t->columns; c++) {
        if (!is_of_name(g, c)) continue;
        for (size_t i = 1; i < g->count && !g->varies[c]; i++)
            g->varies[c] = strcmp(table_text(g->t, g->points[0].rows[0], (int)c),
                                  table_text(g->t, g->points[i].rows[0], (int)c)) != 0;
        g->varying += g->varies[c];
        int is_clear = 1;
        if (g->varies[c]) g->usual[c] = commonest(g, c, &is_clear);
        g->has_usual &= is_clear;
    }
    return 1;
}

/* A group of keyed rows; 0: no memory. */
static int group_init(struct result_group *g, const struct keyed *rows, size_t count)
{
    g->rows = mem_alloc(count, sizeof *g->rows);
    g->points = mem_zero(count, sizeof *g->points);
    if (!g->rows || !g->points) return 0;
    g->row_count = count;
    for (size_t i = 0; i < count; i++) {
        g->rows[i] = rows[i].row;
        if (i == 0 || rows[i].id != rows[i - 1].id)
            g->points[g->count++] = (struct result_point){ .id = rows[i].id, .rows = &g->rows[i] };
        g->points[g->count - 1].count++;
    }
    qsort(g->points, g->count, sizeof *g->points, by_first_row);
    return describe(g);
}

static int by_first_point(const void *a, const void *b)
{
    const struct result_group *p = a, *q = b;
    return (p->points[0].rows[0] > q->points[0].rows[0]) - (p->points[0].rows[0] < q->points[0].rows[0]);
}

int results_init(struct results *r, const struct table *t, const char *folder, struct err *e)
{
    *r = (struct results){ .is_parts = table_column(t, "lid_quintile") >= 0 || table_column(t, "churn_pct") >= 0 };
    if (table_column(t, "point_id") < 0) return ERR_OK;
    struct keyed *keyed = mem_alloc(t->count, sizeof *keyed);
    size_t count = 0;
    int whole = keyed != NULL;
    for (size_t row = 0; whole && row < t->count; row++)
        if (strcmp(cell(t, row, "status"), "ok") == 0)
            keyed[count++] = (struct keyed){ group_key(t, row), figure_point_id(t, row), row };
    if (count) qsort(keyed, count, sizeof *keyed, by_key);
    for (size_t first = 0, next; whole && first < count; first = next) {
        for (next = first + 1; next < count && keyed[next].group == keyed[first].group;) next++;
        whole = mem_extend(&r->groups, r->count, r->count + 1, sizeof *r->groups);
        if (!whole) break;
        r->groups[r->count++] = (struct result_group){ .t = t, .folder = folder };
        whole = group_init(&r->groups[r->count - 1], keyed + first, next - first);
    }
    mem_free(keyed);
    if (!whole) {
        results_free(r);
        return FAIL(e, ERR_MEM, "no memory for the points of a report");
    }
    if (r->count) qsort(r->groups, r->count, sizeof *r->groups, by_first_point);
    return ERR_OK;
}

void results_free(struct results *r)
{
    for (size_t i = 0; i < r->count; i++) {
        mem_free(r->groups[i].rows);
        mem_free(r->groups[i].points);
        mem_free(r->groups[i].varies);
        mem_free(r->groups[i].usual);
    }
    mem_free(r->groups);
    *r = (struct results){ 0 };
}

/* --- names -------------------------------------------------------------------------------------- */

static void add_setting(struct text *out, const char *name, const char *value)
{
    if (!*value || (strcmp(name, "rerank") == 0 && strcmp(value, "0") == 0)) return;
    if (out->size) text_add(out, " ");
    if (strcmp(name, "index") != 0) text_add(out, "%s=", name);
    text_add(out, "%s", value);
}

void result_name(const struct result_group *g, const struct result_point *p, struct text *out)
{
    struct text name = { 0 };
    const int is_whole = g->varying <= NAMED_WHOLE || !g->is_pipeline || !g->has_usual;
    for (size_t c = 0; c < g->t->columns; c++) {
        if (!g->varies[c]) continue;
        const char *value = table_text(g->t, p->rows[0], (int)c);
        if (is_whole || strcmp(value, g->usual[c]) != 0) add_setting(&name, g->t->names[c], value);
    }
    if (!name.size && !g->varying) add_setting(&name, "index", cell(g->t, p->rows[0], "index"));
    text_add(out, "%s", name.size ? text_of(&name) : "usual settings");
    text_free(&name);
}

void result_usual(const struct result_group *g, struct text *out)
{
    for (size_t c = 0; c < g->t->columns; c++)
        if (g->varies[c]) add_setting(out, g->t->names[c], g->usual[c]);
}

const struct result_point *result_usual_point(const struct result_group *g)
{
    for (size_t i = 0; g->has_usual && i < g->count; i++) {
        int is_usual = 1;
        for (size_t c = 0; c < g->t->columns && is_usual; c++)
            is_usual = !g->varies[c] || strcmp(table_text(g->t, g->points[i].rows[0], (int)c), g->usual[c]) == 0;
        if (is_usual) return &g->points[i];
    }
    return NULL;
}

void result_data(const struct result_group *g, struct text *out)
{
    const char *name = cell(g->t, g->points[0].rows[0], "dataset");
    text_add(out, "%.*s", (int)strcspn(name, "/"), name);
}
