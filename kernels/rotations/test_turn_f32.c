/* SPDX-License-Identifier: MIT
 * test_turn_f32.c - every length and half against the definition, bit by bit, in place and not, with
 * fences at either end. */
#include "kernels/bound.h"
#include "kernels/check_kernel.h"
#include <math.h>

static struct fence fenced[3]; /* x, scale, out */

static void one(const struct kernel *k, size_t dim, size_t half, int at_end, int in_place)
{
    static float want[CHECK_LONGEST];
    static double exact[CHECK_LONGEST], size[CHECK_LONGEST];
    float *x = fence_at(fenced[0], dim * sizeof *x, at_end), *scale = fence_at(fenced[1], dim * sizeof *x, at_end);
    float *out = in_place ? x : fence_at(fenced[2], dim * sizeof *x, at_end);
    for (size_t i = 0; i < dim; i++) {
        x[i] = (float)(int32_t)test_rand() * 0x1p-31f;
        scale[i] = test_rand() & 1 ? 0.7071f : -1.3f;
        want[i] = x[i] * scale[i];
        exact[i] = (double)x[i] * scale[i];
        size[i] = fabs(exact[i]);
    }
    for (size_t i = 0; i + half < dim; i++) {
        const float a = want[i], b = want[i + half];
        const double c = exact[i], d = exact[i + half];
        want[i] = a + b, want[i + half] = a - b;
        exact[i] = c + d, exact[i + half] = c - d;
        size[i] = size[i + half] = fabs(c) + fabs(d);
    }
    k->fn.turn_f32(x, scale, dim, half, out);
    /* The compiler baselines may contract a product and a sum into one rounding. */
    for (size_t i = 0; i < dim && !test_enough(); i++) {
        const double bound = kernel_bound(k, &(struct bound_terms){ .dim = dim, .magnitude = size[i] });
        const double error = fabs(out[i] - exact[i]);
        check_error(error, bound);
        CHECK(error <= bound && (k->kind == KERNEL_BASELINE || out[i] == want[i]),
              "dim %zu half %zu: place %zu is %a, not %a +- %a", dim, half, i, (double)out[i], (double)want[i], bound);
    }
}

static void run(const void *k, void *unused, void *unused2)
{
    (void)unused, (void)unused2;
    for (size_t i = 0; i < CHECK_DIMS; i++)
        for (int way = 0; way < 4; way++) {
            const size_t dim = check_dim(i);
            one(k, dim, (dim + 1) / 2, way & 1, way >> 1);
            one(k, dim, dim, way & 1, way >> 1);
            one(k, dim, dim - dim / 3, way & 1, way >> 1);
        }
}

int main(void)
{
    for (int i = 0; i < 3; i++) fenced[i] = fence_make(CHECK_LONGEST * sizeof(float));
    check_every(OP_turn_f32, run, NULL, NULL);
    return test_end();
}
