/* SPDX-License-Identifier: MIT
 * test_stats.c - worked examples (by hand, or exact rational arithmetic outside this program), and
 * coverage by simulation with fixed seeds. */
#include "bench/time/stats.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <math.h>

static int near(double a, double b, double tolerance) { return fabs(a - b) <= tolerance; }

static void sign_ranks(void)
{
    static const struct { size_t n, r; } known[] = { { 5, 0 }, { 6, 1 }, { 8, 1 }, { 11, 2 }, { 16, 4 }, { 20, 6 },
                                                     { 30, 10 }, { 40, 14 }, { 52, 19 }, { 100, 40 }, { 200, 86 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t r = stats_sign_rank(known[i].n, 0.05, 1);
        CHECK(r == known[i].r, "n=%zu: rank %zu, not %zu", known[i].n, r, known[i].r);
    }
    static const struct { size_t m, n; } least[] = { { 1, 6 }, { 2, 7 }, { 4, 8 }, { 8, 9 }, { 16, 10 }, { 32, 11 } };
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        const size_t n = stats_sign_least(0.05, least[i].m);
        CHECK(n == least[i].n, "%zu comparisons: least n %zu, not %zu", least[i].m, n, least[i].n);
    }
    const double x[6] = { 1, 2, 3, 4, 5, 6 };
    const struct interval six = stats_sign_interval(x, 6, 0.05, 1), five = stats_sign_interval(x, 5, 0.05, 1);
    CHECK(six.lo == 1 && six.hi == 6, "[%g, %g]", six.lo, six.hi);
    CHECK(isinf(five.lo) && isinf(five.hi), "n = 5 must give no interval: [%g, %g]", five.lo, five.hi);
}

