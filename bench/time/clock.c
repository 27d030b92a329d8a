/* SPDX-License-Identifier: MIT
 * clock.c - measures what reading the clock costs and the finest step that it shows; binds a thread to a CPU. */
#define _GNU_SOURCE
#include "bench/time/clock.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

uint64_t clock_read(const struct clock_source *clock)
{
    return clock ? clock->now_ns(clock->context) : clock_ns();
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

struct clock_cost clock_measure(const struct clock_source *clock)
{
    enum { PAIRS = 512 };
    uint64_t step[PAIRS], smallest = UINT64_MAX;
    for (int i = 0; i < PAIRS; i++) {
        const uint64_t first = clock_read(clock), second = clock_read(clock);
        step[i] = second - first;
        if (step[i] > 0 && step[i] < smallest) smallest = step[i];
    }
    qsort(step, PAIRS, sizeof *step, compare_u64);
    return (struct clock_cost){ smallest == UINT64_MAX ? 1 : (double)smallest, (double)step[PAIRS / 2] };
}

int clock_pin(int cpu, struct err *e)
{
    if (cpu < 0) cpu = sched_getcpu();
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET((unsigned)cpu, &set);
    if (cpu < 0 || sched_setaffinity(0, sizeof set, &set) != 0)
        return FAIL(e, ERR_UNSUPPORTED, "cannot bind to CPU %d: %s", cpu, strerror(errno));
    return ERR_OK;
}
