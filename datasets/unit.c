/* SPDX-License-Identifier: MIT
 * unit.c - unit vectors in a fixed order of operations, so that they are the same everywhere. */
#include "datasets/unit.h"
#include "kernels/base/rng.h"
#include <math.h>

enum { LANES = 8 };

double fixed_dot(const float *x, const float *y, size_t n)
{
    double lane[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * y[i + l];
    for (size_t l = 0; i + l < n; l++) lane[l] += (double)x[i + l] * y[i + l];
    for (size_t l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

void unit_make(float *x, size_t n)
{
    const double square = fixed_dot(x, x, n);
    if (square == 0) return;
    const double inverse = 1 / sqrt(square); /* sqrt and / are correctly rounded everywhere */
    for (size_t i = 0; i < n; i++) x[i] = (float)(x[i] * inverse);
}

void unit_random(float *out, size_t n, uint64_t seed, uint64_t stream)
{
    struct rng r;
    rng_seed(&r, seed, stream);
    rng_normal(&r, out, n);
    unit_make(out, n);
}

void unit_tilt(float *x, const float *q, size_t n, double cosine)
{
    const double along = fixed_dot(x, q, n);
    for (size_t i = 0; i < n; i++) x[i] = (float)(x[i] - along * q[i]);
    unit_make(x, n);
    const double across = sqrt(1 - cosine * cosine);
    for (size_t i = 0; i < n; i++) x[i] = (float)(cosine * q[i] + across * x[i]);
    unit_make(x, n);
}
