/* SPDX-License-Identifier: MIT
 * peak_avx512popcnt.c - the ceiling of counting bits. */
#include "kernels/kernel.h"
#include <immintrin.h>

enum { CHAINS = 16 };

static uint64_t popcount_zmm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    __m512i x[CHAINS]; /* 64 ones count to 64, then 1, then 1 for ever */
    for (int i = 0; i < CHAINS; i++) x[i] = _mm512_set1_epi64(-1);
    for (size_t step = passes * (size / (64 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_popcnt_epi64(x[i]);
    uint64_t total = 0;
    for (int i = 0; i < CHAINS; i++) total += (uint64_t)_mm512_reduce_add_epi64(x[i]);
    return total;
}

KERNELS = {
    KERNEL("popcount", popcount_zmm, KERNEL_FREE, "vpopcntq in 16 chains; returns how many words",
           "1 instruction in 64 bytes"),
    KERNEL_END
};
