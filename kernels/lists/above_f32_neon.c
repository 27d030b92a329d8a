/* SPDX-License-Identifier: MIT
 * above_f32_neon.c - 16 scores a test; only a test that finds something looks at each. */
#include "kernels/kernel.h"
#include <arm_neon.h>

static size_t any(const float *scores, size_t count, float bound, uint32_t *kept)
{
    const float32x4_t least = vdupq_n_f32(bound);
    size_t n = 0, r = 0;
    for (; r + 16 <= count; r += 16) {
        const uint32x4_t a = vcgeq_f32(vld1q_f32(scores + r), least), b = vcgeq_f32(vld1q_f32(scores + r + 4), least);
        const uint32x4_t c = vcgeq_f32(vld1q_f32(scores + r + 8), least), d = vcgeq_f32(vld1q_f32(scores + r + 12), least);
        if (!vmaxvq_u32(vorrq_u32(vorrq_u32(a, b), vorrq_u32(c, d)))) continue;
        for (size_t i = r; i < r + 16; i++)
            if (scores[i] >= bound) kept[n++] = (uint32_t)i;
    }
    for (; r < count; r++)
        if (scores[r] >= bound) kept[n++] = (uint32_t)r;
    return n;
}

KERNELS = {
    KERNEL("any", any, KERNEL_DEFAULT, "16 scores a test", "4 loads and compares and UMAXV per 16 scores; modelled, never timed"),
    KERNEL_END
};
