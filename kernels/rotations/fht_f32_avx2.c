/* SPDX-License-Identifier: MIT
 * fht_f32_avx2.c - Walsh-Hadamard transform, 64 elements in 8 registers at a time. */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_avx2.h"

static void registers8(float *x, size_t n) { fht(x, n); }

KERNELS = {
    KERNEL("registers8", registers8, KERNEL_DEFAULT, "64 elements in registers, then radix 8",
           "per 8 elements 3 shuffles, 3 FMAs, log2(n) - 3 additions, 2 loads and stores per 3 to 6 strides"),
    KERNEL_END
};
