/* SPDX-License-Identifier: MIT
 * rotation.h - a random orthogonal map, so that every coordinate of a unit vector looks alike.
 *
 *   fht    randomised Hadamard for any d, one of two forms.
 *          d = m 2^k with m = 1, or m = 3 or 5 and 2^k >= 16 (384, 768, 1024, 1280, 1536 ...): a round is
 *          random signs, a Walsh-Hadamard transform of each of the m parts, and the mix I - (2/m) J across
 *          them: every entry of a round's matrix is non-zero (kernel rotate_f32).
 *          Other d: per round random signs, then, with p the largest power of two < d, pairs (i, i + ceil(d/2))
 *          turned by 45 degrees, a transform of the first p coordinates, signs again, and one of the last p
 *          (kernels turn_f32, fht_f32): 2.5 to 3.5 times the work.  m >= 7 belongs here: I - (2/m) J nears I,
 *          and two rounds would leave a one-hot row with 2.1 times the variance in one part.
 *          Additions and multiplications in one order: the same bits on every machine.  Source: the
 *          Fast-JL line (Ailon & Chazelle 2009); the windows are those of RaBitQ-Library's rotator.
 *   dense  Haar measure: Q of the QR factors of a Gaussian matrix, column signs fixed by R's diagonal
 *          (Mezzadri 2007).  What LAPACK computes is not the same to the bit everywhere, so it is saved
 *          with the index.  dim^2 multiply-adds a row through sgemm: at d = 384 / 1536 3.2 / 58 us where fht
 *          takes .16 / .62, and 5 / 220 ms to draw (Zen 4, one thread).
 *   none   the identity: for data that is rotated already, and to show what rotation is worth. */
#ifndef ASSAY_ROTATION_H
#define ASSAY_ROTATION_H
#include "kernels/base/rows.h"
#include "kernels/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rotation_kind { ROTATION_FHT, ROTATION_DENSE, ROTATION_NONE };
#define ROTATION_CHOICES "fht|dense|none" /* of a parameter table, in the order of the enum */
enum { ROTATION_ROUNDS_MAX = 8, ROTATION_ROWS = 64 };

struct rotation {
    enum rotation_kind kind;
    size_t dim, power; /* of a part, or of a window */
    int rounds;
    size_t parts;      /* fht: m; 0: windows */
    uint32_t *signs;   /* parts: (rounds + 1) x dim words, the last row 0 for the way back */
    size_t half;       /* windows: ceil(dim / 2) */
    float *scales;     /* windows: (2 rounds + 1) x dim, signs times what keeps the map orthogonal */
    float *matrix;     /* dense: dim x dim, rows are the new axes */
    rotate_f32_fn *rotate;
    fht_f32_fn *fht;
    turn_f32_fn *turn;
    dot_f32_fn *dot;
};

/* stream tells several rotations of one seed apart.  ERR_MEM; ERR_UNSUPPORTED: dense in a build
 * without LAPACK. */
int rotation_init(struct rotation *r, enum rotation_kind kind, size_t dim, int rounds, uint64_t seed, uint64_t stream,
                  const struct kernel_set *kernels, struct err *e);
void rotation_fini(struct rotation *r);
/* scale times the rotated vector; dim floats each, not the same. */
void rotation_apply(const struct rotation *r, const float *in, float scale, float *out);
void rotation_invert(const struct rotation *r, const float *in, float *out); /* the transpose */
/* in.count <= ROTATION_ROWS vectors, each times its scale; out: rows without gaps.  room, and out, have room for
 * ROTATION_ROWS of them.  dense goes through one sgemm that always has all the rows, the rest zero: a vector's
 * last bits may differ from those of rotation_apply, but not with the company it comes in. */
void rotation_apply_rows(const struct rotation *r, struct rows in, const float *scales, float *room, float *out);
size_t rotation_bytes(const struct rotation *r);

/* rotation_dense.c */
int rotation_dense_draw(float *matrix, size_t dim, uint64_t seed, uint64_t stream, struct err *e);
void rotation_dense_rows(const float *matrix, const float *in, size_t count, size_t dim, float *out);

#ifdef __cplusplus
}
#endif
#endif
