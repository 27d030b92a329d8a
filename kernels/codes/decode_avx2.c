/* SPDX-License-Identifier: MIT
 * decode_avx2.c - 8 codes at a time.  Up to 4 bits the levels sit in two registers, vpermps looks up in both and
 * the code's top bit chooses; beyond, a gather. */
#include <immintrin.h>
#include <string.h>
#include "kernels/kernel.h"

static inline __m256 levels_of(__m128i codes, __m256 low, __m256 high, const float *levels, int bits)
{
    const __m256i at = _mm256_cvtepu8_epi32(codes);
    if (bits > 4) return _mm256_i32gather_ps(levels, at, 4);
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, at), _mm256_permutevar8x32_ps(high, at),
                            _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)));
}

static void permute(const uint8_t *codes, size_t dim, const float *levels, int bits, float *x)
{
    float table[16] = { 0 };
    memcpy(table, levels, (bits < 4 ? (size_t)1 << bits : (size_t)16) * sizeof *table);
    const __m256 low = _mm256_loadu_ps(table), high = _mm256_loadu_ps(table + 8);
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        _mm256_storeu_ps(x + i, levels_of(_mm_loadl_epi64((const __m128i *)(codes + i)), low, high, levels, bits));
    for (; i < dim; i++) x[i] = levels[codes[i]];
}

KERNELS = {
    KERNEL("permute", permute, KERNEL_DEFAULT, "two vpermps up to 4 bits, gathers beyond",
           "6 uops per 8 numbers; a gather beyond 4 bits"),
    KERNEL_END
};
