/* SPDX-License-Identifier: MIT
 * parallel.h - a loop over many items, cut into chunks that a few threads take in turn. */
#ifndef ASSAY_PARALLEL_H
#define ASSAY_PARALLEL_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PARALLEL_THREADS_MAX = 256 };

/* Calls work(context, thread, from, to) for chunks of 0..count-1 of `chunk` items (the last may be
 * shorter) on up to `threads` threads, the caller's included; thread < threads names the one that
 * runs it, for its scratch.  Returns when all are done.  Threads that cannot be started are done
 * without.  Which thread takes which chunk is open: work must not depend on it. */
void parallel_for(int threads, size_t count, size_t chunk,
                  void (*work)(void *context, int thread, size_t from, size_t to), void *context);
/* CPUs that this process may run on, 1..PARALLEL_THREADS_MAX. */
int parallel_cpus(void);

#ifdef __cplusplus
}
#endif
#endif
