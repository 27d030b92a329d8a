/* SPDX-License-Identifier: MIT
 * vector_set.h - what generators of vectors share: every row from a random stream of its own, so that the first
 * rows of a larger set are the smaller set and threads cannot change a bit; and rotations. */
#ifndef ASSAY_VECTOR_SET_H
#define ASSAY_VECTOR_SET_H
#include "datasets/dataset.h"
#include "kernels/base/rng.h"

/* The parameters of every one of them, to stand first in its table. */
#define VECTOR_SET_PARAMS \
    { "n", PARAM_INT, 1, 1e9, "100000", "vectors", NULL, "base vectors" }, \
    { "dim", PARAM_INT, 1, DATASET_DIM_MAX, "384", "", NULL, "dimension" }, \
    { "queries", PARAM_INT, 1, 1e9, "1000", "queries", NULL, "query vectors" }, \
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" }

/* Fills x (dim floats) with row `row`; r is the row's own stream. */
typedef void draw_row_fn(const void *recipe, struct rng *r, size_t row, float *x, size_t dim);

/* Draws the base with `base_row` and the queries with `query_row` on all CPUs.  The outputs are the caller's, as of
 * generator_ops.vectors.  ERR_MEM naming `who`. */
int vector_set_draw(const struct params *p, const char *who, const void *recipe, draw_row_fn *base_row,
                    draw_row_fn *query_row, struct rows *base, struct rows *query, struct err *e);

/* A random rotation: dim - 1 Householder reflections of falling size (Stewart 1980, SIAM J. Numer. Anal. 17(3)),
 * which is Haar but for the signs of the coordinates that go in.  O(dim^2) a row; the result is the same bits on
 * every machine. */
struct turn { float *at; size_t dim; }; /* dim x dim; row k: reflection k, in its last dim - k places */
int turn_make(struct turn *t, size_t dim, uint64_t seed, uint64_t stream, struct err *e); /* ERR_MEM */
void turn_free(struct turn *t); /* a zeroed one is allowed */
void turn_row(const struct turn *t, float *x);
#endif
