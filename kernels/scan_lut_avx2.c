/* SPDX-License-Identifier: MIT
 * scan_lut_avx2.c - vpmaddubsw of |level| and the query with the level's sign (vpsignb).
 * |level| <= 128 and |query| <= 127, so two products are at most 32512 and fit 16 bits: nothing
 * saturates, and vpmaddwd with ones widens them at once (a 16-bit accumulator could hold no
 * second pair). */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 32, QUERIES = 4, VECS = 2, STREAMS = 4, STEPS = 1, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef __m256i accumulator;
#define ZERO _mm256_setzero_si256()
#define BITS_OR(low, high, m) (((low) & (uint8_t)~(m)) | ((high) & (uint8_t)(m)))
#define SHUFFLE(part, index) (bytes)_mm256_shuffle_epi8((__m256i)(part), (__m256i)(index))
/* vpblendvb looks at bit 7 alone. */
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm256_blendv_epi8((__m256i)(a), (__m256i)(b), (__m256i)shifted(index, (bit) - 7))

static inline __attribute__((always_inline)) __m256i mac(__m256i acc, const bytes *level, const int8_t *query)
{
    int32_t four;
    memcpy(&four, query, sizeof four);
    const __m256i l = (__m256i)level[0], signed_q = _mm256_sign_epi8(_mm256_set1_epi32(four), l);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(l), signed_q);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static inline __attribute__((always_inline)) void sums_of(__m256i acc, int32_t *out, int32_t start)
{
    _mm256_storeu_si256((__m256i *)out, _mm256_add_epi32(acc, _mm256_set1_epi32(start)));
}

#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |level|; 4 queries x 16 rows a tile",
           "4 uops per 32 codes and query: vpsignb, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
