/* SPDX-License-Identifier: MIT
 * pack_row.h - one row of codes into a block and back, four codes of a step at a time: the scalar form of
 * pack and unpack, and what is left of a block that is not whole. */
#ifndef ASSAY_PACK_ROW_H
#define ASSAY_PACK_ROW_H
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static inline uint32_t four_at(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

/* `width` bits of each of four bytes. */
static inline uint32_t plane_mask(int width) { return 0x01010101u * ((1u << width) - 1); }

static inline void pack_row(const uint8_t *codes, size_t groups, int bits, uint8_t *at)
{
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS)
        for (int width = 8, done = 0; width > 0; width /= 2) {
            if (!(bits & width)) continue;
            const int per = 8 / width;
            for (int reg = 0; reg < width; reg++, at += 64) {
                uint32_t packed = 0;
                for (int s = 0; s < per; s++)
                    packed |= (four_at(codes + 4 * (reg * per + s)) >> done & plane_mask(width)) << width * s;
                memcpy(at, &packed, sizeof packed);
            }
            done += width;
        }
}

static inline void unpack_row(const uint8_t *at, size_t groups, int bits, uint8_t *codes)
{
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS) {
        uint32_t step[8] = { 0 };
        for (int width = 8, done = 0; width > 0; width /= 2) {
            if (!(bits & width)) continue;
            const int per = 8 / width;
            for (int reg = 0; reg < width; reg++, at += 64)
                for (int s = 0; s < per; s++)
                    step[reg * per + s] |= (four_at(at) >> width * s & plane_mask(width)) << done;
            done += width;
        }
        memcpy(codes, step, sizeof step);
    }
}

static inline void pack_rows(const uint8_t *codes, size_t stride, size_t first, size_t count, size_t groups, int bits,
                             uint8_t *block)
{
    for (size_t i = 0; i < count; i++) pack_row(codes + i * stride, groups, bits, block + 4 * (first + i));
}

static inline void unpack_rows(const uint8_t *block, size_t first, size_t count, size_t groups, int bits,
                               uint8_t *codes, size_t stride)
{
    for (size_t i = 0; i < count; i++) unpack_row(block + 4 * (first + i), groups, bits, codes + i * stride);
}
#endif
