/* SPDX-License-Identifier: MIT
 * difficulty.h - how hard a query is for any index: what strata of results are made of.
 *
 *   lid       local intrinsic dimension: -1 / mean of ln(r_i / r_k) over its k nearest (Amsaleg et al. 2015, KDD: the
 *             Hill estimator); neighbours at distance 0 are left out
 *   contrast  relative contrast: mean distance to the base / distance to the k-th neighbour (He, Kumar & Chang 2012,
 *             ICML); near 1: all rows are equally far, and no index can help
 *
 * Distances are Euclidean: of the raw vectors for l2, of the unit vectors (sqrt(2 - 2 cos)) for cosine and dot, which
 * is no distance itself.  Quintiles are by rank: 1 the easiest (low lid, high contrast), 5 the hardest. */
#ifndef ASSAY_DIFFICULTY_H
#define ASSAY_DIFFICULTY_H
#include "index/index.h"
#include "kernels/base/rows.h"

enum { DIFFICULTY_K = 100, DIFFICULTY_ROWS = 1000, DIFFICULTY_STRATA = 5 };

struct difficulty { double lid, contrast; }; /* NaN: cannot be said */

/* Of ascending distances of the k nearest.  NaN when fewer than two differ from 0, or all are equal. */
double difficulty_lid(const double *distances, size_t k);
double difficulty_distance(enum metric metric, const float *x, const float *y, size_t dim);

/* The same of a file of queries, with the quintile of each; a zeroed one is of none. */
struct difficulties {
    struct difficulty *each; /* count */
    int *lid_stratum, *contrast_stratum;
    size_t count;
    size_t in_base, first_in_base; /* queries that are one of their neighbours, bit for bit; the first of them */
};
/* Arguments as of difficulty_measure.  ERR_MEM. */
int difficulties_make(struct difficulties *out, struct rows base, struct rows query, const int32_t *ids, size_t width,
                      enum metric metric, int threads, struct err *e);
void difficulties_free(struct difficulties *d);

/* Of every query from its first k exact neighbours (ids: query.count x width, best first; k <= DIFFICULTY_K are looked
 * at) and DIFFICULTY_ROWS rows of the base, drawn once for all queries.  ERR_MEM. */
int difficulty_measure(struct difficulty *out, struct rows base, struct rows query, const int32_t *ids, size_t width,
                       size_t k, enum metric metric, int threads, struct err *e);

/* stratum[i]: 1..DIFFICULTY_STRATA by rank of value[i], `hard_is_high` or low; ties by position; 0 for NaN.
 * ERR_MEM. */
int difficulty_strata(int *stratum, const double *value, size_t count, int hard_is_high, struct err *e);
#endif
