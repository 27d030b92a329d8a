/* SPDX-License-Identifier: MIT
 * stats.h - what may be said about a set of timings.
 *
 * Timings are skewed, heavy-tailed and correlated in time, so everything here is by ranks or by
 * resampling; no normal distribution is assumed.  Functions that take `sorted` want ascending order.
 * Nothing here reads a clock, and every random draw has a seed: equal input gives equal output. */
#ifndef ASSAY_STATS_H
#define ASSAY_STATS_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"

struct interval { double lo, hi; };

void stats_sort(double *x, size_t n);
double stats_median(const double *sorted, size_t n); /* n > 0 */
/* Linear interpolation between order statistics (Hyndman & Fan 1996, type 7); 0 <= q <= 1. */
double stats_quantile(const double *sorted, size_t n, double q);
double stats_mean(const double *x, size_t n);
/* Median absolute deviation from the median, not rescaled.  work: n doubles, overwritten. */
double stats_mad(const double *sorted, size_t n, double *work);
/* Lag-1 autocorrelation of x in the order it was measured; 0 for n < 3 or constant x. */
double stats_lag1(const double *x, size_t n);

/* Tukey's fences: mild beyond 1.5, severe beyond 3 interquartile ranges of the quartiles. */
struct outliers { size_t mild, severe; };
struct outliers stats_outliers(const double *sorted, size_t n);

/* Percentile bootstrap (Efron 1979) of the median, of the mean, and of median(a) / median(b) for
 * independent samples; `level` is 0.95 for a 95 % interval.  100 <= resamples <= STATS_RESAMPLES_MOST. */
enum { STATS_RESAMPLES_MOST = 10000 };
struct interval stats_bootstrap_median(const double *sorted, size_t n, double level, size_t resamples, uint64_t seed);
struct interval stats_bootstrap_mean(const double *x, size_t n, double level, size_t resamples, uint64_t seed);
struct interval stats_bootstrap_ratio(const double *sorted_a, size_t na, const double *sorted_b, size_t nb,
                                      double level, size_t resamples, uint64_t seed);

/* P(Bin(n, p) <= k), summed in log space: right for n of a million. */
double stats_binomial_cdf(uint64_t k, uint64_t n, double p);

/* Exact interval of a median by the sign test: order statistics r and n + 1 - r, r the largest with
 * 2 P(Bin(n, 1/2) <= r - 1) <= alpha / comparisons (Bonferroni).  0: n is too small for any.
 * At alpha = 0.05: n = 20 -> 6, 52 -> 19, 100 -> 40. */
size_t stats_sign_rank(size_t n, double alpha, size_t comparisons);
size_t stats_sign_least(double alpha, size_t comparisons); /* smallest n with an interval */
/* The interval itself; lo = -inf, hi = inf when n is too small. */
struct interval stats_sign_interval(const double *sorted, size_t n, double alpha, size_t comparisons);

/* Exact interval of the shift between two independent samples (median of a_i - b_j: Hodges & Lehmann 1963), by the
 * distribution of Mann & Whitney's U: differences r and n m + 1 - r in order, r the largest with
 * 2 P(U <= r - 1) <= alpha / comparisons.  0: the samples are too small for any.  n, m <= 64.
 * At alpha = 0.05: 4 and 4 -> 1, 5 and 5 -> 3, 7 and 7 -> 9. */
size_t stats_shift_rank(size_t n, size_t m, double alpha, size_t comparisons);
struct shift { double at; struct interval interval; }; /* lo = -inf, hi = inf when the samples are too small */
/* ERR_MEM. */
int stats_shift(const double *a, size_t n, const double *b, size_t m, double alpha, size_t comparisons,
                struct shift *out, struct err *e);

/* Smallest shift that the sign interval over n values like these would find with the given power:
 * the `power` quantile, over resamples, of how far the interval's lower end lies below its centre. */
double stats_detectable(const double *sorted, size_t n, double alpha, size_t comparisons, double power,
                        size_t resamples, uint64_t seed);

/* Ranks (1-based) whose order statistics enclose quantile q with at least `level`; a rank of 0 or
 * n + 1 means that n is too small on that side. */
struct ranks { size_t lo, hi; };
struct ranks stats_quantile_ranks(size_t n, double q, double level);

/* One arm's samples: everything a report says about them.  ERR_MEM. */
struct summary {
    size_t n;
    double median, mad, mean, least, most;
    struct interval interval; /* of the median, 95 %, bootstrap */
    struct outliers outliers;
    double lag1;
};
int stats_summarise(const double *x, size_t n, uint64_t seed, struct summary *out, struct err *e);
#endif
