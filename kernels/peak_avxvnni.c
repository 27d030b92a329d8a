/* SPDX-License-Identifier: MIT
 * peak_avxvnni.c - the ceiling of int8 products where VNNI has 256 bits.
 * Its test has passed natively on an Emerald Rapids. */
#include "kernels/kernel.h"
#include <immintrin.h>

enum { CHAINS = 12 };

static uint64_t dot_ymm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_setzero_si256();
    for (size_t step = passes * (size / (32 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_dpbusd_avx_epi32(sum[i], ones, ones);
    uint64_t total = 0;
    for (int i = 0; i < CHAINS; i++) {
        uint32_t lane[8];
        _mm256_storeu_si256((__m256i *)lane, sum[i]);
        for (int j = 0; j < 8; j++) total += lane[j];
    }
    return total;
}

KERNELS = {
    KERNEL("dot_i8", dot_ymm, KERNEL_FREE, "vpdpbusd in 12 chains", "1 instruction in 32 products"),
    KERNEL_END
};
