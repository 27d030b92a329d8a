/* SPDX-License-Identifier: MIT
 * tile_f32_scalar.c - dot_f32_scalar.c for many queries. */
#include "kernels/kernel.h"

static void plain(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                  size_t count, size_t dim, float *scores)
{
    for (size_t q = 0; q < query_count; q++)
        for (size_t r = 0; r < count; r++) {
            const float *query = queries + q * query_stride, *row = rows + r * stride;
            float sum = 0;
            for (size_t i = 0; i < dim; i++) sum += query[i] * row[i];
            scores[q * count + r] = sum;
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one pair at a time", "as dot_f32"),
    KERNEL_END
};
