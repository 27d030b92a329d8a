/* SPDX-License-Identifier: MIT
 * cmd_info.c - this machine, and everything that is registered. */
#include "bench/blas.h"
#include "bench/command.h"
#include "bench/micro/count.h"
#include "bench/time/machine.h"
#include "bench/quality/metric.h"
#include "bench/papers/paper.h"
#include "datasets/dataset.h"
#include "index/index.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include "kernels/bound.h"
#include "pipeline/stage.h"
#include <stdio.h>
#include <string.h>
#include "gen/version.h"

/* One registered thing: a line for people, or an object. */
struct item {
    const char *kind, *name, *variant, *status, *summary;
};

static void show(const struct item *it, int json)
{
    if (!json) {
        printf("%-9s %-22s %-26s %-10s %s\n", it->kind, it->name, it->variant, it->status, it->summary);
        return;
    }
    struct text out = { 0 };
    const char *const keys[] = { "kind", "name", "variant", "status", "summary" };
    const char *const values[] = { it->kind, it->name, it->variant, it->status, it->summary };
    for (int i = 0; i < 5; i++) {
        text_add(&out, "%s\"%s\":", i ? "," : "{", keys[i]);
        text_add_json(&out, values[i]);
    }
    text_add(&out, "}\n");
    fputs(text_of(&out), stdout);
    text_free(&out);
}

static void list_kernels(int json)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k;
             k = kernel_next((enum kernel_op)op, k)) {
            char variant[64], status[32];
            struct text summary = { 0 }, bound = { 0 };
            kernel_bound_text(k, &bound);
            text_add(&summary, "%s", k->note);
            if (bound.size) text_add(&summary, "; error <= %s", text_of(&bound));
            snprintf(variant, sizeof variant, "%s/%s", isa_name(k->isa), k->variant);
            snprintf(status, sizeof status, "%s", kernel_runnable(k) ? kernel_kind_name(k->kind) : "not here");
            show(&(struct item){ "kernel", kernel_op_name(k->op), variant, status, text_of(&summary) }, json);
            text_free(&summary);
            text_free(&bound);
        }
}

/* Every registry, with what its plug-ins are called. */
static void list_all(int json)
{
    list_kernels(json);
    for (size_t i = 0; index_at(i); i++)
        show(&(struct item){ "index", index_at(i)->name, "", "", index_at(i)->summary }, json);
    for (int s = 0; s < SLOT_COUNT; s++)
        for (size_t i = 0; stage_at(i); i++)
            if ((int)stage_at(i)->slot == s)
                show(&(struct item){ "stage", slot_name((enum slot)s), stage_at(i)->name, "",
                                     stage_at(i)->summary },
                     json);
    for (size_t i = 0; reader_at(i); i++)
        show(&(struct item){ "reader", reader_at(i)->name, reader_at(i)->suffixes, "", reader_at(i)->summary }, json);
    for (size_t i = 0; importer_at(i); i++)
        show(&(struct item){ "importer", importer_at(i)->name, "", "", importer_at(i)->summary }, json);
    for (size_t i = 0; generator_at(i); i++)
        show(&(struct item){ "generator", generator_at(i)->name,
                             generator_at(i)->vectors ? "vectors" : "knowledge base", "",
                             generator_at(i)->summary },
             json);
    for (size_t i = 0; metric_at(i); i++)
        show(&(struct item){ "metric", metric_at(i)->name, "", "", metric_at(i)->summary }, json);
    for (size_t i = 0; paper_at(i); i++)
        show(&(struct item){ "paper", paper_at(i)->name, paper_at(i)->reference, "", paper_at(i)->summary }, json);
    for (int i = 0; command_at(i); i++)
        show(&(struct item){ "command", command_at(i)->name, "", "", command_at(i)->summary }, json);
}

/* "AVX2 FMA ..." of what this CPU has. */
static void features(struct text *out)
{
    for (int bit = 0; bit < CPU_BIT_COUNT; bit++)
        if (cpu_features() >> bit & 1) text_add(out, "%s%s", out->size ? " " : "", cpu_feature_name(bit));
}

static void print_machine(const struct machine *m)
{
    struct text has = { 0 };
    features(&has);
    printf("assay     %s, sources %s, %s build\n", machine_version(), machine_sources(), ASSAY_MODE);
    printf("cpu       %s, %d usable\n", m->cpu, m->cpus);
    printf("line      %s\n", *cpu_line() ? cpu_line() : "none of kernels/line.def: each operation's default is that of the best ISA");
    printf("features  %s\n", has.size ? text_of(&has) : "none that kernels use");
    printf("AMX       %s\n", cpu_amx_refused() ? "this CPU has it, but the system grants no state for tiles (arch_prctl)"
                             : cpu_features() & CPU_AMXTILE ? "granted by the system (arch_prctl)" : "this CPU has none");
    printf("caches    L1d %zu KiB, L2 %zu KiB, L3 %zu KiB\n", m->cache_bytes[0] >> 10, m->cache_bytes[1] >> 10,
           m->cache_bytes[2] >> 10);
    printf("system    Linux %s, %s, governor %s, huge pages %s\n", m->kernel,
           m->hypervisor[0] ? m->hypervisor : "no hypervisor", m->governor, m->huge_pages);
    printf("counters  %s\n", m->counters[0] ? m->counters : "cycles and instructions");
    printf("OpenBLAS  %s\n", *blas_core() ? blas_core() : "none in this build");
    printf("machine   %016llx\n\n", (unsigned long long)m->id);
    text_free(&has);
}

