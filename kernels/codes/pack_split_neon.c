/* SPDX-License-Identifier: MIT
 * pack_split_neon.c - bit s of byte j of a word is of dimension 4 s + j: of each of the group's eight words of codes
 * one bit, shifted by s, and added across. */
#include <arm_neon.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static void across(const uint8_t *codes, size_t groups, int bits, uint8_t *signs, uint8_t *ranks)
{
    const int32x4_t low_shift = { 0, 1, 2, 3 }, high_shift = { 4, 5, 6, 7 };
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS, signs += 64) {
        const uint8x16_t low = vld1q_u8(codes), high = vld1q_u8(codes + 16), one = vdupq_n_u8(1);
        uint32_t sign = 0;
        for (int plane = bits; plane-- > 0;) {
            const int8x16_t down = vdupq_n_s8((int8_t)-plane);
            const uint32x4_t a = vshlq_u32(vreinterpretq_u32_u8(vandq_u8(vshlq_u8(low, down), one)), low_shift);
            const uint32x4_t b = vshlq_u32(vreinterpretq_u32_u8(vandq_u8(vshlq_u8(high, down), one)), high_shift);
            const uint32_t word = vaddvq_u32(vorrq_u32(a, b));
            if (plane == bits - 1) memcpy(signs, &word, 4), sign = word;
            else memcpy(ranks + 4 * plane, &(uint32_t){ word ^ ~sign }, 4); /* complement where the sign is not set */
        }
        ranks += 4 * (bits - 1);
    }
}

KERNELS = {
    KERNEL("across", across, KERNEL_DEFAULT, "a bit of each word of codes, shifted and added across",
           "10 instructions per 32 codes and bit"),
    KERNEL_END
};
