/* SPDX-License-Identifier: MIT
 * test_angle_f32.c - angles against acosl(), within the ulp of ops.def, at every length, with fences at
 * either end, in place and not; beyond +-1, NaN, and the same bits everywhere (recorded). */
#include "kernels/bound.h"
#include "kernels/check_kernel.h"
#include <float.h>
#include <math.h>

enum { MANY = 1 << 16 };
static struct fence fenced[2]; /* cosines, angles */
static const uint64_t RECORDED = 0xbef0d8d0874cda14;

/* Everything that is special, then cosines of all sizes, many of them near +-1 and 0. */
static float cosine(size_t i)
{
    static const float special[] = { 0, -0.0f, 1, -1, 0x1.fffffep-1f, -0x1.fffffep-1f, 1.0000001f, -1.0000001f, 2, -INFINITY,
                                     INFINITY, 0.5f, -0.5f, 0x1.000002p-1f, 0x1.fffffep-2f, 0x1p-149f, FLT_MIN, -0x1p-30f };
    const size_t specials = sizeof special / sizeof *special;
    if (i < specials) return special[i];
    const float x = (float)(int32_t)test_rand() * 0x1p-31f, small = ldexpf(x, -(int)(i % 40));
    return i % 3 == 0 ? x : i % 3 == 1 ? small : copysignf(1, x) - small;
}

static void judge(const struct kernel *k, float c, float got)
{
    const long double exact = acosl(fminf(1, fmaxf(-1, c)));
    const double ulp = kernel_bound(k, &(struct bound_terms){ .magnitude = (double)exact }), error = (double)fabsl(got - exact);
    check_error(error, ulp);
    CHECK(error <= ulp, "the angle of %a is %La, not %a", (double)c, exact, (double)got);
}

static void run(const void *kernel, void *unused, void *unused2)
{
    const struct kernel *k = kernel;
    static float cosines[MANY], angles[MANY];
    (void)unused, (void)unused2;
    test_seed = 20260102;
    for (size_t i = 0; i < MANY; i++) cosines[i] = cosine(i);
    k->fn.angle_f32(cosines, MANY, angles);
    for (size_t i = 0; i < MANY && !test_enough(); i++) judge(k, cosines[i], angles[i]);
    const uint64_t hash = check_hash(CHECK_HASH_START, angles, sizeof angles);
    CHECK(hash == RECORDED || k->kind == KERNEL_BASELINE, "hash of the angles is %#llx, recorded %#llx",
          (unsigned long long)hash, (unsigned long long)RECORDED);
    for (size_t i = 0; i < CHECK_DIMS && !test_enough(); i++)
        for (int way = 0; way < 4; way++) {
            const size_t n = check_dim(i);
            float *in = fence_at(fenced[0], n * sizeof *in, way & 1);
            float *out = way >> 1 ? in : fence_at(fenced[1], n * sizeof *out, way & 1);
            memcpy(in, cosines, n * sizeof *in);
            k->fn.angle_f32(in, n, out);
            CHECK(!memcmp(out, angles, n * sizeof *out), "count %zu: otherwise than as a part of many", n);
        }
    const float none = NAN;
    float got = 0;
    k->fn.angle_f32(&none, 1, &got);
    CHECK(isnan(got), "the angle of NaN is %a", (double)got);
}

int main(void)
{
    for (int i = 0; i < 2; i++) fenced[i] = fence_make(CHECK_LONGEST * sizeof(float));
    check_every(OP_angle_f32, run, NULL, NULL);
    return test_end();
}
