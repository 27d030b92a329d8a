/* SPDX-License-Identifier: MIT
 * lanes_i8_avx2.h - exact int8 sums in ymm; see row_sums.h for its use.
 *
 * A file with VNNI defines DPBUSD or DPWSSD, the intrinsic: see lanes_i8_avx512.h for what either can
 * do.  Without them 16 bytes are widened to 16 bits for VPMADDWD.  VPMADDUBSW would do 32 bytes at
 * once, but saturates: 2 * 128 * 128 is one too many. */
#ifndef ASSAY_LANES_I8_AVX2_H
#define ASSAY_LANES_I8_AVX2_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY i8
#define SUM int32_t
typedef __m256i vec;
static inline vec vec_zero(void) { return _mm256_setzero_si256(); }

#ifdef DPBUSD
enum { WIDTH = 32, PARTS = 2, ROWS = 4 };
#define BIASED
static inline vec biased(vec x) { return _mm256_xor_si256(x, _mm256_set1_epi8((char)0x80)); }
static inline vec vec_fma(vec q, vec x, vec sum) { return DPBUSD(sum, biased(x), q); }
static inline vec vec_self(vec x, vec sum)
{
    return DPBUSD(DPBUSD(sum, biased(x), x), biased(x), _mm256_set1_epi8((char)0x80));
}
static inline vec one_lane(int32_t sum) { return _mm256_zextsi128_si256(_mm_cvtsi32_si128(sum)); }
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
static inline vec vec_i8(const int8_t *x) { return _mm256_loadu_si256((const __m256i *)x); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_epi8(a, b); } /* not to be used */
#else
enum { WIDTH = 16, PARTS = 2, ROWS = 4 };
#ifdef DPWSSD
static inline vec vec_fma(vec a, vec b, vec sum) { return DPWSSD(sum, a, b); }
#else
static inline vec vec_fma(vec a, vec b, vec sum) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
#endif
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_epi16(a, b); }
static inline vec vec_i8(const int8_t *x) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)x)); }
#endif
static inline vec vec_square(vec d, vec sum) { return vec_fma(d, d, sum); }

static inline vec vec_i8_part(const int8_t *x, size_t n)
{
    int8_t whole[WIDTH] = { 0 };
    for (size_t i = 0; i < n; i++) whole[i] = x[i];
    return vec_i8(whole);
}

static inline __m128i halves_added(vec s)
{
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

static inline int32_t sum_row(const vec sum[PARTS])
{
    const __m128i s = halves_added(_mm256_add_epi32(sum[0], sum[1])), t = _mm_hadd_epi32(s, s);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(t, t));
}

static inline __m128i sum_four(const vec sum[4])
{
    return halves_added(_mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3])));
}

static inline void sum_rows(vec sum[ROWS][PARTS], int32_t *out)
{
    vec whole[ROWS];
    for (int r = 0; r < ROWS; r++) whole[r] = _mm256_add_epi32(sum[r][0], sum[r][1]);
    _mm_storeu_si128((__m128i *)out, sum_four(whole));
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        const __m256 v = _mm256_loadu_ps(x + i), some = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ);
        _mm256_storeu_ps(x + i, _mm256_and_ps(some, _mm256_div_ps(_mm256_set1_ps(1), _mm256_sqrt_ps(v))));
    }
}
#endif
