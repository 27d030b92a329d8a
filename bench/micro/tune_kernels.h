/* SPDX-License-Identifier: MIT
 * tune_kernels.h - `assay tune --kernels`: which of the rows that give the same bits are faster here than the defaults. */
#ifndef ASSAY_TUNE_KERNELS_H
#define ASSAY_TUNE_KERNELS_H
#include "bench/micro/micro.h"

struct kernel_trial {
    const double *usual_ns, *row_ns; /* rounds of the same shape, in order */
    size_t rounds;
    double off; /* |ln| of what the default was off by from itself in them (A/A) */
};
/* Over all trials of one row, one a level of memory: 1 where it is resolved slower nowhere and faster somewhere, by 2 % or
 * more; alpha .05 over `comparisons` (Bonferroni), intervals wider by `off`.  ratios: one a trial, above 1 is faster.
 * work: the most rounds of a trial. */
int kernel_is_faster(const struct kernel_trial *trials, size_t count, size_t comparisons, struct ratio *ratios, double *work);

/* From how many queries on a row pays: above all of `queries`, ascending, from there it is resolved faster (interval of
 * ratios, one each); 0: not with the most of them. */
size_t kernel_pays_from(const size_t *queries, const struct ratio *ratios, size_t count);

struct kernel_tuning {
    size_t dim;
    int bits;
    double seconds; /* shapes are begun until then: l2, l3, dram; of a level first the operations with rows of kind SAME */
    uint64_t seed;
};
/* Measures every operation that has several rows of the same bits here, one query; then each row called `always`, which
 * does for any number of queries what the default of its ISA does from some number on, beside the best row of a lesser ISA,
 * to say where that number lies here.  file: what --kernel @FILE takes, with
 * what it rests on as remarks; table: the same for a person.  notes: provenance. */
int kernels_tune(const struct kernel_tuning *how, const char *notes, struct text *file, struct text *table, struct err *e);
#endif
