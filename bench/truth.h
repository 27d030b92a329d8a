/* SPDX-License-Identifier: MIT
 * truth.h - the exact nearest neighbours, against which every index is measured.
 *
 * Every base row is scored by a first pass (sgemm of OpenBLAS in tiles; in a WORKER build the
 * kernels alone), which keeps more than k; those are scored again by the canonical kernels of
 * index.h's scores and ordered by (score descending, row ascending).  Where the first pass's
 * rounding error (forward bound (dim + 8) 2^-24 |q| |x|) could have hidden a row from what was
 * kept, the query is scanned whole by the kernels: the answer never depends on BLAS. */
#ifndef ASSAY_TRUTH_H
#define ASSAY_TRUTH_H
#include <stdint.h>
#include "datasets/dataset.h"
#include "index/index.h"

struct truth {
    int32_t *ids; /* count x k base rows, best first; mem_free'd by truth_free */
    size_t count, k;
    int from_cache;
};

/* k is cut to base.count.  kernels NULL: best defaults; threads >= 1.  Shows progress when long.
 * ERR_ARG: dimensions differ, k is 0, more than 2^31 - 1 base rows; ERR_MEM. */
int truth_compute(struct truth *out, struct rows base, struct rows query, size_t k, enum metric metric, int threads,
                  const struct kernel_set *kernels, struct err *e);

/* The same through a cache: truth-<hash of base, query, k, metric>.ivecs in $ASSAY_CACHE, else
 * $XDG_CACHE_HOME/assay, else ~/.cache/assay.  A damaged or foreign cache file is computed anew; a folder that
 * cannot be written is no error. */
int truth_cached(struct truth *out, const struct dataset *base, const struct dataset *query, size_t k,
                 enum metric metric, int threads, const struct kernel_set *kernels, struct err *e);
void truth_free(struct truth *t); /* NULL and zeroed are allowed */
#endif
