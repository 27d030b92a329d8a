/* SPDX-License-Identifier: MIT
 * test_variants.h - what the kernel tests share: every registered variant of an operation in a child
 * process of its own, one TAP line each.
 *
 * STRICT=avx512,neon (ISA names) turns a skip of those ISAs into a failure, so that a machine
 * that must have them cannot pass by not looking. */
#ifndef ASSAY_TEST_VARIANTS_H
#define ASSAY_TEST_VARIANTS_H
#include "kernels/base/test.h"
#include "kernels/kernel.h"

/* What a child tells its parent; lives in shared memory. */
struct check_result {
    double worst;  /* the largest |got - exact| / bound seen */
    uint64_t hash; /* of the results on the fixed inputs, 0: none kept */
};

struct check {
    void (*run)(const struct kernel *k, const void *what, struct check_result *result);
    const void *what;
    struct check_result *result;
};

static void check_in_child(const void *k, void *check, void *unused)
{
    const struct check *c = check;
    (void)unused;
    c->run(k, c->what, c->result);
}

/* "ok", or what happened to the child. */
static const char *check_kernel(const struct kernel *k, struct check *c)
{
    if (!c->result)
        c->result = mmap(NULL, sizeof *c->result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->result == MAP_FAILED) abort();
    *c->result = (struct check_result){ 0 };
    return test_child(check_in_child, k, c, NULL);
}

static int check_is_strict(enum isa isa)
{
    const char *strict = getenv("STRICT"), *name = isa_name(isa);
    const size_t length = strlen(name);
    for (const char *s = strict; s && (s = strstr(s, name)); s += length)
        if ((s == strict || s[-1] == ',' || s[-1] == ' ') && (!s[length] || s[length] == ',' || s[length] == ' '))
            return 1;
    return 0;
}

/* One TAP line a variant.  `recorded` is the hash that every default row of a vector ISA must
 * reproduce, 0 for none. */
static void check_every(enum kernel_op op, struct check *c, uint64_t recorded)
{
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) {
        char line[200];
        const int at = snprintf(line, sizeof line, "%s %s/%s", kernel_op_name(op), isa_name(k->isa), k->variant);
        if (!kernel_runnable(k)) {
            test_line(line, !check_is_strict(k->isa), "this CPU lacks it");
            continue;
        }
        const char *said = check_kernel(k, c);
        int ok = said == TEST_SAID_OK;
        if (!ok) fprintf(stderr, "%s: %s\n", line, said);
        if (ok && c->result->hash && c->result->hash != recorded) {
            fprintf(stderr, "%s: hash of the results is %#llx, recorded %#llx\n", line,
                    (unsigned long long)c->result->hash, (unsigned long long)recorded);
            ok = 0;
        }
        snprintf(line + at, sizeof line - (size_t)at, ", worst/bound %.3f%s", c->result->worst,
                 ok && c->result->hash ? ", bits as recorded" : "");
        test_line(line, ok, NULL);
    }
}
#endif
