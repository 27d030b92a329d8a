/* SPDX-License-Identifier: MIT
 * cosine_bf16_avx512.c - cosines of bf16 rows, widened by a shift and a mask. */
#define APART
#include "kernels/rows/lanes_avx512.h"
#define ROW bf16
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "widened by a shift and a mask",
           "stored norms: as dot; computed: 2 FMAs a load"),
    KERNEL_END
};
