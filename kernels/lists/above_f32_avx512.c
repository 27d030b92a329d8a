/* SPDX-License-Identifier: MIT
 * above_f32_avx512.c - 32 scores a test; most tests find nothing.  Compressed in a register and stored
 * whole: VPCOMPRESSD to memory is microcode on Zen 4, more than 100 cycles. */
#include "kernels/kernel.h"
#include <immintrin.h>

static size_t compress(const float *scores, size_t count, float bound, uint32_t *kept)
{
    const __m512 least = _mm512_set1_ps(bound);
    const __m512i ramp = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t n = 0, r = 0;
    for (; r + 32 <= count; r += 32) {
        const __mmask16 low = _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + r), least, _CMP_GE_OQ);
        const __mmask16 high = _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + r + 16), least, _CMP_GE_OQ);
        if (!(low | high)) continue;
        /* n <= r, so 16 places from kept + n, and then from wherever low took it, are within count. */
        const __m512i at = _mm512_add_epi32(ramp, _mm512_set1_epi32((int)r));
        _mm512_storeu_si512(kept + n, _mm512_maskz_compress_epi32(low, at));
        n += (size_t)__builtin_popcount(low);
        _mm512_storeu_si512(kept + n, _mm512_maskz_compress_epi32(high, _mm512_add_epi32(at, _mm512_set1_epi32(16))));
        n += (size_t)__builtin_popcount(high);
    }
    for (; r < count; r++) {
        kept[n] = (uint32_t)r;
        n += scores[r] >= bound;
    }
    return n;
}

KERNELS = {
    KERNEL("compress", compress, KERNEL_DEFAULT, "32 scores a test", "2 loads and 2 compares per 32 scores"),
    KERNEL_END
};
