/* SPDX-License-Identifier: MIT
 * dot_f32_scalar.c - inner products without vector instructions, and the source of the compiler
 * baselines.  Plain order, no fused multiply-add: within the bound, not in the canonical order. */
#include "kernels/kernel.h"

static void plain(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + (pick ? pick[r] : r) * stride;
        float sum = 0;
        for (size_t i = 0; i < dim; i++) sum += query[i] * row[i];
        scores[r] = sum;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one multiply and one add per element",
           "4 cycles per element: the latency of the add"),
    KERNEL_END
};
