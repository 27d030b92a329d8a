/* SPDX-License-Identifier: MIT
 * store_inside.h - a store as its own files see it: store.c opens bases and holds transactions, store_shape.c finds out
 * what their tables are like, store_read.c and store_write.c move rows, store_ids.c knows what the user calls them. */
#ifndef ASSAY_STORE_INSIDE_H
#define ASSAY_STORE_INSIDE_H
#include <sqlite3.h>
#include "index/idset.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum store_statement {
    STORE_DATA_VERSION, STORE_ENTITIES, STORE_ADD_ENTITY, STORE_ADD_VECTOR,
    STORE_ADD_RELATION, STORE_ADD_HYPEREDGE, STORE_ADD_MEMBER, STORE_IS_OBJECT, STORE_ADD_ID, STORE_ID_OF, STORE_FIND_ID, STORE_FIND_NUMBER,
    STORE_HAS_ENTITY, STORE_STATEMENT_COUNT
};

enum { STORE_ENTITIES_AT_ONCE = 64 }; /* that STORE_ENTITIES asks for: 10 results with 5 each are one statement */

/* Columns that a base may lack. */
enum store_column {
    STORE_ENTITY_TYPE, STORE_ENTITY_NAME, STORE_ENTITY_PROPERTIES, STORE_RELATION_ID, STORE_RELATION_TYPE,
    STORE_RELATION_WEIGHT, STORE_COLUMN_COUNT
};

struct store {
    sqlite3 *db;
    char *path, *partial; /* partial: what STORE_CREATE fills until its first commit */
    int partial_fd;
    enum store_mode mode;
    int version;
    int writing, reading; /* a transaction is open; reading: held by STORE_DATA_VERSION, at its row */
    int64_t begun;        /* when, in seconds since 1970: what rows are dated (strftime a row costs as much as the row) */
    struct idset known;   /* entities of a base in the making: SQLite's own check of a foreign key costs a search of
                           * a tree, 1.8 of 7.2 s for 1,400,000 rows */
    size_t dim;           /* of the base's vectors, as far as writing has seen; 0: none yet */
    int found_version;    /* version and dim as the open transaction found them */
    size_t found_dim;
    sqlite3_stmt *statements[STORE_STATEMENT_COUNT];
    uint64_t statements_run;
    struct text entity; /* the last one read */
    int ids;            /* assay_ids: 1 there, -1 not, 0 not looked for yet */
    int seen_once, seen_data_version;
    int64_t seen_changes;
    const char *column[STORE_COLUMN_COUNT]; /* as SQL: its name, or what stands for a missing one */
    int64_t view_steps, view_steps_most; /* of a base that has views */
    struct store_odd odd;
};

/* What SQLite's code means, by the path; never ERR_OK. */
int store_error(const struct store *s, int rc, struct err *e);
/* Fills column and has_views.  ERR_FORMAT: no base; ERR_UNSUPPORTED: one that cannot be written. */
int store_shape(struct store *s, struct err *e);
/* 1 when there is such a table or view, 0 when not, or an error. */
int store_has(struct store *s, const char *table, int *is_view, struct err *e);
/* The same of a column; a table that is not there has none. */
int store_has_column(struct store *s, const char *table, const char *column, struct err *e);
int store_run(struct store *s, const char *sql, struct err *e); /* statements without parameters and rows */
/* A statement that is kept, ready to bind; counted as run. */
int store_prepare(struct store *s, enum store_statement which, sqlite3_stmt **out, struct err *e);
/* Runs a statement that gives no rows and makes it ready for the next time; the SQLite code. */
int store_step(sqlite3_stmt *st);
int store_bytes(struct store *s, int64_t *out, struct err *e); /* of the database, what the log holds included */
/* A query of one number; *found is 0 when it gave no row. */
int store_number(struct store *s, const char *sql, int64_t *out, int *found, struct err *e);

#ifdef __cplusplus
}
#endif
#endif
