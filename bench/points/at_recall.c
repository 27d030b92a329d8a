/* SPDX-License-Identifier: MIT
 * at_recall.c - time at a level of recall, and how much faster than the base that is. */
#include "bench/points/at_recall.h"
#include <math.h>
#include <stdlib.h>
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"

enum { RESAMPLES = 2000 };

struct place { double recall, log_us; };

/* One resample, or what was measured: how often each query and repetition counts. */
struct draw {
    size_t queries, reps;
    double *query_times, *rep_times;
    struct place *places; /* of the points of one line */
};

static int by_recall(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->recall != y->recall) return x->recall < y->recall ? -1 : 1;
    return (x->log_us > y->log_us) - (x->log_us < y->log_us);
}

static double weighted(const double *x, const double *times, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += times[i] > 0 ? x[i] * times[i] : 0;
    return sum / (double)n;
}

/* Mean of logarithms: what one repetition is off by, it is off by as a factor. */
static double log_us(const struct recall_point *p, const struct draw *d)
{
    double sum = 0;
    for (size_t r = 0; r < d->reps; r++) sum += log(p->us[r]) * d->rep_times[r];
    return sum / (double)d->reps;
}

/* ln of the time, or NaN. */
static double at(const struct recall_line *line, const struct draw *d, double level, int *at_most)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct recall_point *p = &line->points[i];
        d->places[i] = (struct place){ weighted(p->recall, d->query_times, d->queries), log_us(p, d) };
    }
    qsort(d->places, line->count, sizeof *d->places, by_recall);
    size_t next = 0;
    while (next < line->count && d->places[next].recall < level) next++;
    *at_most = next == 0;
    if (next == line->count) return NAN;
    const struct place above = d->places[next];
    if (next == 0) return above.log_us;
    const struct place below = d->places[next - 1];
    return below.log_us + (above.log_us - below.log_us) * (level - below.recall) / (above.recall - below.recall);
}

static void draw_again(struct rng *r, double *times, size_t n)
{
    for (size_t i = 0; i < n; i++) times[i] = 0;
    for (size_t i = 0; i < n; i++) times[rng_below(r, n)]++;
}

static struct interval middle(double *x, double wider)
{
    for (size_t i = 0; i < RESAMPLES; i++)
        if (isnan(x[i])) return (struct interval){ NAN, NAN };
    stats_sort(x, RESAMPLES);
    const size_t tail = RESAMPLES / 40;
    const double lo = x[tail], hi = x[RESAMPLES - 1 - tail];
    if (isinf(lo) || isinf(hi)) return (struct interval){ NAN, NAN };
    return (struct interval){ exp(lo - wider), exp(hi + wider) };
}

/* ln of times, count x RESAMPLES, into intervals: what a resample never reaches takes for ever. */
static void judge(const double *logs, size_t count, double *work, struct at_recall *out)
{
    const double off = out[count - 1].ratio, wider = isnan(off) ? 0 : fabs(log(off));
    for (size_t l = 0; l < count; l++) {
        for (size_t i = 0; i < RESAMPLES; i++) work[i] = logs[l * RESAMPLES + i];
        out[l].us_within = middle(work, 0);
        for (size_t i = 0; i < RESAMPLES; i++) work[i] = logs[i] - logs[l * RESAMPLES + i];
        out[l].ratio_within = isnan(out[l].ratio) ? (struct interval){ NAN, NAN }
                                                  : middle(work, l == 0 || l == count - 1 ? 0 : wider);
    }
}

int at_recall(const struct recall_line *lines, size_t count, size_t queries, size_t reps, double level, uint64_t seed,
              struct at_recall *out, struct err *e)
{
    size_t most = 1;
    for (size_t l = 0; l < count; l++) most = lines[l].count > most ? lines[l].count : most;
    double *logs = mem_alloc((count + 1) * RESAMPLES, sizeof *logs);
    struct draw d = { queries, reps, mem_alloc(queries, sizeof *d.query_times), mem_alloc(reps, sizeof *d.rep_times),
                      mem_alloc(most, sizeof *d.places) };
    const int whole = logs && d.query_times && d.rep_times && d.places;
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; whole && i < queries; i++) d.query_times[i] = 1;
    for (size_t i = 0; whole && i < reps; i++) d.rep_times[i] = 1;
    for (size_t l = 0; whole && l < count; l++) {
        const double us = exp(at(&lines[l], &d, level, &out[l].at_most));
        out[l].us = us;
        out[l].ratio = out[0].at_most ? (double)NAN : out[0].us / us;
    }
    for (size_t i = 0; whole && i < RESAMPLES; i++) {
        int ignored;
        draw_again(&r, d.query_times, queries);
        draw_again(&r, d.rep_times, reps);
        for (size_t l = 0; l < count; l++) {
            const double log_time = at(&lines[l], &d, level, &ignored);
            logs[l * RESAMPLES + i] = isnan(log_time) ? (double)INFINITY : log_time;
        }
    }
    if (whole) judge(logs, count, logs + count * RESAMPLES, out);
    mem_free(logs), mem_free(d.query_times), mem_free(d.rep_times), mem_free(d.places);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %d resamples", RESAMPLES);
}
