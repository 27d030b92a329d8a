/* SPDX-License-Identifier: MIT
 * unpack_neon.c - 4 rows a register. */
#include "kernels/codes/pack_neon.h"

UNPACK_BLOCK

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "planes by shifts, words of 4 rows transposed; parts of a block row by row",
           "4 bits: some 220 instructions per 16 rows x 32 codes, half of them to transpose"),
    KERNEL_END
};
