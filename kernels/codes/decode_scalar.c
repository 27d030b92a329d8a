/* SPDX-License-Identifier: MIT
 * decode_scalar.c - the levels of codes, one at a time. */
#include "kernels/kernel.h"

static void plain(const uint8_t *codes, size_t dim, const float *levels, int bits, float *x)
{
    (void)bits;
    for (size_t i = 0; i < dim; i++) x[i] = levels[codes[i]];
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one at a time", "2 loads and a store a number"),
    KERNEL_END
};
