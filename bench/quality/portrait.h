/* SPDX-License-Identifier: MIT
 * portrait.h - what a set of vectors is like: lengths, repeated rows, how near neighbours are, how many dimensions it
 * fills, and whether queries look as if they came from where the base did. */
#ifndef ASSAY_PORTRAIT_H
#define ASSAY_PORTRAIT_H
#include "bench/quality/difficulty.h"
#include "kernels/base/rows.h"

/* Neighbours are looked for of all rows up to PORTRAIT_ALL, else of PORTRAIT_SAMPLE drawn ones among all, and hubs
 * among PORTRAIT_ALL drawn ones.  PORTRAIT_SPECTRUM rows make the covariance, of up to PORTRAIT_DIM dimensions. */
enum { PORTRAIT_ALL = 10000, PORTRAIT_SAMPLE = 1000, PORTRAIT_PAIRS = 20000, PORTRAIT_SPECTRUM = 20000,
       PORTRAIT_DIM = 4096, PORTRAIT_HUB_K = 10 };

struct values { double *at; size_t count; }; /* ascending; mem_free'd by portrait_free */

struct portrait {
    size_t count, dim, zero_rows, duplicate_rows; /* rows equal to an earlier one, bit for bit */
    enum metric metric;                           /* of lid and contrast; all else is by cosine */
    int normalised;                               /* every row but zeros has length 1 to 1e-3 */
    struct values lengths;                        /* of all rows, or PORTRAIT_SPECTRUM of them */
    double length_least, length_mean, length_most;
    struct values pairs, nearest;                 /* cosines of random pairs; of a row and its nearest other one */
    double pair_cosine, nearest_cosine;           /* means; NaN for one row */
    double nearest_median;                        /* which others call the nearest-neighbour cosine: higher, where few rows are alone */
    struct values lids, contrasts;                /* of the rows that were asked for, k = DIFFICULTY_K */
    double lid, contrast;                         /* medians */
    struct values hubs;                           /* how often a row is among the first 10 of another */
    double hubness, orphans;                      /* skewness of that; share that is among nobody's */
    size_t asked, hub_rows;
    double *spectrum;                             /* share of variance, descending, dim of them; NULL: not computed */
    /* Participation ratio (sum l)^2 / sum l^2 of the covariance, centred.  A sample of r rows has about 1 / (1 / rank + 1 / r):
     * 140 of 2,000 rows of a set that has 149.5. */
    double effective_rank;
    double principal[3], first[3];                /* share in the first dim/8, /4,
        /2 principal directions; coordinates */
};

/* rows finite, at least one.  ERR_MEM; ERR_ARG for more than 2^31 - 1 rows. */
int portrait_make(struct portrait *out, struct rows rows, enum metric metric, int threads, struct err *e);
void portrait_free(struct portrait *p); /* a zeroed one is allowed */

/* Queries against the base that `base` is of.  likeness: (nearest_cosine - base's pair_cosine) / (base's nearest_cosine
 * - the same): 1 for queries drawn as the base is, 0 when their nearest row is no nearer than any: another model. */
struct match {
    size_t in_base, first_in_base; /* queries that are, bit for bit, a base row; the first of them */
    size_t repeated;               /* queries equal to an earlier one */
    double nearest_cosine, likeness;
    struct difficulties hard;      /* of every query; freed by match_free */
};
#define MATCH_LIKE 0.5 /* below this a warning is due */
int match_make(struct match *out, const struct portrait *base, struct rows rows, struct rows query, int threads,
               struct err *e);
void match_free(struct match *m);

/* Eigenvalues of the covariance of every step-th row (`taken` of them, of this mean), descending, and its diagonal.
 * ERR_MEM; ERR_UNSUPPORTED without BLAS and LAPACK. */
int portrait_spectrum(struct rows rows, size_t step, size_t taken, const double *mean, double *values, double *variance,
                      struct err *e);
#endif
