/* SPDX-License-Identifier: MIT
 * cosine_i8_avx512.c - cosines of int8 rows by VPMOVSXBW and VPMADDWD. */
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "VPMOVSXBW and VPMADDWD, 8 rows a pass",
           "stored norms: as dot; computed: twice the arithmetic"),
    KERNEL_END
};
