/* SPDX-License-Identifier: MIT
 * dot_f16_avx512.c - inner products of f16 rows, widened by VCVTPH2PS. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f16
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "widened by VCVTPH2PS",
           "half the bytes of f32 from memory; in cache the shuffle port of the widening"),
    KERNEL_END
};