/* Ranks against tables of Mann & Whitney's U (critical U + 1); the interval covers as often as it says. */
static void shifts(void)
{
    static const struct { size_t n, m, r; } known[] = { { 3, 3, 0 }, { 4, 4, 1 }, { 5, 5, 3 }, { 7, 7, 9 }, { 5, 8, 7 },
                                                        { 10, 10, 24 }, { 20, 20, 128 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t r = stats_shift_rank(known[i].n, known[i].m, 0.05, 1);
        CHECK(r == known[i].r, "%zu and %zu: rank %zu, not %zu", known[i].n, known[i].m, r, known[i].r);
    }
    CHECK(stats_shift_rank(7, 7, 0.05, 85) == 1 && stats_shift_rank(7, 7, 0.05, 86) == 0, "85 comparisons of seven and seven");
    const double a[] = { 1, 2, 3, 4 }, b[] = { 11, 12, 13, 14 };
    struct shift s;
    struct err e = { 0 };
    CHECK(stats_shift(a, 4, b, 4, 0.05, 1, &s, &e) == ERR_OK && s.at == -10, "%g", s.at);
    CHECK(s.interval.lo == -13 && s.interval.hi == -7, "[%g, %g]", s.interval.lo, s.interval.hi);
    CHECK(stats_shift(a, 2, b, 2, 0.05, 1, &s, &e) == ERR_OK && isinf(s.interval.lo) && isinf(s.interval.hi), "two and two");
    size_t held = 0;
    struct rng r;
    rng_seed(&r, 3, 0);
    for (int run = 0; run < 2000; run++) {
        double x[7], y[7];
        for (int i = 0; i < 7; i++) { /* skewed, as times are */
            x[i] = -log(1 - (double)rng_below(&r, 1 << 20) / (1 << 20));
            y[i] = -log(1 - (double)rng_below(&r, 1 << 20) / (1 << 20));
        }
        stats_shift(x, 7, y, 7, 0.05, 1, &s, &e);
        held += s.interval.lo <= 0 && 0 <= s.interval.hi;
    }
    CHECK(held >= 1900, "held %zu of 2,000", held);
}

static void binomials(void)
{
    CHECK(near(stats_binomial_cdf(2, 10, 0.5), 56.0 / 1024, 1e-14), "%.17g", stats_binomial_cdf(2, 10, 0.5));
    CHECK(near(stats_binomial_cdf(5, 20, 0.5), 0.020694732666015625, 1e-14), "%.17g", stats_binomial_cdf(5, 20, 0.5));
    CHECK(near(stats_binomial_cdf(980, 1000, 0.99), 0.0032883597877274664, 1e-12), "%.17g",
          stats_binomial_cdf(980, 1000, 0.99));
    CHECK(near(stats_binomial_cdf(499999, 1000000, 0.5), 0.49960105772, 1e-6), "%.17g",
          stats_binomial_cdf(499999, 1000000, 0.5));
    CHECK(stats_binomial_cdf(10, 10, 0.5) == 1, "k = n");
}

static void quantile_ranks(void)
{
    static const struct { size_t n; double q; size_t lo, hi; } known[] = {
        { 100, 0.5, 40, 61 }, { 500, 0.99, 490, 500 }, { 1000, 0.99, 983, 997 }, { 2000, 0.95, 1880, 1920 },
        { 100, 0.99, 97, 101 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct ranks r = stats_quantile_ranks(known[i].n, known[i].q, 0.95);
        CHECK(r.lo == known[i].lo && r.hi == known[i].hi, "n=%zu q=%g: %zu..%zu, not %zu..%zu", known[i].n,
              known[i].q, r.lo, r.hi, known[i].lo, known[i].hi);
    }
}

static void order_statistics(void)
{
    double x[] = { 9, 1, 6, 2, 1, 4, 2 }, work[7];
    stats_sort(x, 7);
    CHECK(stats_median(x, 7) == 2, "%g", stats_median(x, 7));
    CHECK(stats_mad(x, 7, work) == 1, "%g", stats_mad(x, 7, work)); /* |x-2| = 1 1 0 0 2 4 7 */
    const double four[] = { 1, 2, 3, 10 };
    CHECK(stats_median(four, 4) == 2.5, "%g", stats_median(four, 4));
    CHECK(stats_quantile(four, 4, 0.25) == 1.75 && stats_quantile(four, 4, 1) == 10 && stats_quantile(four, 4, 0) == 1,
          "%g", stats_quantile(four, 4, 0.25));
}

/* 1..9 has quartiles 3 and 7, range 4: mild beyond -3 and 13, severe beyond -9 and 19. */
static void tukey(void)
{
    double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct outliers o = stats_outliers(x, 9);
    CHECK(o.mild == 0 && o.severe == 0, "%zu mild %zu severe", o.mild, o.severe);
    x[8] = 13.5;
    o = stats_outliers(x, 9);
    CHECK(o.mild == 1 && o.severe == 0, "%zu mild %zu severe", o.mild, o.severe);
    x[8] = 19.5, x[0] = -3.5;
    o = stats_outliers(x, 9);
    CHECK(o.mild == 1 && o.severe == 1, "%zu mild %zu severe", o.mild, o.severe);
}

static void autocorrelation(void)
{
    const double alternating[] = { 1, -1, 1, -1, 1, -1 }, rising[] = { 1, 2, 3, 4, 5 }, flat[] = { 2, 2, 2, 2 };
    CHECK(near(stats_lag1(alternating, 6), -5.0 / 6, 1e-15), "%g", stats_lag1(alternating, 6));
    CHECK(near(stats_lag1(rising, 5), 0.4, 1e-15), "%g", stats_lag1(rising, 5)); /* (2 + 0 + 0 + 2) / 10 */
    CHECK(stats_lag1(flat, 4) == 0, "%g", stats_lag1(flat, 4));
}

static void log_normal(struct rng *r, double *x, size_t n)
{
    float z[512];
    rng_normal(r, z, n);
    for (size_t i = 0; i < n; i++) x[i] = exp(0.8 * z[i]);
}

/* Share of trials whose interval holds the true median, 1.  4,000 trials: sd 0.003 at 0.96. */
static void sign_coverage(void)
{
    enum { TRIALS = 4000, N = 20 };
    struct rng r;
    rng_seed(&r, 11, 0);
    int held = 0;
    for (int t = 0; t < TRIALS; t++) {
        double x[N];
        log_normal(&r, x, N);
        stats_sort(x, N);
        const struct interval i = stats_sign_interval(x, N, 0.05, 1);
        held += i.lo <= 1 && 1 <= i.hi;
    }
    CHECK(near((double)held / TRIALS, 0.9586, 0.010), "coverage %.4f, exact 0.9586", (double)held / TRIALS);
}

static void bootstrap_coverage(void)
{
    enum { TRIALS = 1000, N = 51 };
    struct rng r;
    rng_seed(&r, 12, 0);
    int median = 0, mean = 0, ratio = 0;
    const double true_mean = exp(0.8 * 0.8 / 2);
    for (int t = 0; t < TRIALS; t++) {
        double x[N], y[N];
        log_normal(&r, x, N);
        log_normal(&r, y, N);
        stats_sort(x, N);
        stats_sort(y, N);
        const struct interval a = stats_bootstrap_median(x, N, 0.95, 400, (uint64_t)t);
        const struct interval b = stats_bootstrap_mean(x, N, 0.95, 400, (uint64_t)t);
        const struct interval c = stats_bootstrap_ratio(x, N, y, N, 0.95, 400, (uint64_t)t);
        median += a.lo <= 1 && 1 <= a.hi;
        mean += b.lo <= true_mean && true_mean <= b.hi;
        ratio += c.lo <= 1 && 1 <= c.hi;
    }
    /* The mean of 51 skewed values is known to be covered less: about 0.92. */
    CHECK(median >= 925 && median <= 980, "median: %d of 1000", median);
    CHECK(mean >= 885 && mean <= 965, "mean: %d of 1000", mean);
    CHECK(ratio >= 930 && ratio <= 990, "ratio: %d of 1000", ratio);
}

static void bootstrap_repeats(void)
{
    double x[40];
    struct rng r;
    rng_seed(&r, 13, 0);
    log_normal(&r, x, 40);
    stats_sort(x, 40);
    const struct interval a = stats_bootstrap_median(x, 40, 0.95, 1000, 7);
    const struct interval b = stats_bootstrap_median(x, 40, 0.95, 1000, 7);
    const struct interval one = stats_bootstrap_median(x, 1, 0.95, 100, 7);
    CHECK(a.lo == b.lo && a.hi == b.hi, "same seed, [%g, %g] and [%g, %g]", a.lo, a.hi, b.lo, b.hi);
    CHECK(a.lo >= x[0] && a.hi <= x[39] && a.lo < a.hi, "[%g, %g]", a.lo, a.hi);
    CHECK(one.lo == x[0] && one.hi == x[0], "one value: [%g, %g]", one.lo, one.hi);
}

/* A shift of the size that stats_detectable names must be found about `power` of the time. */
static void detectable(void)
{
    enum { TRIALS = 2000, N = 40 };
    struct rng r;
    rng_seed(&r, 14, 0);
    float z[N];
    double x[N], size = 0;
    for (int i = 0; i < 50; i++) { /* one estimate is noisy: average 50 */
        rng_normal(&r, z, N);
        for (int j = 0; j < N; j++) x[j] = 0.01 * z[j];
        stats_sort(x, N);
        size += stats_detectable(x, N, 0.05, 1, 0.8, 500, (uint64_t)i) / 50;
    }
    int found = 0;
    for (int t = 0; t < TRIALS; t++) {
        rng_normal(&r, z, N);
        for (int j = 0; j < N; j++) x[j] = 0.01 * z[j] + size;
        stats_sort(x, N);
        found += stats_sign_interval(x, N, 0.05, 1).lo > 0;
    }
    CHECK(near((double)found / TRIALS, 0.8, 0.06), "power %.3f at a shift of %.4f", (double)found / TRIALS, size);
}

static void summary(void)
{
    const double x[] = { 3, 1, 2, 5, 4 };
    struct summary s;
    CHECK(stats_summarise(x, 5, 1, &s, NULL) == ERR_OK, "status");
    CHECK(s.n == 5 && s.median == 3 && s.mad == 1 && s.mean == 3 && s.least == 1 && s.most == 5,
          "%g %g", s.median, s.mad);
    CHECK(s.interval.lo >= 1 && s.interval.lo <= 3 && s.interval.hi >= 3 && s.interval.hi <= 5, "interval");
    CHECK(near(s.lag1, 0.2, 1e-12), "lag1 %g", s.lag1); /* deviations 0 -2 -1 2 1: (0 + 2 - 2 + 2) / 10 */
}

int main(void)
{
    test_case("shifts between two samples", shifts);
    test_case("sign-test ranks and least n", sign_ranks);
    test_case("binomial sums", binomials);
    test_case("ranks that enclose a quantile", quantile_ranks);
    test_case("median, MAD, quantiles", order_statistics);
    test_case("Tukey's fences", tukey);
    test_case("lag-1 autocorrelation", autocorrelation);
    test_case("sign interval: coverage", sign_coverage);
    test_case("bootstrap: coverage", bootstrap_coverage);
    test_case("bootstrap: same seed, same interval", bootstrap_repeats);
    test_case("detectable shift: power", detectable);
    test_case("summary", summary);
    return test_end();
}
