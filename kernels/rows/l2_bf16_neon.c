/* SPDX-License-Identifier: MIT
 * l2_bf16_neon.c - squared distances of bf16 rows, widened by SHLL. */
#include "kernels/rows/lanes_neon.h"
#define ROW bf16
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "widened by SHLL",
           "as dot and a subtraction for each load; modelled, never timed"),
    KERNEL_END
};
