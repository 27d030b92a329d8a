/* SPDX-License-Identifier: MIT
 * table.h - results read back: CSV files with "# key: value" lines on top, as one table.
 *
 * Cells are text, quoted as RFC 4180 has it; an absent column and an empty cell are both "", which
 * means "not applicable".  Appending a file adds its new columns after those that are there.  In a file of rows (it has a
 * column point_id) what row.h knows as a number is one. */
#ifndef ASSAY_TABLE_H
#define ASSAY_TABLE_H
#include <stddef.h>
#include "kernels/base/err.h"

struct table_row {
    const char **cells;
    size_t count; /* columns known when the row was read; later ones are empty */
};

/* Zero-initialise.  Owns everything that it points to. */
struct table {
    int whole_lines; /* set before table_append: a last line without its LF, as a killed writer leaves, is no row, and
                        a file without a header yet has none */
    const char **names;
    size_t columns;
    struct table_row *rows;
    size_t count;
    const char **notes; /* "key: value", without the '#', in the order of the files */
    size_t note_count;
    void **owned;
    size_t owned_count;
};

/* Adds the rows of one file.  ERR_NOT_FOUND, ERR_IO; ERR_FORMAT names the line: no header, a column
 * twice, a row with another number of cells, an open quote, a cell of rows that is no number.  On failure the table is as it was but
 * for memory that table_free releases. */
int table_append(struct table *t, const char *path, struct err *e);
void table_free(struct table *t);

enum { TABLE_NONE = -1 };
int table_column(const struct table *t, const char *name); /* TABLE_NONE: no such column */
const char *table_text(const struct table *t, size_t row, int column);
double table_number(const struct table *t, size_t row, int column); /* NaN: empty or no number */
/* The value of the first note with that key; "" when there is none. */
const char *table_note(const struct table *t, const char *key);
#endif
