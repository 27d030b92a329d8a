/* SPDX-License-Identifier: MIT
 * encode_scalar.c - cells by counting the bounds below, a number at a time: the source of the
 * compiler baselines (the counts of 16 numbers vectorise). */
#include "kernels/kernel.h"

static void plain(const float *x, size_t dim, const float *bounds, int bits, uint8_t *codes)
{
    for (size_t i = 0; i < dim; i++) {
        unsigned below = 0;
        for (int b = 0; b < (1 << bits) - 1; b++) below += bounds[b] < x[i];
        codes[i] = (uint8_t)below;
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "counts the bounds below", "2 instructions a bound and number"),
    KERNEL_END
};
