/* SPDX-License-Identifier: MIT
 * sweep_merge.c - many files of rows into one, and the best row of one. */
#define _GNU_SOURCE
#include "bench/rows/expr.h"
#include "bench/rows/output.h"
#include "bench/rows/row.h"
#include "bench/sweep/sweep.h"
#include "bench/rows/table.h"
#include "kernels/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- merge ---------------------------------------------------------------------------------------- */
static int append_file(struct table *t, const char *path, struct err *e)
{
    const size_t before = t->columns;
    t->whole_lines = 1;
    const int status = table_append(t, path, e);
    if (status != ERR_OK) return status;
    if (before && t->columns != before)
        return FAIL(e, ERR_FORMAT, "%s has a column that the files before it lack: '%s'", path, t->names[before]);
    return ERR_OK;
}

/* sweep.csv and sweep.*.csv */
static int is_rows(const char *name)
{
    const size_t size = strlen(name);
    return strncmp(name, "sweep.", 6) == 0 && size >= 9 && strcmp(name + size - 4, ".csv") == 0;
}

static int append_folder(struct table *t, const char *folder, struct err *e)
{
    DIR *d = opendir(folder);
    if (!d) return FAIL(e, ERR_IO, "%s: %s", folder, strerror(errno));
    int status = ERR_OK;
    for (struct dirent *entry; status == ERR_OK && (entry = readdir(d));) {
        if (!is_rows(entry->d_name)) continue;
        struct text path = { 0 };
        text_add(&path, "%s/%s", folder, entry->d_name);
        status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : append_file(t, text_of(&path), e);
        text_free(&path);
    }
    closedir(d);
    return status;
}

int sweep_read(struct table *t, const char *const *inputs, size_t count, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct stat s;
        if (stat(inputs[i], &s) != 0) status = FAIL(e, ERR_NOT_FOUND, "%s: %s", inputs[i], strerror(errno));
        else status = S_ISDIR(s.st_mode) ? append_folder(t, inputs[i], e) : append_file(t, inputs[i], e);
    }
    return status;
}

struct order {
    const struct table *table;
    int id, rep, machine, status;
};

static int is_ok(const struct order *o, size_t row)
{
    return strcmp(table_text(o->table, row, o->status), "ok") == 0;
}

/* Equal point, repetition and machine: "ok" first, then by all cells, so that the order of the
 * inputs cannot matter. */
static int by_point(const void *a, const void *b, void *context)
{
    const struct order *o = context;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const double rx = table_number(o->table, x, o->rep), ry = table_number(o->table, y, o->rep);
    int c = strcmp(table_text(o->table, x, o->id), table_text(o->table, y, o->id));
    if (!c) c = (isnan(rx) != 0) - (isnan(ry) != 0); /* what is no number comes behind them: against it all would be equal */
    if (!c) c = (rx > ry) - (rx < ry);
    if (!c) c = strcmp(table_text(o->table, x, o->rep), table_text(o->table, y, o->rep));
    if (!c) c = strcmp(table_text(o->table, x, o->machine), table_text(o->table, y, o->machine));
    if (!c) c = is_ok(o, y) - is_ok(o, x);
    for (size_t i = 0; !c && i < o->table->columns; i++)
        c = strcmp(table_text(o->table, x, (int)i), table_text(o->table, y, (int)i));
    return c;
}

static int same_point(const struct order *o, size_t x, size_t y)
{
    return strcmp(table_text(o->table, x, o->id), table_text(o->table, y, o->id)) == 0 &&
           strcmp(table_text(o->table, x, o->rep), table_text(o->table, y, o->rep)) == 0 &&
           strcmp(table_text(o->table, x, o->machine), table_text(o->table, y, o->machine)) == 0;
}

static int as_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The notes of all inputs, each once, sorted. */
static void add_notes(const struct table *t, struct text *out)
{
    const char **notes = mem_alloc(t->note_count, sizeof *notes);
    if (!notes) {
        out->failed = 1;
        return;
    }
    for (size_t i = 0; i < t->note_count; i++) notes[i] = t->notes[i];
    qsort(notes, t->note_count, sizeof *notes, as_text);
    for (size_t i = 0; i < t->note_count; i++)
        if (i == 0 || strcmp(notes[i - 1], notes[i]) != 0) text_add(out, "# %s\n", notes[i]);
    mem_free(notes);
}

void sweep_add_names(const struct table *t, struct text *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        if (c) text_add(out, ",");
        csv_add(out, t->names[c]);
    }
    text_add(out, "\n");
}

void sweep_add_row(const struct table *t, size_t row, struct text *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        if (c) text_add(out, ",");
        csv_add(out, table_text(t, row, (int)c));
    }
    text_add(out, "\n");
}

static int merged(const struct table *t, struct text *out, struct err *e)
{
    struct order o = { t, table_column(t, "point_id"), table_column(t, "rep"), table_column(t, "machine"),
                       table_column(t, "status") };
    size_t *order = mem_alloc(t->count, sizeof *order);
    if (!order) return FAIL(e, ERR_MEM, "no memory for %zu rows", t->count);
    for (size_t i = 0; i < t->count; i++) order[i] = i;
    qsort_r(order, t->count, sizeof *order, by_point, &o);
    add_notes(t, out);
    sweep_add_names(t, out);
    for (size_t i = 0; i < t->count; i++) {
        if (i && same_point(&o, order[i - 1], order[i])) continue;
        sweep_add_row(t, order[i], out);
    }
    mem_free(order);
    return out->failed ? FAIL(e, ERR_MEM, "no memory for %zu rows", t->count) : ERR_OK;
}

