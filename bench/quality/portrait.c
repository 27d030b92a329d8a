/* SPDX-License-Identifier: MIT */
#include "bench/quality/portrait.h"
#include "bench/quality/truth.h"
#include "bench/time/stats.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double length_of(const float *x, size_t dim) { return sqrt(fixed_dot(x, x, dim)); }

static double cosine_of(const float *x, const float *y, size_t dim)
{
    const double square = fixed_dot(x, x, dim) * fixed_dot(y, y, dim);
    return square > 0 ? fixed_dot(x, y, dim) / sqrt(square) : 0;
}

static int values_make(struct values *v, size_t room, struct err *e)
{
    v->at = mem_alloc(room ? room : 1, sizeof *v->at);
    return v->at ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu values", room);
}

/* NaNs go; the rest is sorted. */
static void values_sort(struct values *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i++)
        if (!isnan(v->at[i])) v->at[kept++] = v->at[i];
    v->count = kept;
    stats_sort(v->at, kept);
}

static double median_of(const struct values *v) { return v->count ? stats_median(v->at, v->count) : NAN; }
static double mean_of(const struct values *v) { return v->count ? stats_mean(v->at, v->count) : NAN; }

/* Every step-th row, at most `most` of them. */
static size_t step_for(size_t count, size_t most) { return (count + most - 1) / most; }

static int measure_lengths(struct portrait *p, struct rows rows, struct err *e)
{
    const size_t step = step_for(rows.count, PORTRAIT_SPECTRUM);
    int status = values_make(&p->lengths, (rows.count + step - 1) / step, e);
    if (status != ERR_OK) return status;
    p->normalised = 1;
    p->length_least = INFINITY;
    for (size_t i = 0; i < rows.count; i++) {
        const double length = length_of(rows_at(rows, i), rows.dim);
        p->length_least = fmin(p->length_least, length);
        p->length_most = fmax(p->length_most, length);
        p->length_mean += length / (double)rows.count;
        p->zero_rows += length == 0;
        p->normalised &= length == 0 || fabs(length - 1) <= 1e-3;
        if (i % step == 0) p->lengths.at[p->lengths.count++] = length;
    }
    values_sort(&p->lengths);
    return ERR_OK;
}

/* --- equal rows ---------------------------------------------------------------------------------- */
struct keyed { uint64_t hash; size_t row; };

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static struct keyed *key_rows(struct rows rows, struct err *e)
{
    struct keyed *k = mem_alloc(rows.count, sizeof *k);
    for (size_t i = 0; k && i < rows.count; i++)
        k[i] = (struct keyed){ hash64(0, rows_at(rows, i), rows.dim * sizeof(float)), i };
    if (k) qsort(k, rows.count, sizeof *k, compare_keyed);
    else (void)FAIL(e, ERR_MEM, "no memory for the hashes of %zu rows", rows.count);
    return k;
}

static int count_repeated(struct rows rows, size_t *out, struct err *e)
{
    struct keyed *k = key_rows(rows, e);
    if (!k) return ERR_MEM;
    *out = 0;
    for (size_t i = 1; i < rows.count; i++)
        *out += k[i].hash == k[i - 1].hash &&
                memcmp(rows_at(rows, k[i].row), rows_at(rows, k[i - 1].row), rows.dim * sizeof(float)) == 0;
    mem_free(k);
    return ERR_OK;
}

static int count_shared(struct match *m, struct rows rows, struct rows query, struct err *e)
{
    struct keyed *k = key_rows(rows, e);
    if (!k) return ERR_MEM;
    for (size_t q = 0; q < query.count; q++) {
        const uint64_t hash = hash64(0, rows_at(query, q), rows.dim * sizeof(float));
        size_t low = 0, high = rows.count;
        while (low < high) {
            const size_t middle = (low + high) / 2;
            if (k[middle].hash < hash) low = middle + 1;
            else high = middle;
        }
        if (low == rows.count || k[low].hash != hash ||
            memcmp(rows_at(rows, k[low].row), rows_at(query, q), rows.dim * sizeof(float)) != 0)
            continue;
        if (m->in_base++ == 0) m->first_in_base = q;
    }
    mem_free(k);
    return ERR_OK;
}

