/* SPDX-License-Identifier: MIT
 * tile_i8_body.h - many int8 queries against many int8 rows, QUERIES x TILE_ROWS of them in registers.
 *
 * A block of rows and a tile of queries are packed where L1 holds them: whole registers, zeros behind the end, so that
 * the inner loop is loads and products alone, for any dimension.  Rows are packed once a call, queries once a block of
 * rows, and both as the multiplication wants them; a register of sums in front of each packed row is what its sums
 * start with, so that nothing is left to correct in the end:
 *     VPDPBUSD   multiplies unsigned by signed bytes: the query as q + 128, sums from -128 times the row;
 *     VPMADDUBSW multiplies |x| of the row by q, by its complement -q - 1 where x < 0; sums start with those |x|.
 *                |x| <= 128 and -128 <= q <= 127, so two products are within -32768 .. 32512 and fit 16 bits;
 *                VPMADDWD by ones widens them at once.
 * Longer vectors go in chunks, added to the scores of those before: the sums are exact, in any order.
 *
 * Measured on Zen 4 (3.7 GHz), 256 queries x rows of 512 KiB, d = 384 / 768 / 1536, ns a pair, before: one query
 * against 8 or 4 rows at a time, as dot_i8 does it, which takes as many loads as multiplications and sums each query
 * anew for each block of rows.
 *                         bound                              model             measured          before
 *     avx512vnni, 3 x 4   VPDPBUSD, dim / 64 of 1 cycle      1.6 / 3.2 / 6.5   2.3 / 4.2 / 8.5   3.5 / 7.6 / 17
 *     256-bit VNNI, 3 x 4 VPDPBUSD, dim / 32 of 1/2 cycle    1.6 / 3.2 / 6.5   2.1 / 3.9 / 8.2   none
 *     avx512, 3 x 4       4 uops, dim / 64 of 2 cycles       3.2 / 6.5 / 13    4.3 / 8.2 / 18    6.8 / 14 / 25
 *     avx2, 2 x 4         4 uops, dim / 32 of 1 cycle        3.2 / 6.5 / 13    4.7 / 9.2 / 20    7.6 / 15 / 29
 * What is between model and measurement: 3 uops a pair to add lanes, the packing of queries (5 to 10 %), and loops
 * of 6 to 24 turns that end.  AVX2 has 43 to 49 % of AVX-512's speed; the models' ratio is 50 %.
 * Lost: bytes widened to 16 bits for VPMADDWD (2 uops for 16, but they get in each other's way: 0.62 cycles and
 * not 0.5; 5.3 / 11 / 24 in AVX2); 4, 5 or 6 queries in zmm (the same); 2 queries of 256-bit VNNI (2.25 / 4.1 / 8.7).
 *
 * The including file brings lanes_i8_<isa>.h and row_sums.h, and defines QUERIES and either DPBUSD or MADDUBS and MADD,
 * the intrinsics. */
#include <string.h>

#ifdef DPBUSD
enum { PACKED = 1 };
#else
enum { PACKED = 2 };
#endif
enum {
    TILE_ROWS = 4,
    CHUNK = 1536 / PACKED / sizeof(vec), /* registers of a query; at least 12 rows of as many steps make a block */
    ROOM = 20480 / sizeof(vec),
};
typedef uint32_t words __attribute__((vector_size(sizeof(vec))));
typedef int16_t pairs __attribute__((vector_size(sizeof(vec))));
typedef uint8_t bytes __attribute__((vector_size(sizeof(vec))));
typedef int8_t signed_bytes __attribute__((vector_size(sizeof(vec))));

/* raised: what is packed of a query; packed: of a row, and what its sums start with after that;
 * product: adds the products of both. */
#ifdef DPBUSD
static INLINE vec raised(vec q) { return q ^ (vec)((bytes){ 0 } + 128); }
static INLINE vec product(vec q, const vec x[PACKED], vec sum) { return DPBUSD(sum, q, x[0]); }
static INLINE vec packed(vec x, vec start, vec out[PACKED])
{
    out[0] = x;
    return (vec)((words)start - (words)product(raised(vec_zero()), out, vec_zero()));
}
#else
static INLINE vec raised(vec q) { return q; }
static INLINE vec product(vec q, const vec x[PACKED], vec sum)
{
    const vec ones = (vec)((pairs){ 0 } + 1);
    return (vec)((words)sum + (words)MADD(MADDUBS(x[0], q ^ x[1]), ones));
}
static INLINE vec packed(vec x, vec start, vec out[PACKED])
{
    out[1] = (vec)((signed_bytes)x < 0);
    out[0] = (vec)((bytes)(x ^ out[1]) - (bytes)out[1]);
    return (vec)((words)start - (words)product(vec_zero(), out, vec_zero()));
}
#endif

static INLINE vec loaded(const int8_t *x, size_t bytes_left)
{
    vec v = vec_zero();
    memcpy(&v, x, bytes_left < sizeof v ? bytes_left : sizeof v);
    return v;
}

static INLINE void pack_query(const int8_t *query, size_t dim, vec *out)
{
    size_t i = 0;
    for (; i + sizeof *out <= dim; i += sizeof *out) *out++ = raised(loaded(query + i, sizeof *out));
    if (i < dim) *out = raised(loaded(query + i, dim - i));
}

