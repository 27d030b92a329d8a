/* SPDX-License-Identifier: MIT
 * figure_make_samples.c - of what bench and compare leave: ratios with their intervals, and raw samples as densities. */
#include "bench/rows/figure_make.h"
#include "bench/rows/axis.h"
#include "bench/rows/figure_draw.h"
#include "bench/rows/figure_kinds.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

static const char *cell(const struct table *t, size_t row, const char *column) { return table_text(t, row, table_column(t, column)); }
static double number(const struct table *t, size_t row, const char *column) { return table_number(t, row, table_column(t, column)); }

/* Every arm of compare.csv, and the base against itself. */
int make_compare(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    const struct table *t = from->t;
    struct figure f = { .kind = k, .table = t, .x = k->x, .y = { k->y[0] }, .y_count = 1 };
    if (table_column(t, "ratio") < 0 || table_column(t, "arm") < 0 || !t->count) return ERR_OK;
    text_add(&f.name, "%s", k->name);
    text_add(&f.title, "against %s", cell(t, 0, "base"));
    text_add(&f.under, "time of the base over time of the arm, above 1: faster; intervals over processes, for all arms together");
    int ok = !f.name.failed && !f.title.failed;
    for (size_t r = 0; ok && r < t->count; r++) {
        struct text label = { 0 };
        const double ratio = number(t, r, "ratio");
        if (!isfinite(ratio)) continue;
        text_add(&label, "%s", cell(t, r, "arm"));
        if (strcmp(cell(t, r, "mode"), "interleaved") != 0) text_add(&label, ", %s", cell(t, r, "mode"));
        struct series *s = make_series(&f, text_of(&label), r);
        ok = s && make_point(s, t, r, make_value(ratio, number(t, r, "ratio_lo"), number(t, r, "ratio_hi")),
                             make_value(strcmp(cell(t, r, "verdict"), "not_resolved") != 0 && strcmp(cell(t, r, "arm"), "A/A") != 0,
                                        (double)NAN, (double)NAN));
        text_free(&label);
    }
    return make_hand_over(&f, from, ok, e);
}

static int draw_in(struct figure *f, void *context, struct err *e) { return figure_draw(f, canvas_sizes, context, e); }

int figure_of_ratios(const struct figure_ratio *rows, size_t count, const char *name, const char *title, const char *under,
                     const char *dir, struct err *e)
{
    const struct figure_kind *k = figure_kind_find("compare", e);
    const struct table none = { 0 };
    char folder[512];
    if (!k || !count) return k ? ERR_OK : ERR_ARG;
    snprintf(folder, sizeof folder, "%s", dir);
    const struct figure_source to = { &none, NULL, draw_in, folder };
    struct figure f = { .kind = k, .table = &none, .x = k->x, .y = { k->y[0] }, .y_count = 1 };
    text_add(&f.name, "%s", name);
    text_add(&f.title, "%s", title);
    text_add(&f.under, "%s", under);
    int ok = !f.name.failed && !f.title.failed;
    for (size_t i = 0; ok && i < count; i++) {
        struct series *s = rows[i].label.failed ? NULL : make_series(&f, text_of(&rows[i].label), 0);
        ok = s && make_point(s, &none, 0, make_value(rows[i].at, rows[i].lo, rows[i].hi),
                             make_value(rows[i].resolved, (double)NAN, (double)NAN));
    }
    return make_hand_over(&f, &to, ok, e);
}

/* --- densities ------------------------------------------------------------------------------------------------------------- */
enum { ROWS_MOST = 12, STEPS = 61 };
/* The axis holds what lies within this many distances of the quartiles from them, as Tukey's far fences are: one sample
 * that was preempted would flatten all others. */
static const double fences = 3;

struct samples { const char *name; double *of, median; size_t count; };

static double deviation(const struct samples *s, size_t i) { return 100 * (s->of[i] / s->median - 1); }

