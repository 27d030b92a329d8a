/* SPDX-License-Identifier: MIT
 * rng.h - seeded random numbers, the same on every machine, compiler and instruction set.
 *
 * xoshiro256++ (Blackman & Vigna 2021, doi 10.1145/3460772) seeded by splitmix64.  Normal
 * deviates are Box-Muller through SLEEF's cinz functions, whose results do not depend on the
 * vector width (SLEEF 3, "deterministic" variants). */
#ifndef ASSAY_RNG_H
#define ASSAY_RNG_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rng { uint64_t s[4]; };

/* Stream `stream` of `seed`: streams of one seed are independent draws. */
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
double rng_uniform(struct rng *r);                    /* [0, 1), 53 bits */
uint64_t rng_below(struct rng *r, uint64_t bound);    /* 0..bound-1 without bias; bound > 0 */
void rng_normal(struct rng *r, float *out, size_t n); /* n deviates of N(0, 1) */
/* 0..n-1 in random order (Fisher-Yates). */
void rng_shuffle(struct rng *r, uint32_t *out, size_t n);

#ifdef __cplusplus
}
#endif
#endif
