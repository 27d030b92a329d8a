/* SPDX-License-Identifier: MIT
 * test_registry.c - the registry's promises: defaults, caps, exact rows, refusals. */
#include "kernels/base/test.h"
#include "kernels/kernel.h"

static void unique_variants(void)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *a = kernel_next((enum kernel_op)op, NULL); a; a = kernel_next((enum kernel_op)op, a))
            for (const struct kernel *b = kernel_next((enum kernel_op)op, a); b; b = kernel_next((enum kernel_op)op, b))
                CHECK(a->isa != b->isa || strcmp(a->variant, b->variant) != 0, "%s %s/%s twice",
                      kernel_op_name(a->op), isa_name(a->isa), a->variant);
}

/* Of the build there is one default a choice; planted, two are found and both files named. */
static void one_default_each(void)
{
    const char *const *files;
    const struct kernel *const *tables = kernel_tables(&files);
    struct err e = { 0 };
    CHECK(kernel_tables_check(tables, files, &e) == ERR_OK, "%s", e.text);
    const struct kernel a[] = { { .op = OP_above_f32, .isa = ISA_avx2, .variant = "bits" }, KERNEL_END };
    const struct kernel b[] = { { .op = OP_above_f32, .isa = ISA_avx2, .kind = KERNEL_SAME, .variant = "other" }, KERNEL_END };
    const struct kernel c[] = { { .op = OP_above_f32, .isa = ISA_avx2, .variant = "a" }, KERNEL_END };
    const struct kernel d[] = { { .op = OP_above_f32, .isa = ISA_avx512, .variant = "a" }, KERNEL_END };
    const char *const names[] = { "above_f32_avx2", "above_f32_b_avx2", "above_f32_c_avx2", NULL };
    const struct kernel *const fine[] = { a, b, d, NULL }, *const planted[] = { a, b, c, NULL };
    CHECK(kernel_tables_check(fine, names, &e) == ERR_OK, "one default each: %s", e.text);
    CHECK(kernel_tables_check(planted, names, &e) == ERR_FORMAT && strstr(e.text, "above_f32=avx2") &&
              strstr(e.text, "bits of above_f32_avx2.c") && strstr(e.text, "a of above_f32_c_avx2.c"),
          "two defaults: %s", e.text);
}

/* The system's answers: what it says to the request, to the question, and the permission it then names. */
static long answers[2];
static uint64_t permission;
static int asked;
static long ask(int code, uintptr_t argument)
{
    asked++;
    if (code == 0x1023 && argument == 18) return answers[0];
    if (code != 0x1022) return -1;
    if (answers[1] == 0) memcpy((void *)argument, &permission, sizeof permission);
    return answers[1];
}

/* Tiles are used where the permission is there after asking, and only then; a refusal is told from a CPU without them. */
static void tiles_are_granted(void)
{
#ifdef __x86_64__
    const uint32_t amx = CPU_AMXTILE | CPU_AMXINT8 | CPU_AMXBF16, rest = CPU_AVX2 | CPU_AVX512F;
    static const struct { long request, question; uint64_t says; int is_granted; } cases[] = {
        { 0, 0, 1u << 18 | 1u << 17 | 0xe7, 1 },
        { -1, 0, 1u << 18, 0 },       /* refused: an older kernel, or too little room for signals */
        { 0, 0, 1u << 17 | 0xe7, 0 }, /* said yes and granted nothing, as a sandbox may */
        { 0, -1, 1u << 18, 0 },       /* cannot be asked */
    };
    int refused = 7;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        answers[0] = cases[i].request, answers[1] = cases[i].question, permission = cases[i].says;
        const uint32_t has = cpu_grant(rest | amx, ask, &refused);
        CHECK(has == (cases[i].is_granted ? rest | amx : rest) && refused == !cases[i].is_granted,
              "case %zu: %#x, refused %d", i, has, refused);
    }
    asked = 0;
    CHECK(cpu_grant(rest, ask, &refused) == rest && !refused && !asked, "a CPU without AMX is asked for it");
    CHECK(!(cpu_features() & amx) || !cpu_amx_refused(), "granted and refused");
    struct kernel_set set;
    struct err e = { 0 };
    if (cpu_features() & CPU_AMXTILE) return;
    CHECK(kernel_set_resolve(&set, "tile_i8=amxint8", &e) == ERR_UNSUPPORTED && strstr(e.text, "AMXTILE"), "%s", e.text);
#endif
}

