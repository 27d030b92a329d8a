/* SPDX-License-Identifier: MIT
 * rotation.h - a random orthogonal map, so that every coordinate of a unit vector looks alike.
 *
 *   fht    randomised Hadamard for any d: per round random signs, then, with m the largest power of two
 *          <= d and m < d, pairs (i, i + ceil(d/2)) turned by 45 degrees, a Walsh-Hadamard transform of
 *          the first m coordinates, signs again, and one of the last m.  For m = d one transform a
 *          round.  Only additions and multiplications in one order (kernel fht_f32): the same bits on
 *          every machine.  Source: the Fast-JL line (Ailon & Chazelle 2009) in the any-d form of
 *          RaBitQ-Library's four-round rotator.
 *   dense  Haar measure: Q of the QR factors of a Gaussian matrix, column signs fixed by R's diagonal
 *          (Mezzadri 2007).  What LAPACK computes is not the same to the bit everywhere, so it is saved
 *          with the index.
 *   none   the identity: for data that is rotated already, and to show what rotation is worth. */
#ifndef ASSAY_ROTATION_H
#define ASSAY_ROTATION_H
#include "kernels/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rotation_kind { ROTATION_FHT, ROTATION_DENSE, ROTATION_NONE };
#define ROTATION_CHOICES "fht|dense|none" /* of a parameter table, in the order of the enum */
enum { ROTATION_ROUNDS_MAX = 8, ROTATION_ROWS = 64 };

struct rotation {
    enum rotation_kind kind;
    size_t dim, half, power; /* half = ceil(dim / 2); power = 2^floor(log2 dim) */
    int stages;              /* transforms in all */
    float *scales;           /* fht: (stages + 1) x dim, signs times what keeps the map orthogonal */
    float *matrix;           /* dense: dim x dim, rows are the new axes */
    fht_f32_fn *fht;
    turn_f32_fn *turn;
    dot_f32_fn *dot;
};

/* stream tells several rotations of one seed apart.  ERR_MEM; ERR_UNSUPPORTED: dense in a build
 * without LAPACK. */
int rotation_init(struct rotation *r, enum rotation_kind kind, size_t dim, int rounds, uint64_t seed, uint64_t stream,
                  const struct kernel_set *kernels, struct err *e);
void rotation_fini(struct rotation *r);
void rotation_apply(const struct rotation *r, const float *in, float *out);  /* dim floats each, not the same */
void rotation_invert(const struct rotation *r, const float *in, float *out); /* the transpose */
/* `count` <= ROTATION_ROWS vectors; in and out have room for ROTATION_ROWS rows of dim floats without gaps.
 * dense goes through one sgemm that always has all the rows, the rest zero: a vector's last bits may differ
 * from those of rotation_apply, but not with the company it comes in. */
void rotation_apply_rows(const struct rotation *r, float *in, size_t count, float *out);
size_t rotation_bytes(const struct rotation *r);

/* rotation_dense.c */
int rotation_dense_draw(float *matrix, size_t dim, uint64_t seed, uint64_t stream, struct err *e);
void rotation_dense_rows(const float *matrix, const float *in, size_t count, size_t dim, float *out);

#ifdef __cplusplus
}
#endif
#endif
