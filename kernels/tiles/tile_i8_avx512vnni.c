/* SPDX-License-Identifier: MIT
 * tile_i8_avx512vnni.c - many queries against panels of 64 rows that wait in L2, by VPDPBUSD, 6 x 64 of them in
 * registers: a lane is a row, so nothing is summed across lanes, and a query's four bytes are broadcast by the load.
 *
 * Panels of up to 1,536 dimensions, 96 KiB: read in order, 11 bytes a cycle, L2 keeps up.  Of 384, which L1 holds, the
 * sums of longer rows went to the scores and back once a chunk, 16 KiB apart: 8.0 to 10.0 ns a pair of d = 1536, as L3 was
 * shared, where this takes 7.4 in the same runs (65 to 82, and 87 %, of a VPDPBUSD a cycle).  Four queries or fewer that
 * are left go by four: 64 x 256, d = 384, 2.11 -> 2.07, 77 -> 79 %; there packing takes 8 %, which 64 queries share.
 *
 * Rows are packed once a call, as unsigned x + 128 (turn_words.h); queries are read where they lie.  Sums start from
 * -128 times the query's own sum, so nothing is left to correct.  Of the last dim % 4 bytes a word is made once.
 * Longer vectors go in chunks, added to the scores of those before: sums are exact in any order.
 *
 * Cost: 24 VPDPBUSD, 4 loads and 6 broadcasts for 384 pairs x 4 dimensions; packing 64 shuffles for 16 rows x 64 bytes,
 * shared by the queries.  Measured on Zen 4 (3.7 GHz, a zmm VPDPBUSD a cycle), 256 queries x 4,096 rows, d = 384 / 768 /
 * 1536, ns a pair: 1.85 / 3.82 / 7.43, 88 / 85 / 87 % of the peak that was measured beside them; registers3x4 2.21 / 4.42 /
 * 8.58, 73 / 74 / 76 %.  12 queries x 512 rows, d = 384: 2.71 against 2.60.  Without `held` around each sum gcc spills half
 * of them: 3.86 / - / 14.7.
 *
 * Fewer than 18 queries, which do not pay for that packing, and the row registers3x4 go the way of tile_i8_body.h: rows
 * along registers, three uops a pair to add lanes. */
#define DPBUSD _mm512_dpbusd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

enum { QUERIES = 3 };
#include "kernels/tiles/tile_i8_body.h"
#include "kernels/turn_words.h"

enum {
    PANEL_VECS = 4,
    PANEL_ROWS = PANEL_VECS * SIDE,
    PANEL_DIMS = 1536,   /* 96 KiB of rows: from L2, 11 bytes a cycle */
    PANEL_QUERIES = 6,
    FEW_QUERIES = 4,     /* as many that are left */
    MANY_QUERIES = 516,  /* whose sums are kept: a multiple of PANEL_QUERIES */
    LEAST_QUERIES = 18,
};

/* Rows from `first` of nv x 16 as lines of nv registers, 0 beyond both ends but for the bits turned over. */
static void pack_panel(const int8_t *rows, size_t stride, size_t count, size_t dim, size_t nv, int8_t *out)
{
    static const int8_t zeros[DEEP];
    const size_t whole = dim / DEEP * DEEP, apart = nv * sizeof(vec);
    for (size_t v = 0; v < nv; v++) {
        const int8_t *from[SIDE], *step[SIDE];
        int8_t last[SIDE][DEEP] = { { 0 } }, lines[SIDE * DEEP];
        for (size_t r = 0; r < SIDE; r++) from[r] = v * SIDE + r < count ? rows + (v * SIDE + r) * stride : NULL;
        for (size_t at = 0; at < whole; at += DEEP) {
            for (size_t r = 0; r < SIDE; r++) step[r] = from[r] ? from[r] + at : zeros;
            turn_words(step, 0, 0x80808080u, out + at / 4 * apart + v * sizeof(vec), apart);
        }
        if (whole == dim) continue;
        for (size_t r = 0; r < SIDE; r++) {
            if (from[r]) memcpy(last[r], from[r] + whole, dim - whole);
            step[r] = last[r];
        }
        turn_words(step, 0, 0x80808080u, lines, DEEP);
        for (size_t s = 0; 4 * s < dim - whole; s++)
            memcpy(out + (whole / 4 + s) * apart + v * sizeof(vec), lines + s * DEEP, DEEP);
    }
}

/* What is kept of each query: what its sums start from, and its last word where dim ends within one. */
struct kept { int32_t start, last; };

static void look_at(const int8_t *query, size_t dim, struct kept *out)
{
    vec sum = vec_zero();
    size_t i = 0;
    for (; i < dim; i += sizeof(vec))
        sum = DPBUSD(sum, _mm512_set1_epi8(1), loaded(query + i, dim - i < sizeof(vec) ? dim - i : sizeof(vec)));
    *out = (struct kept){ -128 * _mm512_reduce_add_epi32(sum), 0 };
    memcpy(&out->last, query + dim / 4 * 4, dim % 4);
}

static INLINE void four_dims(const int tile, const int nv, vec sum[PANEL_QUERIES][PANEL_VECS], const vec *x,
                             const int32_t word[PANEL_QUERIES])
{
    vec row[PANEL_VECS];
    UNROLL for (int v = 0; v < nv; v++) row[v] = held(x[v]);
    UNROLL for (int q = 0; q < tile; q++) {
        const vec y = _mm512_set1_epi32(word[q]);
        UNROLL for (int v = 0; v < nv; v++) sum[q][v] = held(DPBUSD(sum[q][v], row[v], y)); /* or gcc spills sums */
    }
}

