/* SPDX-License-Identifier: MIT
 * option.h - options of a command line, in one pass over argv: "--name value", "--name=value", flags, and the rest as
 * positional. */
#ifndef ASSAY_OPTION_H
#define ASSAY_OPTION_H
#include <stdint.h>
#include "kernels/base/err.h"

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
#endif
