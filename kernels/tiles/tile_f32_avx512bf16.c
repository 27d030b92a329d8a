/* SPDX-License-Identifier: MIT
 * tile_f32_avx512bf16.c - many float queries against panels of 64 rows, both as bfloat16, by VDPBF16PS: for a first
 * pass whose survivors are scored again, never a default.
 *
 * The shape is that of tile_i8_avx512vnni.c: 6 queries x 64 rows in registers, a lane is a row, so nothing is summed
 * across lanes, and the load of a query's two numbers broadcasts them.  Both sides are rounded once a call, by
 * VCVTNE2PS2BF16, to nearest, ties to even; of rows 384 dimensions at a time, turned by pairs (turn_words.h).
 *
 * Both instructions take numbers below 2^-126 for 0 and return 0 for them.  A lane adds the pairs in their order,
 * two roundings each: dim of them, of sums of |q x|, for which the bound has room as tile_f32_amxbf16.c says.
 *
 * Cost: 24 VDPBF16PS, 4 loads and 6 broadcasts for 384 pairs x 2 dimensions, half of the FMAs of tile_f32_avx512.c: 3.3 ns
 * at d = 384 and 3.65 GHz.  Measured on Zen 4, 256 queries x 4,096 rows, d = 384 / 1536, ns a pair: 4.0 / 16.5 (82 / 79 %)
 * where, in one run, registers3x4 took 7.6 / 32.8 and sgemm 8.1 / 31.4.  192 dimensions at a time, a panel that L1 holds,
 * lost: sums go to the scores and back twice as often.  The 48 KiB come from L2 in the order they are read. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f32
#include "kernels/rows/row_sums.h"
#include "kernels/turn_words.h"

enum {
    PANEL_VECS = 4,
    PANEL_ROWS = PANEL_VECS * SIDE,
    PANEL_DIMS = 384,  /* 48 KiB of rows */
    PANEL_QUERIES = 6,
    STEP = 32,          /* dimensions: DEEP bytes of them */
    MANY_QUERIES = 258, /* rounded at a time, a multiple of PANEL_QUERIES: 194 KiB, in L2 */
};

/* STEP numbers of x from `at`, those from dim on 0. */
static INLINE __m512bh rounded(const float *x, size_t at, size_t dim)
{
    const size_t left = dim - at;
    if (left >= STEP) return _mm512_cvtne2ps_pbh(vec_f32(x + at + WIDTH), vec_f32(x + at));
    const size_t low = left < WIDTH ? left : WIDTH;
    return _mm512_cvtne2ps_pbh(vec_f32_part(x + at + low, left - low), vec_f32_part(x + at, low));
}

/* `count` rows to lines of PANEL_DIMS; the last ones of `most` are 0. */
static void round_rows(const float *x, size_t stride, size_t count, size_t most, size_t dim, uint16_t *out)
{
    for (size_t r = 0; r < most; r++, out += PANEL_DIMS)
        for (size_t i = 0; i < dim; i += STEP)
            _mm512_storeu_si512(out + i, r < count ? (__m512i)rounded(x + r * stride, i, dim) : _mm512_setzero_si512());
}

/* nv x 16 rows, count of them there, as lines of nv registers, two dimensions each. */
static void pack_panel(const float *rows, size_t stride, size_t count, size_t dim, size_t nv, vec *out)
{
    uint16_t some[SIDE * PANEL_DIMS];
    const int8_t *from[SIDE];
    for (size_t r = 0; r < SIDE; r++) from[r] = (const int8_t *)(some + r * PANEL_DIMS);
    for (size_t v = 0; v < nv; v++) {
        const size_t first = v * SIDE, n = count - first < SIDE ? count - first : SIDE;
        round_rows(rows + first * stride, stride, n, SIDE, dim, some);
        for (size_t i = 0; i < dim; i += STEP)
            turn_words(from, i * sizeof *some, 0, (int8_t *)(out + i / 2 * nv + v), nv * sizeof *out);
    }
}

/* gcc would spill half of the sums. */
static INLINE vec kept(vec x)
{
    __asm__("" : "+v"(x));
    return x;
}

/* PANEL_QUERIES queries, of which nq count, and nv x 16 rows, a constant, of which the lanes of `lanes` count; added to
 * the scores there, or set. */
