/* SPDX-License-Identifier: MIT
 * survive_avx2.c - 32 rows a comparison of sums, 8 a bound; the few survivors are written one by one. */
#include <immintrin.h>
#include "kernels/kernel.h"

/* 1 when none of 32 sums reaches `least`. */
static inline __attribute__((always_inline)) int are_below(const int32_t *sums, __m256i least)
{
    __m256i below = _mm256_cmpgt_epi32(least, _mm256_loadu_si256((const __m256i *)sums));
#pragma GCC unroll 3
    for (size_t i = 1; i < 4; i++)
        below = _mm256_and_si256(below, _mm256_cmpgt_epi32(least, _mm256_loadu_si256((const __m256i *)(sums + 8 * i))));
    return _mm256_movemask_epi8(below) == -1;
}

static size_t bits(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha, float beta,
                   float threshold, int32_t least, uint32_t first, uint32_t *kept)
{
    const __m256 a = _mm256_set1_ps(alpha), b = _mm256_set1_ps(beta), t = _mm256_set1_ps(threshold);
    size_t n = 0, r = 0;
    for (; r + 8 <= count; r += 8) {
        if (least > INT32_MIN && r % 32 == 0) {
            while (r + 32 <= count && are_below(sums + r, _mm256_set1_epi32(least))) r += 32;
            if (r + 8 > count) break;
        }
        const __m256 sum = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(sums + r)));
        const __m256 estimate = _mm256_mul_ps(_mm256_mul_ps(sum, a), _mm256_loadu_ps(scale + r));
        const __m256 most = _mm256_add_ps(estimate, _mm256_mul_ps(_mm256_loadu_ps(error + r), b));
        unsigned keep = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(most, t, _CMP_GE_OQ));
        for (; keep; keep &= keep - 1) kept[n++] = first + (uint32_t)r + (uint32_t)__builtin_ctz(keep);
    }
    for (; r < count; r++) {
        const float estimate = (float)sums[r] * alpha * scale[r], most = estimate + error[r] * beta;
        if (most >= threshold) kept[n++] = first + (uint32_t)r;
    }
    return n;
}

KERNELS = {
    KERNEL("bits", bits, KERNEL_DEFAULT, "32 sums, then 8 bounds a comparison, survivors one by one",
           "9 uops per 8 rows; below the least sum 2 uops and 4 bytes a row"),
    KERNEL_END
};
