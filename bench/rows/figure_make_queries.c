/* SPDX-License-Identifier: MIT
 * figure_make_queries.c - of the per-query files beside rows: how long the slowest take, and methods against each other. */
#include "bench/rows/figure_make.h"
#include "bench/rows/contrast_inside.h"
#include "bench/rows/pq.h"
#include "bench/quality/metric.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

static int read_queries(const struct figure_source *from, size_t row, struct pq *out)
{
    return pq_read(out, contrast_folder(from->points, row), contrast_cell(from->points, row, "point_id"), NULL) == ERR_OK;
}

static struct figure_source of_points(const struct figure_source *from)
{
    return (struct figure_source){ &from->points->table, from->points, from->each, from->context };
}

/* --- share of queries that take longer ------------------------------------------------------------------------------------ */
/* Wilson's interval of a share (1927). */
static struct value share_of(double count, double n)
{
    const double z = 1.959964, p = count / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return make_value(p, middle - half, middle + half);
}

enum { STEPS_MOST = 120 };

static int add_curve(struct figure *f, const struct figure_source *from, const struct figure_group *all, size_t row, double *latency,
                     size_t n)
{
    struct text label = { 0 };
    make_label(from->t, all, row, &label);
    struct series *s = make_series(f, text_of(&label), row);
    int ok = s != NULL;
    stats_sort(latency, n);
    /* Steps are even in the logarithm of the share, so that the tail has its own. */
    size_t last = n;
    for (int i = 0; ok && i < STEPS_MOST; i++) {
        const double share = pow((double)n, -(double)i / (STEPS_MOST - 1));
        const size_t slower = (size_t)lround(share * (double)n);
        if (slower == last || slower == 0) continue;
        last = slower;
        ok = make_point(s, from->t, row, make_value(latency[n - slower - (slower < n ? 1 : 0)], (double)NAN, (double)NAN),
                        share_of((double)slower, (double)n));
    }
    text_free(&label);
    return ok;
}

static int ccdf_of(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *all, struct err *e)
{
    struct figure f;
    struct figure_group g = { mem_alloc(all->count, sizeof *g.rows), 0 };
    if (!g.rows) return FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    for (size_t i = 0; i < all->count; i++) {
        struct pq p = { 0 };
        int known = 0;
        for (size_t j = 0; j < g.count; j++) known |= figure_point_id(from->t, g.rows[j]) == figure_point_id(from->t, all->rows[i]);
        if (!known && read_queries(from, all->rows[i], &p) && pq_column(&p, "lat_us") && p.query_count >= 20) g.rows[g.count++] = all->rows[i];
        pq_free(&p);
    }
    make_choose(from->t, &g, 8);
    int ok = make_begin(&f, from, k, all->rows[0]);
    for (size_t i = 0; ok && i < g.count; i++) {
        struct pq p = { 0 };
        const double *lat = read_queries(from, g.rows[i], &p) ? pq_column(&p, "lat_us") : NULL;
        double *copy = mem_alloc(p.query_count + 1, sizeof *copy);
        size_t n = 0;
        for (size_t q = 0; copy && lat && q < p.query_count; q++)
            if (isfinite(lat[q])) copy[n++] = lat[q];
        ok = copy && (n < 2 || add_curve(&f, from, all, g.rows[i], copy, n));
        mem_free(copy);
        pq_free(&p);
    }
    mem_free(g.rows);
    return make_hand_over(&f, from, ok, e);
}

int make_ccdf(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    if (!from->points || !from->points->source_count) return ERR_OK;
    const struct figure_source rows = of_points(from);
    return make_each_group(&rows, k, ccdf_of, e);
}

/* --- paired differences ------------------------------------------------------------------------------------------------------ */
enum { PAIRS_MOST = 24, RESAMPLES = 4000 };

static const char *cell(const struct figure_source *from, size_t row, const char *column) { return contrast_cell(from->points, row, column); }

