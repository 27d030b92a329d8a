/* SPDX-License-Identifier: MIT
 * cosine_f16_avx512.c - cosines of f16 rows, widened by VCVTPH2PS. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f16
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "widened by VCVTPH2PS",
           "stored norms: as dot; computed: 2 FMAs a load"),
    KERNEL_END
};
