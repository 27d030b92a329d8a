/* SPDX-License-Identifier: MIT
 * faults.h - for tests: calls of ours to the system that fail when the test says so.
 *
 * A test program that includes this is linked with ld's --wrap for the calls that faults.c has, so that what this
 * project's objects call fails, and what libraries call does not.  Nothing else is linked to it: a release pays nothing.
 *
 *     for (long n = 1, hits = 1; hits; n++) {
 *         fault_after(FAULT_WRITE, n, ENOSPC);
 *         status = thing_save(...);
 *         hits = fault_hit();
 *         fault_after(FAULT_NONE, 0, 0);
 *         ...
 *     } */
#ifndef ASSAY_FAULTS_H
#define ASSAY_FAULTS_H

enum fault {
    FAULT_NONE,
    FAULT_MEMORY, /* malloc, calloc, realloc, aligned_alloc, strdup, strndup */
    FAULT_READ,   /* read, fread, fgets, getline, and mmap of a file */
    FAULT_WRITE,  /* write, fwrite, fputs, fflush, ftruncate */
    FAULT_SYNC,   /* fsync */
    FAULT_RENAME, /* rename */
    FAULT_THREAD, /* pthread_create */
};

enum { FAULT_SHORT = -1 }; /* in the place of an errno: a write(2) of half of what was given, and no error */

/* The n-th call of that kind from now on fails with `why` (an errno), once, in whichever thread it is; one plan at a
 * time.  A child after fork has its own count.  FAULT_NONE, or n 0: none fails. */
void fault_after(enum fault kind, long n, int why);
/* The same, and every later one. */
void fault_from(enum fault kind, long n, int why);
int fault_hit(void); /* 1 when the call that was to fail has been made */
#endif
