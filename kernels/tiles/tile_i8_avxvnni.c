/* SPDX-License-Identifier: MIT
 * tile_i8_avxvnni.c - many queries against rows that wait in L1, by 256-bit VPDPBUSD, 3 x 4 of them in
 * registers; see tile_i8_body.h.  Its test has passed natively on an Emerald Rapids. */
#define DPBUSD _mm256_dpbusd_avx_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"

KERNELS = {
    KERNEL("registers3x4", registers, KERNEL_DEFAULT, "3 queries x 4 rows in registers, VPDPBUSD",
           "per 32 bytes a pair a VPDPBUSD; 7 loads per 12"),
    KERNEL_END
};
