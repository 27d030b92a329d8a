/* SPDX-License-Identifier: MIT
 * row_sums.h - one query against many rows: the one loop behind dot, cosine and l2 of f32, f16,
 * bf16 (in the canonical order of ops.def) and i8 (exact) on every vector ISA.
 *
 * A kernel file includes lanes_<isa>.h or lanes_i8_<isa>.h, which bring
 *     vec, WIDTH, PARTS           a register, the dimensions it takes, registers of a row's sum
 *     ROWS                        rows of a pass, as many as the registers allow
 *     QUERY, SUM                  types: of the query (f32, i8), of a sum (float, int32_t)
 *     vec_zero, vec_sub           arithmetic; vec_fma(a, b, sum) adds the products a * b,
 *     vec_fma, vec_square         vec_square(d, sum) the squares of a difference
 *     BIASED                      defined: vec_self(x, sum) adds the squares of x in place of vec_fma, and sums
 *                                 start with what takes a bias back: dot_start, square_start; without it with 0
 *     vec_<type>, vec_<type>_part loads; _part reads the first n elements and pads with 0
 *     APART                       defined: apart_row, apart_query and their _tail take the lanes in an order of
 *                                 their own, the same for both, and in_order puts sums back; not for a row
 *                                 alone, which would pay for the query (from L3: 16 -> 23 ns at d = 384)
 *     sum_row, sum_rows           the sum of one row, of ROWS rows; floats by the halving tree
 *     inverse_roots               x[i] = 1 / sqrt(x[i]), 0 for 0, in room for a multiple of 16
 * and defines ROW, the type of the rows (f32, f16, bf16, i8), before it includes this.
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
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "kernels/kernel.h"

typedef float element_f32;
typedef uint16_t element_f16, element_bf16;
typedef int8_t element_i8;
#define ELEMENT KERNEL_PASTE(element_, ROW)
#define LOAD KERNEL_PASTE(vec_, ROW)
#define LOAD_PART KERNEL_PASTE(LOAD, _part)
#define QUERY_ELEMENT KERNEL_PASTE(element_, QUERY)
#define QUERY_LOAD KERNEL_PASTE(vec_, QUERY)
#define QUERY_LOAD_PART KERNEL_PASTE(QUERY_LOAD, _part)
#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum {
    LANES = PARTS * WIDTH,
    CACHE_LINE = 64,
    STREAM_BYTES = 1 << 20, /* about what L2 holds */
};

/* Part p of a step at x, and of the last `left` elements, 0 beyond: parts without elements too, the order
 * adds a +0 to every lane.  together: for a pass over several rows. */
static INLINE vec row_at(const ELEMENT *x, size_t p, int together)
{
#ifdef APART
    if (together) return apart_row(x, p);
#endif
    (void)together;
    return LOAD(x + p * WIDTH);
}
static INLINE vec row_tail(const ELEMENT *x, size_t left, size_t p, int together)
{
#ifdef APART
    if (together) return apart_row_tail(x, left, p);
#endif
    const size_t at = p * WIDTH < left ? p * WIDTH : left;
    (void)together;
    return LOAD_PART(x + at, left - at < WIDTH ? left - at : WIDTH);
}
static INLINE vec query_at(const QUERY_ELEMENT *x, size_t p, int together)
{
#ifdef APART
    if (together) return apart_query(x, p);
#endif
    (void)together;
    return QUERY_LOAD(x + p * WIDTH);
}
static INLINE vec query_tail(const QUERY_ELEMENT *x, size_t left, size_t p, int together)
{
#ifdef APART
    if (together) return apart_query_tail(x, left, p);
#endif
    const size_t at = p * WIDTH < left ? p * WIDTH : left;
    (void)together;
    return QUERY_LOAD_PART(x + at, left - at < WIDTH ? left - at : WIDTH);
}
#ifndef APART
static INLINE void in_order(vec sum[PARTS]) { (void)sum; }
#endif

