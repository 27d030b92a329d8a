/* SPDX-License-Identifier: MIT
 * rng.c - xoshiro256++, and normals by Box-Muller with SLEEF, four at a time. */
#include "kernels/base/rng.h"
#include <sleef.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = splitmix(&state) ^ (stream * 0xd1342543de82ef95u + 1);
    for (int i = 0; i < 4; i++) r->s[i] = splitmix(&state);
}

static uint64_t rotate_left(uint64_t x, int k) { return x << k | x >> (64 - k); }

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    const uint64_t result = rotate_left(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rng_uniform(struct rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    const uint64_t reject_below = -bound % bound; /* 2^64 mod bound */
    uint64_t x;
    do x = rng_next(r);
    while (x < reject_below);
    return x % bound;
}

/* Four pairs of Box-Muller at a time.  u in (0, 1] with 40 bits, so |z| reaches 7.4; the angle in
 * half turns, [0, 2) with 24 bits. */
#if defined(__x86_64__)
#include <emmintrin.h>
static void box_muller4(const float u[4], const float turns[4], float cosine[4], float sine[4])
{
    const __m128 log_u = Sleef_cinz_logf4_u10sse2(_mm_loadu_ps(u));
    const __m128 radius = _mm_sqrt_ps(_mm_mul_ps(_mm_set1_ps(-2.0f), log_u));
    const Sleef___m128_2 sc = Sleef_cinz_sincospif4_u05sse2(_mm_loadu_ps(turns));
    _mm_storeu_ps(sine, _mm_mul_ps(radius, sc.x));
    _mm_storeu_ps(cosine, _mm_mul_ps(radius, sc.y));
}
#elif defined(__aarch64__)
#include <arm_neon.h>
static void box_muller4(const float u[4], const float turns[4], float cosine[4], float sine[4])
{
    const float32x4_t log_u = Sleef_cinz_logf4_u10advsimdnofma(vld1q_f32(u));
    const float32x4_t radius = vsqrtq_f32(vmulq_f32(vdupq_n_f32(-2.0f), log_u));
    const Sleef_float32x4_t_2 sc = Sleef_cinz_sincospif4_u05advsimdnofma(vld1q_f32(turns));
    vst1q_f32(sine, vmulq_f32(radius, sc.x));
    vst1q_f32(cosine, vmulq_f32(radius, sc.y));
}
#else
#error "rng.c: no SLEEF form chosen for this architecture"
#endif

void rng_normal(struct rng *r, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        float u[4], turns[4], z[8];
        for (int lane = 0; lane < 4; lane++) {
            const uint64_t bits = rng_next(r);
            u[lane] = (float)((double)((bits >> 24) + 1) * 0x1p-40);
            turns[lane] = (float)(bits & 0xffffff) * 0x1p-23f;
        }
        box_muller4(u, turns, z, z + 4);
        for (size_t j = 0; j < 8 && i + j < n; j++) out[i + j] = z[j];
    }
}

void rng_shuffle(struct rng *r, uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t j = (size_t)rng_below(r, i + 1);
        out[i] = out[j];
        out[j] = (uint32_t)i;
    }
}
