/* SPDX-License-Identifier: MIT
 * paired.c - the randomization test, and Holm's correction. */
#include "bench/time/paired.h"
#include "kernels/base/rng.h"
#include <math.h>

enum { FLIPS = 9999 };

double paired_p(const double *differences, size_t n, uint64_t seed)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        sum += differences[i];
        size += fabs(differences[i]);
    }
    if (size == 0) return 1;
    const double wanted = fabs(sum) - 1e-12 * size; /* sums in another order are as large */
    struct rng r;
    rng_seed(&r, seed, 0);
    size_t as_large = 0;
    for (size_t flip = 0; flip < FLIPS; flip++) {
        double flipped = 0;
        uint64_t signs = 0;
        for (size_t i = 0, left = 0; i < n; i++) {
            if (differences[i] == 0) continue;
            if (left == 0) signs = rng_next(&r), left = 64;
            flipped += signs & 1 ? differences[i] : -differences[i];
            signs >>= 1;
            left--;
        }
        as_large += fabs(flipped) >= wanted;
    }
    return (double)(as_large + 1) / (FLIPS + 1);
}

void paired_holm(const double *p, size_t n, double *adjusted)
{
    for (size_t i = 0; i < n; i++) {
        double most = 0;
        for (size_t j = 0; j < n; j++) { /* of those that come no later than i: the largest p times what is left */
            if (p[j] > p[i]) continue;
            size_t before = 0;
            for (size_t l = 0; l < n; l++) before += p[l] < p[j];
            most = fmax(most, p[j] * (double)(n - before));
        }
        adjusted[i] = fmin(most, 1);
    }
}
