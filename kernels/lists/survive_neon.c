/* SPDX-License-Identifier: MIT
 * survive_neon.c - 4 rows a comparison; where one survives, the four are looked at. */
#include <arm_neon.h>
#include "kernels/kernel.h"

static size_t any(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha, float beta,
                  float threshold, uint32_t first, uint32_t *kept)
{
    size_t n = 0, r = 0;
    for (; r + 4 <= count; r += 4) {
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
    KERNEL("any", any, KERNEL_DEFAULT, "4 rows a comparison, survivors one by one", "8 instructions per 4 rows"),
    KERNEL_END
};
