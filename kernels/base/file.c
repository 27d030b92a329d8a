/* SPDX-License-Identifier: MIT */
#include "kernels/base/file.h"
#include <sys/stat.h>

int file_replaceable(const char *path, struct err *e)
{
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return FAIL(e, ERR_ARG, "%s: not a regular file, so it is not replaced by one", path);
    return ERR_OK;
}
