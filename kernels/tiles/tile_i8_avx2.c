/* SPDX-License-Identifier: MIT
 * tile_i8_avx2.c - many queries against rows that wait in L1, by VPMADDUBSW and VPMADDWD, 2 x 4 of them
 * in registers; see tile_i8_body.h. */
#define MADDUBS _mm256_maddubs_epi16
#define MADD _mm256_madd_epi16
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 2 };
#include "kernels/tiles/tile_i8_body.h"

KERNELS = {
    KERNEL("registers2x4", registers, KERNEL_DEFAULT, "2 queries x 4 rows in registers, VPMADDUBSW of |row| and query",
           "per 32 bytes a pair xor, VPMADDUBSW, VPMADDWD, add: a cycle of 4 pipes"),
    KERNEL_END
};
