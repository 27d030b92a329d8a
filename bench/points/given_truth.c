/* SPDX-License-Identifier: MIT
 * given_truth.c - a truth file is checked: range, twice, order, and a sample of its rows against exact scores. */
#include "bench/points/given_truth.h"
#include "bench/rows/point.h"
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_MOST = 32, LOOK_MOST = 100, SAMPLE_FLOPS = 400000000 };
static const double FITS = 0.99; /* share of the sample's neighbours that are as near as the exact ones */

static size_t given(const int32_t *ids, size_t depth)
{
    size_t count = 0;
    while (count < depth && ids[count] >= 0) count++;
    return count;
}

/* How many of the sampled neighbours are as near by `metric` as the exact last one, ids moved by `shift`. */
static int share_of(const struct given_truth *t, const int32_t *ids, size_t depth, enum metric metric, int shift, double *out,
                    struct err *e)
{
    const size_t n = t->base.count, all = t->query.count;
    const double asked = (double)SAMPLE_FLOPS / ((double)n * (double)t->base.dim);
    const size_t wished = asked > SAMPLE_MOST ? SAMPLE_MOST : asked < 2 ? 2 : (size_t)asked, some = wished < all ? wished : all;
    struct hit *best = mem_alloc(LOOK_MOST, sizeof *best);
    size_t seen = 0, near = 0;
    if (!best) return FAIL(e, ERR_MEM, "%s: no memory", t->path);
    for (size_t i = 0; i < some; i++) {
        const size_t q = i * all / some, have = given(ids + q * depth, depth), look = have < LOOK_MOST ? have : LOOK_MOST;
        struct topk exact;
        topk_init(&exact, best, look);
        for (size_t row = 0; look && row < n; row++)
            topk_push(&exact, (int64_t)row, (float)point_exact(metric, rows_at(t->query, q), rows_at(t->base, row), t->base.dim));
        const size_t count = look ? topk_finish(&exact) : 0;
        const double last = count ? (double)best[count - 1].score : 0, slack = 1e-5 * fabs(last) + 1e-12;
        for (size_t j = 0; j < look; j++) {
            const int64_t row = (int64_t)ids[q * depth + j] + shift;
            seen++;
            if (row < 0 || (uint64_t)row >= n) continue;
            near += point_exact(metric, rows_at(t->query, q), rows_at(t->base, (size_t)row), t->base.dim) >= last - slack;
        }
    }
    mem_free(best);
    *out = seen ? (double)near / (double)seen : 1;
    return ERR_OK;
}

/* Refuses what does not fit, naming what does. */
static int look(const struct given_truth *t, const int32_t *ids, size_t depth, struct err *e)
{
    static const enum metric metrics[] = { METRIC_COSINE, METRIC_DOT, METRIC_L2 };
    double share, other;
    int status = share_of(t, ids, depth, t->metric, 0, &share, e);
    if (status != ERR_OK || share >= FITS) return status;
    struct text better = { 0 };
    for (size_t i = 0; status == ERR_OK && i < 3; i++) {
        if (metrics[i] == t->metric) continue;
        status = share_of(t, ids, depth, metrics[i], 0, &other, e);
        if (status == ERR_OK && other >= FITS) text_add(&better, "%s--metric %s fits", better.size ? ", " : "", metric_name(metrics[i]));
    }
    if (status == ERR_OK) status = share_of(t, ids, depth, t->metric, -1, &other, e);
    if (status == ERR_OK && other >= FITS) text_add(&better, "%sids counted from 1 fit", better.size ? ", " : "");
    if (status == ERR_OK)
        status = FAIL(e, ERR_ARG, "%s: %.0f %% of a sample of these are the nearest by %s; %s", t->path, 100 * share,
                      metric_name(t->metric), better.size ? text_of(&better) : "neither another metric nor ids counted from 1 "
                      "fits: are they of other base or query rows?");
    text_free(&better);
    return status;
}

static int out_of_range(const struct given_truth *t, const struct dataset *d, size_t at, struct err *e)
{
    const size_t total = d->rows.count * d->rows.dim, n = t->base.count;
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < total; i++) {
        least = d->ids[i] < least ? d->ids[i] : least;
        most = d->ids[i] > most ? d->ids[i] : most;
    }
    const char *hint = least >= 1 && most == (int64_t)n ? ": are they counted from 1?"
                       : least < -1 && d->element == ELEMENT_I32 ? ": ids of uint32, of a base of more rows?" : "";
    const int64_t id = d->ids[at], value = id < 0 && d->element == ELEMENT_I32 ? (int64_t)(uint32_t)id : id;
    return FAIL(e, ERR_FORMAT, "%s: query %zu: neighbour %lld outside 0..%zu%s", t->path, at / d->rows.dim,
                (long long)value, n - 1, hint);
}

static int by_id(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int check_twice(const struct given_truth *t, const int32_t *ids, size_t count, size_t query, struct err *e)
{
    int32_t *sorted = mem_alloc(count, sizeof *sorted);
    int status = sorted ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory", t->path);
    if (status == ERR_OK && count) memcpy(sorted, ids, count * sizeof *sorted);
    if (status == ERR_OK) qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; status == ERR_OK && i < count; i++)
        if (sorted[i] == sorted[i - 1])
            status = FAIL(e, ERR_FORMAT, "%s: query %zu: neighbour %d twice", t->path, query, sorted[i]);
    mem_free(sorted);
    return status;
}

