/* SPDX-License-Identifier: MIT
 * scan_lut_body.h - the loops of scan_lut, once for all instruction sets.
 *
 * Formulation (permute-dot): the code of 4 dimensions x VEC/4 rows is shuffled to int8 levels,
 * and one int8 dot instruction per query adds four products into the row's own 32-bit lane.
 *
 *     one query      block by block in the order of memory, CHAINS accumulators a register of rows
 *     2 .. a few     QUERIES x VECS accumulators; the shuffle is shared by QUERIES queries
 *     HOLD_FROM on   levels of VECS registers x HELD groups are unpacked once, into L1, for all queries of
 *                    a chunk: what is left is 1 dot a query and register, whatever the bits
 *
 * The including file includes an int8_*.h (the register, the dot of bytes) and defines
 *     QUERIES, VECS   the batch tile; HELD: groups held, 16 KiB of levels
 *     STEPS           steps of 4 dimensions that one mac takes: 1, or 2 with a MAC of its own
 *     OWN_TABLE       where struct table, table_make and level_of are not those of levels.h
 *
 * Zen 4, counted by a loop of each pair of instructions: multiplications, vpdpbusd, vpsignb and vpabsb
 * share two pipes, shifts the other two, shuffles one of each; logic and adds take any; broadcasts
 * from memory none.  Peak 1 vpdpbusd zmm a cycle (3.69 GHz: 1.62 ns at d = 384), 1 step of 32 codes a
 * cycle without VNNI (2 multiplications of 4 uops).  Measured (gcc 12, busy machine, best of many,
 * before and after in one run), ns per query and row:
 *     batch of 256, d = 384, 2 bits   avx512vbmi 1.73 (94 %; 1.79 unpacking in the tile; clang 14 1.69), ymm 1.85,
 *                                     avx2 4.00 (6.15; 43 % of avx512vbmi)
 *     batch of 256, d = 1536, 2 bits  avx512vbmi 7.2 (7.1 unpacking in the tile; clang 7.0), avx2 16.8
 * The unpacking costs 4 ns a row at d = 384 (a zmm store takes 2 cycles), shared by all queries.
 *
 * Without VNNI a product pair costs 4 uops in place of 1 per register, on pipes that are chosen when uops
 * are issued: 1.25 cycles a step where 4.25 uops / 4 are 1.06.  So AVX2 cannot pass 51 % of VNNI with
 * 512 bits (1 cycle a step of 32 codes against 1 of 64, unpacking aside) and reaches 43 %, of which gcc's own order
 * of the sums, with spills, cost a quarter (KEEP) and vpsignb, in place of a complement, a fifth.
 *
 * One query, 4 bits, d = 384, by 64 bytes of codes: 2 vpermb, 1 shift, 2 vpdpbusd, 10 half-width uops for 4
 * pipes: 2.5 cycles, 2.8 as they get issued: 2.3 ns, 84 GB/s.  Measured: L2 2.9, 19 MB (L3) 3.0 where a read loop
 * takes 2.5, 150 MB (DRAM) 5.6 where it takes 5.7: all of the bandwidth.
 *
 * Tried and lost, one query: 4 blocks at once, their lines in turn: 2.63 in L2, but 3.5 in L3 and 13 to 28 in
 * DRAM (hardware follows one stream better than four that jump); those with prefetcht0 12 to
 * 48 KiB ahead 14, prefetcht1 in order 8.4; in order with prefetcht0 2 to 8 KiB ahead 5.9 to 8; 8 chains in
 * place of 4: 3.1 in L2.  Batch: tiles of 4 x 4, 6 x 4 and 12 x 2 1.74, 1.80 and 1.79 (8 x 2: 1.74); prefetching the
 * next queries 1.77; HELD 6 and 8 1.77.  AVX2 tiles of 2 x 4, 2 x 2 and 1 x 4 4.2, 4.6 and 4.3 (1 x 8: 4.05). */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

#include "kernels/scans/levels.h"

