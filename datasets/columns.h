/* SPDX-License-Identifier: MIT
 * columns.h - a tab-separated table with a header line, for importers of one published layout: each says which columns
 * the layout has, and anything else is an error (intake.h). */
#ifndef ASSAY_COLUMNS_H
#define ASSAY_COLUMNS_H
#include "datasets/intake.h"

enum { COLUMNS_ROOM = 16 };

struct columns {
    struct text path;
    struct lines lines;
    size_t count;
    int at[COLUMNS_ROOM];      /* of each wanted column: where it stands; -1: not there */
    char *cells[COLUMNS_ROOM]; /* of the row read last, as they stand */
};

/* Opens <folder>/<file>.  wanted: names in the caller's order, NULL after the last; "a|b" either spelling, "a?" may be
 * missing.  ERR_NOT_FOUND; ERR_FORMAT: a column that is not wanted, one that is missing, one twice. */
int columns_open(struct columns *c, const char *folder, const char *file, const char *const *wanted, struct err *e);
/* The next row; 0 at the end or, with *status, on failure (ERR_FORMAT: more or fewer cells than the header has). */
int columns_next(struct columns *c, int *status, struct err *e);
/* Cell of wanted column i, "" where the table lacks it. */
static inline const char *columns_cell(const struct columns *c,
                                       int i) { return c->at[i] < 0 ? "" : c->cells[c->at[i]]; }
/* ERR_FORMAT naming file, line, field and value. */
int columns_bad(const struct columns *c, const char *field, const char *value, const char *why, struct err *e);
void columns_close(struct columns *c); /* a zeroed one is allowed */
#endif
