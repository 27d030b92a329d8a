/* SPDX-License-Identifier: MIT
 * clock.c - reads CLOCK_MONOTONIC: the one clock by which everything is timed. */
#include "kernels/base/clock.h"
#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double clock_since_s(uint64_t start_ns) { return (double)(clock_ns() - start_ns) * 1e-9; }
