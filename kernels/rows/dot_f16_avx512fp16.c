/* SPDX-License-Identifier: MIT
 * dot_f16_avx512fp16.c - inner products of f16 rows by VFMADDPH, which multiplies and adds 32 f16 and rounds
 * to f16: nothing is widened but the sum of a chain of 4 steps, its 32 lanes folded to 16.  Fast and coarse.
 *
 * The query goes in as one f16, times a power of two that puts it at 1/8 at most, chunk by chunk.  No finite
 * row overflows: rounding is monotone, so the sums of a chain stay below those of rows of 65504, which round to
 * 8188, 16376, 24560, 32752, and two such chains make 65504.  Of infinities and NaN nothing is promised.
 *
 * Error.  Six roundings of u = 2^-11 lie between a product and its float: the query's, four of the chain, the
 * fold.  Below 2^-14 a rounding loses up to 2^-25 whatever the number: of the query, which then meets x_i, and of
 * the chain, each times 2^k <= 16 max|q|.  With the float sums' own part S,
 *     |got - exact| <= 6 u sum |q_i x_i| + 2^-21 max|q| sum (1 + |x_i|) + S     (bound.h)
 * For a query of even sizes the second term stays below the first while rows are of 2^-10 and above, as unit
 * vectors of any common dimension are.  The rest of the query in a second f16, as dot_bf16_avx512bf16.c has it,
 * would double the work to take away one rounding of the six; exact products (VFMSUBPH finds what one lost) are
 * twice as many f16 to widen as the rows themselves, which is what rows8 of avx512 does.
 *
 * Shown: VMULPH, VFMADDPH and VADDPH replaced by single roundings in software (checked against 113-bit
 * arithmetic on 9.6 million triples), gcc and clang, test_dot_f16 passes, worst/bound 0.56, and finds the
 * overflow if the query is scaled to 1/4.  Random unit vectors of 384 / 1536 dimensions: the cosine is off by
 * 2.3e-5 / 1.1e-5 rms, 1.2e-4 / 5.5e-5 at most (20,000 rows, 50 queries).
 * Its test has passed natively on an Emerald Rapids; qemu does not emulate it.  Cost is modelled
 * only, by llvm-mca 14 -mcpu=sapphirerapids, which takes Skylake's ports for it: 34.8 cycles for 8 rows x 128
 * dimensions in L1, 59 bytes a cycle, where rows8 of avx512 has 32.  Chains of 8 steps: 69, for ten roundings;
 * without the fold: 44. */
#include "kernels/rows/lanes_avx512.h"
#define ROW f16
#include "kernels/rows/row_sums.h"
#include <string.h>

enum {
    STEP = 32,    /* dimensions of a step */
    CHAIN = 4,    /* steps summed in f16 */
    MARGIN = 3,   /* the scaled query is at most 2^-MARGIN = 1 / (2 * CHAIN) */
    CHUNK = 2048, /* dimensions scaled at a time */
};

