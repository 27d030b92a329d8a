/* SPDX-License-Identifier: MIT
 * scan_lut_vnni256.h - scan_lut with 256-bit vpdpbusd, for scan_lut_avxvnni.c (VEX) and, so that
 * it is tested where only AVX-512 has the instruction, scan_lut_ymm_avx512vnni.c (EVEX). */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 32, QUERIES = 4, VECS = 2, STREAMS = 4, STEPS = 1, OFFSET = 128 };
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef __m256i accumulator;
#define ZERO _mm256_setzero_si256()
#define BITS_OR(low, high, m) (((low) & (uint8_t)~(m)) | ((high) & (uint8_t)(m)))
#define SHUFFLE(part, index) (bytes)_mm256_shuffle_epi8((__m256i)(part), (__m256i)(index))
/* vpblendvb looks at bit 7 alone. */
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm256_blendv_epi8((__m256i)(a), (__m256i)(b), (__m256i)shifted(index, (bit) - 7))
#ifdef __AVXVNNI__
#define DPBUSD _mm256_dpbusd_avx_epi32
#else
#define DPBUSD _mm256_dpbusd_epi32
#endif

static inline __attribute__((always_inline)) __m256i mac(__m256i acc, const bytes *level, const int8_t *query)
{
    int32_t four;
    memcpy(&four, query, sizeof four);
    return DPBUSD(acc, (__m256i)level[0], _mm256_set1_epi32(four));
}

static inline __attribute__((always_inline)) void sums_of(__m256i acc, int32_t *out, int32_t start)
{
    _mm256_storeu_si256((__m256i *)out, _mm256_add_epi32(acc, _mm256_set1_epi32(start)));
}

#include "kernels/scan_lut_body.h"
