/* SPDX-License-Identifier: MIT
 * turn_f32_avx512.c - signs and 45 degree turns.  A kernel, though compilers vectorise the loop, for
 * the sake of the transform that follows: its wide loads cannot be forwarded from narrow stores. */
#include "kernels/kernel.h"
#include "kernels/rows/lanes_avx512.h"
#include "kernels/rotations/turn.h"

static void wide(const float *x, const float *scale, size_t dim, size_t half, float *out)
{
    turn(x, scale, dim, half, out);
}

KERNELS = {
    KERNEL("wide", wide, KERNEL_DEFAULT, "whole registers", "2 loads and a store per register"),
    KERNEL_END
};
