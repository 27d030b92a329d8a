/* SPDX-License-Identifier: MIT
 * verdict.c - judges pairs of timings: faster, slower or not resolved, held to an A/A control. */
#include "bench/time/verdict.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

enum { RESAMPLES = 4000 };

/* The log ratios of one process into work; its number is their median. */
static int one_process(const struct samples *s, size_t base, size_t arm, double *work, struct judged *j, double *median)
{
    size_t ties;
    const size_t n = samples_log_ratios(s, base, arm, work, &ties);
    if (n == 0) return 0;
    j->rounds += n;
    j->ties += ties;
    j->lag1 += stats_lag1(work, n);
    stats_sort(work, n);
    *median = stats_median(work, n);
    return 1;
}

static void take_interval(struct judged *j, struct interval logs)
{
    j->interval = (struct interval){ exp(logs.lo), exp(logs.hi) };
    j->verdict = logs.lo > 0 ? VERDICT_FASTER : logs.hi < 0 ? VERDICT_SLOWER : VERDICT_UNRESOLVED;
    j->within = expm1(fmax(fabs(logs.lo), fabs(logs.hi)));
}

static void conclude(struct judged *j, double alpha, size_t comparisons)
{
    stats_sort(j->logs, j->replicates);
    j->ratio = exp(stats_median(j->logs, j->replicates));
    take_interval(j, stats_sign_interval(j->logs, j->replicates, alpha, comparisons));
}

void verdict_widen(struct judged *j, double logs)
{
    take_interval(j, (struct interval){ log(j->interval.lo) - logs, log(j->interval.hi) + logs });
}

int verdict_judge(const struct samples *processes, size_t count, size_t base, size_t arm, double alpha,
                  size_t comparisons, struct judged *out, struct err *e)
{
    size_t most = count;
    for (size_t p = 0; p < count; p++) most = processes[p].rounds > most ? processes[p].rounds : most;
    if (most == 0) return FAIL(e, ERR_ARG, "nothing was measured");
    struct judged j = { .logs = mem_alloc(most, sizeof *j.logs) };
    double *work = mem_alloc(most, sizeof *work);
    if (!j.logs || !work) {
        mem_free(j.logs);
        mem_free(work);
        return FAIL(e, ERR_MEM, "no memory for %zu ratios", most);
    }
    size_t good = 0;
    for (size_t p = 0; p < count; p++) good += (size_t)one_process(&processes[p], base, arm, work, &j, &j.logs[good]);
    if (good > 0) j.lag1 /= (double)good;
    j.replicates = good;
    if (count == 1 && good == 1) {
        j.replicates = j.rounds;
        memcpy(j.logs, work, j.rounds * sizeof *work);
    }
    mem_free(work);
    if (good == 0) {
        mem_free(j.logs);
        return FAIL(e, ERR_ARG, "every sample took no time at all");
    }
    conclude(&j, alpha, comparisons);
    *out = j;
    return ERR_OK;
}

void verdict_free(struct judged *j)
{
    mem_free(j->logs);
    j->logs = NULL;
}

double verdict_detectable(const struct judged *null, double alpha, size_t comparisons, uint64_t seed)
{
    return expm1(stats_detectable(null->logs, null->replicates, alpha, comparisons, 0.8, RESAMPLES, seed));
}

void verdict_describe(const struct judged *j, struct text *out)
{
    static const char *const words[] = { "faster", "slower", "not resolved" };
    if (j->verdict != VERDICT_UNRESOLVED)
        text_add(out, "%s x%.3f [%.3f, %.3f]", words[j->verdict], j->ratio, j->interval.lo, j->interval.hi);
    else if (isfinite(j->within)) text_add(out, "%s (+- %.1f %%)", words[j->verdict], 100 * j->within);
    else text_add(out, "%s (%zu replicates are too few for an interval)", words[j->verdict], j->replicates);
}

double verdict_amdahl(double share, double ratio) { return 1 / (1 - share + share / ratio); }

struct quality_difference verdict_quality(const double *base, const double *arm, size_t n, size_t comparisons,
                                          uint64_t seed, double *work)
{
    struct quality_difference d = { 0 };
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(base[i]) || isnan(arm[i])) continue;
        d.mean_base += base[i];
        d.mean_arm += arm[i];
        d.wins += arm[i] > base[i];
        d.ties += arm[i] == base[i];
        d.losses += arm[i] < base[i];
        work[used++] = arm[i] - base[i];
    }
    if (used == 0) return d;
    d.mean_base /= (double)used;
    d.mean_arm /= (double)used;
    /* Some four means beyond each end; of more than sixty comparisons the end is the last of ten thousand. */
    size_t resamples = 4 * comparisons * 40 > RESAMPLES ? 4 * comparisons * 40 : RESAMPLES;
    resamples = resamples > STATS_RESAMPLES_MOST ? STATS_RESAMPLES_MOST : resamples;
    d.interval = stats_bootstrap_mean(work, used, 1 - 0.05 / (double)comparisons, resamples, seed);
    return d;
}

