/* SPDX-License-Identifier: MIT
 * above_f32_avx2.c - 32 scores a test; what a test finds is taken bit by bit. */
#include "kernels/kernel.h"
#include <immintrin.h>

static size_t bits(const float *scores, size_t count, float bound, uint32_t *kept)
{
    const __m256 least = _mm256_set1_ps(bound);
    size_t n = 0, r = 0;
    for (; r + 32 <= count; r += 32) {
        uint32_t found = 0;
        for (int part = 0; part < 4; part++) {
            const __m256 x = _mm256_loadu_ps(scores + r + 8 * part);
            found |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, least, _CMP_GE_OQ)) << (8 * part);
        }
        for (; found; found &= found - 1) kept[n++] = (uint32_t)r + (uint32_t)__builtin_ctz(found);
    }
    for (; r < count; r++)
        if (scores[r] >= bound) kept[n++] = (uint32_t)r;
    return n;
}

KERNELS = {
    KERNEL("bits", bits, KERNEL_DEFAULT, "32 scores a test", "4 loads, compares and MOVMSKPS per 32 scores"),
    KERNEL_END
};
