/* SPDX-License-Identifier: MIT
 * truth.h - the exact nearest neighbours, against which every index is measured.
 *
 * Tiles of queries meet tiles of rows (kernel tile_f32, then above_f32 against the k-th best so far).  By inner
 * product and by cosine those scores are the canonical ones of index.h, ordered by (score descending, row
 * ascending).  l2 keeps 64 more than k by 2 <q, x> - |x|^2 and scores them again by kernel l2_f32; where the
 * rounding error (forward bound (dim + 8) 2^-24 (|q| + |x|)^2) could have hidden a row, the query is scanned
 * whole.
 *
 * Not sgemm and a heap, as it was: its scores had to be made again, and on Zen 4 with AVX-512 the tile is the
 * faster of the two, ns a pair at d = 384 / 768 / 1536: 7.3 / 14.9 / 34.1 against 8.2 / 16.5 / 35.7 of
 * OpenBLAS 0.3.21 (Cooperlake); with AVX2 alone 9.5 / 18.1 / 39. */
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
