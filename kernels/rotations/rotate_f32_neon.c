/* SPDX-License-Identifier: MIT
 * rotate_f32_neon.c - rounds of a randomised Hadamard rotation (rotate.h). */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_neon.h"

enum { MIX = 24 };

static inline vec vec_all(float x) { return vdupq_n_f32(x); }
static inline vec vec_flip(vec v, const uint32_t *signs)
{
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(v), vld1q_u32(signs)));
}

#include "kernels/rotations/rotate.h"

static void passes(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale, float *out)
{
    rotate(x, signs, dim, parts, rounds, scale, out);
}

KERNELS = {
    KERNEL("passes", passes, KERNEL_DEFAULT, "two passes a round, whole registers",
           "per 4 elements and round 2 shuffles, 2 FMAs, 1 xor, log2(part) - 2 additions, 2 more to mix; never timed"),
    KERNEL_END
};
