/* SPDX-License-Identifier: MIT
 * output.h - whole files written at once, and folders made for them. */
#ifndef ASSAY_OUTPUT_H
#define ASSAY_OUTPUT_H
#include "kernels/base/err.h"
#include "kernels/base/text.h"

/* As whole_file.h has it: a reader sees the old file or the new one.  Missing folders of the
 * path are made.  ERR_IO names the path, ERR_ARG when something other than a file is there,
 * ERR_MEM when the text could not grow. */
int output_write(const char *path, const struct text *content, struct err *e);
int output_write_in(const char *dir, const char *name, const struct text *content, struct err *e);
#endif
