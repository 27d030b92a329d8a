/* SPDX-License-Identifier: MIT
 * command.h - a verb of the program: bench/cmd_<name>.c exports one `const struct command`.
 *
 * Exit status 0 ok, 1 failed, 2 wrong usage.  `main.c` prints the message of *e on stderr, prints
 * `help` for --help, and lists `summary` in the overview. */
#ifndef ASSAY_COMMAND_H
#define ASSAY_COMMAND_H
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/option.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;    /* "ann" */
    const char *summary; /* one line */
    const char *help;    /* usage, options with units and defaults, an example */
    /* argv[0] is the verb.  ERR_ARG makes exit status 2, any other failure 1. */
    int (*run)(int argc, char **argv, struct err *e);
};

const struct command *command_at(int i); /* NULL past the last */
const struct command *command_find(const char *name);

/* Verbs of a verb: a table that ends at a NULL name. */
struct subverb {
    const char *name;
    int (*run)(int argc, char **argv, struct err *e); /* argv[0] is the action */
};
/* Runs the action that argv[1] names.  ERR_ARG when there is none such, or no argv[1]. */
int command_action(const struct subverb *actions, int argc, char **argv, struct err *e);
/* --trust: adds SETTINGS_TRUST (pipeline.h) to the settings. */
void trust_base(struct option_list *settings, int trust);
/* A line on stderr for each of the notes: what was left out or added. */
struct tally;
void command_notes(const char *what, const struct tally *notes);
#endif
