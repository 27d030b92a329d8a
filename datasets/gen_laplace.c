/* SPDX-License-Identifier: MIT
 * gen_laplace.c - independent Laplace coordinates of scale 1: mean 0, variance 2, kurtosis 6.  Tails heavier than
 * what scalar codes are made for, until a rotation mixes the coordinates. */
#include "datasets/vector_set.h"
#include <sleef.h>

static void draw_row(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    (void)recipe;
    (void)row;
    for (size_t i = 0; i < dim; i++) {
        const uint64_t bits = rng_next(r);
        const double u = (double)((bits >> 11) + 1) * 0x1p-53; /* (0, 1] */
        const double magnitude = -Sleef_cinz_logd1_u10purec(u);
        x[i] = (float)(bits & 1 ? -magnitude : magnitude);
    }
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    return vector_set_draw(p, "laplace", NULL, draw_row, draw_row, base, query, e);
}

static const struct param params[] = { VECTOR_SET_PARAMS, { 0 } };

const struct generator_ops gen_laplace = {
    .name = "laplace",
    .summary = "independent Laplace coordinates of scale 1",
    .params = params,
    .vectors = vectors,
};
