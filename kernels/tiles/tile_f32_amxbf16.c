/* SPDX-License-Identifier: MIT
 * tile_f32_amxbf16.c - many float queries against many rows as bfloat16, by TDPBF16PS: for a first pass whose survivors are
 * scored again, never a default.
 *
 * Both sides are rounded to nearest, ties to even, which is 2^-8 of a number at most, so 2^-7 + 2^-16 of a product; sums
 * of floats add dim roundings, and what is kept of the bound, 1.5 * 2^-7 of sum |q x|, has room for 65,536 of them.  Factors
 * below 2^-126 count as 0, sums of products below it may.  The order of sums is the instruction's own.
 *
 * 256 queries x 512 dimensions are rounded once and stay in L2 (256 KiB) while all rows pass, 32 at a time: rounded,
 * turned by pairs (turn_words.h, as amx.h says of int8: a line has the rows' dimensions 2 w, 2 w + 1) and held in L1.
 * More dimensions are added to the scores of those before, more queries pass the rows again.
 *
 * Cost, modelled: a TDPBF16PS is 16 cycles for 256 pairs and 32 dimensions, dim / 512 of a cycle a pair where FMAs of
 * 16 floats, two a cycle, take dim / 32: 16 times; rounding and turning a row of d = 384 is some 600 uops, shared by the
 * queries of a pass.  Derived, not measured: shown by software (amx_model.h). */
#include <stdint.h>
#include <string.h>
#include "kernels/kernel.h"
#include "kernels/amx.h"

enum { DIMS = DEEP / 2, MANY = 256, LONG = 512 }; /* dimensions of a step; queries and dimensions of a pass */

static inline uint16_t rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* `count` rows of dim numbers, LONG apart, then zeros to whole steps and to `most` rows. */
static void round_rows(const float *x, size_t stride, size_t count, size_t most, size_t dim, uint16_t *out)
{
    const size_t steps = (dim + DIMS - 1) / DIMS * DIMS;
    for (size_t r = 0; r < most; r++, out += LONG) {
        for (size_t i = 0; r < count && i < dim; i++) out[i] = rounded(x[r * stride + i]);
        const size_t from = r < count ? dim : 0;
        memset(out + from, 0, (steps - from) * sizeof *out);
    }
}

/* 32 rounded rows as operand B: of each step two tiles side by side. */
static void turn_rows(const uint16_t *rows, size_t dim, int8_t *out)
{
    for (size_t half = 0; half < 2; half++) {
        const int8_t *from[SIDE];
        for (size_t r = 0; r < SIDE; r++) from[r] = (const int8_t *)(rows + (half * SIDE + r) * LONG);
        for (size_t s = 0; s * DIMS < dim; s++)
            turn_words(from, s * DEEP, 0, out + (2 * s + half) * SIDE * DEEP, DEEP);
    }
}

/* Sums of 32 x 32 pairs to `out`, `stride` numbers apart; added to what is there, or set. */
static void cross_bf16(const uint16_t *a, const int8_t *b, size_t dim, int add, float *out, size_t stride)
{
    const size_t line = stride * sizeof *out, apart = LONG * sizeof *a;
    begin_sums(add, out, line);
    for (size_t i = 0; i < dim; i += DIMS, a += DIMS, b += 2 * SIDE * DEEP) {
        _tile_loadd(0, a, apart);
        _tile_loadd(2, b, DEEP);
        _tile_loadd(3, b + SIDE * DEEP, DEEP);
        _tile_loadd(1, a + SIDE * LONG, apart);
        _tile_dpbf16ps(4, 0, 2);
        _tile_dpbf16ps(5, 0, 3);
        _tile_dpbf16ps(6, 1, 2);
        _tile_dpbf16ps(7, 1, 3);
    }
    end_sums(out, line);
}

/* Up to MANY queries and LONG dimensions; nq queries of `a` are there, zeros to whole tiles. */
static void pass_of(const uint16_t *a, size_t nq, const float *rows, size_t stride, size_t count, size_t dim, int add,
                    float *scores)
{
    uint16_t some_rows[PAIR * LONG];
    int8_t b[PAIR * LONG * sizeof(uint16_t)] __attribute__((aligned(64)));
    float some[PAIR * PAIR];
    for (size_t r = 0; r < count; r += PAIR) {
        const size_t nr = count - r < PAIR ? count - r : PAIR;
        round_rows(rows + r * stride, stride, nr, PAIR, dim, some_rows);
        turn_rows(some_rows, dim, b);
        for (size_t q = 0; q < nq; q += PAIR) {
            const size_t n = nq - q < PAIR ? nq - q : PAIR;
            float *out = scores + q * count + r;
            const int fits = n == PAIR && nr == PAIR;
            for (size_t i = 0; !fits && add && i < n; i++) memcpy(some + i * PAIR, out + i * count, nr * sizeof *out);
            settle();
            cross_bf16(a + q * LONG, b, dim, add, fits ? out : some, fits ? count : PAIR);
            settle();
            for (size_t i = 0; !fits && i < n; i++) memcpy(out + i * count, some + i * PAIR, nr * sizeof *out);
        }
    }
}

static void tiles2x2(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                     size_t count, size_t dim, float *scores)
{
    uint16_t a[MANY * LONG] __attribute__((aligned(64)));
    if (query_count == 0 || count == 0) return;
    if (dim == 0) {
        memset(scores, 0, query_count * count * sizeof *scores);
        return;
    }
    begin_tiles();
    for (size_t q = 0; q < query_count; q += MANY)
        for (size_t i = 0; i < dim; i += LONG) {
            const size_t nq = query_count - q < MANY ? query_count - q : MANY, n = dim - i < LONG ? dim - i : LONG;
            round_rows(queries + q * query_stride + i, query_stride, nq, (nq + PAIR - 1) / PAIR * PAIR, n, a);
            pass_of(a, nq, rows + i, stride, count, n, i > 0, scores + q * count);
        }
    _tile_release();
}

#ifdef AMX_MODEL
KERNELS = {
    KERNEL("model", tiles2x2, KERNEL_FREE, "amxbf16/tiles2x2 with its tile instructions in software", "",
           .own = { .products = 0x1.8p-7, .least = 4 * 0x1p-126, .bf16 = 1 }),
    KERNEL_END
};
#else
KERNELS = {
    KERNEL("tiles2x2", tiles2x2, KERNEL_FREE, "TDPBF16PS, 2 x 2 tiles: both sides rounded to bf16, for a first pass",
           "per 16 x 16 pairs and 32 dims a TDPBF16PS of 16 cycles",
           .own = { .products = 0x1.8p-7, .least = 4 * 0x1p-126, .bf16 = 1 }),
    KERNEL_END
};
#endif
