/* SPDX-License-Identifier: MIT
 * scan_pair_avx512vbmi.c - a pair of 3-bit codes is a 6-bit index, and vpermb has tables of 64 entries.
 *
 * A register of codes has a row's four bytes side by side, each with a table of its own: four vpermb under
 * masks fill one register, and one vpdpbusd with ones adds its bytes into the rows' lanes.  That is 7.3 uops for
 * 16 rows x 8 dimensions (4 vpermb, 1 vpternlogd, 1.3 shifts, 1 vpdpbusd) where scan_lut takes 9.3 with one query
 * (2 of each), but 4 of them want the permuting ports: 4 cycles against 4.6 on two 512-bit ports.  With a batch
 * scan_lut shares its permutations between queries, 2 uops a query, and this is far behind.
 *
 * Measured on Zen 4 (3.7 GHz), one query, d = 384, L2: 3.8 ns a row (3.3 by the model) where scan_lut takes 4.3;
 * batch of 16: 3.7 against 1.8.
 *
 * Tried and lost: vpermi2b of two tables, half the permutations, but an index bit to set and a second vpdpbusd: 4.0
 * here, and it is three uops on Intel.  Not tried: bytes sorted so that a register has one table for 64 rows, 2.3
 * uops of sorting and 3 of 16-bit sums in place of one vpdpbusd: 8.5 uops. */
#include <immintrin.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { BLOCKS = 4, QUERIES = 2 };
#define INLINE static inline __attribute__((always_inline))

/* Nibble of pair u, and above it two bits of the plane of upper bits; junk in bits 6 and 7, which vpermb ignores. */
INLINE __m512i index_of(const uint8_t *group, int u)
{
    const __m512i low = _mm512_loadu_si512(group + u / 2 * 64), high = _mm512_loadu_si512(group + 128);
    const __m512i nibble = u % 2 ? _mm512_srli_epi16(low, 4) : low;
    const __m512i upper = u == 0 ? _mm512_slli_epi16(high, 4) : u == 1 ? _mm512_slli_epi16(high, 2)
                        : u == 2 ? high : _mm512_srli_epi16(high, 2);
    return _mm512_ternarylogic_epi32(nibble, upper, _mm512_set1_epi8(15), 0xe4); /* bits of nibble where 15 has them */
}

INLINE __m512i entries_of(__m512i index, const __m512i table[4])
{
    const __mmask64 byte = 0x1111111111111111u;
    __m512i x = _mm512_permutexvar_epi8(index, table[0]);
    x = _mm512_mask_permutexvar_epi8(x, byte << 1, index, table[1]);
    x = _mm512_mask_permutexvar_epi8(x, byte << 2, index, table[2]);
    return _mm512_mask_permutexvar_epi8(x, byte << 3, index, table[3]);
}

INLINE void tile(const uint8_t *codes, size_t groups, const uint8_t *luts, const int32_t *starts, int32_t *sums,
                 size_t stride, const int nq, const int nb)
{
    __m512i acc[QUERIES][BLOCKS];
#pragma GCC unroll 2
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 4
        for (int b = 0; b < nb; b++) acc[q][b] = _mm512_setzero_si512();
    for (size_t g = 0; g < groups; g++)
#pragma GCC unroll 4
        for (int u = 0; u < 4; u++) {
            __m512i index[BLOCKS], table[4];
#pragma GCC unroll 4
            for (int b = 0; b < nb; b++) index[b] = index_of(codes + ((size_t)b * groups + g) * 192, u);
#pragma GCC unroll 2
            for (int q = 0; q < nq; q++) {
                const uint8_t *at = luts + ((size_t)q * groups + g) * 1024 + (size_t)u * 256;
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++) table[j] = _mm512_loadu_si512(at + 64 * j);
#pragma GCC unroll 4
                for (int b = 0; b < nb; b++)
                    acc[q][b] = _mm512_dpbusd_epi32(acc[q][b], entries_of(index[b], table), _mm512_set1_epi8(1));
            }
        }
#pragma GCC unroll 2
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 4
        for (int b = 0; b < nb; b++)
            _mm512_storeu_si512(sums + (size_t)q * stride + b * CODES_ROWS,
                                _mm512_add_epi32(_mm512_slli_epi32(acc[q][b], 1), _mm512_set1_epi32(starts[q])));
}

INLINE void every_query(const uint8_t *codes, size_t groups, const uint8_t *luts, const int32_t *starts, size_t count,
                        int32_t *sums, size_t stride, const int nb)
{
    size_t q = 0;
    for (; q + QUERIES <= count; q += QUERIES)
        tile(codes, groups, luts + q * groups * 1024, starts + q, sums + q * stride, stride, QUERIES, nb);
    if (q < count) tile(codes, groups, luts + q * groups * 1024, starts + q, sums + q * stride, stride, 1, nb);
}

static void permute(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    const size_t stride = blocks * CODES_ROWS;
    size_t b = 0;
    for (; b + BLOCKS <= blocks; b += BLOCKS)
        every_query(codes + b * groups * 192, groups, luts, starts, query_count, sums + b * CODES_ROWS, stride,
                    BLOCKS);
    for (; b < blocks; b++)
        every_query(codes + b * groups * 192, groups, luts, starts, query_count, sums + b * CODES_ROWS, stride, 1);
}

KERNELS = {
    KERNEL("permute", permute, KERNEL_DEFAULT, "vpermb of 64-entry tables, four under masks; vpdpbusd with ones",
           "7.3 uops per 16 rows x 8 dimensions and query, 4 of them vpermb"),
    KERNEL_END
};
