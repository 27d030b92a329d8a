/* SPDX-License-Identifier: MIT
 * sign_block_avx2.h - a block of 16 rows of sign bits against a query's tables: scan_sign_avx2.c says how. */
#ifndef ASSAY_SIGN_BLOCK_AVX2_H
#define ASSAY_SIGN_BLOCK_AVX2_H
#include <immintrin.h>
#include "kernels/codes/codes.h"

#define INLINE static inline __attribute__((always_inline))
enum { FLUSH = 32 };
_Static_assert(FLUSH * 8 * 255 < 65536, "16-bit sums");
struct sums16 { __m256i both, odd; };
struct sorted { __m256i j01, j23; };

/* A group's bytes 0 and 1, 2 and 3, in a lane each: of rows 0-3, 8-11, 4-7, 12-15. */
INLINE struct sorted sort(const uint8_t *group)
{
    const __m256i by_byte = _mm256_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0,
                                            15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m256i a = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)group), by_byte);
    const __m256i b = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)group + 1), by_byte);
    return (struct sorted){ _mm256_permute4x64_epi64(_mm256_unpacklo_epi32(a, b), 0xd8),
                            _mm256_permute4x64_epi64(_mm256_unpackhi_epi32(a, b), 0xd8) };
}

INLINE struct sums16 add_entries(struct sums16 s, __m256i bytes, const uint8_t *lut)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i low = _mm256_loadu_si256((const __m256i *)lut);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(lut + 64));
    const __m256i a = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
    const __m256i b = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    s.both = _mm256_add_epi16(s.both, _mm256_add_epi16(a, b));
    s.odd = _mm256_add_epi16(s.odd, _mm256_add_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)));
    return s;
}

INLINE __m128i lanes(__m256i x) { return _mm_add_epi16(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)); }

/* Adds to 16 sums of 32 bits, in order. */
INLINE void empty(struct sums16 s, __m256i wide[2])
{
    const __m128i odd = lanes(s.odd), even = _mm_sub_epi16(lanes(s.both), _mm_slli_epi16(odd, 8));
    /* rows 0-3, 8-11 and 4-7, 12-15 */
    const __m128i low = _mm_unpacklo_epi16(even, odd), high = _mm_unpackhi_epi16(even, odd);
    wide[0] = _mm256_add_epi32(wide[0], _mm256_cvtepu16_epi32(_mm_unpacklo_epi64(low, high)));
    wide[1] = _mm256_add_epi32(wide[1], _mm256_cvtepu16_epi32(_mm_unpackhi_epi64(low, high)));
}

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    __m256i wide[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        struct sums16 s = { _mm256_setzero_si256(), _mm256_setzero_si256() };
        struct sorted next = sort(block + g * 64);
        for (; g < end; g++) {
            const struct sorted now = next;
            if (g + 1 < end) next = sort(block + g * 64 + 64);
            s = add_entries(s, now.j01, lut + g * 128);
            s = add_entries(s, now.j23, lut + g * 128 + 32);
        }
        empty(s, wide);
    }
    for (int i = 0; i < 2; i++)
        _mm256_storeu_si256((__m256i *)sums + i,
                            _mm256_add_epi32(_mm256_slli_epi32(wide[i], 1), _mm256_set1_epi32(start)));
}
#endif