#ifndef BIASED
static INLINE vec vec_self(vec x, vec sum) { return vec_fma(x, x, sum); }
static INLINE vec dot_start(const QUERY_ELEMENT *query, size_t dim) { return (void)query, (void)dim, vec_zero(); }
static INLINE vec square_start(size_t dim) { return (void)dim, vec_zero(); }
#endif

enum sums { DOT, DISTANCE, SQUARE, DOT_AND_SQUARE };

static INLINE void step(enum sums what, vec q, vec x, vec *sum, vec *square)
{
    if (what == DISTANCE) *sum = vec_square(vec_sub(q, x), *sum);
    else *sum = what == SQUARE ? vec_self(x, *sum) : vec_fma(q, x, *sum);
    if (what == DOT_AND_SQUARE) *square = vec_self(x, *square);
}

static INLINE float inverse_of(float square) { return square > 0 ? 1 / sqrtf(square) : 0; }

/* The sums of `count` rows, a constant, with DOT_AND_SQUARE (at most ROWS / 2 rows) the squares of
 * each, and 1 / |query| (own is NULL: not wanted).  Rows at `next` (NULL: none) are fetched into L2
 * meanwhile. */
static INLINE void pass(enum sums what, int count, const QUERY_ELEMENT *query, const ELEMENT *const *row,
                        const ELEMENT *const *next, size_t dim, vec start, SUM *sums, SUM *squares, float *own)
{
    const int series = what == DOT_AND_SQUARE ? 2 * count : count, together = count > 1;
    vec sum[ROWS][PARTS], self[PARTS];
    UNROLL for (int p = 0; p < PARTS; p++) self[p] = p ? vec_zero() : square_start(dim);
    UNROLL for (int s = 0; s < series; s++)
        UNROLL for (int p = 0; p < PARTS; p++) sum[s][p] = p ? vec_zero() : s < count ? start : square_start(dim);
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const vec q = what == SQUARE ? vec_zero() : query_at(query + i, p, together);
            if (own) self[p] = vec_self(q, self[p]);
            UNROLL for (int r = 0; r < count; r++) {
                if (next && p * WIDTH * sizeof(ELEMENT) % CACHE_LINE == 0)
                    __builtin_prefetch(next[r] + i + p * WIDTH, 0, 2);
                step(what, q, row_at(row[r] + i, p, together), &sum[r][p], &sum[(count + r) % ROWS][p]);
            }
        }
    if (i < dim)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const vec q = what == SQUARE ? vec_zero() : query_tail(query + i, dim - i, p, together);
            if (own) self[p] = vec_self(q, self[p]);
            UNROLL for (int r = 0; r < count; r++) {
                if (next && p * WIDTH * sizeof(ELEMENT) % CACHE_LINE == 0 && p * WIDTH < dim - i)
                    __builtin_prefetch(next[r] + i + p * WIDTH, 0, 2);
                step(what, q, row_tail(row[r] + i, dim - i, p, together), &sum[r][p], &sum[(count + r) % ROWS][p]);
            }
        }
    UNROLL for (int t = 0; together && t < series; t++) in_order(sum[t]);
    if (together && own) in_order(self);
    const float own_square = own ? (float)sum_row(self) : 0; /* first: a root and a division hang on it */
    SUM both[ROWS];
    if (series == ROWS) sum_rows(sum, series > count ? both : sums);
    UNROLL for (int r = 0; r < count; r++) {
        if (series < ROWS) sums[r] = sum_row(sum[r]);
        else if (series > count) sums[r] = both[r];
        if (series > count) squares[r] = series < ROWS ? sum_row(sum[count + r]) : both[count + r];
    }
    if (own) *own = inverse_of(own_square);
}

