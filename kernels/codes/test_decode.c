/* SPDX-License-Identifier: MIT
 * test_decode.c - levels of codes at every length, against one lookup at a time, to the bit. */
#include <math.h>
#include "kernels/check_kernel.h"

static float levels[256];
static uint8_t numbers[CHECK_LONGEST];
static struct fence fenced_codes, fenced_x;

static void check(const void *kernel, void *in, void *out)
{
    const struct kernel *k = kernel;
    const struct fence *code_room = in, *x_room = out, level_room = fence_make(sizeof levels);
    static uint8_t some[CHECK_LONGEST];
    static float want[CHECK_LONGEST];
    for (int bits = 1; bits <= 8; bits++) {
        const size_t count = (size_t)1 << bits;
        for (size_t i = 0; i < CHECK_LONGEST; i++) {
            some[i] = (uint8_t)(numbers[i] & (count - 1));
            want[i] = levels[some[i]];
        }
        for (size_t i = 0; i < CHECK_DIMS; i++)
            for (int end = 0; end < 2; end++) {
                const size_t n = check_dim(i);
                uint8_t *codes = fence_at(*code_room, n, end);
                float *level = fence_at(level_room, count * sizeof *level, end);
                float *x = fence_at(*x_room, n * sizeof *x, end);
                memcpy(codes, some, n);
                memcpy(level, levels, count * sizeof *level);
                fence_paint(*x_room);
                k->fn.decode(codes, n, level, bits, x);
                CHECK(memcmp(x, want, n * sizeof *x) == 0, "bits=%d dim=%zu", bits, n);
                CHECK(untouched(*x_room, x, n * sizeof *x), "bits=%d dim=%zu: wrote outside", bits, n);
            }
    }
}

#define PLANT(name) static void name(const uint8_t *codes, size_t dim, const float *table, int bits, float *x)
#define RIGHT kernel_next(OP_decode, NULL)->fn.decode

PLANT(takes_four_bits)
{
    for (size_t i = 0; i < dim; i++) x[i] = table[codes[i] & (bits < 4 ? (1 << bits) - 1 : 15)];
}
PLANT(writes_a_register_more)
{
    RIGHT(codes, dim, table, bits, x);
    if (dim == 1000) x[dim] = 0;
}
PLANT(reads_a_register_more)
{
    RIGHT(codes, dim, table, bits, x);
    if (dim % 16) (void)*(const volatile uint8_t *)(codes + dim);
}
PLANT(reads_all_levels)
{
    RIGHT(codes, dim, table, bits, x);
    (void)((const volatile float *)table)[15];
}
PLANT(drops_tail) { RIGHT(codes, dim % 16 == 15 ? dim - 1 : dim, table, bits, x); }

static void plants_are_caught(void)
{
    static const struct { const char *name; decode_fn *fn; } plants[] = {
        { "looks all up in 16 levels", takes_four_bits }, { "writes a register more", writes_a_register_more },
        { "reads a register more", reads_a_register_more },  { "reads levels that are not there", reads_all_levels },
        { "drops the last of some", drops_tail },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        const struct kernel k = { .op = OP_decode, .variant = "planted", .fn.decode = plants[i].fn };
        if (strncmp(plants[i].name, "reads", 5) == 0 && fence_slack()) continue;
        CHECK(check_quietly(check, &k, &fenced_codes, &fenced_x) != TEST_SAID_OK, "a kernel that %s passed",
              plants[i].name);
    }
}

int main(void)
{
    fenced_codes = fence_make(CHECK_LONGEST), fenced_x = fence_make((CHECK_LONGEST + 1) * sizeof(float));
    for (size_t i = 0; i < CHECK_LONGEST; i++) numbers[i] = (uint8_t)test_rand();
    for (int i = 0; i < 256; i++) levels[i] = (float)(int64_t)test_rand() * 0x1p-60f;
    levels[3] = INFINITY, levels[5] = NAN, levels[7] = -0.0f, levels[9] = 1e-40f;
    check_start();
    test_case("planted wrong kernels are caught", plants_are_caught);
    check_every(OP_decode, check, &fenced_codes, &fenced_x);
    return test_end();
}
