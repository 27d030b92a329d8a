/* SPDX-License-Identifier: MIT
 * sink.c - where the rows of a verb go: standard output as JSON, and a CSV in a folder. */
#include "bench/rows/sink.h"
#include "kernels/base/file.h"
#include <stdio.h>
#include <unistd.h>

int sink_init(struct sink *o, int argc, char *const *argv, int json, const char *folder, struct err *e)
{
    *o = (struct sink){ .json = json, .folder = folder, .fd = -1 };
    const int status = run_init(&o->run, argc, argv, e);
    return status == ERR_OK ? layout_init(&o->layout, e) : status;
}

int sink_create(struct sink *o, const char *name, const char *kernel, struct err *e)
{
    struct kernel_set kernels;
    int status = kernel_set_resolve(&kernels, kernel, e);
    if (status != ERR_OK || !o->folder) return status;
    run_note_kernels(&o->run, kernel, &kernels);
    status = folder_make(o->folder, e);
    text_add(&o->path, "%s/%s", o->folder, name);
    return status == ERR_OK ? row_open(&o->fd, text_of(&o->path), &o->layout, text_of(&o->run.notes), e) : status;
}

int sink_emit(struct sink *o, const struct row *row, const char *const *names, const struct quality *quality,
              const struct calls *calls, size_t batch, struct err *e)
{
    struct text line = { 0 };
    int status = ERR_OK;
    if (o->json) {
        row_json(row, &line);
        if (line.failed) status = FAIL(e, ERR_MEM, "no memory for a row");
        else fputs(text_of(&line), stdout);
    }
    text_clear(&line);
    if (status == ERR_OK && o->fd >= 0) {
        row_csv(row, &line);
        status = row_append(o->fd, &line, text_of(&o->path), e);
        if (status == ERR_OK)
            status = point_queries(o->folder, row_get(row, "point_id"), names, quality, calls, batch, e);
    }
    text_free(&line);
    return status;
}

void sink_close(struct sink *o)
{
    if (o->fd >= 0) close(o->fd);
    text_free(&o->path);
    layout_fini(&o->layout);
    run_fini(&o->run);
}
