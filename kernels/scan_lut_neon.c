/* SPDX-License-Identifier: MIT
 * scan_lut_neon.c - ARMv8.0: tbl to levels, smull and smlal, sadalp.  Two products of
 * |level| <= 128 and |query| <= 127 are at most 32512, so two steps share a 16-bit sum before it is
 * widened: 3 instructions for 16 products in place of 4. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 16, QUERIES = 2, VECS = 4, STREAMS = 4, STEPS = 2, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef struct { int32x4_t half[2]; } accumulator; /* rows 0, 0, 1, 1 and 2, 2, 3, 3 */
#define ZERO (accumulator) { { vdupq_n_s32(0), vdupq_n_s32(0) } }
#define BITS_OR(low, high, m) (bytes)vbslq_u8(vdupq_n_u8((uint8_t)(m)), (uint8x16_t)(high), (uint8x16_t)(low))
#define SHUFFLE(part, index) (bytes)vqtbl1q_u8((uint8x16_t)(part), (uint8x16_t)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)vbslq_u8(vtstq_u8((uint8x16_t)(index), vdupq_n_u8((uint8_t)(1 << (bit)))), (uint8x16_t)(b), (uint8x16_t)(a))

static inline __attribute__((always_inline)) accumulator mac(accumulator acc, const bytes *level, const int8_t *query)
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

static inline __attribute__((always_inline)) void sums_of(accumulator acc, int32_t *out, int32_t start)
{
    vst1q_s32(out, vaddq_s32(vpaddq_s32(acc.half[0], acc.half[1]), vdupq_n_s32(start)));
}

#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "tbl to levels, smull + smlal + sadalp; 2 queries x 16 rows a tile",
           "3 instructions per 16 codes and query"),
    KERNEL_END
};
