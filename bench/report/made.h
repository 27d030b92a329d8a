/* SPDX-License-Identifier: MIT
 * made.h - a table that is written here and not read from a file, cell after cell. */
#ifndef ASSAY_MADE_H
#define ASSAY_MADE_H
#include "bench/rows/table.h"
#include "kernels/base/text.h"

/* Zero-initialise but for names and columns, which outlive it; made_free. */
struct made {
    const char *const *names;
    size_t columns;
    struct text bytes; /* of all cells, each with its 0 */
    size_t count;      /* of cells */
    struct table table; /* when made_finish returned ERR_OK; not for table_free */
};
void made_cell(struct made *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void made_number(struct made *m, double value); /* empty where it is none */
int made_finish(struct made *m, struct err *e); /* ERR_MEM */
void made_free(struct made *m);
#endif
