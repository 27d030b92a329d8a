/* SPDX-License-Identifier: MIT
 * scan_pick_body.h - the second pass over split codes, once for all instruction sets; comes after an
 * int8_*.h.
 *
 * A word of 32 signs or ranks, broadcast, has the bit of dimension i of the group in byte i
 * (codes.h), so one AND and one compare make 32 bits into bytes, without a shuffle.  The bits are
 * put together by doubling, sign first.  Rows come from far away: the ranks of the first AHEAD
 * rows, and then of the row AHEAD picks later, are prefetched; the signs have just been scanned.
 *
 * Measured on Zen 4, 4 bits, d = 384, ns a row: 19 (avx512vnni), 25 (avx512), 26 (avx2) where signs and
 * ranks are in L2; 133, 165, 209 where both come from random places in 77 MB. */
#include "kernels/kernel.h"
#include "kernels/scans/levels.h"

enum {
    QUERIES = 4, /* that share the unpacking of a row */
    AHEAD = 6,
    GROUPS = VEC > (int)CODES_DIMS ? VEC / (int)CODES_DIMS : 1, /* groups in a register */
    PARTS = VEC > (int)CODES_DIMS ? 1 : (int)CODES_DIMS / VEC,  /* registers of a group */
};

INLINE uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The levels of VEC dimensions: part `part` of a group, or of two groups whose words are `step` and
 * `rank_step` bytes apart (0: the same group twice). */
INLINE bytes unpacked(const uint8_t *sign, size_t step, const uint8_t *rank, size_t rank_step, int bits,
                      const struct table *table, int part)
{
    static const uint8_t bit_of_byte[64] = {
        1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 128,
        1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 128,
    };
    bytes bit, index = { 0 };
    memcpy(&bit, bit_of_byte + part * VEC, VEC);
    index = PLUS_BIT(index, WORDS(word_at(sign), word_at(sign + step)), bit);
#pragma GCC unroll 8
    for (int plane = bits - 2; plane >= 0; plane--) {
        index += index;
        index = PLUS_BIT(index, WORDS(word_at(rank + 4 * plane), word_at(rank + rank_step + 4 * plane)), bit);
    }
    return level_of(table, bits, index);
}

/* One row against nq queries. */
INLINE void row_scan(const uint8_t *sign, const uint8_t *rank, size_t groups, int bits, const struct table *table,
                     const int8_t *queries, const int32_t *start, int32_t *sums, size_t stride, const int nq)
{
    const size_t dims = groups * CODES_DIMS, rank_step = (size_t)(bits - 1) * 4, whole = groups / GROUPS * GROUPS;
    accumulator acc[QUERIES];
#pragma GCC unroll 4
    for (int q = 0; q < nq; q++) acc[q] = ZERO;
    for (size_t g = 0; g < whole; g += GROUPS)
#pragma GCC unroll 2
        for (int part = 0; part < PARTS; part++) {
            const bytes level = unpacked(sign + g * 64, 64, rank + g * rank_step, rank_step, bits, table, part);
#pragma GCC unroll 4
            for (int q = 0; q < nq; q++) {
                bytes query;
                memcpy(&query, queries + (size_t)q * dims + g * CODES_DIMS + (size_t)(part * VEC), VEC);
                acc[q] = dot(acc[q], level, query);
            }
        }
    if (whole < groups) { /* one group in a register of two: the other meets zeros */
        const bytes level = unpacked(sign + whole * 64, 0, rank + whole * rank_step, 0, bits, table, 0);
#pragma GCC unroll 4
        for (int q = 0; q < nq; q++) {
            bytes query = { 0 };
            memcpy(&query, queries + (size_t)q * dims + whole * CODES_DIMS, CODES_DIMS);
            acc[q] = dot(acc[q], level, query);
        }
    }
#pragma GCC unroll 4
    for (int q = 0; q < nq; q++) sums[(size_t)q * stride] = total(acc[q]) + start[q];
}

INLINE void picked(const uint8_t *signs, const uint8_t *ranks, size_t stride, size_t groups, int bits,
                   const struct table *table, const int8_t *queries, const uint32_t *pick, size_t count,
                   int32_t *sums, const int nq)
{
    const size_t dims = groups * CODES_DIMS, rank_bytes = codes_rank_bytes(groups, bits);
    int32_t start[QUERIES] = { 0 };
    for (int q = 0; q < nq; q++) start[q] = start_of(queries + (size_t)q * dims, dims);
    for (size_t i = 0; i < AHEAD && i < count; i++)
        for (size_t at = 0; at < rank_bytes; at += 64) __builtin_prefetch(ranks + pick[i] * stride + at);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            const uint8_t *later = ranks + pick[i + AHEAD] * stride;
            for (size_t at = 0; at < rank_bytes; at += 64) __builtin_prefetch(later + at);
        }
        row_scan(signs + pick[i] / CODES_ROWS * groups * 64 + pick[i] % CODES_ROWS * 4, ranks + pick[i] * stride, groups,
                 bits, table, queries, start, sums + i, count, nq);
    }
}

INLINE void pick_bits(const uint8_t *signs, const uint8_t *ranks, size_t stride, size_t groups, const int8_t *levels,
                      const int8_t *queries, size_t query_count, const uint32_t *pick, size_t count, int32_t *sums,
                      const int bits)
{
    const struct table table = table_make(levels, bits);
    size_t q = 0;
    for (; q + QUERIES <= query_count; q += QUERIES)
        picked(signs, ranks, stride, groups, bits, &table, queries + q * groups * CODES_DIMS, pick, count,
               sums + q * count, QUERIES);
    for (; q < query_count; q++)
        picked(signs, ranks, stride, groups, bits, &table, queries + q * groups * CODES_DIMS, pick, count,
               sums + q * count, 1);
}

#define PICK_BITS(b)                                                                                          \
    static void pick_##b(const uint8_t *signs, const uint8_t *ranks, size_t stride, size_t groups,            \
                         const int8_t *levels, const int8_t *queries, size_t query_count,                     \
                         const uint32_t *pick, size_t count, int32_t *sums)                                   \
    {                                                                                                         \
        pick_bits(signs, ranks, stride, groups, levels, queries, query_count, pick, count, sums, b);          \
    }
PICK_BITS(2)
PICK_BITS(3)
PICK_BITS(4)
PICK_BITS(5)
PICK_BITS(6)
PICK_BITS(7)
PICK_BITS(8)
#undef PICK_BITS

static void scan(const uint8_t *signs, const uint8_t *ranks, size_t stride, size_t groups, int bits,
                 const int8_t *levels, const int8_t *queries, size_t query_count, const uint32_t *pick, size_t count,
                 int32_t *sums)
{
    static void (*const of[])(const uint8_t *, const uint8_t *, size_t, size_t, const int8_t *, const int8_t *, size_t,
                              const uint32_t *, size_t, int32_t *) = {
        pick_2, pick_3, pick_4, pick_5, pick_6, pick_7, pick_8,
    };
    of[bits - 2](signs, ranks, stride, groups, levels, queries, query_count, pick, count, sums);
}
