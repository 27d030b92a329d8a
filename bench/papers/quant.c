/* SPDX-License-Identifier: MIT
 * quant.c - vectors of the papers on quantisation, and errors of what codes stand for. */
#include "bench/papers/quant.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include <math.h>

/* Not a stream that rotations are drawn from: vectors that are rows of their own rotation lie along its axes, and a bit
 * then costs .62 instead of .36. */
enum { STREAM = 1001 };

int sphere_draw(struct rows *out, size_t count, size_t dim, uint64_t seed, struct err *e)
{
    float *x = mem_alloc(count * dim, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "no memory for %zu vectors", count);
    struct rng r;
    rng_seed(&r, seed, STREAM);
    rng_normal(&r, x, count * dim);
    for (size_t row = 0; row < count; row++) {
        double squares = 0;
        for (size_t i = 0; i < dim; i++) squares += (double)x[row * dim + i] * (double)x[row * dim + i];
        for (size_t i = 0; i < dim; i++) x[row * dim + i] = (float)((double)x[row * dim + i] / sqrt(squares));
    }
    *out = (struct rows){ x, count, dim, dim };
    return ERR_OK;
}

size_t quant_rows(size_t dim, size_t most)
{
    enum { COORDINATES = 2000 * 384 };
    return most * dim > COORDINATES ? COORDINATES / dim : most;
}

int quant_build(struct index **out, const char *spec, struct rows rows, enum metric metric, uint64_t seed, int threads,
                struct err *e)
{
    const struct index_config config = { .dim = rows.dim, .metric = metric, .seed = seed, .threads = threads };
    struct index *ix = NULL;
    int status = index_create(&ix, spec, &config, e);
    if (status == ERR_OK) status = index_train(ix, rows, e);
    if (status == ERR_OK) status = index_add(ix, rows, NULL, e);
    if (status == ERR_OK) *out = ix;
    else index_destroy(ix);
    return status;
}

struct decoding { const struct index *ix; float *out; struct err errs[PARALLEL_THREADS_MAX]; };

static void decode_some(void *context, int thread, size_t from, size_t to)
{
    struct decoding *d = context;
    for (size_t r = from; r < to && d->errs[thread].code == ERR_OK; r++)
        (void)index_decode(d->ix, (int64_t)r, d->out + r * d->ix->config.dim, &d->errs[thread]);
}

int quant_decode(const struct index *ix, size_t count, int threads, float **out, struct err *e)
{
    enum { CHUNK = 16 };
    struct decoding *d = mem_zero(1, sizeof *d);
    float *y = mem_alloc(count, ix->config.dim * sizeof *y);
    int status = d && y ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu decoded vectors", count);
    if (status == ERR_OK) {
        *d = (struct decoding){ .ix = ix, .out = y };
        parallel_for(threads, count, CHUNK, decode_some, d);
        for (int t = 0; status == ERR_OK && t < threads; t++)
            if (d->errs[t].code != ERR_OK) status = d->errs[t].code, *e = d->errs[t];
    }
    mem_free(d);
    if (status == ERR_OK) *out = y;
    else mem_free(y);
    return status;
}

int quant_errors(const struct index *ix, struct rows rows, int threads, struct quant_errors *out, struct err *e)
{
    float *decoded = NULL;
    double squares = 0, inner = 0, angles = 0;
    const int status = quant_decode(ix, rows.count, threads, &decoded, e);
    for (size_t r = 0; status == ERR_OK && r < rows.count; r++) {
        const float *x = rows_at(rows, r), *y = decoded + r * rows.dim;
        double xx = 0, xy = 0, yy = 0;
        for (size_t i = 0; i < rows.dim; i++) {
            const double a = (double)x[i], b = (double)y[i];
            squares += (a - b) * (a - b);
            xx += a * a;
            xy += a * b;
            yy += b * b;
        }
        inner += xy;
        angles += xx > 0 && yy > 0 ? 1 - xy * xy / (xx * yy) : 1;
    }
    mem_free(decoded);
    if (status == ERR_OK) *out = (struct quant_errors){ squares / (double)rows.count, inner / (double)rows.count, angles / (double)rows.count };
    return status;
}

int quant_draws(const char *spec, size_t count, size_t dim, const struct paper_asked *asked, struct quant_errors *out,
                struct err *e)
{
    int status = ERR_OK;
    for (size_t s = 0; status == ERR_OK && s < asked->seeds; s++) {
        struct rows rows = { 0 };
        struct index *ix = NULL;
        status = sphere_draw(&rows, count, dim, s + 1, e);
        if (status == ERR_OK) status = quant_build(&ix, spec, rows, METRIC_COSINE, s + 1, asked->threads, e);
        if (status == ERR_OK) status = quant_errors(ix, rows, asked->threads, &out[s], e);
        index_destroy(ix);
        mem_free((void *)rows.at);
    }
    return status;
}
