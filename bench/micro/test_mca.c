/* SPDX-License-Identifier: MIT
 * test_mca.c - the model finds loops in this program's own code; where the tools are missing it
 * says so. */
#include "bench/time/machine.h"
#include "bench/micro/mca.h"
#include "kernels/base/test.h"

static struct workload_facts facts_of(enum kernel_op op)
{
    const struct workload_shape shape = { .op = op, .dim = 384, .rows = 16, .batch = 1, .seed = 1 };
    struct workload *w;
    struct workload_facts f = { 0 };
    if (workload_create(&w, &shape, NULL) != ERR_OK) return f;
    f = *workload_facts(w);
    workload_destroy(w);
    return f;
}

static void vector_kernels_have_models(void)
{
    const struct workload_facts f = facts_of(OP_dot_f32);
    if (!machine_is_release()) SKIP("not a release build: there is no vector code in registers to find");
    int tried = 0;
    for (const struct kernel *k = kernel_next(OP_dot_f32, NULL); k; k = kernel_next(OP_dot_f32, k)) {
        if (!kernel_runnable(k) || k->isa == ISA_scalar || k->kind != KERNEL_DEFAULT) continue;
        struct mca m = { 0 };
        struct err e = { 0 };
        const int status = mca_predict(k, &f, &m, &e);
        if (status == ERR_UNSUPPORTED && strstr(e.text, "installed")) SKIP("objdump or llvm-mca is not installed");
        CHECK(status == ERR_OK, "%s/%s: %s", isa_name(k->isa), k->variant, e.text);
        /* 384 multiply-adds: at least one cycle for 64 of them, at most eight for each. */
        CHECK(m.ports >= 384.0 / 64 && m.ports <= 384 * 8, "%s/%s: %g cycles", isa_name(k->isa), k->variant, m.ports);
        CHECK(m.chained >= 0.9 * m.ports, "%s/%s: chained %g, ports %g", isa_name(k->isa), k->variant, m.chained,
              m.ports);
        CHECK(strncmp(m.tool, "llvm-mca ", 9) == 0, "%s", m.tool);
        tried++;
    }
    if (!tried) SKIP("no vector row of dot_f32 runs here");
}

static void scalar_has_none(void)
{
    const struct workload_facts f = facts_of(OP_dot_f32);
    struct mca m = { 0 };
    struct err e = { 0 };
    CHECK(mca_predict(kernel_next(OP_dot_f32, NULL), &f, &m, &e) == ERR_UNSUPPORTED && e.text[0], "%g: %s",
          m.ports, e.text);
    CHECK(m.ports == 0, "outputs stay untouched: %g", m.ports);
}

static void frequency(void)
{
    const double ghz = mca_ghz();
    CHECK(ghz > 0.01 && ghz < 20, "%g GHz", ghz);
}

int main(void)
{
    test_case("vector kernels have models", vector_kernels_have_models);
    test_case("a scalar loop has none, and says why", scalar_has_none);
    test_case("frequency", frequency);
    return test_end();
}
