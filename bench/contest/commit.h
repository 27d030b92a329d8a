/* SPDX-License-Identifier: MIT
 * commit.h - this program as it was at another commit. */
#ifndef ASSAY_COMMIT_H
#define ASSAY_COMMIT_H
#include "kernels/base/err.h"
#include "kernels/base/text.h"

/* Builds `commit` of the source tree that the working folder lies in (git, make), in
 * build/commits/HASH of that tree, and appends the path of its assay.  What is there is not built
 * again.  ERR_NOT_FOUND: no such commit, or no source tree; ERR_IO: it cannot be built, with the
 * end of what was said. */
int commit_build(const char *commit, struct text *program, struct err *e);
#endif
