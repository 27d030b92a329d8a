/* SPDX-License-Identifier: MIT
 * l2_i8_ymm_avx512vnni.c - exact int8 squared distances as l2_i8_avxvnni.c has them, in the encoding of AVX-512,
 * so that its code runs and is tested where AVX-VNNI is missing. */
#define DPWSSD _mm256_dpwssd_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("ymm4", rows4, KERNEL_SAME, "the ymm code of avxvnni, 4 rows a pass",
           "per 16 bytes a widening load, a subtraction and a VPDPWSSD"),
    KERNEL_END
};
