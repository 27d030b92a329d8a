/* SPDX-License-Identifier: MIT
 * sign_block_avx512.h - a block of 16 rows of sign bits against the tables of a query: scan_sign_avx512.c says how. */
#ifndef ASSAY_SIGN_BLOCK_AVX512_H
#define ASSAY_SIGN_BLOCK_AVX512_H
#include <immintrin.h>
#include "kernels/codes/codes.h"

enum { FLUSH = 32 };
_Static_assert(FLUSH * 8 * 255 < 65536, "16-bit sums");

/* The four lanes added up. */
static inline __attribute__((always_inline)) __m128i lanes(__m512i x)
{
    const __m256i half = _mm256_add_epi16(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    return _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    const __m512i by_byte = _mm512_broadcast_i32x4(_mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0));
    const __m512i by_lane = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i wide = _mm512_setzero_si512();
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        __m512i both = _mm512_setzero_si512(), odd = both;
        for (; g < end; g++) {
            const __m512i word = _mm512_shuffle_epi8(_mm512_loadu_si512(block + g * 64), by_byte);
            const __m512i bytes = _mm512_permutexvar_epi32(by_lane, word);
            const __m512i a = _mm512_shuffle_epi8(_mm512_loadu_si512(lut + g * 128), _mm512_and_si512(bytes, nibble));
            const __m512i b = _mm512_shuffle_epi8(_mm512_loadu_si512(lut + g * 128 + 64),
                                                  _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble));
            both = _mm512_add_epi16(both, _mm512_add_epi16(a, b));
            odd = _mm512_add_epi16(odd, _mm512_add_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8)));
        }
        const __m128i o = lanes(odd), e = _mm_sub_epi16(lanes(both), _mm_slli_epi16(o, 8));
        const __m256i rows = _mm256_set_m128i(_mm_unpackhi_epi16(e, o), _mm_unpacklo_epi16(e, o));
        wide = _mm512_add_epi32(wide, _mm512_cvtepu16_epi32(rows));
    }
    _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_slli_epi32(wide, 1), _mm512_set1_epi32(start)));
}
#endif