/* `tile` queries, of which nq count, and nv x 16 rows, both constants, of which the lanes of `lanes` count. */
static INLINE void cross_panel(const int tile, const int nv, const int8_t *const query[PANEL_QUERIES],
                               const struct kept *const kept[PANEL_QUERIES], size_t dim, const vec *x, size_t apart,
                               size_t nq, __mmask16 lanes, int add, int32_t *scores, size_t score_stride)
{
    vec sum[PANEL_QUERIES][PANEL_VECS];
    int32_t word[PANEL_QUERIES];
    UNROLL for (int q = 0; q < tile; q++)
        UNROLL for (int v = 0; v < nv; v++) sum[q][v] = _mm512_set1_epi32(kept[q]->start);
    size_t i = 0;
    for (; i + 4 <= dim; i += 4, x += apart) {
        UNROLL for (int q = 0; q < tile; q++) memcpy(&word[q], query[q] + i, sizeof *word);
        four_dims(tile, nv, sum, x, word);
    }
    if (i < dim) {
        UNROLL for (int q = 0; q < tile; q++) word[q] = kept[q]->last;
        four_dims(tile, nv, sum, x, word);
    }
    UNROLL for (size_t q = 0; q < (size_t)tile; q++)
        UNROLL for (int v = 0; v < nv; v++) {
            int32_t *at = scores + q * score_stride + v * SIDE;
            if (q >= nq) continue;
            if (add) sum[q][v] = _mm512_add_epi32(sum[q][v], _mm512_maskz_loadu_epi32(lanes, at));
            _mm512_mask_storeu_epi32(at, lanes, sum[q][v]);
        }
}

/* A function of its own: inlined, it would not have the registers to itself. */
static __attribute__((noinline)) void cross_queries(const int8_t *queries, size_t query_stride, size_t query_count,
                                                    const struct kept *kept, size_t dim, const vec *panel, size_t rows,
                                                    int add, int32_t *scores, size_t score_stride)
{
    const size_t nv = (rows + SIDE - 1) / SIDE;
    for (size_t q = 0; q < query_count; q += PANEL_QUERIES) {
        const int8_t *query[PANEL_QUERIES];
        const struct kept *its[PANEL_QUERIES];
        const size_t nq = query_count - q < PANEL_QUERIES ? query_count - q : PANEL_QUERIES;
        for (size_t i = 0; i < PANEL_QUERIES; i++) { /* the last again, to fill the registers */
            const size_t at = q + (i < nq ? i : nq - 1);
            query[i] = queries + at * query_stride, its[i] = kept + at;
        }
        int32_t *out = scores + q * score_stride;
        if (rows == PANEL_ROWS && nq <= FEW_QUERIES) {
            cross_panel(FEW_QUERIES, PANEL_VECS, query, its, dim, panel, nv, nq, 0xffff, add, out, score_stride);
            continue;
        }
        if (rows == PANEL_ROWS) {
            cross_panel(PANEL_QUERIES, PANEL_VECS, query, its, dim, panel, nv, nq, 0xffff, add, out, score_stride);
            continue;
        }
        for (size_t v = 0; v < nv; v++) {
            const size_t left = rows - v * SIDE;
            const __mmask16 lanes = (__mmask16)(left < SIDE ? (1u << left) - 1 : 0xffff);
            cross_panel(PANEL_QUERIES, 1, query, its, dim, panel + v, nv, nq, lanes, add, out + v * SIDE, score_stride);
        }
    }
}

static void panels(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                   size_t count, size_t dim, int32_t *scores)
{
    if (query_count < LEAST_QUERIES || count < SIDE) {
        registers(queries, query_stride, query_count, rows, stride, count, dim, scores);
        return;
    }
    vec panel[PANEL_ROWS * PANEL_DIMS / sizeof(vec)];
    struct kept kept[MANY_QUERIES];
    for (size_t q = 0; q < query_count; q += MANY_QUERIES)
        for (size_t i = 0; i == 0 || i < dim; i += PANEL_DIMS) {
            const size_t some = dim - i < PANEL_DIMS ? dim - i : PANEL_DIMS;
            const size_t nq = query_count - q < MANY_QUERIES ? query_count - q : MANY_QUERIES;
            const int8_t *from = queries + q * query_stride + i;
            for (size_t k = 0; k < nq; k++) look_at(from + k * query_stride, some, &kept[k]);
            for (size_t r = 0; r < count; r += PANEL_ROWS) {
                const size_t n = count - r < PANEL_ROWS ? count - r : PANEL_ROWS;
                pack_panel(rows + r * stride + i, stride, n, some, (n + SIDE - 1) / SIDE, (int8_t *)panel);
                cross_queries(from, query_stride, nq, kept, some, panel, n, i > 0, scores + q * count + r, count);
            }
        }
}

KERNELS = {
    KERNEL("panels", panels, KERNEL_DEFAULT, "6 queries, broadcast, x 64 rows, a lane each, VPDPBUSD",
           "per 4 bytes and 384 pairs 24 VPDPBUSD; 10 loads"),
    KERNEL("registers3x4", registers, KERNEL_SAME, "3 queries x 4 rows in registers, VPDPBUSD",
           "per 64 bytes a pair a VPDPBUSD; 7 loads per 12"),
    KERNEL_END
};