/* --- all pairs ---------------------------------------------------------------------------------- */
/* queries x arms, without those that some arm has no value for; its means.  Returns the queries kept. */
static size_t side_by_side(const double *const *arms, size_t count, size_t n, double *x, double *mean)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) mean[i] = 0;
    for (size_t q = 0; q < n; q++) {
        size_t i = 0;
        while (i < count && !isnan(arms[i][q])) i++;
        if (i < count) continue;
        for (i = 0; i < count; i++) mean[i] += x[kept * count + i] = arms[i][q];
        kept++;
    }
    for (size_t i = 0; kept && i < count; i++) mean[i] /= (double)kept;
    return kept;
}

/* Standard errors of the differences of arm i and those before it, at se[i (i - 1) / 2]. */
static void errors_of_pairs(const double *x, size_t count, size_t n, const double *mean, double *se)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double square = 0;
            for (size_t q = 0; q < n; q++) {
                const double d = x[q * count + i] - x[q * count + j] - (mean[i] - mean[j]);
                square += d * d;
            }
            se[i * (i - 1) / 2 + j] = sqrt(square / ((double)n * (double)(n - 1)));
        }
}

/* The largest |difference - its mean| / error of any pair, of one resample with these means. */
static double worst_pair(const double *means, const double *mean, const double *se, size_t count)
{
    double worst = 0;
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const double off = fabs(means[i] - mean[i] - (means[j] - mean[j])), error = se[i * (i - 1) / 2 + j];
            if (error > 0 && off > worst * error) worst = off / error;
        }
    return worst;
}

static double critical(const double *x, size_t count, size_t n, const double *mean, const double *se, uint64_t seed,
                       double *means, double *worst)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t b = 0; b < RESAMPLES; b++) {
        for (size_t i = 0; i < count; i++) means[i] = 0;
        for (size_t q = 0; q < n; q++) {
            const double *row = x + rng_below(&r, n) * count;
            for (size_t i = 0; i < count; i++) means[i] += row[i];
        }
        for (size_t i = 0; i < count; i++) means[i] /= (double)n;
        worst[b] = worst_pair(means, mean, se, count);
    }
    stats_sort(worst, RESAMPLES);
    return stats_quantile(worst, RESAMPLES, 0.95);
}

/* Where two arms differ over two or three queries only, a resample strays by many such errors, and would widen all other
 * intervals: no error counts as less than a quarter of the median one. */
static void floor_errors(double *se, size_t pairs, double *sorted)
{
    memcpy(sorted, se, pairs * sizeof *se);
    stats_sort(sorted, pairs);
    const double least = 0.25 * stats_median(sorted, pairs);
    for (size_t p = 0; p < pairs; p++)
        if (se[p] > 0 && se[p] < least) se[p] = least;
}

int verdict_all_pairs(const double *const *arms, size_t count, size_t n, size_t chosen, uint64_t seed,
                      struct interval *out, struct err *e)
{
    const size_t pairs = count * (count - 1) / 2;
    double *x = mem_alloc(count * n, sizeof *x), *mean = mem_alloc(2 * count, sizeof *mean);
    double *se = mem_alloc(2 * pairs + 1, sizeof *se), *worst = mem_alloc(RESAMPLES, sizeof *worst);
    const int status = x && mean && se && worst ? ERR_OK : FAIL(e, ERR_MEM, "no memory to compare %zu arms", count);
    const size_t kept = status == ERR_OK ? side_by_side(arms, count, n, x, mean) : 0;
    double reach = INFINITY;
    if (kept > 1 && pairs > 0) {
        errors_of_pairs(x, count, kept, mean, se);
        floor_errors(se, pairs, se + pairs);
        reach = critical(x, count, kept, mean, se, seed, mean + count, worst);
    }
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const size_t hi = i > chosen ? i : chosen, lo = i > chosen ? chosen : i;
        out[i] = (struct interval){ -INFINITY, INFINITY };
        if (i == chosen) out[i] = (struct interval){ 0, 0 };
        else if (kept > 1) {
            const double error = se[hi * (hi - 1) / 2 + lo], d = mean[i] - mean[chosen];
            const double off = error > 0 ? reach * error : 0; /* no error: the same difference for every query */
            out[i] = (struct interval){ d - off, d + off };
        }
    }
    mem_free(x);
    mem_free(mean);
    mem_free(se);
    mem_free(worst);
    return status;
}
