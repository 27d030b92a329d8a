/* SPDX-License-Identifier: MIT
 * scan_lut_body.h - the loops of scan_lut, once for all instruction sets.
 *
 * Formulation (permute-dot): the code of 4 dimensions x VEC/4 rows is shuffled to int8 levels,
 * and one int8 dot instruction per query adds four products into the row's own 32-bit lane.  The
 * shuffle is shared by QUERIES queries, the broadcast of four query bytes by VECS registers of
 * rows; QUERIES x VECS accumulators never leave the registers.
 *
 * The including file includes an int8_*.h (the register, the dot of bytes) and defines
 *     QUERIES, VECS   the batch tile; STREAMS: the VECS of the tile of a single query
 *     STEPS           steps of 4 dimensions that one mac takes: 1, or 2 with a MAC of its own
 *     OWN_TABLE       where struct table, table_make and level_of are not those of levels.h
 *
 * Cost, batch, 4 bits, a tile of 8 queries x 32 rows: per step 3 uops unpack (2 vpermb, 1 shift a
 * step on average) and 16 vpdpbusd multiply; llvm-mca 14 (icelake-server): 9.6 cycles a step where
 * the vpdpbusd alone take 8, 83 % of the int8 ceiling.
 * Measured on Zen 4 (3.67 GHz, 235 G products/s by `peak`, gcc 12, noisy machine, best of many), ns
 * per query and row, 4,096 rows x 256 queries, 4 bits:
 *     d = 384    avx512vbmi 1.80 (91 % of the ceiling)  avx512vnni 1.81  ymm 2.11  avx512 5.7  avx2 6.2
 *     d = 1536   avx512vbmi 7.5                          avx512vnni 7.3   ymm 8.5   avx512 21   avx2 25-37
 *     other bits at d = 384, avx512vbmi: 1.89 1.84 2.06 1.80 1.99 1.85 2.06 2.18 for b = 1 .. 8
 * One query, d = 384, 4 bits, avx512vbmi: 2.6 in L2 (pipes allow 2.3), 3.8
 * at 19 MB, 13 at 77 MB (14.8 GB/s where a read loop gets 20-23: DRAM wants more than this).
 *
 * Without VNNI a product pair costs 4 uops in place of 1 per register, so AVX2 runs at 29 % of the VNNI
 * form and 92 % of the AVX-512 form without VNNI.  A nibble table per query would cost the same
 * 4 (one vpshufb, three to add bytes to 16-bit sums).
 *
 * Tried and lost, one query: STREAMS 1, 2, 3, 6, 8 blocks at once: 4.8, 3.3, 2.8, 2.6, 2.6 ns in L2 (4: 2.6);
 * prefetching 1, 2, 4, 8 KiB ahead: 16, 17, 16, 15 ns from DRAM where none gives 13.
 * AVX2 with 2 and 3 queries a tile: 6.6 and 6.2 ns (4: 6.1). */
#include <string.h>
#include "kernels/codes.h"
#include "kernels/kernel.h"

#include "kernels/levels.h"

enum {
    PARTS = 64 / VEC,     /* registers that hold one step of a block */
    PART_ROWS = VEC / 4,
    CHUNK = 256,          /* queries whose offsets are kept; their bytes should fit half of L2 */
};

#ifndef MAC
#define MAC mac
INLINE accumulator mac(accumulator acc, const bytes *level, const int8_t *query)
{
    int32_t four;
    memcpy(&four, query, sizeof four);
    return dot(acc, level[0], BROADCAST(four));
}
#endif

/* The codes of one step, as codes.h defines them, with junk above `bits`. */
INLINE bytes index_of(const uint8_t *group, int bits, int step)
{
    bytes index = { 0 };
    int at = 0;
#pragma GCC unroll 4
    for (int width = 8; width > 0; width /= 2) {
        if (!(bits & width)) continue;
        const int per = 8 / width;
        bytes plane;
        memcpy(&plane, group + step / per * 64, VEC);
        plane = shifted(plane, width * (step % per) - at);
        index = at ? BITS_OR(index, plane, ((1 << width) - 1) << at) : plane;
        at += width;
        group += width * 64;
    }
    return index;
}

