/* SPDX-License-Identifier: MIT
 * cmd_info.c - this machine, and what is registered. */
#include "bench/command.h"
#include "kernels/kernel.h"
#include <stdio.h>

static void list_kernels(void)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k; k = kernel_next((enum kernel_op)op, k))
            printf("kernel  %-12s %-13s %-16s %-9s %s\n", kernel_op_name(k->op), isa_name(k->isa), k->variant,
                   kernel_kind_name(k->kind), kernel_runnable(k) ? k->note : "(not on this CPU)");
}

static int run(int argc, char **argv, struct err *e)
{
    int list = 0;
    const struct option options[] = { { "--list", OPTION_FLAG, &list, 0, 0 }, { 0 } };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    char model[64];
    cpu_model(model, sizeof model);
    printf("cpu      %s\n", model);
    if (list) list_kernels();
    return ERR_OK;
}

const struct command cmd_info = {
    .name = "info",
    .summary = "this CPU, its features, which kernel each operation resolves to",
    .help = "usage: assay info [--list]\n\n  --list   everything registered: operation x ISA x variant\n",
    .run = run,
};
