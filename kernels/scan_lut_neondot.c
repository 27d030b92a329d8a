/* SPDX-License-Identifier: MIT
 * scan_lut_neondot.c - tbl to levels, sdot by a lane of the query: signed by signed, no offset. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 16, QUERIES = 4, VECS = 4, STREAMS = 4, STEPS = 2, OFFSET = 0 };
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef int32x4_t accumulator;
#define ZERO vdupq_n_s32(0)
#define BITS_OR(low, high, m) (bytes)vbslq_u8(vdupq_n_u8((uint8_t)(m)), (uint8x16_t)(high), (uint8x16_t)(low))
#define SHUFFLE(part, index) (bytes)vqtbl1q_u8((uint8x16_t)(part), (uint8x16_t)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)vbslq_u8(vtstq_u8((uint8x16_t)(index), vdupq_n_u8((uint8_t)(1 << (bit)))), (uint8x16_t)(b), (uint8x16_t)(a))

static inline __attribute__((always_inline)) int32x4_t mac(int32x4_t acc, const bytes *level, const int8_t *query)
{
    const int8x8_t q = vld1_s8(query);
    acc = vdotq_lane_s32(acc, (int8x16_t)level[0], q, 0);
    return vdotq_lane_s32(acc, (int8x16_t)level[1], q, 1);
}

static inline __attribute__((always_inline)) void sums_of(int32x4_t acc, int32_t *out, int32_t start)
{
    vst1q_s32(out, vaddq_s32(acc, vdupq_n_s32(start)));
}

#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "tbl to levels, sdot; 4 queries x 16 rows a tile",
           "4 bits: 2.5 instructions per 16 codes shared by 4 queries, 1 sdot a query"),
    KERNEL_END
};
