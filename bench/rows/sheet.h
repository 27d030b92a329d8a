/* SPDX-License-Identifier: MIT
 * sheet.h - a table of text cells for a person: plain, Markdown or LaTeX. */
#ifndef ASSAY_SHEET_H
#define ASSAY_SHEET_H
#include <stddef.h>
#include "kernels/base/text.h"

enum sheet_format { SHEET_PLAIN, SHEET_MARKDOWN, SHEET_LATEX };
enum sheet_mark { SHEET_NONE, SHEET_BEST, SHEET_TIE }; /* bold, or in plain text `*` behind; `=` behind */

/* Zero-initialise; sheet_free.  Cells are filled in order, row after row; the first row is the heading. */
struct sheet {
    size_t columns;
    struct text *cells;
    unsigned char *marks;
    size_t count;
    int failed; /* no memory: what was added is not whole */
};
void sheet_add(struct sheet *g, enum sheet_mark mark, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The first column to the left, the others to the right.  LaTeX wants booktabs. */
void sheet_print(const struct sheet *g, enum sheet_format format, struct text *out);
void sheet_free(struct sheet *g);
#endif
