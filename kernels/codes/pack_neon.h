/* SPDX-License-Identifier: MIT
 * pack_neon.h - registers of 4 rows for pack_block.h. */
#include <arm_neon.h>
#include <stddef.h>

enum { VEC = 16 };
typedef uint32_t words __attribute__((vector_size(16)));
#define LOW32(a, b) (words)vzip1q_u32((uint32x4_t)(a), (uint32x4_t)(b))
#define HIGH32(a, b) (words)vzip2q_u32((uint32x4_t)(a), (uint32x4_t)(b))
#define LOW64(a, b) (words)vzip1q_u64((uint64x2_t)(a), (uint64x2_t)(b))
#define HIGH64(a, b) (words)vzip2q_u64((uint64x2_t)(a), (uint64x2_t)(b))

static inline __attribute__((always_inline)) words quarters_from(const uint8_t *at, size_t stride)
{
    (void)stride;
    return (words)vld1q_u8(at);
}

static inline __attribute__((always_inline)) void quarters_to(words x, uint8_t *at, size_t stride)
{
    (void)stride;
    vst1q_u8(at, (uint8x16_t)x);
}

#include "kernels/codes/pack_block.h"
