/* SPDX-License-Identifier: MIT
 * pack_block.h - a whole block of 16 rows at once, for pack and unpack.
 *
 * A register of a block holds four codes of a step for each row, so what stands row after row in memory is
 * turned: quarter q of register m is 16 bytes of row 4q + m, and a 4 x 4 transposition of words within
 * quarters (its own inverse) gives the four steps of the rows in order.  Planes then are shifts and masks of
 * whole registers.  The including file defines VEC (64, 32 or 16 bytes), `words` (a register of 32-bit words),
 * LOW32, HIGH32, LOW64, HIGH64 (the interleavings of two registers within each 16 bytes), quarters_from and
 * quarters_to (quarter q at `at` + 4 q stride).
 *
 * Cost for 16 rows x 32 codes of 4 bits in 64-byte registers: 32 loads and inserts, 16 interleavings, 20 uops of
 * shifts, masks and stores: 4 a row.  Measured on Zen 4, d = 384, ns a row for 1, 2, 3, 4 bits: pack 8.7, 8.7, 11, 7.7
 * (AVX2: 7.5, 7.4, 11, 8.0; row by row 78, 83, 149, 86), unpack 9.1, 9.0, 11, 8.2. */
#include "kernels/codes/pack_row.h"

#define INLINE static inline __attribute__((always_inline))
enum { PART_ROWS = VEC / 4 };

INLINE void transpose(words x[4])
{
    const words a = LOW32(x[0], x[1]), b = HIGH32(x[0], x[1]), c = LOW32(x[2], x[3]), d = HIGH32(x[2], x[3]);
    x[0] = LOW64(a, c);
    x[1] = HIGH64(a, c);
    x[2] = LOW64(b, d);
    x[3] = HIGH64(b, d);
}

/* The eight steps of a group of PART_ROWS rows, and back. */
INLINE void steps_of(const uint8_t *codes, size_t stride, words step[8])
{
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
#pragma GCC unroll 4
        for (int m = 0; m < 4; m++) step[4 * half + m] = quarters_from(codes + (size_t)m * stride + 16 * half, stride);
        transpose(step + 4 * half);
    }
}

INLINE void rows_of(words step[8], uint8_t *codes, size_t stride)
{
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
        transpose(step + 4 * half);
#pragma GCC unroll 4
        for (int m = 0; m < 4; m++) quarters_to(step[4 * half + m], codes + (size_t)m * stride + 16 * half, stride);
    }
}

INLINE void pack_group(const words step[8], int bits, uint8_t *group)
{
    int done = 0;
#pragma GCC unroll 4
    for (int width = 8; width > 0; width /= 2) {
        if (!(bits & width)) continue;
        const int per = 8 / width;
#pragma GCC unroll 8
        for (int reg = 0; reg < width; reg++, group += 64) {
            words packed = { 0 };
#pragma GCC unroll 8
            for (int s = 0; s < per; s++) packed |= (step[reg * per + s] >> done & plane_mask(width)) << width * s;
            memcpy(group, &packed, sizeof packed);
        }
        done += width;
    }
}

INLINE void unpack_group(const uint8_t *group, int bits, words step[8])
{
    int done = 0;
#pragma GCC unroll 8
    for (int s = 0; s < 8; s++) step[s] = (words){ 0 };
#pragma GCC unroll 4
    for (int width = 8; width > 0; width /= 2) {
        if (!(bits & width)) continue;
        const int per = 8 / width;
#pragma GCC unroll 8
        for (int reg = 0; reg < width; reg++, group += 64) {
            words packed;
            memcpy(&packed, group, sizeof packed);
#pragma GCC unroll 8
            for (int s = 0; s < per; s++) step[reg * per + s] |= (packed >> width * s & plane_mask(width)) << done;
        }
        done += width;
    }
}

#define EACH_GROUP(bits_)                                                                                     \
    for (size_t g = 0; g < groups; g++, block += (bits_) * 64)                                               \
        for (size_t part = 0; part < CODES_ROWS; part += PART_ROWS)
#define PACK_BITS(b)                                                                                          \
    static void pack_##b(const uint8_t *codes, size_t stride, size_t groups, uint8_t *block)                  \
    {                                                                                                         \
        EACH_GROUP(b)                                                                                         \
        {                                                                                                     \
            words step[8];                                                                                    \
            steps_of(codes + part * stride + g * CODES_DIMS, stride, step);                                   \
            pack_group(step, b, block + 4 * part);                                                            \
        }                                                                                                     \
    }
#define UNPACK_BITS(b)                                                                                        \
    static void unpack_##b(const uint8_t *block, size_t groups, uint8_t *codes, size_t stride)                \
    {                                                                                                         \
        EACH_GROUP(b)                                                                                         \
        {                                                                                                     \
            words step[8];                                                                                    \
            unpack_group(block + 4 * part, b, step);                                                          \
            rows_of(step, codes + part * stride + g * CODES_DIMS, stride);                                    \
        }                                                                                                     \
    }
#define ALL_BITS(what) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8)
#define EACH_BITS(of) of##_1, of##_2, of##_3, of##_4, of##_5, of##_6, of##_7, of##_8

/* Whole blocks at once, parts of them row by row. */
#define PACK_BLOCK                                                                                            \
    ALL_BITS(PACK_BITS)                                                                                       \
    static void whole(const uint8_t *codes, size_t stride, size_t first, size_t count, size_t groups, int bits, \
                      uint8_t *block)                                                                         \
    {                                                                                                         \
        static void (*const of[])(const uint8_t *, size_t, size_t, uint8_t *) = { EACH_BITS(pack) };          \
        if (count == CODES_ROWS) of[bits - 1](codes, stride, groups, block);                                  \
        else pack_rows(codes, stride, first, count, groups, bits, block);                                     \
    }
#define UNPACK_BLOCK                                                                                          \
    ALL_BITS(UNPACK_BITS)                                                                                     \
    static void whole(const uint8_t *block, size_t first, size_t count, size_t groups, int bits, uint8_t *codes, \
                      size_t stride)                                                                          \
    {                                                                                                         \
        static void (*const of[])(const uint8_t *, size_t, uint8_t *, size_t) = { EACH_BITS(unpack) };        \
        if (count == CODES_ROWS) of[bits - 1](block, groups, codes, stride);                                  \
        else unpack_rows(block, first, count, groups, bits, codes, stride);                                   \
    }
