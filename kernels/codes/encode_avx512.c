/* SPDX-License-Identifier: MIT
 * encode_avx512.c - binary search of 16 numbers at a time.  Up to 5 bits the bounds sit in two
 * registers and a probe is a permutation; above that the first 5 steps search every 2^(bits-5)-th
 * bound there and the last steps gather.
 * Measured on Zen 4, d = 384, ns a row for 2, 4, 6, 8 bits: 28, 71, 359, 904 (AVX2, whose tables spare it the
 * gathers: 34, 78, 238, 882; the best compiler row: 554, 1258, 1880, 3687). */
#include <immintrin.h>
#include <math.h>
#include "kernels/kernel.h"

/* Bounds `spacing` apart, 31 of them, +inf behind the last; a NaN compares with none and gets code 0. */
static inline void load_bounds(const float *bounds, int count, int spacing, __m512 part[2])
{
    float padded[32];
    for (int i = 0; i < 32; i++) {
        const int at = (i + 1) * spacing - 1;
        padded[i] = at < count ? bounds[at] : INFINITY;
    }
    part[0] = _mm512_loadu_ps(padded);
    part[1] = _mm512_loadu_ps(padded + 16);
}

/* code + 2^step where the bound in the middle is below x. */
static inline __attribute__((always_inline)) __m512i refined(__m512i code, int step, __m512 middle, __m512 x)
{
    return _mm512_mask_add_epi32(code, _mm512_cmp_ps_mask(middle, x, _CMP_LT_OQ), code, _mm512_set1_epi32(1 << step));
}

static inline __attribute__((always_inline)) __m128i codes_of(__m512 x, const __m512 part[2], const float *bounds,
                                                              const int bits)
{
    const int near = bits < 5 ? bits : 5, far = bits - near;
    __m512i code = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int step = near - 1; step >= 0; step--) {
        const __m512i probe = _mm512_add_epi32(code, _mm512_set1_epi32((1 << step) - 1));
        code = refined(code, step, near == 5 ? _mm512_permutex2var_ps(part[0], probe, part[1])
                                             : _mm512_permutexvar_ps(probe, part[0]), x);
    }
    code = _mm512_sllv_epi32(code, _mm512_set1_epi32(far));
#pragma GCC unroll 3
    for (int step = far - 1; step >= 0; step--) {
        const __m512i probe = _mm512_add_epi32(code, _mm512_set1_epi32((1 << step) - 1));
        code = refined(code, step, _mm512_i32gather_ps(probe, bounds, 4), x);
    }
    return _mm512_cvtepi32_epi8(code);
}

static inline __attribute__((always_inline)) void encode_bits(const float *x, size_t dim, const float *bounds,
                                                              uint8_t *codes, const int bits)
{
    __m512 part[2];
    load_bounds(bounds, (1 << bits) - 1, bits > 5 ? 1 << (bits - 5) : 1, part);
    size_t i = 0;
    for (; i + 32 <= dim; i += 32) { /* two at once: a search is one chain of latencies */
        const __m128i a = codes_of(_mm512_loadu_ps(x + i), part, bounds, bits);
        const __m128i b = codes_of(_mm512_loadu_ps(x + i + 16), part, bounds, bits);
        _mm_storeu_si128((__m128i *)(codes + i), a);
        _mm_storeu_si128((__m128i *)(codes + i + 16), b);
    }
    for (; i < dim; i += 16) {
        const __mmask16 tail = dim - i < 16 ? (__mmask16)((1u << (dim - i)) - 1) : 0xffff;
        _mm_mask_storeu_epi8(codes + i, tail, codes_of(_mm512_maskz_loadu_ps(tail, x + i), part, bounds, bits));
    }
}

#include "kernels/codes/encode_search.h"

KERNELS = {
    KERNEL("search", search, KERNEL_DEFAULT, "binary search, 32 numbers at a time: permuted bounds, gathers past 5 bits",
           "4 uops a bit and 16 numbers; a gather a bit past 5"),
    KERNEL_END
};
