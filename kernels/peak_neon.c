/* SPDX-License-Identifier: MIT
 * peak_neon.c - ceilings of 128-bit instructions on ARM, in twelve chains. */
#include "kernels/kernel.h"
#include <arm_neon.h>

enum { CHAINS = 12 };

static uint64_t read_q(const uint8_t *at, size_t size, size_t passes)
{
    uint64x2_t sum[CHAINS];
    for (int i = 0; i < CHAINS; i++) sum[i] = vdupq_n_u64(0);
    for (size_t pass = 0; pass < passes; pass++) {
        for (const uint8_t *p = at; p < at + size; p += 16 * CHAINS)
            for (int i = 0; i < CHAINS; i++) sum[i] = vaddq_u64(sum[i], vreinterpretq_u64_u8(vld1q_u8(p + 16 * i)));
        __asm__ volatile("" ::: "memory"); /* the next pass reads again */
    }
    for (int i = 1; i < CHAINS; i++) sum[0] = vaddq_u64(sum[0], sum[i]);
    return vaddvq_u64(sum[0]);
}

static uint64_t fma_q(const uint8_t *at, size_t size, size_t passes)
{
    (void)at;
    const float32x4_t one = vdupq_n_f32(1);
    float32x4_t count[CHAINS];
    for (int i = 0; i < CHAINS; i++) count[i] = vdupq_n_f32(0);
    for (size_t step = passes * (size / (16 * CHAINS)); step > 0; step--)
        for (int i = 0; i < CHAINS; i++) count[i] = vfmaq_f32(one, count[i], one);
    double sum = 0;
    for (int i = 0; i < CHAINS; i++) sum += vaddvq_f32(count[i]);
    return (uint64_t)sum;
}

KERNELS = {
    KERNEL("read", read_q, KERNEL_DEFAULT, "16-byte loads into 12 sums", "1 load and add in 16 bytes"),
    KERNEL("fma_f32", fma_q, KERNEL_FREE, "12 chains", "1 instruction in 4 lanes"),
    KERNEL_END
};
