/* SPDX-License-Identifier: MIT
 * main.c - finds the verb and runs it.  The only file that prints errors and decides on exit. */
#include "bench/blas.h"
#include "bench/command.h"
#include "bench/time/machine.h"
#include "kernels/base/text.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void usage(FILE *to)
{
    fprintf(to, "assay %s: a bench for quantised retrieval\n\nusage: assay VERB [options]   (assay VERB --help)\n\n",
            machine_version());
    for (int i = 0; command_at(i); i++)
        fprintf(to, "  %-10s %s\n", command_at(i)->name, command_at(i)->summary);
}

/* What was asked for is printed, or it is not done. */
static int printed(const char *verb)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_OK;
    fprintf(stderr, "assay%s%s: standard output could not be written\n", *verb ? " " : "", verb);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    blas_restart(argv);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, reported like any other, */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file of the size that ulimit allows */
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : printed("");
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("assay %s, sources %s\n", machine_version(), machine_sources());
        return printed("");
    }
    const struct command *command = command_find(argv[1]);
    if (!command) {
        const char *names[64];
        size_t count = 0;
        for (; command_at((int)count) && count < 64; count++) names[count] = command_at((int)count)->name;
        fprintf(stderr, "assay: no verb '%s'%s (assay --help lists them)\n", argv[1],
                NEAREST(argv[1], names, count));
        return EXIT_USAGE;
    }
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            fputs(command->help, stdout);
            return printed(argv[1]);
        }
    struct err e = { 0 };
    const int status = command->run(argc - 1, argv + 1, &e);
    const char *hint = status == ERR_ARG ? " (--help shows the options)" : "";
    struct text said = { 0 };
    text_add_plain(&said, e.text); /* it may name what a stranger named */
    if (status != ERR_OK) fprintf(stderr, "assay %s: %s%s\n", argv[1], text_of(&said), hint);
    text_free(&said);
    const int unwritten = printed(status == ERR_OK ? argv[1] : "") != EXIT_OK;
    return status == ERR_ARG ? EXIT_USAGE : status != ERR_OK || unwritten ? EXIT_FAILED : EXIT_OK;
}
