/* SPDX-License-Identifier: MIT
 * history.c - a table of saved runs, oldest first. */
#include "bench/report/history.h"
#include "bench/report/grid.h"
#include "bench/report/html.h"
#include "bench/report/saved.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = GRID_WHOLE - 3 }; /* beside the kernel, the ratio and the verdict */

static int by_time(const void *a, const void *b)
{
    return strcmp(text_of(&((const struct saved *)a)->time), text_of(&((const struct saved *)b)->time));
}

/* Those of the machine of the last one, the latest RUNS of them. */
static size_t keep_one_machine(struct saved *runs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const int is_kept = strcmp(table_note(&runs[i].table, "machine"), table_note(&runs[count - 1].table, "machine")) == 0;
        if (!is_kept) saved_free(&runs[i]);
        else if (kept++ < i) runs[kept - 1] = runs[i], runs[i] = (struct saved){ 0 };
    }
    for (; kept > RUNS; kept--) {
        saved_free(&runs[0]);
        memmove(runs, runs + 1, (kept - 1) * sizeof *runs);
        runs[kept - 1] = (struct saved){ 0 };
    }
    return kept;
}

static int open_all(struct saved **runs, size_t *count, const char *lines, struct err *e)
{
    int status = ERR_OK;
    for (const char *at = lines, *end; status == ERR_OK && (end = strchr(at, '\n')); at = end + 1) {
        char path[1024];
        snprintf(path, sizeof path, "%.*s", (int)(end - at), at);
        if (!mem_extend(runs, *count, *count + 1, sizeof **runs)) return FAIL(e, ERR_MEM, "%s: no memory", path);
        status = saved_open(&(*runs)[(*count)++], path, e);
    }
    return status;
}

/* One row a kernel of the last run. */
static int fill(struct made *m, const struct saved *runs, size_t count, const char **names, struct err *e)
{
    struct made last = { 0 };
    int status = saved_compare(&last, &runs[count - 2], &runs[count - 1], e);
    if (status == ERR_OK) status = made_finish(&last, e);
    names[0] = "kernel";
    for (size_t i = 0; i < count; i++) names[1 + i] = text_of(&runs[i].time);
    names[1 + count] = "last two, then / now";
    names[2 + count] = "last two, then / now_lo";
    names[3 + count] = "last two, then / now_hi";
    names[4 + count] = "verdict";
    m->names = names;
    m->columns = 5 + count;
    for (size_t r = 0; status == ERR_OK && r < last.table.count; r++) {
        const char *kernel = table_text(&last.table, r, 0);
        made_cell(m, "%s", kernel);
        for (size_t i = 0; i < count; i++) {
            const struct saved_kernel *k = saved_find(&runs[i], kernel);
            made_number(m, k ? saved_ns(k) : (double)NAN);
        }
        for (int c = 3; c < 7; c++) made_cell(m, "%s", table_text(&last.table, r, c));
    }
    made_free(&last);
    return status;
}

int history_write(struct text *out, const struct folder *f, size_t number, struct err *e)
{
    struct saved *runs = NULL;
    struct made m = { 0 };
    const char *names[5 + RUNS];
    size_t opened = 0, count = 0;
    int status = open_all(&runs, &opened, text_of(&f->saved), e);
    if (status == ERR_OK && opened) {
        qsort(runs, opened, sizeof *runs, by_time);
        count = keep_one_machine(runs, opened);
    }
    if (status == ERR_OK && count > 1) {
        status = fill(&m, runs, count, names, e);
        if (status == ERR_OK) status = made_finish(&m, e);
        const struct grid_plan plan = { .number = number, .caption = "saved runs of kernels", .is_whole = 1 };
        if (status == ERR_OK && m.table.count) {
            text_add(out, "<section id=\"history\"><h2>History</h2>\n<p>ns a vector in %zu saved runs on this machine, oldest first. The "
                          "verdict is over processes of the last two, for all kernels together, and wider by what the scalar and "
                          "compilers' rows of a shape moved.</p>\n", count);
            grid_add(out, &plan, &m.table);
            text_add(out, "</section>\n");
        }
        made_free(&m);
    }
    for (size_t i = 0; i < opened; i++) saved_free(&runs[i]);
    mem_free(runs);
    return status;
}
