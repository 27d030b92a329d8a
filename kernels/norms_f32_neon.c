/* SPDX-License-Identifier: MIT
 * norms_f32_neon.c - inverse norms in the canonical order.  Row by row: a row is read once, so that
 * memory is the limit, and rows overlap in the pipeline by themselves. */
#include "kernels/lanes_neon.h"
#define ROW f32
#include "kernels/row_sums.h"

static void single(const float *rows, size_t stride, size_t count, size_t dim, float *inverse)
{
    for (size_t r = 0; r < count; r++) inverse[r] = inverse_norm(rows + r * stride, dim);
}

KERNELS = {
    KERNEL("single", single, KERNEL_DEFAULT, "one row at a time",
           "a load and an FMA per register, then a root and a division; counted by hand, never timed"),
    KERNEL_END
};