static INLINE void cross_panel(const int nv, const uint16_t *query, size_t dim, const vec *x, size_t apart, size_t nq,
                               __mmask16 lanes, int add, float *scores, size_t score_stride)
{
    vec sum[PANEL_QUERIES][PANEL_VECS];
    UNROLL for (size_t q = 0; q < PANEL_QUERIES; q++)
        UNROLL for (int v = 0; v < nv; v++)
            sum[q][v] = _mm512_maskz_loadu_ps(add && q < nq ? lanes : 0, scores + (q < nq ? q : 0) * score_stride + v * SIDE);
    for (size_t i = 0; i < dim; i += 2, x += apart) {
        vec row[PANEL_VECS];
        UNROLL for (int v = 0; v < nv; v++) row[v] = kept(x[v]);
        UNROLL for (int q = 0; q < PANEL_QUERIES; q++) {
            int32_t pair;
            memcpy(&pair, query + (size_t)q * PANEL_DIMS + i, sizeof pair);
            const __m512bh y = (__m512bh)_mm512_set1_epi32(pair);
            UNROLL for (int v = 0; v < nv; v++) sum[q][v] = kept(_mm512_dpbf16_ps(sum[q][v], (__m512bh)row[v], y));
        }
    }
    UNROLL for (size_t q = 0; q < PANEL_QUERIES; q++)
        UNROLL for (int v = 0; v < nv; v++)
            if (q < nq) _mm512_mask_storeu_ps(scores + q * score_stride + v * SIDE, lanes, sum[q][v]);
}

/* All queries against a panel; the rows of the next one, at `ahead`, are fetched on the way, and scores before their turn.
 * A function of its own: inlined, it would not have the registers to itself. */
static __attribute__((noinline)) void cross_queries(const uint16_t *query, size_t query_count, size_t dim,
                                                    const vec *panel, size_t rows, int add, float *scores,
                                                    size_t score_stride, const float *ahead, size_t stride)
{
    const size_t each = (PANEL_ROWS * PANEL_QUERIES + query_count - 1) / query_count;
    const float *const end = ahead + PANEL_ROWS * stride;
    const size_t nv = (rows + SIDE - 1) / SIDE;
    for (size_t q = 0; q < query_count; q += PANEL_QUERIES, query += PANEL_QUERIES * PANEL_DIMS) {
        const size_t nq = query_count - q < PANEL_QUERIES ? query_count - q : PANEL_QUERIES;
        float *out = scores + q * score_stride;
        for (size_t i = 0; i < each && ahead < end; i++, ahead += stride)
            for (size_t d = 0; d < dim; d += WIDTH) __builtin_prefetch(ahead + d, 0, 2);
        UNROLL for (size_t a = 0; a < PANEL_QUERIES; a++)
            for (size_t v = 0; v < nv; v++) __builtin_prefetch(out + (a + PANEL_QUERIES) * score_stride + v * SIDE, 1);
        if (rows == PANEL_ROWS) {
            cross_panel(PANEL_VECS, query, dim, panel, nv, nq, 0xffff, add, out, score_stride);
            continue;
        }
        for (size_t v = 0; v < nv; v++) {
            const size_t left = rows - v * SIDE;
            const __mmask16 lanes = (__mmask16)(left < SIDE ? (1u << left) - 1 : 0xffff);
            cross_panel(1, query, dim, panel + v, nv, nq, lanes, add, out + v * SIDE, score_stride);
        }
    }
}

static void panels(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                   size_t count, size_t dim, float *scores)
{
    uint16_t some_queries[MANY_QUERIES * PANEL_DIMS];
    vec panel[PANEL_ROWS * PANEL_DIMS / 2 / WIDTH];
    for (size_t q = 0; q < query_count; q += MANY_QUERIES)
        for (size_t i = 0; i == 0 || i < dim; i += PANEL_DIMS) {
            const size_t some = dim - i < PANEL_DIMS ? dim - i : PANEL_DIMS;
            const size_t nq = query_count - q < MANY_QUERIES ? query_count - q : MANY_QUERIES;
            const size_t most = (nq + PANEL_QUERIES - 1) / PANEL_QUERIES * PANEL_QUERIES;
            round_rows(queries + q * query_stride + i, query_stride, nq, most, some, some_queries);
            for (size_t r = 0; r < count; r += PANEL_ROWS) {
                const size_t n = count - r < PANEL_ROWS ? count - r : PANEL_ROWS;
                pack_panel(rows + r * stride + i, stride, n, some, (n + SIDE - 1) / SIDE, panel);
                cross_queries(some_queries, nq, some, panel, n, i > 0, scores + q * count + r, count,
                              rows + (r + PANEL_ROWS) * stride + i, stride);
            }
        }
}

KERNELS = {
    KERNEL("panels", panels, KERNEL_FREE, "VDPBF16PS, 6 queries x 64 rows: both sides rounded to bf16, for a first pass",
           "per 2 dims and 384 pairs 24 VDPBF16PS; 10 loads",
           .own = { .products = 0x1.8p-7, .least = 4 * 0x1p-126, .bf16 = 1 }),
    KERNEL_END
};
