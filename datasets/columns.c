/* SPDX-License-Identifier: MIT
 * columns.c - reads tables whose columns are known beforehand. */
#include "datasets/columns.h"
#include <string.h>

static size_t cut(char *line, char **cells)
{
    size_t count = 0;
    for (char *at = line; at && count < COLUMNS_ROOM;) {
        char *tab = strchr(at, '\t');
        if (tab) *tab = 0;
        cells[count++] = at;
        at = tab ? tab + 1 : NULL;
        if (at && count == COLUMNS_ROOM) return COLUMNS_ROOM + 1;
    }
    return count;
}

/* 1 when `name` is one of "a|b" or "a|b?". */
static int is_one(const char *name, const char *wanted)
{
    const size_t size = strlen(name);
    for (const char *w = wanted; *w;) {
        const size_t n = strcspn(w, "|?");
        if (n == size && memcmp(w, name, n) == 0) return 1;
        w += n + (w[n] != 0);
    }
    return 0;
}

static int take_header(struct columns *c, const char *const *wanted, struct err *e)
{
    int status = ERR_OK;
    char *line = lines_next(&c->lines, &status, e);
    if (status != ERR_OK) return status;
    if (!line) return FAIL(e, ERR_FORMAT, "%s: empty", c->lines.path);
    c->count = cut(line, c->cells);
    if (c->count > COLUMNS_ROOM) return columns_bad(c, NULL, NULL, "more columns than any table here has", e);
    for (size_t i = 0; i < COLUMNS_ROOM; i++) c->at[i] = -1;
    for (size_t column = 0; column < c->count; column++) {
        size_t i = 0;
        while (wanted[i] && !is_one(c->cells[column], wanted[i])) i++;
        if (!wanted[i]) return columns_bad(c, c->cells[column], NULL, "is a column that this layout does not have", e);
        if (c->at[i] >= 0) return columns_bad(c, c->cells[column], NULL, "is a column that came before", e);
        c->at[i] = (int)column;
    }
    for (size_t i = 0; wanted[i]; i++)
        if (c->at[i] < 0 && !strchr(wanted[i], '?')) return columns_bad(c, wanted[i], NULL,
                                                                        "is a column that is missing", e);
    return ERR_OK;
}

int columns_open(struct columns *c, const char *folder, const char *file, const char *const *wanted, struct err *e)
{
    *c = (struct columns){ 0 };
    text_add(&c->path, "%s/%s", folder, file);
    int status = c->path.failed ? FAIL(e, ERR_MEM, "%s/%s: no memory for its name", folder, file) : ERR_OK;
    if (status == ERR_OK) status = lines_open(&c->lines, text_of(&c->path), e);
    if (status == ERR_OK) status = take_header(c, wanted, e);
    return status;
}

int columns_next(struct columns *c, int *status, struct err *e)
{
    char *line = *status == ERR_OK ? lines_next(&c->lines, status, e) : NULL;
    if (!line) return 0;
    const size_t count = cut(line, c->cells);
    if (count == c->count) return 1;
    *status = FAIL(e, ERR_FORMAT, "%s: line %zu: %zu columns, the header has %zu", c->lines.path, c->lines.number,
                   count, c->count);
    return 0;
}

int columns_bad(const struct columns *c, const char *field, const char *value, const char *why, struct err *e)
{
    return line_bad(e, c->lines.path, c->lines.number, field, value, why);
}

void columns_close(struct columns *c)
{
    lines_close(&c->lines);
    text_free(&c->path);
    *c = (struct columns){ 0 };
}
