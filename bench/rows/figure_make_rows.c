/* SPDX-License-Identifier: MIT
 * figure_make_rows.c - of rows alone: recall 1@k, before and after, ranks over data sets. */
#include "bench/rows/figure_make.h"
#include "bench/rows/figure_inside.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct value cell_value(const struct table *t, size_t row, const char *column, const char *lo, const char *hi)
{
    return make_value(table_number(t, row, table_column(t, column)), table_number(t, row, table_column(t, lo)),
                      table_number(t, row, table_column(t, hi)));
}

static int is_first(const struct table *t, const struct figure_group *g, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (figure_point_id(t, g->rows[j]) == figure_point_id(t, g->rows[i])) return 0;
    return 1;
}

/* Leaves the first row of each point for which `wanted` holds. */
static void keep(const struct table *t, struct figure_group *g, int (*wanted)(const struct table *t, size_t row))
{
    size_t kept = 0;
    for (size_t i = 0; i < g->count; i++)
        if (wanted(t, g->rows[i]) && is_first(t, g, i)) g->rows[kept++] = g->rows[i];
    g->count = kept;
}

/* --- recall 1@k -------------------------------------------------------------------------------------------------------- */
static const int taken[] = { 1, 2, 4, 8, 16, 32, 64, 100 };

static int has_curve(const struct table *t, size_t row)
{
    const double rerank = table_number(t, row, table_column(t, "rerank"));
    return isfinite(table_number(t, row, table_column(t, "recall_1_at_4"))) && !(rerank > 0);
}

static int recall_of(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *all, struct err *e)
{
    const struct table *t = from->t;
    struct figure f;
    struct figure_group g = *all;
    keep(t, &g, has_curve);
    if (!g.count) return ERR_OK;
    make_choose(t, &g, 8);
    int ok = make_begin(&f, from, k, g.rows[0]);
    for (size_t i = 0; ok && i < g.count; i++) {
        struct text label = { 0 };
        make_label(t, all, g.rows[i], &label);
        struct series *s = make_series(&f, text_of(&label), g.rows[i]);
        ok = s != NULL;
        for (size_t p = 0; ok && p < sizeof taken / sizeof *taken; p++) {
            char name[32], lo[40], hi[40];
            snprintf(name, sizeof name, "recall_1_at_%d", taken[p]);
            snprintf(lo, sizeof lo, "%s_lo", name);
            snprintf(hi, sizeof hi, "%s_hi", name);
            const struct value y = cell_value(t, g.rows[i], name, lo, hi);
            if (isfinite(y.at)) ok = make_point(s, t, g.rows[i], make_value(taken[p], (double)NAN, (double)NAN), y);
        }
        text_free(&label);
    }
    if (!ok || f.series[0].count >= 2) return make_hand_over(&f, from, ok, e);
    for (size_t i = 0; i < f.count; i++) f.series[i].count = 0;
    f.count = 0;
    return make_hand_over(&f, from, ok, e);
}

int make_recall_at_k(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    return make_each_group(from, k, recall_of, e);
}

/* --- before and after ---------------------------------------------------------------------------------------------------- */
/* Points that the first and the second file have, both; p50 of each. */
static int both_of(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *g, struct err *e)
{
    const struct table *t = from->t;
    struct figure f;
    const size_t second = from->points->sources[1].first;
    const size_t third = from->points->source_count > 2 ? from->points->sources[2].first : t->count;
    int ok = make_begin(&f, from, k, g->rows[0]);
    for (size_t i = 0; ok && i < g->count && f.count < 40; i++) {
        size_t other = i + 1;
        while (other < g->count && (g->rows[other] < second || figure_point_id(t, g->rows[other]) != figure_point_id(t, g->rows[i])))
            other++;
        if (g->rows[i] >= second || other == g->count || g->rows[other] >= third || !is_first(t, g, i)) continue;
        struct text label = { 0 };
        make_label(t, g, g->rows[i], &label);
        struct series *s = make_series(&f, text_of(&label), g->rows[i]);
        ok = s != NULL;
        for (int after = 0; ok && after < 2; after++) {
            const size_t row = after ? g->rows[other] : g->rows[i];
            const struct value x = cell_value(t, row, "lat_p50_us", "lat_p50_lo_us", "lat_p50_hi_us");
            ok = make_point(s, t, row, x, make_value(after, (double)NAN, (double)NAN));
        }
        text_free(&label);
    }
    return make_hand_over(&f, from, ok, e);
}

int make_before_after(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    if (!from->points || from->points->source_count < 2) return ERR_OK;
    const struct figure_source rows = { &from->points->table, from->points, from->each, from->context };
    return make_each_group(&rows, k, both_of, e);
}

/* --- ranks over data sets -------------------------------------------------------------------------------------------------- */
enum { METHODS_MOST = 20, SETS_MOST = 64 };

/* Studentised range of infinitely many degrees over sqrt 2 at 0.05 (Demsar 2006, table 5a; Nemenyi's test), of k methods. */
static double nemenyi(size_t k)
{
    static const double q[] = { 1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164, 3.219,
                                3.268, 3.313, 3.354, 3.391, 3.426, 3.458, 3.489, 3.517, 3.544 };
    return q[k - 2];
}