/* --- neighbours ------------------------------------------------------------------------------------ */
static int measure_pairs(struct portrait *p, struct rows rows, struct err *e)
{
    struct rng r;
    const int status = values_make(&p->pairs, PORTRAIT_PAIRS, e);
    rng_seed(&r, 1, 0);
    for (size_t i = 0; status == ERR_OK && i < PORTRAIT_PAIRS && rows.count > 1; i++) {
        const size_t a = (size_t)rng_below(&r, rows.count), b = (size_t)rng_below(&r, rows.count);
        if (a != b) p->pairs.at[p->pairs.count++] = cosine_of(rows_at(rows, a), rows_at(rows, b), rows.dim);
    }
    if (status == ERR_OK) values_sort(&p->pairs);
    p->pair_cosine = mean_of(&p->pairs);
    return status;
}

struct sample { struct rows rows; uint32_t *row; float *block; };

static void sample_free(struct sample *s)
{
    mem_free(s->row);
    mem_free(s->block);
}

/* `most` rows, drawn without repetition, in their order; all of a smaller set. */
static int sample_make(struct sample *s, struct rows rows, size_t most, struct err *e)
{
    const size_t count = rows.count < most ? rows.count : most;
    struct rng r;
    s->row = mem_alloc(count, sizeof *s->row);
    s->block = mem_alloc(count * rows.dim, sizeof *s->block);
    if (!s->row || !s->block) return FAIL(e, ERR_MEM, "no memory for %zu rows", count);
    rng_seed(&r, 2, 0);
    /* Selection sampling (Knuth 3.4.2 S): each row with the chance that fills the rest exactly. */
    for (size_t i = 0, taken = 0; taken < count; i++)
        if (rng_below(&r, rows.count - i) < count - taken) {
            memcpy(s->block + taken * rows.dim, rows_at(rows, i), rows.dim * sizeof(float));
            s->row[taken++] = (uint32_t)i;
        }
    s->rows = (struct rows){ s->block, count, rows.dim, rows.dim };
    return ERR_OK;
}

/* The k nearest of every sampled row but itself: ids of asked.count x k.  own[i]: where row i lies in `rows`. */
static int nearest_others(struct truth *out, struct rows rows, struct rows asked, const uint32_t *own, size_t k,
                          enum metric metric, int threads, struct err *e)
{
    const int status = truth_compute(out, rows, asked, k + 1, metric, threads, NULL, e);
    if (status != ERR_OK) return status;
    const size_t width = out->k;
    for (size_t q = 0; q < asked.count; q++) {
        const int32_t *from = out->ids + q * width;
        int32_t *to = out->ids + q * (width - 1);
        for (size_t i = 0, kept = 0; i < width && kept + 1 < width; i++)
            if ((uint32_t)from[i] != own[q]) to[kept++] = from[i];
    }
    out->k = width - 1;
    return ERR_OK;
}

static int take_difficulty(struct portrait *p, struct rows rows, const struct sample *s, const struct truth *t,
                           int threads,
                           struct err *e)
{
    struct difficulty *each = mem_alloc(s->rows.count, sizeof *each);
    int status = each ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu rows", s->rows.count);
    if (status == ERR_OK) status = values_make(&p->lids, s->rows.count, e);
    if (status == ERR_OK) status = values_make(&p->contrasts, s->rows.count, e);
    if (status == ERR_OK)
        status = difficulty_measure(each, rows, s->rows, t->ids, t->k, DIFFICULTY_K, p->metric, threads, e);
    for (size_t i = 0; status == ERR_OK && i < s->rows.count; i++) {
        p->lids.at[p->lids.count++] = each[i].lid;
        p->contrasts.at[p->contrasts.count++] = each[i].contrast;
    }
    if (status == ERR_OK) {
        values_sort(&p->lids);
        values_sort(&p->contrasts);
        p->lid = median_of(&p->lids);
        p->contrast = median_of(&p->contrasts);
    }
    mem_free(each);
    return status;
}

