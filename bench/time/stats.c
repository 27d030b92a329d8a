/* SPDX-License-Identifier: MIT
 * stats.c - order statistics, intervals by bootstrap and sign test, outliers, and how much neighbours in time agree.
 * */
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000, RESAMPLES_MOST = STATS_RESAMPLES_MOST };

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *x, size_t n)
{
    if (n > 1) qsort(x, n, sizeof *x, compare_doubles);
}

double stats_median(const double *sorted, size_t n)
{
    assert(n > 0);
    return n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
    assert(n > 0 && q >= 0 && q <= 1);
    const double at = q * (double)(n - 1);
    const size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

double stats_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return n ? sum / (double)n : 0;
}

double stats_mad(const double *sorted, size_t n, double *work)
{
    const double centre = stats_median(sorted, n);
    for (size_t i = 0; i < n; i++) work[i] = fabs(sorted[i] - centre);
    stats_sort(work, n);
    return stats_median(work, n);
}

double stats_lag1(const double *x, size_t n)
{
    if (n < 3) return 0;
    const double mean = stats_mean(x, n);
    double square = 0, product = 0;
    for (size_t i = 0; i < n; i++) {
        square += (x[i] - mean) * (x[i] - mean);
        if (i + 1 < n) product += (x[i] - mean) * (x[i + 1] - mean);
    }
    return square > 0 ? product / square : 0;
}

struct outliers stats_outliers(const double *sorted, size_t n)
{
    struct outliers found = { 0 };
    if (n < 4) return found;
    const double q1 = stats_quantile(sorted, n, 0.25), q3 = stats_quantile(sorted, n, 0.75), range = q3 - q1;
    for (size_t i = 0; i < n; i++) {
        const double beyond = fmax(q1 - sorted[i], sorted[i] - q3);
        if (beyond > 3 * range) found.severe++;
        else if (beyond > 1.5 * range) found.mild++;
    }
    return found;
}

/* --- bootstrap ---------------------------------------------------------------------------------- */

/* 0..n-1; the bias of the plain product, n / 2^32, is far below what resampling resolves. */
static size_t draw(struct rng *r, size_t n) { return (size_t)((rng_next(r) >> 32) * n >> 32); }

/* Median of n draws with replacement from sorted values: count how often each was drawn and walk to
 * the middle, which is O(n) where sorting the draws would be O(n log n). */
static double resampled_median(struct rng *r, const double *sorted, size_t n, uint32_t *times)
{
    memset(times, 0, n * sizeof *times);
    for (size_t i = 0; i < n; i++) times[draw(r, n)]++;
    const size_t lower = (n - 1) / 2, upper = n / 2;
    size_t at = 0, seen = times[0];
    while (seen <= lower) seen += times[++at];
    const double low = sorted[at];
    while (seen <= upper) seen += times[++at];
    return 0.5 * (low + sorted[at]);
}

static struct interval percentile_interval(double *values, size_t n, double level)
{
    stats_sort(values, n);
    return (struct interval){ stats_quantile(values, n, (1 - level) / 2), stats_quantile(values, n, (1 + level) / 2) };
}

struct interval stats_bootstrap_median(const double *sorted, size_t n, double level, size_t resamples, uint64_t seed)
{
    assert(n > 0 && resamples >= 100 && resamples <= RESAMPLES_MOST);
    double values[RESAMPLES_MOST];
    uint32_t *times = mem_alloc(n, sizeof *times);
    if (!times) return (struct interval){ -INFINITY, INFINITY };
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; i < resamples; i++) values[i] = resampled_median(&r, sorted, n, times);
    mem_free(times);
    return percentile_interval(values, resamples, level);
}

struct interval stats_bootstrap_mean(const double *x, size_t n, double level, size_t resamples, uint64_t seed)
{
    assert(n > 0 && resamples >= 100 && resamples <= RESAMPLES_MOST);
    double values[RESAMPLES_MOST];
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; i < resamples; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += x[draw(&r, n)];
        values[i] = sum / (double)n;
    }
    return percentile_interval(values, resamples, level);
}

struct interval stats_bootstrap_ratio(const double *sorted_a, size_t na, const double *sorted_b, size_t nb,
                                      double level, size_t resamples, uint64_t seed)
{
    assert(na > 0 && nb > 0 && resamples >= 100 && resamples <= RESAMPLES_MOST);
    double values[RESAMPLES_MOST];
    uint32_t *times = mem_alloc(na > nb ? na : nb, sizeof *times);
    if (!times) return (struct interval){ 0, INFINITY };
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t i = 0; i < resamples; i++)
        values[i] = resampled_median(&r, sorted_a, na, times) / resampled_median(&r, sorted_b, nb, times);
    mem_free(times);
    return percentile_interval(values, resamples, level);
}

/* --- order statistics --------------------------------------------------------------------------- */

/* lgamma writes the global signgam; its arguments here are positive, and _r leaves it alone. */
static double log_factorial(uint64_t n)
{
    int sign;
    return lgamma_r((double)n + 1, &sign);
}

static double log_binomial(uint64_t k, uint64_t n, double p)
{
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k) + (double)k * log(p) +
           (double)(n - k) * log1p(-p);
}

double stats_binomial_cdf(uint64_t k, uint64_t n, double p)
{
    assert(p > 0 && p < 1);
    if (k >= n) return 1;
    double sum = 0;
    for (uint64_t i = 0; i <= k; i++) sum += exp(log_binomial(i, n, p));
    return fmin(sum, 1);
}

