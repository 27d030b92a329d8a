/* SPDX-License-Identifier: MIT
 * test_rotate_f32.c - rotations of one, three and five parts of every size, flush against a fence at either
 * end, in place and not, of numbers of all sizes, with the bits of the definition and within the error of one in
 * double. */
#include "kernels/base/mem.h"
#include "kernels/bound.h"
#include "kernels/check_kernel.h"
#include <math.h>

enum { LONGEST = 8192, ROUNDS = 3 };
static struct fence fenced[3]; /* x, signs, out */
enum fill { RANDOM, SPREAD, BIG, TINY, ONE_HOT, FILLS };
struct shape {
    size_t power, parts;
    int rounds;
    enum fill fill;
    int at_end, in_place;
};

/* 1/8 of them 0; tiny ones are subnormal. */
static float number(enum fill fill, int is_last)
{
    const uint64_t z = test_rand();
    const float random = z % 8 ? (float)(int32_t)(z >> 32) * 0x1p-31f : 0;
    const float values[] = { [RANDOM] = random, [SPREAD] = ldexpf(random, (int)(z >> 8 & 63) - 32),
                             [BIG] = z & 256 ? -0x1p70f : 0x1p-70f, [TINY] = random * 0x1p-130f, [ONE_HOT] = is_last };
    return values[fill];
}

static void transform(float *x, double *exact, size_t n)
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

static void define(float *x, double *exact, const uint32_t *signs, size_t power, size_t parts)
{
    for (size_t i = 0; i < parts * power; i++)
        if (signs[i]) x[i] = -x[i], exact[i] = -exact[i];
    for (size_t p = 0; p < parts; p++) transform(x + p * power, exact + p * power, power);
    for (size_t i = 0; i < power && parts > 1; i++) {
        float sum = x[i];
        double whole = exact[i];
        for (size_t p = 1; p < parts; p++) sum += x[p * power + i], whole += exact[p * power + i];
        sum *= 2.0f / (float)parts;
        for (size_t p = 0; p < parts; p++) x[p * power + i] -= sum, exact[p * power + i] -= 2 * whole / (double)parts;
    }
}

static void one(const struct kernel *k, const struct shape *s, uint64_t *hash)
{
    static float before[LONGEST], want[LONGEST];
    static double exact[LONGEST];
    const size_t dim = s->power * s->parts, bytes = dim * sizeof(float);
    const struct fence out_room = fenced[s->in_place ? 0 : 2];
    fence_paint(out_room);
    float *x = fence_at(fenced[0], bytes, s->at_end), *out = s->in_place ? x : fence_at(out_room, bytes, s->at_end);
    uint32_t *signs = fence_at(fenced[1], (size_t)s->rounds * bytes, s->at_end);
    const float scale = 0.37f;
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        before[i] = x[i] = number(s->fill, i + 1 == dim);
        want[i] = x[i] * scale;
        exact[i] = want[i];
        square += exact[i] * exact[i];
    }
    for (size_t i = 0; i < (size_t)s->rounds * dim; i++) signs[i] = test_rand() & 1 ? 0x80000000u : 0;
    for (int round = 0; round < s->rounds; round++)
        define(want, exact, signs + (size_t)round * dim, s->power, s->parts);
    k->fn.rotate_f32(x, signs, dim, s->parts, s->rounds, scale, out);
    const double bound = kernel_bound(k, &(struct bound_terms){ .dim = dim, .magnitude = sqrt(square), .parts = s->parts, .rounds = s->rounds });
    for (size_t i = 0; i < dim && !test_enough(); i++) {
        const double error = fabs((double)out[i] - exact[i]);
        check_error(error, bound);
        CHECK(error <= bound && (k->kind == KERNEL_BASELINE || !memcmp(&out[i], &want[i], sizeof *out)),
              "%zu parts of %zu, %d rounds, fill %d: place %zu is %a, by definition %a, exactly %a +- %a", s->parts,
              s->power, s->rounds, (int)s->fill, i, (double)out[i], (double)want[i], exact[i], bound);
    }
    CHECK(untouched(out_room, out, bytes), "%zu parts of %zu: wrote outside", s->parts, s->power);
    CHECK(s->in_place || !memcmp(x, before, bytes), "%zu parts of %zu: x is not what it was", s->parts, s->power);
    *hash = check_hash(*hash, out, bytes);
}

