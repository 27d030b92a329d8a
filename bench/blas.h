/* SPDX-License-Identifier: MIT
 * blas.h - which kernels OpenBLAS uses.
 *
 * Debian 12's OpenBLAS 0.3.21 does not know newer Xeons and falls back to SSE3 kernels in silence,
 * 6 to 8 times too slow.  It decides while it is loaded, so the remedy is to start again. */
#ifndef ASSAY_BLAS_H
#define ASSAY_BLAS_H

const char *blas_core(void); /* "SkylakeX"; "" in a build without BLAS */
/* Where OpenBLAS chose a core without AVX2 and this CPU has it: sets OPENBLAS_CORETYPE and executes
 * this program again; and so it does with OPENBLAS_NUM_THREADS=1 where memory is limited (ulimit -v).  Returns when
 * nothing is to be done, or cannot be. */
void blas_restart(char *const *argv);
#endif