size_t stats_sign_rank(size_t n, double alpha, size_t comparisons)
{
    const double tail = alpha / (double)(comparisons ? comparisons : 1) / 2;
    double sum = 0;
    size_t r = 0;
    for (; 2 * r < n; r++) {
        sum += exp(log_binomial(r, n, 0.5));
        if (sum > tail) break;
    }
    return r;
}

size_t stats_sign_least(double alpha, size_t comparisons)
{
    size_t n = 1;
    while (stats_sign_rank(n, alpha, comparisons) == 0) n++;
    return n;
}

struct interval stats_sign_interval(const double *sorted, size_t n, double alpha, size_t comparisons)
{
    const size_t r = stats_sign_rank(n, alpha, comparisons);
    if (r == 0) return (struct interval){ -INFINITY, INFINITY };
    return (struct interval){ sorted[r - 1], sorted[n - r] };
}

/* --- two samples ------------------------------------------------------------------------------- */
enum { SHIFT_MOST = 64 };

/* How many orders of n and m values have U = u, for u < count: coefficients of the product over i of
 * (1 - q^(m + i)) / (1 - q^i).  Each follows from those before it, so that those of a tail are exact. */
static void count_orders(size_t n, size_t m, double *orders, size_t count)
{
    memset(orders, 0, count * sizeof *orders);
    orders[0] = 1;
    for (size_t i = 1; i <= n; i++) {
        for (size_t u = count; u-- > m + i;) orders[u] -= orders[u - m - i];
        for (size_t u = i; u < count; u++) orders[u] += orders[u - i];
    }
}

size_t stats_shift_rank(size_t n, size_t m, double alpha, size_t comparisons)
{
    assert(n <= SHIFT_MOST && m <= SHIFT_MOST);
    double orders[SHIFT_MOST * SHIFT_MOST / 2 + 1], below = 0;
    const size_t half = n * m / 2 + 1;
    const double all = exp(lgamma((double)(n + m + 1)) - lgamma((double)n + 1) - lgamma((double)m + 1));
    count_orders(n, m, orders, half);
    size_t rank = 0;
    while (rank < half && 2 * (below + orders[rank]) <= alpha / (double)comparisons * all) below += orders[rank++];
    return rank;
}

int stats_shift(const double *a, size_t n, const double *b, size_t m, double alpha, size_t comparisons,
                struct shift *out, struct err *e)
{
    assert(n > 0 && m > 0);
    double *apart = mem_alloc(n * m, sizeof *apart);
    if (!apart) return FAIL(e, ERR_MEM, "no memory for %zu differences", n * m);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) apart[i * m + j] = a[i] - b[j];
    stats_sort(apart, n * m);
    const size_t rank = stats_shift_rank(n, m, alpha, comparisons);
    out->at = stats_median(apart, n * m);
    out->interval = rank ? (struct interval){ apart[rank - 1], apart[n * m - rank] } : (struct interval){ -INFINITY, INFINITY };
    mem_free(apart);
    return ERR_OK;
}

double stats_detectable(const double *sorted, size_t n, double alpha, size_t comparisons, double power,
                        size_t resamples, uint64_t seed)
{
    assert(resamples >= 100 && resamples <= RESAMPLES_MOST);
    const size_t r = stats_sign_rank(n, alpha, comparisons);
    uint32_t *times = r ? mem_alloc(n, sizeof *times) : NULL;
    if (!times) return INFINITY;
    const double centre = stats_median(sorted, n);
    double values[RESAMPLES_MOST];
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < resamples; i++) {
        memset(times, 0, n * sizeof *times);
        for (size_t j = 0; j < n; j++) times[draw(&rng, n)]++;
        size_t at = 0, seen = times[0];
        while (seen < r) seen += times[++at];
        values[i] = centre - sorted[at];
    }
    mem_free(times);
    stats_sort(values, resamples);
    return stats_quantile(values, resamples, power);
}

struct ranks stats_quantile_ranks(size_t n, double q, double level)
{
    const double tail = (1 - level) / 2;
    struct ranks out = { 0, n + 1 };
    double below = 0; /* P(Bin(n, q) <= k) */
    for (size_t k = 0; k <= n; k++) {
        below += exp(log_binomial(k, n, q));
        if (below <= tail) out.lo = k + 1;
        if (below >= 1 - tail) {
            out.hi = k + 1;
            break;
        }
    }
    return out;
}

int stats_summarise(const double *x, size_t n, uint64_t seed, struct summary *out, struct err *e)
{
    assert(n > 0);
    double *sorted = mem_alloc(2 * n, sizeof *sorted);
    if (!sorted) return FAIL(e, ERR_MEM, "no memory for %zu samples", n);
    memcpy(sorted, x, n * sizeof *x);
    stats_sort(sorted, n);
    *out = (struct summary){
        .n = n, .median = stats_median(sorted, n), .mad = stats_mad(sorted, n, sorted + n),
        .mean = stats_mean(x, n), .least = sorted[0], .most = sorted[n - 1],
        .interval = stats_bootstrap_median(sorted, n, 0.95, RESAMPLES, seed),
        .outliers = stats_outliers(sorted, n), .lag1 = stats_lag1(x, n),
    };
    mem_free(sorted);
    return ERR_OK;
}
