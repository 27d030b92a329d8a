/* SPDX-License-Identifier: MIT
 * expr.h - a condition on named values: "lat_p99_us<=5000", "bits>=2 or layout!=split".
 *
 * Clauses joined by " or "; a clause compares with <= >= < > == != (= is ==).  The left side is a
 * name, the right side a name or a literal.  Two numbers compare as numbers, else as text. */
#ifndef ASSAY_EXPR_H
#define ASSAY_EXPR_H
#include "kernels/base/err.h"

/* The value of a name: NULL where there is no such name, "" where it does not apply. */
typedef const char *expr_value_fn(void *context, const char *name);

/* Whether it holds.  A clause with a value that does not apply counts as `if_empty`.
 * ERR_ARG: not a condition, or (for the caller to say which is nearest) *unknown names what there is
 * no value of. */
int expr_holds(const char *text, expr_value_fn *value, void *context, int if_empty, int *holds, char unknown[64],
               struct err *e);
#endif
