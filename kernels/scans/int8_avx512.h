/* SPDX-License-Identifier: MIT
 * int8_avx512.h - products of level and query bytes without VNNI: vpmaddubsw of |query| and the level,
 * complemented where the query is negative, as int8_avx2.h says it cannot saturate. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 64, OFFSET = 0, NEGATIVE = 1 };
typedef uint8_t bytes __attribute__((vector_size(64)));
#define KEEP(acc) __asm__("" : "+v"(acc))

static inline __attribute__((always_inline)) __m512i dot(__m512i acc, bytes level, bytes query)
{
    const __m512i q = (__m512i)query, flip = _mm512_movm_epi8(_mm512_movepi8_mask(q));
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(q), _mm512_xor_si512((__m512i)level, flip));
    acc = _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
    KEEP(acc);
    return acc;
}
#include "kernels/scans/int8_zmm.h"