/* Rows that stay in L1 while every query meets them: whole passes, half of 32 KiB or one pass. */
static INLINE size_t tile_rows(size_t dim)
{
    const size_t passes = 16384 / (dim * sizeof(ELEMENT) * ROWS + 1);
    return ROWS * (passes ? passes : 1);
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
static INLINE int streams(const uint32_t *pick, size_t count, size_t stride)
{
    return !pick && count * stride * sizeof(ELEMENT) > STREAM_BYTES;
}

/* squares is written with DOT_AND_SQUARE only, *own unless it is NULL.  A row's sum is a chain of
 * dim / 32 additions that wait for each other; the query's own, alone, would take as long as the dots
 * of several rows, so it goes along with half a pass of them. */
static INLINE void row_sums(enum sums what, const QUERY_ELEMENT *query, const ELEMENT *rows, size_t stride,
                            const uint32_t *pick, size_t count, size_t dim, int stream, SUM *sums,
                            SUM *squares, float *own)
{
    enum { ALL = ROWS, HALF = ROWS / 2 };
    const int group = what == DOT_AND_SQUARE ? HALF : ALL;
    const ELEMENT *row[ROWS], *next[ROWS];
    const vec start = what == SQUARE ? square_start(dim) : dot_start(query, dim);
    size_t r = 0;
    if (own && (pick || stream || count < HALF)) {
        pass(what, 0, query, row, NULL, dim, start, sums, squares, own);
    } else if (own) {
        find(rows, stride, NULL, 0, HALF, count, row);
        pass(what, HALF, query, row, NULL, dim, start, sums, squares, own);
        r = HALF;
    }
    const size_t grouped = stream ? r : r + (count - r) / (size_t)group * (size_t)group;
    for (; pick && r < grouped; r += (size_t)group) {
        find(rows, stride, pick, r, group, count, row);
        find(rows, stride, pick, r + (size_t)group, group, count, next);
        pass(what, group, query, row, next, dim, start, sums + r, squares + r, NULL);
    }
    for (; r < grouped; r += (size_t)group) {
        find(rows, stride, NULL, r, group, count, row);
        pass(what, group, query, row, NULL, dim, start, sums + r, squares + r, NULL);
    }
    if (!stream && group > HALF && count - r >= HALF) {
        find(rows, stride, pick, r, HALF, count, row);
        pass(what, HALF, query, row, NULL, dim, start, sums + r, squares + r, NULL);
        r += HALF;
    }
    for (; r < count; r++) {
        find(rows, stride, pick, r, 1, count, row);
        pass(what, 1, query, row, NULL, dim, start, sums + r, squares + r, NULL);
    }
}

enum { BLOCK = 256 }; /* sums to finish while they are in L1 */

/* (dot * 1/|q|) * 1/|row|, rounded after each step; the same bits with stored norms (when they are
 * those of norms_f32, or inverse_roots of the square) and without. */
static INLINE void row_cosines(const QUERY_ELEMENT *query, const ELEMENT *rows, size_t stride,
                               const uint32_t *pick, size_t count, size_t dim,
                               const float *inverse_norms, float *scores)
{
    const int stream = streams(pick, count, stride);
    SUM dots[BLOCK], squares[BLOCK];
    float inverse[BLOCK], own;
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? count - first : BLOCK;
        const uint32_t *picked = pick ? pick + first : NULL;
        const ELEMENT *from = rows + (pick ? 0 : first * stride);
        const float *its = inverse;
        if (inverse_norms) {
            row_sums(DOT, query, from, stride, picked, n, dim, stream, dots, squares, first ? NULL : &own);
            if (!pick) its = inverse_norms + first;
            for (size_t r = 0; pick && r < n; r++) inverse[r] = inverse_norms[picked[r]];
        } else {
            row_sums(DOT_AND_SQUARE, query, from, stride, picked, n, dim, stream, dots, squares, first ? NULL : &own);
            for (size_t r = 0; r < n; r++) inverse[r] = (float)squares[r];
            inverse_roots(inverse, n);
        }
        for (size_t r = 0; r < n; r++) scores[first + r] = (float)dots[r] * own * its[r];
    }
}
