/* SPDX-License-Identifier: MIT
 * whole_file.h - a file that appears under its name only when it is whole.
 *
 * Written beside its place under a temporary name, then renamed: a crash or a full disk leaves the
 * old file or none, never half of one. */
#ifndef ASSAY_WHOLE_FILE_H
#define ASSAY_WHOLE_FILE_H
#include <stdio.h>
#include "kernels/base/file.h"

struct whole_file {
    FILE *to;         /* write here; errors may be left for whole_file_commit to find */
    char *path, *temporary;
    enum file_over over;
};

/* ERR_IO naming the path: no such folder, no permission.  ERR_ARG: a device, a folder or a link is there. */
int whole_file_open(struct whole_file *f, const char *path, struct err *e);
/* Never replaces: ERR_ARG when something is at the path, now or when it is committed. */
int whole_file_open_new(struct whole_file *f, const char *path, struct err *e);
/* Flushes, syncs and names it.  On failure (ERR_IO: the disk is full, ...) the temporary is removed. */
int whole_file_commit(struct whole_file *f, struct err *e);
/* Removes what was written.  A zeroed, committed or abandoned one is allowed. */
void whole_file_abandon(struct whole_file *f);
#endif
