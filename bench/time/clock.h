/* SPDX-License-Identifier: MIT
 * clock.h - what reading the time costs, clocks for tests, and which CPU we run on.
 *
 * Times are wall nanoseconds.  The time-stamp counter is not used: it counts reference cycles, not
 * core cycles, and saves nothing where a sample lasts 50 us (bench/README.md). */
#ifndef ASSAY_TIME_CLOCK_H
#define ASSAY_TIME_CLOCK_H
#include <stdint.h>
#include "kernels/base/clock.h"
#include "kernels/base/err.h"

/* A source of time.  Tests simulate one; NULL means the machine's clock wherever it is asked for. */
struct clock_source {
    uint64_t (*now_ns)(void *context);
    void *context;
};

struct clock_cost {
    double resolution_ns; /* smallest step between two different readings */
    double overhead_ns;   /* median distance of two readings that follow each other */
};
/* Measured now, from 512 pairs of readings: some 30 us.  Never zero resolution. */
struct clock_cost clock_measure(const struct clock_source *clock);
uint64_t clock_read(const struct clock_source *clock);

/* Binds the calling thread to one CPU (-1: the one it is on).  ERR_UNSUPPORTED where not allowed. */
int clock_pin(int cpu, struct err *e);
#endif
