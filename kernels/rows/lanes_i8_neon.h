/* SPDX-License-Identifier: MIT
 * lanes_i8_neon.h - exact int8 sums in q registers, by SDOT and UDOT where the ISA has them; see
 * row_sums.h for its use.  Sums are int32 lanes, operands the same register seen as bytes. */
#ifndef ASSAY_LANES_I8_NEON_H
#define ASSAY_LANES_I8_NEON_H
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY i8
#define SUM int32_t
typedef int32x4_t vec;
enum { WIDTH = 16, PARTS = 2, ROWS = 4 };
static inline vec vec_zero(void) { return vdupq_n_s32(0); }
static inline int8x16_t bytes(vec x) { return vreinterpretq_s8_s32(x); }
/* |a - b| as unsigned bytes: up to 255, for vec_square alone. */
static inline vec vec_sub(vec a, vec b) { return vreinterpretq_s32_s8(vabdq_s8(bytes(a), bytes(b))); }

#ifdef __ARM_FEATURE_DOTPROD
static inline vec vec_fma(vec a, vec b, vec sum) { return vdotq_s32(sum, bytes(a), bytes(b)); }
static inline vec vec_square(vec d, vec sum)
{
    const uint8x16_t u = vreinterpretq_u8_s32(d);
    return vreinterpretq_s32_u32(vdotq_u32(vreinterpretq_u32_s32(sum), u, u));
}
#else
static inline vec vec_fma(vec a, vec b, vec sum)
{
    const int16x8_t low = vmull_s8(vget_low_s8(bytes(a)), vget_low_s8(bytes(b)));
    return vpadalq_s16(vpadalq_s16(sum, low), vmull_high_s8(bytes(a), bytes(b)));
}
static inline vec vec_square(vec d, vec sum)
{
    const uint8x16_t u = vreinterpretq_u8_s32(d);
    const uint16x8_t low = vmull_u8(vget_low_u8(u), vget_low_u8(u));
    return vreinterpretq_s32_u32(
        vpadalq_u16(vpadalq_u16(vreinterpretq_u32_s32(sum), low), vmull_high_u8(u, u)));
}
#endif
static inline vec vec_i8(const int8_t *x) { return vreinterpretq_s32_s8(vld1q_s8(x)); }
static inline vec vec_i8_part(const int8_t *x, size_t n)
{
    int8_t whole[WIDTH] = { 0 };
    for (size_t i = 0; i < n; i++) whole[i] = x[i];
    return vec_i8(whole);
}

static inline int32_t sum_row(const vec sum[PARTS]) { return vaddvq_s32(vaddq_s32(sum[0], sum[1])); }
static inline void sum_rows(vec sum[ROWS][PARTS], int32_t *out)
{
    for (int r = 0; r < ROWS; r++) out[r] = sum_row(sum[r]);
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 4) {
        const float32x4_t v = vld1q_f32(x + i), root = vdivq_f32(vdupq_n_f32(1), vsqrtq_f32(v));
        vst1q_f32(x + i, vreinterpretq_f32_u32(vandq_u32(vcgtzq_f32(v), vreinterpretq_u32_f32(root))));
    }
}
#endif
