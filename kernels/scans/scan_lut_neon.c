/* SPDX-License-Identifier: MIT
 * scan_lut_neon.c - ARMv8.0: tbl to levels, smull and smlal, sadalp.  Two products of
 * |level| <= 128 and |query| <= 127 are at most 32512, so two steps share a 16-bit sum before it is
 * widened: 3 instructions for 16 products in place of 4. */
#include <string.h>
#include "kernels/scans/int8_neon.h"
enum { QUERIES = 2, VECS = 4, HELD = 32, STEPS = 2 };

#define MAC mac_pair
static inline __attribute__((always_inline)) accumulator mac_pair(accumulator acc, const bytes *level, const int8_t *query)
{
    int32_t four[2];
    memcpy(four, query, sizeof four);
    const int8x16_t q0 = vreinterpretq_s8_s32(vdupq_n_s32(four[0])), q1 = vreinterpretq_s8_s32(vdupq_n_s32(four[1]));
    const int8x16_t l0 = (int8x16_t)level[0], l1 = (int8x16_t)level[1];
    const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(l0), vget_low_s8(q0)), vget_low_s8(l1), vget_low_s8(q1));
    const int16x8_t high = vmlal_high_s8(vmull_high_s8(l0, q0), l1, q1);
    acc.half[0] = vpadalq_s16(acc.half[0], low);
    acc.half[1] = vpadalq_s16(acc.half[1], high);
    return acc;
}

#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "tbl to levels, smull + smlal + sadalp; 2 queries x 16 rows a tile",
           "3 instructions per 16 codes and query"),
    KERNEL_END
};
