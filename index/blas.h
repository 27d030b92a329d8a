/* SPDX-License-Identifier: MIT
 * blas.h - BLAS on the thread that calls it: we split rows over threads ourselves, where its own would only spin beside
 * ours, and sums must not depend on how many there are. */
#ifndef ASSAY_BLAS_H
#define ASSAY_BLAS_H
/* Spelled so that the build's search for optional headers leaves k-means in a WORKER build. */
#ifndef ASSAY_WORKER
#    include <cblas.h>

/* Before every call of BLAS or LAPACK, or before the threads start that make them: the setting is the process's. */
static inline void blas_alone(void)
{
    if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}
#else
static inline void blas_alone(void) {}
#endif
#endif
