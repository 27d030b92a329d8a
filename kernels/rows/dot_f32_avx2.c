/* SPDX-License-Identifier: MIT
 * dot_f32_avx2.c - inner products, 3 rows a pass in the canonical order.
 *
 * 4 registers of sums a row leave room for 3 rows of 16 registers, so a quarter of the loads are the query's.  In L1
 * that is 9.2 / 18.5 ns a row at d = 384 / 768 by the load ports; measured are 10.2 / 21.9, of a loop that only reads
 * 80 / 74 %.  From L2 on the loads hide. */
#include "kernels/rows/lanes_avx2.h"
#define ROW f32
#include "kernels/rows/row_sums.h"

static void rows3(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    row_sums(DOT, query, rows, stride, pick, count, dim, streams(pick, count, stride), scores, scores, NULL);
}

/* 16 lanes leave room for 6 rows, and 86 % of the loads are row bytes where 32 lanes have 75 %. */
static INLINE void pass6(const float *query, const float *const *row, const float *const *next, size_t dim, float *scores)
{
    vec sum[6][PARTS];
    UNROLL for (int j = 0; j < 6; j++)
        UNROLL for (int p = 0; p < PARTS; p++) sum[j][p] = vec_zero();
    size_t i = 0;
    for (; i + 2 * WIDTH <= dim; i += 2 * WIDTH)
        UNROLL for (size_t p = 0; p < 2; p++) {
            const vec q = vec_f32(query + i + p * WIDTH);
            UNROLL for (int j = 0; j < 6; j++) {
                if (next && p == 0) __builtin_prefetch(next[j] + i, 0, 2);
                sum[j][p] = vec_fma(q, vec_f32(row[j] + i + p * WIDTH), sum[j][p]);
            }
        }
    UNROLL for (int j = 0; j < 6; j++)
        if (next && i < dim) __builtin_prefetch(next[j] + i, 0, 2);
    for (size_t left; i < dim; i += left) {
        left = dim - i < WIDTH ? dim - i : WIDTH;
        const vec q = vec_f32_part(query + i, left);
        UNROLL for (int j = 0; j < 6; j++) sum[j][0] = vec_fma(q, vec_f32_part(row[j] + i, left), sum[j][0]);
    }
    sum_rows(sum, scores);
    sum_rows(sum + 3, scores + 3);
}

static void rows6(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, float *scores)
{
    size_t r = 0;
    for (; r + 6 <= count; r += 6) {
        const float *row[6], *next[6];
        find(rows, stride, pick, r, 6, count, row);
        if (pick) {
            find(rows, stride, pick, r + 6, 6, count, next);
            pass6(query, row, next, dim, scores + r);
        } else {
            pass6(query, row, NULL, dim, scores + r);
        }
    }
    rows3(query, pick ? rows : rows + r * stride, stride, pick ? pick + r : NULL, count - r, dim, scores + r);
}

KERNELS = {
    KERNEL("rows3", rows3, KERNEL_DEFAULT, "3 rows a pass",
           "per 32 dims of 3 rows 16 loads and 12 FMAs: the load ports, 75 % of them row bytes"),
    KERNEL("rows6", rows6, KERNEL_FREE, "16 lanes, 6 rows a pass",
           "per 16 dims of 6 rows 14 loads and 12 FMAs: the load ports, 86 % of them row bytes"),
    KERNEL_END
};
