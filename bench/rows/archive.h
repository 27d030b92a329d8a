/* SPDX-License-Identifier: MIT
 * archive.h - rows of many runs in one SQLite file, to be asked in SQL.
 *
 *   files      id, hash, path (as it was named), notes ("key: value" lines), rows
 *   rows       file, row_hash, and the columns of all that was imported, by their names
 *   per_query  point_id, run_id, tsv: what <point_id>.pq.tsv beside the file said
 *
 * A row is known by what its cells say, whatever file, order of columns or merge it comes in: what is imported twice is
 * there once.  Empty cells are NULL; numbers are numbers. */
#ifndef ASSAY_ARCHIVE_H
#define ASSAY_ARCHIVE_H
#include "bench/rows/sheet.h"
#include "kernels/base/err.h"

struct archive;

/* create: makes the file where there is none, for writing; else it is read only.  ERR_NOT_FOUND, ERR_FORMAT: no archive. */
int archive_open(struct archive **out, const char *path, int create, struct err *e);
void archive_close(struct archive *a); /* NULL is allowed */

struct archive_added {
    size_t files, files_before; /* with something new; known by their bytes */
    size_t rows, rows_before;   /* new; known by what they say */
    size_t per_query;           /* files of queries */
    size_t others;              /* CSV files of a folder that hold no rows of points */
};
/* CSV files, and every *.csv of a folder.  All or nothing.  ERR_FORMAT: a named file that holds no rows of points (a
 * folder's are counted), or is damaged, with its line. */
int archive_import(struct archive *a, const char *const *inputs, size_t count, struct archive_added *out, struct err *e);

/* What one statement that changes nothing gives: as a sheet, or (json) one object a row, appended to out.  ERR_ARG: SQLite's
 * own message, more than one statement, or one that writes. */
int archive_query(struct archive *a, const char *sql, int json, struct text *out, struct err *e);

/* What the two views of two runs take from an archive. */
struct archive_wish {
    const char *where;    /* SQL, or NULL */
    int force, json;      /* compares what is of different machines or binaries all the same, and marks it */
};

/* A table of the fastest of each index by name that reaches `level` of column `recall`: for each dataset, metric, k, batch,
 * threads, machine and binary apart, as their times are not comparable.  The best measured point, or, with interpolate,
 * also what lies between the two points around the level: linear in recall, queries a second as a logarithm, along points
 * of one build.  ERR_NOT_FOUND: no row has both numbers; ERR_ARG: no such column. */
int archive_at_recall(struct archive *a, const struct archive_wish *w, const char *recall, double level, int interpolate,
                      struct text *out, struct err *e);

/* The points that both runs measured, side by side, by `columns` ("recall_strict,qps"; NULL: what both have of a usual few):
 * means over repetitions, the difference, and, where per-query files of both are there, a verdict: of quality by a
 * randomization test, Holm-corrected over the points; of times by the median ratio of queries and its sign interval.  a and b:
 * a run_id or its beginning, a file or folder as it was imported, or a condition in SQL.  ERR_ARG: measured on different
 * machines or by different binaries, unless forced; ERR_NOT_FOUND: no such run, or no point of both. */
int archive_diff(struct archive *a, const struct archive_wish *w, const char *first, const char *second, const char *columns,
                 struct text *out, struct err *e);
#endif
