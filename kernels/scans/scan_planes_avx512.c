/* SPDX-License-Identifier: MIT
 * scan_planes_avx512.c - bits counted by vpshufb, a nibble at a time, in bytes; words by vpmaddubsw and vpmaddwd. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 64 };
typedef uint32_t words __attribute__((vector_size(64)));
typedef uint8_t counts __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) counts counted(counts sum, words x)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i table = _mm512_broadcast_i32x4(_mm_set_epi8(4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0));
    const __m512i low = _mm512_and_si512((__m512i)x, nibble);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16((__m512i)x, 4), nibble);
    return sum + (counts)_mm512_shuffle_epi8(table, low) + (counts)_mm512_shuffle_epi8(table, high);
}

static inline __attribute__((always_inline)) words summed(counts sum)
{
    const __m512i pairs = _mm512_maddubs_epi16((__m512i)sum, _mm512_set1_epi8(1));
    return (words)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

#include "kernels/scans/scan_planes_body.h"

KERNELS = {
    KERNEL("shuffle", scan, KERNEL_DEFAULT, "xor, bits counted by vpshufb",
           "8 uops per 16 rows x 32 dimensions, for 1-bit codes and each bit of the query"),
    KERNEL_END
};
