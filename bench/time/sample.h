/* SPDX-License-Identifier: MIT
 * sample.h - timing several arms side by side, so that what changes with time hits all alike.
 *
 * Warm-up, then a calibrated number of iterations a sample, then rounds.  In each round every arm is
 * sampled once; the order is a cyclic Latin square over a random permutation, re-drawn for every
 * block of `count` rounds (count = 2 gives AB BA).  Nothing is thrown away: samples are kept raw,
 * and those during which the thread lost its CPU are marked. */
#ifndef ASSAY_SAMPLE_H
#define ASSAY_SAMPLE_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/clock.h"
#include "bench/time/machine.h"
#include "kernels/base/err.h"

/* Something to time.  run does its work `iterations` times, alternating between its own two sets of
 * operands, and never fails: everything that can fail happened before.  An arm in another process
 * times itself and returns ns; the others return a negative number and are timed from here. */
struct sample_arm {
    const char *name;
    double (*run)(void *context, uint64_t iterations);
    void *context;
    /* Called before every sample, outside the timing: the sample's iterations are number `first` and
     * following of this arm.  Arms that answer queries ask the same ones in a round.  NULL: no need. */
    void (*place)(void *context, uint64_t first);
};

struct sample_plan {
    size_t rounds;     /* rounded up to whole blocks */
    double sample_ns;  /* least length of a sample; raised to 1000 x clock resolution and 50 us */
    double budget_ns;  /* after this long no new block begins once `least_rounds` are done; 0: none */
    size_t least_rounds;
    uint64_t seed;
    int shared;        /* one iteration count for all arms: what a paired ratio wants (sample.c) */
    const struct clock_source *clock; /* NULL: the machine's */
    const struct counters *counters;  /* NULL: none; read around every sample, outside the timing */
};

struct samples {
    size_t arms, rounds;
    uint64_t *iterations;      /* per arm */
    double *ns;                /* [arm * rounds + round]: ns of one iteration, clock overhead taken off */
    double *cpu_ns;            /* same shape: CPU time of this thread, of one iteration */
    unsigned char *disturbed;  /* same shape: the thread was preempted during that sample */
    size_t preempted;          /* how many of them were */
    struct counts *counts;     /* same shape, per sample; zero without counters */
    double resolution_ns, overhead_ns; /* of the clock; the overhead is measured again every block */
    struct machine_load before, after;
};

/* ERR_MEM; ERR_ARG for no arms or no rounds. */
int sample_run(const struct sample_arm *arms, size_t count, const struct sample_plan *plan, struct samples *out,
               struct err *e);
void samples_free(struct samples *s);
static inline const double *samples_of(const struct samples *s, size_t arm) { return s->ns + arm * s->rounds; }

/* Order of one round: out[position] = arm.  round counts within a block; perm is the block's. */
void sample_order(const uint32_t *perm, size_t count, size_t round, uint32_t *out);

/* ln(base / arm) of every round, in order: above 0 where `arm` was faster.  Returns how many: rounds
 * with a zero time are left out; *ties counts equal times. */
size_t samples_log_ratios(const struct samples *s, size_t base, size_t arm, double *out, size_t *ties);
#endif