static int take_hubs(struct portrait *p, size_t rows, const struct truth *t, struct err *e)
{
    const size_t k = t->k < PORTRAIT_HUB_K ? t->k : PORTRAIT_HUB_K;
    double square = 0, cube = 0, none = 0;
    const int status = values_make(&p->hubs, rows, e);
    if (status != ERR_OK) return status;
    p->hubs.count = p->hub_rows = rows;
    for (size_t i = 0; i < rows; i++) p->hubs.at[i] = 0;
    for (size_t q = 0; q < t->count; q++)
        for (size_t i = 0; i < k; i++) p->hubs.at[t->ids[q * t->k + i]]++;
    for (size_t i = 0; i < rows; i++) {
        const double off = p->hubs.at[i] - (double)k;
        square += off * off;
        cube += off * off * off;
        none += p->hubs.at[i] == 0;
    }
    p->hubness = square > 0 ? cube / (double)rows / pow(square / (double)rows, 1.5) : 0;
    p->orphans = none / (double)rows;
    values_sort(&p->hubs);
    return ERR_OK;
}

static int take_nearest(struct portrait *p, struct rows rows, const struct sample *s, const struct truth *t,
                        struct err *e)
{
    const int status = values_make(&p->nearest, s->rows.count, e);
    for (size_t i = 0; status == ERR_OK && i < s->rows.count; i++)
        p->nearest.at[p->nearest.count++] = cosine_of(rows_at(s->rows, i), rows_at(rows, (size_t)t->ids[i * t->k]),
                                                      rows.dim);
    if (status == ERR_OK) values_sort(&p->nearest);
    p->nearest_cosine = mean_of(&p->nearest);
    p->nearest_median = median_of(&p->nearest);
    return status;
}

static int measure_hubs(struct portrait *p, struct rows rows, int threads, struct err *e)
{
    struct sample s = { 0 };
    struct truth t = { 0 };
    int status = sample_make(&s, rows, PORTRAIT_ALL, e);
    for (size_t i = 0; status == ERR_OK && i < s.rows.count; i++) s.row[i] = (uint32_t)i;
    if (status == ERR_OK) status = nearest_others(&t, s.rows, s.rows, s.row, PORTRAIT_HUB_K, METRIC_COSINE, threads, e);
    if (status == ERR_OK) status = take_hubs(p, s.rows.count, &t, e);
    truth_free(&t);
    sample_free(&s);
    return status;
}

static int measure_neighbours(struct portrait *p, struct rows rows, int threads, struct err *e)
{
    struct sample s = { 0 };
    struct truth t = { 0 };
    const int by_cosine = p->metric != METRIC_L2;
    if (rows.count < 2) return ERR_OK;
    int status = sample_make(&s, rows, rows.count <= PORTRAIT_ALL ? PORTRAIT_ALL : PORTRAIT_SAMPLE, e);
    p->asked = s.rows.count;
    if (status == ERR_OK)
        status = nearest_others(&t, rows, s.rows, s.row, by_cosine ? DIFFICULTY_K : PORTRAIT_HUB_K, METRIC_COSINE,
                                threads, e);
    if (status == ERR_OK) status = take_nearest(p, rows, &s, &t, e);
    if (status == ERR_OK && rows.count <= PORTRAIT_ALL) status = take_hubs(p, rows.count, &t, e);
    if (status == ERR_OK && !by_cosine) {
        truth_free(&t);
        status = nearest_others(&t, rows, s.rows, s.row, DIFFICULTY_K, METRIC_L2, threads, e);
    }
    if (status == ERR_OK) status = take_difficulty(p, rows, &s, &t, threads, e);
    truth_free(&t);
    sample_free(&s);
    return status == ERR_OK && rows.count > PORTRAIT_ALL ? measure_hubs(p, rows, threads, e) : status;
}

/* --- variance --------------------------------------------------------------------------------------- */
static void summarise(struct portrait *p, const double *variance, double total)
{
    double square = 0;
    for (size_t i = 0; i < p->dim; i++) {
        p->spectrum[i] = total > 0 ? fmax(0, p->spectrum[i]) / total : 0;
        square += p->spectrum[i] * p->spectrum[i];
    }
    p->effective_rank = square > 0 ? 1 / square : 0;
    for (int part = 0; part < 3; part++) {
        const size_t first = p->dim >> (3 - part);
        for (size_t i = 0; i < first; i++) {
            p->principal[part] += p->spectrum[i];
            p->first[part] += total > 0 ? variance[i] / total : 0;
        }
    }
}

