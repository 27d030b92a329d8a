/* SPDX-License-Identifier: MIT
 * vector_set.c - draws rows, each from its own random stream, on several threads; and random rotations. */
#include "datasets/vector_set.h"
#include "datasets/unit.h"
#include "kernels/base/parallel.h"
#include <string.h>

static const uint64_t stream_base = 1ull << 40, stream_query = 2ull << 40;

struct drawing {
    const void *recipe;
    draw_row_fn *row;
    uint64_t seed, stream;
    float *out;
    size_t dim;
};

static void draw_rows(void *context, int thread, size_t from, size_t to)
{
    const struct drawing *d = context;
    (void)thread;
    for (size_t row = from; row < to; row++) {
        struct rng r;
        rng_seed(&r, d->seed, d->stream + row);
        d->row(d->recipe, &r, row, d->out + row * d->dim, d->dim);
    }
}

static int draw(struct drawing *d, size_t count, struct rows *out)
{
    d->out = mem_alloc(count * d->dim, sizeof *d->out);
    if (!d->out) return 0;
    *out = (struct rows){ d->out, count, d->dim, d->dim };
    parallel_for(parallel_cpus(), count, 256, draw_rows, d);
    return 1;
}

int vector_set_draw(const struct params *p, const char *who, const void *recipe, draw_row_fn *base_row,
                    draw_row_fn *query_row, struct rows *base, struct rows *query, struct err *e)
{
    struct drawing d = { .recipe = recipe, .row = base_row, .stream = stream_base,
                         .seed = (uint64_t)params_int(p, "seed"), .dim = (size_t)params_int(p, "dim") };
    struct rows made[2] = { 0 };
    int good = draw(&d, (size_t)params_int(p, "n"), &made[0]);
    d.row = query_row;
    d.stream = stream_query;
    good = good && draw(&d, (size_t)params_int(p, "queries"), &made[1]);
    if (!good) {
        mem_free((void *)(uintptr_t)made[0].at);
        return FAIL(e, ERR_MEM, "%s: no memory for n=%s x dim=%s", who, params_text(p, "n"), params_text(p, "dim"));
    }
    *base = made[0];
    *query = made[1];
    return ERR_OK;
}

int turn_make(struct turn *t, size_t dim, uint64_t seed, uint64_t stream, struct err *e)
{
    float *at = mem_zero(dim * dim, sizeof *at);
    if (!at) return FAIL(e, ERR_MEM, "no memory for a rotation of %zu dimensions", dim);
    for (size_t k = 0; k + 1 < dim; k++) {
        float *v = at + k * dim + k;
        unit_random(v, dim - k, seed, stream + k);
        v[0] += v[0] < 0 ? -1.0f : 1.0f;
        unit_make(v, dim - k);
    }
    *t = (struct turn){ at, dim };
    return ERR_OK;
}

void turn_free(struct turn *t)
{
    mem_free(t->at);
    *t = (struct turn){ 0 };
}

void turn_row(const struct turn *t, float *x)
{
    for (size_t k = 0; k + 1 < t->dim; k++) {
        const float *v = t->at + k * t->dim + k;
        const double along = 2 * fixed_dot(v, x + k, t->dim - k);
        for (size_t i = k; i < t->dim; i++) x[i] = (float)(x[i] - along * v[i - k]);
    }
}
