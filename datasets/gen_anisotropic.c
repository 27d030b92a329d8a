/* SPDX-License-Identifier: MIT
 * gen_anisotropic.c - normal rows whose variance falls along given directions, as that of embeddings does.
 *
 *   spectrum=power         variance of direction i = (1 + i)^-decay; text embeddings are near 1
 *   spectrum=exponential   deviation of direction i = exp(-decay i / (dim - 1)); decay=2, mirrored, is the
 *                          anisotropic set of FAISS's EDEN comparison
 *
 * rotate=false leaves the directions on the axes, where codes that treat each axis for itself see them; rotate=true
 * turns them by a random rotation, where only what learns directions can find them. */
#include "datasets/vector_set.h"
#include <math.h>
#include <sleef.h>

enum { STREAM_TURN = 1 };
enum spectrum { POWER, EXPONENTIAL };

struct recipe {
    float *deviations;
    struct turn turn; /* at NULL: on the axes */
};

static void draw_row(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const struct recipe *k = recipe;
    (void)row;
    rng_normal(r, x, dim);
    for (size_t i = 0; i < dim; i++) x[i] *= k->deviations[i];
    if (k->turn.at) turn_row(&k->turn, x);
}

static void fill_deviations(float *out, size_t dim, enum spectrum spectrum, double decay)
{
    const double last = dim > 1 ? (double)(dim - 1) : 1;
    for (size_t i = 0; i < dim; i++)
        out[i] = (float)(spectrum == POWER ? Sleef_cinz_powd1_u10purec(1 + (double)i, -decay / 2)
                                           : Sleef_cinz_expd1_u10purec(-decay * (double)i / last));
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    const size_t dim = (size_t)params_int(p, "dim");
    struct recipe k = { .deviations = mem_alloc(dim, sizeof(float)) };
    int status = k.deviations ? ERR_OK : FAIL(e, ERR_MEM, "anisotropic: no memory for dim=%zu", dim);
    if (status == ERR_OK && params_int(p, "rotate"))
        status = turn_make(&k.turn, dim, (uint64_t)params_int(p, "seed"), STREAM_TURN, e);
    if (status == ERR_OK) {
        fill_deviations(k.deviations, dim, (enum spectrum)params_int(p, "spectrum"), params_real(p, "decay"));
        status = vector_set_draw(p, "anisotropic", &k, draw_row, draw_row, base, query, e);
    }
    turn_free(&k.turn);
    mem_free(k.deviations);
    return status;
}

static const struct param params[] = {
    VECTOR_SET_PARAMS,
    { "spectrum", PARAM_CHOICE, 0, 0, "power", "", "power|exponential",
      "how the variance falls from one direction to the next" },
    { "decay", PARAM_REAL, 0, 20, "1", "", NULL, "how fast: exponent, or total of the exponential; 0 is isotropic" },
    { "rotate", PARAM_FLAG, 0, 0, "true", "", NULL, "directions are random, not the axes" },
    { 0 }
};

const struct generator_ops gen_anisotropic = {
    .name = "anisotropic",
    .summary = "normal rows of a given spectrum, along random directions or the axes",
    .params = params,
    .vectors = vectors,
};
