/* SPDX-License-Identifier: MIT
 * dot_bf16_avx512.c - inner products of bf16 rows, widened by a shift and a mask. */
#define APART
#include "kernels/rows/lanes_avx512.h"
#define ROW bf16
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "widened by a shift and a mask",
           "per 32 dims of a row a load, a shift, a mask and 2 FMAs: the FMA ports"),
    KERNEL_END
};
