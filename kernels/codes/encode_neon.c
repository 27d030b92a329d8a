/* SPDX-License-Identifier: MIT
 * encode_neon.c - up to 4 bits, 2 instructions a bound count the bounds below 4 numbers; beyond, a
 * binary search of each number without a branch. */
#include <arm_neon.h>
#include "kernels/kernel.h"

static inline uint8_t searched(float x, const float *bounds, int bits)
{
    unsigned code = 0;
    for (unsigned half = 1u << (bits - 1); half; half /= 2) code += bounds[code + half - 1] < x ? half : 0;
    return (uint8_t)code;
}

static void count_or_search(const float *x, size_t dim, const float *bounds, int bits, uint8_t *codes)
{
    size_t i = 0;
    for (; bits <= 4 && i + 16 <= dim; i += 16) {
        uint32x4_t code[4] = { vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0) };
        for (int b = 0; b < (1 << bits) - 1; b++)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                code[v] = vsubq_u32(code[v], vcltq_f32(vdupq_n_f32(bounds[b]), vld1q_f32(x + i + 4 * (size_t)v)));
        const uint16x8_t low = vmovn_high_u32(vmovn_u32(code[0]), code[1]);
        const uint16x8_t high = vmovn_high_u32(vmovn_u32(code[2]), code[3]);
        vst1q_u8(codes + i, vmovn_high_u16(vmovn_u16(low), high));
    }
    for (; i < dim; i++) codes[i] = searched(x[i], bounds, bits);
}

KERNELS = {
    KERNEL("count", count_or_search, KERNEL_DEFAULT, "counts bounds up to 4 bits, searches beyond",
           "2 instructions a bound and 4 numbers; beyond 4 bits 4 a bit and number"),
    KERNEL_END
};
