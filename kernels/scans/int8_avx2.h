/* SPDX-License-Identifier: MIT
 * int8_avx2.h - products of level and query bytes by vpmaddubsw of |query| and the level, complemented
 * where the query is negative: |q| (-l - 1) is q l less |q|, so the sums start at the sum of those |q|
 * (NEGATIVE), and the complement is one vpxor for any port where vpsignb has two.  |query| <= 127
 * and -128 <= level <= 127, so two products are within +-32512 and fit 16 bits: nothing saturates,
 * and vpmaddwd with ones widens them at once (a 16-bit accumulator could hold no second pair).
 *
 * KEEP: without it gcc 12 sums in an order of its own, spilling every product. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 32, OFFSET = 0, NEGATIVE = 1 };
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef __m256i accumulator;
#define ZERO _mm256_setzero_si256()
#define BROADCAST(four) (bytes)_mm256_set1_epi32(four)
#define KEEP(acc) __asm__("" : "+x"(acc))

static inline __attribute__((always_inline)) __m256i dot(__m256i acc, bytes level, bytes query)
{
    const __m256i q = (__m256i)query, flip = _mm256_cmpgt_epi8(_mm256_setzero_si256(), q);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_xor_si256((__m256i)level, flip));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    KEEP(acc);
    return acc;
}
#include "kernels/scans/int8_ymm.h"
