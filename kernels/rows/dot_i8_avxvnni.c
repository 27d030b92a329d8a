/* SPDX-License-Identifier: MIT
 * dot_i8_avxvnni.c - exact int8 inner products by VPDPBUSD on ymm.
 * Its test has passed natively on an Emerald Rapids. */
#define DPBUSD _mm256_dpbusd_avx_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "VPDPBUSD, 4 rows a pass",
           "per 32 bytes a load, an xor and a VPDPBUSD"),
    KERNEL_END
};
