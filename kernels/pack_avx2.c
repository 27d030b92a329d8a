/* SPDX-License-Identifier: MIT
 * pack_avx2.c - 8 rows a register. */
#include "kernels/pack_avx2.h"

ALL_BITS(PACK_BITS)

static void whole(const uint8_t *codes, size_t stride, size_t first, size_t count, size_t groups, int bits,
                  uint8_t *block)
{
    static void (*const of[])(const uint8_t *, size_t, size_t, uint8_t *) = {
        pack_1, pack_2, pack_3, pack_4, pack_5, pack_6, pack_7, pack_8,
    };
    if (count == CODES_ROWS) of[bits - 1](codes, stride, groups, block);
    else pack_rows(codes, stride, first, count, groups, bits, block);
}

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "words of 8 rows transposed, planes by shifts; parts of a block row by row",
           "4 bits: some 130 uops per 16 rows x 32 codes, half of them to transpose"),
    KERNEL_END
};
