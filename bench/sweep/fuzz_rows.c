/* SPDX-License-Identifier: MIT
 * fuzz_rows.c - files of rows that a sweep is resumed from and that are merged: two shards, with a line "--" between them,
 * as a killed writer or a stranger left them.
 *
 * reader: bench/rows/table.c
 * planted: bench/rows/table.c s/if (c->at >= c->end) return NULL;/;/
 */
#define _GNU_SOURCE /* memmem */
#include "bench/sweep/sweep.h"
#include "kernels/base/fuzz.h"
#include "kernels/base/fuzz_files.h"
#include "kernels/base/mem.h"

static int same_bytes(const char *one, const char *two)
{
    unsigned char *a, *b;
    size_t n, m;
    if (mem_read_file(&a, &n, one, NULL) != ERR_OK || mem_read_file(&b, &m, two, NULL) != ERR_OK) abort();
    const int same = n == m && memcmp(a, b, n) == 0;
    mem_free(a);
    mem_free(b);
    return same;
}

/* What merge makes can be merged again, and stays as it is. */
static int merge(const char *folder)
{
    struct err e = { 0 };
    char once[160], twice[160];
    snprintf(once, sizeof once, "%s", fuzz_path("once"));
    snprintf(twice, sizeof twice, "%s", fuzz_path("twice"));
    const char *const from[] = { folder }, *const again[] = { once };
    const int status = sweep_merge(from, 1, once, &e);
    if (status != ERR_OK) return *e.text ? status : (abort(), 0);
    if (sweep_merge(again, 1, twice, &e) != ERR_OK || !same_bytes(once, twice)) abort();
    return status;
}

/* Resuming refuses the file, or appends one whole row to what it was. */
static void resume(const char *path)
{
    struct column own[] = { { .name = "point_id" }, { .name = "rep" }, { .name = "status" } };
    const struct layout l = { own, 3 };
    struct text line = { 0 };
    struct table before = { .whole_lines = 1 }, after = { 0 };
    struct err e = { 0 };
    int fd;
    const int readable = table_append(&before, path, &e) == ERR_OK;
    text_add(&line, "p,0,ok\n");
    if (row_open(&fd, path, &l, "# a: b\n", &e) == ERR_OK) {
        if (row_append(fd, &line, path, &e) != ERR_OK) abort();
        close(fd);
        if (readable && (table_append(&after, path, &e) != ERR_OK || after.count != before.count + 1)) abort();
    }
    text_free(&line);
    table_free(&before);
    table_free(&after);
}

static int run(const uint8_t *bytes, size_t size)
{
    static char folder[64];
    const uint8_t *first = bytes;
    const size_t n = fuzz_part(&bytes, &size);
    char path[160];
    snprintf(path, sizeof path, "%s", fuzz_put("sweep.0-of-2.csv", first, n));
    fuzz_put("sweep.1-of-2.csv", bytes, size);
    snprintf(folder, sizeof folder, "%s", fuzz_folder);
    const int status = merge(folder);
    struct table t = { 0 };
    (void)table_append(&t, path, NULL);
    for (size_t i = 0; i < t.count; i++) (void)table_number(&t, i, (int)(i % (t.columns + 1)));
    (void)table_note(&t, "a");
    table_free(&t);
    resume(path);
    return status == ERR_OK ? 0 : -(size == 0);
}

const struct fuzz_target fuzz_rows = { .summary = "rows of a sweep, resumed and merged", .run = run, .longest = 1024 };
