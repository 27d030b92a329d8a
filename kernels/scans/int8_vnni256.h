/* SPDX-License-Identifier: MIT
 * int8_vnni256.h - products of level and query bytes by 256-bit vpdpbusd: VEX with AVX-VNNI, EVEX
 * (where it can be tested) with AVX-512 VNNI.  Levels are raised by 128 to be unsigned. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 32, OFFSET = 128, NEGATIVE = 0 };
typedef uint8_t bytes __attribute__((vector_size(32)));
typedef __m256i accumulator;
#define ZERO _mm256_setzero_si256()
#define BROADCAST(four) (bytes)_mm256_set1_epi32(four)
#ifdef __AVXVNNI__
#define DPBUSD _mm256_dpbusd_avx_epi32
#else
#define DPBUSD _mm256_dpbusd_epi32
#endif

#define KEEP(acc) __asm__("" : "+x"(acc))

static inline __attribute__((always_inline)) __m256i dot(__m256i acc, bytes level, bytes query)
{
    acc = DPBUSD(acc, (__m256i)level, (__m256i)query);
    KEEP(acc);
    return acc;
}
#include "kernels/scans/int8_ymm.h"
