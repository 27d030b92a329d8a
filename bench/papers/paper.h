/* SPDX-License-Identifier: MIT
 * paper.h - a table of a paper, recomputed: bench/paper_<name>.c exports one `const struct
 * paper_ops`. */
#ifndef ASSAY_PAPER_H
#define ASSAY_PAPER_H
#include "kernels/base/err.h"
#include <stddef.h>

/* One number.  NaN: the paper, or the theory, does not give it. */
struct finding {
    const char *quantity; /* "D_mse" */
    char index[96];       /* spec, or "" */
    size_t dim, n;
    int bits;                         /* 0: none */
    double published, published_unit; /* as printed, and one unit of its last digit */
    double theory, ours, ours_error;  /* standard error of ours */
    double ours_lo, ours_hi;          /* its 95 % interval, over seeds where something is random */
};

struct paper_ops {
    const char *name, *reference, *summary;
    /* Calls each() for every finding, in the order of the table; stops at the first error. */
    int (*run)(int (*each)(const struct finding *f, void *context, struct err *e), void *context,
               struct err *e);
};
const struct paper_ops *paper_at(size_t i); /* every registered paper; NULL past the last */

/* "reproduced": within four standard errors (and a thousandth) of the theory and one unit of the
 * last printed digit of the paper, where they speak; else "differs". */
const char *finding_verdict(const struct finding *f);
#endif
