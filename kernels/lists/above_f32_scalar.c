/* SPDX-License-Identifier: MIT
 * above_f32_scalar.c - every score is written, and the count moves when it stays: no branch to miss. */
#include "kernels/kernel.h"

static size_t plain(const float *scores, size_t count, float bound, uint32_t *kept)
{
    size_t n = 0;
    for (size_t r = 0; r < count; r++) {
        kept[n] = (uint32_t)r;
        n += scores[r] >= bound;
    }
    return n;
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "without a branch", "a load, a compare, a store and an add per score"),
    KERNEL_END
};