enum {
    PARTS = 64 / VEC,     /* registers that hold one step of a block */
    PART_ROWS = VEC / 4,
    CHUNK = 256,          /* queries whose offsets are kept; their bytes should fit half of L2 */
    HOLD_FROM = 2 * QUERIES, /* fewer queries do not repay the stores */
    CHAINS = 4 / PARTS,   /* of one query: vpdpbusd takes 4 cycles */
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

/* The levels of VEC / 4 rows x 4 dimensions: step `step` of the group, register v of the rows. */
INLINE bytes levels_at(const uint8_t *group, size_t block_bytes, int bits, const struct table *table, int step, int v)
{
    const int packed = bits == RAW ? 8 : bits;
    const uint8_t *at = group + (size_t)(v / PARTS) * block_bytes + v % PARTS * VEC;
    return level_of(table, bits, index_of(at, packed, step));
}

/* sums[q * stride + row] of `nq` queries and `nv` registers of rows, unpacked on the way. */
INLINE void tile(const uint8_t *codes, size_t groups, int bits, const struct table *table, const int8_t *queries,
                 const int32_t *start, int32_t *sums, size_t stride, const int nq, const int nv)
{
    const int packed = bits == RAW ? 8 : bits;
    const size_t block_bytes = codes_block_bytes(groups, packed), dims = groups * CODES_DIMS;
    accumulator acc[QUERIES][VECS];
#pragma GCC unroll 16
    for (int q = 0; q < nq; q++)
#pragma GCC unroll 16
        for (int v = 0; v < nv; v++) acc[q][v] = ZERO;
    for (size_t g = 0; g < groups; g++) {
        const uint8_t *group = codes + g * (size_t)packed * 64;
        const int8_t *query = queries + g * CODES_DIMS;
#pragma GCC unroll 8
        for (int step = 0; step < 8; step += STEPS) {
            bytes level[VECS][STEPS];
#pragma GCC unroll 16
            for (int v = 0; v < nv; v++)
#pragma GCC unroll 2
                for (int s = 0; s < STEPS; s++) level[v][s] = levels_at(group, block_bytes, bits, table, step + s, v);
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
        for (int v = 0; v < nv; v++)
            sums_of(acc[q][v], sums + (size_t)q * stride + (size_t)v * PART_ROWS, start[q], 0);
}

/* One query against one block, in the order of memory, in CHAINS sums a row. */
INLINE void one_query(const uint8_t *codes, size_t groups, int bits, const struct table *table, const int8_t *query,
                      int32_t start, int32_t *sums)
{
    const size_t packed = bits == RAW ? 8 : (size_t)bits;
    accumulator acc[CHAINS][PARTS];
#pragma GCC unroll 4
    for (int c = 0; c < CHAINS; c++)
#pragma GCC unroll 4
        for (int v = 0; v < PARTS; v++) acc[c][v] = ZERO;
    for (size_t g = 0; g < groups; g++, codes += packed * 64, query += CODES_DIMS)
#pragma GCC unroll 8
        for (int step = 0; step < 8; step += STEPS)
#pragma GCC unroll 4
            for (int v = 0; v < PARTS; v++) {
                bytes level[STEPS];
#pragma GCC unroll 2
                for (int s = 0; s < STEPS; s++) level[s] = levels_at(codes, 0, bits, table, step + s, v);
                acc[step % CHAINS][v] = MAC(acc[step % CHAINS][v], level, query + 4 * step);
            }
#pragma GCC unroll 4
    for (int c = 0; c < CHAINS; c++)
#pragma GCC unroll 4
        for (int v = 0; v < PARTS; v++) sums_of(acc[c][v], sums + v * PART_ROWS, start, c > 0);
}

/* Levels of `groups` groups of VECS registers of rows: held[step * VECS + v]. */
INLINE void hold(const uint8_t *codes, size_t groups, size_t block_bytes, int bits, const struct table *table,
                 bytes *held)
{
    const size_t group_bytes = (size_t)(bits == RAW ? 8 : bits) * 64;
    for (size_t g = 0; g < groups; g++, held += 8 * VECS)
#pragma GCC unroll 16
        for (int v = 0; v < VECS; v++)
#pragma GCC unroll 8
            for (int step = 0; step < 8; step++)
                held[step * VECS + v] = levels_at(codes + g * group_bytes, block_bytes, bits, table, step, v);
}

/* QUERIES queries against held levels of `groups` groups; `more`: added to what sums holds. */
static void held_tile(const bytes *held, size_t groups, const int8_t *queries, size_t dims, const int32_t *start,
                      int32_t *sums, size_t stride, int more)
{
    accumulator acc[QUERIES][VECS];
#pragma GCC unroll 16
    for (int q = 0; q < QUERIES; q++)
#pragma GCC unroll 16
        for (int v = 0; v < VECS; v++) acc[q][v] = ZERO;
    for (size_t g = 0; g < groups; g++, held += 8 * VECS, queries += CODES_DIMS)
#pragma GCC unroll 8
        for (int step = 0; step < 8; step += STEPS) {
            bytes level[VECS][STEPS];
#pragma GCC unroll 16
            for (int v = 0; v < VECS; v++)
#pragma GCC unroll 2
                for (int s = 0; s < STEPS; s++) level[v][s] = held[(step + s) * VECS + v];
#pragma GCC unroll 16
            for (int q = 0; q < QUERIES; q++)
#pragma GCC unroll 16
                for (int v = 0; v < VECS; v++)
                    acc[q][v] = MAC(acc[q][v], level[v], queries + (size_t)q * dims + 4 * step);
        }
#pragma GCC unroll 16
    for (int q = 0; q < QUERIES; q++)
#pragma GCC unroll 16
        for (int v = 0; v < VECS; v++)
            sums_of(acc[q][v], sums + (size_t)q * stride + (size_t)v * PART_ROWS, start[q], more);
}

/* `count` queries, a multiple of QUERIES, against VECS registers of rows whose levels are unpacked once. */
INLINE void held_tiles(const uint8_t *codes, size_t groups, int bits, const struct table *table, const int8_t *queries,
                       size_t count, const int32_t *start, int32_t *sums, size_t stride)
{
    const size_t group_bytes = (size_t)(bits == RAW ? 8 : bits) * 64, dims = groups * CODES_DIMS;
    bytes held[HELD * 8 * VECS];
    for (size_t g = 0; g < groups; g += HELD) {
        const size_t some = groups - g < HELD ? groups - g : HELD;
        hold(codes + g * group_bytes, some, groups * group_bytes, bits, table, held);
        for (size_t q = 0; q < count; q += QUERIES)
            held_tile(held, some, queries + q * dims + g * CODES_DIMS, dims, start + q, sums + q * stride, stride, g > 0);
    }
}

/* All queries of a chunk against `nv` registers of rows. */
INLINE void row_of_tiles(const uint8_t *codes, size_t groups, int bits, const struct table *table,
                         const int8_t *queries, size_t count, const int32_t *start, int32_t *sums, size_t stride,
                         const int nv)
{
    const size_t dims = groups * CODES_DIMS, whole = count / QUERIES * QUERIES;
    const size_t block_bytes = codes_block_bytes(groups, bits == RAW ? 8 : bits);
    size_t q = 0;
    if (nv == VECS && groups > 0 && whole >= HOLD_FROM) {
        held_tiles(codes, groups, bits, table, queries, whole, start, sums, stride);
        q = whole;
    }
    for (; QUERIES > 1 && q + QUERIES <= count; q += QUERIES)
        tile(codes, groups, bits, table, queries + q * dims, start + q, sums + q * stride, stride, QUERIES, nv);
    for (; QUERIES > 1 && q + 2 <= count; q += 2)
        tile(codes, groups, bits, table, queries + q * dims, start + q, sums + q * stride, stride, 2, nv);
    for (; q < count; q++)
        for (int b = 0; b < nv / PARTS; b++)
            one_query(codes + (size_t)b * block_bytes, groups, bits, table, queries + q * dims, start[q],
                      sums + q * stride + (size_t)b * CODES_ROWS);
}

INLINE void scan_bits(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                      const int8_t *queries, size_t query_count, int32_t *sums)
{
    const int packed = bits == RAW ? 8 : bits;
    const size_t dims = groups * CODES_DIMS, block_bytes = codes_block_bytes(groups, packed);
    const size_t stride = blocks * CODES_ROWS, at_once = VECS / PARTS;
    const struct table table = table_make(levels, bits);
    for (size_t done = 0; done < query_count; done += CHUNK) {
        const size_t count = query_count - done < CHUNK ? query_count - done : CHUNK;
        const int8_t *chunk = queries + done * dims;
        int32_t start[CHUNK];
        for (size_t q = 0; q < count; q++) {
            start[q] = start_of(chunk + q * dims, dims);
        }
        int32_t *out = sums + done * stride;
        size_t b = 0;
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
