/* SPDX-License-Identifier: MIT
 * peak_avx2.c - ceilings of 256-bit instructions.  Twelve accumulators cover a latency of 4 to 6
 * cycles on two ports and leave four registers for operands. */
#include "kernels/kernel.h"
#include <immintrin.h>

enum { CHAINS = 12 };

static uint64_t read_ymm(const uint8_t *at, size_t size, size_t passes)
{
    __m256i sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_setzero_si256();
    for (size_t pass = 0; pass < passes; pass++) {
        for (const uint8_t *p = at; p < at + size; p += 32 * CHAINS)
            for (int i = 0; i < CHAINS; i++)
                sum[i] = _mm256_add_epi64(sum[i], _mm256_loadu_si256((const __m256i *)(p + 32 * i)));
        __asm__ volatile("" ::: "memory"); /* the next pass reads again */
    }
    for (int i = 1; i < CHAINS; i++) sum[0] = _mm256_add_epi64(sum[0], sum[i]);
    uint64_t lane[4];
    _mm256_storeu_si256((__m256i *)lane, sum[0]);
    return lane[0] + lane[1] + lane[2] + lane[3];
}

static uint64_t fma_ymm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m256 one = _mm256_set1_ps(1);
    __m256 count[CHAINS];
    for (int i = 0; i < CHAINS; i++) count[i] = _mm256_setzero_ps();
    for (size_t step = passes * (size / (32 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) count[i] = _mm256_fmadd_ps(count[i], one, one);
    double sum = 0;
    for (int i = 0; i < CHAINS; i++) {
        float lane[8];
        _mm256_storeu_ps(lane, count[i]);
        for (int j = 0; j < 8; j++) sum += lane[j];
    }
    return (uint64_t)sum;
}

static uint64_t dot_ymm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m256i ones16 = _mm256_set1_epi16(1);
    __m256i ones = _mm256_set1_epi8(1), sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_setzero_si256();
    for (size_t step = passes * (size / (32 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+x"(ones)); /* else the products are computed once */
            const __m256i pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(ones, ones), ones16);
            sum[i] = _mm256_add_epi32(sum[i], pairs);
        }
    uint64_t total = 0;
    for (int i = 0; i < CHAINS; i++) {
        uint32_t lane[8];
        _mm256_storeu_si256((__m256i *)lane, sum[i]);
        for (int j = 0; j < 8; j++) total += lane[j];
    }
    return total;
}

static uint64_t shuffle_ymm(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const __m128i bytes = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m256i start = _mm256_broadcastsi128_si256(bytes);
    __m256i turn = _mm256_alignr_epi8(start, start, 1), x[CHAINS];
    __asm__ volatile("" : "+x"(turn)); /* unknown to the compiler, or two turns become one */
    for (int i = 0; i < CHAINS; i++) x[i] = start;
    for (size_t step = passes * (size / (32 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) x[i] = _mm256_shuffle_epi8(x[i], turn);
    for (int i = 1; i < CHAINS; i++) x[0] = _mm256_and_si256(x[0], x[i]);
    return (uint64_t)_mm256_extract_epi8(x[0], 0);
}

KERNELS = {
    KERNEL("read", read_ymm, KERNEL_DEFAULT, "32-byte loads into 12 sums", "1 load and add in 32 bytes"),
    KERNEL("fma_f32", fma_ymm, KERNEL_FREE, "12 chains", "1 instruction in 8 lanes"),
    KERNEL("dot_i8", dot_ymm, KERNEL_FREE, "maddubs, madd, add in 12 chains", "3 instructions in 32 products"),
    KERNEL("shuffle", shuffle_ymm, KERNEL_FREE, "pshufb in 12 chains; returns the turns mod 16",
           "1 instruction in 32 bytes"),
    KERNEL_END
};
