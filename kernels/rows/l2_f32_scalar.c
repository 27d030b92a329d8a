/* SPDX-License-Identifier: MIT
 * l2_f32_scalar.c - squared distances without vector instructions; see dot_f32_scalar.c. */
#include "kernels/kernel.h"

static void plain(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *squares)
{
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + (pick ? pick[r] : r) * stride;
        float sum = 0;
        for (size_t i = 0; i < dim; i++) sum += (query[i] - row[i]) * (query[i] - row[i]);
        squares[r] = sum;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "a subtraction, a multiply and an add per element",
           "4 cycles per element: the latency of the add"),
    KERNEL_END
};
