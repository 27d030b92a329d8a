/* SPDX-License-Identifier: MIT
 * encode_avx2.c - up to 4 bits, 2 uops a bound count the bounds below 8 numbers; beyond, a binary
 * search: 3 steps by a permutation of every 2^(bits-3)-th bound, the rest by gathers. */
#include <immintrin.h>
#include "kernels/kernel.h"

static inline __m256i counted(__m256 x, const float *bounds, int count)
{
    __m256i code = _mm256_setzero_si256();
    for (int b = 0; b < count; b++)
        code = _mm256_sub_epi32(code, _mm256_castps_si256(_mm256_cmp_ps(_mm256_broadcast_ss(bounds + b), x, _CMP_LT_OQ)));
    return code;
}

static inline __m256i searched(__m256 x, __m256 coarse, const float *bounds, int bits)
{
    __m256i code = _mm256_setzero_si256();
    for (int step = bits - 1; step >= 0; step--) {
        const __m256i half = _mm256_set1_epi32(1 << step), probe = _mm256_add_epi32(code, _mm256_set1_epi32((1 << step) - 1));
        const __m256i third = _mm256_srlv_epi32(probe, _mm256_set1_epi32(bits - 3));
        const __m256 middle = step >= bits - 3 ? _mm256_permutevar8x32_ps(coarse, third)
                                               : _mm256_i32gather_ps(bounds, probe, 4);
        const __m256i below = _mm256_castps_si256(_mm256_cmp_ps(middle, x, _CMP_LT_OQ));
        code = _mm256_add_epi32(code, _mm256_and_si256(below, half));
    }
    return code;
}

static inline void store8(uint8_t *codes, __m256i code)
{
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
    _mm_storel_epi64((__m128i *)codes, _mm_packus_epi16(words, words));
}

static void count_or_search(const float *x, size_t dim, const float *bounds, int bits, uint8_t *codes)
{
    const int count = (1 << bits) - 1;
    float coarse[8] = { 0 };
    for (int i = 0; bits > 4 && i < 7; i++) coarse[i] = bounds[((i + 1) << (bits - 3)) - 1];
    const __m256 table = _mm256_loadu_ps(coarse);
    for (size_t i = 0; i < dim; i += 8) {
        float eight[8] = { 0 };
        uint8_t out[8];
        const size_t n = dim - i < 8 ? dim - i : 8;
        if (n < 8) __builtin_memcpy(eight, x + i, n * sizeof *x);
        const __m256 v = _mm256_loadu_ps(n < 8 ? eight : x + i);
        store8(n < 8 ? out : codes + i, bits > 4 ? searched(v, table, bounds, bits) : counted(v, bounds, count));
        if (n < 8) __builtin_memcpy(codes + i, out, n);
    }
}

KERNELS = {
    KERNEL("count", count_or_search, KERNEL_DEFAULT, "counts bounds up to 4 bits, searches beyond",
           "2 uops a bound and 8 numbers; beyond 4 bits a gather a bit after the third"),
    KERNEL_END
};
