/* SPDX-License-Identifier: MIT
 * int8_neon.h - products of level and query bytes: sdot where there is one, otherwise smull and
 * sadalp. */
#include <arm_neon.h>
#include <stdint.h>

enum { VEC = 16, OFFSET = 0, NEGATIVE = 0 };
typedef uint8_t bytes __attribute__((vector_size(16)));
#define BROADCAST(four) (bytes)vdupq_n_s32(four)
#define BITS_OR(low, high, m) (bytes)vbslq_u8(vdupq_n_u8((uint8_t)(m)), (uint8x16_t)(high), (uint8x16_t)(low))
#define SHUFFLE(part, index) (bytes)vqtbl1q_u8((uint8x16_t)(part), (uint8x16_t)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)vbslq_u8(vtstq_u8((uint8x16_t)(index), vdupq_n_u8((uint8_t)(1 << (bit)))), (uint8x16_t)(b), (uint8x16_t)(a))
#define WORDS(a, b) BROADCAST((int32_t)((void)sizeof(b), (a))) /* b is not read */
#define PLUS_BIT(index, words, bit) (bytes)vsubq_u8((uint8x16_t)(index), vtstq_u8((uint8x16_t)(words), (uint8x16_t)(bit)))

#ifdef __ARM_FEATURE_DOTPROD
typedef int32x4_t accumulator;
#define ZERO vdupq_n_s32(0)
static inline __attribute__((always_inline)) int32x4_t dot(int32x4_t acc, bytes level, bytes query)
{
    return vdotq_s32(acc, (int8x16_t)level, (int8x16_t)query);
}
static inline __attribute__((always_inline)) int32x4_t lanes_of(int32x4_t acc) { return acc; }
#else
typedef struct { int32x4_t half[2]; } accumulator; /* rows 0, 0, 1, 1 and 2, 2, 3, 3 */
#define ZERO (accumulator) { { vdupq_n_s32(0), vdupq_n_s32(0) } }
static inline __attribute__((always_inline)) accumulator dot(accumulator acc, bytes level, bytes query)
{
    const int8x16_t l = (int8x16_t)level, q = (int8x16_t)query;
    acc.half[0] = vpadalq_s16(acc.half[0], vmull_s8(vget_low_s8(l), vget_low_s8(q)));
    acc.half[1] = vpadalq_s16(acc.half[1], vmull_high_s8(l, q));
    return acc;
}
static inline __attribute__((always_inline)) int32x4_t lanes_of(accumulator acc)
{
    return vpaddq_s32(acc.half[0], acc.half[1]);
}
#endif

/* Sums from `start`, or from what `out` holds. */
static inline __attribute__((always_inline)) void sums_of(accumulator acc, int32_t *out, int32_t start, int more)
{
    vst1q_s32(out, vaddq_s32(lanes_of(acc), more ? vld1q_s32(out) : vdupq_n_s32(start)));
}

static inline __attribute__((always_inline)) int32_t total(accumulator acc) { return vaddvq_s32(lanes_of(acc)); }
