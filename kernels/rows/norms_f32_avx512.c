/* SPDX-License-Identifier: MIT
 * norms_f32_avx512.c - inverse norms in the canonical order, 8 rows a pass like dot_f32: one row at a time
 * waits for the latency of its few accumulators. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"
#include "kernels/rows/norms.h"

static void rows8(const float *rows, size_t stride, size_t count, size_t dim, float *inverse)
{
    row_inverses(rows, stride, count, dim, inverse);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "8 rows a pass",
           "per 32 dims of 8 rows 16 loads and FMAs: the load ports, all of them row bytes"),
    KERNEL_END
};
