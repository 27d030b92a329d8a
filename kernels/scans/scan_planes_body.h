/* SPDX-License-Identifier: MIT
 * scan_planes_body.h - a block's registers against the words of one plane of a query, every row's differing bits
 * counted in its own lane.
 *
 * A level is the sum over its bits of +-2^i, so an inner product is a sum over pairs of bits of
 * 2^(i+p) (dim - 2 differing).  Bits of codes are counted one by one: of a register with codes of `width` bits, every
 * width-th bit under a mask.  That costs width passes over width registers, and is why this suits one bit: 4 bits of
 * code against a query of 4 are 64 counts where scan_lut takes 8 products.
 *
 * The including file defines VEC (bytes of a register), `words` (a register of 32-bit words), `counts`,
 * counted(counts, words): the bits of words added to counts, and summed(counts): counts of up to AT_ONCE registers added
 * up in 32 bits.
 *
 * Measured on Zen 4: see scan_planes_avx512popcnt.c. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

#define INLINE static inline __attribute__((always_inline))
enum { PARTS = 64 / VEC, VECS = PARTS > 4 ? PARTS : 4, AT_ONCE = 24 };
_Static_assert(AT_ONCE * 8 < 256, "counts of bits in bytes");

/* Adds to total the differing bits of `width` registers a group at `at`, for nv registers of rows: those of a block,
 * then those of the next. */
INLINE void add_differing(const uint8_t *at, size_t groups, int bits, int width, const uint32_t *plane, uint32_t mask,
                          int shift, words *total, const int nv)
{
    const size_t chunk = AT_ONCE / (size_t)width, block_bytes = codes_block_bytes(groups, bits);
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < chunk ? groups : g + chunk;
        counts some[VECS] = { { 0 } };
        for (; g < end; g++)
            for (int reg = 0; reg < width; reg++)
#pragma GCC unroll 4
                for (int v = 0; v < nv; v++) {
                    const size_t place = g * (size_t)bits + (size_t)reg;
                    words x;
                    memcpy(&x, at + (size_t)(v / PARTS) * block_bytes + place * 64 + v % PARTS * VEC, VEC);
                    x ^= plane[place];
                    some[v] = counted(some[v], bits == 1 ? x : x & mask);
                }
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) total[v] += summed(some[v]) << shift;
    }
}

/* One query against nv registers of rows. */
INLINE void tile(const uint8_t *block, size_t groups, int bits, const uint32_t *planes, int query_bits, uint32_t all,
                 int32_t *sums, const int nv)
{
    words total[VECS] = { { 0 } };
    for (int p = 0; p < query_bits; p++, planes += groups * (size_t)bits)
#pragma GCC unroll 4
        for (int width = 8, done = 0; width > 0; width /= 2) {
            if (!(bits & width)) continue;
            const uint32_t mask = width == 8 ? 0x01010101u : width == 4 ? 0x11111111u : width == 2 ? 0x55555555u : ~0u;
            for (int i = 0; i < width; i++)
                add_differing(block + done * 64, groups, bits, width, planes + done, mask << i, done + i + p, total,
                              nv);
            done += width;
        }
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        total[v] = all - 2 * total[v];
        memcpy(sums + v * (VEC / 4), &total[v], VEC);
    }
}

INLINE void scan_bits(const uint8_t *codes, size_t blocks, size_t dim, int bits, const uint32_t *planes, int query_bits,
                      size_t query_count, int32_t *sums)
{
    const size_t groups = codes_groups(dim), block_bytes = codes_block_bytes(groups, bits), at_once = VECS / PARTS;
    const size_t query_words = (size_t)query_bits * groups * (size_t)bits;
    const uint32_t all = (uint32_t)dim * ((1u << bits) - 1) * ((1u << query_bits) - 1);
    for (size_t b = 0; b < blocks; b += blocks - b < at_once ? 1 : at_once)
        for (size_t q = 0; q < query_count; q++) {
            const uint32_t *query = planes + q * query_words;
            int32_t *out = sums + (q * blocks + b) * CODES_ROWS;
            if (blocks - b < at_once) tile(codes + b * block_bytes, groups, bits, query, query_bits, all, out, PARTS);
            else tile(codes + b * block_bytes, groups, bits, query, query_bits, all, out, VECS);
        }
}

static void scan(const uint8_t *codes, size_t blocks, size_t dim, int bits, const uint32_t *planes, int query_bits,
                 size_t query_count, int32_t *sums)
{
    if (bits == 1) scan_bits(codes, blocks, dim, 1, planes, query_bits, query_count, sums);
    else scan_bits(codes, blocks, dim, bits, planes, query_bits, query_count, sums);
}
