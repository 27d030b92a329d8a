/* SPDX-License-Identifier: MIT
 * pack_avx512.h - registers of 16 rows for pack_block.h. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VEC = 64 };
typedef uint32_t words __attribute__((vector_size(64)));
#define LOW32(a, b) (words)_mm512_unpacklo_epi32((__m512i)(a), (__m512i)(b))
#define HIGH32(a, b) (words)_mm512_unpackhi_epi32((__m512i)(a), (__m512i)(b))
#define LOW64(a, b) (words)_mm512_unpacklo_epi64((__m512i)(a), (__m512i)(b))
#define HIGH64(a, b) (words)_mm512_unpackhi_epi64((__m512i)(a), (__m512i)(b))

static inline __attribute__((always_inline)) words quarters_from(const uint8_t *at, size_t stride)
{
    __m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)at));
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(at + 4 * stride)), 1);
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(at + 8 * stride)), 2);
    return (words)_mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(at + 12 * stride)), 3);
}

static inline __attribute__((always_inline)) void quarters_to(words x, uint8_t *at, size_t stride)
{
    _mm_storeu_si128((__m128i *)at, _mm512_castsi512_si128((__m512i)x));
    _mm_storeu_si128((__m128i *)(at + 4 * stride), _mm512_extracti32x4_epi32((__m512i)x, 1));
    _mm_storeu_si128((__m128i *)(at + 8 * stride), _mm512_extracti32x4_epi32((__m512i)x, 2));
    _mm_storeu_si128((__m128i *)(at + 12 * stride), _mm512_extracti32x4_epi32((__m512i)x, 3));
}

#include "kernels/codes/pack_block.h"
