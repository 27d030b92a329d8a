/* SPDX-License-Identifier: MIT
 * survive_avx512.c - 64 rows a branch: survivors are few, and where the least sum that one can have is known, a piece
 * without such a sum reads nothing else.  Their numbers are compressed in the register:
 * vpcompressd to memory is microcode on Zen 4.
 *
 * Cost: 3 loads of 64 bytes and 6 uops of two pipe cycles per 16 rows: 3 cycles, 0.05 ns a row on Zen 4; 12 bytes a
 * row, of which 8 come from L2: 0.07.  Measured in one run with 16 rows a branch, none / 0.7 % / 6 % / half of the
 * rows kept: 0.11 -> 0.087, 0.12 -> 0.089, 0.15 -> 0.116, 0.19 -> 0.139 ns.  Survivors of 64 rows written one by one
 * lost where many survive: 0.40.
 *
 * Below the least sum: 4 loads of 64 bytes, 3 VPMAXSD and a comparison per 64 rows.  A batch of 64 queries over 512
 * rows, sums from L2: 0.069 -> 0.037 ns a row, 97 % of a loop that only reads, 0.74 -> 0.36 instructions.  Four
 * comparisons with their masks joined: 0.46 instructions, 0.037 ns. */
#include <immintrin.h>
#include "kernels/kernel.h"
#include "kernels/reach_avx512.h"

/* 1 when none of 64 sums reaches `least`. */
static inline __attribute__((always_inline)) int are_below(const int32_t *sums, __m512i least)
{
    const __m512i *v = (const __m512i *)sums;
    const __m512i low = _mm512_max_epi32(_mm512_loadu_si512(v), _mm512_loadu_si512(v + 1)),
                  high = _mm512_max_epi32(_mm512_loadu_si512(v + 2), _mm512_loadu_si512(v + 3));
    return !_mm512_cmpge_epi32_mask(_mm512_max_epi32(low, high), least);
}

static size_t compress(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha,
                       float beta, float threshold, int32_t least, uint32_t first, uint32_t *kept)
{
    const struct test t = { _mm512_set1_ps(alpha), _mm512_set1_ps(beta), _mm512_set1_ps(threshold) };
    size_t n = 0, r = 0;
    for (; r + 64 <= count; r += 64) {
        if (least > INT32_MIN && are_below(sums + r, _mm512_set1_epi32(least))) continue;
        __mmask16 keep[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            keep[i] = reach(t, _mm512_loadu_si512(sums + r + 16 * i), _mm512_loadu_ps(scale + r + 16 * i),
                            _mm512_loadu_ps(error + r + 16 * i));
        if (!(keep[0] | keep[1] | keep[2] | keep[3])) continue;
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            if (keep[i]) n += put_rows(keep[i], first + (uint32_t)(r + 16 * i), kept + n);
    }
    for (; r < count; r += 16) {
        const __mmask16 rows = count - r < 16 ? (__mmask16)((1u << (count - r)) - 1) : 0xffff;
        const __mmask16 keep =
            rows & reach(t, _mm512_maskz_loadu_epi32(rows, sums + r), _mm512_maskz_loadu_ps(rows, scale + r),
                         _mm512_maskz_loadu_ps(rows, error + r));
        if (keep) n += put_rows(keep, first + (uint32_t)r, kept + n);
    }
    return n;
}

KERNELS = {
    KERNEL("compress", compress, KERNEL_DEFAULT, "64 rows a branch, survivors compressed in the register",
           "6 uops per 16 rows and 12 bytes a row; below the least sum 4 bytes a row"),
    KERNEL_END
};
