/* SPDX-License-Identifier: MIT
 * rows_float.h - one float query against many rows in the canonical order of ops.def: the one
 * loop behind dot, cosine and l2 of f32, f16 and bf16 on every vector ISA.
 *
 * A kernel file includes lanes_<isa>.h, which brings
 *     vec, WIDTH, PARTS           a register, its lanes, how many of them make 32 lanes
 *     ROWS                        rows of a pass, as many as the registers allow
 *     vec_zero _add _sub _fma     arithmetic
 *     vec_f32, vec_f32_part       loads; _part reads the first n elements and pads with +0
 *     vec_inverse_root            1 / sqrt(x), 0 for 0
 *     sum_row, sum_rows           the halving tree of one row, of ROWS rows
 * and says what a row is made of, before including this:
 *     ELEMENT, LOAD, LOAD_PART    f32 when not defined
 *
 * Why several rows a pass: a row has only PARTS accumulators, and the order forbids more; one row
 * at a time would wait for the latency of the FMA.  Rows are independent, so ROWS of them fill the
 * pipes, share the loads of the query, and share the shuffles of the halving.
 *
 * Three ways through the rows, measured on a Zen 4 (AVX-512, GB/s at d = 384 / 1536; the read loop
 * gives 212 in L1, 118 in L2, 34 from DRAM in order, 11 / 11 by random row):
 *     ROWS together          L1 185, L2 112    DRAM in order 13 / 26    picked 17 / 22
 *     one row at a time      L1 107, L2  98    DRAM in order 34 / 33    picked 10 / 10
 *     together, prefetching  L1 123, L2  81    DRAM in order 18 / 30    picked 25 / 28
 * Eight rows side by side are too many streams for the hardware's prefetcher, so rows in order that
 * are more than a cache holds are read one by one, as they lie; picked rows, which no prefetcher can
 * foresee, are asked for a pass ahead, into L2 (into L1: 17 / 22, it evicts what is in use).
 * Tried and lost: ROWS rows always, the last repeated (a single row then costs a whole pass). */
#ifndef ELEMENT
#define ELEMENT float
#define LOAD vec_f32
#define LOAD_PART vec_f32_part
#endif
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum {
    LANES = PARTS * WIDTH,
    CACHE_LINE = 64,
    STREAM_BYTES = 1 << 20, /* about what L2 holds */
};

enum sums { DOT, DISTANCE, DOT_AND_SQUARE };

static INLINE void step(enum sums what, vec q, vec x, vec *sum, vec *square)
{
    const vec d = what == DISTANCE ? vec_sub(q, x) : q;
    *sum = vec_fma(d, what == DISTANCE ? d : x, *sum);
    if (what == DOT_AND_SQUARE) *square = vec_fma(x, x, *square);
}

/* The sums of `count` rows, a constant, and with DOT_AND_SQUARE (at most ROWS / 2 rows) the squares
 * of each.  Rows at `next` (NULL: none) are fetched into L2 meanwhile. */
static INLINE void pass(enum sums what, int count, const float *query, const ELEMENT *const *row,
                        const ELEMENT *const *next, size_t dim, float *sums, float *squares)
{
    const int series = what == DOT_AND_SQUARE ? 2 * count : count;
    vec sum[ROWS][PARTS];
    UNROLL for (int s = 0; s < series; s++)
        UNROLL for (int p = 0; p < PARTS; p++) sum[s][p] = vec_zero();
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const vec q = vec_f32(query + i + p * WIDTH);
            UNROLL for (int r = 0; r < count; r++) {
                if (next && p * WIDTH * sizeof(ELEMENT) % CACHE_LINE == 0)
                    __builtin_prefetch(next[r] + i + p * WIDTH, 0, 2);
                step(what, q, LOAD(row[r] + i + p * WIDTH), &sum[r][p], &sum[(count + r) % ROWS][p]);
            }
        }
    if (i < dim)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            /* Parts without elements too: the order adds a +0 to every lane. */
            const size_t at = i + p * WIDTH < dim ? i + p * WIDTH : dim;
            const size_t left = dim - at < WIDTH ? dim - at : WIDTH;
            const vec q = vec_f32_part(query + at, left);
            UNROLL for (int r = 0; r < count; r++)
                step(what, q, LOAD_PART(row[r] + at, left), &sum[r][p], &sum[(count + r) % ROWS][p]);
        }
    float both[ROWS];
    if (series == ROWS) sum_rows(sum, series > count ? both : sums);
    UNROLL for (int r = 0; r < count; r++) {
        if (series < ROWS) sums[r] = sum_row(sum[r]);
        else if (series > count) sums[r] = both[r];
        if (series > count) squares[r] = series < ROWS ? sum_row(sum[count + r]) : both[count + r];
    }
}

