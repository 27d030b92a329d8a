/* SPDX-License-Identifier: MIT */
#include "bench/output.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int make_folders(const char *path, struct err *e)
{
    char copy[4096];
    if (strlen(path) >= sizeof copy) return FAIL(e, ERR_ARG, "%.64s...: a path of %zu characters", path, strlen(path));
    strcpy(copy, path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) return FAIL(e, ERR_IO, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    return ERR_OK;
}

int output_write(const char *path, const struct text *content, struct err *e)
{
    if (content->failed) return FAIL(e, ERR_MEM, "%s: no memory for its content", path);
    const int status = make_folders(path, e);
    if (status != ERR_OK) return status;
    struct text temporary = { 0 };
    text_add(&temporary, "%s.tmp", path);
    FILE *f = fopen(text_of(&temporary), "w");
    int good = f != NULL;
    if (good && content->size) good = fwrite(content->at, content->size, 1, f) == 1;
    if (f && fclose(f) != 0) good = 0;
    if (good) good = rename(text_of(&temporary), path) == 0;
    const int why = errno;
    if (!good && f) remove(text_of(&temporary));
    text_free(&temporary);
    return good ? ERR_OK : FAIL(e, ERR_IO, "%s: %s", path, strerror(why));
}

int output_write_in(const char *dir, const char *name, const struct text *content, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s/%s", dir, name);
    const int status = output_write(text_of(&path), content, e);
    text_free(&path);
    return status;
}
