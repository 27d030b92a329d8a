/* SPDX-License-Identifier: MIT
 * tile_f32_neon.c - many queries against rows that wait in L1, one query at a time: a load for each
 * multiplication.  Tiles in registers need fewer, and x86 gained a tenth to a fifth by them; here nothing is timed, so nothing
 * is tuned. */
#include "kernels/rows/lanes_neon.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void blocked(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                    size_t count, size_t dim, float *scores)
{
    const size_t block = tile_rows(dim);
    for (size_t r = 0; r < count; r += block)
        for (size_t q = 0; q < query_count; q++) {
            const float *query = queries + q * query_stride, *from = rows + r * stride;
            const size_t n = count - r < block ? count - r : block;
            float *out = scores + q * count + r;
            row_sums(DOT, query, from, stride, NULL, n, dim, 0, out, out, NULL);
        }
}

KERNELS = {
    KERNEL("blocked", blocked, KERNEL_DEFAULT, "rows in L1, queries from L2", "as dot_f32 in L1; modelled, never timed"),
    KERNEL_END
};
