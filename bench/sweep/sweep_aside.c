/* SPDX-License-Identifier: MIT
 * sweep_aside.c - rows of data that has changed since: kept, but apart from those they cannot stand beside. */
#include "bench/rows/output.h"
#include "bench/sweep/sweep.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Notes and header. */
static void add_top(const struct table *t, struct text *out)
{
    for (size_t i = 0; i < t->note_count; i++) text_add(out, "# %s\n", t->notes[i]);
    sweep_add_names(t, out);
}

/* Appends rows to <csv>.earlier; each stretch brings its own header, as columns may have changed between. */
static int append_aside(const char *csv, const struct text *rows, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s.earlier", csv);
    const int fd = path.failed ? -1 : open(text_of(&path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int status = fd >= 0 ? row_append(fd, rows, text_of(&path), e)
                         : FAIL(e, ERR_IO, "%s: cannot be written", text_of(&path));
    if (status == ERR_OK && fsync(fd) != 0) status = FAIL(e, ERR_IO, "%s: cannot be written", text_of(&path));
    if (fd >= 0) close(fd);
    text_free(&path);
    return status;
}

int sweep_set_aside(const char *csv, const char *dataset, const char *data, size_t *moved, struct err *e)
{
    struct table t = { .whole_lines = 1 };
    struct text kept = { 0 }, aside = { 0 };
    *moved = 0;
    int status = table_append(&t, csv, e);
    const int named = table_column(&t, "dataset"), version = table_column(&t, "data");
    if (status == ERR_OK && (named < 0 || version < 0)) status = FAIL(e, ERR_FORMAT, "%s: no rows of a sweep", csv);
    if (status == ERR_OK) {
        add_top(&t, &kept);
        add_top(&t, &aside);
    }
    for (size_t i = 0; status == ERR_OK && i < t.count; i++) {
        const int earlier = strcmp(table_text(&t, i, named), dataset) == 0 && strcmp(table_text(&t, i, version), data) != 0;
        sweep_add_row(&t, i, earlier ? &aside : &kept);
        *moved += (size_t)earlier;
    }
    if (status == ERR_OK && (kept.failed || aside.failed)) status = FAIL(e, ERR_MEM, "%s: no memory", csv);
    /* In this order: a kill in between leaves a row in both files, never in none. */
    if (status == ERR_OK && *moved) status = append_aside(csv, &aside, e);
    const int none_kept = *moved == t.count; /* then the notes on top are of those as well: the file starts anew */
    if (status == ERR_OK && *moved && none_kept && unlink(csv) != 0) status = FAIL(e, ERR_IO, "%s: cannot be removed", csv);
    if (status == ERR_OK && *moved && !none_kept) status = output_write(csv, &kept, e);
    text_free(&kept);
    text_free(&aside);
    table_free(&t);
    return status;
}