static int measure_spectrum(struct portrait *p, struct rows rows, struct err *e)
{
    const size_t dim = rows.dim, step = step_for(rows.count, PORTRAIT_SPECTRUM), taken = (rows.count + step - 1) / step;
    if (dim > PORTRAIT_DIM || rows.count < 2) return ERR_OK;
    double *mean = mem_zero(2 * dim, sizeof *mean), *variance = mean ? mean + dim : NULL, total = 0;
    p->spectrum = mem_alloc(dim, sizeof *p->spectrum);
    int status = mean && p->spectrum ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a spectrum of %zu dimensions", dim);
    for (size_t r = 0; status == ERR_OK && r < rows.count; r += step)
        for (size_t i = 0; i < dim; i++) mean[i] += rows_at(rows, r)[i] / (double)taken;
    if (status == ERR_OK) status = portrait_spectrum(rows, step, taken, mean, p->spectrum, variance, e);
    for (size_t i = 0; status == ERR_OK && i < dim; i++) total += variance[i];
    if (status == ERR_OK) summarise(p, variance, total);
    if (status == ERR_UNSUPPORTED) { /* all else can be said */
        mem_free(p->spectrum);
        p->spectrum = NULL;
        status = ERR_OK;
    }
    mem_free(mean);
    return status;
}

int portrait_make(struct portrait *out, struct rows rows, enum metric metric, int threads, struct err *e)
{
    struct portrait p = { .count = rows.count, .dim = rows.dim, .metric = metric, .pair_cosine = NAN,
                         .nearest_cosine = NAN, .nearest_median = NAN,
                          .lid = NAN, .contrast = NAN, .hubness = NAN, .orphans = NAN, .effective_rank = NAN };
    if (rows.count > INT32_MAX) return FAIL(e, ERR_ARG, "%zu rows, at most 2147483647 can be described", rows.count);
    int status = measure_lengths(&p, rows, e);
    if (status == ERR_OK) status = count_repeated(rows, &p.duplicate_rows, e);
    if (status == ERR_OK) status = measure_pairs(&p, rows, e);
    if (status == ERR_OK) status = measure_neighbours(&p, rows, threads, e);
    if (status == ERR_OK) status = measure_spectrum(&p, rows, e);
    if (status == ERR_OK) *out = p;
    else portrait_free(&p);
    return status;
}

void portrait_free(struct portrait *p)
{
    mem_free(p->lengths.at);
    mem_free(p->pairs.at);
    mem_free(p->nearest.at);
    mem_free(p->lids.at);
    mem_free(p->contrasts.at);
    mem_free(p->hubs.at);
    mem_free(p->spectrum);
    *p = (struct portrait){ 0 };
}

/* --- queries ----------------------------------------------------------------------------------------- */
static int match_neighbours(struct match *m, const struct portrait *base, struct rows rows, struct rows query,
                            int threads,
                            struct err *e)
{
    struct truth t = { 0 };
    const size_t k = base->metric == METRIC_L2 ? 1 : DIFFICULTY_K;
    int status = truth_compute(&t, rows, query, k, METRIC_COSINE, threads, NULL, e);
    for (size_t q = 0; status == ERR_OK && q < query.count; q++)
        m->nearest_cosine += cosine_of(rows_at(query, q), rows_at(rows, (size_t)t.ids[q * t.k]),
                                       rows.dim) / (double)query.count;
    if (status == ERR_OK && base->metric == METRIC_L2) {
        truth_free(&t);
        status = truth_compute(&t, rows, query, DIFFICULTY_K, METRIC_L2, threads, NULL, e);
    }
    if (status == ERR_OK) status = difficulties_make(&m->hard, rows, query, t.ids, t.k, base->metric, threads, e);
    truth_free(&t);
    return status;
}

int match_make(struct match *out, const struct portrait *base, struct rows rows, struct rows query, int threads,
               struct err *e)
{
    if (rows.dim != query.dim)
        return FAIL(e, ERR_ARG, "base has dimension %zu, queries have %zu", rows.dim, query.dim);
    struct match m = { 0 };
    int status = count_repeated(query, &m.repeated, e);
    if (status == ERR_OK) status = count_shared(&m, rows, query, e);
    if (status == ERR_OK) status = match_neighbours(&m, base, rows, query, threads, e);
    const double own = base->nearest_cosine - base->pair_cosine;
    m.likeness = own > 1e-9 ? (m.nearest_cosine - base->pair_cosine) / own : NAN;
    if (status == ERR_OK) *out = m;
    else match_free(&m);
    return status;
}

void match_free(struct match *m)
{
    difficulties_free(&m->hard);
    *m = (struct match){ 0 };
}