/* x[i] = 1 / sqrt(x[i]), 0 for 0.  sqrt and division round correctly everywhere, so this has the same
 * bits on every machine.  The room of x is a multiple of WIDTH. */
static INLINE void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) vec_store(x + i, vec_inverse_root(vec_f32(x + i)));
}

static INLINE float inverse_norm(const float *x, size_t dim)
{
    vec sum[PARTS];
    UNROLL for (int p = 0; p < PARTS; p++) sum[p] = vec_zero();
    for (size_t i = 0; i < dim; i += LANES)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const size_t at = i + p * WIDTH < dim ? i + p * WIDTH : dim;
            const vec v = vec_f32_part(x + at, dim - at < WIDTH ? dim - at : WIDTH);
            sum[p] = vec_fma(v, v, sum[p]);
        }
    float square[WIDTH] = { sum_row(sum) };
    inverse_roots(square, 1);
    return square[0];
}

/* Where rows first..first+n-1 of the request are, the last of them for those beyond it. */
static INLINE void find(const ELEMENT *rows, size_t stride, const uint32_t *pick, size_t first,
                        int n, size_t count, const ELEMENT **row)
{
    UNROLL for (int r = 0; r < n; r++) {
        const size_t at = first + (size_t)r < count ? first + (size_t)r : count - 1;
        row[r] = rows + (pick ? pick[at] : at) * stride;
    }
}

/* Rows in order that no cache holds: see above. */
static INLINE int streams(const uint32_t *pick, size_t count, size_t dim)
{
    return !pick && count * dim * sizeof(ELEMENT) > STREAM_BYTES;
}

/* squares is written with DOT_AND_SQUARE only. */
static INLINE void row_sums(enum sums what, const float *query, const ELEMENT *rows, size_t stride,
                            const uint32_t *pick, size_t count, size_t dim, int stream, float *sums,
                            float *squares)
{
    enum { ALL = ROWS, HALF = ROWS / 2 };
    const int group = what == DOT_AND_SQUARE ? HALF : ALL;
    const size_t grouped = stream ? 0 : count / (size_t)group * (size_t)group;
    const ELEMENT *row[ROWS], *next[ROWS];
    size_t r = 0;
    for (; pick && r < grouped; r += (size_t)group) {
        find(rows, stride, pick, r, group, count, row);
        find(rows, stride, pick, r + (size_t)group, group, count, next);
        pass(what, group, query, row, next, dim, sums + r, squares + r);
    }
    for (; r < grouped; r += (size_t)group) {
        find(rows, stride, NULL, r, group, count, row);
        pass(what, group, query, row, NULL, dim, sums + r, squares + r);
    }
    for (; r < count; r++) {
        find(rows, stride, pick, r, 1, count, row);
        pass(what, 1, query, row, NULL, dim, sums + r, squares + r);
    }
}

/* (dot * 1/|q|) * 1/|row|, rounded after each step; the same bits with stored norms (when they are
 * inverse_root of the canonical square) and without. */
static INLINE void row_cosines(const float *query, const ELEMENT *rows, size_t stride,
                               const uint32_t *pick, size_t count, size_t dim,
                               const float *inverse_norms, float *scores)
{
    enum { BLOCK = 256 };
    const int stream = streams(pick, count, dim);
    const float query_inverse = inverse_norm(query, dim);
    float computed[BLOCK];
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? count - first : BLOCK;
        const uint32_t *picked = pick ? pick + first : NULL;
        const ELEMENT *from = rows + (pick ? 0 : first * stride);
        float *out = scores + first;
        if (inverse_norms) {
            row_sums(DOT, query, from, stride, picked, n, dim, stream, out, out);
            for (size_t r = 0; r < n; r++) computed[r] = inverse_norms[pick ? picked[r] : first + r];
        } else {
            row_sums(DOT_AND_SQUARE, query, from, stride, picked, n, dim, stream, out, computed);
            inverse_roots(computed, n);
        }
        for (size_t r = 0; r < n; r++) out[r] = out[r] * query_inverse * computed[r];
    }
}
