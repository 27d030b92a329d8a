/* SPDX-License-Identifier: MIT
 * row.h - one measured point and repetition: the same names in CSV, in --json and in SQL.
 *
 * A layout is the fixed core, then the metrics (from the registry: NAME, NAME_lo, NAME_hi), then latency,
 * stages and sizes, then parameters by the names that specs and --set take.  Empty = not applicable;
 * NaN is never written. */
#ifndef ASSAY_ROW_H
#define ASSAY_ROW_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/param.h"
#include "kernels/base/text.h"

enum { ROW_SCHEMA = 3 };

struct column {
    const char *name, *unit, *meaning;
    enum { COLUMN_NUMBER, COLUMN_TEXT } type;
    int is_setting; /* what was asked for, not what was measured */
};
/* What a column of this name is, wherever a table of results came from; COLUMN_OTHER: neither the core nor a metric
 * has it, so that in a row it is a parameter. */
enum column_role { COLUMN_OTHER, COLUMN_SETTING, COLUMN_MEASUREMENT };
enum column_role column_role(const char *name);
/* 1: a column of the core or of a metric, and its cells are finite numbers or empty. */
int column_is_number(const char *name);

struct layout {
    struct column *columns; /* owned; names belong to tables that outlive it */
    size_t count;
};

/* An empty layout: the core and the metrics.  ERR_MEM. */
int layout_init(struct layout *l, struct err *e);
/* Adds the parameters of a table whose names are not columns yet. */
int layout_add(struct layout *l, const struct param *table, struct err *e);
void layout_fini(struct layout *l);
int layout_find(const struct layout *l, const char *name); /* -1: no such column */

struct row {
    const struct layout *layout;
    char **values; /* NULL: empty */
    int failed;    /* some value found no memory: an empty cell would say "not applicable" */
};

int row_init(struct row *r, const struct layout *l, struct err *e);
void row_fini(struct row *r);
/* Setting a column that the layout lacks is a bug, but for row_try, which then does nothing.
 * Without memory the row has failed: row_csv and row_json fail their text, and row_append refuses it. */
void row_text(struct row *r, const char *name, const char *value);
void row_int(struct row *r, const char *name, int64_t value);
void row_real(struct row *r, const char *name, double value); /* %.9g; NaN and infinity: empty */
void row_hash(struct row *r, const char *name, uint64_t value); /* 16 hexadecimal digits */
void row_try(struct row *r, const char *name, const char *value);
const char *row_get(const struct row *r, const char *name); /* "" when empty */

void layout_csv(const struct layout *l, struct text *out);  /* the header line, LF included */
void row_csv(const struct row *r, struct text *out);        /* one line, LF included */
void row_json(const struct row *r, struct text *out);       /* one object, LF included */
void csv_add(struct text *out, const char *value);          /* one field, quoted where it has to be */

/* Appends `line` to an O_APPEND descriptor, open for reading too, with one write(2): a kill leaves a whole line or a torn
 * last one, never two mixed.  A write that was cut short (the disk is full) is taken back at once and tried once more;
 * where it cannot be taken back, the next row_append does that first.  ERR_IO: the row is not there. */
int row_append(int fd, const struct text *line, const char *path, struct err *e);
/* Opens `path` for row_append.  An existing file must start with the same header (after comments),
 * else ERR_FORMAT; a torn last line is moved to <path>.torn.  ERR_BUSY when another
 * row_open has held it for two seconds, in this process or another.  A new one gets `notes` (provenance
 * lines) and the header.  Returns the descriptor in *fd. */
int row_open(int *fd, const char *path, const struct layout *l, const char *notes, struct err *e);
#endif
