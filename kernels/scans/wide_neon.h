/* SPDX-License-Identifier: MIT
 * wide_neon.h - 16-bit sums of 16 rows emptied into 32-bit ones, and those written as sums of a block. */
#ifndef ASSAY_WIDE_NEON_H
#define ASSAY_WIDE_NEON_H
#include <arm_neon.h>
#include <stdint.h>

static inline void widen(uint32x4_t wide[4], uint16x8_t low, uint16x8_t high)
{
    wide[0] = vaddw_u16(wide[0], vget_low_u16(low));
    wide[1] = vaddw_high_u16(wide[1], low);
    wide[2] = vaddw_u16(wide[2], vget_low_u16(high));
    wide[3] = vaddw_high_u16(wide[3], high);
}

/* start + twice the sum, of 16 rows. */
static inline void store_twice(int32_t *sums, const uint32x4_t wide[4], int32_t start)
{
    for (int i = 0; i < 4; i++)
        vst1q_s32(sums + 4 * i, vaddq_s32(vreinterpretq_s32_u32(vshlq_n_u32(wide[i], 1)), vdupq_n_s32(start)));
}
#endif
