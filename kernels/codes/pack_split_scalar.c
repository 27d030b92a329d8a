/* SPDX-License-Identifier: MIT
 * pack_split_scalar.c - a word of four codes at a time: bit 8 j + s of a word is of dimension 4 s + j, so a word of
 * ranks is eight words of codes, masked and shifted. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

/* Bit `plane` of 32 codes. */
static uint32_t plane_of(const uint8_t *codes, int plane)
{
    uint32_t word = 0, four;
    for (int s = 0; s < 8; s++) {
        memcpy(&four, codes + 4 * s, sizeof four);
        word |= (four >> plane & 0x01010101u) << s;
    }
    return word;
}

static void plain(const uint8_t *codes, size_t groups, int bits, uint8_t *signs, uint8_t *ranks)
{
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS, signs += 64) {
        const uint32_t sign = plane_of(codes, bits - 1);
        memcpy(signs, &sign, sizeof sign);
        /* rank = code where the sign is set, its complement elsewhere */
        for (int plane = 0; plane + 1 < bits; plane++, ranks += 4)
            memcpy(ranks, &(uint32_t){ plane_of(codes, plane) ^ ~sign }, 4);
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "four codes at a time", "4 instructions per 4 codes and bit"),
    KERNEL_END
};
