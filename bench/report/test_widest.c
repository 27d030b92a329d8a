/* SPDX-License-Identifier: MIT
 * test_widest.c - which row of an operation is best, out of samples whose answer is known. */
#include "bench/report/widest.h"
#include "kernels/base/test.h"
#include "kernels/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/assay_widest.XXXXXX";

/* A row's time over its neighbour's in every round, and how far single processes are off from that. */
struct row { const char *name; double times, jitter; };

/* Ten processes of eight rounds; the machine's speed drifts by half within each, for all rows alike. */
static void put_run(const struct row *rows, size_t count, int processes)
{
    FILE *f = fopen(file, "w");
    if (!f) abort();
    fputs("# machine: m\n# cpu: of a test\nname,process,sample,ns_per_vector\n", f);
    for (int p = 0; p < processes; p++)
        for (size_t i = 0; i < count; i++)
            for (int s = 0; s < 8; s++)
                fprintf(f, "%s/dim:384/rows:300/l2/scan,%d,%d,%.9g\n", rows[i].name, p, s,
                        10 * rows[i].times * (1 + (p % 2 ? 1 : -1) * rows[i].jitter) * (1 + s * .06));
    fclose(f);
}

static const char *page_of(const struct row *rows, size_t count, int processes, struct text *out)
{
    struct err e = { 0 };
    put_run(rows, count, processes);
    text_clear(out);
    CHECK(widest_print(file, SHEET_MARKDOWN, out, &e) == ERR_OK, "%s", e.text);
    return text_of(out);
}

#define PAGE(processes, ...)                                                                                            \
    page_of((const struct row[]){ __VA_ARGS__ }, sizeof(const struct row[]){ __VA_ARGS__ } / sizeof(struct row), processes, &out)
#define HAS(page, want) CHECK(strstr(page, want), "no '%s' in\n%s", want, page)
#define HAS_NOT(page, want) CHECK(!strstr(page, want), "'%s' in\n%s", want, page)

#if defined(__x86_64__)
static void rows_are_judged(void)
{
    struct text out = { 0 };
    const struct row scalar = { "dot_f32/scalar/plain", 9, 0 }, read = { "dot_f32/read/avx512:rows8", .8, 0 };
    const struct row again = { "dot_f32/again/avx512:rows8", 1, .002 }, wide = { "dot_f32/avx512/rows8", 1, 0 };
    const char *page = PAGE(10, scalar, { "dot_f32/avx2/rows3", 1.2, .01 }, wide, again, read, { "dot_f32/avx512/compiler", 1.5, 0 });
    HAS(page, "| dot_f32 | d = 384, L2 | avx512/rows8 |");
    HAS(page, "| best here |");
    HAS(page, "| 80 % |");
    HAS(page, "| x1.500 [");
    HAS(page, "cpu: of a test");
    page = PAGE(10, scalar, { "dot_f32/avx2/rows3", .8, .01 }, wide, again, read);
    HAS(page, "**not best**: x1.25");
    HAS(page, "] by avx2/rows3 |");
    page = PAGE(10, { "dot_f32/avx2/rows3", .99, .05 }, wide, again, read);
    HAS(page, "| not resolved: x1.0");
    /* Free order and scalar rows may be faster and stand for nobody. */
    page = PAGE(10, { "dot_f32/scalar/plain", .5, 0 }, { "dot_f32/avx2/rows6", .5, 0 }, { "dot_f32/avx2/rows3", 1.2, 0 }, wide, again, read);
    HAS(page, "| best here |");
    /* A gain of 3 % counts for nothing where the default is off from itself by 5 %. */
    page = PAGE(10, { "dot_f32/avx2/rows3", .97, 0 }, wide, { "dot_f32/again/avx512:rows8", .95, 0 }, read);
    HAS(page, "| not resolved: x1.031 [0.979, 1.085]");
    page = PAGE(3, { "dot_f32/avx2/rows3", .8, 0 }, wide, again, read);
    HAS(page, "too few processes");
    HAS_NOT(page, "not best");
    text_free(&out);
}

static void defaults_peers_and_shapes(void)
{
    struct text out = { 0 };
    /* The default may be another than the widest: a line of CPUs has its own. */
    const char *page = PAGE(10, { "dot_i8/avx512vnni/rows8", 1, 0 }, { "dot_i8/avx512vnni/ymm4", .9, 0 },
                            { "dot_i8/again/avx512vnni:ymm4", .9, 0 }, { "dot_i8/peer/other-1.0", 1.8, 0 });
    HAS(page, "| avx512vnni/ymm4 | 10.89 |");
    HAS(page, "| avx512vnni/rows8 | avx512vnni/ymm4 | **not best**: x1.111 [1.111, 1.111] by avx512vnni/ymm4 |");
    HAS(page, "| other-1.0 21.78 ns: x2.000 [2.000, 2.000] |");
    page = PAGE(10, { "fht_f32/avx2/registers8", 1, 0 }, { "fht_f32/again/avx2:registers8", 1, 0 });
    HAS(page, "| the only one |");
    page = PAGE(10, { "fht_f32/scalar/plain", 1, 0 });
    HAS_NOT(page, "fht_f32");
    text_free(&out);
}
#endif

static void what_is_no_such_run_is_refused(void)
{
    static const char *const bad[] = { "a,b\n1,2\n", "name,process,sample,ns_per_vector\nx,0,0,1\n",
                                       "name,process,sample,ns_per_vector\ndot_f32/avx2/rows3/dim:8,0,0,-1\n",
                                       "name,process,sample,ns_per_vector\ndot_f32/avx2/rows3/dim:8,99,0,1\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text out = { 0 };
        struct err e = { 0 };
        FILE *f = fopen(file, "w");
        if (!f || fputs(bad[i], f) < 0) abort();
        fclose(f);
        CHECK(widest_print(file, SHEET_PLAIN, &out, &e) == ERR_FORMAT && strstr(e.text, file), "%zu: %s", i, e.text);
        CHECK(!out.size, "%zu: %s", i, text_of(&out));
        text_free(&out);
    }
#if defined(__x86_64__)
    struct text out = { 0 };
    struct err e = { 0 };
    put_run(&(const struct row){ "dot_f32/avx2/rows3", 1, 0 }, 1, 10);
    CHECK(widest_print(file, SHEET_PLAIN, &out, &e) == ERR_FORMAT && strstr(e.text, "A/A"), "%s", e.text);
    text_free(&out);
#endif
}

int main(void)
{
    const int fd = mkstemp(file);
    if (fd < 0) abort();
    close(fd);
#if defined(__x86_64__)
    test_case("rows are judged", rows_are_judged);
    test_case("defaults, peers and shapes", defaults_peers_and_shapes);
#endif
    test_case("what is no such run is refused", what_is_no_such_run_is_refused);
    unlink(file);
    return test_end();
}
