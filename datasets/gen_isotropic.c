/* SPDX-License-Identifier: MIT
 * gen_isotropic.c - N(0, I): no direction is better than another, all pairs are near 90 degrees, and the neighbours
 * of a query are hardly nearer than the rest (relative contrast 1.1 at d = 1536).  The case that theory treats, and
 * a poor stand-in for data. */
#include "datasets/vector_set.h"

static void draw_row(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    (void)recipe;
    (void)row;
    rng_normal(r, x, dim);
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    return vector_set_draw(p, "isotropic", NULL, draw_row, draw_row, base, query, e);
}

static const struct param params[] = { VECTOR_SET_PARAMS, { 0 } };

const struct generator_ops gen_isotropic = {
    .name = "isotropic",
    .summary = "independent normal coordinates",
    .params = params,
    .vectors = vectors,
};
