/* SPDX-License-Identifier: MIT
 * dot_bf16_neon.c - inner products of bf16 rows, widened by SHLL. */
#include "kernels/rows/lanes_neon.h"
#define ROW bf16
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "widened by SHLL",
           "half the bytes of f32 from memory; in cache the shuffle port of the widening; modelled, never timed"),
    KERNEL_END
};
