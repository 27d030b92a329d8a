/* SPDX-License-Identifier: MIT
 * test_tune_kernels.c - a row is chosen where it is faster beyond doubt and slower nowhere; what is written resolves. */
#include <math.h>
#include <unistd.h>
#include "bench/micro/tune_kernels.h"
#include "bench/rows/output.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { ROUNDS = 40 };

/* Is a row that takes 1 / gain of the default's time, at two levels, chosen? */
static int chosen(double gain_near, double gain_far, double noise, double off, uint64_t seed)
{
    static double usual[2][ROUNDS], row[2][ROUNDS];
    double work[ROUNDS];
    struct ratio ratios[2];
    struct rng r;
    rng_seed(&r, seed, 0);
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < ROUNDS; i++) {
            usual[l][i] = 100 * exp(noise * (rng_uniform(&r) - 0.5));
            row[l][i] = 100 / (l ? gain_far : gain_near) * exp(noise * (rng_uniform(&r) - 0.5));
        }
    const struct kernel_trial trials[] = { { usual[0], row[0], ROUNDS, off }, { usual[1], row[1], ROUNDS, off } };
    return kernel_is_faster(trials, 2, 12, ratios, work);
}

static void chooses(void)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) wrong += chosen(1, 1, 0.2, 0, seed);
    CHECK(wrong <= 2, "equal rows chosen %d times of 50", wrong);
    CHECK(chosen(1.1, 1, 0.02, 0, 1) && chosen(1, 1.1, 0.02, 0, 2), "10 %% at one level");
    CHECK(!chosen(1.1, 0.9, 0.02, 0, 3), "faster here, slower there");
    CHECK(!chosen(1.01, 1.01, 0.001, 0, 4), "1 %% is not worth a name");
    CHECK(!chosen(1.1, 1, 0.02, 0.12, 5), "the default was off from itself by more");
}

/* Resolved faster with the most queries, and with all down to the number that is said. */
static void pays_from(void)
{
    static const size_t queries[] = { 4, 8, 16, 32 };
    const struct ratio slower = { .7, { .6, .8 } }, open = { 1.1, { .9, 1.3 } }, faster = { 2, { 1.8, 2.2 } };
    const struct { struct ratio at[4]; size_t from; } cases[] = {
        { { slower, open, faster, faster }, 16 }, { { faster, faster, faster, faster }, 4 },
        { { faster, slower, faster, open }, 0 },  { { faster, slower, open, faster }, 32 },
        { { slower, slower, slower }, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(kernel_pays_from(queries, cases[i].at, 4) == cases[i].from, "case %zu: from %zu", i,
              kernel_pays_from(queries, cases[i].at, 4));
    CHECK(kernel_pays_from(queries, NULL, 0) == 0, "none");
}

/* On a CPU with rows called `always` the file says from how many queries on each pays, and is a request all the same. */
static void says_where_tiles_pay(const struct text *file)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k; k = kernel_next((enum kernel_op)op, k)) {
            char line[96];
            if (strcmp(k->variant, "always") != 0) continue;
            snprintf(line, sizeof line, "\n# %s=%s/always over ", kernel_op_name(k->op), isa_name(k->isa));
            CHECK(kernel_runnable(k) == (strstr(text_of(file), line) != NULL), "%s in: %s", line + 1, text_of(file));
        }
}

static void writes_what_resolves(void)
{
    const struct kernel_tuning how = { .dim = 40, .bits = 4, .seconds = 0.3, .seed = 1 };
    struct text file = { 0 }, table = { 0 };
    struct kernel_set set;
    struct err e = { 0 };
    char path[64], spec[80];
    snprintf(path, sizeof path, "/tmp/assay_tuned_%ld", (long)getpid());
    snprintf(spec, sizeof spec, "@%s", path);
    CHECK(kernels_tune(&how, "# a: b\n", &file, &table, &e) == ERR_OK, "%s", e.text);
    CHECK(strstr(text_of(&table), "not measured in dram: "), "time ended before the last level: %s", text_of(&table));
    CHECK(strncmp(text_of(&file), "# a: b\n", 7) == 0 && table.size > 0, "%s", text_of(&file));
    says_where_tiles_pay(&file);
    CHECK(output_write(path, &file, &e) == ERR_OK && kernel_set_resolve(&set, spec, &e) == ERR_OK, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++) CHECK(kernel_is_canonical(set.of[op]), "%s: other bits", kernel_op_name((enum kernel_op)op));
    unlink(path);
    text_free(&file), text_free(&table);
}

int main(void)
{
    test_case("faster beyond doubt, and slower nowhere", chooses);
    test_case("from how many queries a row pays", pays_from);
    test_case("what is written is a request of canonical rows", writes_what_resolves);
    return test_end();
}
