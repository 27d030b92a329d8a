/* SPDX-License-Identifier: MIT
 * lanes_avx2.h - the 32 lanes of the canonical order as 4 ymm; see row_sums.h for its use. */
#ifndef ASSAY_LANES_AVX2_H
#define ASSAY_LANES_AVX2_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define QUERY f32
#define SUM float
typedef __m256 vec;
enum {
    WIDTH = 8,
    PARTS = 32 / WIDTH,
    /* Rows of a pass: 3 x 4 accumulators and the query's part leave 3 of 16 registers; 4 rows
     * would spill.  75 % of the load ports do row bytes. */
    ROWS = 3,
};

static inline vec vec_zero(void) { return _mm256_setzero_ps(); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
static inline vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec sum) { return _mm256_fmadd_ps(a, b, sum); }
static inline vec vec_square(vec d, vec sum) { return vec_fma(d, d, sum); }
static inline vec vec_f32(const float *x) { return _mm256_loadu_ps(x); }
static inline void vec_store(float *x, vec v) { _mm256_storeu_ps(x, v); }
static inline __m256i first_lanes(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}
/* The first n of WIDTH elements, +0 beyond: masked loads do not touch what they leave out. */
static inline vec vec_f32_part(const float *x, size_t n) { return _mm256_maskload_ps(x, first_lanes(n)); }

static inline __m128i u16_part(const uint16_t *x, size_t n)
{
    uint16_t whole[WIDTH] = { 0 };
    for (size_t i = 0; i < n; i++) whole[i] = x[i];
    return _mm_loadu_si128((const __m128i *)whole);
}
static inline vec vec_f16(const uint16_t *x) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)x)); }
static inline vec vec_f16_part(const uint16_t *x, size_t n) { return _mm256_cvtph_ps(u16_part(x, n)); }
static inline vec from_bf16(__m128i x)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
static inline vec vec_bf16(const uint16_t *x) { return from_bf16(_mm_loadu_si128((const __m128i *)x)); }
static inline vec vec_bf16_part(const uint16_t *x, size_t n) { return from_bf16(u16_part(x, n)); }

/* Canonical halving: l + l+16, l + l+8 (whole registers), l + l+4, l + l+2, l + l+1. */
static inline vec halve_parts(const vec sum[PARTS])
{
    return vec_add(vec_add(sum[0], sum[2]), vec_add(sum[1], sum[3]));
}

static inline float sum_row(const vec sum[PARTS])
{
    const vec x = halve_parts(sum);
    const __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 z = _mm_add_ps(y, _mm_movehl_ps(y, y));
    return _mm_cvtss_f32(_mm_add_ss(z, _mm_movehdup_ps(z)));
}

/* The same pairs for three rows at once (a fourth place stays empty). */
static inline void sum_rows(vec sum[ROWS][PARTS], float *out)
{
    const vec a = halve_parts(sum[0]), b = halve_parts(sum[1]), c = halve_parts(sum[2]);
    const vec ab = vec_add(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    const vec cc = vec_add(c, _mm256_permute2f128_ps(c, c, 0x01));
    const vec x = vec_add(_mm256_shuffle_ps(ab, cc, 0x44), _mm256_shuffle_ps(ab, cc, 0xee));
    const vec y = vec_add(x, _mm256_movehdup_ps(x));
    /* Lanes 0, 2 and 4 hold rows 0, 2 and 1. */
    const __m128 low = _mm256_castps256_ps128(y), high = _mm256_extractf128_ps(y, 1);
    const double first_two = _mm_cvtsd_f64(_mm_castps_pd(_mm_unpacklo_ps(low, high)));
    memcpy(out, &first_two, sizeof first_two);
    _mm_store_ss(out + 2, _mm_movehl_ps(low, low));
}
/* sqrt and division round correctly everywhere, so this has the same bits on every machine. */
static inline vec inverse_root(vec x)
{
    const vec some = _mm256_cmp_ps(x, vec_zero(), _CMP_GT_OQ);
    return _mm256_and_ps(some, _mm256_div_ps(_mm256_set1_ps(1), _mm256_sqrt_ps(x)));
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) vec_store(x + i, inverse_root(vec_f32(x + i)));
}
#endif
