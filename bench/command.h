/* SPDX-License-Identifier: MIT
 * command.h - a verb of the program: bench/cmd_<name>.c exports one `const struct command`.
 *
 * Exit status 0 ok, 1 failed, 2 wrong usage.  `main.c` prints the message of *e on stderr, prints
 * `help` for --help, and lists `summary` in the overview. */
#ifndef ASSAY_COMMAND_H
#define ASSAY_COMMAND_H
#include <stdint.h>
#include "kernels/base/err.h"

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

/* --- options ------------------------------------------------------------------------------ */
/* One pass over argv: "--name value", "--name=value", flags, and the rest as positional. */
struct option {
    const char *name;    /* "--rerank"; a short "-k" is allowed; NULL ends a table */
    enum { OPTION_TEXT, OPTION_INT, OPTION_REAL, OPTION_FLAG, OPTION_LIST } type;
    void *to;            /* const char **, int64_t *, double *, int *, struct option_list * */
    double least, most;  /* INT and REAL */
};
struct option_list { const char *at[256]; int count; }; /* OPTION_LIST: may be given many times */
/* Fills what the options point to; positional arguments go to *rest (NULL: none allowed).
 * ERR_ARG for an unknown option (with the nearest), a missing or a bad value. */
int options_parse(int argc, char **argv, const struct option *table, struct option_list *rest, struct err *e);

/* --- progress -------------------------------------------------------------------------------- */
/* A line with an ETA on stderr, only on a terminal and only after two seconds. */
struct progress { const char *what; uint64_t total, start_ns, last_ns; int shown; };
void progress_start(struct progress *p, const char *what, uint64_t total); /* total 0: not known */
void progress_step(struct progress *p, uint64_t done);
void progress_end(struct progress *p);
#endif
