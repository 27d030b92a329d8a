/* SPDX-License-Identifier: MIT
 * survive_avx512.c - 16 rows a comparison.  Survivors are few, so their numbers are compressed
 * behind a branch, and in the register: vpcompressd to memory is microcode on Zen 4. */
#include <immintrin.h>
#include "kernels/kernel.h"

static size_t compress(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha, float beta,
                       float threshold, uint32_t first, uint32_t *kept)
{
    const __m512 a = _mm512_set1_ps(alpha), b = _mm512_set1_ps(beta), t = _mm512_set1_ps(threshold);
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    size_t n = 0;
    for (size_t r = 0; r < count; r += 16) {
        const __mmask16 rows = count - r < 16 ? (__mmask16)((1u << (count - r)) - 1) : 0xffff;
        const __m512 sum = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(rows, sums + r));
        const __m512 estimate = _mm512_mul_ps(_mm512_mul_ps(sum, a), _mm512_maskz_loadu_ps(rows, scale + r));
        const __m512 most = _mm512_add_ps(estimate, _mm512_mul_ps(_mm512_maskz_loadu_ps(rows, error + r), b));
        const __mmask16 keep = _mm512_mask_cmp_ps_mask(rows, most, t, _CMP_GE_OQ);
        if (!keep) continue;
        const __m512i row = _mm512_add_epi32(lane, _mm512_set1_epi32((int)(first + (uint32_t)r)));
        const unsigned more = (unsigned)__builtin_popcount(keep);
        _mm512_mask_storeu_epi32(kept + n, (__mmask16)((1u << more) - 1), _mm512_maskz_compress_epi32(keep, row));
        n += more;
    }
    return n;
}

KERNELS = {
    KERNEL("compress", compress, KERNEL_DEFAULT, "16 rows a comparison, survivors compressed in the register",
           "9 uops and 12 bytes a row per 16 rows"),
    KERNEL_END
};