/* The same bits, and another method or one other setting: what a reader would compare. */
static int is_pair(const struct figure_source *from, size_t a, size_t b)
{
    const struct table *t = from->t;
    const int is_pipeline = *cell(from, a, "agree_at_10") != 0;
    size_t apart = 0;
    if (is_pipeline != (*cell(from, b, "agree_at_10") != 0) || strcmp(cell(from, a, "data"), cell(from, b, "data")) != 0) return 0;
    if (strcmp(cell(from, a, "bits"), cell(from, b, "bits")) != 0) return 0;
    for (size_t c = 0; c < t->columns; c++) {
        if (!figure_is_setting(t, c) || strcmp(t->names[c], "kernel_asked") == 0 || strcmp(t->names[c], "bits") == 0) continue;
        if (!is_pipeline && strcmp(t->names[c], "index") != 0 && !figure_is_callers(t->names[c])) continue;
        apart += strcmp(table_text(t, a, (int)c), table_text(t, b, (int)c)) != 0;
    }
    return apart == 1;
}

static const char *metric_of(const struct figure_source *from, size_t row)
{
    static const char *const wanted[] = { "label_ndcg_at_10", "agree_at_10", "recall_strict" };
    for (size_t i = 0; i < 2; i++)
        if (*cell(from, row, wanted[i])) return wanted[i];
    return wanted[2];
}

/* Differences of the queries that both answered; how many. */
static size_t differences(const struct figure_source *from, size_t a, size_t b, const char *metric, double **out)
{
    struct pq p = { 0 }, q = { 0 };
    size_t n = 0;
    *out = NULL;
    if (read_queries(from, a, &p) && read_queries(from, b, &q) && p.query_count == q.query_count) {
        const double *x = pq_column(&p, metric), *y = pq_column(&q, metric);
        *out = x && y ? mem_alloc(p.query_count + 1, sizeof **out) : NULL;
        for (size_t i = 0; *out && i < p.query_count; i++)
            if (isfinite(x[i] - y[i])) (*out)[n++] = x[i] - y[i];
    }
    pq_free(&p);
    pq_free(&q);
    return n;
}

static int add_pair(struct figure *f, const struct figure_source *from, const struct figure_group *g, size_t a, size_t b, size_t pairs)
{
    struct text label = { 0 }, other = { 0 };
    double *apart;
    const size_t n = differences(from, a, b, metric_of(from, a), &apart);
    int ok = 1;
    if (n >= 2) {
        const double level = 1 - 0.05 / (double)pairs;
        const struct interval d = stats_bootstrap_mean(apart, n, level, RESAMPLES, SEED);
        make_label(from->t, g, a, &label);
        make_label(from->t, g, b, &other);
        text_add(&label, " - %s", text_of(&other));
        struct series *s = make_series(f, text_of(&label), a);
        ok = s && make_point(s, from->t, a, make_value(stats_mean(apart, n), d.lo, d.hi),
                             make_value(d.lo > 0 || d.hi < 0, (double)NAN, (double)NAN));
    }
    mem_free(apart);
    text_free(&label);
    text_free(&other);
    return ok;
}

static int forest_of(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *g, struct err *e)
{
    struct figure f;
    size_t pairs = 0, at[PAIRS_MOST][2];
    for (size_t i = 0; i < g->count; i++)
        for (size_t j = i + 1; j < g->count && pairs < PAIRS_MOST; j++)
            if (is_pair(from, g->rows[i], g->rows[j])) at[pairs][0] = g->rows[i], at[pairs++][1] = g->rows[j];
    int ok = make_begin(&f, from, k, g->rows[0]);
    const struct metric_ops *metric = metric_find(metric_of(from, g->rows[0]));
    text_add(&f.under, "%s, paired by query; the intervals of all %zu hold together at 95 %%", metric ? metric->label : "", pairs);
    for (size_t i = 0; ok && i < pairs; i++) ok = add_pair(&f, from, g, at[i][0], at[i][1], pairs);
    return make_hand_over(&f, from, ok, e);
}

int make_forest(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    if (!from->points || !from->points->source_count) return ERR_OK;
    const struct figure_source rows = of_points(from);
    return make_each_group(&rows, k, forest_of, e);
}
