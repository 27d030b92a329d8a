/* SPDX-License-Identifier: MIT
 * l2_f32_avx512.c - squared distances, 8 rows a pass in the canonical order. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "8 rows a pass",
           "as dot_f32 and a subtraction for each load"),
    KERNEL_END
};
