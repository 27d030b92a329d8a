/* SPDX-License-Identifier: MIT
 * angle_f32_scalar.c - angles by SLEEF, one at a time: the same bits as the vector forms. */
#include "kernels/kernel.h"
#include <sleef.h>

static void plain(const float *cosines, size_t count, float *angles)
{
    for (size_t i = 0; i < count; i++) {
        const float c = cosines[i] > 1 ? 1 : cosines[i] < -1 ? -1 : cosines[i];
        angles[i] = Sleef_cinz_acosf1_u10purec(c);
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "SLEEF's acos, one at a time", "a call, a polynomial and a root per number"),
    KERNEL_END
};
