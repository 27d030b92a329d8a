/* SPDX-License-Identifier: MIT
 * nearest.h - the nearest of many centres for every row, exactly, by products of bytes.
 *
 * Rows and centres are sketched as int8 with a step each (codec_query), kernel tile_i8 multiplies the sketches, and how
 * far a product of sketches may be from that of the vectors follows from what rounding took from each, by
 * Cauchy-Schwarz:
 *     |<x, c> - <x', c'>|  <=  |x - x'| |c| + |x'| |c - c'|
 * Only the centres that this leaves (1 to 4 of 512 where vectors are not noise) are scored by kernel dot_f32.  So the answer
 * is what dot_f32 of every centre would give, to the bit: bytes save time and decide nothing, and rows, threads and
 * blocks do not depend on each other. */
#ifndef ASSAY_NEAREST_H
#define ASSAY_NEAREST_H
#include "kernels/base/rows.h"
#include "kernels/kernel.h"

/* Vectors as bytes.  One block of memory; `at` owns it. */
struct sketch {
    int8_t *at;     /* vector i at at + i * stride, 0 beyond dim */
    size_t stride;
    float *steps;   /* x is about step * bytes */
    float *lengths; /* |x| */
    float *lost;    /* |x - step * bytes| */
};

struct nearest {
    size_t count, dim;
    const float *centres, *halves;  /* the caller's: count x dim; |centre|^2 / 2, or 0: by angle */
    const float *origin;            /* the caller's; NULL: none */
    struct sketch of;               /* centres less the origin */
    float *near_halves;             /* of centres less the origin; +inf in the padding to whole vectors */
    float longest, worst, far, most; /* of the centres: greatest length, greatest loss, |origin|, greatest half */
    dot_f32_fn *dot;
    tile_i8_fn *tile;
    above_f32_fn *above;
};

/* What is taken off centres and rows (NULL: nothing) before they become bytes: distances do not change by it, and bytes
 * are fine where vectors lie far from 0 and near to each other.  by_angle: halves are 0, and origin is NULL.
 * ERR_MEM. */
int nearest_init(struct nearest *n, const float *centres, const float *halves, size_t count, size_t dim,
                 const float *origin, const struct kernel_set *kernels, struct err *e);
void nearest_fini(struct nearest *n);
/* Bytes of rows, less the origin (NULL: nothing): good for any centres with that origin.  ERR_MEM. */
int sketch_init(struct sketch *s, struct rows rows, const float *origin, dot_f32_fn *dot, int threads, struct err *e);
void sketch_fini(struct sketch *s);
/* nearest[r] of every row: the centre of least halves[c] - dot_f32(row, c), of equals the first.  ERR_MEM. */
int nearest_find(const struct nearest *n, struct rows rows, const struct sketch *s, uint32_t *nearest, int threads,
                 struct err *e);
#endif
