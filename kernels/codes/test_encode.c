/* SPDX-License-Identifier: MIT
 * test_encode.c - cells between bounds, against counting from above: numbers on a bound, next to one,
 * far outside, infinite, not a number; every length. */
#include "kernels/check_kernel.h"
#include <math.h>

static float numbers[8][CHECK_LONGEST], bounds[8][255];
static uint8_t want[8][CHECK_LONGEST];

static void make_inputs(void)
{
    for (int bits = 1; bits <= 8; bits++) {
        const int count = (1 << bits) - 1;
        float *b = bounds[bits - 1], at = -3;
        for (int i = 0; i < count; i++) {
            b[i] = at;
            at += i % 5 == 3 ? 0.0f : (float)(test_rand() >> 40) * 0x1p-24f; /* some bounds twice */
        }
        for (int i = 0; i < CHECK_LONGEST; i++) {
            const float bound = b[test_rand() % (uint64_t)count], odd[] = { INFINITY, -INFINITY, NAN, 0.0f, -0.0f, 1e-40f };
            const float cases[] = { bound, nextafterf(bound, INFINITY), nextafterf(bound, -INFINITY), bound + 0.01f,
                                    odd[test_rand() % 6], (float)(int64_t)test_rand() * 0x1p-60f };
            numbers[bits - 1][i] = cases[test_rand() % 6];
            int code = count;
            while (code > 0 && !(b[code - 1] < numbers[bits - 1][i])) code--;
            want[bits - 1][i] = (uint8_t)code;
        }
    }
}

static void check(const void *kernel, void *in, void *out)
{
    const struct kernel *k = kernel;
    const struct fence *x_room = in, *code_room = out;
    struct fence bound_room = fence_make(255 * sizeof(float));
    for (int bits = 1; bits <= 8; bits++)
        for (size_t i = 0; i < CHECK_DIMS; i++)
            for (int end = 0; end < 2; end++) {
                const size_t n = check_dim(i), count = ((size_t)1 << bits) - 1;
                float *x = fence_at(*x_room, n * sizeof *x, end), *b = fence_at(bound_room, count * sizeof *b, end);
                uint8_t *codes = fence_at(*code_room, n, end);
                memcpy(x, numbers[bits - 1], n * sizeof *x);
                memcpy(b, bounds[bits - 1], count * sizeof *b);
                fence_paint(*code_room);
                k->fn.encode(x, n, b, bits, codes);
                CHECK(memcmp(codes, want[bits - 1], n) == 0, "bits=%d dim=%zu", bits, n);
                CHECK(untouched(*code_room, codes, n), "bits=%d dim=%zu: wrote outside", bits, n);
            }
}

int main(void)
{
    struct fence x = fence_make(CHECK_LONGEST * sizeof(float)), codes = fence_make(CHECK_LONGEST);
    make_inputs();
    check_every(OP_encode, check, &x, &codes);
    return test_end();
}
