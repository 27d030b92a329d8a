/* SPDX-License-Identifier: MIT
 * fht_avx512.h - the strides inside a register, and then fht.h. */
#include "kernels/rows/lanes_avx512.h"

enum { BLOCK = 16 };

/* other + sign * x, one rounding: a + b where the sign is +, a - b where it is - (there x is b). */
static inline vec butterfly(vec x, vec other, __mmask16 minus)
{
    const vec one = _mm512_set1_ps(1);
    return vec_fma(x, _mm512_mask_sub_ps(one, minus, vec_zero(), one), other);
}

static inline vec fht_register(vec v)
{
    v = butterfly(v, _mm512_permute_ps(v, 0xb1), 0xaaaa);
    v = butterfly(v, _mm512_permute_ps(v, 0x4e), 0xcccc);
    v = butterfly(v, _mm512_shuffle_f32x4(v, v, 0xb1), 0xf0f0);
    return butterfly(v, _mm512_shuffle_f32x4(v, v, 0x4e), 0xff00);
}

#include "kernels/rotations/fht.h"