/* sums[q * stride + row] of `nq` queries and `nv` registers of rows. */
INLINE void tile(const uint8_t *codes, size_t groups, int bits, const struct table *table, const int8_t *queries,
                 const int32_t *start, int32_t *sums, size_t stride, const int nq, const int nv)
{
    const int packed = bits == RAW ? 8 : bits;
    const size_t block_bytes = codes_block_bytes(groups, packed), dims = groups * CODES_DIMS;
    accumulator acc[QUERIES][VECS > STREAMS ? VECS : STREAMS];
#pragma GCC unroll 16
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 16
        for (int v = 0; v < nv; v++) acc[q][v] = ZERO;
    for (size_t g = 0; g < groups; g++) {
        const uint8_t *group = codes + g * (size_t)packed * 64;
        const int8_t *query = queries + g * CODES_DIMS;
#pragma GCC unroll 8
        for (int step = 0; step < 8; step += STEPS) {
            bytes level[VECS > STREAMS ? VECS : STREAMS][STEPS];
#pragma GCC unroll 16
            for (int v = 0; v < nv; v++)
#pragma GCC unroll 2
                for (int s = 0; s < STEPS; s++)
                    level[v][s] = level_of(table, bits,
                                           index_of(group + (size_t)(v / PARTS) * block_bytes + v % PARTS * VEC,
                                                    packed, step + s));
#pragma GCC unroll 16
            for (int q = 0; q < nq; q++)
#pragma GCC unroll 16
                for (int v = 0; v < nv; v++)
                    acc[q][v] = MAC(acc[q][v], level[v], query + (size_t)q * dims + 4 * step);
        }
    }
#pragma GCC unroll 16
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 16
        for (int v = 0; v < nv; v++) sums_of(acc[q][v], sums + (size_t)q * stride + (size_t)v * PART_ROWS, start[q]);
}

/* All queries of a chunk against `nv` registers of rows. */
INLINE void row_of_tiles(const uint8_t *codes, size_t groups, int bits, const struct table *table,
                         const int8_t *queries, size_t count, const int32_t *start, int32_t *sums, size_t stride,
                         const int nv)
{
    const size_t dims = groups * CODES_DIMS;
    size_t q = 0;
    for (; q + QUERIES <= count; q += QUERIES)
        tile(codes, groups, bits, table, queries + q * dims, start + q, sums + q * stride, stride, QUERIES, nv);
    for (; q + 2 <= count; q += 2)
        tile(codes, groups, bits, table, queries + q * dims, start + q, sums + q * stride, stride, 2, nv);
    if (q < count)
        tile(codes, groups, bits, table, queries + q * dims, start + q, sums + q * stride, stride, 1, nv);
}

INLINE void scan_bits(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                      const int8_t *queries, size_t query_count, int32_t *sums)
{
    const int packed = bits == RAW ? 8 : bits;
    const size_t dims = groups * CODES_DIMS, block_bytes = codes_block_bytes(groups, packed);
    const size_t stride = blocks * CODES_ROWS, at_once = VECS / PARTS, streams = STREAMS / PARTS;
    const struct table table = table_make(levels, bits);
    for (size_t done = 0; done < query_count; done += CHUNK) {
        const size_t count = query_count - done < CHUNK ? query_count - done : CHUNK;
        const int8_t *chunk = queries + done * dims;
        int32_t start[CHUNK];
        for (size_t q = 0; q < count; q++) {
            int32_t total = 0;
            for (size_t i = 0; OFFSET != 0 && i < dims; i++) total += chunk[q * dims + i];
            start[q] = -OFFSET * total;
        }
        int32_t *out = sums + done * stride;
        size_t b = 0;
        if (count == 1)
            for (; b + streams <= blocks; b += streams)
                tile(codes + b * block_bytes, groups, bits, &table, chunk, start, out + b * CODES_ROWS, stride, 1,
                     STREAMS);
        for (; b + at_once <= blocks; b += at_once)
            row_of_tiles(codes + b * block_bytes, groups, bits, &table, chunk, count, start,
                         out + b * CODES_ROWS, stride, VECS);
        for (; b < blocks; b++)
            row_of_tiles(codes + b * block_bytes, groups, bits, &table, chunk, count, start,
                         out + b * CODES_ROWS, stride, PARTS);
    }
}

#define SCAN_BITS(b)                                                                                          \
    static void scan_##b(const uint8_t *codes, size_t blocks, size_t groups, const int8_t *levels,            \
                         const int8_t *queries, size_t query_count, int32_t *sums)                            \
    {                                                                                                         \
        scan_bits(codes, blocks, groups, b, levels, queries, query_count, sums);                              \
    }
SCAN_BITS(1)
SCAN_BITS(2)
SCAN_BITS(3)
SCAN_BITS(4)
SCAN_BITS(5)
SCAN_BITS(6)
SCAN_BITS(7)
SCAN_BITS(8)
SCAN_BITS(9)
#undef SCAN_BITS

static int is_identity(const int8_t *levels)
{
    int i = 0;
    while (i < 256 && levels[i] == i - 128) i++;
    return i == 256;
}

static void scan(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                 const int8_t *queries, size_t query_count, int32_t *sums)
{
    static void (*const of[])(const uint8_t *, size_t, size_t, const int8_t *, const int8_t *, size_t, int32_t *) = {
        scan_1, scan_2, scan_3, scan_4, scan_5, scan_6, scan_7, scan_8, scan_9,
    };
    const int raw = bits == 8 && is_identity(levels);
    of[bits - 1 + raw](codes, blocks, groups, levels, queries, query_count, sums);
}
