/* SPDX-License-Identifier: MIT
 * blas.c - asks OpenBLAS which kernels it took, and starts the program again with better ones where it took badly. */
#include "bench/blas.h"
#include "kernels/cpu.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef ASSAY_WORKER
char *openblas_get_corename(void);
const char *blas_core(void) { return openblas_get_corename(); }
#else
const char *blas_core(void) { return ""; }
#endif

/* OpenBLAS starts a thread a CPU before main, and each tries for 128 MB until it gets them: where memory is limited
 * (ulimit -v) the program would hang in them when it ends.  Nothing here wants those threads. */
static void restart_without_threads(char *const *argv)
{
    struct rlimit room;
    if (getenv("OPENBLAS_NUM_THREADS") || getrlimit(RLIMIT_AS, &room) != 0 || room.rlim_cur == RLIM_INFINITY) return;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

void blas_restart(char *const *argv)
{
    restart_without_threads(argv);
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
