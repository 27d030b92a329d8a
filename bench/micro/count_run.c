/* SPDX-License-Identifier: MIT
 * count_run.c - counts the instructions of many kernels, beside what is committed of them. */
#include "bench/micro/count.h"
#include <string.h>

enum { COUNTED_ROWS = 9 }; /* a pass of 8 and a row alone; blocks of codes are rounded up */

static void add_head(struct count_run *r)
{
    text_add(&r->table, "%-12s %-24s %6s %4s %5s %12s %10s", "operation", "kernel", "dim", "bits", "batch", "instructions",
             "a vector");
    for (int i = 0; i < COUNT_CLASSES; i++) text_add(&r->table, " %8s", count_class_name((enum count_class)i));
    text_add(&r->table, "\n");
    count_csv_head(&r->csv);
}

/* 1: the committed count. */
static int compare(const struct count_plan *plan, const struct kernel *k, const struct count *n, struct count_run *r)
{
    const uint64_t before = plan->committed ? count_committed(plan->committed, k, n) : 0;
    r->compared += before > 0;
    if (!before || n->instructions == before) return before > 0;
    const int grown = (double)n->instructions > 1.01 * (double)before;
    text_add(&r->table, "  %s %llu", grown ? "GREW, was" : "was", (unsigned long long)before);
    if (grown && r->grown++ == 0)
        snprintf(r->first, sizeof r->first, "%s=%s/%s at dim %zu, %llu for %llu", kernel_op_name(k->op), isa_name(k->isa),
                 k->variant, n->facts.shape.dim, (unsigned long long)n->instructions, (unsigned long long)before);
    return 0;
}

static int count_one(const struct count_plan *plan, const struct kernel *k, size_t dim, struct count_run *r, struct err *e)
{
    const int uses = workload_uses(k->op), least = workload_least_bits(k->op), most = workload_most_bits(k->op);
    const struct workload_shape shape = {
        .op = k->op, .dim = dim, .rows = plan->rows ? plan->rows : COUNTED_ROWS, .seed = plan->seed,
        .bits = !(uses & USES_BITS) ? 0 : plan->bits < least ? least : plan->bits > most ? most : plan->bits,
        .batch = uses & USES_BATCH ? plan->batch : 1,
    };
    struct count n;
    const int status = count_kernel(k, &shape, &n, e);
    if (status != ERR_OK) return err_context(e, status, "%s", kernel_op_name(k->op));
    char name[64];
    const size_t size = r->table.size;
    snprintf(name, sizeof name, "%s/%s", isa_name(k->isa), k->variant);
    text_add(&r->table, "%-12s %-24s %6zu %4d %5zu %12llu %10.1f", kernel_op_name(k->op), name, n.facts.shape.dim,
             n.facts.shape.bits, n.facts.shape.batch, (unsigned long long)n.instructions,
             (double)n.instructions / n.facts.vectors);
    for (int i = 0; i < COUNT_CLASSES; i++) text_add(&r->table, " %8.1f", (double)n.of[i] / n.facts.vectors);
    count_csv(k, &n, &r->csv);
    if (compare(plan, k, &n, r) && r->table.at) r->table.at[r->table.size = size] = 0; /* as it was: no line */
    else text_add(&r->table, "\n");
    r->done++;
    if (plan->kernel) count_asm(&n, &r->table);
    count_free(&n);
    return ERR_OK;
}

static int is_wanted(const struct kernel *k, const struct kernel_set *usual, const char *filter)
{
    char name[128];
    if (!kernel_runnable(k)) return 0;
    if (!filter[0]) return k == usual->of[k->op] || k->lines || k == kernel_default(k->op, (enum isa)(ISA_COUNT - 1), "");
    snprintf(name, sizeof name, "%s/%s/%s", kernel_op_name(k->op), isa_name(k->isa), k->variant);
    return strstr(name, filter) != NULL;
}

int count_run(const struct count_plan *plan, struct count_run *r, struct err *e)
{
    struct kernel_set set;
    int status = kernel_set_resolve(&set, plan->kernel, e);
    if (status != ERR_OK) return status;
    char named[64] = "";
    if (plan->kernel) snprintf(named, sizeof named, "%.*s", (int)strcspn(plan->kernel, "="), plan->kernel);
    const enum kernel_op only = plan->kernel ? kernel_op_find(named) : OP_COUNT;
    if (plan->kernel && only == OP_COUNT) return FAIL(e, ERR_ARG, "%s: not OP=ISA/VARIANT", plan->kernel);
    add_head(r);
    for (int op = 0; op < OP_COUNT && status == ERR_OK; op++) {
        const int uses = workload_uses((enum kernel_op)op);
        if (uses < 0 || (only != OP_COUNT && only != (enum kernel_op)op)) continue;
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k; k = kernel_next((enum kernel_op)op, k)) {
            if (!is_wanted(k, &set, plan->filter)) continue;
            const size_t dims = uses & IGNORES_DIM || plan->kernel ? 1 : plan->dim_count;
            for (size_t d = 0; d < dims && status == ERR_OK; d++) status = count_one(plan, k, plan->dims[d], r, e);
        }
    }
    if (status == ERR_OK && r->done == 0) status = FAIL(e, ERR_ARG, "no kernel that can be counted is called '%s'", plan->filter);
    return status;
}

void count_run_free(struct count_run *r)
{
    text_free(&r->table);
    text_free(&r->csv);
}
