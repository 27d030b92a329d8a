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

static void resolves(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, NULL, &e) == ERR_OK, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++)
        CHECK(set.of[op]->kind == KERNEL_DEFAULT && kernel_runnable(set.of[op]), "%s",
              kernel_op_name((enum kernel_op)op));
    CHECK(kernel_set_resolve(&set, "scalar", &e) == ERR_OK, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++)
        CHECK(set.of[op]->isa == ISA_scalar, "%s", kernel_op_name((enum kernel_op)op));
    CHECK(kernel_set_resolve(&set, "dot_f32=scalar/plain", &e) == ERR_OK, "%s", e.text);
    CHECK(set.of[OP_dot_f32]->isa == ISA_scalar, "exact row");
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
    test_case("variants are unique", unique_variants);
    test_case("requests resolve", resolves);
    test_case("requests are refused by name", refuses);
    return test_end();
}
