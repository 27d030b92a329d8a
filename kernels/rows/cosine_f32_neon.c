/* SPDX-License-Identifier: MIT
 * cosine_f32_neon.c - cosines in the canonical order. */
#include "kernels/rows/lanes_neon.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "3 rows a pass",
           "stored norms: as dot_f32; computed: 2 FMAs a load, one row a pass; modelled, never timed"),
    KERNEL_END
};
