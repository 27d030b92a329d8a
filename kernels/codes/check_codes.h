/* SPDX-License-Identifier: MIT
 * check_codes.h - codes and ranks written one by one, as codes.h lays them out, for tests of what packs and scans
 * them. */
#ifndef ASSAY_CHECK_CODES_H
#define ASSAY_CHECK_CODES_H
#include <string.h>
#include "kernels/codes/codes.h"

static inline void codes_set(uint8_t *block, int bits, size_t row, size_t dim, unsigned code)
{
    uint8_t *plane = block + dim / CODES_DIMS * (size_t)bits * 64;
    const size_t step = dim % CODES_DIMS / 4, byte = 4 * row + (dim & 3);
    for (unsigned w = 8; w > 0; w /= 2) {
        if (!((unsigned)bits & w)) continue;
        const unsigned per = 8 / w, shift = w * (unsigned)(step % per), mask = (1u << w) - 1;
        uint8_t *at = &plane[step / per * 64 + byte];
        *at = (uint8_t)((*at & ~(mask << shift)) | (code & mask) << shift);
        code >>= w;
        plane += w * 64;
    }
}

/* The ranks of a row from its split codes, groups * 32 bytes. */
static inline void codes_set_ranks(uint8_t *row, size_t groups, int bits, const uint8_t *split)
{
    for (size_t g = 0; g < groups; g++, split += CODES_DIMS)
        for (int plane = 0; plane + 1 < bits; plane++, row += 4) {
            uint32_t word = 0, four;
            for (int s = 0; s < 8; s++) {
                memcpy(&four, split + 4 * s, sizeof four);
                word |= (four >> plane & 0x01010101u) << s;
            }
            memcpy(row, &word, sizeof word);
        }
}
#endif
