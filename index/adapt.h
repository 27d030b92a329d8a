/* SPDX-License-Identifier: MIT
 * adapt.h - what an index of rotated rows may learn of its data before it quantises them.
 *
 *   center     the mean m of the rows (by cosine of the unit rows) is taken off rows and queries:
 *                  <q, x> = <q, m> + <m, x - m> + <q - m, x - m>,    |q - x|^2 = |(q - m) - (x - m)|^2
 *              the first term is the query's, the second a float kept for every row (by l2 |x - m|^2, which is kept
 *              anyway), and only the third is estimated: its error grows with |q - m| |x - m|, not |q| |x|.  RaBitQ,
 *              LVQ and OSQ centre so (arXiv 2405.12497 section 3.1, 2304.04759); TurboQuant, which knows no data,
 *              does not, and loses most by it where rows share a large mean.
 *   calibrate  every rotated coordinate is divided by its root mean square (about the mean when centred), relative
 *              to that of all, and the query's is multiplied by it: <q, x> = <q s, x / s>.  One codebook then fits
 *              all coordinates although few directions hold the variance.  With center it is the shift and scale
 *              a coordinate of turbovec's and Qdrant's "TQ+".
 *
 * recall@10, cosine, turboquant at 1 / 2 / 4 bits
 *                               plain              center             calibrate          both
 *   clustered, 100k x 384       .599 .771 .925     .599 .780 .927     .594 .770 .927     .597 .776 .929
 *   GloVe, 9.5k x 100           .535 .751 .923     .605 .796 .930     .518 .758 .923     .605 .797 .934
 *   bge-base on BEIR, 10k x 768 .711 .845 .948     .776 .883 .965     .695 .851 .952     .776 .883 .960
 * Centring earns its 4 bytes a row on every real set; calibration adds little behind a rotation, which has evened
 * the spreads already, and much without one (Gaussian rows, deviations .95^i, 4 bits: .68 to .86).
 *
 * Learnt once, from the first rows that are seen: later ones are moved by the same numbers. */
#ifndef ASSAY_ADAPT_H
#define ASSAY_ADAPT_H
#include "index/index.h"

#define ADAPT_PARAM_CENTER                                                                     \
    { "center", PARAM_FLAG, 0, 0, "false", "", NULL, "quantise what rows differ from their mean by" }

enum { ADAPT_ROWS = 16384 }; /* learnt from at most: the error of a mean is then 1/128 of a deviation */

struct adapt {
    int centres, calibrates, has_learnt;
    size_t dim;
    float *centre, *spread; /* a rotated coordinate: 0 and 1 until learnt; NULL where neither was asked for */
    double *sums;           /* of values and of squares, while learning */
};

/* ERR_MEM.  With neither asked for nothing is allocated. */
int adapt_init(struct adapt *a, size_t dim, int centres, int calibrates, struct err *e);
void adapt_fini(struct adapt *a);
static inline int adapt_moves(const struct adapt *a) { return a->centre != NULL; }
/* Rotated rows, dim floats each; settle makes centre and spread of all that were seen. */
void adapt_see(struct adapt *a, const float *rows, size_t count);
void adapt_settle(struct adapt *a, size_t count);
/* y: a rotated row or query, which becomes centred and, the row's way or the query's, scaled.  Returns <centre, y> of
 * the centred y before it is scaled; *square: its |y|^2. */
float adapt_row(const struct adapt *a, dot_f32_fn *dot, float *y, float *square);
float adapt_query(const struct adapt *a, dot_f32_fn *dot, float *y, float *square);
/* With u the row's way, <query, row> is <adapt_query's, adapt_row's>; the row itself, asked as a query, comes out
 * along this.  `rescaled` divides by what the codes give for it, so that it is exact where the query is the row: by
 * u itself the variance would not vanish there (recall@10 at 2 bits on the clustered set: .756 by u). */
void adapt_probe(const struct adapt *a, const float *u, float *probe);
/* Back to what adapt_row was given. */
void adapt_invert(const struct adapt *a, float *y);
/* As sections "learnt", "centre" and "spread".  ERR_FORMAT for numbers that learning cannot give. */
int adapt_save(const struct adapt *a, struct index_writer *w, struct err *e);
int adapt_load(struct adapt *a, struct index_reader *r, struct err *e);
#endif
