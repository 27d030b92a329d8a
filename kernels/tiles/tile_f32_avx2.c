/* SPDX-License-Identifier: MIT
 * tile_f32_avx2.c - many queries against rows that wait in L1, 2 x 3 of them in registers.  A canonical sum is 4
 * ymm, and 6 of them are more than there are: half of the lanes of every sum at a time, so 10 loads for 12
 * multiply-adds.
 *
 * 48 FMAs a pair of d = 384, two a cycle, are 6.5 ns at 3.7 GHz.  Measured on Zen 4, queries of 384 KiB x 1,024 rows,
 * d = 384 / 768 / 1536, ns a pair: 9.5 / 18.1 / 39; one query against 3 rows at a time, as before, with 16 loads
 * for 12: 10.4 / 21.2 / 43.4.  With the rows held and the query loaded (16 registers, none for the tail's ramp)
 * gcc spills a sum, and its chain through memory makes it 13.4. */
#include "kernels/rows/lanes_avx2.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

enum { QUERIES = 2, HALF_PARTS = PARTS / 2 };

/* gcc would load it again for every use. */
static INLINE vec held(vec x)
{
    __asm__("" : "+x"(x));
    return x;
}

/* Lanes of parts first .. first + 1 of the sums of nq queries and ROWS rows; nq a constant. */
static INLINE void half_of(int nq, size_t first, const float *query, size_t query_stride, const float *row,
                           size_t stride, size_t dim, vec out[QUERIES][ROWS][PARTS])
{
    vec sum[QUERIES][ROWS][HALF_PARTS], y[QUERIES];
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (int r = 0; r < ROWS; r++) sum[q][r][0] = sum[q][r][1] = vec_zero();
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        UNROLL for (size_t p = 0; p < HALF_PARTS; p++) {
            const size_t at = i + (first + p) * WIDTH;
            UNROLL for (int q = 0; q < nq; q++) y[q] = held(vec_f32(query + (size_t)q * query_stride + at));
            UNROLL for (int r = 0; r < ROWS; r++) {
                const vec x = held(vec_f32(row + (size_t)r * stride + at));
                UNROLL for (int q = 0; q < nq; q++) sum[q][r][p] = vec_fma(y[q], x, sum[q][r][p]);
            }
        }
    if (i < dim)
        UNROLL for (size_t p = 0; p < HALF_PARTS; p++) {
            const size_t begin = i + (first + p) * WIDTH, at = begin < dim ? begin : dim;
            const size_t left = dim - at < WIDTH ? dim - at : WIDTH;
            UNROLL for (int q = 0; q < nq; q++) y[q] = vec_f32_part(query + (size_t)q * query_stride + at, left);
            UNROLL for (int r = 0; r < ROWS; r++) {
                const vec x = vec_f32_part(row + (size_t)r * stride + at, left);
                UNROLL for (int q = 0; q < nq; q++) sum[q][r][p] = vec_fma(y[q], x, sum[q][r][p]);
            }
        }
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (int r = 0; r < ROWS; r++)
            UNROLL for (size_t p = 0; p < HALF_PARTS; p++) out[q][r][first + p] = sum[q][r][p];
}

static INLINE void cross(int nq, const float *query, size_t query_stride, const float *row, size_t stride, size_t dim,
                         float *scores, size_t score_stride)
{
    vec sum[QUERIES][ROWS][PARTS];
    half_of(nq, 0, query, query_stride, row, stride, dim, sum);
    half_of(nq, HALF_PARTS, query, query_stride, row, stride, dim, sum);
    UNROLL for (int q = 0; q < nq; q++) sum_rows(sum[q], scores + (size_t)q * score_stride);
}

static void registers(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                      size_t count, size_t dim, float *scores)
{
    const size_t block = tile_rows(dim), pairs = query_count / QUERIES * QUERIES;
    for (size_t first = 0; first < count; first += block) {
        const size_t n = count - first < block ? count - first : block, threes = n / ROWS * ROWS;
        const float *from = rows + first * stride;
        for (size_t q = 0; q < query_count; q += q < pairs ? QUERIES : 1) {
            const float *query = queries + q * query_stride;
            float *out = scores + q * count + first;
            for (size_t r = 0; r < threes && q < pairs; r += ROWS)
                cross(QUERIES, query, query_stride, from + r * stride, stride, dim, out + r, count);
            const size_t done = q < pairs ? threes : 0;
            for (size_t i = 0; i < (q < pairs ? QUERIES : 1) && done < n; i++)
                row_sums(DOT, query + i * query_stride, from + done * stride, stride, NULL, n - done, dim, 0,
                         out + i * count + done, out + i * count + done, NULL);
        }
    }
}

KERNELS = {
    KERNEL("registers2x3", registers, KERNEL_DEFAULT, "2 queries x 3 rows in registers, half of the lanes at a time",
           "dim / 8 FMAs a pair; 10 loads per 12 FMAs"),
    KERNEL_END
};
