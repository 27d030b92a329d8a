/* SPDX-License-Identifier: MIT
 * test_turn_f32.c - every length and half against the definition, bit by bit, in place and not, with
 * fences at either end. */
#include "kernels/check_kernel.h"

static struct fence fenced[3]; /* x, scale, out */

static void one(const struct kernel *k, size_t dim, size_t half, int at_end, int in_place)
{
    static float want[CHECK_LONGEST];
    float *x = fence_at(fenced[0], dim * sizeof *x, at_end), *scale = fence_at(fenced[1], dim * sizeof *x, at_end);
    float *out = in_place ? x : fence_at(fenced[2], dim * sizeof *x, at_end);
    for (size_t i = 0; i < dim; i++) {
        x[i] = (float)(int32_t)test_rand() * 0x1p-31f;
        scale[i] = test_rand() & 1 ? 0.7071f : -1.3f;
        want[i] = x[i] * scale[i];
    }
    for (size_t i = 0; i + half < dim; i++) {
        const float a = want[i], b = want[i + half];
        want[i] = a + b, want[i + half] = a - b;
    }
    k->fn.turn_f32(x, scale, dim, half, out);
    /* The compiler baselines may contract a product and a sum into one rounding. */
    for (size_t i = 0; i < dim && test_failures < 5; i++)
        CHECK(k->kind == KERNEL_BASELINE ? out[i] - want[i] < 1e-6f && want[i] - out[i] < 1e-6f : out[i] == want[i],
              "dim %zu half %zu: place %zu is %a, not %a", dim, half, i, (double)out[i], (double)want[i]);
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