int sweep_merge(const char *const *inputs, size_t count, const char *out, struct err *e)
{
    struct table t = { 0 };
    struct text bytes = { 0 };
    int status = sweep_read(&t, inputs, count, e);
    if (status == ERR_OK && (table_column(&t, "point_id") < 0 || table_column(&t, "schema") < 0))
        status = FAIL(e, ERR_FORMAT, "no rows of a sweep in %s", inputs[0]);
    if (status == ERR_OK) status = merged(&t, &bytes, e);
    if (status == ERR_OK) status = output_write(out, &bytes, e);
    text_free(&bytes);
    table_free(&t);
    return status;
}

/* --- best --------------------------------------------------------------------------------------------- */
struct looking {
    const struct table *table;
    size_t row;
};

static const char *cell_value(void *context, const char *name)
{
    const struct looking *l = context;
    const int column = table_column(l->table, name);
    return column < 0 ? NULL : table_text(l->table, l->row, column);
}

static int unknown_column(const struct table *t, const char *name, const char *path, struct err *e)
{
    return FAIL(e, ERR_ARG, "%s has no column '%s'%s", path, name,
                NEAREST(name, t->names, t->columns));
}

static int holds_all(const struct table *t, size_t row, const char *path, const char *const *where, size_t count,
                     int *holds, struct err *e)
{
    struct looking l = { t, row };
    const int ok = table_column(t, "status");
    *holds = ok < 0 || strcmp(table_text(t, row, ok), "ok") == 0;
    for (size_t i = 0; i < count; i++) {
        char unknown[64];
        int one;
        const int status = expr_holds(where[i], cell_value, &l, 0, &one, unknown, e);
        if (status != ERR_OK) return *unknown ? unknown_column(t, unknown, path, e) : status;
        *holds &= one;
    }
    return ERR_OK;
}

static int differs(const struct table *t, int column)
{
    for (size_t i = 1; i < t->count; i++)
        if (strcmp(table_text(t, i, column), table_text(t, 0, column)) != 0) return 1;
    return 0;
}

/* Prints the values of a row that not all rows share, without those that say which run it was. */
static void print_page(const struct table *t, size_t row)
{
    static const char *const quiet[] = { "run_id", "rep", "status", "schema", "machine", "binary" };
    struct text plain = { 0 };
    for (size_t c = 0; c < t->columns; c++) {
        int said = *table_text(t, row, (int)c) && differs(t, (int)c);
        for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) said &= strcmp(t->names[c], quiet[i]) != 0;
        if (!said) continue;
        printf("  %-24s ", text_plain(&plain, t->names[c]));
        printf("%s\n", text_plain(&plain, table_text(t, row, (int)c)));
    }
    text_free(&plain);
}

static void print_object(const struct table *t, size_t row, const struct layout *core)
{
    struct text out = { 0 };
    for (size_t c = 0; c < t->columns; c++) {
        const char *value = table_text(t, row, (int)c);
        const int known = layout_find(core, t->names[c]);
        const int is_text = known >= 0 && core->columns[known].type == COLUMN_TEXT;
        double number;
        text_add(&out, "%s", c ? "," : "{");
        text_add_json(&out, t->names[c]);
        text_add(&out, ":");
        if (!*value) text_add(&out, "null");
        else if (!is_text && text_to_f64(value, &number) && isfinite(number)) text_add(&out, "%s", value);
        else text_add_json(&out, value);
    }
    text_add(&out, "}\n");
    fputs(text_of(&out), stdout);
    text_free(&out);
}

int sweep_best(const char *path, const char *const *where, size_t where_count, const char *column, int largest,
               int json, struct err *e)
{
    struct table t = { 0 };
    struct layout core = { 0 };
    int status = layout_init(&core, e);
    if (status == ERR_OK) status = table_append(&t, path, e);
    const int by = table_column(&t, column);
    size_t best = 0, left = 0, equal = 0;
    if (status == ERR_OK && by < 0) status = unknown_column(&t, column, path, e);
    for (size_t i = 0; status == ERR_OK && i < t.count; i++) {
        int holds;
        status = holds_all(&t, i, path, where, where_count, &holds, e);
        const double value = table_number(&t, i, by);
        if (status != ERR_OK || !holds || isnan(value)) continue;
        const double now = left++ ? table_number(&t, best, by) : value;
        const int better = left == 1 || (largest ? value > now : value < now);
        equal = better ? 0 : equal + (value == now);
        if (better) best = i;
    }
    if (status == ERR_OK && left == 0)
        status = FAIL(e, ERR_NOT_FOUND, "%s: none of %zu rows is ok, has %s and holds the conditions", path, t.count,
                      column);
    if (status == ERR_OK && json) print_object(&t, best, &core);
    if (status == ERR_OK && !json) {
        printf("%s %s of the %zu rows that qualify (of %zu): %s\n", largest ? "largest" : "smallest", column, left,
               t.count, table_text(&t, best, by));
        if (equal) printf("%zu more have the same; the first is shown\n", equal);
        print_page(&t, best);
    }
    layout_fini(&core);
    table_free(&t);
    return status;
}
