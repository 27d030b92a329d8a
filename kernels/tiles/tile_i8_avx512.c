/* SPDX-License-Identifier: MIT
 * tile_i8_avx512.c - tile_i8_avx2.c in zmm, 3 x 4 in registers; see tile_i8_body.h. */
#define MADDUBS _mm512_maddubs_epi16
#define MADD _mm512_madd_epi16
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"

KERNELS = {
    KERNEL("registers3x4", registers, KERNEL_DEFAULT, "3 queries x 4 rows in registers, VPMADDUBSW of |row| and query",
           "per 64 bytes a pair xor, VPMADDUBSW, VPMADDWD, add"),
    KERNEL_END
};
