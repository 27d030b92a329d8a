/* SPDX-License-Identifier: MIT
 * output.c - writes whole files at once, in folders that it makes. */
#include "bench/rows/output.h"
#include "bench/rows/run.h"
#include "datasets/whole_file.h"
#include "kernels/base/file.h"
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
    int status = make_folder_of(path, e);
    if (status != ERR_OK) return status;
    struct whole_file f = { 0 };
    status = whole_file_open(&f, path, e);
    if (status != ERR_OK) return status;
    if (content->size) (void)fwrite(content->at, content->size, 1, f.to);
    return whole_file_commit(&f, e);
}

int output_write_in(const char *dir, const char *name, const struct text *content, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s/%s", dir, name);
    const int status = output_write(text_of(&path), content, e);
    text_free(&path);
    return status;
}
