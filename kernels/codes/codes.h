/* SPDX-License-Identifier: MIT
 * codes.h - where the code of row r, dimension i stands in a block of packed codes.
 *
 * A block is 16 rows; a group is 32 dimensions; a group of a block takes bits * 64 bytes, in planes
 * of width 8, 4, 2, 1: the binary digits of `bits` (3 = 2 + 1, 6 = 4 + 2, 7 = 4 + 2 + 1, 8 = 8).
 * The first plane holds the lowest bits of the code, the next the bits above them.  A step is 4
 * dimensions; a group has 8.  A plane of width w is w registers of 64 bytes:
 *
 *     byte  4 * row + (dim & 3)  of register  step / (8 / w),  from bit  w * (step % (8 / w))
 *
 *     register of a nibble plane:   byte 0  1  2  3 | 4  5  6  7 | ...  63
 *                                   row  0           1              ... 15
 *                                   bits 0-3: dims 4s..4s+3;  bits 4-7: dims 4s+4..4s+7
 *
 * so that one 32-bit lane belongs to one row for the whole scan, four int8 products are summed in
 * it by one VPDPBUSD or SDOT, and no horizontal sum is left.  A 32-byte half is 8 rows, a 16-byte
 * quarter is 4.  Padding rows and dimensions hold code 0 and meet query zeros.
 *
 * Split codes keep the upper bit apart: of the ascending level c, of 1 << bits,
 *     sign = c >= half,  rank = sign ? c - half : half - 1 - c     (half = 1 << (bits - 1))
 * so that rank 0 is innermost.  The signs are a block of 1-bit codes.  A row's ranks stand by
 * themselves: for every group, bits - 1 little-endian words of 32 bits, lowest bit of the rank first, in
 * the bit order of the signs: dimension 4 s + j of the group is bit 8 j + s.  (A word, broadcast,
 * then has the bit of dimension i in byte i: no shuffle unpacks it.)  One row's signs stand in as
 * many cache lines as it has groups, but those lines have just been scanned when the ranks are
 * wanted; keeping them a second time would cost dim / 8 bytes a row. */
#ifndef ASSAY_CODES_H
#define ASSAY_CODES_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CODES_ROWS = 16, CODES_DIMS = 32, CODES_BITS_MAX = 8 };
enum { CODES_BYTE_ROWS = 64 }; /* of a block of scan_byte (ops.def): a register has one part of them, and one table */
enum { CODES_LOOK = 2 }; /* groups between looks of scan_keep (ops.def) */

static inline size_t codes_groups(size_t dim) { return (dim + CODES_DIMS - 1) / CODES_DIMS; }
static inline size_t codes_blocks(size_t rows) { return (rows + CODES_ROWS - 1) / CODES_ROWS; }
static inline size_t codes_block_bytes(size_t groups, int bits) { return groups * (size_t)bits * 64; }

/* Ascending code to sign << (bits - 1) | rank, and back: it is its own inverse. */
static inline unsigned codes_split(unsigned code, int bits)
{
    const unsigned half = 1u << (bits - 1);
    return code & half ? code : half - 1 - code;
}

static inline size_t codes_rank_bytes(size_t groups, int bits) { return (size_t)(bits - 1) * groups * 4; }

static inline unsigned codes_get(const uint8_t *block, int bits, size_t row, size_t dim)
{
    const uint8_t *plane = block + dim / CODES_DIMS * (size_t)bits * 64;
    const size_t step = dim % CODES_DIMS / 4, byte = 4 * row + (dim & 3);
    unsigned code = 0, at = 0;
    for (unsigned w = 8; w > 0; w /= 2) {
        if (!((unsigned)bits & w)) continue;
        const unsigned per = 8 / w, shift = w * (unsigned)(step % per);
        code |= (plane[step / per * 64 + byte] >> shift & ((1u << w) - 1)) << at;
        at += w;
        plane += w * 64;
    }
    return code;
}

/* Rank of one dimension. */
static inline unsigned codes_get_rank(const uint8_t *row, int bits, size_t dim)
{
    unsigned rank = 0;
    row += dim / CODES_DIMS * (size_t)(bits - 1) * 4 + (dim & 3);
    for (int plane = 0; plane + 1 < bits; plane++) rank |= (row[4 * plane] >> dim % CODES_DIMS / 4 & 1u) << plane;
    return rank;
}
#endif
