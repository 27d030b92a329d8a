/* SPDX-License-Identifier: MIT
 * unit.h - what generators share: unit vectors that are the same bits on every machine. */
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
/* Turns a random unit vector x into one with the given cosine to the unit vector q. */
void unit_tilt(float *x, const float *q, size_t n, double cosine);
#endif
