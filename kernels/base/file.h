/* SPDX-License-Identifier: MIT
 * file.h - files that appear under their name when they are whole; folders, names and hashes of files. */
#ifndef ASSAY_FILE_H
#define ASSAY_FILE_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "kernels/base/err.h"

/* ERR_OK when nothing or a regular file is at `path`.  ERR_ARG for anything else: rename() to /dev/null
 * puts a file where the device was, for the whole machine, when root asks; to a link, it loses the link. */
int file_replaceable(const char *path, struct err *e);

/* Makes an empty file to be filled and then published as `path`: <path>.PID-N.partial, *name, which the caller
 * frees, open for writing as *fd.  Those of processes that were killed are removed: they are known by their
 * lock (flock), which *fd holds until it is closed.  ERR_IO naming the path, ERR_MEM. */
int file_partial(const char *path, char **name, int *fd, struct err *e);

/* Puts what is in the file of fd on disk, then the partial file under `path`; on failure removes it.  fd stays
 * open: its lock keeps others from sweeping the file away before it has its name.  ERR_IO; ERR_ARG with
 * FILE_NEW, where something is at `path`. */
enum file_over { FILE_REPLACE, FILE_NEW };
int file_publish(const char *partial, int fd, const char *path, enum file_over over, struct err *e);

/* Opens a text to be read.  ERR_NOT_FOUND, ERR_IO naming the path: also for a pipe, a socket or a folder, which fopen
 * would wait for, or read nothing of. */
int file_open_text(FILE **out, const char *path, struct err *e);

/* Removes the partial files of `path` whose processes were killed, as file_partial does. */
void file_sweep(const char *path);

/* The last folder and the file of a path: "siftsmall/base.fvecs". */
void path_short(const char *path, char *out, size_t size);
/* Makes a folder and its parents.  ERR_IO. */
int folder_make(const char *path, struct err *e);
/* hash64 of a file's bytes.  ERR_NOT_FOUND, ERR_IO. */
int file_hash(const char *path, uint64_t *out, struct err *e);
#endif