/* By score, insertion: a file that is in order takes one pass.  1 when it was not. */
static int put_in_order(const struct given_truth *t, int32_t *ids, size_t count, size_t query, double *scores)
{
    int moved = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t id = ids[i];
        const double score = point_exact(t->metric, rows_at(t->query, query), rows_at(t->base, (size_t)id), t->base.dim);
        size_t j = i;
        for (; j > 0 && score > scores[j - 1] + 1e-6 * fabs(scores[j - 1]) + 1e-12; j--) {
            ids[j] = ids[j - 1];
            scores[j] = scores[j - 1];
            moved = 1;
        }
        ids[j] = id;
        scores[j] = score;
    }
    return moved;
}

static int take_row(const struct given_truth *t, int32_t *ids, size_t depth, size_t query, size_t counts[2], double *scores,
                    struct err *e)
{
    const size_t have = given(ids, depth);
    for (size_t i = have; i < depth; i++)
        if (ids[i] >= 0) return FAIL(e, ERR_FORMAT, "%s: query %zu: a neighbour behind -1", t->path, query);
    const int status = check_twice(t, ids, have, query, e);
    if (status == ERR_OK) counts[0] += have < t->k;
    if (status == ERR_OK) counts[1] += put_in_order(t, ids, have, query, scores) != 0;
    return status;
}

/* How many queries of the file are not in the order of their scores by `metric`, ids moved by `shift`; SIZE_MAX: some id
 * would be no row. */
static size_t out_of_order(const struct given_truth *t, const struct dataset *d, enum metric metric, int shift)
{
    size_t count = 0;
    for (size_t q = 0; q < t->query.count; q++) {
        double before = INFINITY;
        int bad = 0;
        for (size_t i = 0; i < d->rows.dim && d->ids[q * d->rows.dim + i] >= 0; i++) {
            const int64_t row = d->ids[q * d->rows.dim + i] + shift;
            if (row < 0 || (uint64_t)row >= t->base.count) return SIZE_MAX;
            const double score = point_exact(metric, rows_at(t->query, q), rows_at(t->base, (size_t)row), t->base.dim);
            bad |= score > before + 1e-6 * fabs(before) + 1e-12;
            before = score;
        }
        count += (size_t)bad;
    }
    return count;
}

/* A range or a filter leaves out what may be nearer, and keeps the order: where that is another metric's, so are they. */
static int look_at_order(const struct given_truth *t, const struct dataset *d, struct err *e)
{
    static const enum metric metrics[] = { METRIC_COSINE, METRIC_DOT, METRIC_L2 };
    for (size_t i = 0; i < 3; i++)
        if (metrics[i] != t->metric && out_of_order(t, d, metrics[i], 0) == 0)
            return FAIL(e, ERR_ARG, "%s: these are in the order of another metric than %s: --metric %s fits", t->path,
                        metric_name(t->metric), metric_name(metrics[i]));
    if (out_of_order(t, d, t->metric, -1) == 0)
        return FAIL(e, ERR_ARG, "%s: these are in no order by %s: ids counted from 1 fit", t->path, metric_name(t->metric));
    return ERR_OK;
}

int given_truth_take(const struct given_truth *t, const struct dataset *d, int32_t **out, size_t *depth,
                     struct tally *notes, struct err *e)
{
    const size_t count = t->query.count, wide = d->rows.dim;
    size_t counts[2] = { 0 }; /* queries with fewer, out of order */
    if (!d->ids) return FAIL(e, ERR_FORMAT, "%s holds no ids: truth is an .ivecs file", t->path);
    if (d->rows.count != count)
        return FAIL(e, ERR_ARG, "%s: truth of %zu queries, there are %zu", t->path, d->rows.count, count);
    if (wide < t->k) return FAIL(e, ERR_ARG, "%s: %zu neighbours a query, k=%zu needs as many", t->path, wide, t->k);
    for (size_t i = 0; i < count * wide; i++)
        if (d->ids[i] < -1 || d->ids[i] >= (int64_t)t->base.count) return out_of_range(t, d, i, e);
    int32_t *ids = mem_alloc(count * wide, sizeof *ids);
    double *scores = mem_alloc(wide, sizeof *scores);
    int status = ids && scores ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory", t->path);
    for (size_t i = 0; status == ERR_OK && i < count * wide; i++) ids[i] = (int32_t)d->ids[i];
    for (size_t q = 0; status == ERR_OK && q < count; q++) status = take_row(t, ids + q * wide, wide, q, counts, scores, e);
    /* The truth of a range or a filter is not that of all rows: what it leaves out may be nearer. */
    if (status == ERR_OK && !counts[0]) status = look(t, ids, wide, e);
    else if (status == ERR_OK && counts[1]) status = look_at_order(t, d, e);
    if (status == ERR_OK)
        status = tally_add(notes, "queries with fewer neighbours than k in the truth (a range, a filter?), which was not held "
                                  "against exact scores", counts[0], NULL, e);
    if (status == ERR_OK) status = tally_add(notes, "queries whose neighbours were out of order, sorted", counts[1], NULL, e);
    mem_free(scores);
    if (status == ERR_OK) *out = ids, *depth = wide;
    else mem_free(ids);
    return status;
}
