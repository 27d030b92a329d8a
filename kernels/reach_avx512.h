/* SPDX-License-Identifier: MIT
 * reach_avx512.h - 16 bounds against a threshold, and what of 16 lanes is kept. */
#ifndef ASSAY_REACH_AVX512_H
#define ASSAY_REACH_AVX512_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

struct test {
    __m512 alpha, beta, threshold;
};

/* (sum * alpha) * scale + error * beta >= threshold, single roundings in that order. */
static inline __attribute__((always_inline)) __mmask16 reach(struct test t, __m512i sum, __m512 scale, __m512 error)
{
    const __m512 estimate = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), t.alpha), scale);
    return _mm512_cmp_ps_mask(_mm512_add_ps(estimate, _mm512_mul_ps(error, t.beta)), t.threshold, _CMP_GE_OQ);
}

/* The lanes of `keep` to `out`, side by side; returns how many.  vpcompressd to memory is microcode on Zen 4. */
static inline __attribute__((always_inline)) size_t put(__mmask16 keep, __m512i lanes, void *out)
{
    const unsigned count = (unsigned)__builtin_popcount(keep);
    _mm512_mask_storeu_epi32(out, (__mmask16)((1u << count) - 1), _mm512_maskz_compress_epi32(keep, lanes));
    return count;
}

/* Numbers from `row` on of the lanes in `keep`. */
static inline __attribute__((always_inline)) size_t put_rows(__mmask16 keep, uint32_t row, uint32_t *kept)
{
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return put(keep, _mm512_add_epi32(lane, _mm512_set1_epi32((int)row)), kept);
}
#endif
