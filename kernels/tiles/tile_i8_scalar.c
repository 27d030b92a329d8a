/* SPDX-License-Identifier: MIT
 * tile_i8_scalar.c - dot_i8_scalar.c for many queries. */
#include "kernels/kernel.h"

static void plain(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                  size_t count, size_t dim, int32_t *scores)
{
    for (size_t q = 0; q < query_count; q++)
        for (size_t r = 0; r < count; r++) {
            const int8_t *query = queries + q * query_stride, *row = rows + r * stride;
            int32_t sum = 0;
            for (size_t i = 0; i < dim; i++) sum += query[i] * row[i];
            scores[q * count + r] = sum;
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one pair at a time", "as dot_i8"),
    KERNEL_END
};
