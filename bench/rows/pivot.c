/* SPDX-License-Identifier: MIT
 * pivot.c - which points make a cell, which cell is best, and which are not told from it. */
#include "bench/rows/pivot.h"
#include "bench/rows/pivot_inside.h"
#include "bench/quality/metric.h"
#include "bench/rows/contrast_inside.h"
#include "bench/rows/figure.h"
#include "bench/rows/figure_inside.h"
#include "bench/rows/pq.h"
#include "bench/rows/row.h"
#include "bench/time/paired.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double significant = 0.05;

static const char *cell(const struct pivot *p, size_t row, const char *column) { return contrast_cell(p->c, row, column); }

/* --- which rows ---------------------------------------------------------------------------------------------------- */
static int has_all(const struct contrast *c, const struct pivot_plan *plan, size_t row)
{
    const struct table *t = &c->table;
    const char *status = contrast_cell(c, row, "status");
    return (!*status || strcmp(status, "ok") == 0) && *contrast_cell(c, row, plan->rows) && *contrast_cell(c, row, plan->cols) &&
           isfinite(table_number(t, row, table_column(t, plan->value)));
}

static int comparable(const struct contrast *c, size_t a, size_t b)
{
    static const char *const same[] = { "dataset", "data", "machine", "k" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(contrast_cell(c, a, same[i]), contrast_cell(c, b, same[i])) != 0) return 0;
    return 1;
}

static int is_other_setting(const struct pivot *p, size_t column)
{
    const struct table *t = &p->c->table;
    const char *name = t->names[column];
    const int is_pipeline = *cell(p, p->rows[0], "agree_at_10") != 0;
    if (!figure_is_setting(t, column) || strcmp(name, p->plan->rows) == 0 || strcmp(name, p->plan->cols) == 0) return 0;
    if (strcmp(name, "index") == 0 || strcmp(name, "bits") == 0 || strcmp(name, "kernel_asked") == 0) return 0;
    return is_pipeline || column_role(name) == COLUMN_SETTING || figure_is_callers(name);
}

/* Leaves the rows whose other settings are the usual ones. */
static void keep_usual(struct pivot *p)
{
    const struct table *t = &p->c->table;
    for (size_t c = 0; c < t->columns; c++) {
        if (!is_other_setting(p, c)) continue;
        const struct selection s = { p->rows, p->row_count };
        const char *usual = figure_usual_value(t, &s, (int)c);
        size_t kept = 0;
        for (size_t i = 0; i < p->row_count; i++)
            if (strcmp(table_text(t, p->rows[i], (int)c), usual) == 0) p->rows[kept++] = p->rows[i];
        p->left_out += p->row_count - kept;
        p->row_count = kept;
    }
}

/* --- cells ---------------------------------------------------------------------------------------------------------- */
static void name_of(const struct pivot *p, size_t row, struct text *out)
{
    const struct figure_kind kind = { .along = p->plan->cols, .x = p->plan->cols };
    const struct view v = { .t = &p->c->table, .k = &kind };
    figure_add_value(out, &v, p->plan->rows, cell(p, row, p->plan->rows));
}

static int find_name(struct text **names, size_t *count, const char *name, size_t *at)
{
    for (*at = 0; *at < *count; ++*at)
        if (strcmp(text_of(&(*names)[*at]), name) == 0) return 1;
    if (!mem_extend(names, *count, *count + 1, sizeof **names)) return 0;
    text_add(&(*names)[*count], "%s", name);
    return !(*names)[(*count)++].failed;
}

static int by_number(const void *a, const void *b)
{
    const struct text *p = a, *q = b;
    double x, y;
    if (text_to_f64(text_of(p), &x) && text_to_f64(text_of(q), &y)) return (x > y) - (x < y);
    return strcmp(text_of(p), text_of(q));
}

static double column_number(const struct pivot *p, size_t row, const char *end)
{
    char name[80];
    const char *unit = strrchr(p->plan->value, '_');
    snprintf(name, sizeof name, "%.60s%s", p->plan->value, end);
    if (table_column(&p->c->table, name) < 0 && unit && *end)
        snprintf(name, sizeof name, "%.*s%s%.20s", (int)(unit - p->plan->value), p->plan->value, end, unit);
    return table_number(&p->c->table, row, table_column(&p->c->table, name));
}

/* Means over the rows of a cell; an interval is the mean of theirs. */
static void fill(struct pivot *p, size_t row, size_t column)
{
    struct pivot_cell *at = &p->cells[row * p->col_count + column];
    double lo = 0, hi = 0;
    for (size_t i = 0; i < p->row_count; i++) {
        struct text name = { 0 };
        name_of(p, p->rows[i], &name);
        const int here = strcmp(text_of(&name), text_of(&p->names[row])) == 0 &&
                         strcmp(cell(p, p->rows[i], p->plan->cols), text_of(&p->cols[column])) == 0;
        text_free(&name);
        if (!here) continue;
        if (!at->count++) at->row = p->rows[i];
        at->value += column_number(p, p->rows[i], "");
        lo += column_number(p, p->rows[i], "_lo");
        hi += column_number(p, p->rows[i], "_hi");
    }
    at->value /= (double)at->count; /* NaN: no row */
    at->lo = lo / (double)at->count;
    at->hi = hi / (double)at->count;
}

static int fill_all(struct pivot *p)
{
    for (size_t i = 0; i < p->row_count; i++) {
        struct text name = { 0 };
        size_t at;
        name_of(p, p->rows[i], &name);
        const int ok = find_name(&p->names, &p->name_count, text_of(&name), &at) &&
                       find_name(&p->cols, &p->col_count, cell(p, p->rows[i], p->plan->cols), &at);
        text_free(&name);
        if (!ok) return 0;
    }
    qsort(p->cols, p->col_count, sizeof *p->cols, by_number);
    p->cells = mem_zero(p->name_count * p->col_count + 1, sizeof *p->cells);
    for (size_t i = 0; p->cells && i < p->name_count; i++)
        for (size_t c = 0; c < p->col_count; c++) fill(p, i, c);
    return p->cells != NULL;
}

