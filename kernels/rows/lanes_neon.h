/* SPDX-License-Identifier: MIT
 * lanes_neon.h - the 32 lanes of the canonical order as 8 q registers; see row_sums.h. */
#ifndef ASSAY_LANES_NEON_H
#define ASSAY_LANES_NEON_H
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define QUERY f32
#define SUM float
typedef float32x4_t vec;
enum {
    WIDTH = 4,
    PARTS = 32 / WIDTH,
    /* Rows of a pass: 3 x 8 accumulators of 32 registers; 16 hide 4 cycles of 4 FMA pipes. */
    ROWS = 3,
};

static inline vec vec_zero(void) { return vdupq_n_f32(0); }
static inline vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
static inline vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
static inline vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
static inline vec vec_fma(vec a, vec b, vec sum) { return vfmaq_f32(sum, a, b); }
static inline vec vec_square(vec d, vec sum) { return vec_fma(d, d, sum); }
static inline vec vec_f32(const float *x) { return vld1q_f32(x); }
static inline void vec_store(float *x, vec v) { vst1q_f32(x, v); }
/* The first n of WIDTH elements, +0 beyond. */
static inline vec vec_f32_part(const float *x, size_t n)
{
    float whole[WIDTH] = { 0 };
    for (size_t i = 0; i < n; i++) whole[i] = x[i];
    return vld1q_f32(whole);
}

static inline uint16x4_t u16_part(const uint16_t *x, size_t n)
{
    uint16_t whole[WIDTH] = { 0 };
    for (size_t i = 0; i < n; i++) whole[i] = x[i];
    return vld1_u16(whole);
}
static inline vec from_f16(uint16x4_t x) { return vcvt_f32_f16(vreinterpret_f16_u16(x)); }
static inline vec vec_f16(const uint16_t *x) { return from_f16(vld1_u16(x)); }
static inline vec vec_f16_part(const uint16_t *x, size_t n) { return from_f16(u16_part(x, n)); }
static inline vec from_bf16(uint16x4_t x) { return vreinterpretq_f32_u32(vshll_n_u16(x, 16)); }
static inline vec vec_bf16(const uint16_t *x) { return from_bf16(vld1_u16(x)); }
static inline vec vec_bf16_part(const uint16_t *x, size_t n) { return from_bf16(u16_part(x, n)); }

/* Canonical halving: l + l+16, l + l+8, l + l+4 (whole registers), l + l+2, l + l+1. */
static inline float sum_row(const vec sum[PARTS])
{
    const vec a = vec_add(vec_add(sum[0], sum[4]), vec_add(sum[2], sum[6]));
    const vec b = vec_add(vec_add(sum[1], sum[5]), vec_add(sum[3], sum[7]));
    const vec x = vec_add(a, b);
    return vpadds_f32(vadd_f32(vget_low_f32(x), vget_high_f32(x)));
}

static inline void sum_rows(vec sum[ROWS][PARTS], float *out)
{
    for (int r = 0; r < ROWS; r++) out[r] = sum_row(sum[r]);
}
/* sqrt and division round correctly everywhere, so this has the same bits on every machine. */
static inline vec inverse_root(vec x)
{
    const vec root = vdivq_f32(vdupq_n_f32(1), vsqrtq_f32(x));
    return vreinterpretq_f32_u32(vandq_u32(vcgtzq_f32(x), vreinterpretq_u32_f32(root)));
}

static inline void inverse_roots(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) vec_store(x + i, inverse_root(vec_f32(x + i)));
}
#endif
