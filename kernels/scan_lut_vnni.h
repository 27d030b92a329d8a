/* SPDX-License-Identifier: MIT
 * scan_lut_vnni.h - the 512-bit accumulator of scan_lut: vpdpbusd takes unsigned levels (raised
 * by 128) and signed queries; 128 x the query's sum is what the sums start below zero. */
typedef __m512i accumulator;
#define ZERO _mm512_setzero_si512()
/* 0xd8: the bits of b where c is set, of a where it is clear. */
#define BITS_OR(low, high, m)                                                                      \
    (bytes)_mm512_ternarylogic_epi32((__m512i)(low), (__m512i)(high), _mm512_set1_epi8(m), 0xd8)

static inline __attribute__((always_inline)) __m512i mac(__m512i acc, const bytes *level, const int8_t *query)
{
    int32_t four;
    memcpy(&four, query, sizeof four);
    return _mm512_dpbusd_epi32(acc, (__m512i)level[0], _mm512_set1_epi32(four));
}

static inline __attribute__((always_inline)) void sums_of(__m512i acc, int32_t *out, int32_t start)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(acc, _mm512_set1_epi32(start)));
}
