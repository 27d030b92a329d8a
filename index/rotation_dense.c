/* SPDX-License-Identifier: MIT
 * rotation_dense.c - rotations that are whole matrices: drawn as the Q of a Gaussian one, applied by sgemm. */
#include <lapacke.h>
#include "index/blas.h"
#include "index/rotation.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"

int rotation_dense_draw(float *matrix, size_t dim, uint64_t seed, uint64_t stream, struct err *e)
{
    const lapack_int n = (lapack_int)dim;
    blas_alone();
    float *factors = mem_alloc(2 * dim, sizeof *factors), *diagonal = factors + dim;
    if (!factors) return FAIL(e, ERR_MEM, "rotation: no memory for %zu dimensions", dim);
    struct rng rng;
    rng_seed(&rng, seed, stream);
    rng_normal(&rng, matrix, dim * dim);
    lapack_int status = LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, n, n, matrix, n, factors);
    for (size_t i = 0; i < dim; i++) diagonal[i] = matrix[i * dim + i];
    if (status == 0) status = LAPACKE_sorgqr(LAPACK_ROW_MAJOR, n, n, n, matrix, n, factors);
    /* Without this the map would not be uniform: Householder QR prefers one sign of R's diagonal. */
    for (size_t row = 0; row < dim; row++)
        for (size_t i = 0; i < dim; i++)
            if (diagonal[i] < 0) matrix[row * dim + i] = -matrix[row * dim + i];
    mem_free(factors);
    return status == 0 ? ERR_OK
                       : FAIL(e, ERR_MEM, "rotation: QR of %zu x %zu failed: LAPACK says %d", dim,
                              dim, (int)status);
}

void rotation_dense_rows(const float *matrix, const float *in, size_t count, size_t dim, float *out)
{
    const int n = (int)dim;
    blas_alone();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, n, n, 1, in, n, matrix, n, 0, out, n);
}
