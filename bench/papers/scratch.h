/* SPDX-License-Identifier: MIT
 * scratch.h - a folder for one item, which goes with it; and where the process was killed, at the next start. */
#ifndef ASSAY_PAPERS_SCRATCH_H
#define ASSAY_PAPERS_SCRATCH_H
#include "kernels/base/err.h"
#include <stddef.h>

struct scratch {
    char folder[64]; /* "": none */
    int lock;        /* held while the process lives; the folder's own */
};
/* Makes <P_tmpdir>/assay-scratch-XXXXXX.  Zero-initialise; scratch_close.  ERR_IO. */
int scratch_open(struct scratch *s, struct err *e);
/* Removes the folder and the files in it; a zeroed one is allowed. */
void scratch_close(struct scratch *s);
/* Removes those of this user that no process holds: their owners were killed.  Links, and folders that are not as
 * scratch_open makes them, stay. */
void scratch_sweep(void);
#endif
