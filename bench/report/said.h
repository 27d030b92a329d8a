/* SPDX-License-Identifier: MIT
 * said.h - what every question came to at one point. */
#ifndef ASSAY_SAID_H
#define ASSAY_SAID_H
#include "bench/report/results.h"

/* In the order of the questions, means over the seeds of the point; NaN: no value. */
struct said {
    double *by, *us; /* the column that decides in its group; time (us) */
    size_t n;
};
/* 0: some file is missing, or of other questions; then *s is empty.  said_free either way. */
int said_read(struct said *s, const struct result_group *g, const struct result_point *p);
void said_free(struct said *s);
#endif
