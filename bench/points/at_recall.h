/* SPDX-License-Identifier: MIT
 * at_recall.h - what methods cost where they are equally good: times interpolated over recall, and their ratios.
 *
 * A line is one built index with a query parameter along it (ef, nprobe).  Its time at a level of recall lies between those
 * of the two neighbouring points, by recall, that the level is between: linear in recall, the time as a logarithm.  Nothing
 * is extrapolated: beyond its best point a line has no time, below its worst that one's, which is `at_most`.
 *
 * Intervals are percentiles, 95 %, of 2,000 resamples of queries (what is found) and repetitions (what it takes) at once,
 * the same for all lines, so that ratios are paired both ways.  The first line is the base, and the last is the base
 * measured once more (A/A): what it is off by from itself, every other ratio's interval is wider by, on both sides. */
#ifndef ASSAY_AT_RECALL_H
#define ASSAY_AT_RECALL_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/stats.h"
#include "kernels/base/err.h"

struct recall_point {
    double *recall; /* of every query */
    double *us;     /* of every repetition: its median call */
};
struct recall_line {
    struct recall_point *points; /* in any order */
    size_t count;
};

struct at_recall {
    double us; /* NaN: never reached */
    struct interval us_within;
    int at_most;  /* its worst point is better than the level: it costs this or less */
    double ratio; /* time of the base / time of this; NaN where either has none, or the base's is at_most */
    struct interval ratio_within; /* NaN: more than one resample in forty has no time */
};

/* out: count.  count >= 2: the last is the base again.  ERR_MEM. */
int at_recall(const struct recall_line *lines, size_t count, size_t queries, size_t reps, double level, uint64_t seed,
              struct at_recall *out, struct err *e);
#endif
