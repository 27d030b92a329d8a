/* SPDX-License-Identifier: MIT
 * encode_avx2.c - binary search of 8 numbers at a time, 32 side by side: a search is one chain of latencies.
 * The bounds that a step may meet lie in a table of their own, in the order of the codes so far: up to 8 are one
 * vpermps, twice as many two of them and a vblendvps.  A step takes 4 uops for 8 numbers (vpermps, comparison, code
 * doubled, bit added), the fifth 7, the sixth 12, the seventh 21, the eighth 38.
 *
 * Measured on Zen 4, L1, d = 384, ns a row for 1 .. 8 bits: 17, 34, 53, 78, 132, 238, 440, 882 (AVX-512: 28, 29, 50,
 * 73, 124, 358, 650, 907; so 87 % of its speed at 2 bits, 94 % or more elsewhere).  Lost: to 4 bits, 2 uops for each
 * bound, x compared with all of them (76, 108, 159, 269); beyond, gathers (598, 867, 1167, 1474), of 8 numbers 40 uops.
 */
#include <immintrin.h>
#include <string.h>
#include "kernels/kernel.h"

#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
enum { WIDTH = 8, AT_ONCE = 32 };

/* Where the table of a step begins: whole registers, one each for the first four. */
static INLINE int table_of(const int step) { return WIDTH * (step < 4 ? step : (1 << (step - 3)) + 2); }

/* 2^step bounds, again and again where they do not fill a register. */
static INLINE void make_tables(const float *bounds, const int bits, float *tables)
{
    UNROLL for (int step = 0; step < bits; step++) {
        const int codes = 1 << step, spacing = 1 << (bits - step);
        UNROLL for (int i = 0; i < (codes < WIDTH ? WIDTH : codes); i++)
            tables[table_of(step) + i] = bounds[i % codes * spacing + spacing / 2 - 1];
    }
}

static INLINE __m256 bound_at(const float *table, __m256i code, const int step)
{
    __m256 of[16];
    int left = step < 4 ? 1 : 1 << (step - 3);
    UNROLL for (int i = 0; i < left; i++) of[i] = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + i * WIDTH), code);
    UNROLL for (int bit = 3; bit < step; bit++) {
        const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(code, 31 - bit));
        left /= 2;
        UNROLL for (int i = 0; i < left; i++) of[i] = _mm256_blendv_ps(of[2 * i], of[2 * i + 1], upper);
    }
    return of[0];
}

/* A NaN compares with none and gets code 0. */
static INLINE __m256i code_of(__m256 x, const float *tables, const int bits)
{
    const __m256 middle = _mm256_broadcast_ss(tables);
    __m256i code = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cmp_ps(middle, x, _CMP_LT_OQ)), 31);
    UNROLL for (int step = 1; step < bits; step++) {
        const __m256 bound = bound_at(tables + table_of(step), code, step);
        const __m256i below = _mm256_castps_si256(_mm256_cmp_ps(bound, x, _CMP_LT_OQ));
        code = _mm256_sub_epi32(_mm256_add_epi32(code, code), below);
    }
    return code;
}

static INLINE void encode_32(const float *x, const float *tables, const int bits, uint8_t *codes)
{
    const __m256i a = code_of(_mm256_loadu_ps(x), tables, bits), b = code_of(_mm256_loadu_ps(x + 8), tables, bits);
    const __m256i c = code_of(_mm256_loadu_ps(x + 16), tables, bits), d = code_of(_mm256_loadu_ps(x + 24), tables, bits);
    const __m256i bytes = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
    const __m256i place = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)codes, _mm256_permutevar8x32_epi32(bytes, place));
}

static INLINE void encode_bits(const float *x, size_t dim, const float *bounds, uint8_t *codes, const int bits)
{
    float tables[34 * WIDTH];
    make_tables(bounds, bits, tables);
    size_t i = 0;
    for (; i + AT_ONCE <= dim; i += AT_ONCE) encode_32(x + i, tables, bits, codes + i);
    if (i < dim) {
        float rest[AT_ONCE] = { 0 };
        uint8_t out[AT_ONCE];
        memcpy(rest, x + i, (dim - i) * sizeof *x);
        encode_32(rest, tables, bits, out);
        memcpy(codes + i, out, dim - i);
    }
}

#include "kernels/codes/encode_search.h"

KERNELS = {
    KERNEL("search", search, KERNEL_DEFAULT, "binary search, 32 numbers at a time: permuted bounds",
           "4 uops a bit and 8 numbers; the fifth bit 7, then about twice as many each"),
    KERNEL_END
};
