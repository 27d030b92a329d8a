/* SPDX-License-Identifier: MIT
 * cosine_f32_avx512.c - cosines in the canonical order.
 *
 * With stored norms as dot_f32, but for the query's own: its square goes along with the first rows, and a root and a
 * division wait for it at the end.  In L1, where a call has few rows to share that, 84 / 81 / 78 % of the loop that
 * reads them at d = 384 / 768 / 1536 (dot 93 %); from L2 on 95 %. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows8(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    row_cosines(query, rows, stride, pick, count, dim, inverse_norms, scores);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "8 rows a pass",
           "stored norms: as dot_f32; computed: 2 FMAs a load over 4 rows, bound by the FMA ports"),
    KERNEL_END
};
