/* SPDX-License-Identifier: MIT
 * dot_f32_avx512.c - inner products, 8 rows a pass in the canonical order. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "8 rows a pass",
           "per 32 dims of 8 rows 18 loads and 16 FMAs: the load ports, 89 % of them row bytes"),
    KERNEL_END
};
