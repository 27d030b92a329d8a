/* SPDX-License-Identifier: MIT
 * fht_f32_neon.c - Walsh-Hadamard transform, 64 elements in 16 registers at a time. */
#include "kernels/kernel.h"
#include "kernels/lanes_neon.h"

enum { BLOCK = 16 };

static inline vec fht_register(vec v)
{
    static const float signs[2][4] = { { 1, -1, 1, -1 }, { 1, 1, -1, -1 } };
    v = vec_fma(v, vld1q_f32(signs[0]), vrev64q_f32(v));
    return vec_fma(v, vld1q_f32(signs[1]), vextq_f32(v, v, 2));
}

#include "kernels/fht.h"

static void registers16(float *x, size_t n) { fht(x, n); }

KERNELS = {
    KERNEL("registers16", registers16, KERNEL_DEFAULT, "64 elements in registers, then radix 8",
           "per 4 elements 2 shuffles, 2 FMAs, log2(n) - 2 additions; counted by hand, never timed"),
    KERNEL_END
};
