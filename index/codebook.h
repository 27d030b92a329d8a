/* SPDX-License-Identifier: MIT
 * codebook.h - the best 2^b levels for one coordinate of a random unit vector (TurboQuant,
 * arXiv 2504.19874, section 3.1).
 *
 * A coordinate t of a uniform unit vector in R^d has the density  c (1 - t^2)^((d-3)/2)  on [-1, 1]
 * (d >= 2; for d = 1 it is +-1).  The levels are its Lloyd-Max quantiser: every level is the mean of
 * its cell, every cell border the middle of two levels.  Computed by Newton's method on that
 * condition, in double, with functions that give the same bits everywhere; symmetric to the bit. */
#ifndef ASSAY_CODEBOOK_H
#define ASSAY_CODEBOOK_H
#include <stddef.h>

enum { CODEBOOK_BITS_MAX = 8, CODEBOOK_LEVELS_MAX = 1 << CODEBOOK_BITS_MAX };

struct codebook {
    int bits;
    double levels[CODEBOOK_LEVELS_MAX];      /* ascending, 1 << bits of them */
    double thresholds[CODEBOOK_LEVELS_MAX];  /* [i] between level i and i + 1; one fewer */
    double probabilities[CODEBOOK_LEVELS_MAX]; /* of each cell */
    double distortion; /* E |u - decoded u|^2 of a unit vector u: d times that of a coordinate */
    double entropy;    /* of a code, in bits */
};

/* bits 1..8, dim >= 1. */
void codebook_design(struct codebook *c, size_t dim, int bits);
#endif
