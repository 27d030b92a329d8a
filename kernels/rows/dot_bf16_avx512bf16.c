/* SPDX-License-Identifier: MIT
 * dot_bf16_avx512bf16.c - inner products of bf16 rows by VDPBF16PS, which multiplies pairs of bf16 and
 * adds both products to a float.
 *
 * It wants the query as bf16 too.  Rounding it would cost half of its digits, so it goes in as three
 * bf16 that add up to it: 8 + 8 + 8 bits are the 24 of a float.  They are cut off, not rounded: the largest floats
 * would become infinite.  Products are exact, and every part has accumulators of its own, so a lane rounds
 * dim / 16 times: within the bound of a free order.
 * The instruction takes subnormals for 0 and returns 0 for them: 2^-126 may be lost a product. */
#include "kernels/rows/lanes_avx512.h"
#define ROW bf16
#include "kernels/rows/row_sums.h"
#include <string.h>

enum { STEP = 32, SPLIT = 3, CHUNK = 2048 }; /* dimensions of a step, parts of a query, dimensions split at a time */

/* 0 beyond dim, up to a whole step. */
static void split(const float *query, size_t dim, uint16_t part[SPLIT][CHUNK])
{
    for (size_t i = 0; i < (dim + STEP - 1) / STEP * STEP; i += WIDTH) {
        const size_t at = i < dim ? i : dim;
        vec rest = vec_f32_part(query + at, dim - at < WIDTH ? dim - at : WIDTH);
        for (int p = 0; p < SPLIT; p++) {
            const __m256i upper = _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(rest), 16));
            _mm256_storeu_si256((__m256i *)(part[p] + i), upper);
            rest = vec_sub(rest, from_bf16(upper));
        }
    }
}

static INLINE __m512bh row_step(const uint16_t *x, size_t left)
{
    return (__m512bh)(left < STEP ? _mm512_maskz_loadu_epi16(((__mmask32)1 << left) - 1, x) : _mm512_loadu_si512(x));
}

/* Sums of `count` rows, 1 or ROWS, added to what is there. */
static INLINE void split_pass(int count, uint16_t part[SPLIT][CHUNK], const uint16_t *const *row,
                              const uint16_t *const *next, size_t dim, float *sums)
{
    vec sum[ROWS][SPLIT], pairs[ROWS][PARTS];
    UNROLL for (int r = 0; r < count; r++)
        UNROLL for (int p = 0; p < SPLIT; p++) sum[r][p] = vec_zero();
    for (size_t i = 0; i < dim; i += STEP) {
        __m512bh q[SPLIT];
        UNROLL for (int p = 0; p < SPLIT; p++) q[p] = (__m512bh)_mm512_loadu_si512(part[p] + i);
        UNROLL for (int r = 0; r < count; r++) {
            if (next) __builtin_prefetch(next[r] + i, 0, 2);
            const __m512bh x = row_step(row[r] + i, dim - i);
            UNROLL for (int p = 0; p < SPLIT; p++) sum[r][p] = _mm512_dpbf16_ps(sum[r][p], x, q[p]);
        }
    }
    UNROLL for (int r = 0; r < count; r++) {
        pairs[r][0] = sum[r][0];
        pairs[r][1] = vec_add(sum[r][1], sum[r][2]);
    }
    float found[ROWS];
    if (count == ROWS) sum_rows(pairs, found);
    else found[0] = sum_row(pairs[0]);
    UNROLL for (int r = 0; r < count; r++) sums[r] += found[r];
}

static void split3(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count,
                   size_t dim, float *scores)
{
    const size_t together = streams(pick, count, stride) ? 0 : count / ROWS * ROWS;
    const uint16_t *row[ROWS], *next[ROWS];
    uint16_t part[SPLIT][CHUNK];
    memset(scores, 0, count * sizeof *scores);
    for (size_t from = 0; from < dim; from += CHUNK) {
        const size_t n = dim - from < CHUNK ? dim - from : CHUNK;
        split(query + from, n, part);
        size_t r = 0;
        for (; r < together; r += ROWS) {
            find(rows + from, stride, pick, r, ROWS, count, row);
            find(rows + from, stride, pick, r + ROWS, ROWS, count, next);
            split_pass(ROWS, part, row, pick ? next : NULL, n, scores + r);
        }
        for (; r < count; r++) {
            find(rows + from, stride, pick, r, 1, count, row);
            split_pass(1, part, row, NULL, n, scores + r);
        }
    }
}

KERNELS = {
    KERNEL("split3", split3, KERNEL_FREE, "VDPBF16PS, the query as three bf16, 8 rows a pass",
           "per 32 dims of a row a load and 3 VDPBF16PS", .own = { .least = 4 * 0x1p-126 }),
    KERNEL_END
};
