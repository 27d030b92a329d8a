/* SPDX-License-Identifier: MIT
 * survive_scalar.c - the bound test, a row at a time. */
#include "kernels/kernel.h"

static size_t plain(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha, float beta,
                    float threshold, int32_t least, uint32_t first, uint32_t *kept)
{
    (void)least; /* this row is what others are held to */
    size_t n = 0;
    for (size_t r = 0; r < count; r++) {
        const float estimate = (float)sums[r] * alpha * scale[r], most = estimate + error[r] * beta;
        kept[n] = first + (uint32_t)r;
        n += most >= threshold;
    }
    return n;
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "without a branch", "some 10 instructions a row"),
    KERNEL_END
};
