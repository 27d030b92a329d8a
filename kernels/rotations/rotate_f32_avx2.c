/* SPDX-License-Identifier: MIT
 * rotate_f32_avx2.c - rounds of a randomised Hadamard rotation (rotate.h). */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_avx2.h"

enum { MIX = 12 };

static inline vec vec_all(float x) { return _mm256_set1_ps(x); }
static inline vec vec_flip(vec v, const uint32_t *signs)
{
    return _mm256_xor_ps(v, _mm256_loadu_ps((const float *)signs));
}

#include "kernels/rotations/rotate.h"

static void passes(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale, float *out)
{
    rotate(x, signs, dim, parts, rounds, scale, out);
}

KERNELS = {
    KERNEL("passes", passes, KERNEL_DEFAULT, "two passes a round, whole registers",
           "per 8 elements and round 3 shuffles, 3 FMAs, 1 xor, log2(part) - 3 additions, 2 more to mix"),
    KERNEL_END
};
