/* SPDX-License-Identifier: MIT
 * dot_i8_avx512.c - exact int8 inner products by VPMOVSXBW and VPMADDWD. */
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "VPMOVSXBW and VPMADDWD, 8 rows a pass",
           "per 32 bytes a widening load, a multiply-add and an add"),
    KERNEL_END
};
