/* SPDX-License-Identifier: MIT
 * tile_f32_avx512.c - many queries against rows that wait in L1, 3 x 4 of them in registers: 7 loads for 12
 * multiply-adds, so the FMA pipes bind and not the one zmm load a cycle.
 *
 * A pair is dim / 16 FMAs of a cycle each, 6.5 ns at d = 384 and 3.7 GHz; the 4.5 uops of its halving run on other
 * pipes.  Measured on Zen 4, 256 queries x 4,096 rows, d = 384 / 768 / 1536, ns a pair: 7.1 / 14.4 / 32.4 (93 / 91 / 81 %
 * of the pipes), in one run with sgemm of OpenBLAS 0.3.21 (Cooperlake) 8.2 / - / 32.9; all queries for every four rows, and
 * long rows whole, as before: 7.2 / 14.4 / 34.1.  At 1536 three queries come from L2 for each 1,152 cycles, and the sums
 * of a stretch go there and back.  One query against 8 rows at a time: 9.2 / 17.9 / 61.
 *
 * At d = 1536 L2 seems to bind: queries are 16 bytes a cycle of FMAs, and sums, of which the canonical order has two
 * registers a pair, 5 more.  Whatever is fetched besides costs its turn: ns a pair, best of 12 in two runs, where this
 * takes 33.5 and 34.1: the next queries' first 8 lines fetched 35.5 and 37.0, all of them 42.4 and 41.9; the next rows
 * into L2 34.3 and 34.3; both 36.5 and 35.9; stretches of 384 35.4 and 35.1, 512 33.9 and 33.6, none 34.9 and 34.5.  To
 * hold 4 x 6 pairs in registers, lanes 0-15 of all dimensions would go first: a third less of queries, but then every
 * second line of a row is wanted, which is half of the sets of L1.  Not tried. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

enum {
    QUERIES = 3,
    TILE_ROWS = 4,
    L2_BYTES = 1 << 19, /* of queries that stay while all rows pass */
    STRETCH = 768,      /* dimensions of four rows that stay in L1 while those queries pass: 12 KiB, and 9 of queries */
    MOST_TILES = L2_BYTES / sizeof(float) / STRETCH / QUERIES + 1, /* of the queries of longer rows */
};
typedef vec sums[QUERIES][TILE_ROWS][PARTS];

/* Canonical halving of 4 sums at once. */
static INLINE __m128 sum_four(vec sum[TILE_ROWS][PARTS])
{
    vec x[TILE_ROWS];
    UNROLL for (int r = 0; r < TILE_ROWS; r++) x[r] = vec_add(sum[r][0], sum[r][1]);
    const vec four = join4(join8(x[0], x[1]), join8(x[2], x[3]));
    const vec two = vec_add(four, _mm512_permute_ps(four, 0x4e)), one = vec_add(two, _mm512_permute_ps(two, 0xb1));
    const __m512i place = _mm512_castsi128_si512(_mm_setr_epi32(0, 4, 8, 12));
    return _mm512_castps512_ps128(_mm512_permutexvar_ps(place, one));
}

/* gcc would load it again for every use: 15 loads, and slower than without tiles. */
static INLINE vec held(vec x)
{
    __asm__("" : "+v"(x));
    return x;
}

/* The sums of nq queries and nr rows (4 or 1), both constants, so far (NULL: none) and after dim more dimensions. */
static INLINE void add_products(int nq, int nr, const float *query, size_t query_stride, const float *row,
                                size_t stride, size_t dim, const sums *before, sums after)
{
    vec sum[QUERIES][TILE_ROWS][PARTS], x[TILE_ROWS];
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (int r = 0; r < nr; r++)
            UNROLL for (size_t p = 0; p < PARTS; p++) sum[q][r][p] = before ? (*before)[q][r][p] : vec_zero();
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            UNROLL for (int r = 0; r < nr; r++) x[r] = held(vec_f32(row + (size_t)r * stride + i + p * WIDTH));
            UNROLL for (int q = 0; q < nq; q++) {
                const vec y = vec_f32(query + (size_t)q * query_stride + i + p * WIDTH);
                UNROLL for (int r = 0; r < nr; r++) sum[q][r][p] = vec_fma(y, x[r], sum[q][r][p]);
            }
        }
    if (i < dim)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const size_t at = i + p * WIDTH < dim ? i + p * WIDTH : dim, left = dim - at < WIDTH ? dim - at : WIDTH;
            UNROLL for (int r = 0; r < nr; r++) x[r] = vec_f32_part(row + (size_t)r * stride + at, left);
            UNROLL for (int q = 0; q < nq; q++) {
                const vec y = vec_f32_part(query + (size_t)q * query_stride + at, left);
                UNROLL for (int r = 0; r < nr; r++) sum[q][r][p] = vec_fma(y, x[r], sum[q][r][p]);
            }
        }
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (int r = 0; r < nr; r++)
            UNROLL for (size_t p = 0; p < PARTS; p++) after[q][r][p] = sum[q][r][p];
}

