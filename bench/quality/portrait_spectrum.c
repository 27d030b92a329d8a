/* SPDX-License-Identifier: MIT
 * portrait_spectrum.c - what of a portrait needs BLAS and LAPACK; a build without them has no spectrum. */
#include "bench/quality/portrait.h"
#include "index/blas.h"
#include "kernels/base/mem.h"
#ifndef ASSAY_WORKER
#    include <lapacke.h>

enum { BLOCK = 256 }; /* rows */

static void add_blocks(struct rows rows, size_t step, size_t taken, const double *mean, double *block, double *at)
{
    const size_t dim = rows.dim;
    for (size_t from = 0; from < taken; from += BLOCK) {
        const size_t count = taken - from < BLOCK ? taken - from : BLOCK;
        for (size_t r = 0; r < count; r++)
            for (size_t i = 0; i < dim; i++) block[r * dim + i] = rows_at(rows, (from + r) * step)[i] - mean[i];
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)dim, (int)count, 1 / (double)taken, block, (int)dim, 1,
                    at, (int)dim);
    }
}
#endif

int portrait_spectrum(struct rows rows, size_t step, size_t taken, const double *mean, double *values, double *variance,
                      struct err *e)
{
#ifdef ASSAY_WORKER
    (void)rows, (void)step, (void)taken, (void)mean, (void)values, (void)variance;
    return FAIL(e, ERR_UNSUPPORTED, "a spectrum needs LAPACK, which this build is without");
#else
    const size_t dim = rows.dim;
    double *at = mem_zero(dim * dim, sizeof *at), *block = mem_alloc(BLOCK * dim, sizeof *block);
    int status = at && block ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a covariance of %zu dimensions", dim);
    if (status == ERR_OK) {
        blas_alone();
        add_blocks(rows, step, taken, mean, block, at);
        for (size_t i = 0; i < dim; i++) variance[i] = at[i * dim + i];
        if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)dim, at, (lapack_int)dim, values) != 0)
            status = FAIL(e, ERR_MEM, "eigenvalues of %zu x %zu failed", dim, dim);
    }
    for (size_t i = 0; status == ERR_OK && i < dim / 2; i++) {
        const double low = values[i];
        values[i] = values[dim - 1 - i];
        values[dim - 1 - i] = low;
    }
    mem_free(at);
    mem_free(block);
    return status;
#endif
}
