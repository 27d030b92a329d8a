/* SPDX-License-Identifier: MIT
 * decode_avx512.c - 16 codes at a time.  Up to 5 bits the levels sit in two registers and a code is an index
 * of vpermt2ps; beyond, a gather. */
#include <immintrin.h>
#include "kernels/kernel.h"

static inline __mmask16 lanes(size_t n) { return n < 16 ? (__mmask16)((1u << n) - 1) : 0xffff; }

static void permute(const uint8_t *codes, size_t dim, const float *levels, int bits, float *x)
{
    const size_t count = (size_t)1 << bits;
    const __m512 low = _mm512_maskz_loadu_ps(lanes(count), levels);
    const __m512 high = _mm512_maskz_loadu_ps(count > 16 ? lanes(count - 16) : 0, count > 16 ? levels + 16 : levels);
    for (size_t i = 0; i < dim; i += 16) {
        const __mmask16 left = lanes(dim - i);
        const __m512i at = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(left, codes + i));
        const __m512 level = bits > 5 ? _mm512_mask_i32gather_ps(low, left, at, levels, 4)
                                      : _mm512_permutex2var_ps(low, at, high);
        _mm512_mask_storeu_ps(x + i, left, level);
    }
}

KERNELS = {
    KERNEL("permute", permute, KERNEL_DEFAULT, "vpermt2ps up to 5 bits, gathers beyond",
           "3 uops per 16 numbers; a gather beyond 5 bits"),
    KERNEL_END
};
