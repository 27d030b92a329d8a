/* SPDX-License-Identifier: MIT
 * tile_f32_avx512.c - many queries against rows that wait in L1, 3 x 4 of them in registers: 7 loads for 12
 * multiply-adds, so the FMA pipes bind and not the one zmm load a cycle.
 *
 * A pair is dim / 16 FMAs of a cycle each, 6.5 ns at d = 384 and 3.7 GHz; the 4.5 uops of its halving run on other
 * pipes.  Measured on Zen 4, queries of 384 KiB x 1,024 rows, d = 384 / 768 / 1536, ns a pair: 7.3 / 14.9 / 34.1
 * (89 % of the pipes; at 1536 four rows and three queries are 42 KiB and leave L1).  One query against 8 rows at a
 * time, as before: 9.2 / 17.9 / 61; sgemm of OpenBLAS 0.3.21: 8.2 / 16.5 / 35.7. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3, TILE_ROWS = 4 };

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

/* nq queries and nr rows (4 or 1), both constants. */
static INLINE void cross(int nq, int nr, const float *query, size_t query_stride, const float *row, size_t stride,
                         size_t dim, float *scores, size_t score_stride)
{
    vec sum[QUERIES][TILE_ROWS][PARTS], x[TILE_ROWS];
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (int r = 0; r < nr; r++) sum[q][r][0] = sum[q][r][1] = vec_zero();
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
        cross(nq, TILE_ROWS, query, query_stride, rows + r * stride, stride, dim, scores + r, score_stride);
    for (; r < n; r++) cross(nq, 1, query, query_stride, rows + r * stride, stride, dim, scores + r, score_stride);
}

static void registers(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                      size_t count, size_t dim, float *scores)
{
    const size_t fit = 16384 / (dim * sizeof(float) * TILE_ROWS + 1), block = TILE_ROWS * (fit ? fit : 1);
    for (size_t r = 0; r < count; r += block)
        for (size_t q = 0; q < query_count; q += QUERIES) {
            const float *query = queries + q * query_stride, *from = rows + r * stride;
            const size_t n = count - r < block ? count - r : block, left = query_count - q;
            float *out = scores + q * count + r;
            if (left >= 3) cross_rows(3, query, query_stride, from, stride, n, dim, out, count);
            else if (left == 2) cross_rows(2, query, query_stride, from, stride, n, dim, out, count);
            else cross_rows(1, query, query_stride, from, stride, n, dim, out, count);
        }
}

KERNELS = {
    KERNEL("registers3x4", registers, KERNEL_DEFAULT, "3 queries x 4 rows in registers, rows in L1, queries from L2",
           "dim / 16 FMAs and 4.5 uops to sum a pair; 7 loads per 12 FMAs"),
    KERNEL_END
};
