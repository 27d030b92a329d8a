/* SPDX-License-Identifier: MIT
 * side.c - draws the rows of a file beside a base that are made again. */
#include "pipeline/side.h"
#include "kernels/base/rng.h"
#include <sys/random.h>
#include <time.h>

size_t side_sample(size_t count, size_t rows[SIDE_SAMPLE])
{
    const size_t most = count < SIDE_SAMPLE ? count : SIDE_SAMPLE;
    uint64_t seed = 0;
    struct rng rng;
    /* Who forges a file must not know which rows are looked at; without a kernel that says, the time will do. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) seed = (uint64_t)time(NULL);
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < most; i++) {
        const size_t from = count / most * i + (count % most * i) / most, to = count / most * (i + 1) + (count % most * (i + 1)) / most;
        rows[i] = from + (size_t)rng_below(&rng, to - from);
    }
    return most;
}
