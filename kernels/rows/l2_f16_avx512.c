/* SPDX-License-Identifier: MIT
 * l2_f16_avx512.c - squared distances of f16 rows, widened by VCVTPH2PS. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f16
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "widened by VCVTPH2PS",
           "as dot and a subtraction for each load"),
    KERNEL_END
};
