/* SPDX-License-Identifier: MIT
 * answer.h - what a group of results says in a sentence or two: which point is best and by how much, and which to use.
 *
 * As `assay tune` has it: the best mean wins, and of the points that are not resolved from it the fastest is the one to
 * use.  Questions are compared one by one where the per-query files are there: intervals for all pairs of contenders at
 * once (verdict_all_pairs), for the same questions picked the winner.  Nothing is held out here, so the winner's mean is
 * a little too good; the page says so.  Without those files points whose intervals overlap are not resolved. */
#ifndef ASSAY_ANSWER_H
#define ASSAY_ANSWER_H
#include "bench/report/results.h"
#include "kernels/base/text.h"

enum { ANSWER_CONTENDERS = 64 }; /* the best of more points by their means; the others are out of the running */

struct answer {
    const struct result_point *best, *use; /* NULL: no point has a number */
    size_t unresolved, contenders, queries; /* unresolved: without the best */
    int is_paired;                 /* by question; else by the rows' own intervals */
    const struct result_point *other; /* what the best is held against: the usual settings, or the next best; NULL: none */
    struct value gain;             /* mean of the best minus that of the other */
    struct value faster;           /* time of the best over that of the one to use; NaN: the same point, or no times */
    /* An index group: the fastest with a recall of at least `level`, and the fastest such of another method. */
    double level; /* 0: none */
    const struct result_point *fast, *rival;
    struct value behind; /* time of the rival over that of the fast */
};
/* Zero where the group has no column that decides.  ERR_MEM. */
int answer_find(const struct result_group *g, struct answer *out, struct err *e);
/* As two paragraphs. */
void answer_write(const struct result_group *g, const struct answer *a, struct text *out);
#endif
