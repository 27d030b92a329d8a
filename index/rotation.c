/* SPDX-License-Identifier: MIT
 * rotation.c - no normalising pass of its own: the factors 1/sqrt(m) of the transforms and 1/sqrt(2) of
 * the 45 degree turns are folded into the signs that are multiplied anyway. */
#include "index/rotation.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

static int is_split(const struct rotation *r) { return r->power != r->dim; }

/* First coordinate of the window that stage s transforms. */
static size_t window(const struct rotation *r, int stage)
{
    return is_split(r) && stage % 2 ? r->dim - r->power : 0;
}

/* Before an even stage of the split form come the turns, which lengthen what they touch by sqrt(2). */
static int has_turns(const struct rotation *r, int stage) { return is_split(r) && stage % 2 == 0 && stage < r->stages; }

static void draw_scales(struct rotation *r, uint64_t seed, uint64_t stream)
{
    struct rng rng;
    rng_seed(&rng, seed, stream);
    const float shrink = 1 / sqrtf((float)r->power), turn = sqrtf(0.5f);
    for (int stage = 0; stage <= r->stages; stage++) {
        float *scale = r->scales + (size_t)stage * r->dim;
        uint64_t bits = 0;
        for (size_t i = 0; i < r->dim; i++, bits >>= 1) {
            if (i % 64 == 0 && stage < r->stages) bits = rng_next(&rng);
            scale[i] = bits & 1 ? -1.0f : 1.0f;
            if (stage > 0 && i - window(r, stage - 1) < r->power) scale[i] *= shrink;
            if (has_turns(r, stage) && (i < r->dim - r->half || i >= r->half)) scale[i] *= turn;
        }
    }
}

static int init_fht(struct rotation *r, int rounds, uint64_t seed, uint64_t stream, struct err *e)
{
    r->stages = is_split(r) ? 2 * rounds : rounds;
    r->scales = mem_alloc((size_t)r->stages + 1, r->dim * sizeof(float));
    if (!r->scales) return FAIL(e, ERR_MEM, "rotation: no memory for %zu dimensions", r->dim);
    draw_scales(r, seed, stream);
    return ERR_OK;
}

static int init_dense(struct rotation *r, uint64_t seed, uint64_t stream, struct err *e)
{
#ifdef ASSAY_WORKER
    (void)r, (void)seed, (void)stream;
    return FAIL(e, ERR_UNSUPPORTED, "rotation=dense: this build has no LAPACK (WORKER=1)");
#else
    r->matrix = mem_alloc(r->dim, r->dim * sizeof(float));
    if (!r->matrix) return FAIL(e, ERR_MEM, "rotation: no memory for a matrix of %zu x %zu", r->dim, r->dim);
    return rotation_dense_draw(r->matrix, r->dim, seed, stream, e);
#endif
}

int rotation_init(struct rotation *r, enum rotation_kind kind, size_t dim, int rounds, uint64_t seed, uint64_t stream,
                  const struct kernel_set *kernels, struct err *e)
{
    *r = (struct rotation){ .kind = kind, .dim = dim, .half = (dim + 1) / 2, .power = 1 };
    r->fht = kernels->of[OP_fht_f32]->fn.fht_f32;
    r->turn = kernels->of[OP_turn_f32]->fn.turn_f32;
    r->dot = kernels->of[OP_dot_f32]->fn.dot_f32;
    while (2 * r->power <= dim) r->power *= 2;
    int status = ERR_OK;
    if (kind == ROTATION_FHT) status = init_fht(r, rounds, seed, stream, e);
    if (kind == ROTATION_DENSE) status = init_dense(r, seed, stream, e);
    if (status != ERR_OK) rotation_fini(r);
    return status;
}

void rotation_fini(struct rotation *r)
{
    mem_free(r->scales);
    mem_free(r->matrix);
    r->scales = r->matrix = NULL;
}

static void fht_apply(const struct rotation *r, const float *in, float *out)
{
    for (int stage = 0; stage < r->stages; stage++) {
        const float *scale = r->scales + (size_t)stage * r->dim;
        r->turn(stage ? out : in, scale, r->dim, has_turns(r, stage) ? r->half : r->dim, out);
        r->fht(out + window(r, stage), r->power);
    }
    r->turn(out, r->scales + (size_t)r->stages * r->dim, r->dim, r->dim, out);
}

static void multiply(float *restrict x, const float *restrict by, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] *= by[i];
}

static void turn_back(const struct rotation *r, float *x)
{
    float *restrict low = x, *restrict high = x + r->half;
    for (size_t i = 0; i < r->dim - r->half; i++) {
        const float a = low[i], b = high[i];
        low[i] = a + b;
        high[i] = a - b;
    }
}

/* Every factor is symmetric, so the transpose is the same factors backwards. */
static void fht_invert(const struct rotation *r, float *x)
{
    multiply(x, r->scales + (size_t)r->stages * r->dim, r->dim);
    for (int stage = r->stages; stage-- > 0;) {
        r->fht(x + window(r, stage), r->power);
        if (has_turns(r, stage)) turn_back(r, x);
        multiply(x, r->scales + (size_t)stage * r->dim, r->dim);
    }
}

void rotation_apply(const struct rotation *r, const float *in, float *out)
{
    if (r->kind == ROTATION_DENSE) {
        r->dot(in, r->matrix, r->dim, NULL, r->dim, r->dim, out);
        return;
    }
    if (r->kind == ROTATION_FHT) fht_apply(r, in, out);
    else memcpy(out, in, r->dim * sizeof *out);
}

void rotation_invert(const struct rotation *r, const float *in, float *out)
{
    if (r->kind == ROTATION_DENSE) {
        memset(out, 0, r->dim * sizeof *out);
        for (size_t row = 0; row < r->dim; row++)
            for (size_t i = 0; i < r->dim; i++) out[i] += in[row] * r->matrix[row * r->dim + i];
        return;
    }
    memcpy(out, in, r->dim * sizeof *out);
    if (r->kind == ROTATION_FHT) fht_invert(r, out);
}

void rotation_apply_rows(const struct rotation *r, float *in, size_t count, float *out)
{
#ifndef ASSAY_WORKER
    if (r->kind == ROTATION_DENSE) {
        memset(in + count * r->dim, 0, (ROTATION_ROWS - count) * r->dim * sizeof *in);
        rotation_dense_rows(r->matrix, in, ROTATION_ROWS, r->dim, out);
        return;
    }
#endif
    for (size_t row = 0; row < count; row++) rotation_apply(r, in + row * r->dim, out + row * r->dim);
}

size_t rotation_bytes(const struct rotation *r)
{
    const size_t scales = r->scales ? ((size_t)r->stages + 1) * r->dim : 0, matrix = r->matrix ? r->dim * r->dim : 0;
    return (scales + matrix) * sizeof(float);
}
