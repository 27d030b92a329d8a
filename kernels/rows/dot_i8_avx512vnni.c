/* SPDX-License-Identifier: MIT
 * dot_i8_avx512vnni.c - exact int8 inner products by VPDPBUSD. */
#define DPBUSD _mm512_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "VPDPBUSD, 8 rows a pass",
           "per 64 bytes a load, an xor and a VPDPBUSD: the loads, in cache"),
    KERNEL_END
};
