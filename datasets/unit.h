/* SPDX-License-Identifier: MIT
 * unit.h - what generators share: unit vectors that are the same bits on every machine, and work
 * split over threads whose result does not depend on their number. */
#ifndef ASSAY_UNIT_H
#define ASSAY_UNIT_H
#include <stddef.h>
#include <stdint.h>

/* Sum of x[i] * y[i] in double: 8 lanes, element i in lane i mod 8, lanes added in order. */
double fixed_dot(const float *x, const float *y, size_t n);
/* x / |x|; a zero vector stays. */
void unit_make(float *x, size_t n);
/* A uniformly random unit vector: stream `stream` of `seed`. */
void unit_random(float *out, size_t n, uint64_t seed, uint64_t stream);

/* Calls work(context, from, to) for parts of 0..count over the threads of this machine.  0, or 1
 * when a thread had no memory (the others' parts are done). */
int split_over_threads(size_t count, int (*work)(void *context, size_t from, size_t to), void *context);
#endif
