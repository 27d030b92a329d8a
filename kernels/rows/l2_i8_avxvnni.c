/* SPDX-License-Identifier: MIT
 * l2_i8_avxvnni.c - exact int8 squared distances by VPMOVSXBW and VPDPWSSD on ymm.
 * Its test has passed natively on an Emerald Rapids. */
#define DPWSSD _mm256_dpwssd_avx_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "VPMOVSXBW and VPDPWSSD, 4 rows a pass",
           "per 16 bytes a widening load, a subtraction and a VPDPWSSD"),
    KERNEL_END
};
