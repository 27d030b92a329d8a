/* SPDX-License-Identifier: MIT
 * dot_i8_scalar.c - exact int8 inner products without vector instructions. */
#include "kernels/kernel.h"

static void plain(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *scores)
{
    for (size_t r = 0; r < count; r++) {
        const int8_t *row = rows + (pick ? pick[r] : r) * stride;
        int32_t sum = 0;
        for (size_t i = 0; i < dim; i++) sum += query[i] * row[i];
        scores[r] = sum;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one element at a time", "about a cycle per element"),
    KERNEL_END
};