struct ranking {
    struct text methods[METHODS_MOST], sets[SETS_MOST];
    double recall[SETS_MOST][METHODS_MOST];
    size_t row[METHODS_MOST], method_count, set_count;
};

static size_t find(struct text *known, size_t *count, size_t most, const char *name)
{
    size_t at = 0;
    while (at < *count && strcmp(text_of(&known[at]), name) != 0) at++;
    if (at == *count && at < most) text_add(&known[(*count)++], "%s", name);
    return at;
}

/* A method's recall on a data set is its best: seeds and repetitions are close to it. */
static void take_row(struct ranking *r, const struct table *t, size_t row)
{
    const struct figure_group one = { &row, 1 };
    const double recall = table_number(t, row, table_column(t, "recall_strict"));
    const double rerank = table_number(t, row, table_column(t, "rerank"));
    struct text label = { 0 };
    if (!isfinite(recall) || rerank > 0 || isfinite(table_number(t, row, table_column(t, "agree_at_10")))) return;
    make_label(t, &one, row, &label);
    const size_t m = find(r->methods, &r->method_count, METHODS_MOST, text_of(&label));
    const size_t d = find(r->sets, &r->set_count, SETS_MOST, table_text(t, row, table_column(t, "dataset")));
    if (m < METHODS_MOST && d < SETS_MOST) {
        if (!(r->recall[d][m] >= recall)) r->recall[d][m] = recall;
        r->row[m] = row;
    }
    text_free(&label);
}

static double mean_rank(const struct ranking *r, const unsigned char *whole, size_t m, size_t *sets)
{
    double sum = 0;
    *sets = 0;
    for (size_t d = 0; d < r->set_count; d++) {
        double rank = 1;
        if (!whole[d]) continue;
        for (size_t o = 0; o < r->method_count; o++) {
            if (o == m) continue;
            rank += r->recall[d][o] > r->recall[d][m] ? 1 : r->recall[d][o] == r->recall[d][m] ? 0.5 : 0;
        }
        sum += rank;
        ++*sets;
    }
    return *sets ? sum / (double)*sets : (double)NAN;
}

static int draw_ranks(const struct ranking *r, const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    struct figure f;
    unsigned char whole[SETS_MOST];
    double ranks[METHODS_MOST], best = INFINITY;
    size_t sets = 0, order[METHODS_MOST];
    for (size_t d = 0; d < r->set_count; d++) {
        whole[d] = 1;
        for (size_t m = 0; m < r->method_count; m++) whole[d] &= isfinite(r->recall[d][m]) != 0;
    }
    for (size_t m = 0; m < r->method_count; m++) {
        ranks[m] = mean_rank(r, whole, m, &sets);
        best = fmin(best, ranks[m]);
        size_t at = m;
        for (; at > 0 && ranks[order[at - 1]] > ranks[m]; at--) order[at] = order[at - 1];
        order[at] = m;
    }
    if (r->method_count < 3 || sets < 3) return ERR_OK;
    const double count = (double)r->method_count, apart = nemenyi(r->method_count) * sqrt(count * (count + 1) / (6 * (double)sets));
    f = (struct figure){ .kind = k, .table = from->t, .x = k->x, .y = { k->y[0] }, .y_count = 1 };
    text_add(&f.name, "%s", k->name);
    text_add(&f.title, "recall@k over %zu data sets, %zu methods", sets, r->method_count);
    text_add(&f.under, "bars are half the critical difference of %.2f ranks (Nemenyi, 0.05), hollow: not told from the best", apart);
    int ok = !f.name.failed && !f.title.failed;
    for (size_t i = 0; ok && i < r->method_count; i++) {
        const size_t m = order[i];
        struct series *s = make_series(&f, text_of(&r->methods[m]), r->row[m]);
        ok = s && make_point(s, from->t, r->row[m], make_value(ranks[m], fmax(1, ranks[m] - apart / 2), fmin(count, ranks[m] + apart / 2)),
                             make_value(ranks[m] - best > apart, (double)NAN, (double)NAN));
    }
    return make_hand_over(&f, from, ok, e);
}

int make_ranks(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    struct ranking *r = mem_zero(1, sizeof *r);
    if (!r) return FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    for (size_t d = 0; d < SETS_MOST; d++)
        for (size_t m = 0; m < METHODS_MOST; m++) r->recall[d][m] = (double)NAN;
    for (size_t row = 0; row < from->t->count; row++) {
        const char *status = table_text(from->t, row, table_column(from->t, "status"));
        if ((!*status || strcmp(status, "ok") == 0) && figure_mark_of(from->t, row) == SERIES_OURS) take_row(r, from->t, row);
    }
    const int status = draw_ranks(r, from, k, e);
    for (size_t d = 0; d < SETS_MOST; d++) text_free(&r->sets[d]);
    for (size_t m = 0; m < METHODS_MOST; m++) text_free(&r->methods[m]);
    mem_free(r);
    return status;
}
