/* SPDX-License-Identifier: MIT
 * scan_byte_avx2.c - a table of 256 bytes in sixteen pieces: vpshufb of each by the code's lower nibble, and a tree of
 * vpblendvb by its upper bits, lowest first.
 *
 * Sums of 16 bits as in scan_byte_avx512vbmi.c, emptied every 256 parts.
 *
 * Cost: 16 vpshufb, 15 vpblendvb (2 uops each on Intel) and 8 others per 32 rows and part; the pieces are broadcast by
 * loads, which take no shuffle. */
#include <immintrin.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { FLUSH = 256 };
_Static_assert(FLUSH * 255 < 65536, "16-bit sums");
#define INLINE static inline __attribute__((always_inline))

/* Entries of one, two, four, eight pieces at `table`, by bits 4 .. 6 of the codes: bit 7 of upper[i] is bit 4 + i. */
INLINE __m256i piece(const uint8_t *table, __m256i nibble)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table)), nibble);
}
INLINE __m256i two(const uint8_t *table, __m256i nibble, const __m256i upper[4])
{
    return _mm256_blendv_epi8(piece(table, nibble), piece(table + 16, nibble), upper[0]);
}
INLINE __m256i four(const uint8_t *table, __m256i nibble, const __m256i upper[4])
{
    return _mm256_blendv_epi8(two(table, nibble, upper), two(table + 32, nibble, upper), upper[1]);
}
INLINE __m256i eight(const uint8_t *table, __m256i nibble, const __m256i upper[4])
{
    return _mm256_blendv_epi8(four(table, nibble, upper), four(table + 64, nibble, upper), upper[2]);
}

INLINE __m256i entries_of(__m256i code, const uint8_t *table)
{
    const __m256i nibble = _mm256_and_si256(code, _mm256_set1_epi8(15));
    const __m256i upper[4] = { _mm256_slli_epi16(code, 3), _mm256_slli_epi16(code, 2),
                               _mm256_add_epi8(code, code), code };
    return _mm256_blendv_epi8(eight(table, nibble, upper), eight(table + 128, nibble, upper), upper[3]);
}

/* Adds sums of 16 bits, of even and of odd rows, to those of 32 rows. */
INLINE void empty(__m256i even, __m256i odd, int add, int32_t *sums)
{
    const __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
    const __m128i x[4] = { _mm256_castsi256_si128(low), _mm256_castsi256_si128(high), _mm256_extracti128_si256(low, 1),
                           _mm256_extracti128_si256(high, 1) };
    for (int i = 0; i < 4; i++) {
        __m256i *at = (__m256i *)(sums + 8 * i), wide = _mm256_cvtepu16_epi32(x[i]);
        if (add) wide = _mm256_add_epi32(wide, _mm256_loadu_si256(at));
        _mm256_storeu_si256(at, wide);
    }
}

static void some_parts(const uint8_t *codes, size_t parts, const uint8_t *lut, int add, int32_t *sums)
{
    __m256i all[2], odd[2];
    all[0] = all[1] = odd[0] = odd[1] = _mm256_setzero_si256();
    for (size_t p = 0; p < parts; p++, codes += CODES_BYTE_ROWS, lut += 256)
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) {
            const __m256i entry = entries_of(_mm256_loadu_si256((const __m256i *)(codes + 32 * half)), lut);
            all[half] = _mm256_add_epi16(all[half], entry);
            odd[half] = _mm256_add_epi16(odd[half], _mm256_srli_epi16(entry, 8));
        }
    for (int half = 0; half < 2; half++)
        empty(_mm256_sub_epi16(all[half], _mm256_slli_epi16(odd[half], 8)), odd[half], add, sums + 32 * half);
}

static void shuffle(const uint8_t *codes, size_t blocks, size_t parts, const uint8_t *luts, size_t query_count,
                    int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            for (size_t p = 0; p == 0 || p < parts; p += FLUSH)
                some_parts(codes + (b * parts + p) * CODES_BYTE_ROWS, parts - p < FLUSH ? parts - p : FLUSH,
                           luts + (q * parts + p) * 256, p > 0, sums + (q * blocks + b) * CODES_BYTE_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "16 vpshufb and a tree of 15 vpblendvb, 16-bit sums",
           "some 40 uops per 32 rows and part"),
    KERNEL_END
};
