/* SPDX-License-Identifier: MIT */
#include "datasets/whole_file.h"
#include "kernels/base/file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int whole_file_open(struct whole_file *f, const char *path, struct err *e)
{
    if (file_replaceable(path, e) != ERR_OK) return ERR_ARG;
    struct whole_file made = { .path = strdup(path) };
    int fd = -1;
    int status = made.path ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory for its name", path);
    if (status == ERR_OK) status = file_partial(path, &made.temporary, &fd, e);
    if (status == ERR_OK && !(made.to = fdopen(fd, "wb")))
        status = FAIL(e, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (status == ERR_OK) {
        *f = made;
        return ERR_OK;
    }
    if (fd >= 0) (void)unlink(made.temporary), close(fd);
    free(made.temporary);
    free(made.path);
    return status;
}

int whole_file_commit(struct whole_file *f, struct err *e)
{
    errno = 0;
    int bad = ferror(f->to) | fflush(f->to);
    bad |= fsync(fileno(f->to));
    int why = errno;
    if (fclose(f->to) != 0) {
        bad = 1;
        why = errno;
    }
    f->to = NULL;
    if (!bad && rename(f->temporary, f->path) != 0) {
        bad = 1;
        why = errno;
    }
    const int status =
        bad ? FAIL(e, ERR_IO, "%s: cannot be written: %s", f->path, why ? strerror(why) : "write failed") : ERR_OK;
    if (bad) (void)unlink(f->temporary);
    free(f->path);
    free(f->temporary);
    *f = (struct whole_file){ 0 };
    return status;
}

void whole_file_abandon(struct whole_file *f)
{
    if (!f->temporary) return;
    if (f->to) (void)fclose(f->to);
    (void)unlink(f->temporary);
    free(f->path);
    free(f->temporary);
    *f = (struct whole_file){ 0 };
}
