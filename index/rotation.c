/* SPDX-License-Identifier: MIT
 * rotation.c - no normalising pass of its own: with parts the factors 1/sqrt(power) of all rounds are one
 * number; with windows they and the 1/sqrt(2) of the turns are folded into signs that are multiplied. */
#include "index/rotation.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

/* --- parts ------------------------------------------------------------------------------------- */

static void choose_form(struct rotation *r)
{
    const size_t power = r->dim & -r->dim, parts = r->dim / power;
    if (parts == 1 || ((parts == 3 || parts == 5) && power >= 16)) {
        r->parts = parts;
        r->power = power;
        return;
    }
    for (r->power = 1; 2 * r->power <= r->dim;) r->power *= 2;
    r->half = (r->dim + 1) / 2;
}

static void draw_signs(struct rotation *r, struct rng *rng)
{
    uint64_t bits = 0;
    for (int round = 0; round < r->rounds; round++)
        for (size_t i = 0; i < r->dim; i++, bits >>= 1) {
            if (i % 64 == 0) bits = rng_next(rng);
            r->signs[(size_t)round * r->dim + i] = bits & 1 ? 0x80000000u : 0;
        }
}

/* power^(-rounds / 2) */
static float shrink(const struct rotation *r, int rounds)
{
    const int halvings = rounds * __builtin_ctzll(r->power);
    return ldexpf(halvings % 2 ? sqrtf(0.5f) : 1, -(halvings / 2));
}

/* A round but for its signs is symmetric, so the transpose is the same backwards. */
static void turn_parts_back(const struct rotation *r, const float *in, float *out)
{
    const uint32_t *none = r->signs + (size_t)r->rounds * r->dim, *signs = none;
    for (int round = 0; round < r->rounds; round++) {
        r->rotate(round ? out : in, none, r->dim, r->parts, 1, shrink(r, 1), out);
        signs -= r->dim;
        for (size_t i = 0; i < r->dim; i++) out[i] = signs[i] ? -out[i] : out[i];
    }
}

/* --- windows ----------------------------------------------------------------------------------- */

/* First coordinate of the window that stage s transforms; there are two stages a round. */
static size_t window(const struct rotation *r, int stage) { return stage % 2 ? r->dim - r->power : 0; }

/* Before the first stage of a round come the turns, which lengthen what they touch by sqrt(2). */
static int has_turns(const struct rotation *r, int stage) { return stage % 2 == 0 && stage < 2 * r->rounds; }

static void draw_scales(struct rotation *r, struct rng *rng)
{
    const float less = 1 / sqrtf((float)r->power), turn = sqrtf(0.5f);
    for (int stage = 0; stage <= 2 * r->rounds; stage++) {
        float *scale = r->scales + (size_t)stage * r->dim;
        uint64_t bits = 0;
        for (size_t i = 0; i < r->dim; i++, bits >>= 1) {
            if (i % 64 == 0 && stage < 2 * r->rounds) bits = rng_next(rng);
            scale[i] = bits & 1 ? -1.0f : 1.0f;
            if (stage > 0 && i - window(r, stage - 1) < r->power) scale[i] *= less;
            if (has_turns(r, stage) && (i < r->dim - r->half || i >= r->half)) scale[i] *= turn;
        }
    }
}

static void multiply(const float *x, const float *by, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) out[i] = x[i] * by[i];
}

