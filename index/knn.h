/* SPDX-License-Identifier: MIT
 * knn.h - the nearest rows of every row, by tiles of int8 products.
 *
 * Rows are parted by a k-means of their own; the rows of a part, some hundreds, are held against the rows of the parts
 * whose centres are nearest to theirs, all against all (kernel tile_i8: 2.3 ns a pair of 384 dimensions, where a walk
 * through a graph costs 50).  With `seen` at the number of rows it is exact but for what 8 bits lose.
 *
 * Products of int8 are exact and everything after them is in a fixed order, means included: lists are the same for
 * any number of threads and any instruction set. */
#ifndef ASSAY_KNN_H
#define ASSAY_KNN_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/kernel.h"

/* Rows as they are compared: x_i = steps[i] * codes.  Apart(i, j) is
 *     terms[i] + terms[j] - 2 <x_i, x_j>            terms: |x|^2; the squared distance
 *     lift - 2 <x_i, x_j> - 2 terms[i] terms[j]     lift > 0: rows lifted by one coordinate, terms, to one length, so
 *                                                   that what is nearest has the largest inner product; lift: twice
 *                                                   its square */
struct points {
    size_t count, padded; /* padded: bytes of a row, dimensions up to whole groups of 32 */
    int8_t *codes;
    float *steps, *terms;
    float lift;
};

static inline float points_whole(const struct points *p, size_t i) { return p->lift > 0 ? p->lift : p->terms[i]; }
static inline float points_beta(const struct points *p, size_t i) { return p->lift > 0 ? 2 * p->terms[i] : -1; }
/* dot: of the codes of i and j. */
static inline float points_apart(const struct points *p, size_t i, size_t j, int32_t dot)
{
    const float apart = points_whole(p, i) - ((float)dot * (2 * p->steps[i]) * p->steps[j] +
                                              p->terms[j] * points_beta(p, i));
    return apart > 0 ? apart : 0;
}

/* ERR_MEM. */
int points_init(struct points *p, size_t count, size_t dim, struct err *e);
void points_fini(struct points *p);
/* Row i from floats of dim dimensions; term as above. */
void points_set(struct points *p, size_t i, const float *x, size_t dim, float term);

struct near {
    float apart;
    uint32_t row;
};
static inline int near_before(struct near a, struct near b)
{
    return a.apart < b.apart || (a.apart == b.apart && a.row < b.row);
}
void near_sort(struct near *list, size_t count); /* nearest first, then lower row */

struct knn {
    size_t k;            /* others that each row gets, at most count - 1 */
    size_t seen;         /* rows that a row is held against, about */
    uint64_t seed;
    int threads;
    const struct kernel_set *kernels;
};

/* lists: points.count x k, nearest first.  medoids: NULL, or receives the row nearest to the centre of every part,
 * *medoid_count of them, to be freed with mem_free.  ERR_MEM. */
int knn_lists(const struct knn *how, const struct points *points, struct near *lists, uint32_t **medoids,
              size_t *medoid_count, struct err *e);
#endif
