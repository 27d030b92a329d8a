/* SPDX-License-Identifier: MIT
 * l2_i8_avx512.c - exact int8 squared distances by VPMOVSXBW and VPMADDWD. */
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "VPMOVSXBW and VPMADDWD, 8 rows a pass",
           "as dot and a subtraction"),
    KERNEL_END
};
