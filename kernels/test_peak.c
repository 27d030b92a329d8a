/* SPDX-License-Identifier: MIT
 * test_peak.c - the ceilings do the work they are divided by: each returns a count that is known. */
#include "kernels/base/test.h"
#include "kernels/kernel.h"

enum { SIZE = 6144, PASSES = 37 };

static uint64_t expected(const char *variant, uint64_t got)
{
    if (strcmp(variant, "fma_f32") == 0) return SIZE / 4 * PASSES;
    if (strcmp(variant, "dot_i8") == 0) return SIZE * PASSES;
    if (strcmp(variant, "popcount") == 0) return 128; /* one in each word of 16 registers */
    return got;
}

static void instructions(void)
{
    int seen = 0;
    for (const struct kernel *k = kernel_next(OP_peak, NULL); k; k = kernel_next(OP_peak, k)) {
        if (!kernel_runnable(k) || k->kind != KERNEL_FREE) continue;
        const uint64_t got = k->fn.peak(NULL, SIZE, PASSES);
        CHECK(got == expected(k->variant, got), "%s/%s: %llu", isa_name(k->isa), k->variant, (unsigned long long)got);
        if (strcmp(k->variant, "shuffle") == 0) {
            const uint64_t steps = k->fn.peak(NULL, 3072, 1);
            CHECK(steps > 0 && got == steps * (SIZE / 3072) * PASSES % 16,
                  "%s: turned to %llu", isa_name(k->isa), (unsigned long long)got);
        }
        seen++;
    }
    if (!seen) SKIP("no instruction ceiling runs on this CPU");
}

static void reads(void)
{
    uint8_t *fenced = test_fenced(SIZE);
    uint64_t want = 0;
    for (size_t i = 0; i < SIZE; i++) fenced[i] = (uint8_t)test_rand();
    for (size_t i = 0; i < SIZE; i += 8) {
        uint64_t word;
        memcpy(&word, fenced + i, 8);
        want += word * PASSES;
    }
    for (const struct kernel *k = kernel_next(OP_peak, NULL); k; k = kernel_next(OP_peak, k)) {
        if (!kernel_runnable(k) || k->kind == KERNEL_FREE) continue;
        const uint64_t got = k->fn.peak(fenced, SIZE, PASSES);
        CHECK(got == want, "%s/%s: %llx, not %llx", isa_name(k->isa), k->variant,
              (unsigned long long)got, (unsigned long long)want);
        CHECK(k->fn.peak(fenced, 0, 3) == 0, "%s/%s: empty", isa_name(k->isa), k->variant);
    }
}

int main(void)
{
    test_case("instruction ceilings count their work", instructions);
    test_case("reads sum every word, and none beyond", reads);
    return test_end();
}
