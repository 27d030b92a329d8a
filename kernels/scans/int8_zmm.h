/* SPDX-License-Identifier: MIT
 * int8_zmm.h - what 512-bit registers of bytes share, whatever multiplies them. */
typedef __m512i accumulator;
#define ZERO _mm512_setzero_si512()
#define BROADCAST(four) (bytes)_mm512_set1_epi32(four)
/* 0xd8: the bits of `high` where m is set, of `low` where it is clear. */
#define BITS_OR(low, high, m)                                                                      \
    (bytes)_mm512_ternarylogic_epi32((__m512i)(low), (__m512i)(high), _mm512_set1_epi8((char)(m)), 0xd8)
#define SHUFFLE(part, index) (bytes)_mm512_shuffle_epi8((__m512i)(part), (__m512i)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm512_mask_blend_epi8(_mm512_test_epi8_mask((__m512i)(index), _mm512_set1_epi8((char)(1 << (bit)))), \
                                  (__m512i)(a), (__m512i)(b))
#define WORDS(a, b) (bytes)_mm512_mask_set1_epi32(_mm512_set1_epi32((int32_t)(a)), 0xff00, (int32_t)(b))
#define PLUS_BIT(index, words, bit)                                                                \
    (bytes)_mm512_mask_add_epi8((__m512i)(index), _mm512_test_epi8_mask((__m512i)(words), (__m512i)(bit)),  \
                                (__m512i)(index), _mm512_set1_epi8(1))

/* Sums from `start`, or from what `out` holds. */
static inline __attribute__((always_inline)) void sums_of(__m512i acc, int32_t *out, int32_t start, int more)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(acc, more ? _mm512_loadu_si512(out) : _mm512_set1_epi32(start)));
}

static inline __attribute__((always_inline)) int32_t total(__m512i acc) { return _mm512_reduce_add_epi32(acc); }
