/* SPDX-License-Identifier: MIT
 * unpack_avx2.c - 8 rows a register. */
#include "kernels/codes/pack_avx2.h"

UNPACK_BLOCK

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "planes by shifts, words of 8 rows transposed; parts of a block row by row",
           "4 bits: some 130 uops per 16 rows x 32 codes, half of them to transpose", .lines = "zen4"),
    KERNEL_END
};
