/* SPDX-License-Identifier: MIT
 * cosine_f16_avx2.c - cosines of f16 rows, widened by VCVTPH2PS. */
#include "kernels/rows/lanes_avx2.h"
#define ROW f16
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "widened by VCVTPH2PS",
           "stored norms: as dot; computed: 2 FMAs a load"),
    KERNEL_END
};
