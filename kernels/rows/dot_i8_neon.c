/* SPDX-License-Identifier: MIT
 * dot_i8_neon.c - exact int8 inner products by SMULL and SADALP. */
#include "kernels/rows/lanes_i8_neon.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "SMULL and SADALP, 4 rows a pass",
           "per 16 bytes 2 multiplies and 2 adds; modelled, never timed"),
    KERNEL_END
};
