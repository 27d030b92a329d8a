/* SPDX-License-Identifier: MIT
 * gen_clustered.c - unit vectors in skewed clusters on a low-dimensional sheet, with isotropic
 * noise: near neighbours as close as in text embeddings, from a seed and a few parameters.
 *
 *   centre_k ~ N(0, I_latent), k < clusters;   point: k = floor(clusters u^1.5), u uniform
 *   z = centre_k + spread N(0, I_latent);      x = A z + noise N(0, I_dim), scaled to unit length
 *   A: dim x latent, N(0, 1), direction l scaled by (1+l)^-1/4 / sqrt(sum over l of (1+l)^-1/2)
 *
 * The default is easy to route (compact clusters) and hard to quantise; latent=64, spread=1,
 * noise=.8 is hard to route.  Mean cosine of the 1st / 10th / 100th neighbour at 100k x 384:
 * .829 / .793 / .601 by default.
 *
 * Every point has a random stream of its own, so the first rows of a larger set are the smaller
 * set, and threads cannot change a bit.  Only + - * / sqrt and SLEEF's cinz forms are used. */
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include <math.h>

/* Streams of the seed. */
enum { STREAM_SHEET = 1, STREAM_CENTRES = 2 };
static const uint64_t stream_base = 1ull << 40, stream_query = 2ull << 40;

struct sheet {
    size_t dim, latent, clusters;
    float spread, noise;
    uint64_t seed;
    int threads;
    float *a;       /* latent rows of dim: column l of A, scaled */
    float *centres; /* clusters x latent */
    float *z;       /* latent a thread */
    float *out;
    uint64_t stream; /* of row 0 */
};

/* x += A z, column after column: the order of every sum is fixed, the inner loop has no chain. */
static void add_image(const struct sheet *s, const float *restrict z, float *restrict x)
{
    for (size_t l = 0; l < s->latent; l++) {
        const float *restrict column = s->a + l * s->dim;
        const float scale = z[l];
        for (size_t i = 0; i < s->dim; i++) x[i] += column[i] * scale;
    }
}

static void fill_rows(void *context, int thread, size_t from, size_t to)
{
    const struct sheet *s = context;
    float *z = s->z + (size_t)thread * s->latent;
    for (size_t row = from; row < to; row++) {
        struct rng r;
        rng_seed(&r, s->seed, s->stream + row);
        const double u = rng_uniform(&r);
        const size_t cluster = (size_t)((double)s->clusters * (u * sqrt(u)));
        const float *centre = s->centres + cluster * s->latent;
        float *x = s->out + row * s->dim;
        rng_normal(&r, z, s->latent);
        for (size_t l = 0; l < s->latent; l++) z[l] = centre[l] + s->spread * z[l];
        rng_normal(&r, x, s->dim);
        for (size_t i = 0; i < s->dim; i++) x[i] *= s->noise;
        add_image(s, z, x);
        unit_make(x, s->dim);
    }
}

static void make_sheet(struct sheet *s)
{
    struct rng r;
    double sum = 0;
    for (size_t l = 0; l < s->latent; l++) sum += 1 / sqrt(1.0 + (double)l);
    rng_seed(&r, s->seed, STREAM_SHEET);
    for (size_t l = 0; l < s->latent; l++) {
        float *column = s->a + l * s->dim;
        const float scale = (float)(1 / (sqrt(sqrt(1.0 + (double)l)) * sqrt(sum)));
        rng_normal(&r, column, s->dim);
        for (size_t i = 0; i < s->dim; i++) column[i] *= scale;
    }
    rng_seed(&r, s->seed, STREAM_CENTRES);
    rng_normal(&r, s->centres, s->clusters * s->latent);
}

static int fill(struct sheet *s, size_t count, uint64_t stream, struct rows *out)
{
    s->stream = stream;
    s->out = mem_alloc(count * s->dim, sizeof *s->out);
    if (!s->out) return 1;
    *out = (struct rows){ s->out, count, s->dim, s->dim };
    parallel_for(s->threads, count, 256, fill_rows, s);
    return 0;
}

static int vectors(const struct params *p, struct rows *base, struct rows *query, struct err *e)
{
    struct sheet s = {
        .dim = (size_t)params_int(p, "dim"),
        .latent = (size_t)params_int(p, "latent"),
        .clusters = (size_t)params_int(p, "clusters"),
        .spread = (float)params_real(p, "spread"),
        .noise = (float)params_real(p, "noise"),
        .seed = (uint64_t)params_int(p, "seed"),
        .threads = parallel_cpus(),
    };
    struct rows made[2] = { 0 };
    s.a = mem_alloc(s.latent * s.dim, sizeof *s.a);
    s.centres = mem_alloc(s.clusters * s.latent, sizeof *s.centres);
    s.z = mem_alloc(s.latent * (size_t)s.threads, sizeof *s.z);
    int bad = !s.a || !s.centres || !s.z;
    if (!bad) make_sheet(&s);
    if (!bad) bad = fill(&s, (size_t)params_int(p, "n"), stream_base, &made[0]);
    if (!bad) bad = fill(&s, (size_t)params_int(p, "queries"), stream_query, &made[1]);
    mem_free(s.a);
    mem_free(s.centres);
    mem_free(s.z);
    if (bad) {
        mem_free((void *)(uintptr_t)made[0].at);
        mem_free((void *)(uintptr_t)made[1].at);
        return FAIL(e, ERR_MEM, "clustered: no memory for n=%s x dim=%s", params_text(p, "n"), params_text(p, "dim"));
    }
    *base = made[0];
    *query = made[1];
    return ERR_OK;
}

static const struct param params[] = {
    { "n", PARAM_INT, 1, 1e9, "100000", "vectors", NULL, "base vectors" },
    { "dim", PARAM_INT, 1, DATASET_DIM_MAX, "384", "", NULL, "dimension" },
    { "queries", PARAM_INT, 1, 1e9, "1000", "queries", NULL, "query vectors" },
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" },
    { "latent", PARAM_INT, 1, 4096, "48", "", NULL, "dimensions of the sheet the data lies on (hard set: 64)" },
    { "clusters", PARAM_INT, 1, 1e7, "1000", "", NULL, "cluster centres, of skewed sizes" },
    { "spread", PARAM_REAL, 0, 100, "0.5", "", NULL, "deviation around a centre within the sheet (hard set: 1.0)" },
    { "noise", PARAM_REAL, 0, 100, "0.3", "", NULL, "deviation off the sheet (hard set: 0.8)" },
    { 0 }
};

const struct generator_ops gen_clustered = {
    .name = "clustered",
    .summary = "unit vectors in skewed clusters on a low-dimensional sheet, with noise",
    .params = params,
    .vectors = vectors,
};
