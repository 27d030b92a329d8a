/* SPDX-License-Identifier: MIT
 * half.h - IEEE binary16 (f16) and bfloat16 (bf16) as uint16_t, to and from float, without any
 * instruction for it: for the scalar kernels and for whoever stores rows.  Widening is exact, narrowing
 * rounds to nearest even; too large becomes infinite, NaN stays NaN. */
#ifndef ASSAY_HALF_H
#define ASSAY_HALF_H
#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float f32_of_bf16(uint16_t x) { return float_of_bits((uint32_t)x << 16); }
static inline uint16_t bf16_of_f32(float x)
{
    const uint32_t bits = float_bits(x);
    if (x != x) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float f32_of_f16(uint16_t x)
{
    const uint32_t sign = (uint32_t)(x & 0x8000) << 16, rest = (uint32_t)(x & 0x7fff) << 13;
    if ((x & 0x7c00) == 0x7c00) return float_of_bits(sign | 0x7f800000 | rest);
    /* The exponents' biases differ by 127 - 15; a subnormal comes out of the product normalised. */
    return float_of_bits(sign | float_bits(float_of_bits(rest) * 0x1p112f));
}
static inline uint16_t f16_of_f32(float x)
{
    const uint32_t bits = float_bits(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    const float size = float_of_bits(rest);
    if (x != x) return (uint16_t)(sign | 0x7e00);
    if (size >= 65520) return (uint16_t)(sign | 0x7c00);
    /* Below 2^-14 the step is 2^-24 throughout, which is the step of floats from 0.5 on. */
    if (size < 0x1p-14f) return (uint16_t)(sign | (float_bits(size + 0.5f) - float_bits(0.5f)));
    return (uint16_t)(sign | (((rest + 0xfff + (rest >> 13 & 1)) >> 13) - (112 << 10)));
}
#endif
