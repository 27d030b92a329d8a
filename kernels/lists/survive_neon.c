/* SPDX-License-Identifier: MIT
 * survive_neon.c - 16 rows a comparison of sums, 4 a bound; where one survives, the four are looked at. */
#include <arm_neon.h>
#include "kernels/kernel.h"

/* 1 when none of 16 sums reaches `least`. */
static inline __attribute__((always_inline)) int are_below(const int32_t *sums, int32x4_t least)
{
    const int32x4_t low = vmaxq_s32(vld1q_s32(sums), vld1q_s32(sums + 4)),
                    high = vmaxq_s32(vld1q_s32(sums + 8), vld1q_s32(sums + 12));
    return !vmaxvq_u32(vcgeq_s32(vmaxq_s32(low, high), least));
}

static size_t any(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha, float beta,
                  float threshold, int32_t least, uint32_t first, uint32_t *kept)
{
    size_t n = 0, r = 0;
    for (; r + 4 <= count; r += 4) {
        if (least > INT32_MIN && r % 16 == 0) {
            while (r + 16 <= count && are_below(sums + r, vdupq_n_s32(least))) r += 16;
            if (r + 4 > count) break;
        }
        const float32x4_t sum = vcvtq_f32_s32(vld1q_s32(sums + r));
        const float32x4_t estimate = vmulq_f32(vmulq_n_f32(sum, alpha), vld1q_f32(scale + r));
        const float32x4_t most = vaddq_f32(estimate, vmulq_n_f32(vld1q_f32(error + r), beta));
        const uint32x4_t keep = vcgeq_f32(most, vdupq_n_f32(threshold));
        if (!vmaxvq_u32(keep)) continue;
        uint32_t lane[4];
        vst1q_u32(lane, keep);
        for (uint32_t i = 0; i < 4; i++)
            if (lane[i]) kept[n++] = first + (uint32_t)r + i;
    }
    for (; r < count; r++) {
        const float estimate = (float)sums[r] * alpha * scale[r], most = estimate + error[r] * beta;
        if (most >= threshold) kept[n++] = first + (uint32_t)r;
    }
    return n;
}

KERNELS = {
    KERNEL("any", any, KERNEL_DEFAULT, "16 sums, then 4 bounds a comparison, survivors one by one",
           "8 instructions per 4 rows; below the least sum 10 per 16"),
    KERNEL_END
};
