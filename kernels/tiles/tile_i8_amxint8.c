/* SPDX-License-Identifier: MIT
 * tile_i8_amxint8.c - many int8 queries against many int8 rows by TDPBSSD: 16 x 16 sums of 64 products an instruction.
 *
 * Queries are read where they lie; 32 rows at a time are turned by words of four bytes, once for all queries, and then
 * crossed with them, 2 x 2 tiles at a time (amx.h).  Longer vectors go in stretches, added to the scores of those before:
 * sums are exact in any order, and wrap nowhere for dim <= 65536.
 *
 * Cost, modelled: a TDPBSSD is 16 cycles for 256 pairs and 64 dimensions, so dim / 1024 of a cycle a pair (VPDPBUSD:
 * dim / 128 at two a cycle); turning is 64 shuffles and 32 loads and stores a tile of rows, 64 to 96 cycles, shared by the
 * queries: level with VPDPBUSD (8 cycles a query, and its loads) at about 8 queries.  That is derived; what was seen is
 * more, TILES_PAY, and fewer go the way of tile_i8_body.h.
 * Shown by software (amx_model.h, which has the tile instructions alone) on machines without AMX. */
#include <stdint.h>
#include <string.h>
#include "kernels/kernel.h"
#ifndef AMX_MODEL
#define DPBUSD _mm512_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"
enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"
#endif

#include "kernels/amx.h"
#include "kernels/turn_words.h"

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
        for (; full && at < whole; at += DEEP) turn_words(from, at, 0, out + (at / DEEP * 2 + half) * SIDE * DEEP, DEEP);
        for (; at < whole; at += DEEP) { /* rows that are not there stay at their zeros */
            const int8_t *step[SIDE];
            for (size_t r = 0; r < SIDE; r++) step[r] = first + r < count ? from[r] + at : zeros;
            turn_words(step, 0, 0, out + (at / DEEP * 2 + half) * SIDE * DEEP, DEEP);
        }
        if (whole < dim) turn_words(end, 0, 0, out + (at / DEEP * 2 + half) * SIDE * DEEP, DEEP);
    }
}

/* One stretch of at most STRETCH dimensions. */
static void stretch(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                    size_t count, size_t dim, int add, int32_t *scores)
{
    int8_t b[PAIR * STRETCH];
    struct few few;
    fill_few(&few, queries, query_stride, query_count, dim);
    for (size_t r = 0; r < count; r += PAIR) {
        const size_t nr = count - r < PAIR ? count - r : PAIR;
        pack(rows + r * stride, stride, nr, dim, b);
        cross_queries_tiles(queries, query_stride, query_count, &few, b, nr, dim, add, scores + r, count);
    }
}

static void always(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                   size_t count, size_t dim, int32_t *scores)
{
    if (query_count == 0 || count == 0) return;
    begin_tiles();
    for (size_t i = 0; i == 0 || i < dim; i += STRETCH)
        stretch(queries + i, query_stride, query_count, rows + i, stride, count, dim - i < STRETCH ? dim - i : STRETCH, i > 0,
                scores);
    _tile_release();
}

#ifdef AMX_MODEL
KERNELS = {
    KERNEL("model", always, KERNEL_DEFAULT, "amxint8/always with its tile instructions in software", ""),
    KERNEL_END
};
#else
static void tiles2x2(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                     size_t count, size_t dim, int32_t *scores)
{
    (query_count < TILES_PAY || count < SIDE ? registers : always)(queries, query_stride, query_count, rows, stride, count,
                                                                   dim, scores);
}

KERNELS = {
    KERNEL("tiles2x2", tiles2x2, KERNEL_DEFAULT,
           "from " AMX_TEXT(TILES_PAY) " queries on TDPBSSD, 2 x 2 tiles, rows packed once for all",
           "per 16 x 16 pairs and 64 dims a TDPBSSD of 16 cycles; 64 shuffles a tile of 16 rows packed"),
    KERNEL("always", always, KERNEL_SAME, "TDPBSSD for any number of queries: to see from how many it pays",
           "as tiles2x2, of which it is a part"),
    KERNEL_END
};
#endif
