/* SPDX-License-Identifier: MIT
 * int8_avx512.h - products of level and query bytes without VNNI: vpmaddubsw of |level| and the query
 * with the level's sign, as int8_avx2.h says it cannot saturate; vpsignb has no 512-bit form. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 64, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) __m512i dot(__m512i acc, bytes level, bytes query)
{
    const __m512i l = (__m512i)level, q = (__m512i)query;
    const __m512i signed_q = _mm512_mask_sub_epi8(q, _mm512_movepi8_mask(l), _mm512_setzero_si512(), q);
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(l), signed_q);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
#include "kernels/int8_zmm.h"
