/* SPDX-License-Identifier: MIT
 * survive_avx512.c - 64 rows a branch: survivors are few.  Their numbers are compressed in the register:
 * vpcompressd to memory is microcode on Zen 4.
 *
 * Cost: 3 loads of 64 bytes and 6 uops of two pipe cycles per 16 rows: 3 cycles, 0.05 ns a row on Zen 4; 12 bytes a
 * row, of which 8 come from L2: 0.07.  Measured in one run with 16 rows a branch, none / 0.7 % / 6 % / half of the
 * rows kept: 0.11 -> 0.087, 0.12 -> 0.089, 0.15 -> 0.116, 0.19 -> 0.139 ns.  Survivors of 64 rows written one by one
 * lost where many survive: 0.40. */
#include <immintrin.h>
#include "kernels/kernel.h"
#include "kernels/reach_avx512.h"

static size_t compress(const int32_t *sums, const float *scale, const float *error, size_t count, float alpha,
                       float beta, float threshold, uint32_t first, uint32_t *kept)
{
    const struct test t = { _mm512_set1_ps(alpha), _mm512_set1_ps(beta), _mm512_set1_ps(threshold) };
    size_t n = 0, r = 0;
    for (; r + 64 <= count; r += 64) {
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
           "6 uops and 12 bytes a row per 16 rows"),
    KERNEL_END
};
