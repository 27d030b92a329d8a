/* SPDX-License-Identifier: MIT
 * coarse.c - what rounding to bfloat16 loses, and the rows that it leaves in doubt. */
#include "bench/quality/coarse.h"
#include <math.h>
#include <string.h>
#include "kernels/bound.h"

enum { STEPS = 40, SURVIVOR_BYTES = sizeof(float) + sizeof(uint32_t) };

const struct kernel *coarse_kernel(size_t queries, size_t room)
{
    const struct kernel *found = NULL;
    if (queries < COARSE_QUERIES || room > COARSE_BYTES / SURVIVOR_BYTES / queries) return NULL;
    for (const struct kernel *k = kernel_next(OP_tile_f32, NULL); k; k = kernel_next(OP_tile_f32, k))
        if (k->own.bf16 && kernel_runnable(k)) found = k;
    return found;
}

/* x - x', exact: 16 bits of x at most. */
static inline float lost(float x)
{
    uint32_t bits;
    float y;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t normal = 0 - (uint32_t)((bits & 0x7f800000) != 0);
    const uint32_t near = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000 & normal;
    memcpy(&y, &near, sizeof y);
    return x - y;
}

double coarse_loss(const float *x, size_t dim)
{
    enum { LANES = 16, SOME = 16 * LANES };
    float lane[LANES] = { 0 }, some[SOME];
    double sum = (double)dim * 0x1p-149; /* what squares below that lose */
    for (size_t from = 0; from < dim; from += SOME) {
        const size_t n = dim - from < SOME ? dim - from : SOME;
        for (size_t i = 0; i < n; i++) some[i] = lost(x[from + i]);
        for (size_t i = n; i % LANES; i++) some[i] = 0;
        for (size_t i = 0; i < n; i += LANES)
            for (size_t l = 0; l < LANES; l++) lane[l] += some[i + l] * some[i + l];
    }
    for (size_t l = 0; l < LANES; l++) sum += (double)lane[l];
    return sqrt(sum) * (1 + 0x1p-10); /* dim / 16 + 1 roundings of 2^-24, dim below 2^17 */
}

double coarse_error(const struct coarse *c, double length, double loss)
{
    const double rounding = loss * c->length + (length + loss) * c->loss;
    const struct bound_terms terms = { .dim = c->dim, .magnitude = length * c->length,
                                       .rounding = fmax(rounding, 0x1p-1000) };
    return kernel_bound(c->tile, &terms);
}

void survivors_init(struct survivors *s, float *scores, uint32_t *rows, size_t room, size_t depth, double gap)
{
    *s = (struct survivors){ scores, rows, room, 0, depth, gap, -INFINITY };
}

static size_t count_from(const float *scores, size_t count, float least)
{
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++) n += scores[i] >= least;
    return n;
}

/* The largest score found that depth of them reach, or little less. */
static float reached(const struct survivors *s)
{
    float low = s->scores[0], high = low;
    for (size_t i = 1; i < s->count; i++) {
        low = s->scores[i] < low ? s->scores[i] : low;
        high = s->scores[i] > high ? s->scores[i] : high;
    }
    for (int step = 0; step < STEPS; step++) {
        const float middle = low + (high - low) / 2;
        const size_t n = count_from(s->scores, s->count, middle);
        if (n >= s->depth) low = middle;
        else high = middle;
        if (n >= s->depth && n <= s->depth + s->depth / 16) break;
    }
    return low;
}

static void tighten(struct survivors *s)
{
    size_t kept = 0;
    if (s->count < s->depth) return;
    s->bound = (float)(reached(s) - s->gap);
    for (size_t i = 0; i < s->count; i++) {
        s->scores[kept] = s->scores[i];
        s->rows[kept] = s->rows[i];
        kept += s->scores[i] >= s->bound;
    }
    s->count = kept;
}

void survivors_push(struct survivors *s, size_t row, float score)
{
    if (score < s->bound) return;
    if (s->count == s->room) {
        tighten(s);
        if (s->count > s->room / 2) s->bound = INFINITY, s->count = 0;
        if (score < s->bound) return;
    }
    s->scores[s->count] = score;
    s->rows[s->count++] = (uint32_t)row;
}

size_t survivors_finish(struct survivors *s)
{
    if (s->bound < INFINITY) tighten(s);
    return s->bound < INFINITY ? s->count : 0;
}
