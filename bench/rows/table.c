/* SPDX-License-Identifier: MIT
 * table.c - reads CSV files with comments on top into one table of text cells. */
#define _GNU_SOURCE /* strchrnul */
#include "bench/rows/row.h"
#include "bench/rows/table.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <math.h>
#include <string.h>

/* A file being cut into cells, in place. */
struct cursor {
    char *at, *end;
    size_t line;
    const char *path;
};

/* Room for one more in an array whose room is the next power of two. */
static int room_for_one(void *array, size_t count, size_t size)
{
    if (count & (count - 1)) return 1;
    void *at;
    memcpy(&at, array, sizeof at);
    at = mem_grow(at, count, count ? 2 * count : 1, size);
    if (at) memcpy(array, &at, sizeof at);
    return at != NULL;
}

static int keep(struct table *t, void *block)
{
    if (!block || !room_for_one(&t->owned, t->owned_count, sizeof *t->owned)) {
        mem_free(block);
        return 0;
    }
    t->owned[t->owned_count++] = block;
    return 1;
}

static int load(struct table *t, const char *path, struct cursor *c, struct err *e)
{
    unsigned char *bytes;
    size_t size;
    const int status = mem_read_file(&bytes, &size, path, e);
    if (status != ERR_OK) return status;
    char *copy = mem_alloc(size + 1, 1);
    if (copy) memcpy(copy, bytes, size), copy[size] = 0;
    mem_free(bytes);
    if (!keep(t, copy)) return FAIL(e, ERR_MEM, "%s: out of memory", path);
    *c = (struct cursor){ copy, copy + size, 1, path };
    while (t->whole_lines && c->end > c->at && c->end[-1] != '\n') *--c->end = 0;
    if (strlen(copy) != (size_t)(c->end - c->at))
        return FAIL(e, ERR_FORMAT, "%s: not a text file", path);
    return ERR_OK;
}

/* One cell; *last is set at the end of the row.  NULL: a quote that never closes. */
static const char *cut_cell(struct cursor *c, int *last)
{
    char *out = c->at, *const cell = c->at;
    if (c->at < c->end && *c->at == '"') {
        for (c->at++;; c->at++) {
            if (c->at >= c->end) return NULL;
            if (*c->at == '"' && *++c->at != '"') break;
            c->line += *c->at == '\n';
            *out++ = *c->at;
        }
    }
    while (c->at < c->end && *c->at != ',' && *c->at != '\n') *out++ = *c->at++;
    *last = c->at >= c->end || *c->at == '\n';
    if (*last && out > cell && out[-1] == '\r') out--;
    c->line += c->at < c->end && *c->at == '\n';
    if (c->at < c->end) c->at++;
    *out = 0;
    return cell;
}

static int read_notes(struct table *t, struct cursor *c, struct err *e)
{
    while (c->at < c->end && *c->at == '#') {
        char *const end = strchrnul(c->at, '\n');
        if (!room_for_one(&t->notes, t->note_count, sizeof *t->notes))
            return FAIL(e, ERR_MEM, "%s: out of memory", c->path);
        t->notes[t->note_count++] = c->at + 1 + strspn(c->at + 1, " ");
        c->at = end < c->end ? end + 1 : end;
        c->line++;
        *end = 0;
    }
    return ERR_OK;
}

/* Where each column of this file goes: position in the union. */
static int read_header(struct table *t, struct cursor *c, size_t **to, size_t *count, struct err *e)
{
    size_t *map = NULL, n = 0;
    const size_t known = t->columns;
    int last = c->at >= c->end;
    if (last) return FAIL(e, ERR_FORMAT, "%s: no header line", c->path);
    while (!last) {
        const char *name = cut_cell(c, &last);
        int column = name ? table_column(t, name) : TABLE_NONE;
        for (size_t i = 0; i < n; i++)
            if (column >= 0 && map[i] == (size_t)column) name = NULL;
        if (!name || !*name) {
            mem_free(map);
            t->columns = known;
            return FAIL(e, ERR_FORMAT, "%s: line %zu: a column name is missing or comes twice",
                        c->path, c->line);
        }
        if (!room_for_one(&map, n, sizeof *map) ||
            (column < 0 && !room_for_one(&t->names, t->columns, sizeof *t->names))) {
            mem_free(map);
            t->columns = known;
            return FAIL(e, ERR_MEM, "%s: out of memory", c->path);
        }
        if (column < 0) t->names[column = (int)t->columns++] = name;
        map[n++] = (size_t)column;
    }
    *to = map;
    *count = n;
    return ERR_OK;
}

