/* SPDX-License-Identifier: MIT
 * scan_sign_avx512vbmi.c - vpermb looks up 64 nibbles, each in the 16 entries of its own byte of
 * the row's word; vpdpbusd with ones adds the four bytes into the row's lane.  Nothing overflows
 * and nothing is summed across lanes.
 *
 * One query walks block by block in the order of memory, CHAINS groups at once; a batch, whose signs are in L2
 * after its first tile, takes 4 blocks at once and shares their indexes.
 *
 * Cost: 7 uops per 64 bytes (16 rows x 32 dimensions) on the two 512-bit ports of Intel or 14 pipe cycles of Zen 4's
 * four: 3.5 cycles, 0.72 ns a row at d = 384 (3.67 GHz), 0.06 more in `survive`: 72 GB/s of codes and factors, 80 % of
 * what L3 gives and twice what DRAM does.  vpermb, vpdpbusd and the shift go to certain pipes, chosen when uops are
 * issued: 4.0 to 4.4 cycles is what all orders below come to.
 * Measured (gcc 12, busy machine, best of many, before - 4 blocks at once - and after in one run), one query, d = 384,
 * ns a row with `survive`, and what a loop that reads codes and factors takes:
 *     0.2 MB (L2) 0.92 -> 0.98, of 0.58      5 MB (L2, L3) 1.09 -> 1.01, of 0.59: 55 GB/s
 *     22 MB (L3) 1.98 -> 1.17, of 0.80       180 MB (DRAM) 5.7 -> 1.93, of 1.84: 96 %
 * and 0.65 without it in a batch of 16.
 * From DRAM without `survive`, medians of 12 processes: 2.14 on a day with neighbours, 1.89 on a quiet one, 79 % of what a
 * loop over the signs alone takes (1.49).
 *
 * Tried and lost in such runs, 5 / 180 MB: 4 blocks at once while a load a line, in order, touches the next 4
 * 1.00 / 2.1 to 3.0, prefetcht0 for that load 1.00 / 2.6; 2 blocks 1.14 / 5.1; 12 groups' tables in registers
 * 1.00 / 2.1; 1, 2, 4 and 6 groups at once 1.02 to 1.08; prefetcht0 2 and 8 KiB ahead 1.10 / 3.9 and 1.16 / 2.9.  In
 * L2, without `survive` (0.87): both nibbles' entries added in 8 bits before one vpdpbusd, which saves no uop, 0.87;
 * the shift by vpmulhuw or vgf2p8affineqb 0.91, by vpmultishiftqb 0.95.
 *
 * Of prefetcht0 ahead, which lost here, two distances are rows: a Xeon of the Golden Cove line goes from 51 % of the
 * loop that reads to 78 % with 4 KiB from DRAM (6.33 -> 4.17 ns, paired), and from 90 to 92 % with 8 KiB from L3, where
 * they have no row in results/kernels yet that would make them its default.
 *
 * Lost too: bit planes of the query, an AND, a VPOPCNTD and an add each, on the same layout: 1.27 ns
 * for a query of 4 bits, 2.30 for one as exact as this (7 bits), where this took 0.81 in the same run. */
#include <immintrin.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { BLOCKS = 4, QUERIES = 4, CHAINS = 3 };

static inline __attribute__((always_inline)) void tile(const uint8_t *signs, size_t groups, const uint8_t *luts,
                                                       const int32_t *starts, int32_t *sums, size_t stride,
                                                       const int nq, const int nb)
{
    const __m512i ones = _mm512_set1_epi8(1), table_of_byte = _mm512_set1_epi32(0x30201000);
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i acc[QUERIES][BLOCKS];
#pragma GCC unroll 4
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 4
        for (int b = 0; b < nb; b++) acc[q][b] = _mm512_setzero_si512();
    for (size_t g = 0; g < groups; g++)
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) {
            __m512i index[BLOCKS];
#pragma GCC unroll 4
            for (int b = 0; b < nb; b++) {
                const uint8_t *at = signs + ((size_t)b * groups + g) * 64;
                const __m512i word = _mm512_loadu_si512(at);
                /* 0xea: (word & nibble) | table_of_byte; vpermb ignores bits 6 and 7. */
                index[b] = _mm512_ternarylogic_epi32(half ? _mm512_srli_epi32(word, 4) : word, nibble, table_of_byte,
                                                     0xea);
            }
#pragma GCC unroll 4
            for (int q = 0; q < nq; q++) {
                const __m512i table = _mm512_loadu_si512(luts + ((size_t)q * groups + g) * 128 + 64 * half);
#pragma GCC unroll 4
                for (int b = 0; b < nb; b++)
                    acc[q][b] = _mm512_dpbusd_epi32(acc[q][b], _mm512_permutexvar_epi8(index[b], table), ones);
            }
        }
