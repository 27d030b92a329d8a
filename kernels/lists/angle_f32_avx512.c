/* SPDX-License-Identifier: MIT
 * angle_f32_avx512.c - angles by SLEEF, 16 at a time, in the form without fused multiply-add: the same bits on
 * every ISA. */
#include "kernels/rows/lanes_avx512.h"
#include <sleef.h>

#define ACOS Sleef_cinz_acosf16_u10avx512fnofma
/* Of a NaN and a number both give the second. */
static inline vec vec_clamp(vec v) { return _mm512_max_ps(_mm512_set1_ps(-1), _mm512_min_ps(_mm512_set1_ps(1), v)); }
#include "kernels/lists/angle.h"

KERNELS = {
    KERNEL("sleef", sleef, KERNEL_DEFAULT, "SLEEF's acos, 16 at a time",
           "a polynomial and a root for 16 numbers"),
    KERNEL_END
};
