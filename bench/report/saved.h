/* SPDX-License-Identifier: MIT
 * saved.h - saved runs of assay bench (raw.csv, or what --save wrote) held against each other, kernel by kernel.
 *
 * A process is the replicate: each gives one number, its median.  Of four processes or more in both runs the interval is
 * Mann & Whitney's, for all kernels together (many kernels want more processes: else they are not judged); what the furthest scalar or compiler's row of a shape has moved by, the
 * machine may have moved others by, and the intervals of that shape are wider by it.  (As assay bench --baseline.) */
#ifndef ASSAY_SAVED_H
#define ASSAY_SAVED_H
#include "bench/report/made.h"
#include "kernels/base/text.h"

enum { SAVED_PROCESSES = 64 };
struct saved_kernel {
    const char *name; /* "dot_f32/avx2/rows3/dim:64/rows:96/l1/scan" */
    double logs[SAVED_PROCESSES]; /* ln of ns a vector, a process */
    size_t count;
};
struct saved {
    struct text time; /* when, as the file says: "2026-11-28 23:43" */
    struct saved_kernel *kernels;
    size_t count;
    struct table table;
};
/* 1: a table of samples by kernel and process. */
int saved_is(const struct table *t);
/* ERR_FORMAT: no saved run; as table_append; ERR_MEM.  saved_free either way. */
int saved_open(struct saved *s, const char *path, struct err *e);
void saved_free(struct saved *s);
double saved_ns(const struct saved_kernel *k); /* median over processes */
const struct saved_kernel *saved_find(const struct saved *s, const char *name); /* NULL: it was not timed */

/* A row a kernel that both timed: what was, what is, time then over time now with its ends, verdict.  Sets names and columns.
 * Another machine: no row.  ERR_MEM. */
int saved_compare(struct made *m, const struct saved *then, const struct saved *now, struct err *e);
#endif
