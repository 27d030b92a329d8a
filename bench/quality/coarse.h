/* SPDX-License-Identifier: MIT
 * coarse.h - a first pass in bfloat16 that no row among the best can slip through.
 *
 * A row of tile_f32 with own.bf16 multiplies q' and x', which are q and x rounded to bfloat16.  Because
 *     <q, x> - <q', x'> = <q - q', x> + <q', x - x'>,
 * by Cauchy's inequality the products of rounded numbers are within
 *     |q - q'| |x| + |q'| |x - x'|,    |q'| <= |q| + |q - q'|
 * of the exact ones.  The losses |q - q'| and |x - x'| are measured, not taken at their worst, 2^-8 of the length: some
 * 2^-9.2 for numbers of any smooth law.  What adding up in float32 does comes on top (kernels/bound.h), and what making
 * a score of it does.  So a score is within E of the exact one, E one number a query: of the longest row and the
 * largest loss.
 *
 * If `depth` rows score t or more, the exact score of the depth-th best is at least t - E: what scores below t - 2 E is
 * not among them.  Survivors are kept in a buffer; when it is full, t is found again, by bisection to within a few rows
 * (any t that depth rows reach will do), and what is below t - 2 E goes.  Where more than half of the buffer stays,
 * scores are too alike for bfloat16, and the query is lost: the caller asks otherwise. */
#ifndef ASSAY_COARSE_H
#define ASSAY_COARSE_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/kernel.h"

/* Queries that go together through the rows from which it pays (truth.h has the times): what packing the rows and
 * measuring their losses costs is shared by them. */
enum { COARSE_QUERIES = 96 };
/* What survivors of a thread may take: of 256 queries 32,768 each, which is k = 4,032. */
enum { COARSE_BYTES = 64 << 20 };

/* The row of tile_f32 to use here, of the best ISA, or NULL where none runs, `queries` are too few, or they and their
 * survivors, `room` each, too many. */
const struct kernel *coarse_kernel(size_t queries, size_t room);

/* |x - x'|, rounded up; of a number below 2^-126, which such a row may take for 0, the whole is lost.  Not finite where
 * x' is not. */
double coarse_loss(const float *x, size_t dim);

/* The rows: a length and a loss that none exceeds. */
struct coarse {
    const struct kernel *tile;
    size_t dim;
    double length, loss;
};
/* How far <q', x'> as the kernel adds it up may be from <q, x>, for a query of this length and loss. */
double coarse_error(const struct coarse *c, double length, double loss);

struct survivors {
    float *scores;  /* room */
    uint32_t *rows; /* room, in the order in which they came */
    size_t room, count, depth;
    double gap;     /* 2 E, and what rounding makes of it */
    float bound;    /* what scores below it need not be pushed; infinity: lost */
};

/* The caller's arrays of `room`, more than depth or as many as rows will come. */
void survivors_init(struct survivors *s, float *scores, uint32_t *rows, size_t room, size_t depth, double gap);
/* Scores are finite. */
void survivors_push(struct survivors *s, size_t row, float score);
/* Drops what the last bound excludes.  How many are left, 0 when lost. */
size_t survivors_finish(struct survivors *s);
#endif
