/* SPDX-License-Identifier: MIT
 * gen_planted.c - queries whose nearest neighbours are known: each has `planted` base vectors at exactly the given
 * cosine, among uniformly random unit vectors.
 *
 * Base rows q planted .. (q + 1) planted - 1 belong to query q; the rest is background, whose largest cosine to a query
 * is near sqrt(2 ln n / dim) (.24 at 100,000 x 384).  Planted ones that lie above it are the truth by construction;
 * how far above says how much noise of a code they stand. */
#include "datasets/unit.h"
#include "datasets/vector_set.h"

struct recipe {
    size_t queries, planted;
    double similarity;
    uint64_t seed;
    float *centres; /* queries x dim */
};

static const uint64_t stream_centre = 3ull << 40;

static void draw_query(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const struct recipe *k = recipe;
    (void)r;
    unit_random(x, dim, k->seed, stream_centre + row);
}

static void draw_base(const void *recipe, struct rng *r, size_t row, float *x, size_t dim)
{
    const struct recipe *k = recipe;
    rng_normal(r, x, dim);
    unit_make(x, dim);
    const size_t query = k->planted ? row / k->planted : k->queries;
    if (query < k->queries) unit_tilt(x, k->centres + query * dim, dim, k->similarity);
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    const size_t n = (size_t)params_int(p, "n"), dim = (size_t)params_int(p, "dim");
    struct recipe k = { .queries = (size_t)params_int(p, "queries"), .planted = (size_t)params_int(p, "planted"),
                        .similarity = params_real(p, "similarity"), .seed = (uint64_t)params_int(p, "seed") };
    if (dim < 2) return FAIL(e, ERR_ARG, "planted: dim=%zu outside 2..%d", dim, DATASET_DIM_MAX);
    if (k.planted && k.queries > n / k.planted)
        return FAIL(e, ERR_ARG, "planted: n=%zu cannot hold planted=%zu neighbours of %zu queries", n, k.planted,
                    k.queries);
    k.centres = mem_alloc(k.queries * dim, sizeof *k.centres);
    if (!k.centres) return FAIL(e, ERR_MEM, "planted: no memory for %zu queries", k.queries);
    for (size_t q = 0; q < k.queries; q++) draw_query(&k, NULL, q, k.centres + q * dim, dim);
    const int status = vector_set_draw(p, "planted", &k, draw_base, draw_query, base, query, e);
    mem_free(k.centres);
    return status;
}

static const struct param params[] = {
    VECTOR_SET_PARAMS,
    { "planted", PARAM_INT, 0, 1e6, "10", "vectors", NULL, "near neighbours of each query" },
    { "similarity", PARAM_REAL, -1, 1, "0.5", "", NULL, "cosine of what belongs together" },
    { 0 }
};

const struct generator_ops gen_planted = {
    .name = "planted",
    .summary = "queries with neighbours at a given cosine, among random unit vectors",
    .params = params,
    .vectors = vectors,
};
