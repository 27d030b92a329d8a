/* SPDX-License-Identifier: MIT
 * interval.c - intervals of metrics by resampling the queries. */
#include "bench/quality/interval.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000, SEED = 1 };

/* Metrics that at least two queries have a value of. */
struct active {
    size_t *which, count;
    double *x;        /* queries x count: values, 0 for NaN */
    double *has;      /* the same: 1, or 0 for NaN */
    uint32_t **order; /* of METRIC_P5: queries by ascending value, those with NaN left out; else NULL */
    double *sum;      /* 2 x count: of one resample */
    uint32_t *times;  /* how often it drew each query */
    double *folded;   /* count x RESAMPLES */
};

struct ranked {
    double value;
    uint32_t query;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->query > y->query) - (x->query < y->query);
}

/* NULL without memory; `known` queries have a value. */
static uint32_t *order_of(const double *values, size_t count, size_t known)
{
    struct ranked *ranked = mem_alloc(known, sizeof *ranked);
    uint32_t *order = mem_alloc(known, sizeof *order);
    size_t kept = 0;
    for (size_t q = 0; ranked && order && q < count; q++)
        if (!isnan(values[q])) ranked[kept++] = (struct ranked){ values[q], (uint32_t)q };
    if (ranked) qsort(ranked, kept, sizeof *ranked, by_value);
    for (size_t i = 0; ranked && order && i < kept; i++) order[i] = ranked[i].query;
    if (!ranked) {
        mem_free(order);
        order = NULL;
    }
    mem_free(ranked);
    return order;
}

static void active_free(struct active *a)
{
    for (size_t i = 0; a->order && i < a->count; i++) mem_free(a->order[i]);
    mem_free(a->which);
    mem_free(a->x);
    mem_free(a->has);
    mem_free(a->order);
    mem_free(a->sum);
    mem_free(a->times);
    mem_free(a->folded);
}

static size_t known_of(const double *values, size_t count)
{
    size_t known = 0;
    for (size_t q = 0; q < count; q++) known += !isnan(values[q]);
    return known;
}

/* 0 without memory; free it either way. */
static int active_init(struct active *a, const double *values, size_t count)
{
    *a = (struct active){ .which = mem_alloc(metric_count(), sizeof *a->which) };
    if (!a->which) return 0;
    for (size_t m = 0; m < metric_count(); m++)
        if (known_of(values + m * count, count) > 1) a->which[a->count++] = m;
    a->x = mem_zero(count * a->count, sizeof *a->x);
    a->has = mem_zero(count * a->count, sizeof *a->has);
    a->order = mem_zero(a->count, sizeof *a->order);
    a->sum = mem_alloc(2 * a->count, sizeof *a->sum);
    a->times = mem_alloc(count, sizeof *a->times);
    a->folded = mem_alloc(a->count * RESAMPLES, sizeof *a->folded);
    int whole = a->x && a->has && a->order && a->sum && a->times && a->folded;
    for (size_t i = 0; whole && i < a->count; i++) {
        const double *of = values + a->which[i] * count;
        for (size_t q = 0; q < count; q++) {
            if (isnan(of[q])) continue;
            a->x[q * a->count + i] = of[q];
            a->has[q * a->count + i] = 1;
        }
        if (metric_at(a->which[i])->fold != METRIC_P5) continue;
        a->order[i] = order_of(of, count, known_of(of, count));
        whole = a->order[i] != NULL;
    }
    return whole;
}

/* The value at the rank of the 5th percentile among `drawn` draws. */
static double resampled_p5(const struct active *a, size_t i, size_t drawn)
{
    const size_t rank = metric_p5_rank(drawn);
    size_t at = 0, seen = a->times[a->order[i][0]];
    while (seen <= rank) seen += a->times[a->order[i][++at]];
    return a->x[a->order[i][at] * a->count + i];
}

/* One resample of the queries, folded for every metric; NaN where it drew none that has a value. */
static void resample(struct active *a, struct rng *r, size_t count, size_t b)
{
    memset(a->sum, 0, 2 * a->count * sizeof *a->sum);
    memset(a->times, 0, count * sizeof *a->times);
    for (size_t j = 0; j < count; j++) {
        const size_t q = (size_t)rng_below(r, count);
        const double *x = a->x + q * a->count, *has = a->has + q * a->count;
        a->times[q]++;
        for (size_t i = 0; i < a->count; i++) {
            a->sum[i] += x[i];
            a->sum[a->count + i] += has[i];
        }
    }
    for (size_t i = 0; i < a->count; i++) {
        const double drawn = a->sum[a->count + i];
        double *to = &a->folded[i * RESAMPLES + b];
        if (drawn == 0) *to = (double)NAN;
        else *to = a->order[i] ? resampled_p5(a, i, (size_t)drawn) : a->sum[i] / drawn;
    }
}

/* Resamples without a value are left out: where values are rare, some of 2,000 draw none. */
static struct interval middle(double *folded)
{
    size_t kept = 0;
    for (size_t b = 0; b < RESAMPLES; b++)
        if (!isnan(folded[b])) folded[kept++] = folded[b];
    stats_sort(folded, kept);
    return (struct interval){ stats_quantile(folded, kept, 0.025), stats_quantile(folded, kept, 0.975) };
}

int metric_intervals(const double *values, size_t count, struct interval *out, struct err *e)
{
    struct active a;
    const int whole = active_init(&a, values, count);
    for (size_t m = 0; m < metric_count(); m++) out[m] = (struct interval){ (double)NAN, (double)NAN };
    struct rng r;
    rng_seed(&r, SEED, 0);
    for (size_t b = 0; whole && a.count && b < RESAMPLES; b++) resample(&a, &r, count, b);
    for (size_t i = 0; whole && i < a.count; i++) out[a.which[i]] = middle(a.folded + i * RESAMPLES);
    active_free(&a);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "no memory to resample %zu queries", count);
}