static void run(const void *kernel, void *recorded, void *unused)
{
    const struct kernel *k = kernel;
    uint64_t hash = CHECK_HASH_START;
    (void)unused;
    for (size_t parts = 1; parts <= 5; parts += 2)
        for (size_t power = 1; parts * power <= LONGEST && !test_enough(); power *= 2)
            for (int rounds = 1; rounds <= ROUNDS; rounds++)
                for (int fill = 0; fill < FILLS; fill++)
                    for (int way = 0; way < 4; way++)
                        one(k, &(struct shape){ power, parts, rounds, (enum fill)fill, way & 1, way >> 1 }, &hash);
    CHECK(!recorded || k->kind == KERNEL_BASELINE || hash == *(uint64_t *)recorded, "hash of the results is %#llx",
          (unsigned long long)hash);
}

/* --- wrong ones ------------------------------------------------------------------------------ */

#define PLANT(name)                                                                                        \
    static void name(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale, \
                     float *out)
#define RIGHT kernel_next(OP_rotate_f32, NULL)->fn.rotate_f32

PLANT(skips_last_mix)
{
    RIGHT(x, signs, dim, parts, rounds, scale, out);
    const size_t power = dim / parts;
    for (size_t i = 0; i < power && parts > 1; i++) { /* the mix is its own inverse, but for rounding */
        float sum = 0;
        for (size_t p = 0; p < parts; p++) sum += out[p * power + i];
        for (size_t p = 0; p < parts; p++) out[p * power + i] -= sum * (2.0f / (float)parts);
    }
}
PLANT(repeats_signs)
{
    RIGHT(x, signs, dim, parts, 1, scale, out);
    for (int round = 1; round < rounds; round++) RIGHT(out, signs, dim, parts, 1, 1, out);
}
PLANT(scales_last)
{
    RIGHT(x, signs, dim, parts, rounds, 1, out);
    for (size_t i = 0; i < dim; i++) out[i] *= scale;
}
PLANT(flushes_subnormals)
{
    RIGHT(x, signs, dim, parts, rounds, scale, out);
    for (size_t i = 0; i < dim; i++) out[i] = fabsf(out[i]) < 0x1p-126f ? 0 : out[i];
}
PLANT(works_in_x)
{
    RIGHT(x, signs, dim, parts, rounds, scale, (float *)(uintptr_t)x);
    memcpy(out, x, dim * sizeof *out);
}
PLANT(stores_a_register_more)
{
    RIGHT(x, signs, dim, parts, rounds, scale, out);
    if (dim == 24) out[dim] = 0;
}

static void plants_are_caught(void)
{
    static const struct { const char *name; rotate_f32_fn *fn; } plants[] = {
        { "skips the last mix", skips_last_mix },         { "repeats the first round's signs", repeats_signs },
        { "scales at the end", scales_last },             { "flushes subnormals", flushes_subnormals },
        { "works in x", works_in_x },                     { "stores a register more", stores_a_register_more },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        const struct kernel k = { .op = OP_rotate_f32, .variant = "planted", .fn.rotate_f32 = plants[i].fn };
        CHECK(check_quietly(run, &k, NULL, NULL) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
    }
}

int main(void)
{
    const size_t room = LONGEST * sizeof(float);
    for (int i = 0; i < 3; i++) fenced[i] = fence_make(i == 1 ? ROUNDS * room : room);
    uint64_t recorded = 0xf00259f5a1e83715;
    test_seed = 20260103;
    check_start();
    test_case("planted wrong kernels are caught", plants_are_caught);
    check_every(OP_rotate_f32, run, &recorded, NULL);
    return test_end();
}
