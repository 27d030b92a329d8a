/* SPDX-License-Identifier: MIT
 * rotate_f32_scalar.c - rounds of a randomised Hadamard rotation, as ops.def defines them. */
#include "kernels/kernel.h"

static void transform(float *x, size_t n)
{
    for (size_t stride = 1; stride < n; stride *= 2)
        for (size_t start = 0; start < n; start += 2 * stride)
            for (size_t i = start; i < start + stride; i++) {
                const float a = x[i], b = x[i + stride];
                x[i] = a + b;
                x[i + stride] = a - b;
            }
}

static void mix(float *x, size_t parts, size_t power)
{
    const float share = 2.0f / (float)parts;
    for (size_t i = 0; i < power; i++) {
        float sum = x[i];
        for (size_t p = 1; p < parts; p++) sum += x[p * power + i];
        sum *= share;
        for (size_t p = 0; p < parts; p++) x[p * power + i] -= sum;
    }
}

static void plain(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale, float *out)
{
    const size_t power = dim / parts;
    for (size_t i = 0; i < dim; i++) out[i] = x[i] * scale;
    for (int round = 0; round < rounds; round++, signs += dim) {
        for (size_t i = 0; i < dim; i++) out[i] = signs[i] ? -out[i] : out[i];
        for (size_t p = 0; p < parts; p++) transform(out + p * power, power);
        if (parts > 1) mix(out, parts, power);
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one butterfly at a time", "log2(part) + 2 additions an element and round"),
    KERNEL_END
};