#pragma GCC unroll 4
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 4
        for (int b = 0; b < nb; b++)
            _mm512_storeu_si512(sums + (size_t)q * stride + b * CODES_ROWS,
                                _mm512_add_epi32(_mm512_slli_epi32(acc[q][b], 1), _mm512_set1_epi32(starts[q])));
}

static inline __attribute__((always_inline)) void every_query(const uint8_t *signs, size_t groups, const uint8_t *luts,
                                                              const int32_t *starts, size_t count, int32_t *sums,
                                                              size_t stride, const int nb)
{
    size_t q = 0;
    for (; q + QUERIES <= count; q += QUERIES)
        tile(signs, groups, luts + q * groups * 128, starts + q, sums + q * stride, stride, QUERIES, nb);
    for (; q < count; q++) tile(signs, groups, luts + q * groups * 128, starts + q, sums + q * stride, stride, 1, nb);
}

/* `n` groups that follow each other in a block, each into its own sum; those `ahead` bytes on are fetched into L1. */
static inline __attribute__((always_inline)) void groups_of(const uint8_t *at, const uint8_t *lut, __m512i acc[CHAINS],
                                                            const int n, const size_t ahead)
{
    const __m512i ones = _mm512_set1_epi8(1), table_of_byte = _mm512_set1_epi32(0x30201000);
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i word[CHAINS];
#pragma GCC unroll 3
    for (int c = 0; c < n; c++) {
        word[c] = _mm512_loadu_si512(at + 64 * c);
        if (ahead) _mm_prefetch((const char *)at + 64 * c + ahead, _MM_HINT_T0);
        __asm__("" : "+v"(word[c])); /* or gcc loads it again for the shift: 4 loads a group take 4 cycles */
    }
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++)
#pragma GCC unroll 3
        for (int c = 0; c < n; c++) {
            const __m512i index = _mm512_ternarylogic_epi32(half ? _mm512_srli_epi32(word[c], 4) : word[c], nibble,
                                                            table_of_byte, 0xea);
            const __m512i table = _mm512_loadu_si512(lut + 128 * c + 64 * half);
            acc[c] = _mm512_dpbusd_epi32(acc[c], _mm512_permutexvar_epi8(index, table), ones);
        }
}

static inline __attribute__((always_inline)) void one_query(const uint8_t *signs, size_t blocks, size_t groups,
                                                            const uint8_t *lut, int32_t start, int32_t *sums,
                                                            const size_t ahead)
{
    for (size_t b = 0; b < blocks; b++, sums += CODES_ROWS) {
        __m512i acc[CHAINS] = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512() };
        size_t g = 0;
        for (; g + CHAINS <= groups; g += CHAINS, signs += CHAINS * 64) groups_of(signs, lut + g * 128, acc, CHAINS, ahead);
        for (; g < groups; g++, signs += 64) groups_of(signs, lut + g * 128, acc, 1, ahead);
        const __m512i sum = _mm512_add_epi32(acc[0], _mm512_add_epi32(acc[1], acc[2]));
        _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_slli_epi32(sum, 1), _mm512_set1_epi32(start)));
    }
}

static inline __attribute__((always_inline)) void scan(const uint8_t *signs, size_t blocks, size_t groups,
                                                       const uint8_t *luts, const int32_t *starts, size_t query_count,
                                                       int32_t *sums, const size_t ahead)
{
    const size_t stride = blocks * CODES_ROWS;
    size_t b = 0;
    if (query_count == 1) {
        one_query(signs, blocks, groups, luts, starts[0], sums, ahead);
        return;
    }
    for (; b + BLOCKS <= blocks; b += BLOCKS)
        every_query(signs + b * groups * 64, groups, luts, starts, query_count, sums + b * CODES_ROWS, stride, BLOCKS);
    for (; b < blocks; b++)
        every_query(signs + b * groups * 64, groups, luts, starts, query_count, sums + b * CODES_ROWS, stride, 1);
}

#define SCAN(name, ahead)                                                                                               \
    static void name(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,    \
                     size_t query_count, int32_t *sums)                                                                 \
    {                                                                                                                   \
        scan(signs, blocks, groups, luts, starts, query_count, sums, ahead);                                            \
    }
SCAN(permute, 0)
SCAN(permute_4k, 4096)
SCAN(permute_8k, 8192)

KERNELS = {
    KERNEL("permute", permute, KERNEL_DEFAULT, "vpermb of 64-entry tables, vpdpbusd with ones; 1 block or 4 at once",
           "7 uops per 16 rows x 32 dimensions: 2 vpermb, 2 vpdpbusd, 2 vpternlogd, 1 shift"),
    KERNEL("permute_4k", permute_4k, KERNEL_SAME, "one query: prefetcht0 4 KiB ahead, for CPUs that fetch too late themselves",
           "as permute, and 1 prefetch per 64 bytes"),
    KERNEL("permute_8k", permute_8k, KERNEL_SAME, "one query: prefetcht0 8 KiB ahead",
           "as permute, and 1 prefetch per 64 bytes"),
    KERNEL_END
};
