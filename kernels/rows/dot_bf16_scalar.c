/* SPDX-License-Identifier: MIT
 * dot_bf16_scalar.c - dot_f32_scalar.c with rows widened by shifts. */
#include "kernels/half.h"
#include "kernels/kernel.h"

static void plain(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    for (size_t r = 0; r < count; r++) {
        const uint16_t *row = rows + (pick ? pick[r] : r) * stride;
        float sum = 0;
        for (size_t i = 0; i < dim; i++) sum += query[i] * f32_of_bf16(row[i]);
        scores[r] = sum;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "widened by shifts", "the latency of the add, or more"),
    KERNEL_END
};