/* What its sums start with, and the row. */
static INLINE void pack_row(const int8_t *row, size_t dim, vec *out)
{
    vec start = vec_zero(), *at = out + 1;
    size_t i = 0;
    for (; i + sizeof *out <= dim; i += sizeof *out, at += PACKED) start = packed(loaded(row + i, sizeof *out), start, at);
    if (i < dim) start = packed(loaded(row + i, dim - i), start, at);
    *out = start;
}

/* The compiler would load it again for every use. */
static INLINE vec held(vec x)
{
    __asm__("" : "+v"(x));
    return x;
}

/* nq queries, a constant, and TILE_ROWS rows, as packed; adds to the scores of the first nr rows, or sets them. */
static INLINE void cross(const int nq, const vec *query, const vec *row, size_t steps, int add, size_t nr,
                         int32_t *scores, size_t score_stride)
{
    const size_t stride = steps * PACKED + 1;
    vec sum[QUERIES][TILE_ROWS], y[QUERIES];
    UNROLL for (int q = 0; q < nq; q++)
        UNROLL for (size_t r = 0; r < TILE_ROWS; r++) sum[q][r] = row[r * stride];
    row++;
    _Pragma("GCC unroll 4") for (size_t s = 0; s < steps; s++, row += PACKED) {
        UNROLL for (int q = 0; q < nq; q++) y[q] = held(query[(size_t)q * CHUNK + s]);
        UNROLL for (size_t r = 0; r < TILE_ROWS; r++) {
            vec x[PACKED];
            UNROLL for (size_t p = 0; p < PACKED; p++) x[p] = held(row[r * stride + p]);
            UNROLL for (int q = 0; q < nq; q++) sum[q][r] = product(y[q], x, sum[q][r]);
        }
    }
    UNROLL for (int q = 0; q < nq; q++, scores += score_stride) {
        int32_t four[TILE_ROWS];
        __m128i all = sum_four(sum[q]);
        if (add) {
            memcpy(four, scores, nr * sizeof *four);
            all = _mm_add_epi32(all, _mm_loadu_si128((const __m128i *)four));
        }
        if (nr == TILE_ROWS) {
            _mm_storeu_si128((__m128i *)scores, all);
        } else {
            _mm_storeu_si128((__m128i *)four, all);
            memcpy(scores, four, nr * sizeof *four);
        }
    }
}

static INLINE void cross_rows(const int nq, const vec *query, const vec *rows, size_t steps, int add, size_t n,
                              int32_t *scores, size_t score_stride)
{
    for (size_t r = 0; r < n; r += TILE_ROWS)
        cross(nq, query, rows + r * (steps * PACKED + 1), steps, add, n - r < TILE_ROWS ? n - r : TILE_ROWS, scores + r,
              score_stride);
}

/* A function of its own: inlined, it would not have the registers to itself. */
static __attribute__((noinline)) void cross_all(size_t nq, const vec *query, const vec *rows, size_t steps, int add,
                                                size_t n, int32_t *scores, size_t score_stride)
{
    if (nq == QUERIES) cross_rows(QUERIES, query, rows, steps, add, n, scores, score_stride);
    else if (nq == 2) cross_rows(2, query, rows, steps, add, n, scores, score_stride);
    else cross_rows(1, query, rows, steps, add, n, scores, score_stride);
}

/* One chunk of dim dimensions. */
static INLINE void chunk(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows,
                         size_t stride, size_t count, size_t dim, int add, int32_t *scores)
{
    const size_t steps = (dim + sizeof(vec) - 1) / sizeof(vec), size = steps * PACKED + 1;
    const size_t block = ROOM / size / TILE_ROWS * TILE_ROWS;
    vec row[ROOM], query[QUERIES * CHUNK];
    for (size_t first = 0; first < count; first += block) {
        const size_t n = count - first < block ? count - first : block;
        for (size_t r = 0; r < n + (-n & (TILE_ROWS - 1)); r++) /* the last again, to fill a tile */
            pack_row(rows + (first + (r < n ? r : n - 1)) * stride, dim, row + r * size);
        for (size_t q = 0; q < query_count; q += QUERIES) {
            const size_t nq = query_count - q < QUERIES ? query_count - q : QUERIES;
            for (size_t i = 0; i < nq; i++) pack_query(queries + (q + i) * query_stride, dim, query + i * CHUNK);
            cross_all(nq, query, row, steps, add, n, scores + q * count + first, count);
        }
    }
}

static void registers(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows, size_t stride,
                      size_t count, size_t dim, int32_t *scores)
{
    if (query_count < 4 || count < TILE_ROWS) /* not worth packing */
        for (size_t q = 0; q < query_count; q++, queries += query_stride, scores += count)
            row_sums(DOT, queries, rows, stride, NULL, count, dim, 0, scores, scores, NULL);
    else
        for (size_t i = 0; i == 0 || i < dim; i += CHUNK * sizeof(vec))
            chunk(queries + i, query_stride, query_count, rows + i, stride, count,
                  dim - i < CHUNK * sizeof(vec) ? dim - i : CHUNK * sizeof(vec), i > 0, scores);
}
