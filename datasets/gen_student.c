/* SPDX-License-Identifier: MIT
 * gen_student.c - independent coordinates of Student's t: a few of them carry a row's whole length.  By Bailey's
 * polar form (1994, Math. Comp. 62(206)): sqrt(v (u^(-2/v) - 1)) cos(2 pi w), u and w uniform. */
#include "datasets/vector_set.h"
#include <math.h>
#include <sleef.h>

static void draw_row(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const double freedom = *(const double *)recipe;
    (void)row;
    for (size_t i = 0; i < dim; i++) {
        const double u = (double)((rng_next(r) >> 11) + 1) * 0x1p-53; /* (0, 1] */
        const double radius = sqrt(freedom * (Sleef_cinz_powd1_u10purec(u, -2 / freedom) - 1));
        x[i] = (float)(radius * Sleef_cinz_cospid1_u05purec(2 * rng_uniform(r)));
    }
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    const double freedom = params_real(p, "freedom");
    return vector_set_draw(p, "student", &freedom, draw_row, draw_row, base, query, e);
}

static const struct param params[] = {
    VECTOR_SET_PARAMS,
    /* Below 1 a deviate in 10^16 would leave what a float holds: 2^(53/v) sqrt(v). */
    { "freedom", PARAM_REAL, 1, 1e6, "3", "", NULL, "degrees of freedom; 1 is Cauchy, many is normal" },
    { 0 }
};

const struct generator_ops gen_student = {
    .name = "student",
    .summary = "independent coordinates of Student's t: heavy tails",
    .params = params,
    .vectors = vectors,
};
