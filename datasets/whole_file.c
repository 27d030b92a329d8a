/* SPDX-License-Identifier: MIT */
#include "datasets/whole_file.h"
#include "kernels/base/file.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int whole_file_open(struct whole_file *f, const char *path, struct err *e)
{
    if (file_replaceable(path, e) != ERR_OK) return ERR_ARG;
    struct whole_file made = { 0 };
    struct text temporary = { 0 };
    text_add(&temporary, "%s.tmp-%ld", path, (long)getpid());
    made.path = strdup(path);
    made.temporary = temporary.at;
    if (!made.path || temporary.failed) {
        free(made.path);
        free(made.temporary);
        return FAIL(e, ERR_MEM, "%s: no memory for its name", path);
    }
    const int fd = open(made.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    made.to = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!made.to) {
        const int why = errno;
        if (fd >= 0) close(fd);
        free(made.path);
        free(made.temporary);
        return FAIL(e, ERR_IO, "%s: cannot be written: %s", path, strerror(why));
    }
    *f = made;
    return ERR_OK;
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
