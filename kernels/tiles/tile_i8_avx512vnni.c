/* SPDX-License-Identifier: MIT
 * tile_i8_avx512vnni.c - many queries against rows that wait in L1, by VPDPBUSD, 3 x 4 of them in registers;
 * see tile_i8_body.h. */
#define DPBUSD _mm512_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"

KERNELS = {
    KERNEL("registers3x4", registers, KERNEL_DEFAULT, "3 queries x 4 rows in registers, VPDPBUSD",
           "per 64 bytes a pair a VPDPBUSD; 7 loads per 12"),
    KERNEL_END
};