static INLINE void cross(int nq, int nr, const float *query, size_t query_stride, const float *row, size_t stride,
                         size_t dim, const sums *before, float *scores, size_t score_stride)
{
    sums sum;
    add_products(nq, nr, query, query_stride, row, stride, dim, before, sum);
    UNROLL for (int q = 0; q < nq; q++) {
        if (nr == 1) scores[(size_t)q * score_stride] = sum_row(sum[q][0]);
        else _mm_storeu_ps(scores + (size_t)q * score_stride, sum_four(sum[q]));
    }
}

static INLINE void cross_rows(int nq, const float *query, size_t query_stride, const float *rows, size_t stride,
                              size_t n, size_t dim, float *scores, size_t score_stride)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= n; r += TILE_ROWS)
        cross(nq, TILE_ROWS, query, query_stride, rows + r * stride, stride, dim, NULL, scores + r, score_stride);
    for (; r < n; r++)
        cross(nq, 1, query, query_stride, rows + r * stride, stride, dim, NULL, scores + r, score_stride);
}

static INLINE void some_queries(const float *queries, size_t query_stride, size_t query_count, const float *rows,
                                size_t stride, size_t n, size_t dim, float *scores, size_t score_stride)
{
    for (size_t q = 0; q < query_count; q += QUERIES) {
        const float *query = queries + q * query_stride;
        const size_t left = query_count - q;
        float *out = scores + q * score_stride;
        if (left >= 3) cross_rows(3, query, query_stride, rows, stride, n, dim, out, score_stride);
        else if (left == 2) cross_rows(2, query, query_stride, rows, stride, n, dim, out, score_stride);
        else cross_rows(1, query, query_stride, rows, stride, n, dim, out, score_stride);
    }
}

/* Whole tiles of queries against four long rows, a stretch of dimensions at a time: sums wait in between, and the order
 * of additions is the same.  Four whole rows of d = 1536 and three queries would be 42 KiB, and none of them stay. */
static void long_rows(const float *queries, size_t query_stride, size_t tiles, const float *rows, size_t stride,
                      size_t dim, float *scores, size_t score_stride)
{
    sums kept[MOST_TILES];
    for (size_t i = 0; i < dim; i += STRETCH)
        for (size_t t = 0; t < tiles; t++) {
            const float *query = queries + t * QUERIES * query_stride + i;
            const sums *before = i ? &kept[t] : NULL;
            if (dim - i <= STRETCH)
                cross(QUERIES, TILE_ROWS, query, query_stride, rows + i, stride, dim - i, before,
                      scores + t * QUERIES * score_stride, score_stride);
            else if (before)
                add_products(QUERIES, TILE_ROWS, query, query_stride, rows + i, stride, STRETCH, before, kept[t]);
            else add_products(QUERIES, TILE_ROWS, query, query_stride, rows + i, stride, STRETCH, NULL, kept[t]);
        }
}

/* As many queries at a time as L2 keeps while all rows pass: 256 of d = 1536 came from L3 for every four rows. */
static void registers(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                      size_t count, size_t dim, float *scores)
{
    const size_t fit = 16384 / (dim * sizeof(float) * TILE_ROWS + 1), block = TILE_ROWS * (fit ? fit : 1);
    const size_t kept = QUERIES * (1 + L2_BYTES / (QUERIES * (dim + 1) * sizeof(float)));
    for (size_t q = 0; q < query_count; q += kept)
        for (size_t r = 0; r < count; r += block) {
            const size_t nq = query_count - q < kept ? query_count - q : kept;
            const size_t n = count - r < block ? count - r : block;
            const size_t tiles = dim > STRETCH && n == TILE_ROWS ? nq / QUERIES : 0, done = tiles * QUERIES;
            const float *some = queries + q * query_stride, *from = rows + r * stride;
            float *out = scores + q * count + r;
            if (tiles) long_rows(some, query_stride, tiles, from, stride, dim, out, count);
            some_queries(some + done * query_stride, query_stride, nq - done, from, stride, n, dim, out + done * count,
                         count);
        }
}

KERNELS = {
    KERNEL("registers3x4", registers, KERNEL_DEFAULT, "3 queries x 4 rows in registers, rows in L1, queries from L2",
           "dim / 16 FMAs and 4.5 uops to sum a pair; 7 loads per 12 FMAs"),
    KERNEL_END
};
