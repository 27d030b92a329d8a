/* SPDX-License-Identifier: MIT
 * scan_byte_avx512vbmi.c - a table of 256 bytes is four registers: two vpermi2b look 64 rows up in its halves, and the
 * code's upper bit chooses between them.
 *
 * Rows are even and odd bytes.  Sums of 16 bits: `all` adds whole words, even + 256 odd modulo 2^16, `odd` the upper
 * bytes; what is even follows in the end, so three uops widen 64 entries and not four.  Emptied every 256 parts
 * (256 * 255 < 65536).
 *
 * Cost: 2 vpermi2b, a mask, a blend, 3 of sums and the code's load per 64 rows and part, and 4 loads of the table for
 * 256 rows: 96 parts 6.2 cycles of two 512-bit uops, 1.7 ns a row at 3.7 GHz.  Measured on Zen 4, L2: 2.3 (AVX2 17.4, scalar
 * 64); what binds is the permuting pipe and the uops, not the 96 bytes (41 GB/s, 40 % of what L2 gives). */
#include <immintrin.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { BLOCKS = 4, FLUSH = 256 };
_Static_assert(FLUSH * 255 < 65536, "16-bit sums");
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")

INLINE __m512i entries_of(__m512i code, const __m512i table[4])
{
    const __m512i low = _mm512_permutex2var_epi8(table[0], code, table[1]);
    const __m512i high = _mm512_permutex2var_epi8(table[2], code, table[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(code), low, high);
}

/* Adds sums of 16 bits, of even and of odd rows, to those of 64 rows. */
INLINE void empty(__m512i even, __m512i odd, int add, int32_t *sums)
{
    uint16_t eights[2][32]; /* of every 16 rows the first, the last */
    _mm512_storeu_si512(eights[0], _mm512_unpacklo_epi16(even, odd));
    _mm512_storeu_si512(eights[1], _mm512_unpackhi_epi16(even, odd));
    for (int i = 0; i < 8; i++) {
        __m256i *at = (__m256i *)(sums + 8 * i);
        __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(eights[i % 2] + i / 2 * 8)));
        if (add) wide = _mm256_add_epi32(wide, _mm256_loadu_si256(at));
        _mm256_storeu_si256(at, wide);
    }
}

/* Up to FLUSH parts of nb blocks, a constant; `apart` bytes from block to block. */
INLINE void some_parts(const uint8_t *codes, size_t apart, size_t parts, const uint8_t *lut, int add, int32_t *sums,
                       const int nb)
{
    __m512i all[BLOCKS], odd[BLOCKS];
    UNROLL for (int b = 0; b < nb; b++) all[b] = odd[b] = _mm512_setzero_si512();
    for (size_t p = 0; p < parts; p++, codes += CODES_BYTE_ROWS, lut += 256) {
        __m512i table[4];
        UNROLL for (int i = 0; i < 4; i++) table[i] = _mm512_loadu_si512(lut + 64 * i);
        UNROLL for (int b = 0; b < nb; b++) {
            const __m512i entry = entries_of(_mm512_loadu_si512(codes + (size_t)b * apart), table);
            all[b] = _mm512_add_epi16(all[b], entry);
            odd[b] = _mm512_add_epi16(odd[b], _mm512_srli_epi16(entry, 8));
        }
    }
    UNROLL for (int b = 0; b < nb; b++)
        empty(_mm512_sub_epi16(all[b], _mm512_slli_epi16(odd[b], 8)), odd[b], add, sums + b * CODES_BYTE_ROWS);
}

INLINE void all_parts(const uint8_t *codes, size_t parts, const uint8_t *lut, int32_t *sums, const int nb)
{
    for (size_t p = 0; p == 0 || p < parts; p += FLUSH)
        some_parts(codes + p * CODES_BYTE_ROWS, parts * CODES_BYTE_ROWS, parts - p < FLUSH ? parts - p : FLUSH,
                   lut + p * 256, p > 0, sums, nb);
}

static void permute(const uint8_t *codes, size_t blocks, size_t parts, const uint8_t *luts, size_t query_count,
                    int32_t *sums)
{
    const size_t bytes = parts * CODES_BYTE_ROWS;
    for (size_t b = 0; b < blocks; b += b + BLOCKS <= blocks ? BLOCKS : 1)
        for (size_t q = 0; q < query_count; q++) {
            int32_t *out = sums + (q * blocks + b) * CODES_BYTE_ROWS;
            if (b + BLOCKS <= blocks) all_parts(codes + b * bytes, parts, luts + q * parts * 256, out, BLOCKS);
            else all_parts(codes + b * bytes, parts, luts + q * parts * 256, out, 1);
        }
}

KERNELS = {
    KERNEL("permute", permute, KERNEL_DEFAULT, "two vpermi2b in a table of four registers, 16-bit sums",
           "8 uops per 64 rows and part, and 4 loads of its table for 256 rows"),
    KERNEL_END
};
