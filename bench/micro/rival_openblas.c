/* SPDX-License-Identifier: MIT
 * rival_openblas.c - what BLAS has for our operations, timed beside them: sgemv for one query, sgemm for many.
 *
 * The core whose kernels it took is what `assay info` names; one thread, as ours.  Its order of sums is its own: it is held to
 * the bound of sums in any order. */
#include <cblas.h>
#include "kernels/kernel.h"

static void by_sgemv(const float *query, const float *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim,
                     float *scores)
{
    const int n = (int)dim;
    openblas_set_num_threads(1); /* returns at once where that is so */
    if (!pick && count && dim)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)count, n, 1, rows, (int)stride, query, 1, 0, scores, 1);
    else
        for (size_t r = 0; r < count; r++) scores[r] = cblas_sdot(n, query, 1, rows + (pick ? pick[r] : r) * stride, 1);
}

static void by_sgemm(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                     size_t count, size_t dim, float *scores)
{
    openblas_set_num_threads(1);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)query_count, (int)count, (int)dim, 1, queries,
                (int)query_stride, rows, (int)stride, 0, scores, (int)count);
}

const struct kernel rival_openblas[] = {
    { .op = OP_dot_f32, .isa = ISA_scalar, .kind = KERNEL_BASELINE, .variant = "openblas", .note = "sgemv", .cost = "",
      .fn = { .dot_f32 = by_sgemv } },
    { .op = OP_tile_f32, .isa = ISA_scalar, .kind = KERNEL_BASELINE, .variant = "openblas", .note = "sgemm", .cost = "",
      .fn = { .tile_f32 = by_sgemm } },
    KERNEL_END
};
