/* SPDX-License-Identifier: MIT
 * amx.h - 32 int8 queries against 32 rows at a time, 2 x 2 tiles of sums: four products for four loads.
 *
 * Queries are operand A, read where they lie (16 rows of 64 bytes).  Rows are operand B, which TDPBSSD wants with the four
 * bytes of a step side by side: of each step of 64 dimensions two tiles of 16 rows, 16 lines of 64 bytes, line w having the
 * rows' dimensions 4 w .. 4 w + 3.  The sums then stand as scores do, a query a row.
 *
 * All tiles keep one shape, set once a call (begin_tiles), because a new configuration costs some 200 cycles; what does not
 * fill a tile is copied between zeros: the last dimensions, the last queries.  Both operands are 0 beyond the end.
 * _tile_release ends a call: what the caller has in tiles is lost, and nothing of ours is left to anybody.
 *
 * With AMX_MODEL defined the tile instructions are those of amx_model.h, in software, and nothing else changes. */
#ifndef ASSAY_AMX_H
#define ASSAY_AMX_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef AMX_MODEL
#include "kernels/amx_model.h"
#else
#include <immintrin.h>
#endif
#include "kernels/turn_words.h"

/* From how many queries on tiles pay; of fewer a call does what the row of AVX-512 VNNI does.  Source: a trial of int8 tiles
 * on an Emerald Rapids, 100,000 rows, beside VPDPBUSD; not yet these files.  Their rows `always` take tiles for any number:
 * `assay tune --kernels` times them against the best row without AMX, and says from where on they pay. */
#define TILES_PAY 16
#define TILES_PAY_DECODED 32 /* where codes become int8 first */
#define AMX_TEXT_(number) #number
#define AMX_TEXT(number) AMX_TEXT_(number)

enum {
    PAIR = 2 * SIDE, /* queries, and rows, of a block of 2 x 2 tiles */
    STRETCH = 2048,  /* dimensions at a time: 64 KiB of rows, 64 of the last queries */
};

/* Compilers move stores past tile loads, and loads before tile stores, which say nothing of the memory they touch. */
static inline void settle(void) { __asm__ volatile("" : : : "memory"); }

/* Tiles 4 to 7, the 32 x 32 sums of a block: what is there, or 0, before its products; and behind them back to where they
 * belong.  Sums are of 4 bytes, int32_t or float, a row of them `line` bytes behind the row before. */
static inline void begin_sums(int add, const void *sums, size_t line)
{
    const char *upper = sums, *lower = upper + SIDE * line;
    if (add) {
        _tile_loadd(4, upper, line);
        _tile_loadd(5, upper + DEEP, line);
        _tile_loadd(6, lower, line);
        _tile_loadd(7, lower + DEEP, line);
    } else {
        _tile_zero(4);
        _tile_zero(5);
        _tile_zero(6);
        _tile_zero(7);
    }
}
static inline void end_sums(void *sums, size_t line)
{
    char *upper = sums, *lower = upper + SIDE * line;
    _tile_stored(4, upper, line);
    _tile_stored(5, upper + DEEP, line);
    _tile_stored(6, lower, line);
    _tile_stored(7, lower + DEEP, line);
}

/* 32 queries: steps from `at`, `stride` bytes apart, the last one from `tail` where dim ends within it. */
struct side_a { const int8_t *at, *tail; size_t stride; };

/* Sums of 32 x 32 pairs to `out`, `stride` numbers apart; added to what is there, or set. */
static inline void cross_tiles(const struct side_a *a, const int8_t *b, size_t dim, int add, int32_t *out, size_t stride)
{
    const size_t whole = dim / DEEP, line = stride * sizeof *out;
    begin_sums(add, out, line);
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
    end_sums(out, line);
}

static inline void begin_tiles(void)
{
    /* Palette 1; bytes a row of each tile, then rows of each: all of them whole. */
    uint8_t config[64] __attribute__((aligned(64))) = { 1 };
    for (int t = 0; t < 8; t++) config[16 + 2 * t] = DEEP, config[48 + t] = SIDE;
    settle();
    _tile_loadconfig(config);
}

/* The last queries, fewer than 32, between zeros. */
struct few { int8_t at[PAIR * STRETCH]; };

static inline void fill_few(struct few *f, const int8_t *queries, size_t query_stride, size_t query_count,
                            size_t dim)
{
    const size_t over = query_count % PAIR;
    for (size_t q = 0; q < over; q++)
        memcpy(f->at + q * STRETCH, queries + (query_count - over + q) * query_stride, dim);
    for (size_t q = over; over && q < PAIR; q++) memset(f->at + q * STRETCH, 0, dim);
}

/* All queries of a stretch of `dim` dimensions against nr rows, as b has them; scores are `stride` apart, added to what
 * is there, or set. */
static inline void cross_queries_tiles(const int8_t *queries, size_t query_stride, size_t query_count,
                                       const struct few *few, const int8_t *b, size_t nr, size_t dim, int add,
                                       int32_t *scores, size_t stride)
{
    static const int8_t none[1];
    int8_t tail[PAIR * DEEP];
    int32_t some[PAIR * PAIR];
    const size_t whole = dim / DEEP * DEEP, left = dim - whole;
    for (size_t q = 0; q < query_count; q += PAIR) {
        const size_t nq = query_count - q < PAIR ? query_count - q : PAIR;
        struct side_a a = { queries + q * query_stride, left ? tail : none, query_stride };
        if (nq < PAIR) a = (struct side_a){ few->at, tail, STRETCH };
        for (size_t i = 0; left && i < PAIR; i++) {
            memset(tail + i * DEEP, 0, DEEP);
            memcpy(tail + i * DEEP, a.at + i * a.stride + whole, left);
        }
        int32_t *out = scores + q * stride;
        const int fits = nq == PAIR && nr == PAIR;
        for (size_t i = 0; !fits && add && i < nq; i++) memcpy(some + i * PAIR, out + i * stride, nr * sizeof *out);
        settle();
        cross_tiles(&a, b, dim, add, fits ? out : some, fits ? stride : PAIR);
        settle();
        for (size_t i = 0; !fits && i < nq; i++) memcpy(out + i * stride, some + i * PAIR, nr * sizeof *out);
    }
}
#endif
