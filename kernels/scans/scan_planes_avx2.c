/* SPDX-License-Identifier: MIT
 * scan_planes_avx2.c - bits counted by vpshufb, a nibble at a time, in bytes; words by vpmaddubsw and vpmaddwd.
 *
 * 8 uops for 8 rows are 16 of the pipes' slots for 16 rows, where AVX-512 has 3 uops of two slots: 38 % of its speed is
 * what 4 pipes give, and measured is 37 to 45 % (scan_planes_avx512popcnt.c).  Carry-save additions of whole words
 * before counting would take 6.3 uops of the 8 for a query of 4 bits (5 logical uops for each word less to count), 48 %
 * at best: not done, as a query of 3 bits or more is faster by scan_sign (2.4 ns a row
 * at d = 384) and `binary` asks with 1 bit. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 32 };
typedef uint32_t words __attribute__((vector_size(32)));
typedef uint8_t counts __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) counts counted(counts sum, words x)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i table = _mm256_broadcastsi128_si256(_mm_set_epi8(4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0));
    const __m256i low = _mm256_and_si256((__m256i)x, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16((__m256i)x, 4), nibble);
    return sum + (counts)_mm256_shuffle_epi8(table, low) + (counts)_mm256_shuffle_epi8(table, high);
}

static inline __attribute__((always_inline)) words summed(counts sum)
{
    const __m256i pairs = _mm256_maddubs_epi16((__m256i)sum, _mm256_set1_epi8(1));
    return (words)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

#include "kernels/scans/scan_planes_body.h"

KERNELS = {
    KERNEL("shuffle", scan, KERNEL_DEFAULT, "xor, bits counted by vpshufb",
           "8 uops per 8 rows x 32 dimensions, for 1-bit codes and each bit of the query"),
    KERNEL_END
};