/* Which cells of a line must be numbers: NULL where a file holds no rows of points. */
static int find_numbers(const struct table *t, const size_t *to, size_t count, unsigned char **out, struct err *e)
{
    int has_rows = 0;
    *out = NULL;
    for (size_t i = 0; i < count; i++) has_rows |= strcmp(t->names[to[i]], "point_id") == 0;
    if (!has_rows) return ERR_OK;
    *out = mem_alloc(count, 1);
    for (size_t i = 0; *out && i < count; i++) (*out)[i] = (unsigned char)column_is_number(t->names[to[i]]);
    return *out ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu columns", count);
}

static int is_finite_number(const char *cell)
{
    double value;
    return text_to_f64(cell, &value) && isfinite(value);
}

static int read_row(struct table *t, struct cursor *c, const size_t *to, const unsigned char *numbers, size_t count,
                    struct err *e)
{
    const size_t line = c->line;
    const char **cells = mem_alloc(t->columns, sizeof *cells);
    if (!keep(t, cells) || !room_for_one(&t->rows, t->count, sizeof *t->rows))
        return FAIL(e, ERR_MEM, "%s: out of memory", c->path);
    for (size_t i = 0; i < t->columns; i++) cells[i] = "";
    int last = 0;
    for (size_t i = 0; i < count; i++) {
        const char *cell = last ? NULL : cut_cell(c, &last);
        if (!cell)
            return FAIL(e, ERR_FORMAT, "%s: line %zu: %zu cells where the header has %zu", c->path,
                        line, i, count);
        if (numbers && numbers[i] && *cell && !is_finite_number(cell))
            return FAIL(e, ERR_FORMAT, "%s: line %zu: %s: '%.40s' is no number", c->path, line, t->names[to[i]], cell);
        cells[to[i]] = cell;
    }
    if (!last)
        return FAIL(e, ERR_FORMAT, "%s: line %zu: more cells than the header has (%zu)", c->path,
                    line, count);
    t->rows[t->count++] = (struct table_row){ cells, t->columns };
    return ERR_OK;
}

int table_append(struct table *t, const char *path, struct err *e)
{
    struct cursor c = { 0 };
    size_t *to = NULL, count = 0;
    unsigned char *numbers = NULL;
    const size_t rows = t->count;
    int status = load(t, path, &c, e);
    if (status == ERR_OK) status = read_notes(t, &c, e);
    const int only_begun = t->whole_lines && c.at >= c.end;
    if (status == ERR_OK && !only_begun) status = read_header(t, &c, &to, &count, e);
    if (status == ERR_OK && !only_begun) status = find_numbers(t, to, count, &numbers, e);
    while (status == ERR_OK && c.at < c.end) {
        if (*c.at == '\n') {
            c.at++;
            c.line++;
        } else {
            status = read_row(t, &c, to, numbers, count, e);
        }
    }
    mem_free(numbers);
    mem_free(to);
    if (status != ERR_OK) t->count = rows;
    return status;
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->owned_count; i++) mem_free(t->owned[i]);
    mem_free(t->owned);
    mem_free(t->names);
    mem_free(t->rows);
    mem_free(t->notes);
    *t = (struct table){ 0 };
}

int table_column(const struct table *t, const char *name)
{
    for (size_t i = 0; i < t->columns; i++)
        if (strcmp(t->names[i], name) == 0) return (int)i;
    return TABLE_NONE;
}

const char *table_text(const struct table *t, size_t row, int column)
{
    return column >= 0 && (size_t)column < t->rows[row].count ? t->rows[row].cells[column] : "";
}

double table_number(const struct table *t, size_t row, int column)
{
    double value;
    return text_to_f64(table_text(t, row, column), &value) ? value : (double)NAN;
}

const char *table_note(const struct table *t, const char *key)
{
    const size_t size = strlen(key);
    for (size_t i = 0; i < t->note_count; i++)
        if (strncmp(t->notes[i], key, size) == 0 && t->notes[i][size] == ':')
            return t->notes[i] + size + 1 + strspn(t->notes[i] + size + 1, " ");
    return "";
}
