/* SPDX-License-Identifier: MIT
 * lanes_avx512.h - the 32 lanes of the canonical order as 2 zmm; see row_sums.h for its use. */
#ifndef ASSAY_LANES_AVX512_H
#define ASSAY_LANES_AVX512_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY f32
#define SUM float
typedef __m512 vec;
enum {
    WIDTH = 16,
    PARTS = 32 / WIDTH,
    /* Rows of a pass: 8 x 2 accumulators cover the latency of the FMA (4 cycles x 2 ports need 8),
     * and the query's 2 loads are shared by 16 row loads: 89 % of the load ports do row bytes. */
    ROWS = 8,
};

static inline vec vec_zero(void) { return _mm512_setzero_ps(); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec sum) { return _mm512_fmadd_ps(a, b, sum); }
static inline vec vec_square(vec d, vec sum) { return vec_fma(d, d, sum); }
static inline vec vec_f32(const float *x) { return _mm512_loadu_ps(x); }
static inline void vec_store(float *x, vec v) { _mm512_storeu_ps(x, v); }
static inline __mmask16 first_lanes(size_t n) { return (__mmask16)((1u << n) - 1); }
/* The first n of WIDTH elements, +0 beyond: masked loads do not touch what they leave out. */
static inline vec vec_f32_part(const float *x, size_t n)
{
    return _mm512_maskz_loadu_ps(first_lanes(n), x);
}

static inline vec vec_f16(const uint16_t *x) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)x)); }
static inline vec vec_f16_part(const uint16_t *x, size_t n)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), x));
}
static inline vec from_bf16(__m256i x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}
static inline vec vec_bf16(const uint16_t *x) { return from_bf16(_mm256_loadu_si256((const __m256i *)x)); }
static inline vec vec_bf16_part(const uint16_t *x, size_t n)
{
    return from_bf16(_mm256_maskz_loadu_epi16(first_lanes(n), x));
}

/* For files of bf16 rows that define it.  32 of them in a register are 16 even ones and 16 odd ones, a shift
 * and a mask away: less than widening 16 and 16 (VPMOVZXWD is a shuffle, and then comes the shift).  So lane
 * j of part p is element 2 j + p; the query is picked apart once for all rows of a pass. */
#ifdef APART
static inline vec half_of(__m512i x, size_t p)
{
    return _mm512_castsi512_ps(p ? _mm512_and_si512(x, _mm512_set1_epi32((int)0xffff0000)) : _mm512_slli_epi32(x, 16));
}
static inline vec apart_row(const uint16_t *x, size_t p) { return half_of(_mm512_loadu_si512(x), p); }
static inline vec apart_row_tail(const uint16_t *x, size_t left, size_t p)
{
    return half_of(_mm512_maskz_loadu_epi16(((__mmask32)1 << left) - 1, x), p);
}
static inline vec every_other(vec low, vec high, size_t p)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(low, _mm512_add_epi32(even, _mm512_set1_epi32((int)p)), high);
}
static inline vec apart_query(const float *x, size_t p) { return every_other(vec_f32(x), vec_f32(x + WIDTH), p); }
static inline vec apart_query_tail(const float *x, size_t left, size_t p)
{
    const size_t low = left < WIDTH ? left : WIDTH;
    return every_other(vec_f32_part(x, low), vec_f32_part(x + low, left - low), p);
}
static inline void in_order(vec sum[PARTS])
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const vec first = _mm512_permutex2var_ps(sum[0], low, sum[1]);
    sum[1] = _mm512_permutex2var_ps(sum[0], _mm512_add_epi32(low, _mm512_set1_epi32(8)), sum[1]);
    sum[0] = first;
}
#endif

/* Canonical halving of one row: l + l+16 (its 2 parts), l + l+8, l + l+4, l + l+2, l + l+1. */
static inline float sum_row(const vec sum[PARTS])
{
    const vec x = vec_add(sum[0], sum[1]);
    const __m256 y = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 z = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    const __m128 w = _mm_add_ps(z, _mm_movehl_ps(z, z));
    return _mm_cvtss_f32(_mm_add_ss(w, _mm_movehdup_ps(w)));
}

/* a and b keep their lower and upper 8 lanes side by side: two rows a register. */
static inline vec join8(vec a, vec b)
{
    return vec_add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}
/* 2 rows of 8 lanes and 2 more give 4 rows of 4 lanes. */
static inline vec join4(vec a, vec b)
{
    return vec_add(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

/* The same pairs for 8 rows at once: 2 shuffles and 2 additions a row instead of 4 and 5. */
static inline void sum_rows(vec sum[ROWS][PARTS], float *out)
{
    vec x[ROWS];
    for (int r = 0; r < ROWS; r++) x[r] = vec_add(sum[r][0], sum[r][1]);
    const vec a = join4(join8(x[0], x[1]), join8(x[2], x[3]));
    const vec b = join4(join8(x[4], x[5]), join8(x[6], x[7]));
    const vec c = vec_add(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
    const vec d = vec_add(c, _mm512_permute_ps(c, 0xb1));
    /* Rows 0 4 1 5 2 6 3 7 sit in the even lanes. */
    const __m512i place = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm256_storeu_ps(out, _mm512_castps512_ps256(_mm512_permutexvar_ps(place, d)));
}
/* sqrt and division round correctly everywhere, so this has the same bits on every machine. */
static inline vec inverse_root(vec x)
{
    const __mmask16 some = _mm512_cmp_ps_mask(x, vec_zero(), _CMP_GT_OQ);
    return _mm512_maskz_div_ps(some, _mm512_set1_ps(1), _mm512_sqrt_ps(x));
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) vec_store(x + i, inverse_root(vec_f32(x + i)));
}
#endif
