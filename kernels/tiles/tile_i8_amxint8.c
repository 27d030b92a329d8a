/* SPDX-License-Identifier: MIT
 * tile_i8_amxint8.c - many int8 queries against many int8 rows by TDPBSSD: 16 x 16 sums of 64 products an instruction.
 *
 * Queries are operand A, read where they lie (16 rows of 64 bytes); rows are operand B, which the instruction wants with
 * the four bytes of a step side by side, so 32 rows at a time are packed, once for all queries: a 16 x 16 transposition of
 * 32-bit words a tile.  Then the sums stand as the scores do, a query a row, and are stored there.  2 x 2 tiles of sums: four
 * products for four loads.
 *
 * All tiles keep one shape, set once a call, because a new configuration costs some 200 cycles; what does not fill a tile
 * is copied between zeros: the last dimensions, the last queries, the last rows.  Both operands are 0 beyond the end.
 * Longer vectors go in chunks, added to the scores of those before: sums are exact in any order, and wrap nowhere for
 * dim <= 65536.  Tiles are released at the end of the call: what the caller has in tiles is lost, and nothing of ours
 * is left to anybody.
 *
 * Cost, modelled: a TDPBSSD is 16 cycles for 256 pairs and 64 dimensions, so dim / 1024 of a cycle a pair (VPDPBUSD: dim / 128
 * at two a cycle); packing is 64 shuffles and 32 loads and stores a tile of rows, 64 to 96 cycles, shared by the queries: level with
 * VPDPBUSD (8 cycles a query, and its loads) at about 8 queries.  That number is derived, not measured, and stands in
 * LEAST_QUERIES; fewer go the way of tile_i8_avx512vnni.c.
 * Shown by software (amx_model.h, which has the tile instructions alone) on machines without AMX. */
#include <stdint.h>
#include <string.h>
#include "kernels/kernel.h"
#ifdef AMX_MODEL
#include "kernels/tiles/amx_model.h"
#else
#define DPBUSD _mm512_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"
enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"
enum { LEAST_QUERIES = 8 };
#endif

enum {
    SIDE = 16,   /* rows of a tile */
    DEEP = 64,   /* dimensions of a step */
    PAIR = 32,   /* queries, and rows, of a block of 2 x 2 tiles */
    STRETCH = 2048, /* dimensions at a time: 64 KiB of rows, 64 of the last queries */
};

typedef uint32_t sixteen __attribute__((vector_size(64), aligned(4)));

/* Lanes whose number has bit s: of b, s lower; the others of a.  And the counterpart. */
#define LOW1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define EXCHANGE(s, low, high)                                                                                         \
    _Pragma("GCC unroll 16") for (int i = 0; i < SIDE; i++)                                                            \
        if (!(i & (s))) {                                                                                              \
            const sixteen a = x[i], b = x[i + (s)];                                                                    \
            x[i] = __builtin_shufflevector(a, b, low);                                                                 \
            x[i + (s)] = __builtin_shufflevector(a, b, high);                                                          \
        }

/* Step of 16 rows, as B wants it: word w of row r becomes word r of line w. */
static inline __attribute__((always_inline)) void turn(const int8_t *const from[SIDE], size_t at, int8_t *to)
{
    sixteen x[SIDE];
    _Pragma("GCC unroll 16") for (int r = 0; r < SIDE; r++) memcpy(&x[r], from[r] + at, DEEP);
    EXCHANGE(1, LOW1, HIGH1)
    EXCHANGE(2, LOW2, HIGH2)
    EXCHANGE(4, LOW4, HIGH4)
    EXCHANGE(8, LOW8, HIGH8)
    _Pragma("GCC unroll 16") for (int r = 0; r < SIDE; r++) memcpy(to + r * DEEP, &x[r], DEEP);
}

/* `count` rows of `dim` bytes, 0 beyond both, as 2 * ceil(dim / 64) tiles of B: of a step both tiles side by side. */
static void pack(const int8_t *rows, size_t stride, size_t count, size_t dim, int8_t *out)
{
    static const int8_t zeros[DEEP];
    int8_t last[SIDE][DEEP];
    const size_t whole = dim / DEEP * DEEP;
    for (size_t half = 0; half < 2; half++) {
        const int8_t *from[SIDE], *end[SIDE];
        size_t at = 0;
        const size_t first = half * SIDE, full = first + SIDE <= count;
        memset(last, 0, sizeof last);
        for (size_t r = 0; r < SIDE; r++) {
            from[r] = first + r < count ? rows + (first + r) * stride : zeros;
            if (first + r < count) memcpy(last[r], from[r] + whole, dim - whole);
            end[r] = last[r];
        }
        for (; full && at < whole; at += DEEP) turn(from, at, out + (at / DEEP * 2 + half) * SIDE * DEEP);
        for (; at < whole; at += DEEP) { /* rows that are not there stay at their zeros */
            const int8_t *step[SIDE];
            for (size_t r = 0; r < SIDE; r++) step[r] = first + r < count ? from[r] + at : zeros;
            turn(step, 0, out + (at / DEEP * 2 + half) * SIDE * DEEP);
        }
        if (whole < dim) turn(end, 0, out + (at / DEEP * 2 + half) * SIDE * DEEP);
    }
}

