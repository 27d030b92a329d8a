/* SPDX-License-Identifier: MIT
 * angle_f32_avx2.c - angles by SLEEF, 8 at a time, in the form without fused multiply-add: the same bits on
 * every ISA. */
#include "kernels/rows/lanes_avx2.h"
#include <sleef.h>

#define ACOS Sleef_cinz_acosf8_u10avx
/* Of a NaN and a number both give the second. */
static inline vec vec_clamp(vec v) { return _mm256_max_ps(_mm256_set1_ps(-1), _mm256_min_ps(_mm256_set1_ps(1), v)); }
#include "kernels/lists/angle.h"

KERNELS = {
    KERNEL("sleef", sleef, KERNEL_DEFAULT, "SLEEF's acos, 8 at a time",
           "a polynomial and a root for 8 numbers"),
    KERNEL_END
};
