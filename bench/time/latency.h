/* SPDX-License-Identifier: MIT
 * latency.h - how long callers wait.
 *
 * Closed loop: the next call begins when the last one ended.  That measures service time, and leaves
 * out what would have arrived during a stall.  Open loop: calls are due at times fixed in advance,
 * at even steps or as a Poisson process, and each is timed from when it was due, not from when it
 * could begin (no coordinated omission).  One server, first come first served. */
#ifndef ASSAY_LATENCY_H
#define ASSAY_LATENCY_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/clock.h"
#include "bench/time/stats.h"
#include "kernels/base/err.h"
#include "kernels/base/text.h"

struct latency_plan {
    void (*call)(void *context, uint64_t number);
    void *context;
    size_t calls;
    double rate;      /* calls a second; 0: closed loop */
    int poisson;      /* exponential gaps in place of even ones */
    double budget_ns; /* no call begins after this long; 0: none */
    size_t waiting;   /* open loop: a call that finds so many waiting is turned away and counted */
    uint64_t seed;
    const struct clock_source *clock; /* NULL: the machine's */
};

struct latency {
    double *ns;      /* count of them, ascending; owned */
    size_t count;
    size_t skipped;  /* turned away: the server cannot keep up with the rate */
    double served;   /* calls a second that ended */
};
/* ERR_ARG for no calls, ERR_MEM. */
int latency_run(struct latency *out, const struct latency_plan *plan, struct err *e);
void latency_free(struct latency *l);

/* A percentile with its 95 % interval by order statistics; 0 where the calls are too few: p99 below
 * 500, p99.9 below 10,000, and others below 10 beyond them. */
struct percentile { double ns; struct interval interval; };
struct percentile latency_percentile(const struct latency *l, double q);

/* HdrHistogram's percentile text (.hgrm), 5 ticks a half distance, values in microseconds. */
void latency_hgrm(const struct latency *l, struct text *out);
#endif
