/* SPDX-License-Identifier: MIT
 * scan_sign_avx2.c - vpshufb wants one table per 16 bytes, the codes have a row's four bytes side by
 * side: 2 vpshufb, 2 unpacks and 2 vpermq sort 16 words into four lanes of equal bytes.
 *
 * Sums in 16 bits: `both` adds entries of an even row and, 256-fold, of the odd row above it, modulo
 * 65536; `odd` the odd rows alone; the even ones are both - 256 odd.  Entries are at most 255, two a
 * group: emptied every 128 groups (128 * 510 < 65536). */
#include <immintrin.h>
#include "kernels/codes.h"
#include "kernels/kernel.h"

enum { FLUSH = 128 };
_Static_assert(FLUSH * 2 * 255 < 65536, "16-bit sums");
struct sums16 { __m256i both, odd; };

static inline __attribute__((always_inline)) struct sums16 add_entries(struct sums16 s, __m256i bytes, __m256i low_table,
                                                                      __m256i high_table)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i a = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, nibble));
    const __m256i b = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    s.both = _mm256_add_epi16(s.both, _mm256_add_epi16(a, b));
    s.odd = _mm256_add_epi16(s.odd, _mm256_add_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)));
    return s;
}

/* Rows 0-3, 8-11, 4-7, 12-15, each lane's two bytes apart: as 16 sums of 32 bits in order. */
static inline __attribute__((always_inline)) void empty(const struct sums16 s[2], __m256i wide[2])
{
    __m128i even = _mm_setzero_si128(), odd = even, top_even = even, top_odd = even;
    for (int i = 0; i < 2; i++) {
        const __m256i e = _mm256_sub_epi16(s[i].both, _mm256_slli_epi16(s[i].odd, 8)), o = s[i].odd;
        const __m256i zero = _mm256_setzero_si256();
        /* words 0, 1 (rows 0-3), 4, 5 (rows 4-7) of each lane below; 2, 3 and 6, 7 (rows 8-15) above */
        const __m256i e_low = _mm256_unpacklo_epi16(e, zero), e_high = _mm256_unpackhi_epi16(e, zero);
        const __m256i o_low = _mm256_unpacklo_epi16(o, zero), o_high = _mm256_unpackhi_epi16(o, zero);
        even = _mm_add_epi32(even, _mm_add_epi32(_mm256_castsi256_si128(e_low), _mm256_extracti128_si256(e_low, 1)));
        odd = _mm_add_epi32(odd, _mm_add_epi32(_mm256_castsi256_si128(o_low), _mm256_extracti128_si256(o_low, 1)));
        top_even = _mm_add_epi32(top_even, _mm_add_epi32(_mm256_castsi256_si128(e_high), _mm256_extracti128_si256(e_high, 1)));
        top_odd = _mm_add_epi32(top_odd, _mm_add_epi32(_mm256_castsi256_si128(o_high), _mm256_extracti128_si256(o_high, 1)));
    }
    /* even: rows 0 2 8 10, odd: 1 3 9 11, top: 4 6 12 14 and 5 7 13 15 */
    const __m128i r0 = _mm_unpacklo_epi32(even, odd), r8 = _mm_unpackhi_epi32(even, odd);
    const __m128i r4 = _mm_unpacklo_epi32(top_even, top_odd), r12 = _mm_unpackhi_epi32(top_even, top_odd);
    wide[0] = _mm256_add_epi32(wide[0], _mm256_set_m128i(r4, r0));
    wide[1] = _mm256_add_epi32(wide[1], _mm256_set_m128i(r12, r8));
}

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    const __m256i by_byte = _mm256_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0,
                                            15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    __m256i wide[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        struct sums16 s[2] = { { _mm256_setzero_si256(), _mm256_setzero_si256() },
                               { _mm256_setzero_si256(), _mm256_setzero_si256() } };
        for (; g < end; g++) {
            const __m256i *at = (const __m256i *)(block + g * 64), *table = (const __m256i *)(lut + g * 128);
            const __m256i a = _mm256_shuffle_epi8(_mm256_loadu_si256(at), by_byte);
            const __m256i b = _mm256_shuffle_epi8(_mm256_loadu_si256(at + 1), by_byte);
            const __m256i j01 = _mm256_permute4x64_epi64(_mm256_unpacklo_epi32(a, b), 0xd8);
            const __m256i j23 = _mm256_permute4x64_epi64(_mm256_unpackhi_epi32(a, b), 0xd8);
            s[0] = add_entries(s[0], j01, _mm256_loadu_si256(table), _mm256_loadu_si256(table + 2));
            s[1] = add_entries(s[1], j23, _mm256_loadu_si256(table + 1), _mm256_loadu_si256(table + 3));
        }
        empty(s, wide);
    }
    for (int i = 0; i < 2; i++)
        _mm256_storeu_si256((__m256i *)sums + i,
                            _mm256_add_epi32(_mm256_slli_epi32(wide[i], 1), _mm256_set1_epi32(start)));
}

static void shuffle(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(signs + b * groups * 64, groups, luts + q * groups * 128, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "bytes sorted into lanes, vpshufb, 16-bit sums emptied every 128 groups",
           "28 uops per 16 rows x 32 dimensions, 6 of them to sort the bytes"),
    KERNEL_END
};
