/* SPDX-License-Identifier: MIT
 * fht_avx2.h - the strides inside a register, and then fht.h. */
#include "kernels/rows/lanes_avx2.h"

enum { BLOCK = 8 };

/* other + sign * x, one rounding: a + b where the sign is +1, a - b where it is -1 (there x is b). */
static inline vec butterfly(vec x, vec other, vec sign) { return vec_fma(x, sign, other); }

static inline vec fht_register(vec v)
{
    v = butterfly(v, _mm256_permute_ps(v, 0xb1), _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1));
    v = butterfly(v, _mm256_permute_ps(v, 0x4e), _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1));
    return butterfly(v, _mm256_permute2f128_ps(v, v, 1), _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1));
}

#include "kernels/rotations/fht.h"
