/* SPDX-License-Identifier: MIT
 * cosine_i8_avx2.c - cosines of int8 rows by VPMOVSXBW and VPMADDWD. */
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "VPMOVSXBW and VPMADDWD, 4 rows a pass",
           "stored norms: as dot; computed: twice the arithmetic"),
    KERNEL_END
};
