/* SPDX-License-Identifier: MIT
 * rotate_f32_avx512.c - rounds of a randomised Hadamard rotation (rotate.h).
 *
 * A register and round of d = 384 are 4 shuffles, 4 FMAs, 1 xor, 3 additions of strides between registers and
 * 2 of the mix: 14 half-speed uops on 4 pipes (a zmm takes a pipe for 2 cycles), so 24 registers and 2 rounds
 * are 336 cycles at the least, 91 ns at 3.7 GHz; llvm-mca (znver3) says 273 by ports, 390 with the chains.
 * Measured on Zen 4 in L1, two rounds, d = 384 / 768 / 1536: 155 / 301 / 617 ns, 76 to 93 % of the measured
 * FMA ceiling with an addition counted as an FMA.  Overlapping windows of 256 / 512 / 1024, which took the
 * place of parts before, were 245 / 547 / 1135 ns; RaBitQ-Library's rotator, 549 / 1057 / 2267. */
#include "kernels/kernel.h"
#include "kernels/rotations/fht_avx512.h"

enum { MIX = 24 };

static inline vec vec_all(float x) { return _mm512_set1_ps(x); }
static inline vec vec_flip(vec v, const uint32_t *signs)
{
    return _mm512_xor_ps(v, _mm512_loadu_ps(signs));
}

#include "kernels/rotations/rotate.h"

static void passes(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale, float *out)
{
    rotate(x, signs, dim, parts, rounds, scale, out);
}

KERNELS = {
    KERNEL("passes", passes, KERNEL_DEFAULT, "two passes a round, whole registers",
           "per 16 elements and round 4 shuffles, 4 FMAs, 1 xor, log2(part) - 4 additions, 2 more to mix"),
    KERNEL_END
};
