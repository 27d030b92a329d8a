/* SPDX-License-Identifier: MIT
 * l2_i8_neondot.c - exact int8 squared distances by SABD, then UDOT. */
#include "kernels/rows/lanes_i8_neon.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "SABD, then UDOT, 4 rows a pass",
           "as dot and a subtraction; modelled, never timed"),
    KERNEL_END
};
