/* SPDX-License-Identifier: MIT
 * rows_float.h - one float query against many rows in the canonical order of ops.def: the one
 * loop behind dot, cosine and l2 of f32, f16 and bf16 on every vector ISA.
 *
 * A kernel file includes lanes_<isa>.h, which brings
 *     vec, WIDTH, PARTS           a register, its lanes, how many of them make 32 lanes
 *     ROWS                        rows of a pass, as many as the registers allow
 *     vec_zero _add _sub _fma     arithmetic
 *     vec_f32, vec_f32_part       loads; _part reads the first n elements and pads with +0
 *     sum_row, sum_rows           the halving tree of one row, of ROWS rows
 * and says what a row is made of, before including this:
 *     ELEMENT, LOAD, LOAD_PART    f32 when not defined
 *
 * Why several rows a pass: a row has only PARTS accumulators, and the order forbids more; one row
 * at a time would wait for the latency of the FMA.  Rows are independent, so ROWS of them fill the
 * pipes, share the loads of the query, and share the shuffles of the halving.
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

enum { LANES = PARTS * WIDTH };

enum sums { DOT, DISTANCE, DOT_AND_SQUARE };

static INLINE void step(enum sums what, vec q, vec x, vec *sum, vec *square)
{
    const vec d = what == DISTANCE ? vec_sub(q, x) : q;
    *sum = vec_fma(d, what == DISTANCE ? d : x, *sum);
    if (what == DOT_AND_SQUARE) *square = vec_fma(x, x, *square);
}

/* The sums of `count` rows, a constant; with DOT_AND_SQUARE the squares follow the dots. */
static INLINE void pass(enum sums what, int count, const float *query, const ELEMENT *const *row,
                        size_t dim, float *sums)
{
    const int series = what == DOT_AND_SQUARE ? 2 * count : count;
    vec sum[ROWS][PARTS];
    UNROLL for (int s = 0; s < series; s++)
        UNROLL for (int p = 0; p < PARTS; p++) sum[s][p] = vec_zero();
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        UNROLL for (size_t p = 0; p < PARTS; p++) {
            const vec q = vec_f32(query + i + p * WIDTH);
            UNROLL for (int r = 0; r < count; r++)
                step(what, q, LOAD(row[r] + i + p * WIDTH), &sum[r][p], &sum[(count + r) % ROWS][p]);
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
    if (series == ROWS) sum_rows(sum, sums);
    else
        UNROLL for (int s = 0; s < series; s++) sums[s] = sum_row(sum[s]);
}

/* Where rows first..first+n-1 of the request are. */
static INLINE void find(const ELEMENT *rows, size_t stride, const uint32_t *pick, size_t first,
                        int n, const ELEMENT **row)
{
    UNROLL for (int r = 0; r < n; r++)
        row[r] = rows + (pick ? pick[first + (size_t)r] : first + (size_t)r) * stride;
}

static INLINE void row_sums(enum sums what, const float *query, const ELEMENT *rows, size_t stride,
                            const uint32_t *pick, size_t count, size_t dim, float *sums)
{
    const ELEMENT *row[ROWS];
    size_t r = 0;
    for (; r + ROWS <= count; r += ROWS) {
        find(rows, stride, pick, r, ROWS, row);
        pass(what, ROWS, query, row, dim, sums + r);
    }
    for (; r < count; r++) {
        find(rows, stride, pick, r, 1, row);
        pass(what, 1, query, row, dim, sums + r);
    }
}

/* sqrt and division round correctly everywhere, so this has the same bits on every machine. */
static INLINE float inverse_root(float square) { return square > 0 ? 1.0f / sqrtf(square) : 0.0f; }

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
    return inverse_root(sum_row(sum));
}

/* (dot * 1/|q|) * 1/|row|, rounded after each step; the same bits with stored norms (when they are
 * inverse_root of the canonical square) and without. */
static INLINE void row_cosines(const float *query, const ELEMENT *rows, size_t stride,
                               const uint32_t *pick, size_t count, size_t dim,
                               const float *inverse_norms, float *scores)
{
    enum { PAIRS = ROWS / 2 };
    const float query_inverse = inverse_norm(query, dim);
    if (inverse_norms) {
        row_sums(DOT, query, rows, stride, pick, count, dim, scores);
        for (size_t r = 0; r < count; r++)
            scores[r] = scores[r] * query_inverse * inverse_norms[pick ? pick[r] : r];
        return;
    }
    const ELEMENT *row[ROWS];
    float sums[2 * PAIRS];
    size_t r = 0;
    for (; r + PAIRS <= count; r += PAIRS) {
        find(rows, stride, pick, r, PAIRS, row);
        pass(DOT_AND_SQUARE, PAIRS, query, row, dim, sums);
        for (size_t j = 0; j < PAIRS; j++)
            scores[r + j] = sums[j] * query_inverse * inverse_root(sums[PAIRS + j]);
    }
    for (; r < count; r++) {
        find(rows, stride, pick, r, 1, row);
        pass(DOT_AND_SQUARE, 1, query, row, dim, sums);
        scores[r] = sums[0] * query_inverse * inverse_root(sums[1]);
    }
}
