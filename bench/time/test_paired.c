/* SPDX-License-Identifier: MIT
 * test_paired.c - p of paired differences against exact enumeration, and Holm by hand. */
#include "bench/time/paired.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <math.h>

/* All 2^n signs. */
static double exact(const double *d, size_t n)
{
    double sum = 0;
    size_t as_large = 0;
    for (size_t i = 0; i < n; i++) sum += d[i];
    for (size_t signs = 0; signs < (size_t)1 << n; signs++) {
        double flipped = 0;
        for (size_t i = 0; i < n; i++) flipped += signs >> i & 1 ? d[i] : -d[i];
        as_large += fabs(flipped) >= fabs(sum) - 1e-12;
    }
    return (double)as_large / (double)((size_t)1 << n);
}

static void against_enumeration(void)
{
    static const double sets[3][8] = { { .1, .2, -.1, .3, .2, .1, .2, -.05 },
                                       { 1, 1, 1, 1, 1, 1, 1, 1 },
                                       { .5, -.5, .25, -.3, .1, 0, 0, .2 } };
    for (int s = 0; s < 3; s++) {
        const double want = exact(sets[s], 8), got = paired_p(sets[s], 8, 1);
        CHECK(fabs(got - want) < 0.015, "set %d: %.4f, by enumeration %.4f", s, got, want);
    }
    const double none[4] = { 0 };
    CHECK(paired_p(none, 4, 1) == 1 && paired_p(none, 0, 1) == 1, "no difference");
    double all[60];
    for (int i = 0; i < 60; i++) all[i] = 0.1;
    CHECK(paired_p(all, 60, 1) == 1e-4, "the least is 1e-4: %g", paired_p(all, 60, 1));
}

/* Without a difference p is below 0.05 one time in twenty. */
static void nominal(void)
{
    struct rng r;
    rng_seed(&r, 5, 0);
    int below = 0;
    for (int run = 0; run < 300; run++) {
        double d[30];
        for (int i = 0; i < 30; i++) d[i] = ((double)rng_below(&r, 11) - (double)rng_below(&r, 11)) / 10;
        below += paired_p(d, 30, (uint64_t)run) < 0.05;
    }
    CHECK(below >= 5 && below <= 27, "%d of 300", below); /* 15, standard deviation 3.8 */
}

static void holm(void)
{
    static const double p[5] = { .01, .04, .03, .005, .5 }, want[5] = { .04, .09, .09, .025, .5 };
    double got[5];
    paired_holm(p, 5, got);
    for (int i = 0; i < 5; i++) CHECK(fabs(got[i] - want[i]) < 1e-12, "%d: %g, not %g", i, got[i], want[i]);
    static const double equal[3] = { .02, .02, .9 };
    paired_holm(equal, 3, got);
    CHECK(fabs(got[0] - .06) < 1e-12 && got[0] == got[1] && got[2] == .9, "%g %g %g", got[0], got[1], got[2]);
}

int main(void)
{
    test_case("randomization against enumeration", against_enumeration);
    test_case("no difference is found as often as it says", nominal);
    test_case("Holm", holm);
    return test_end();
}
