/* SPDX-License-Identifier: MIT
 * pack_avx2.h - registers of 8 rows for pack_block.h. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VEC = 32 };
typedef uint32_t words __attribute__((vector_size(32)));
#define LOW32(a, b) (words)_mm256_unpacklo_epi32((__m256i)(a), (__m256i)(b))
#define HIGH32(a, b) (words)_mm256_unpackhi_epi32((__m256i)(a), (__m256i)(b))
#define LOW64(a, b) (words)_mm256_unpacklo_epi64((__m256i)(a), (__m256i)(b))
#define HIGH64(a, b) (words)_mm256_unpackhi_epi64((__m256i)(a), (__m256i)(b))

static inline __attribute__((always_inline)) words quarters_from(const uint8_t *at, size_t stride)
{
    return (words)_mm256_loadu2_m128i((const __m128i *)(at + 4 * stride), (const __m128i *)at);
}

static inline __attribute__((always_inline)) void quarters_to(words x, uint8_t *at, size_t stride)
{
    _mm256_storeu2_m128i((__m128i *)(at + 4 * stride), (__m128i *)at, (__m256i)x);
}

#include "kernels/codes/pack_block.h"
