/* SPDX-License-Identifier: MIT
 * scan_keep_avx512vbmi.c - the scan of scan_sign_avx512vbmi.c for one query, which leaves a block of 16 rows as soon as
 * none of them can reach the threshold.
 *
 * All blocks are read up to the first look, those that go on are listed without a branch, and the list is gone
 * through once a look: a branch a block, which went on at the spot, missed in up to a third of them, 0.83 ns a row
 * where this takes 0.70 (d = 384, random signs, L3).
 *
 * Cost, cycles a block on Zen 4 in L2: 3.5 a group that is read, as scan_sign models it, and 18 for a look and the list
 * (model: 15 uops, 7.5).  At d = 384 6 of 12 groups are read where signs know nothing of the query and the k-th score is
 * a cosine of 0.78: 39 cycles, 0.67 ns a row; 0.70 to 0.75 from L3, where scan_sign and survive take 1.02 in the same
 * run.  At d = 1536 18 of 48: 1.7 ns, 4.6.
 *
 * Leaving parts out leaves the prefetchers of the CPU behind: 4-bit turboquant, 100k x 1536 of set `clustered`, median
 * of 3, ns a row: nothing fetched 5.3 (scan_sign and survive 5.4), the block 2 ahead into L2 and factors 8 lines ahead
 * 3.9, 6 ahead 3.5, 12 and 16 3.4.  At d = 384 it is level: 1.23, 1.26, 1.27, 1.26. */
#include <immintrin.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"
#include "kernels/reach_avx512.h"

enum { PART = 128 }; /* blocks a list: 8 KiB of sums */
#define INLINE static inline __attribute__((always_inline))

struct chains {
    __m512i low, high;
};

/* One group of a block: its low nibbles into one sum, its high ones into another. */
INLINE struct chains group_of(struct chains sum, const uint8_t *at, const uint8_t *lut)
{
    const __m512i ones = _mm512_set1_epi8(1), table_of_byte = _mm512_set1_epi32(0x30201000);
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i word = _mm512_loadu_si512(at);
    __asm__("" : "+v"(word)); /* or gcc loads it again for the shift */
    /* 0xea: (word & nibble) | table_of_byte; vpermb ignores bits 6 and 7. */
    const __m512i low = _mm512_ternarylogic_epi32(word, nibble, table_of_byte, 0xea);
    const __m512i high = _mm512_ternarylogic_epi32(_mm512_srli_epi32(word, 4), nibble, table_of_byte, 0xea);
    sum.low = _mm512_dpbusd_epi32(sum.low, _mm512_permutexvar_epi8(low, _mm512_loadu_si512(lut)), ones);
    sum.high = _mm512_dpbusd_epi32(sum.high, _mm512_permutexvar_epi8(high, _mm512_loadu_si512(lut + 64)), ones);
    return sum;
}

/* Blocks that have not been left: where they are, and the entries of their groups so far. */
struct late {
    uint32_t row[PART];
    __m512i part[PART];
};

struct job {
    const uint8_t *signs, *lut;
    size_t groups;
    const float *scale, *error;
    struct test test;
};

/* Lanes of a block that may still be kept after a part of its groups; *sum is what their sums may be at most. */
INLINE __mmask16 hopeful(const struct job *j, size_t row, __mmask16 rows, __m512i part, __m512i most, __m512i *sum)
{
    *sum = _mm512_add_epi32(_mm512_slli_epi32(part, 1), most);
    return rows & reach(j->test, *sum, _mm512_maskz_loadu_ps(rows, j->scale + row),
                        _mm512_maskz_loadu_ps(rows, j->error + row));
}

INLINE __m512i groups_of(const struct job *j, size_t row, size_t from, size_t to, const size_t ahead)
{
    const uint8_t *at = j->signs + row / CODES_ROWS * j->groups * 64;
    struct chains sum = { _mm512_setzero_si512(), _mm512_setzero_si512() };
#pragma GCC unroll 4
    for (size_t g = from; g < to; g++) {
        if (ahead) _mm_prefetch((const char *)at + (ahead * j->groups + g) * 64, _MM_HINT_T1);
        sum = group_of(sum, at + g * 64, j->lut + g * 128);
    }
    return _mm512_add_epi32(sum.low, sum.high);
}

