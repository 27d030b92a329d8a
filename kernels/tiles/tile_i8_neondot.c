/* SPDX-License-Identifier: MIT
 * tile_i8_neondot.c - many queries against rows that wait in L1, one query at a time: a load for each
 * multiplication.  Tiles in registers need fewer, and x86 gained a third by them; here nothing is timed, so nothing
 * is tuned. */
#include "kernels/rows/lanes_i8_neon.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void blocked(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                    size_t count, size_t dim, int32_t *scores)
{
    const size_t block = tile_rows(dim);
    for (size_t r = 0; r < count; r += block)
        for (size_t q = 0; q < query_count; q++) {
            const int8_t *query = queries + q * query_stride, *from = rows + r * stride;
            const size_t n = count - r < block ? count - r : block;
            int32_t *out = scores + q * count + r;
            row_sums(DOT, query, from, stride, NULL, n, dim, 0, out, out, NULL);
        }
}

KERNELS = {
    KERNEL("blocked", blocked, KERNEL_DEFAULT, "rows in L1, queries from L2", "as dot_i8 in L1; modelled, never timed"),
    KERNEL_END
};
