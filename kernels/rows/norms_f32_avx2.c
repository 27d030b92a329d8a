/* SPDX-License-Identifier: MIT
 * norms_f32_avx2.c - inverse norms in the canonical order, 3 rows a pass like dot_f32: one row at a time
 * waits for the latency of its few accumulators. */
#include "kernels/rows/lanes_avx2.h"
#define ROW f32
#include "kernels/rows/row_sums.h"
#include "kernels/rows/norms.h"

static void rows3(const float *rows, size_t stride, size_t count, size_t dim, float *inverse)
{
    row_inverses(rows, stride, count, dim, inverse);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "3 rows a pass",
           "per 32 dims of 3 rows 12 loads and FMAs: the load ports, all of them row bytes"),
    KERNEL_END
};