/* The query times 2^-k in f16, k returned; 0 beyond dim, up to a whole step. */
static int scale(const float *query, size_t dim, uint16_t half[CHUNK])
{
    vec most = vec_zero();
    for (size_t i = 0; i < dim; i += WIDTH)
        most = _mm512_max_ps(most, _mm512_abs_ps(vec_f32_part(query + i, dim - i < WIDTH ? dim - i : WIDTH)));
    int k;
    frexpf(_mm512_reduce_max_ps(most), &k);
    k += MARGIN;
    for (size_t i = 0; i < (dim + STEP - 1) / STEP * STEP; i += WIDTH) {
        const size_t at = i < dim ? i : dim;
        const vec x = _mm512_scalef_ps(vec_f32_part(query + at, dim - at < WIDTH ? dim - at : WIDTH),
                                       _mm512_set1_ps((float)-k));
        _mm256_storeu_si256((__m256i *)(half + i), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    return k;
}

/* 16 floats: lane j of a chain and lane j + 16. */
static INLINE vec widened(__m512h chain)
{
    const __m512i x = (__m512i)chain;
    const __m256h low = (__m256h)_mm512_castsi512_si256(x), high = (__m256h)_mm512_extracti64x4_epi64(x, 1);
    return _mm512_cvtph_ps((__m256i)_mm256_add_ph(low, high));
}

/* 2^k times the sums of `count` rows, 1 or ROWS, added to what is there. */
static INLINE void half_pass(int count, const uint16_t *half, const uint16_t *const *row,
                             const uint16_t *const *next, size_t dim, int k, float *sums)
{
    vec sum[ROWS][PARTS];
    __m512h chain[ROWS];
    UNROLL for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = vec_zero();
    size_t i = 0;
    for (; i + CHAIN * STEP <= dim; i += CHAIN * STEP) {
        UNROLL for (size_t at = i, c = 0; c < CHAIN; c++, at += STEP) {
            const __m512h q = (__m512h)_mm512_loadu_si512(half + at);
            UNROLL for (int r = 0; r < count; r++) {
                if (next) __builtin_prefetch(next[r] + at, 0, 2);
                const __m512h x = (__m512h)_mm512_loadu_si512(row[r] + at);
                chain[r] = c ? _mm512_fmadd_ph(x, q, chain[r]) : _mm512_mul_ph(x, q);
            }
        }
        UNROLL for (int r = 0; r < count; r++) sum[r][0] = vec_add(sum[r][0], widened(chain[r]));
    }
    UNROLL for (int r = 0; r < count; r++) chain[r] = _mm512_setzero_ph();
    for (size_t at = i; at < dim; at += STEP) {
        const __mmask32 some = dim - at < STEP ? ((__mmask32)1 << (dim - at)) - 1 : ~(__mmask32)0;
        const __m512h q = (__m512h)_mm512_loadu_si512(half + at);
        UNROLL for (int r = 0; r < count; r++)
            chain[r] = _mm512_fmadd_ph((__m512h)_mm512_maskz_loadu_epi16(some, row[r] + at), q, chain[r]);
    }
    UNROLL for (int r = 0; r < count; r++) sum[r][0] = vec_add(sum[r][0], widened(chain[r]));
    float found[ROWS] = { 0 };
    if (count == ROWS) sum_rows(sum, found);
    else found[0] = sum_row(sum[0]);
    _mm256_storeu_ps(found, _mm256_scalef_ps(_mm256_loadu_ps(found), _mm256_set1_ps((float)k)));
    UNROLL for (int r = 0; r < count; r++) sums[r] += found[r];
}

static void chain4(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count,
                   size_t dim, float *scores)
{
    const size_t together = streams(pick, count, stride) ? 0 : count / ROWS * ROWS;
    const uint16_t *row[ROWS], *next[ROWS];
    uint16_t half[CHUNK];
    memset(scores, 0, count * sizeof *scores);
    for (size_t from = 0; from < dim; from += CHUNK) {
        const size_t n = dim - from < CHUNK ? dim - from : CHUNK;
        const int k = scale(query + from, n, half);
        size_t r = 0;
        for (; r < together; r += ROWS) {
            find(rows + from, stride, pick, r, ROWS, count, row);
            find(rows + from, stride, pick, r + ROWS, ROWS, count, next);
            half_pass(ROWS, half, row, pick ? next : NULL, n, k, scores + r);
        }
        for (; r < count; r++) {
            find(rows + from, stride, pick, r, 1, count, row);
            half_pass(1, half, row, NULL, n, k, scores + r);
        }
    }
}

KERNELS = {
    KERNEL("chain4", chain4, KERNEL_FREE, "sums of 4 steps in f16, the query too: 11 bits",
           "modelled: per 128 dims of a row 4 VFMADDPH from memory and 5 uops to widen their sum, 4.4 cycles",
           .own = { .products = 6 * 0x1p-11 * (1 + 3e-3), .coarse = 0x1p-21 * (1 + 3e-3) }),
    KERNEL_END
};
