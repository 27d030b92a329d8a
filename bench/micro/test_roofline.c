/* SPDX-License-Identifier: MIT
 * test_roofline.c - ceilings come out with their kernels and in order; how high they are is not tested. */
#include "bench/micro/roofline.h"
#include "kernels/base/test.h"

static int sane(struct rate r)
{
    return r.median > 0 && r.interval.lo > 0 && r.interval.lo <= r.median && r.median <= r.interval.hi;
}

static void instructions(void)
{
    struct rate rates[CEILING_COUNT];
    struct err e = { 0 };
    CHECK(roofline_instructions(rates, 6, 1, &e) == ERR_OK, "%s", e.text);
    for (int c = CEILING_READ + 1; c < CEILING_COUNT; c++) {
        int runs = 0;
        for (const struct kernel *k = kernel_next(OP_peak, NULL); k; k = kernel_next(OP_peak, k))
            runs |= kernel_runnable(k) && strcmp(k->variant, ceiling_name((enum ceiling)c)) == 0;
        CHECK(runs == (rates[c].kernel != NULL), "%s: %d rows run here", ceiling_name((enum ceiling)c), runs);
        if (!runs) continue;
        CHECK(sane(rates[c]), "%s: %g", ceiling_name((enum ceiling)c), rates[c].median);
        CHECK(strcmp(rates[c].kernel->variant, ceiling_name((enum ceiling)c)) == 0, "%s by %s",
              ceiling_name((enum ceiling)c), rates[c].kernel->variant);
    }
}

static void memory(void)
{
    struct rate one, two, rows, chase;
    struct err e = { 0 };
    CHECK(roofline_read(1, 1, 6, 1, &one, &e) == ERR_OK && sane(one), "a byte is rounded up: %s", e.text);
    CHECK(roofline_read(100000, 2, 6, 1, &two, &e) == ERR_OK && sane(two), "two threads: %s", e.text);
    CHECK(strcmp(one.kernel->variant, "read") == 0, "%s", one.kernel->variant);
    CHECK(roofline_rows(1 << 20, 384, 6, 1, &rows, &e) == ERR_OK && sane(rows), "%s", e.text);
    CHECK(roofline_chase(1 << 20, 6, 1, &chase, &e) == ERR_OK && sane(chase), "%s", e.text);
    CHECK(roofline_rows(64, 64, 6, 1, &rows, &e) == ERR_MEM, "one row is no random access");
}

int main(void)
{
    test_case("instruction ceilings", instructions);
    test_case("reads, random rows, dependent loads", memory);
    return test_end();
}
