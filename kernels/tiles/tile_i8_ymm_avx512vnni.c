/* SPDX-License-Identifier: MIT
 * tile_i8_ymm_avx512vnni.c - what tile_i8_avxvnni.c does, in the encoding of AVX-512, so that its code runs and
 * is tested where AVX-VNNI is missing. */
#define DPBUSD _mm256_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"

KERNELS = {
    KERNEL("ymm3x4", registers, KERNEL_SAME, "the ymm code of avxvnni, 3 queries x 4 rows in registers",
           "per 32 bytes a pair a VPDPBUSD; 7 loads per 12"),
    KERNEL_END
};