static void json_machine(const struct machine *m, const struct kernel_set *set)
{
    struct text out = { 0 }, has = { 0 }, used = { 0 };
    features(&has);
    for (int op = 0; op < OP_COUNT; op++) kernel_set_describe(set, (enum kernel_op)op, &used);
    const char *const pairs[][2] = {
        { "version", machine_version() }, { "sources", machine_sources() }, { "mode", ASSAY_MODE }, { "cpu", m->cpu },
        { "features", text_of(&has) },    { "kernel", m->kernel },        { "hypervisor", m->hypervisor },
        { "governor", m->governor },      { "huge_pages", m->huge_pages }, { "counters", m->counters },
        { "openblas_core", blas_core() }, { "kernel_used", text_of(&used) },
    };
    text_add(&out, "{\"machine\":\"%016llx\",\"cpus\":%d,\"l1d_bytes\":%zu,\"l2_bytes\":%zu,\"l3_bytes\":%zu",
             (unsigned long long)m->id, m->cpus, m->cache_bytes[0], m->cache_bytes[1], m->cache_bytes[2]);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        text_add(&out, ",\"%s\":", pairs[i][0]);
        text_add_json(&out, pairs[i][1]);
    }
    text_add(&out, "}\n");
    fputs(text_of(&out), stdout);
    text_free(&out);
    text_free(&has);
    text_free(&used);
}

/* Why this row: it names this CPU's line, or is the default of the best ISA (at or below --kernel), or was asked for. */
static const char *rule_of(const struct kernel *k)
{
    if (kernel_names_line(k, cpu_line())) return cpu_line();
    return k->kind == KERNEL_DEFAULT ? "ISA" : "name";
}

static int run(int argc, char **argv, struct err *e)
{
    int list = 0, json = 0, compiler = 0;
    const char *kernel = "";
    const struct option options[] = { { "--list", OPTION_FLAG, &list, 0, 0 },
                                      { "--json", OPTION_FLAG, &json, 0, 0 },
                                      { "--compiler", OPTION_FLAG, &compiler, 0, 0 },
                                      { "--kernel", OPTION_TEXT, &kernel, 0, 0 },
                                      { 0 } };
    struct kernel_set set;
    int status = options_parse(argc, argv, options, NULL, e);
    if (status == ERR_OK) status = kernel_set_resolve(&set, kernel, e);
    if (status != ERR_OK) return status;
    if (compiler) {
        puts(count_compiler());
        return ERR_OK;
    }
    if (list) {
        list_all(json);
        return ERR_OK;
    }
    struct machine m;
    machine_read(&m);
    if (json) {
        json_machine(&m, &set);
        return ERR_OK;
    }
    print_machine(&m);
    printf("%-14s %-24s %-12s %s\n", "operation", "resolves to", "by", "meaning");
    for (int op = 0; op < OP_COUNT; op++) {
        char variant[64];
        snprintf(variant, sizeof variant, "%s/%s", isa_name(set.of[op]->isa), set.of[op]->variant);
        printf("%-14s %-24s %-12s %s\n", kernel_op_name((enum kernel_op)op), variant, rule_of(set.of[op]),
               kernel_op_meaning((enum kernel_op)op));
    }
    return ERR_OK;
}

const struct command cmd_info = {
    .name = "info",
    .summary = "this CPU, its features and caches, which kernel each operation resolves to",
    .help = "usage: assay info [--list] [--compiler] [--kernel K] [--json]\n\n"
            "  --list       everything registered: kernels by operation, ISA and variant, indexes, stages by\n"
            "               slot, readers, importers, generators, metrics, papers, commands; of a kernel of floats\n"
            "               how far it may be from the exact result (u = 2^-24), to which it is held everywhere\n"
            "  --compiler   whose code this is: gcc-12.2.0\n"
            "  --kernel K   what the operations resolve to under --kernel K (avx2, dot_f32=avx512/VARIANT);\n"
            "               default: the best that this CPU runs\n"
            "  --json       one object a line\n\n"
            "Without --list: what each operation resolves to, and by what: the default of the best ISA, or of this\n"
            "line of CPUs (zen4; measured in results/kernels/<line>.csv), or by name.\n"
            "ASSAY_ISA=avx2 in the environment makes this CPU one that stops there.\n\n"
            "example:\n"
            "  assay info --kernel avx2\n",
    .run = run,
};
