/* SPDX-License-Identifier: MIT
 * unpack_avx2.c - 8 rows a register. */
#include "kernels/pack_avx2.h"

ALL_BITS(UNPACK_BITS)

static void whole(const uint8_t *block, size_t first, size_t count, size_t groups, int bits, uint8_t *codes,
                  size_t stride)
{
    static void (*const of[])(const uint8_t *, size_t, uint8_t *, size_t) = {
        unpack_1, unpack_2, unpack_3, unpack_4, unpack_5, unpack_6, unpack_7, unpack_8,
    };
    if (count == CODES_ROWS) of[bits - 1](block, groups, codes, stride);
    else unpack_rows(block, first, count, groups, bits, codes, stride);
}

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "planes by shifts, words of 8 rows transposed; parts of a block row by row",
           "4 bits: some 130 uops per 16 rows x 32 codes, half of them to transpose"),
    KERNEL_END
};
