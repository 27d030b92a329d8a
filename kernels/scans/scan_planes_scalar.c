/* SPDX-License-Identifier: MIT
 * scan_planes_scalar.c - bits that differ, counted a word at a time. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

/* Sum over the bits of codes and of the query of 2^both times how often they differ, for one row. */
static uint32_t differing(const uint8_t *row, size_t groups, int bits, const uint32_t *planes, int query_bits)
{
    uint32_t total = 0;
    for (int p = 0; p < query_bits; p++)
        for (size_t g = 0; g < groups; g++)
            for (int width = 8, done = 0; width > 0; width /= 2) {
                if (!(bits & width)) continue;
                const uint32_t mask = width == 8 ? 0x01010101u : width == 4 ? 0x11111111u : width == 2 ? 0x55555555u
                                                                                                       : ~0u;
                for (int reg = done; reg < done + width; reg++) {
                    uint32_t word;
                    memcpy(&word, row + (g * (size_t)bits + (size_t)reg) * 64, sizeof word);
                    word ^= planes[((size_t)p * groups + g) * (size_t)bits + (size_t)reg];
                    for (int i = 0; i < width; i++)
                        total += (uint32_t)__builtin_popcount(word >> i & mask) << (done + i + p);
                }
                done += width;
            }
    return total;
}

static void plain(const uint8_t *codes, size_t blocks, size_t dim, int bits, const uint32_t *planes, int query_bits,
                  size_t query_count, int32_t *sums)
{
    const size_t groups = codes_groups(dim), block_bytes = codes_block_bytes(groups, bits);
    const uint32_t all = (uint32_t)dim * ((1u << bits) - 1) * ((1u << query_bits) - 1);
    for (size_t q = 0; q < query_count; q++, planes += (size_t)query_bits * groups * (size_t)bits)
        for (size_t r = 0; r < blocks * CODES_ROWS; r++) {
            const uint8_t *row = codes + r / CODES_ROWS * block_bytes + r % CODES_ROWS * 4;
            *sums++ = (int32_t)(all - 2 * differing(row, groups, bits, planes, query_bits));
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "a word at a time",
           "3 instructions per 32 bits of codes, bit of the code and of the query"),
    KERNEL_END
};
