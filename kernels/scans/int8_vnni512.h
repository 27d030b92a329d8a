/* SPDX-License-Identifier: MIT
 * int8_vnni512.h - products of level and query bytes by vpdpbusd: unsigned levels (raised by 128) and
 * signed queries; 128 x the query's sum is what the sums start below zero. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 64, OFFSET = 128, NEGATIVE = 0 };
typedef uint8_t bytes __attribute__((vector_size(64)));

#define KEEP(acc) __asm__("" : "+v"(acc))

static inline __attribute__((always_inline)) __m512i dot(__m512i acc, bytes level, bytes query)
{
    acc = _mm512_dpbusd_epi32(acc, (__m512i)level, (__m512i)query);
    KEEP(acc);
    return acc;
}
#include "kernels/scans/int8_zmm.h"
