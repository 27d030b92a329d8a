/* SPDX-License-Identifier: MIT
 * dot_f32_neon.c - inner products, 3 rows a pass in the canonical order. */
#include "kernels/rows/lanes_neon.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "3 rows a pass",
           "per 32 dims of 3 rows 32 loads (16 as pairs) and 24 FMAs: the FMA pipes; modelled, never timed"),
    KERNEL_END
};
