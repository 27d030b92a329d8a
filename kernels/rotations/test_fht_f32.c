/* SPDX-License-Identifier: MIT
 * test_fht_f32.c - Walsh-Hadamard transforms: every power of two to 16,384, flush against a fence
 * at either end, within the error bound of a transform in double, and with the bits of the
 * definition's own order of butterflies. */
#include "kernels/base/mem.h"
#include "kernels/bound.h"
#include "kernels/check_kernel.h"
#include <math.h>

enum { LONGEST = 16384, GUARD = 16 };
enum fill { ZEROS, ONES, ALTERNATING, ONE_HOT, RANDOM, SPREAD, BIG, TINY, FILLS };

struct inputs {
    float *x; /* FILLS x LONGEST */
    struct fence fence;
};

static void fill_with(float *x, enum fill fill)
{
    for (size_t i = 0; i < LONGEST; i++) {
        const uint64_t z = test_rand();
        const float random = (float)((int)(z >> 40) - (1 << 23)) * 0x1p-23f;
        const float values[] = { [ZEROS] = 0, [ONES] = 1, [ALTERNATING] = i % 2 ? -1 : 1, [ONE_HOT] = i == 0,
                                 [RANDOM] = random, [SPREAD] = ldexpf(random, (int)(z % 61) - 30),
                                 [BIG] = z & 1 ? -0x1p100f : 0x1p-100f, [TINY] = random * 0x1p-140f };
        x[i] = values[fill];
    }
}

/* The definition, one butterfly after the other, in the order of the strides. */
static void definition(float *x, double *exact, size_t n)
{
    for (size_t stride = 1; stride < n; stride *= 2)
        for (size_t i = 0; i < n; i++) {
            if (i & stride) continue;
            const float a = x[i], b = x[i + stride];
            const double c = exact[i], d = exact[i + stride];
            x[i] = a + b, x[i + stride] = a - b;
            exact[i] = c + d, exact[i + stride] = c - d;
        }
}

static void one_size(const struct kernel *k, const struct inputs *in, size_t n, enum fill fill, int at_end,
                     uint64_t *hash)
{
    static float want[LONGEST];
    static double exact[LONGEST];
    double magnitude = 0;
    float *x = fence_at(in->fence, n * sizeof *x, at_end), *guard = at_end ? x - GUARD : x + n;
    for (size_t i = 0; i < n; i++) {
        want[i] = x[i] = in->x[(size_t)fill * LONGEST + i];
        exact[i] = want[i];
        magnitude += fabs(exact[i]);
    }
    definition(want, exact, n);
    memset(guard, 0xa5, GUARD * sizeof *guard);
    k->fn.fht_f32(x, n);
    const double bound = kernel_bound(k, &(struct bound_terms){ .dim = n, .magnitude = magnitude });
    for (size_t i = 0; i < n; i++) {
        const double error = fabs((double)x[i] - exact[i]);
        check_error(error, bound);
        const int same = k->kind == KERNEL_BASELINE || !memcmp(&x[i], &want[i], sizeof x[i]);
        CHECK(error <= bound && same, "n %zu fill %d: place %zu is %a, by definition %a, exactly %a +- %a", n, fill,
              i, (double)x[i], (double)want[i], exact[i], bound);
        if (test_enough()) return;
    }
    *hash = check_hash(*hash, x, n * sizeof *x);
    for (int i = 0; i < GUARD; i++)
        CHECK(!memcmp((unsigned char *)&guard[i], "\xa5\xa5\xa5\xa5", 4), "n %zu: wrote outside", n);
}

static void run(const void *kernel, void *inputs, void *unused)
{
    const struct kernel *k = kernel;
    uint64_t hash = CHECK_HASH_START;
    (void)unused;
    for (size_t n = 1; n <= LONGEST; n *= 2)
        for (int fill = 0; fill < FILLS; fill++)
            for (int at_end = 0; at_end < 2; at_end++) one_size(k, inputs, n, (enum fill)fill, at_end, &hash);
    CHECK(hash == 0x4cce12f17acd8f1d || k->kind == KERNEL_BASELINE,
          "hash of the results is %#llx", (unsigned long long)hash);
}

int main(void)
{
    const size_t room = (LONGEST + GUARD) * sizeof(float);
    struct inputs in = { mem_alloc(FILLS * LONGEST, sizeof(float)), fence_make(room) };
    if (!in.x) return TEST_FAIL;
    test_seed = 20260102;
    for (int fill = 0; fill < FILLS; fill++) fill_with(in.x + (size_t)fill * LONGEST, (enum fill)fill);
    check_every(OP_fht_f32, run, &in, NULL);
    mem_free(in.x);
    return test_end();
}
