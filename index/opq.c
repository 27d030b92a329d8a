/* SPDX-License-Identifier: MIT
 * opq.c - the best orthogonal map of rows to what was decoded of them: a singular value decomposition. */
#include "index/opq.h"
#include <lapacke.h>
#include "index/blas.h"
#include "kernels/base/mem.h"

int opq_fit(const float *rows, const float *decoded, size_t count, size_t dim, float *matrix, struct err *e)
{
    const int n = (int)dim;
    const size_t cells = dim * dim;
    float *u = mem_alloc(2 * cells + dim, sizeof *u), *v = u + cells, *values = v + cells;
    if (!u) return FAIL(e, ERR_MEM, "opq: no memory for %zu dimensions", dim);
    blas_alone();
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, (int)count, 1, decoded, n, rows, n, 0, matrix, n);
    const lapack_int status = LAPACKE_sgesdd(LAPACK_ROW_MAJOR, 'A', n, n, matrix, n, values, u, n, v, n);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, u, n, v, n, 0, matrix, n);
    mem_free(u);
    return status == 0 ? ERR_OK : FAIL(e, ERR_MEM, "opq: SVD of %d x %d failed: LAPACK says %d", n, n, (int)status);
}
