/* SPDX-License-Identifier: MIT
 * int8_avx2.h - products of level and query bytes by vpmaddubsw of |level| and the query with the
 * level's sign (vpsignb).  |level| <= 128 and |query| <= 127, so two products are at most 32512 and
 * fit 16 bits: nothing saturates, and vpmaddwd with ones widens them at once (a 16-bit accumulator
 * could hold no second pair). */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 32, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef __m256i accumulator;
#define ZERO _mm256_setzero_si256()
#define BROADCAST(four) (bytes)_mm256_set1_epi32(four)

static inline __attribute__((always_inline)) __m256i dot(__m256i acc, bytes level, bytes query)
{
    const __m256i l = (__m256i)level, pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(l), _mm256_sign_epi8((__m256i)query, l));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#include "kernels/int8_ymm.h"
