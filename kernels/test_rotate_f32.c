/* SPDX-License-Identifier: MIT
 * test_rotate_f32.c - rotations of one, three and five parts of every size, flush against a fence at either
 * end, in place and not, with the bits of the definition and within the error of one in double. */
#include "kernels/base/mem.h"
#include "kernels/check_kernel.h"
#include <math.h>

enum { LONGEST = 8192, ROUNDS = 3 };
static struct fence fenced[3]; /* x, signs, out */

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

/* The error is at most that of log2(power) + parts + 2 roundings a round, each of the norm so far. */
static void one(const struct kernel *k, size_t power, size_t parts, int rounds, int at_end, int in_place, uint64_t *hash)
{
    static float want[LONGEST];
    static double exact[LONGEST];
    const size_t dim = power * parts, bytes = dim * sizeof(float);
    float *x = fence_at(fenced[0], bytes, at_end), *out = in_place ? x : fence_at(fenced[2], bytes, at_end);
    uint32_t *signs = fence_at(fenced[1], (size_t)rounds * bytes, at_end);
    const float scale = 0.37f;
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        x[i] = test_rand() % 8 ? (float)(int32_t)test_rand() * 0x1p-31f : 0;
        want[i] = x[i] * scale;
        exact[i] = want[i];
        square += exact[i] * exact[i];
    }
    for (size_t i = 0; i < (size_t)rounds * dim; i++) signs[i] = test_rand() & 1 ? 0x80000000u : 0;
    for (int round = 0; round < rounds; round++) define(want, exact, signs + (size_t)round * dim, power, parts);
    k->fn.rotate_f32(x, signs, dim, parts, rounds, scale, out);
    const double steps = rounds * (log2((double)power) + (double)parts + 2) + 1;
    const double bound = steps * 0x1p-24 * sqrt(square * pow((double)power, rounds)) + 0x1p-140;
    for (size_t i = 0; i < dim && test_failures < 5; i++) {
        const double error = fabs((double)out[i] - exact[i]);
        check_error(error, bound);
        CHECK(error <= bound && (k->kind == KERNEL_BASELINE || out[i] == want[i]),
              "%zu parts of %zu, %d rounds: place %zu is %a, by definition %a, exactly %a +- %a", parts, power, rounds,
              i, (double)out[i], (double)want[i], exact[i], bound);
    }
    *hash = check_hash(*hash, out, bytes);
}

static void run(const void *kernel, void *unused, void *unused2)
{
    const struct kernel *k = kernel;
    uint64_t hash = CHECK_HASH_START;
    (void)unused, (void)unused2;
    for (size_t parts = 1; parts <= 5; parts += 2)
        for (size_t power = 1; parts * power <= LONGEST; power *= 2)
            for (int rounds = 1; rounds <= ROUNDS; rounds++)
                for (int way = 0; way < 4; way++) one(k, power, parts, rounds, way & 1, way >> 1, &hash);
    CHECK(hash == 0x7fd66fa825f64363 || k->kind == KERNEL_BASELINE, "hash of the results is %#llx", (unsigned long long)hash);
}

int main(void)
{
    const size_t room = LONGEST * sizeof(float);
    for (int i = 0; i < 3; i++) fenced[i] = fence_make(i == 1 ? ROUNDS * room : room);
    test_seed = 20260103;
    check_every(OP_rotate_f32, run, NULL, NULL);
    return test_end();
}
