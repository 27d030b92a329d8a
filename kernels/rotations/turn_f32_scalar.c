/* SPDX-License-Identifier: MIT
 * turn_f32_scalar.c - signs and 45 degree turns, one pair at a time. */
#include "kernels/kernel.h"

static void plain(const float *x, const float *scale, size_t dim, size_t half, float *out)
{
    for (size_t i = 0; i < dim - half; i++) {
        const float a = x[i] * scale[i], b = x[i + half] * scale[i + half];
        out[i] = a + b;
        out[i + half] = a - b;
    }
    for (size_t i = dim - half; i < half; i++) out[i] = x[i] * scale[i];
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one pair at a time", "a load of x, a load of scale and a store per element"),
    KERNEL_END
};
