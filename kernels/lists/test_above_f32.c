/* SPDX-License-Identifier: MIT
 * test_above_f32.c - every length, from none to all above the bound, ties and NaN, fences at either end. */
#include "kernels/check_kernel.h"
#include <math.h>

static struct fence fenced[2];

static void one(const struct kernel *k, size_t count, unsigned share, float bound, int at_end)
{
    float *scores = fence_at(fenced[0], count * sizeof *scores, at_end);
    uint32_t *kept = fence_at(fenced[1], count * sizeof *kept, at_end), want[CHECK_LONGEST];
    size_t n = 0;
    for (size_t r = 0; r < count; r++) {
        const uint64_t z = test_rand();
        scores[r] = z >> 8 & 7 ? (z % 100 < share ? 1.5f : -1.5f) : (z >> 12 & 7 ? bound : NAN);
        if (scores[r] >= bound) want[n++] = (uint32_t)r;
    }
    const size_t got = k->fn.above_f32(scores, count, bound, kept);
    CHECK(got == n && !memcmp(kept, want, n * sizeof *want), "count %zu share %u bound %g: %zu kept, not %zu", count,
          share, (double)bound, got, n);
}

static void run(const void *k, void *unused, void *unused2)
{
    (void)unused, (void)unused2;
    for (size_t i = 0; i < CHECK_DIMS && !test_enough(); i++)
        for (unsigned share = 0; share <= 100; share += share < 4 ? 2 : 32)
            for (int at_end = 0; at_end < 2; at_end++) {
                const size_t count = check_dim(i);
                one(k, count, share, 0, at_end);
                one(k, count, share, -INFINITY, at_end);
                one(k, count, share, INFINITY, at_end);
            }
}

int main(void)
{
    for (int i = 0; i < 2; i++) fenced[i] = fence_make(CHECK_LONGEST * 4);
    check_every(OP_above_f32, run, NULL, NULL);
    return test_end();
}
