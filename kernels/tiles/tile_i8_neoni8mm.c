/* SPDX-License-Identifier: MIT
 * tile_i8_neoni8mm.c - many queries against rows that wait in L1, by SMMLA: 2 x 8 bytes times 8 x 2 bytes
 * into 2 x 2 sums, twice the products of an SDOT.  4 queries x 4 rows a tile; what is left over of either
 * goes one query at a time. */
#include "kernels/rows/lanes_i8_neon.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { SIDE = 4, PAIRS = SIDE / 2, HALVES = 2 };

/* Two rows of 16 bytes as two registers of 8 bytes of each. */
static INLINE void pair_up(vec a, vec b, int8x16_t pair[HALVES])
{
    pair[0] = vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
    pair[1] = vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}

static INLINE void tile_step(const vec q[SIDE], const vec x[SIDE], vec sum[PAIRS][PAIRS])
{
    int8x16_t queries[PAIRS][HALVES], rows[PAIRS][HALVES];
    UNROLL for (int p = 0; p < PAIRS; p++) {
        pair_up(q[2 * p], q[2 * p + 1], queries[p]);
        pair_up(x[2 * p], x[2 * p + 1], rows[p]);
    }
    UNROLL for (int h = 0; h < HALVES; h++)
        UNROLL for (int a = 0; a < PAIRS; a++)
            UNROLL for (int b = 0; b < PAIRS; b++) sum[a][b] = vmmlaq_s32(sum[a][b], queries[a][h], rows[b][h]);
}

/* SIDE queries, query_stride apart, and SIDE rows, stride apart; scores: a row of sums every `width`. */
static void tile(const int8_t *query, size_t query_stride, const int8_t *row, size_t stride, size_t dim, int32_t *scores,
                 size_t width)
{
    vec sum[PAIRS][PAIRS], q[SIDE], x[SIDE];
    UNROLL for (int p = 0; p < PAIRS * PAIRS; p++) sum[p / PAIRS][p % PAIRS] = vec_zero();
    size_t i = 0;
    for (; i + WIDTH <= dim; i += WIDTH) {
        UNROLL for (size_t s = 0; s < SIDE; s++) {
            q[s] = vec_i8(query + s * query_stride + i);
            x[s] = vec_i8(row + s * stride + i);
        }
        tile_step(q, x, sum);
    }
    if (i < dim) {
        UNROLL for (size_t s = 0; s < SIDE; s++) {
            q[s] = vec_i8_part(query + s * query_stride + i, dim - i);
            x[s] = vec_i8_part(row + s * stride + i, dim - i);
        }
        tile_step(q, x, sum);
    }
    UNROLL for (size_t a = 0; a < SIDE; a++)
        UNROLL for (size_t b = 0; b < PAIRS; b++)
            vst1_s32(scores + a * width + 2 * b, a % 2 ? vget_high_s32(sum[a / 2][b]) : vget_low_s32(sum[a / 2][b]));
}

static void smmla(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                  size_t count, size_t dim, int32_t *scores)
{
    const size_t block = tile_rows(dim), tiled = query_count / SIDE * SIDE;
    for (size_t first = 0; first < count; first += block) {
        const size_t n = count - first < block ? count - first : block, whole = n / SIDE * SIDE;
        for (size_t q = 0; q < tiled; q += SIDE)
            for (size_t r = first; r < first + whole; r += SIDE)
                tile(queries + q * query_stride, query_stride, rows + r * stride, stride, dim, scores + q * count + r, count);
        for (size_t q = 0; q < query_count; q++) {
            const size_t r = first + (q < tiled ? whole : 0);
            int32_t *out = scores + q * count + r;
            row_sums(DOT, queries + q * query_stride, rows + r * stride, stride, NULL, first + n - r, dim, 0, out, out, NULL);
        }
    }
}

KERNELS = {
    KERNEL("smmla", smmla, KERNEL_DEFAULT, "SMMLA, 4 queries x 4 rows a tile",
           "per 16 dims of 16 pairs 8 loads, 8 ZIPs and 8 SMMLAs; modelled, never timed"),
    KERNEL_END
};
