/* SPDX-License-Identifier: MIT
 * cmd_info.c - this machine, and what is registered. */
#include "bench/command.h"
#include "bench/machine.h"
#include "bench/metric.h"
#include "bench/paper.h"
#include "datasets/dataset.h"
#include "index/index.h"
#include "kernels/kernel.h"
#include "pipeline/stage.h"
#include <stdio.h>
#include "gen/version.h"

static void list_kernels(void)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k;
             k = kernel_next((enum kernel_op)op, k))
            printf("kernel     %-12s %-13s %-16s %-9s %s\n", kernel_op_name(k->op), isa_name(k->isa), k->variant,
                   kernel_kind_name(k->kind), kernel_runnable(k) ? k->note : "(not on this CPU)");
}

static void list_one(const char *kind, const char *name, const char *summary)
{
    printf("%-10s %-25s %s\n", kind, name, summary);
}

static void list_plugins(void)
{
    for (size_t i = 0; index_at(i); i++) list_one("index", index_at(i)->name, index_at(i)->summary);
    for (size_t i = 0; stage_at(i); i++) {
        char name[64];
        snprintf(name, sizeof name, "%s=%s", slot_name(stage_at(i)->slot), stage_at(i)->name);
        list_one("stage", name, stage_at(i)->summary);
    }
    for (size_t i = 0; reader_at(i); i++) list_one("reader", reader_at(i)->name, reader_at(i)->summary);
    for (size_t i = 0; importer_at(i); i++) list_one("importer", importer_at(i)->name, importer_at(i)->summary);
    for (size_t i = 0; generator_at(i); i++) list_one("generator", generator_at(i)->name, generator_at(i)->summary);
    for (size_t i = 0; metric_at(i); i++) list_one("metric", metric_at(i)->name, metric_at(i)->summary);
    for (size_t i = 0; paper_at(i); i++) list_one("paper", paper_at(i)->name, paper_at(i)->summary);
    for (int i = 0; command_at(i); i++) list_one("command", command_at(i)->name, command_at(i)->summary);
}

static void show_features(void)
{
    const uint32_t have = cpu_features();
    printf("features  ");
    for (int bit = 0; bit < CPU_BIT_COUNT; bit++)
        if (have >> bit & 1) printf(" %s", cpu_feature_name(bit));
    printf("\n");
}

static int show_machine(const char *kernel, struct err *e)
{
    struct machine m;
    struct kernel_set set;
    const int status = kernel_set_resolve(&set, kernel, e);
    if (status != ERR_OK) return status;
    machine_read(&m);
    printf("assay      %s (%s)\ncpu        %s, %d usable%s%s\n", ASSAY_VERSION, ASSAY_MODE, m.cpu, m.cpus,
           m.hypervisor[0] ? ", in a virtual machine of " : "", m.hypervisor);
    show_features();
    for (int i = 0; i < MACHINE_CACHES; i++)
        if (m.cache_bytes[i])
            printf("cache      L%d%s %zu KiB, shared by %d\n", i + 1, i ? "" : "d", m.cache_bytes[i] / 1024,
                   m.cache_sharing[i]);
    printf("clock      governor %s; counters %s\n", m.governor, m.counters[0] ? m.counters : "work");
    for (int op = 0; op < OP_COUNT; op++)
        printf("resolves   %-12s %s/%s: %s\n", kernel_op_name((enum kernel_op)op), isa_name(set.of[op]->isa),
               set.of[op]->variant, set.of[op]->note);
    return ERR_OK;
}

static int run(int argc, char **argv, struct err *e)
{
    int list = 0;
    const char *kernel = NULL;
    const struct option options[] = { { "--list", OPTION_FLAG, &list, 0, 0 },
                                      { "--kernel", OPTION_TEXT, &kernel, 0, 0 },
                                      { 0 } };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    if (!list) return show_machine(kernel, e);
    list_kernels();
    list_plugins();
    return ERR_OK;
}

const struct command cmd_info = {
    .name = "info",
    .summary = "this CPU, its features, which kernel each operation resolves to",
    .help = "usage: assay info [--kernel K]\n"
            "       assay info --list\n\n"
            "  --kernel K  resolve as this would: avx2, or dot_f32=avx512/VARIANT; default: the best that runs\n"
            "  --list      everything registered: operation x ISA x variant, indexes, stages, readers,\n"
            "              importers, generators, metrics, papers, commands\n\n"
            "example: assay info --kernel avx2\n",
    .run = run,
};
