/* SPDX-License-Identifier: MIT
 * least.c - a threshold of scores turned into one of sums. */
#include "index/least.h"
#include <math.h>

enum { LANES = 16, LEAST_QUERIES = 16 };

/* Of scales that differ by more, the greatest lets so many sums through that testing them first costs more than it
 * saves: sq of 8 bits, 1.93 -> 1.96 ns a query and row (d = 384, Zen 4).  A zero vector has scale 0, and switches it off
 * for the rows around it. */
#define SPREAD_MAX 1.25f

static float smaller(float a, float b) { return a < b ? a : b; }
static float greater(float a, float b) { return a > b ? a : b; }

/* Lane by lane, which compilers do in registers: 0.7 us a 2,048 rows. */
static void range_of(const float *x, size_t count, float *min, float *max)
{
    float low[LANES], high[LANES];
    for (size_t i = 0; i < LANES; i++) low[i] = high[i] = x[0];
    size_t r = 0;
    for (; r + LANES <= count; r += LANES)
        for (size_t i = 0; i < LANES; i++) {
            low[i] = smaller(x[r + i], low[i]);
            high[i] = greater(x[r + i], high[i]);
        }
    for (; r < count; r++) {
        low[0] = smaller(x[r], low[0]);
        high[0] = greater(x[r], high[0]);
    }
    *min = low[0], *max = high[0];
    for (size_t i = 1; i < LANES; i++) {
        *min = smaller(low[i], *min);
        *max = greater(high[i], *max);
    }
}

struct extent extent_of(const float *scale, const float *error, size_t rows, size_t queries)
{
    struct extent e = { .scale_max = INFINITY };
    if (queries < LEAST_QUERIES || rows == 0) return e;
    range_of(scale, rows, &e.scale_min, &e.scale_max);
    range_of(error, rows, &e.error_min, &e.error_max);
    return e;
}

/* Let E be the greatest error * beta, S the greatest scale.  In exact numbers a row that reaches t has sum * alpha *
 * scale >= t - E.  Where that is above 0 its sum is too, and sum >= (t - E) / (alpha S).  Rounding moves the product by
 * at most 2^-22 of itself (three roundings, the sum's among them), E by 2^-24 of |E| and the last addition by 2^-24 of
 * |t|: 2^-20 of all three is more than that, and 2^-120 more than what underflow can hide (not in sum * alpha: a sum
 * above 0 is 1 at least). */
int32_t least_sum(struct extent rows, float alpha, float beta, float threshold)
{
    if (!(alpha >= 0x1p-120f && isfinite(threshold))) return INT32_MIN;
    if (rows.scale_max > SPREAD_MAX * rows.scale_min) return INT32_MIN; /* so is a scale below 0 */
    const double most = (double)beta * (double)(beta < 0 ? rows.error_min : rows.error_max), t = (double)threshold;
    const double left = t - most - 0x1p-20 * (fabs(t) + fabs(most)) - 0x1p-120;
    if (!(left > 0)) return INT32_MIN;
    const double least = left * (1 - 0x1p-20) / ((double)alpha * (double)rows.scale_max);
    return least < INT32_MAX ? (int32_t)least : INT32_MAX;
}
