/* SPDX-License-Identifier: MIT */
#include "bench/quality/difficulty.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double difficulty_lid(const double *distances, size_t k)
{
    double sum = 0;
    size_t used = 0;
    for (size_t i = 0; i < k; i++) {
        if (!(distances[i] > 0)) continue;
        sum += log(distances[i] / distances[k - 1]);
        used++;
    }
    return used > 1 && sum < 0 ? -(double)used / sum : NAN;
}

/* Of equal rows all three sums are equal, so that the distance is 0 and no rounding is taken for one. */
static double distance(enum metric metric, double xx, double yy, double xy)
{
    if (metric == METRIC_L2) return sqrt(fmax(0, xx + yy - 2 * xy));
    return sqrt(fmax(0, 2 - 2 * (xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0)));
}

double difficulty_distance(enum metric metric, const float *x, const float *y, size_t dim)
{
    return distance(metric, fixed_dot(x, x, dim), fixed_dot(y, y, dim), fixed_dot(x, y, dim));
}

struct measuring {
    struct difficulty *out;
    struct rows base, query;
    const int32_t *ids;
    const uint32_t *drawn;
    size_t width, k, drawn_count;
    enum metric metric;
};

static void measure_some(void *context, int thread, size_t from, size_t to)
{
    const struct measuring *m = context;
    (void)thread;
    for (size_t q = from; q < to; q++) {
        double distances[DIFFICULTY_K], mean = 0;
        const float *x = rows_at(m->query, q);
        size_t k = 0; /* a truth of a range or a filter may have fewer, then -1 */
        while (k < m->k && m->ids[q * m->width + k] >= 0) k++;
        for (size_t i = 0; i < k; i++)
            distances[i] = difficulty_distance(m->metric, x, rows_at(m->base, (size_t)m->ids[q * m->width + i]),
                                               m->base.dim);
        for (size_t i = 0; i < m->drawn_count; i++)
            mean += difficulty_distance(m->metric, x, rows_at(m->base, m->drawn[i]), m->base.dim);
        mean /= (double)m->drawn_count;
        m->out[q].lid = k ? difficulty_lid(distances, k) : NAN;
        m->out[q].contrast = k && distances[k - 1] > 0 ? mean / distances[k - 1] : NAN;
    }
}

int difficulty_measure(struct difficulty *out, struct rows base, struct rows query, const int32_t *ids, size_t width,
                       size_t k, enum metric metric, int threads, struct err *e)
{
    const size_t most = width < DIFFICULTY_K ? width : DIFFICULTY_K;
    struct measuring m = { .out = out, .base = base, .query = query, .ids = ids, .width = width, .metric = metric };
    m.k = k < most ? k : most;
    m.drawn_count = base.count < DIFFICULTY_ROWS ? base.count : DIFFICULTY_ROWS;
    uint32_t *drawn = mem_alloc(m.drawn_count, sizeof *drawn);
    if (!drawn) return FAIL(e, ERR_MEM, "no memory for the difficulty of %zu queries", query.count);
    struct rng r;
    rng_seed(&r, 1, 0);
    for (size_t i = 0; i < m.drawn_count; i++) /* all rows of a small base */
        drawn[i] = base.count <= DIFFICULTY_ROWS ? (uint32_t)i : (uint32_t)rng_below(&r, base.count);
    m.drawn = drawn;
    parallel_for(threads, query.count, 16, measure_some, &m);
    mem_free(drawn);
    return ERR_OK;
}

struct ranked { double value; size_t at; };

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

int difficulty_strata(int *stratum, const double *value, size_t count, int hard_is_high, struct err *e)
{
    struct ranked *r = mem_alloc(count, sizeof *r);
    size_t known = 0;
    if (!r) return FAIL(e, ERR_MEM, "no memory for the strata of %zu queries", count);
    for (size_t i = 0; i < count; i++) {
        stratum[i] = 0;
        if (!isnan(value[i])) r[known++] = (struct ranked){ hard_is_high ? value[i] : -value[i], i };
    }
    qsort(r, known, sizeof *r, compare_ranked);
    for (size_t i = 0; i < known; i++) stratum[r[i].at] = 1 + (int)(i * DIFFICULTY_STRATA / known);
    mem_free(r);
    return ERR_OK;
}

static int make_strata(struct difficulties *d, struct err *e)
{
    double *values = mem_alloc(d->count, sizeof *values);
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "no memory for the strata of %zu queries", d->count);
    for (size_t i = 0; status == ERR_OK && i < d->count; i++) values[i] = d->each[i].lid;
    if (status == ERR_OK) status = difficulty_strata(d->lid_stratum, values, d->count, 1, e);
    for (size_t i = 0; status == ERR_OK && i < d->count; i++) values[i] = d->each[i].contrast;
    if (status == ERR_OK) status = difficulty_strata(d->contrast_stratum, values, d->count, 0, e);
    mem_free(values);
    return status;
}

/* A repeated query is found among its neighbours by cosine and l2; by dot a longer row may hide it. */
static void find_repeats(struct difficulties *d, struct rows base, struct rows query, const int32_t *ids, size_t width)
{
    for (size_t q = 0; q < query.count; q++) {
        int found = 0;
        for (size_t i = 0; i < width && ids[q * width + i] >= 0 && !found; i++)
            found = memcmp(rows_at(query, q), rows_at(base, (size_t)ids[q * width + i]), base.dim * sizeof(float)) == 0;
        if (found && d->in_base++ == 0) d->first_in_base = q;
    }
}

int difficulties_make(struct difficulties *out, struct rows base, struct rows query, const int32_t *ids, size_t width,
                      enum metric metric, int threads, struct err *e)
{
    struct difficulties d = { .count = query.count };
    d.each = mem_alloc(query.count, sizeof *d.each);
    d.lid_stratum = mem_alloc(query.count, sizeof *d.lid_stratum);
    d.contrast_stratum = mem_alloc(query.count, sizeof *d.contrast_stratum);
    int status = d.each && d.lid_stratum && d.contrast_stratum
                     ? ERR_OK : FAIL(e, ERR_MEM, "no memory for the difficulty of %zu queries", query.count);
    if (status == ERR_OK) status = difficulty_measure(d.each, base, query, ids, width, DIFFICULTY_K, metric, threads,
                                                      e);
    if (status == ERR_OK) status = make_strata(&d, e);
    if (status == ERR_OK) find_repeats(&d, base, query, ids, width);
    if (status == ERR_OK) *out = d;
    else difficulties_free(&d);
    return status;
}

void difficulties_free(struct difficulties *d)
{
    mem_free(d->each);
    mem_free(d->lid_stratum);
    mem_free(d->contrast_stratum);
    *d = (struct difficulties){ 0 };
}
