/* SPDX-License-Identifier: MIT
 * fht_f32_neon.c - Walsh-Hadamard transform, 64 elements in 16 registers at a time. */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_neon.h"

static void registers16(float *x, size_t n) { fht(x, n); }

KERNELS = {
    KERNEL("registers16", registers16, KERNEL_DEFAULT, "64 elements in registers, then radix 8",
           "per 4 elements 2 shuffles, 2 FMAs, log2(n) - 2 additions; modelled, never timed"),
    KERNEL_END
};
