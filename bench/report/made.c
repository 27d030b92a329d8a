/* SPDX-License-Identifier: MIT
 * made.c - tables out of cells in one block of text. */
#include "bench/report/made.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

void made_cell(struct made *m, const char *fmt, ...)
{
    char cell[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(cell, sizeof cell, fmt, args);
    va_end(args);
    text_add_bytes(&m->bytes, cell, strlen(cell) + 1);
    m->count++;
}

void made_number(struct made *m, double value)
{
    struct text number = { 0 };
    if (isfinite(value)) text_add(&number, "%.6g", value);
    made_cell(m, "%s", text_of(&number));
    text_free(&number);
}

int made_finish(struct made *m, struct err *e)
{
    const size_t rows = m->count / m->columns;
    const char **names = mem_alloc(m->columns, sizeof *names), **cells = mem_alloc(m->count, sizeof *cells);
    struct table_row *row = mem_zero(rows, sizeof *row);
    m->table = (struct table){ .names = names, .columns = m->columns, .rows = row, .count = rows };
    if (!names || !cells || !row || m->bytes.failed) {
        mem_free(cells);
        return FAIL(e, ERR_MEM, "no memory for a table");
    }
    memcpy(names, m->names, m->columns * sizeof *names);
    const char *at = text_of(&m->bytes);
    for (size_t i = 0; i < m->count; at += strlen(at) + 1) cells[i++] = at;
    for (size_t r = 0; r < rows; r++) row[r] = (struct table_row){ cells + r * m->columns, m->columns };
    if (!rows) mem_free(cells);
    return ERR_OK;
}

void made_free(struct made *m)
{
    if (m->table.rows && m->table.count) mem_free(m->table.rows[0].cells);
    mem_free(m->table.rows);
    mem_free(m->table.names);
    text_free(&m->bytes);
    *m = (struct made){ 0 };
}