/* A row that names a line is the default of that line's CPUs, and of no others. */
static void defaults_of_lines(void)
{
    const enum isa all = (enum isa)(ISA_COUNT - 1);
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k; k = kernel_next((enum kernel_op)op, k)) {
            if (!k->lines) continue;
            CHECK(kernel_is_canonical(k), "%s %s/%s names lines", kernel_op_name(k->op), isa_name(k->isa), k->variant);
            char line[32];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(k->lines, " "), k->lines);
            const struct kernel *chosen = kernel_default(k->op, all, line), *other = kernel_default(k->op, all, "");
            CHECK(!kernel_runnable(k) || chosen == k, "%s on %s: %s", kernel_op_name(k->op), line, chosen->variant);
            CHECK(other->kind == KERNEL_DEFAULT && kernel_default(k->op, all, "nosuch") == other, "%s of no line: %s",
                  kernel_op_name(k->op), other->variant);
        }
    const struct kernel a[] = { { .op = OP_above_f32, .isa = ISA_avx2, .kind = KERNEL_SAME, .variant = "a", .lines = "zen3 zen4" }, KERNEL_END };
    const struct kernel b[] = { { .op = OP_above_f32, .isa = ISA_avx512, .kind = KERNEL_SAME, .variant = "b", .lines = "zen4" }, KERNEL_END };
    const char *const names[] = { "above_f32_a_avx2", "above_f32_b_avx512", NULL };
    const struct kernel *const planted[] = { a, b, NULL };
    struct err e = { 0 };
    CHECK(kernel_names_line(a, "zen4") && kernel_names_line(a, "zen3") && !kernel_names_line(a, "zen") && !kernel_names_line(a, ""),
          "words of %s", a->lines);
    CHECK(kernel_tables_check(planted, names, &e) == ERR_FORMAT && strstr(e.text, "two defaults for zen4") &&
              strstr(e.text, "a of above_f32_a_avx2.c") && strstr(e.text, "b of above_f32_b_avx512.c"),
          "%s", e.text);
}

static void resolves(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, NULL, &e) == ERR_OK, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++)
        CHECK(kernel_is_canonical(set.of[op]) && kernel_runnable(set.of[op]), "%s",
              kernel_op_name((enum kernel_op)op));
    CHECK(kernel_set_resolve(&set, "scalar", &e) == ERR_OK, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++)
        CHECK(set.of[op]->isa == ISA_scalar, "%s", kernel_op_name((enum kernel_op)op));
    CHECK(kernel_set_resolve(&set, "dot_f32=scalar/plain", &e) == ERR_OK, "%s", e.text);
    CHECK(set.of[OP_dot_f32]->isa == ISA_scalar, "exact row");
}

static void resolves_files(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    char path[64], spec[80];
    snprintf(path, sizeof path, "/tmp/assay_kernels_%ld", (long)getpid());
    snprintf(spec, sizeof spec, "@%s", path);
    const struct { const char *text; int code; const char *says; } files[] = {
        { "# measured, scalar is a remark\n dot_f32=scalar/plain  # x1.04 in l2\n\n\tl2_f32=scalar\r\n", ERR_OK, "" },
        { "", ERR_OK, "" }, { "# nothing\n", ERR_OK, "" }, { "dot_f32=scalar/plane", ERR_ARG, "plain" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *to = fopen(path, "w");
        CHECK(to && fputs(files[i].text, to) >= 0 && fclose(to) == 0, "%s", path);
        CHECK(kernel_set_resolve(&set, spec, &e) == files[i].code && strstr(files[i].code ? e.text : "", files[i].says), "%zu: %s",
              i, e.text);
        if (i) continue;
        CHECK(set.of[OP_dot_f32]->isa == ISA_scalar && set.of[OP_l2_f32]->isa == ISA_scalar, "rows of the file");
        CHECK(set.of[OP_dot_f16] == kernel_default(OP_dot_f16, (enum isa)(ISA_COUNT - 1), cpu_line()), "others as ever");
    }
    unlink(path);
    CHECK(kernel_set_resolve(&set, spec, &e) == ERR_NOT_FOUND && strstr(e.text, path), "%s", e.text);
}

static void refuses(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, "avx3", &e) == ERR_ARG && strstr(e.text, "avx2"), "%s", e.text);
    CHECK(kernel_set_resolve(&set, "dot_f23=scalar", &e) == ERR_ARG && strstr(e.text, "dot_f32"), "%s", e.text);
    CHECK(kernel_set_resolve(&set, "dot_f32=scalar/plane", &e) == ERR_ARG && strstr(e.text, "plain"), "%s", e.text);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        int runnable = 0;
        for (int op = 0; op < OP_COUNT; op++)
            for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k;
                 k = kernel_next((enum kernel_op)op, k))
                if ((int)k->isa == isa) runnable |= kernel_runnable(k);
        const int status = kernel_set_resolve(&set, isa_name((enum isa)isa), &e);
        CHECK(status == (runnable ? ERR_OK : ERR_UNSUPPORTED), "%s: %d", isa_name((enum isa)isa), status);
    }
}

int main(void)
{
    test_case("AMX: the permission that the system names counts", tiles_are_granted);
    test_case("variants are unique", unique_variants);
    test_case("one default row an operation and ISA", one_default_each);
    test_case("defaults of CPU lines", defaults_of_lines);
    test_case("requests resolve", resolves);
    test_case("requests are read from files", resolves_files);
    test_case("requests are refused by name", refuses);
    return test_end();
}
