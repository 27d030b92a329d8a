/* SPDX-License-Identifier: MIT
 * cosine_i8_avxvnni.c - cosines of int8 rows by VPDPBUSD on ymm.
 * Its test has passed natively on an Emerald Rapids. */
#define DPBUSD _mm256_dpbusd_avx_epi32
#include "kernels/rows/lanes_i8_avx2.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows4(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows4", rows4, KERNEL_DEFAULT, "VPDPBUSD, 4 rows a pass",
           "stored norms: as dot; computed: per 32 bytes a load, an xor and 3 VPDPBUSD"),
    KERNEL_END
};
