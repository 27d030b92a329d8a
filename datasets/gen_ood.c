/* SPDX-License-Identifier: MIT
 * gen_ood.c - queries that are not drawn as the base is, as captions are not drawn as images are (VIBE,
 * arXiv 2505.17810, section on out-of-distribution queries).
 *
 * Base rows lie near a sheet: deviation 1 along `latent` directions, `noise` along the others.  Queries lie near
 * another one, which shares round(overlap latent) of those directions and has others for the rest; and their mean is
 * off by `gap` root-mean-square lengths along a direction of neither.  overlap=1, gap=0 is the same law for both.
 *
 * What to expect, S the base's covariance, m = latent, s = m - round(overlap m), L^2 = m + (dim - m) noise^2:
 *     E q' S^-1 q = (m - s) + s noise^2 + (s + gap^2 L^2) / noise^2 + (dim - m - s)
 * against dim for a base row: quantisers that learn from the base learn the wrong directions. */
#include "datasets/vector_set.h"
#include <math.h>

enum { STREAM_TURN = 1 };

struct recipe {
    size_t latent, shift;
    float noise, offset;
    struct turn turn;
};

static void draw_sheet(const struct recipe *k, struct rng *r, size_t first, float offset, float *x, size_t dim)
{
    rng_normal(r, x, dim);
    for (size_t i = 0; i < dim; i++)
        if (i < first || i >= first + k->latent) x[i] *= k->noise;
    x[dim - 1] += offset;
    turn_row(&k->turn, x);
}

static void draw_base(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    (void)row;
    draw_sheet(recipe, r, 0, 0, x, dim);
}

static void draw_query(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const struct recipe *k = recipe;
    (void)row;
    draw_sheet(k, r, k->shift, k->offset, x, dim);
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    const size_t dim = (size_t)params_int(p, "dim");
    const double noise = params_real(p, "noise");
    struct recipe k = { .latent = (size_t)params_int(p, "latent"), .noise = (float)noise };
    k.shift = k.latent - (size_t)floor(params_real(p, "overlap") * (double)k.latent + 0.5);
    if (k.latent + k.shift >= dim)
        return FAIL(e, ERR_ARG, "ood: dim=%zu cannot hold latent=%zu directions, %zu others and the gap's", dim,
                    k.latent, k.shift);
    k.offset = (float)(params_real(p, "gap") * sqrt((double)k.latent + (double)(dim - k.latent) * noise * noise));
    int status = turn_make(&k.turn, dim, (uint64_t)params_int(p, "seed"), STREAM_TURN, e);
    if (status == ERR_OK) status = vector_set_draw(p, "ood", &k, draw_base, draw_query, base, query, e);
    turn_free(&k.turn);
    return status;
}

static const struct param params[] = {
    VECTOR_SET_PARAMS,
    { "latent", PARAM_INT, 1, 4096, "48", "", NULL, "dimensions of the sheet the data lies on" },
    { "noise", PARAM_REAL, 0, 100, "0.3", "", NULL, "deviation off the sheet" },
    { "overlap", PARAM_REAL, 0, 1, "0.5", "", NULL, "share of the sheet's directions that the queries' sheet has too" },
    { "gap", PARAM_REAL, 0, 100, "0.5", "", NULL, "distance of the queries' mean, in lengths of a row" },
    { 0 }
};

const struct generator_ops gen_ood = {
    .name = "ood",
    .summary = "queries of another distribution than the base: other directions, another mean",
    .params = params,
    .vectors = vectors,
};