INLINE __mmask16 rows_from(size_t row, size_t count)
{
    return count - row < CODES_ROWS ? (__mmask16)((1u << (count - row)) - 1) : 0xffff;
}

/* ahead: how many blocks, and `factors` lines of scales and errors, are fetched early. */
INLINE size_t leave_blocks(const uint8_t *signs, size_t groups, const uint8_t *lut, const int32_t *most, size_t look,
                    const float *scale, const float *error, size_t count, float alpha, float beta, float threshold,
                    uint32_t first, uint32_t *kept, int32_t *sums, size_t read[2],
                           const size_t ahead, const size_t factors)
{
    const struct job j = { signs, lut, groups, scale, error,
                           { _mm512_set1_ps(alpha), _mm512_set1_ps(beta), _mm512_set1_ps(threshold) } };
    struct late late;
    size_t n = 0, all = codes_blocks(count) * look, went_on = 0;
    __m512i sum;
    for (size_t from = 0; from < count; from += PART * CODES_ROWS) {
        const size_t to = count - from < PART * CODES_ROWS ? count : from + PART * CODES_ROWS;
        size_t m = 0, end = look;
        for (size_t r = from; r < to; r += CODES_ROWS) {
            const __m512i part = groups_of(&j, r, 0, look, ahead);
            if (factors) {
                _mm_prefetch((const char *)(scale + r) + 64 * factors, _MM_HINT_T0);
                _mm_prefetch((const char *)(error + r) + 64 * factors, _MM_HINT_T0);
            }
            late.row[m] = (uint32_t)r;
            late.part[m] = part;
            m += hopeful(&j, r, rows_from(r, count), part, _mm512_set1_epi32(most[look]), &sum) != 0;
        }
        went_on += look < groups ? m : 0;
        while (m > 0 && end < groups) {
            const size_t g = end, had = m;
            end = groups - g < CODES_LOOK ? groups : g + CODES_LOOK;
            all += m * (end - g);
            m = 0;
            for (size_t i = 0; i < had; i++) {
                const size_t r = late.row[i];
                const __m512i part = _mm512_add_epi32(late.part[i], groups_of(&j, r, g, end, 0));
                late.row[m] = (uint32_t)r;
                late.part[m] = part;
                m += hopeful(&j, r, rows_from(r, count), part, _mm512_set1_epi32(most[end]), &sum) != 0;
            }
        }
        for (size_t i = 0; i < m; i++) {
            const size_t r = late.row[i];
            const __mmask16 keep =
                hopeful(&j, r, rows_from(r, count), late.part[i], _mm512_set1_epi32(most[groups]), &sum);
            put(keep, sum, sums + n);
            n += put_rows(keep, first + (uint32_t)r, kept + n);
        }
    }
    read[0] = all;
    read[1] = went_on;
    return n;
}

#define LEAVE(name, ahead, factors)                                                                                     \
    static size_t name(const uint8_t *signs, size_t groups, const uint8_t *lut, const int32_t *most, size_t look,       \
                       const float *scale, const float *error, size_t count, float alpha, float beta, float threshold,  \
                       uint32_t first, uint32_t *kept, int32_t *sums, size_t read[2])                                   \
    {                                                                                                                   \
        return leave_blocks(signs, groups, lut, most, look, scale, error, count, alpha, beta, threshold, first, kept,   \
                            sums, read, ahead, factors);                                                                \
    }
LEAVE(leave, 0, 0)
LEAVE(leave_ahead, 6, 8)

KERNELS = {
    KERNEL("leave_ahead", leave_ahead, KERNEL_DEFAULT, "vpermb; blocks are left when no row can reach; 6 fetched ahead",
           "7 uops per 16 rows x 32 dimensions that are read, a prefetch a line, 15 a look"),
    KERNEL("leave", leave, KERNEL_SAME, "the same, nothing fetched ahead",
           "7 uops per 16 rows x 32 dimensions that are read, 13 a look"),
    KERNEL_END
};