/* Compilers move stores past tile loads, and loads before tile stores, which say nothing of the memory they touch. */
static inline void settle(void) { __asm__ volatile("" : : : "memory"); }

/* 32 queries: steps from `at`, `stride` bytes apart, the last one from `tail` where dim ends within it. */
struct side_a { const int8_t *at, *tail; size_t stride; };

/* Sums of 32 x 32 pairs to `out`, `stride` numbers apart; added to what is there, or set. */
static void cross_tiles(const struct side_a *a, const int8_t *b, size_t dim, int add, int32_t *out, size_t stride)
{
    const size_t whole = dim / DEEP, line = stride * sizeof *out;
    if (add) {
        _tile_loadd(4, out, line);
        _tile_loadd(5, out + SIDE, line);
        _tile_loadd(6, out + SIDE * stride, line);
        _tile_loadd(7, out + SIDE * stride + SIDE, line);
    } else {
        _tile_zero(4);
        _tile_zero(5);
        _tile_zero(6);
        _tile_zero(7);
    }
    for (size_t s = 0; s * DEEP < dim; s++, b += 2 * SIDE * DEEP) {
        const int8_t *x = s < whole ? a->at + s * DEEP : a->tail;
        const size_t apart = s < whole ? a->stride : DEEP;
        _tile_loadd(0, x, apart);
        _tile_loadd(2, b, DEEP);
        _tile_loadd(3, b + SIDE * DEEP, DEEP);
        _tile_loadd(1, x + SIDE * apart, apart);
        _tile_dpbssd(4, 0, 2);
        _tile_dpbssd(5, 0, 3);
        _tile_dpbssd(6, 1, 2);
        _tile_dpbssd(7, 1, 3);
    }
    _tile_stored(4, out, line);
    _tile_stored(5, out + SIDE, line);
    _tile_stored(6, out + SIDE * stride, line);
    _tile_stored(7, out + SIDE * stride + SIDE, line);
}

/* One stretch of at most STRETCH dimensions. */
static void stretch(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                    size_t count, size_t dim, int add, int32_t *scores)
{
    static const int8_t none[1];
    int8_t b[PAIR * STRETCH], few[PAIR * STRETCH], tail[PAIR * DEEP];
    int32_t some[PAIR * PAIR];
    const size_t whole = dim / DEEP * DEEP, left = dim - whole, over = query_count % PAIR;
    for (size_t q = 0; q < over; q++) /* the last queries, between zeros */
        memcpy(few + q * STRETCH, queries + (query_count - over + q) * query_stride, dim);
    for (size_t q = over; over && q < PAIR; q++) memset(few + q * STRETCH, 0, dim);
    for (size_t r = 0; r < count; r += PAIR) {
        const size_t nr = count - r < PAIR ? count - r : PAIR;
        pack(rows + r * stride, stride, nr, dim, b);
        for (size_t q = 0; q < query_count; q += PAIR) {
            const size_t nq = query_count - q < PAIR ? query_count - q : PAIR;
            const struct side_a a = nq < PAIR ? (struct side_a){ few, tail, STRETCH }
                                              : (struct side_a){ queries + q * query_stride, left ? tail : none, query_stride };
            for (size_t i = 0; left && i < PAIR; i++) {
                memset(tail + i * DEEP, 0, DEEP);
                memcpy(tail + i * DEEP, a.at + i * a.stride + whole, left);
            }
            int32_t *out = scores + q * count + r;
            const int fits = nq == PAIR && nr == PAIR;
            for (size_t i = 0; !fits && add && i < nq; i++) memcpy(some + i * PAIR, out + i * count, nr * sizeof *out);
            settle();
            cross_tiles(&a, b, dim, add, fits ? out : some, fits ? count : PAIR);
            settle();
            for (size_t i = 0; !fits && i < nq; i++) memcpy(out + i * count, some + i * PAIR, nr * sizeof *out);
        }
    }
}

static void tiles2x2(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                     size_t count, size_t dim, int32_t *scores)
{
#ifndef AMX_MODEL
    if (query_count < LEAST_QUERIES || count < SIDE) {
        registers(queries, query_stride, query_count, rows, stride, count, dim, scores);
        return;
    }
#endif
    if (query_count == 0 || count == 0) return;
    /* Palette 1; bytes a row of each tile, then rows of each: all of them whole. */
    uint8_t config[64] __attribute__((aligned(64))) = { 1 };
    for (int t = 0; t < 8; t++) config[16 + 2 * t] = DEEP, config[48 + t] = SIDE;
    settle();
    _tile_loadconfig(config);
    for (size_t i = 0; i == 0 || i < dim; i += STRETCH)
        stretch(queries + i, query_stride, query_count, rows + i, stride, count, dim - i < STRETCH ? dim - i : STRETCH, i > 0,
                scores);
    _tile_release();
}

#ifdef AMX_MODEL
KERNELS = {
    KERNEL("model", tiles2x2, KERNEL_DEFAULT, "amxint8/tiles2x2 with its tile instructions in software", ""),
    KERNEL_END
};
#else
KERNELS = {
    KERNEL("tiles2x2", tiles2x2, KERNEL_DEFAULT, "TDPBSSD, 2 x 2 tiles, rows packed once for all queries",
           "per 16 x 16 pairs and 64 dims a TDPBSSD of 16 cycles; 64 shuffles a tile of 16 rows packed"),
    KERNEL_END
};
#endif
