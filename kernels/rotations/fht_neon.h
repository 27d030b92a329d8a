/* SPDX-License-Identifier: MIT
 * fht_neon.h - the strides inside a register, and then fht.h. */
#include "kernels/rows/lanes_neon.h"

enum { BLOCK = 16 };

static inline vec fht_register(vec v)
{
    static const float signs[2][4] = { { 1, -1, 1, -1 }, { 1, 1, -1, -1 } };
    v = vec_fma(v, vld1q_f32(signs[0]), vrev64q_f32(v));
    return vec_fma(v, vld1q_f32(signs[1]), vextq_f32(v, v, 2));
}

#include "kernels/rotations/fht.h"