static void apply_windows(const struct rotation *r, const float *in, float by, float *out)
{
    for (size_t i = 0; i < r->dim; i++) out[i] = in[i] * by;
    for (int stage = 0; stage < 2 * r->rounds; stage++) {
        const float *scale = r->scales + (size_t)stage * r->dim;
        r->turn(out, scale, r->dim, has_turns(r, stage) ? r->half : r->dim, out);
        r->fht(out + window(r, stage), r->power);
    }
    r->turn(out, r->scales + 2 * (size_t)r->rounds * r->dim, r->dim, r->dim, out);
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

/* Every factor is symmetric here too. */
static void turn_windows_back(const struct rotation *r, const float *in, float *out)
{
    multiply(in, r->scales + 2 * (size_t)r->rounds * r->dim, r->dim, out);
    for (int stage = 2 * r->rounds; stage-- > 0;) {
        r->fht(out + window(r, stage), r->power);
        if (has_turns(r, stage)) turn_back(r, out);
        multiply(out, r->scales + (size_t)stage * r->dim, r->dim, out);
    }
}

/* --- all --------------------------------------------------------------------------------------- */

static int init_fht(struct rotation *r, uint64_t seed, uint64_t stream, struct err *e)
{
    struct rng rng;
    rng_seed(&rng, seed, stream);
    choose_form(r);
    if (r->parts) r->signs = mem_zero((size_t)r->rounds + 1, r->dim * sizeof *r->signs);
    else r->scales = mem_alloc(2 * (size_t)r->rounds + 1, r->dim * sizeof *r->scales);
    if (!r->signs && !r->scales) return FAIL(e, ERR_MEM, "rotation: no memory for %zu dimensions", r->dim);
    if (r->parts) draw_signs(r, &rng);
    else draw_scales(r, &rng);
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
    *r = (struct rotation){ .kind = kind, .dim = dim, .rounds = rounds };
    r->rotate = kernels->of[OP_rotate_f32]->fn.rotate_f32;
    r->fht = kernels->of[OP_fht_f32]->fn.fht_f32;
    r->turn = kernels->of[OP_turn_f32]->fn.turn_f32;
    r->dot = kernels->of[OP_dot_f32]->fn.dot_f32;
    int status = ERR_OK;
    if (kind == ROTATION_FHT) status = init_fht(r, seed, stream, e);
    if (kind == ROTATION_DENSE) status = init_dense(r, seed, stream, e);
    if (status != ERR_OK) rotation_fini(r);
    return status;
}

void rotation_fini(struct rotation *r)
{
    mem_free(r->signs);
    mem_free(r->scales);
    mem_free(r->matrix);
    r->signs = NULL;
    r->scales = r->matrix = NULL;
}

void rotation_apply(const struct rotation *r, const float *in, float scale, float *out)
{
    if (r->parts) {
        r->rotate(in, r->signs, r->dim, r->parts, r->rounds, scale * shrink(r, r->rounds), out);
    } else if (r->kind == ROTATION_FHT) {
        apply_windows(r, in, scale, out);
    } else if (r->kind == ROTATION_DENSE) {
        r->dot(in, r->matrix, r->dim, NULL, r->dim, r->dim, out);
        for (size_t i = 0; i < r->dim; i++) out[i] *= scale;
    } else {
        for (size_t i = 0; i < r->dim; i++) out[i] = in[i] * scale;
    }
}

void rotation_invert(const struct rotation *r, const float *in, float *out)
{
    if (r->parts) {
        turn_parts_back(r, in, out);
    } else if (r->kind == ROTATION_FHT) {
        turn_windows_back(r, in, out);
    } else if (r->kind == ROTATION_DENSE) {
        memset(out, 0, r->dim * sizeof *out);
        for (size_t row = 0; row < r->dim; row++)
            for (size_t i = 0; i < r->dim; i++) out[i] += in[row] * r->matrix[row * r->dim + i];
    } else {
        memcpy(out, in, r->dim * sizeof *out);
    }
}

void rotation_apply_rows(const struct rotation *r, struct rows in, const float *scales, float *room, float *out)
{
#ifndef ASSAY_WORKER
    if (r->kind == ROTATION_DENSE) {
        for (size_t row = 0; row < in.count; row++)
            for (size_t i = 0; i < r->dim; i++) room[row * r->dim + i] = rows_at(in, row)[i] * scales[row];
        memset(room + in.count * r->dim, 0, (ROTATION_ROWS - in.count) * r->dim * sizeof *room);
        rotation_dense_rows(r->matrix, room, ROTATION_ROWS, r->dim, out);
        return;
    }
#endif
    (void)room;
    for (size_t row = 0; row < in.count; row++)
        rotation_apply(r, rows_at(in, row), scales[row], out + row * r->dim);
}

size_t rotation_bytes(const struct rotation *r)
{
    const size_t rounds = (size_t)r->rounds, words = r->signs    ? (rounds + 1) * r->dim
                                                     : r->scales ? (2 * rounds + 1) * r->dim
                                                     : r->matrix ? r->dim * r->dim : 0;
    return words * sizeof(float);
}
