/* SPDX-License-Identifier: MIT
 * opq.h - the orthogonal map of optimised product quantisation (Ge et al. 2013, section 3.2.1). */
#ifndef ASSAY_OPQ_H
#define ASSAY_OPQ_H
#include <stddef.h>
#include "kernels/base/err.h"

/* matrix (dim x dim) becomes the orthogonal R for which the sum of |R x - y|^2 over the pairs of rows x and decoded
 * rows y is least: U V^T of the singular value decomposition of sum y x^T (Procrustes).  ERR_MEM.  Not in a WORKER
 * build. */
int opq_fit(const float *rows, const float *decoded, size_t count, size_t dim, float *matrix, struct err *e);
#endif
