/* SPDX-License-Identifier: MIT
 * verdict.h - from paired samples to a verdict.
 *
 * A process is the replicate: samples within one process share its memory layout and its luck, so
 * each process gives one number, the median over its rounds of ln(base / arm), and the exact
 * sign-test interval is taken over processes.  With a single process the rounds take their place,
 * which describes that process only; reports say so.
 *
 * "Not resolved" is never "the same": it names how large a difference could still be there. */
#ifndef ASSAY_VERDICT_H
#define ASSAY_VERDICT_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/sample.h"
#include "bench/time/stats.h"
#include "kernels/base/err.h"

enum verdict { VERDICT_FASTER, VERDICT_SLOWER, VERDICT_UNRESOLVED };

struct judged {
    size_t replicates;        /* processes, or rounds of the only one */
    double ratio;             /* time of base / time of arm: above 1 the arm is faster */
    struct interval interval; /* of the ratio, 1 - alpha / comparisons; 0..inf where replicates are too few */
    enum verdict verdict;
    double within;            /* unresolved: the interval reaches this far from 1, as a factor less 1 */
    size_t rounds, ties;      /* over all processes */
    double lag1;              /* of the paired log ratios, mean over processes */
    double *logs;             /* replicates log ratios, sorted; owned: verdict_free */
};

/* processes: one set of samples each, with the same arms.  comparisons: how many verdicts share
 * alpha (Bonferroni).  ERR_ARG without samples, ERR_MEM. */
int verdict_judge(const struct samples *processes, size_t count, size_t base, size_t arm, double alpha,
                  size_t comparisons, struct judged *out, struct err *e);
void verdict_free(struct judged *j);
/* The interval reaches further, by a distance of logarithms on either side: what the A/A arm was off by, this arm may be off
 * by, too.  The verdict follows. */
void verdict_widen(struct judged *j, double logs);

/* Smallest factor less 1 that so many replicates, spread like these (an A/A arm's), would resolve with
 * 80 % power; infinite when they are too few for any interval. */
double verdict_detectable(const struct judged *null, double alpha, size_t comparisons, uint64_t seed);

/* "faster x1.42 [1.40, 1.44]", or "not resolved (+- 1.8 %)". */
void verdict_describe(const struct judged *j, struct text *out);

/* Amdahl: ratio of the whole when a share of the base's time is made `ratio` times faster. */
double verdict_amdahl(double share, double ratio);

/* Per-query quality of two arms over the same queries, those with NaN in either left out. */
struct quality_difference {
    double mean_base, mean_arm;
    struct interval interval; /* of mean(arm - base), 1 - 0.05 / comparisons, paired bootstrap */
    size_t wins, ties, losses;
}; /* all zero when no query is left */
struct quality_difference verdict_quality(const double *base, const double *arm, size_t n, size_t comparisons,
                                          uint64_t seed, double *work);

/* Many arms over the same n queries, of which the data named one, `chosen`: out[i] is the interval of mean(arm i -
 * chosen).  All hold together with 95 %, and whichever arm had been chosen: the bootstrap (4,000 resamples of the queries,
 * one for all arms) finds how far the difference of any two arms strays from what was measured, in units of its standard
 * error, and the interval is as wide as 95 % of the resamples' worst pair.  Bonferroni over all count (count - 1) / 2 pairs
 * would say the same of independent arms, but its tails lie beyond what can be resampled.  Queries with NaN in any arm
 * are left out; -inf..inf when fewer than two are left.  ERR_MEM. */
int verdict_all_pairs(const double *const *arms, size_t count, size_t n, size_t chosen, uint64_t seed,
                      struct interval *out, struct err *e);
#endif
