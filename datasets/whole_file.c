/* SPDX-License-Identifier: MIT
 * whole_file.c - writes beside a path, then renames. */
#include "datasets/whole_file.h"
#include "kernels/base/file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_over(struct whole_file *f, const char *path, enum file_over over, struct err *e)
{
    struct whole_file made = { .path = strdup(path), .over = over };
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

int whole_file_open(struct whole_file *f, const char *path, struct err *e)
{
    return file_replaceable(path, e) == ERR_OK ? open_over(f, path, FILE_REPLACE, e) : ERR_ARG;
}

int whole_file_open_new(struct whole_file *f, const char *path, struct err *e)
{
    struct stat there;
    if (lstat(path, &there) == 0) return FAIL(e, ERR_ARG, "%s: exists already", path);
    return open_over(f, path, FILE_NEW, e);
}

int whole_file_commit(struct whole_file *f, struct err *e)
{
    errno = 0;
    int status = ERR_OK;
    if (ferror(f->to) | fflush(f->to)) {
        status = FAIL(e, ERR_IO, "%s: cannot be written: %s", f->path,
                      errno ? strerror(errno) : "is the disk full, or the file larger than ulimit -f allows?");
        (void)unlink(f->temporary);
    } else {
        status = file_publish(f->temporary, fileno(f->to), f->path, f->over, e);
    }
    (void)fclose(f->to); /* after it has its name: the lock kept it from being swept away */
    free(f->path);
    free(f->temporary);
    *f = (struct whole_file){ 0 };
    return status;
}

void whole_file_abandon(struct whole_file *f)
{
    if (!f->temporary) return;
    (void)unlink(f->temporary);
    if (f->to) (void)fclose(f->to);
    free(f->path);
    free(f->temporary);
    *f = (struct whole_file){ 0 };
}
