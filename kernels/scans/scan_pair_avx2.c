/* SPDX-License-Identifier: MIT
 * scan_pair_avx2.c - bytes sorted into lanes with one table each (as in scan_sign_avx2.c); a table of 64 entries is
 * four vpshufb and three vpblendvb by the codes' upper bits.  That is some 25 uops for 8 rows x 4 pairs where
 * scan_lut takes 20 (13.2 and 10.6 ns a row on Zen 4, one query, d = 384): here because a query in bytes must be
 * possible everywhere.
 *
 * Sums of 16 bits take 4 entries of at most 255 a group: emptied every 64 groups (64 * 4 * 255 < 65536). */
#include <immintrin.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { FLUSH = 64 };
_Static_assert(FLUSH * 4 * 255 < 65536, "16-bit sums");
#define INLINE static inline __attribute__((always_inline))

/* Byte j of 16 rows in lane j % 2 of out[j / 2], the rows in the order 0-3, 8-11, 4-7, 12-15. */
INLINE void sorted(const uint8_t *at, __m256i out[2])
{
    const __m128i order = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m256i by_byte = _mm256_broadcastsi128_si256(order);
    const __m256i a = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)at), by_byte);
    const __m256i b = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(at + 32)), by_byte);
    out[0] = _mm256_permute4x64_epi64(_mm256_unpacklo_epi32(a, b), 0xd8);
    out[1] = _mm256_permute4x64_epi64(_mm256_unpackhi_epi32(a, b), 0xd8);
}

/* Entries of pair u; low: its nibbles; high: the upper bits of all pairs; table: of the two lanes' bytes. */
INLINE __m256i entries_of(__m256i low, __m256i high, int u, const uint8_t *table)
{
    __m256i part[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        part[k] = _mm256_shuffle_epi8(
            _mm256_loadu2_m128i((const __m128i *)(table + 64 + 16 * k), (const __m128i *)(table + 16 * k)), low);
    const __m256i first = _mm256_slli_epi16(high, 7 - 2 * u), second = _mm256_slli_epi16(high, 6 - 2 * u);
    return _mm256_blendv_epi8(_mm256_blendv_epi8(part[0], part[1], first), _mm256_blendv_epi8(part[2], part[3], first),
                              second);
}

INLINE __m256i widened(__m256i lanes)
{
    return _mm256_add_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(lanes)),
                            _mm256_cvtepu16_epi32(_mm256_extracti128_si256(lanes, 1)));
}

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    const __m256i zero = _mm256_setzero_si256(), nibble = _mm256_set1_epi8(15);
    __m256i wide[2] = { zero, zero }; /* rows 0-3 and 8-11; rows 4-7 and 12-15 */
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        __m256i sum[2][2] = { { zero, zero }, { zero, zero } };
        for (; g < end; g++, block += 192, lut += 1024) {
            __m256i plane[2][2], high[2];
            sorted(block, plane[0]);
            sorted(block + 64, plane[1]);
            sorted(block + 128, high);
#pragma GCC unroll 4
            for (int u = 0; u < 4; u++)
#pragma GCC unroll 2
                for (int i = 0; i < 2; i++) {
                    const __m256i byte = plane[u / 2][i];
                    const __m256i low = _mm256_and_si256(u % 2 ? _mm256_srli_epi16(byte, 4) : byte, nibble);
                    const __m256i entry = entries_of(low, high[i], u, lut + 256 * u + 128 * i);
                    sum[i][0] = _mm256_add_epi16(sum[i][0], _mm256_unpacklo_epi8(entry, zero));
                    sum[i][1] = _mm256_add_epi16(sum[i][1], _mm256_unpackhi_epi8(entry, zero));
                }
        }
        for (int half = 0; half < 2; half++)
            wide[half] = _mm256_add_epi32(wide[half], _mm256_add_epi32(widened(sum[0][half]), widened(sum[1][half])));
    }
    for (int half = 0; half < 2; half++) {
        const __m256i all = _mm256_add_epi32(_mm256_slli_epi32(wide[half], 1), _mm256_set1_epi32(start));
        _mm256_storeu2_m128i((__m128i *)(sums + 8 + 4 * half), (__m128i *)(sums + 4 * half), all);
    }
}

static void shuffle(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(codes + b * groups * 192, groups, luts + q * groups * 1024, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "bytes sorted into lanes, 4 vpshufb and 3 vpblendvb a pair, 16-bit sums",
           "some 25 uops per 8 rows x 4 pairs; sums emptied every 64 groups"),
    KERNEL_END
};
