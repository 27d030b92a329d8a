/* SPDX-License-Identifier: MIT
 * scan_lut_avx512.c - AVX-512 without VNNI: vpmaddubsw of |level| and the query with the level's
 * sign.  |level| <= 128 and |query| <= 127, so two products are at most 32512 and fit 16 bits:
 * nothing saturates, and vpmaddwd with ones widens them at once (a 16-bit accumulator could hold
 * no second pair). */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 64, QUERIES = 4, VECS = 2, STREAMS = 2, STEPS = 1, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(64)));
typedef __m512i accumulator;
#define ZERO _mm512_setzero_si512()
/* 0xd8: the bits of `high` where m is set, of `low` where it is clear. */
#define BITS_OR(low, high, m)                                                                      \
    (bytes)_mm512_ternarylogic_epi32((__m512i)(low), (__m512i)(high), _mm512_set1_epi8(m), 0xd8)
#define SHUFFLE(part, index) (bytes)_mm512_shuffle_epi8((__m512i)(part), (__m512i)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm512_mask_blend_epi8(_mm512_test_epi8_mask((__m512i)(index), _mm512_set1_epi8((char)(1 << (bit)))), \
                                  (__m512i)(a), (__m512i)(b))

static inline __attribute__((always_inline)) __m512i mac(__m512i acc, const bytes *level, const int8_t *query)
{
    int32_t four;
    memcpy(&four, query, sizeof four);
    const __m512i q = _mm512_set1_epi32(four), l = (__m512i)level[0];
    const __m512i signed_q = _mm512_mask_sub_epi8(q, _mm512_movepi8_mask(l), _mm512_setzero_si512(), q);
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(l), signed_q);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

static inline __attribute__((always_inline)) void sums_of(__m512i acc, int32_t *out, int32_t start)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(acc, _mm512_set1_epi32(start)));
}

#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |level|; 4 queries x 32 rows a tile",
           "4 uops per 64 codes and query: masked negate, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
