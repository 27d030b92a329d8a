/* SPDX-License-Identifier: MIT
 * unpack_scalar.c - rows one after the other, a word of four codes at a time. */
#include "kernels/codes/pack_row.h"

KERNELS = {
    KERNEL("plain", unpack_rows, KERNEL_DEFAULT, "four codes at a time", "some 5 instructions per 4 codes"),
    KERNEL_END
};
