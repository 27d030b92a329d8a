/* SPDX-License-Identifier: MIT
 * peak_avx512.c - ceilings of 512-bit instructions, in sixteen chains. */
#include "kernels/kernel.h"
#include <immintrin.h>

enum { CHAINS = 16 };

static uint64_t read_zmm(const uint8_t *at, size_t size, size_t passes)
{
    __m512i sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_setzero_si512();
    for (size_t pass = 0; pass < passes; pass++) {
        for (const uint8_t *p = at; p < at + size; p += 64 * CHAINS)
            for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_add_epi64(sum[i], _mm512_loadu_si512(p + 64 * i));
        __asm__ volatile("" ::: "memory"); /* the next pass reads again */
    }
    for (int i = 1; i < CHAINS; i++) sum[0] = _mm512_add_epi64(sum[0], sum[i]);
    uint64_t lane[8], total = 0; /* not _mm512_reduce_add_epi64: it adds signed, and these wrap */
    _mm512_storeu_si512(lane, sum[0]);
    for (int i = 0; i < 8; i++) total += lane[i];
    return total;
}

static uint64_t fma_zmm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m512 one = _mm512_set1_ps(1);
    __m512 count[CHAINS];
    for (int i = 0; i < CHAINS; i++) count[i] = _mm512_setzero_ps();
    for (size_t step = passes * (size / (64 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) count[i] = _mm512_fmadd_ps(count[i], one, one);
    double sum = 0;
    for (int i = 0; i < CHAINS; i++) sum += _mm512_reduce_add_ps(count[i]);
    return (uint64_t)sum;
}

static uint64_t shuffle_zmm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m128i bytes = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i start = _mm512_broadcast_i32x4(bytes);
    __m512i turn = _mm512_alignr_epi8(start, start, 1), x[CHAINS];
    __asm__ volatile("" : "+v"(turn)); /* unknown to the compiler, or two turns become one */
    for (int i = 0; i < CHAINS; i++) x[i] = start;
    for (size_t step = passes * (size / (64 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_shuffle_epi8(x[i], turn);
    for (int i = 1; i < CHAINS; i++) x[0] = _mm512_and_si512(x[0], x[i]);
    return (uint64_t)(_mm_cvtsi128_si32(_mm512_castsi512_si128(x[0])) & 0xff);
}

KERNELS = {
    KERNEL("read", read_zmm, KERNEL_DEFAULT, "64-byte loads into 16 sums", "1 load and add in 64 bytes"),
    KERNEL("fma_f32", fma_zmm, KERNEL_FREE, "16 chains", "1 instruction in 16 lanes"),
    KERNEL("shuffle", shuffle_zmm, KERNEL_FREE, "pshufb in 16 chains; returns the turns mod 16",
           "1 instruction in 64 bytes"),
    KERNEL_END
};
