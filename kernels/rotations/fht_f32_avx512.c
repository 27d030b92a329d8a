/* SPDX-License-Identifier: MIT
 * fht_f32_avx512.c - Walsh-Hadamard transform, 256 elements in 16 registers at a time. */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_avx512.h"

static void registers16(float *x, size_t n) { fht(x, n); }

KERNELS = {
    KERNEL("registers16", registers16, KERNEL_DEFAULT, "256 elements in registers, then radix 8",
           "per 16 elements 4 shuffles, 4 FMAs, log2(n) - 4 additions, 2 loads and stores per 3 to 8 strides"),
    KERNEL_END
};
