/* SPDX-License-Identifier: MIT
 * angle.h - angle_f32 over any register width; after lanes_<isa>.h and a definition of ACOS.  vec_clamp
 * keeps NaN, which acos returns. */
#include "kernels/kernel.h"
#include <string.h>

static void sleef(const float *cosines, size_t count, float *angles)
{
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) vec_store(angles + i, ACOS(vec_clamp(vec_f32(cosines + i))));
    if (i == count) return;
    float last[WIDTH];
    vec_store(last, ACOS(vec_clamp(vec_f32_part(cosines + i, count - i))));
    memcpy(angles + i, last, (count - i) * sizeof *last);
}
