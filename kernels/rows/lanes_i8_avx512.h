/* SPDX-License-Identifier: MIT
 * lanes_i8_avx512.h - exact int8 sums in zmm; see row_sums.h for its use.
 *
 * Bytes are widened to 16 bits, 32 a register, for VPMADDWD and an addition.  A file with VNNI defines
 *     DPWSSD  (VPDPWSSD) does both at once;
 *     DPBUSD  (VPDPBUSD) takes 64 bytes as they are, unsigned by signed: the row goes in as x + 128
 *             (x ^ 0x80), so that a dot comes out 128 * sum(query) too large.  A square is two of them:
 *             (x + 128) * x and (x + 128) * -128 are x * x - 16384.  Sums start with what is missing.
 *             Not for differences, which do not fit a byte. */
#ifndef ASSAY_LANES_I8_AVX512_H
#define ASSAY_LANES_I8_AVX512_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY i8
#define SUM int32_t
typedef __m512i vec;
static inline vec vec_zero(void) { return _mm512_setzero_si512(); }

#ifdef DPBUSD
enum { WIDTH = 64, PARTS = 1, ROWS = 8 };
#define BIASED
static inline vec biased(vec x) { return _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80)); }
static inline vec vec_fma(vec q, vec x, vec sum) { return DPBUSD(sum, biased(x), q); }
static inline vec vec_self(vec x, vec sum)
{
    return DPBUSD(DPBUSD(sum, biased(x), x), biased(x), _mm512_set1_epi8((char)0x80));
}
static inline vec one_lane(int32_t sum) { return _mm512_zextsi128_si512(_mm_cvtsi32_si128(sum)); }
static inline vec dot_start(const int8_t *query, size_t dim)
{
    int32_t sum = 0;
    for (size_t i = 0; i < dim; i++) sum += query[i];
    return one_lane(-128 * sum);
}
static inline vec square_start(size_t dim)
{
    const size_t step = PARTS * WIDTH; /* the last is padded, and the padding counts */
    return one_lane((int32_t)((dim + step - 1) / step * step * 16384));
}
static inline vec vec_i8(const int8_t *x) { return _mm512_loadu_si512(x); }
static inline vec vec_i8_part(const int8_t *x, size_t n)
{
    /* Beyond n the query has 0, so that it does not matter what the bias makes of the row. */
    return _mm512_maskz_loadu_epi8(n < 64 ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0, x);
}
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_epi8(a, b); } /* not to be used */
#else
enum { WIDTH = 32, PARTS = 1, ROWS = 8 };
#ifdef DPWSSD
static inline vec vec_fma(vec a, vec b, vec sum) { return DPWSSD(sum, a, b); }
#else
static inline vec vec_fma(vec a, vec b, vec sum) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); }
#endif
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_epi16(a, b); }
static inline vec vec_i8(const int8_t *x)
{
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)x));
}
static inline vec vec_i8_part(const int8_t *x, size_t n)
{
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(n < 32 ? ((__mmask32)1 << n) - 1 : ~(__mmask32)0, x));
}
#endif
static inline vec vec_square(vec d, vec sum) { return vec_fma(d, d, sum); }

static inline int32_t sum_row(const vec sum[PARTS]) { return _mm512_reduce_add_epi32(sum[0]); }

/* Two registers of 16 sums become one, 8 a row; then 4 a row: as in lanes_avx512.h. */
static inline vec join8(vec a, vec b)
{
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
}
static inline vec join4(vec a, vec b)
{
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

static inline __m256i halves_added(vec s)
{
    return _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
}

static inline __m128i sum_four(const vec sum[4])
{
    const __m256i low = _mm256_hadd_epi32(halves_added(sum[0]), halves_added(sum[1]));
    const __m256i s = _mm256_hadd_epi32(low, _mm256_hadd_epi32(halves_added(sum[2]), halves_added(sum[3])));
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

static inline void sum_rows(vec sum[ROWS][PARTS], int32_t *out)
{
    const vec a = join4(join8(sum[0][0], sum[1][0]), join8(sum[2][0], sum[3][0]));
    const vec b = join4(join8(sum[4][0], sum[5][0]), join8(sum[6][0], sum[7][0]));
    const vec c = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    /* A quarter holds a row of a and one of b, each as two sums: a b a b. */
    const vec d = _mm512_add_epi32(c, _mm512_shuffle_epi32(c, (_MM_PERM_ENUM)0x4e));
    const vec place = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(_mm512_permutexvar_epi32(place, d)));
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        const __m512 v = _mm512_loadu_ps(x + i);
        const __mmask16 some = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
        _mm512_storeu_ps(x + i, _mm512_maskz_div_ps(some, _mm512_set1_ps(1), _mm512_sqrt_ps(v)));
    }
}
#endif
