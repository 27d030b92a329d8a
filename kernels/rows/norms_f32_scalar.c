/* SPDX-License-Identifier: MIT
 * norms_f32_scalar.c - inverse norms without vector instructions; see dot_f32_scalar.c. */
#include "kernels/kernel.h"
#include <math.h>

static void plain(const float *rows, size_t stride, size_t count, size_t dim, float *inverse)
{
    for (size_t r = 0; r < count; r++) {
        float sum = 0;
        for (size_t i = 0; i < dim; i++) sum += rows[r * stride + i] * rows[r * stride + i];
        inverse[r] = sum > 0 ? 1.0f / sqrtf(sum) : 0.0f;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one element at a time", "4 cycles per element: the latency of the add"),
    KERNEL_END
};
