/* SPDX-License-Identifier: MIT */
#include "bench/output.h"
#include "bench/run.h"
#include "kernels/base/file.h"
#include <errno.h>
#include <string.h>

static int make_folder_of(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return ERR_OK;
    struct text folder = { 0 };
    text_add_bytes(&folder, path, (size_t)(slash - path));
    const int status = folder_make(text_of(&folder), e);
    text_free(&folder);
    return status;
}

int output_write(const char *path, const struct text *content, struct err *e)
{
    if (content->failed) return FAIL(e, ERR_MEM, "%s: no memory for its content", path);
    int status = file_replaceable(path, e);
    if (status == ERR_OK) status = make_folder_of(path, e);
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
