/* SPDX-License-Identifier: MIT
 * figure_title.c - the name of a figure's files and its title. */
#include "bench/rows/figure.h"
#include "bench/rows/figure_inside.h"
#include <math.h>
#include <string.h>

void figure_add_dataset(struct text *out, const struct table *t, int column, const char *value, char between)
{
    const char *const file = strrchr(value, '/');
    const char *start = value;
    size_t size = file ? (size_t)(file - value) : strcspn(value, ".");
    for (size_t i = 0; i < size; i++) /* of "a/b/base.fvecs" b */
        if (value[i] == '/') start = value + i + 1;
    size -= (size_t)(start - value);
    text_add(out, "%.*s", (int)size, start);
    int several = 0;
    for (size_t r = 0; file && r < t->count; r++) {
        const char *other = table_text(t, r, column);
        several |= strncmp(other, value, (size_t)(file - value) + 1) == 0 && strcmp(other, value) != 0;
    }
    if (several) text_add(out, "%c%.*s", between, (int)strcspn(file + 1, "."), file + 1);
}

/* 100000 is easier read as 100,000. */
static void add_count(struct text *out, const char *digits)
{
    const size_t size = strlen(digits);
    for (size_t i = 0; i < size; i++) text_add(out, i && (size - i) % 3 == 0 ? ",%c" : "%c", digits[i]);
}

static void add_condition(struct text *out, const char *name, const char *value)
{
    const int is_one = strcmp(value, "1") == 0;
    if (out->size) text_add(out, ", ");
    if (strcmp(name, "k") == 0) text_add(out, "k = %s", value);
    else if (strcmp(name, "threads") == 0) text_add(out, "%s thread%s", value, is_one ? "" : "s");
    else if (strcmp(name, "batch") == 0 && is_one) text_add(out, "one query a call");
    else if (strcmp(name, "batch") == 0) text_add(out, "%s queries a call", value);
    else text_add(out, "%s %.8s", name, value);
}

/* ", 100,000 x 384" where the rows of that data set agree. */
static void add_shape(struct text *out, const struct table *t, size_t row)
{
    const int n = table_column(t, "n"), dim = table_column(t, "dim"), dataset = table_column(t, "dataset");
    const char *count = table_text(t, row, n), *wide = table_text(t, row, dim);
    if (!*count || !*wide) return;
    for (size_t r = 0; r < t->count; r++)
        if (strcmp(table_text(t, r, dataset), table_text(t, row, dataset)) == 0 && *table_text(t, r, n) &&
            strcmp(table_text(t, r, n), count) != 0)
            return;
    text_add(out, ", ");
    add_count(out, count);
    text_add(out, " x %s", wide);
}

/* Where a line goes over data sets: the names of the first three. */
static void add_datasets(struct text *out, const struct table *t)
{
    const int column = table_column(t, "dataset");
    size_t count = 0;
    for (size_t r = 0; column >= 0 && r < t->count; r++) {
        const char *value = table_text(t, r, column);
        size_t before = 0;
        while (before < r && strcmp(table_text(t, before, column), value) != 0) before++;
        if (before < r || !*value || count++ > 3) continue;
        if (out->size) text_add(out, ", ");
        if (count <= 3) figure_add_dataset(out, t, column, value, ' ');
        else text_add(out, "and others");
    }
}

void figure_name(const struct table *t, struct figure *f, size_t row,
                 int (*splits)(const struct figure_kind *k, const char *column))
{
    text_add(&f->name, "%s", f->kind->name);
    if (!splits(f->kind, "dataset")) add_datasets(&f->title, t);
    for (size_t c = 0; c < t->columns; c++) {
        const char *name = t->names[c], *value = table_text(t, row, (int)c);
        if (!splits(f->kind, name) || !*value) continue;
        const int is_dataset = strcmp(name, "dataset") == 0;
        int several = 0;
        for (size_t r = 0; r < t->count; r++) {
            const char *other = table_text(t, r, (int)c);
            several |= *other && strcmp(other, value) != 0 && strcmp(other, RECORDED) != 0;
        }
        if (several) {
            text_add(&f->name, "_%s", is_dataset ? "" : name);
            if (is_dataset) figure_add_dataset(&f->name, t, (int)c, value, '_');
            else text_add(&f->name, "%s", value);
        }
        if (is_dataset) {
            if (f->title.size) text_add(&f->title, ", ");
            figure_add_dataset(&f->title, t, (int)c, value, ' ');
            add_shape(&f->title, t, row);
        } else if (several || strcmp(name, "machine") != 0) {
            add_condition(&f->title, name, value);
        }
    }
    for (size_t i = 0; i < f->name.size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", f->name.at[i]))
            f->name.at[i] = '_'; /* what gnuplot takes as the name of an SVG */
}
