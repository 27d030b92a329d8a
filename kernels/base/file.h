/* SPDX-License-Identifier: MIT
 * file.h - whether a finished file may be renamed to its place. */
#ifndef ASSAY_FILE_H
#define ASSAY_FILE_H
#include "kernels/base/err.h"

/* ERR_OK when nothing or a regular file is at `path`.  ERR_ARG for anything else: rename() to /dev/null
 * puts a file where the device was, for the whole machine, when root asks; to a link, it loses the link. */
int file_replaceable(const char *path, struct err *e);
#endif
