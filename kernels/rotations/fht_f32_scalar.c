/* SPDX-License-Identifier: MIT
 * fht_f32_scalar.c - Walsh-Hadamard transform, one butterfly at a time. */
#include "kernels/kernel.h"

static void plain(float *x, size_t n)
{
    for (size_t stride = 1; stride < n; stride *= 2)
        for (size_t start = 0; start < n; start += 2 * stride)
            for (size_t i = start; i < start + stride; i++) {
                const float a = x[i], b = x[i + stride];
                x[i] = a + b;
                x[i + stride] = a - b;
            }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "log2(n) passes", "n log2(n) additions, 2 loads and stores each"),
    KERNEL_END
};
