/* SPDX-License-Identifier: MIT
 * gen_sparse.c - rows of few coordinates that are not zero, all positive, as counts of words are: round(density dim)
 * places drawn without repetition (Floyd's sampling: Bentley & Floyd 1987, CACM 30(9)), values |N(0, 1)|.  Two rows
 * share density^2 dim places on average, so that many pairs score exactly 0: ties. */
#include "datasets/vector_set.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

static void draw_row(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const size_t nonzeros = *(const size_t *)recipe;
    float values[BLOCK];
    size_t held = 0;
    (void)row;
    memset(x, 0, dim * sizeof *x);
    for (size_t j = dim - nonzeros; j < dim; j++) {
        const size_t t = (size_t)rng_below(r, j + 1);
        x[x[t] != 0 ? j : t] = 1;
    }
    for (size_t i = 0; i < dim; i++) {
        if (x[i] == 0) continue;
        if (held == 0) rng_normal(r, values, held = BLOCK);
        const float value = fabsf(values[--held]);
        x[i] = value > 0 ? value : 0x1p-40f; /* a place that was drawn is never zero */
    }
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    const size_t dim = (size_t)params_int(p, "dim");
    const double wanted = floor(params_real(p, "density") * (double)dim + 0.5);
    const size_t nonzeros = wanted < 1 ? 1 : (size_t)wanted;
    return vector_set_draw(p, "sparse", &nonzeros, draw_row, draw_row, base, query, e);
}

static const struct param params[] = {
    VECTOR_SET_PARAMS,
    { "density", PARAM_REAL, 0, 1, "0.05", "", NULL,
      "share of a row's coordinates that are not zero; at least one is not" },
    { 0 }
};

const struct generator_ops gen_sparse = {
    .name = "sparse",
    .summary = "rows that are mostly zeros, the rest positive",
    .params = params,
    .vectors = vectors,
};
