/* SPDX-License-Identifier: MIT
 * blas.c - asks OpenBLAS which kernels it took, and starts the program again with better ones where it took badly. */
#include "bench/blas.h"
#include "kernels/cpu.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ASSAY_WORKER
char *openblas_get_corename(void);
const char *blas_core(void) { return openblas_get_corename(); }
#else
const char *blas_core(void) { return ""; }
#endif

void blas_restart(char *const *argv)
{
    static const char *const old[] = {
        "Katmai", "Coppermine", "Northwood", "Prescott",   "Core2",
        "Banias", "Atom",       "Penryn",    "Dunnington", "Nehalem",
        "Athlon", "Opteron",    "Barcelona", "Bobcat",     "Generic"
    };
    const uint32_t has = cpu_features();
    if (getenv("OPENBLAS_CORETYPE") || !(has & CPU_AVX2) || !(has & CPU_FMA)) return;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (strcasecmp(blas_core(), old[i]) == 0) {
            setenv("OPENBLAS_CORETYPE", has & CPU_AVX512DQ ? "SkylakeX" : "Haswell", 1);
            execv("/proc/self/exe", argv);
        }
}