/* --- best and ties --------------------------------------------------------------------------------------------------- */
static int wants_less(const struct pivot *p)
{
    const struct metric_ops *metric = metric_find(p->plan->value);
    if (metric) return metric->better == METRIC_LESS;
    return strcmp(p->plan->value, "qps") != 0; /* times and bytes */
}

/* p of the paired test of two points over their queries; NaN: a file is missing. */
static double paired(const struct pivot *p, size_t a, size_t b)
{
    struct pq x = { 0 }, y = { 0 };
    double result = (double)NAN;
    if (pq_read(&x, contrast_folder(p->c, a), cell(p, a, "point_id"), NULL) == ERR_OK &&
        pq_read(&y, contrast_folder(p->c, b), cell(p, b, "point_id"), NULL) == ERR_OK && x.query_count == y.query_count) {
        const double *u = pq_column(&x, p->plan->value), *v = pq_column(&y, p->plan->value);
        double *apart = u && v ? mem_alloc(x.query_count + 1, sizeof *apart) : NULL;
        size_t n = 0;
        for (size_t q = 0; apart && q < x.query_count; q++)
            if (isfinite(u[q] - v[q])) apart[n++] = u[q] - v[q];
        if (n) result = paired_p(apart, n, SEED);
        mem_free(apart);
    }
    pq_free(&x);
    pq_free(&y);
    return result;
}

static int mark_column(struct pivot *p, size_t column)
{
    struct pivot_cell *best = NULL;
    double *raw = mem_alloc(2 * p->name_count + 1, sizeof *raw);
    size_t tested = 0;
    for (size_t i = 0; i < p->name_count; i++) {
        struct pivot_cell *at = &p->cells[i * p->col_count + column];
        if (isfinite(at->value) && (!best || (wants_less(p) ? at->value < best->value : at->value > best->value))) best = at;
    }
    for (size_t i = 0; raw && best && i < p->name_count; i++) {
        struct pivot_cell *at = &p->cells[i * p->col_count + column];
        at->p = at == best || !isfinite(at->value) ? (double)NAN : paired(p, best->row, at->row);
        if (isfinite(at->p)) raw[tested++] = at->p;
    }
    if (raw) paired_holm(raw, tested, raw + p->name_count);
    tested = 0;
    for (size_t i = 0; raw && best && i < p->name_count; i++) {
        struct pivot_cell *at = &p->cells[i * p->col_count + column];
        if (at == best) {
            at->mark = SHEET_BEST;
        } else if (isfinite(at->p)) {
            at->mark = raw[p->name_count + tested++] >= significant ? SHEET_TIE : SHEET_NONE;
        } else if (isfinite(at->value)) {
            at->mark = at->hi >= best->lo && at->lo <= best->hi ? SHEET_TIE : SHEET_NONE;
            p->untested = 1;
        }
    }
    mem_free(raw);
    return raw != NULL;
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */
static void pivot_free(struct pivot *p)
{
    for (size_t i = 0; i < p->name_count; i++) text_free(&p->names[i]);
    for (size_t i = 0; i < p->col_count; i++) text_free(&p->cols[i]);
    mem_free(p->names);
    mem_free(p->cols);
    mem_free(p->cells);
    mem_free(p->rows);
    text_free(&p->dataset);
}

static int one_group(const struct contrast *c, const struct pivot_plan *plan, size_t first, struct text *out)
{
    struct pivot p = { .c = c, .plan = plan, .rows = mem_alloc(c->table.count + 1, sizeof *p.rows) };
    int ok = p.rows != NULL;
    for (size_t r = first; ok && r < c->table.count; r++)
        if (has_all(c, plan, r) && comparable(c, first, r)) p.rows[p.row_count++] = r;
    if (ok) keep_usual(&p);
    if (ok) figure_add_dataset(&p.dataset, &c->table, table_column(&c->table, "dataset"), contrast_cell(c, first, "dataset"), ' ');
    for (size_t r = 0; r < c->table.count; r++) p.is_one_of_many |= has_all(c, plan, r) && !comparable(c, first, r);
    ok = ok && fill_all(&p);
    for (size_t column = 0; ok && column < p.col_count; column++) ok = mark_column(&p, column);
    if (ok) pivot_out(&p, out);
    pivot_free(&p);
    return ok && !out->failed;
}

int pivot_print(const struct contrast *c, const struct pivot_plan *plan, struct text *out, struct err *e)
{
    const char *const asked[] = { plan->rows, plan->cols, plan->value };
    static const char *const options[] = { "--rows", "--cols", "--value" };
    size_t printed = 0;
    for (size_t i = 0; i < 3; i++)
        if (table_column(&c->table, asked[i]) < 0)
            return FAIL(e, ERR_ARG, "%s %s: no such column%s", options[i], asked[i], NEAREST(asked[i], c->table.names, c->table.columns));
    for (size_t r = 0; r < c->table.count; r++) {
        size_t before = 0;
        if (!has_all(c, plan, r)) continue;
        while (before < r && !(has_all(c, plan, before) && comparable(c, before, r))) before++;
        if (before < r) continue;
        if (printed++) text_add(out, "\n");
        if (!one_group(c, plan, r, out)) return FAIL(e, ERR_MEM, "no memory for a table");
    }
    return printed ? ERR_OK : FAIL(e, ERR_NOT_FOUND, "no row is ok and has %s, %s and %s", plan->rows, plan->cols, plan->value);
}
