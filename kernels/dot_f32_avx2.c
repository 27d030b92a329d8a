/* SPDX-License-Identifier: MIT
 * dot_f32_avx2.c - inner products, 3 rows a pass in the canonical order. */
#include "kernels/kernel.h"
#include "kernels/lanes_avx2.h"
#include "kernels/rows_float.h"

static void rows3(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, dim), scores, scores);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "3 rows a pass",
           "per 32 dims of 3 rows 16 loads and 12 FMAs: the load ports, 75 % of them row bytes"),
    KERNEL_END
};
