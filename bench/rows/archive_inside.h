/* SPDX-License-Identifier: MIT
 * archive_inside.h - what the files of archive.h share. */
#ifndef ASSAY_ARCHIVE_INSIDE_H
#define ASSAY_ARCHIVE_INSIDE_H
#include "bench/rows/archive.h"
#include <sqlite3.h>

struct archive {
    sqlite3 *db;
    char *path;
};

/* A statement made of a format; ERR_ARG with SQLite's message.  sqlite3_finalize it. */
int archive_prepare(struct archive *a, sqlite3_stmt **out, struct err *e, const char *fmt, ...);
/* Runs one that gives nothing. */
int archive_run(struct archive *a, struct err *e, const char *fmt, ...);
/* ERR_IO with SQLite's message, naming the archive. */
int archive_failed(struct archive *a, struct err *e);
/* ERR_ARG, with the nearest, unless rows has the column. */
int archive_has_column(struct archive *a, const char *name, struct err *e);
#endif
