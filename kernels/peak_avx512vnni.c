/* SPDX-License-Identifier: MIT
 * peak_avx512vnni.c - the ceiling of int8 products. */
#include "kernels/kernel.h"
#include <immintrin.h>

enum { CHAINS = 16 };

static uint64_t dot_zmm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_si512();
    for (size_t step = passes * (size / (64 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_dpbusd_epi32(sum[i], ones, ones);
    uint64_t total = 0;
    for (int i = 0; i < CHAINS; i++) total += (uint64_t)_mm512_reduce_add_epi32(sum[i]);
    return total;
}

KERNELS = {
    KERNEL("dot_i8", dot_zmm, KERNEL_FREE, "vpdpbusd in 16 chains", "1 instruction in 64 products"),
    KERNEL_END
};
