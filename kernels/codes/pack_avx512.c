/* SPDX-License-Identifier: MIT
 * pack_avx512.c - 16 rows a register. */
#include "kernels/codes/pack_avx512.h"

PACK_BLOCK

KERNELS = {
    KERNEL("transpose", whole, KERNEL_DEFAULT,
           "words of 16 rows transposed, planes by shifts; parts of a block row by row",
           "4 bits: some 80 uops per 16 rows x 32 codes, half of them to transpose"),
    KERNEL_END
};
