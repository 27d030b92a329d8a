/* SPDX-License-Identifier: MIT
 * sign_block_neon.h - a block of 16 rows of sign bits against a query's tables: scan_sign_neon.c says how. */
#ifndef ASSAY_SIGN_BLOCK_NEON_H
#define ASSAY_SIGN_BLOCK_NEON_H
#include <arm_neon.h>
#include "kernels/codes/codes.h"
#include "kernels/scans/wide_neon.h"

enum { FLUSH = 32 };
_Static_assert(FLUSH * 8 * 255 < 65536, "16-bit sums");

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    uint32x4_t wide[4] = { vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0) };
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        uint16x8_t low = vdupq_n_u16(0), high = low;
        for (; g < end; g++) {
            const uint8x16x4_t word = vld4q_u8(block + g * 64);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                const uint8x16_t low_nibble = vandq_u8(word.val[j], vdupq_n_u8(15));
                const uint8x16_t a = vqtbl1q_u8(vld1q_u8(lut + g * 128 + 16 * j), low_nibble);
                const uint8x16_t b = vqtbl1q_u8(vld1q_u8(lut + g * 128 + 64 + 16 * j), vshrq_n_u8(word.val[j], 4));
                low = vaddq_u16(low, vaddl_u8(vget_low_u8(a), vget_low_u8(b)));
                high = vaddq_u16(high, vaddl_high_u8(a, b));
            }
        }
        widen(wide, low, high);
    }
    store_twice(sums, wide, start);
}
#endif
