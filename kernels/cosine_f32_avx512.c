/* SPDX-License-Identifier: MIT
 * cosine_f32_avx512.c - cosines in the canonical order. */
#include "kernels/lanes_avx512.h"
#define ROW f32
#include "kernels/row_sums.h"

static void rows8(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "8 rows a pass",
           "stored norms: as dot_f32; computed: 2 FMAs a load over 4 rows, bound by the FMA ports"),
    KERNEL_END
};