/* Gaussian kernels, their width by Silverman's rule with the median absolute deviation for a spread; 1 at the highest. */
static int add_density(struct figure *f, const struct table *t, const struct samples *s, size_t row, double low, double high, double *work)
{
    double density[STEPS], most = 0;
    for (size_t i = 0; i < s->count; i++) work[i] = fabs(deviation(s, i));
    stats_sort(work, s->count);
    const double width = fmax(1.06 * 1.4826 * stats_median(work, s->count) * pow((double)s->count, -0.2), (high - low) / 200);
    for (int i = 0; i < STEPS; i++) {
        const double at = low + (high - low) * i / (STEPS - 1);
        density[i] = 0;
        for (size_t j = 0; j < s->count; j++) density[i] += exp(-0.5 * pow((at - deviation(s, j)) / width, 2));
        most = fmax(most, density[i]);
    }
    struct text label = { 0 };
    char median[32];
    axis_number(median, sizeof median, s->median, 4);
    text_add(&label, "%s, %s ns", s->name, median);
    struct series *made = make_series(f, text_of(&label), row);
    int ok = made != NULL;
    for (int i = 0; ok && i < STEPS; i++)
        ok = make_point(made, t, row, make_value(low + (high - low) * i / (STEPS - 1), (double)NAN, (double)NAN),
                        make_value(density[i] / most, (double)NAN, (double)NAN));
    text_free(&label);
    return ok;
}

static size_t gather(const struct table *t, const char *key, const char *value, struct samples *out)
{
    size_t count = 0;
    for (size_t r = 0; r < t->count; r++) {
        const double at = number(t, r, value);
        size_t s = 0;
        if (!(at > 0)) continue;
        while (s < count && strcmp(out[s].name, cell(t, r, key)) != 0) s++;
        if (s == count && count == ROWS_MOST) continue;
        if (s == count) out[count++] = (struct samples){ .name = cell(t, r, key) };
        if (!mem_extend(&out[s].of, out[s].count, out[s].count + 1, sizeof *out[s].of)) return 0;
        out[s].of[out[s].count++] = at;
    }
    for (size_t s = 0; s < count; s++) {
        stats_sort(out[s].of, out[s].count);
        out[s].median = stats_median(out[s].of, out[s].count);
    }
    return count;
}

int make_density(const struct figure_source *from, const struct figure_kind *k, struct err *e)
{
    const struct table *t = from->t;
    struct figure f = { .kind = k, .table = t, .x = k->x, .y = { k->y[0] }, .y_count = 1 };
    const int is_bench = table_column(t, "ns_per_vector") >= 0 && table_column(t, "sample") >= 0;
    const int is_compare = table_column(t, "iteration_ns") >= 0 && table_column(t, "round") >= 0;
    struct samples all[ROWS_MOST] = { 0 };
    if (!is_bench && !is_compare) return ERR_OK;
    double *work = mem_alloc(t->count + 1, sizeof *work);
    const size_t count = gather(t, is_bench ? "name" : "arm", is_bench ? "ns_per_vector" : "iteration_ns", all);
    size_t pooled = 0, beyond = 0;
    for (size_t s = 0; work && s < count; s++)
        for (size_t i = 0; i < all[s].count; i++) work[pooled++] = deviation(&all[s], i);
    int ok = work != NULL;
    if (ok && pooled) {
        stats_sort(work, pooled);
        const double first = stats_quantile(work, pooled, 0.25), third = stats_quantile(work, pooled, 0.75);
        const double low = fmax(work[0], first - fences * (third - first));
        const double high = fmin(work[pooled - 1], third + fences * (third - first));
        for (size_t i = 0; i < pooled; i++) beyond += work[i] < low || work[i] > high;
        text_add(&f.name, "%s", k->name);
        text_add(&f.title, "samples around their own median");
        text_add(&f.under, "the axis ends three times the distance of the quartiles beyond them, where %zu of %zu samples lie", beyond, pooled);
        ok = !f.name.failed && !f.title.failed;
        for (size_t s = 0; ok && s < count && high > low; s++) ok = all[s].count < 5 || add_density(&f, t, &all[s], 0, low, high, work);
    }
    for (size_t s = 0; s < ROWS_MOST; s++) mem_free(all[s].of);
    mem_free(work);
    return make_hand_over(&f, from, ok, e);
}
