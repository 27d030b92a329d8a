/* SPDX-License-Identifier: MIT
 * mca.h - what llvm-mca predicts for the inner loop of a kernel, to stand beside what was measured.
 *
 * The loop is found in this program's own code (objdump): of all innermost loops that the kernel
 * can reach, the one with most instructions of the work that the operation is made of.  How often it
 * runs for a vector follows from the work of a vector and the work of a turn, so prologues, tails
 * and reductions are not in the prediction, nor are cache misses; and the model may be another
 * CPU's.  Loops reached through tables of functions are not found.  Both tools are optional. */
#ifndef ASSAY_MCA_H
#define ASSAY_MCA_H
#include "bench/micro/workload.h"
#include "kernels/base/err.h"
#include "kernels/kernel.h"

struct mca {
    double ports;      /* cycles per vector that the busiest port needs, as the model has them */
    double chained;    /* and when each turn waits for what it needs of the last: rows may overlap, so not a bound */
    char tool[64];     /* "llvm-mca 14.0.6 icelake-server" */
};
/* ERR_UNSUPPORTED: a tool is missing, no such loop, or an instruction that llvm-mca does not know. */
int mca_predict(const struct kernel *k, const struct workload_facts *f, struct mca *out, struct err *e);

/* Core cycles a nanosecond now, from a chain of rotations (one cycle each). */
double mca_ghz(void);
#endif
