/* SPDX-License-Identifier: MIT
 * pack_neon.c - 4 rows a register. */
#include "kernels/codes/pack_neon.h"

PACK_BLOCK

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "words of 4 rows transposed, planes by shifts; parts of a block row by row",
           "4 bits: some 220 instructions per 16 rows x 32 codes, half of them to transpose"),
    KERNEL_END
};
