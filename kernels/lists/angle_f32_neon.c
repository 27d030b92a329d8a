/* SPDX-License-Identifier: MIT
 * angle_f32_neon.c - angles by SLEEF, 4 at a time, in the form without fused multiply-add: the same bits on
 * every ISA. */
#include "kernels/rows/lanes_neon.h"
#include <sleef.h>

#define ACOS Sleef_cinz_acosf4_u10advsimdnofma
static inline vec vec_clamp(vec v) { return vmaxq_f32(vdupq_n_f32(-1), vminq_f32(vdupq_n_f32(1), v)); }
#include "kernels/lists/angle.h"

KERNELS = {
    KERNEL("sleef", sleef, KERNEL_DEFAULT, "SLEEF's acos, 4 at a time",
           "a polynomial and a root for 4 numbers"),
    KERNEL_END
};
