/* SPDX-License-Identifier: MIT
 * archive.c - files of rows go into SQLite, each row once, and statements come back as tables. */
#define _GNU_SOURCE
#include "bench/rows/archive.h"
#include "bench/rows/archive_inside.h"
#include "bench/rows/row.h"
#include "bench/rows/table.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 10000, APPLICATION = 0x61737279 }; /* "asry": PRAGMA application_id */

static const char schema[] =
    "PRAGMA application_id = 1634955897;"
    "CREATE TABLE IF NOT EXISTS files(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, path TEXT NOT NULL, notes TEXT NOT NULL,"
    " rows INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS rows(file INTEGER NOT NULL REFERENCES files(id), row_hash TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS per_query(point_id TEXT NOT NULL, run_id TEXT NOT NULL, tsv TEXT NOT NULL,"
    " PRIMARY KEY(point_id, run_id)) WITHOUT ROWID;";

int archive_failed(struct archive *a, struct err *e) { return FAIL(e, ERR_IO, "%s: %s", a->path, sqlite3_errmsg(a->db)); }

int archive_prepare(struct archive *a, sqlite3_stmt **out, struct err *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *sql = sqlite3_vmprintf(fmt, args);
    va_end(args);
    const int rc = sql ? sqlite3_prepare_v2(a->db, sql, -1, out, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc == SQLITE_OK ? ERR_OK : FAIL(e, ERR_ARG, "%s: %s", a->path, sqlite3_errmsg(a->db));
}

int archive_run(struct archive *a, struct err *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *sql = sqlite3_vmprintf(fmt, args);
    va_end(args);
    const int rc = sql ? sqlite3_exec(a->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc == SQLITE_OK ? ERR_OK : archive_failed(a, e);
}

static int one_number(struct archive *a, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(a->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) *out = sqlite3_column_int64(st, 0), rc = SQLITE_OK;
    sqlite3_finalize(st);
    return rc == SQLITE_OK;
}

int archive_open(struct archive **out, const char *path, int create, struct err *e)
{
    struct archive *a = mem_zero(1, sizeof *a);
    int64_t id = 0, tables = 0;
    if (!a || !(a->path = strdup(path))) return mem_free(a), FAIL(e, ERR_MEM, "%s: no memory", path);
    int status = ERR_OK;
    if (!create && access(path, F_OK) != 0) status = FAIL(e, ERR_NOT_FOUND, "%s: %s (assay results import makes it)", path, strerror(errno));
    const int flags = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    if (status == ERR_OK && sqlite3_open_v2(path, &a->db, flags, NULL) != SQLITE_OK) status = archive_failed(a, e);
    if (status == ERR_OK) sqlite3_busy_timeout(a->db, BUSY_MS);
    if (status == ERR_OK && !(one_number(a, "PRAGMA application_id", &id) && one_number(a, "SELECT count(*) FROM sqlite_master", &tables)))
        status = FAIL(e, ERR_FORMAT, "%s: %s", path, sqlite3_errmsg(a->db));
    if (status == ERR_OK && id != APPLICATION && (tables || !create))
        status = FAIL(e, ERR_FORMAT, "%s: a database of something else", path);
    if (status == ERR_OK && create && sqlite3_exec(a->db, schema, NULL, NULL, NULL) != SQLITE_OK) status = archive_failed(a, e);
    if (status == ERR_OK) *out = a;
    else archive_close(a);
    return status;
}

void archive_close(struct archive *a)
{
    if (!a) return;
    sqlite3_close(a->db);
    free(a->path);
    mem_free(a);
}

/* --- import --------------------------------------------------------------------------------------------- */
struct import {
    struct archive *a;
    struct archive_added *added;
    struct layout core;
    const char *path;
    const struct table *t;
    int64_t file;
};

/* Adds the columns that rows has not. */
static int add_columns(const struct import *m, struct err *e)
{
    int status = ERR_OK;
    for (size_t c = 0; status == ERR_OK && c < m->t->columns; c++) {
        sqlite3_stmt *st = NULL;
        const char *name = m->t->names[c];
        if (sqlite3_table_column_metadata(m->a->db, NULL, "rows", name, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK) {
            if (strcasecmp(name, "file") == 0 || strcasecmp(name, "row_hash") == 0)
                return FAIL(e, ERR_FORMAT, "%s: a column '%s', which is the archive's own", m->path, name);
            continue;
        }
        const int known = layout_find(&m->core, name);
        status = archive_prepare(m->a, &st, e, "ALTER TABLE rows ADD COLUMN \"%w\" %s", name,
                                 known >= 0 && m->core.columns[known].type == COLUMN_TEXT ? "TEXT" : "NUMERIC");
        if (status == ERR_OK && sqlite3_step(st) != SQLITE_DONE) status = archive_failed(m->a, e);
        sqlite3_finalize(st);
    }
    return status;
}

/* Of the cells that say something, in any order. */
static void row_hash_text(const struct table *t, size_t row, char out[33])
{
    uint64_t sum[2] = { 0 };
    for (size_t c = 0; c < t->columns; c++) {
        const char *value = table_text(t, row, (int)c), *name = t->names[c];
        for (size_t i = 0; *value && i < 2; i++)
            sum[i] += hash64(hash64(i + 1, name, strlen(name)), value, strlen(value));
    }
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)sum[0], (unsigned long long)sum[1]);
}

static int add_rows(const struct import *m, struct err *e)
{
    const struct table *t = m->t;
    struct text sql = { 0 };
    sqlite3_stmt *st = NULL;
    text_add(&sql, "INSERT OR IGNORE INTO rows(file, row_hash");
    for (size_t c = 0; c < t->columns; c++) {
        char *quoted = sqlite3_mprintf(", \"%w\"", t->names[c]);
        text_add(&sql, "%s", quoted ? quoted : "");
        sql.failed |= !quoted;
        sqlite3_free(quoted);
    }
    text_add(&sql, ") VALUES (%lld, ?", (long long)m->file);
    for (size_t c = 0; c < t->columns; c++) text_add(&sql, ", ?");
    text_add(&sql, ")");
    int status = sql.failed ? FAIL(e, ERR_MEM, "%s: no memory", m->path) : ERR_OK;
    if (status == ERR_OK && sqlite3_prepare_v2(m->a->db, text_of(&sql), -1, &st, NULL) != SQLITE_OK) status = archive_failed(m->a, e);
    for (size_t r = 0; status == ERR_OK && r < t->count; r++) {
        char hash[33];
        row_hash_text(t, r, hash);
        sqlite3_bind_text(st, 1, hash, -1, SQLITE_TRANSIENT);
        for (size_t c = 0; c < t->columns; c++) {
            const char *value = table_text(t, r, (int)c);
            if (*value) sqlite3_bind_text(st, (int)c + 2, value, -1, SQLITE_STATIC);
            else sqlite3_bind_null(st, (int)c + 2);
        }
        if (sqlite3_step(st) != SQLITE_DONE) status = archive_failed(m->a, e);
        const size_t new = (size_t)sqlite3_changes(m->a->db);
        m->added->rows += new;
        m->added->rows_before += 1 - new;
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    text_free(&sql);
    return status;
}

/* The file of queries that lies beside, of the last good row of each point. */
static int add_queries(const struct import *m, struct err *e)
{
    const struct table *t = m->t;
    const int id = table_column(t, "point_id"), run = table_column(t, "run_id"), ok = table_column(t, "status");
    const char *slash = strrchr(m->path, '/');
    sqlite3_stmt *st = NULL;
    int status = archive_prepare(m->a, &st, e, "INSERT OR REPLACE INTO per_query VALUES (?1, ?2, ?3)");
    struct names done = { 0 };
    for (size_t r = t->count; status == ERR_OK && r-- > 0;) {
        unsigned char *bytes;
        size_t size;
        struct text path = { 0 };
        const char *point = table_text(t, r, id);
        if (strcmp(table_text(t, r, ok), "ok") != 0 || names_find(&done, point, strlen(point)) != NAMES_NONE) continue;
        if (*point && names_add(&done, point, strlen(point)) == NAMES_NONE) status = FAIL(e, ERR_MEM, "%s: no memory", m->path);
        text_add(&path, "%.*s%s.pq.tsv", slash ? (int)(slash - m->path) + 1 : 0, m->path, point);
        if (access(text_of(&path), R_OK) == 0 && mem_read_file(&bytes, &size, text_of(&path), NULL) == ERR_OK) {
            sqlite3_bind_text(st, 1, point, -1, SQLITE_STATIC);
            sqlite3_bind_text(st, 2, table_text(t, r, run), -1, SQLITE_STATIC);
            sqlite3_bind_text(st, 3, (const char *)bytes, (int)size, SQLITE_STATIC);
            if (sqlite3_step(st) != SQLITE_DONE) status = archive_failed(m->a, e);
            sqlite3_reset(st);
            mem_free(bytes);
            m->added->per_query++;
        }
        text_free(&path);
    }
    sqlite3_finalize(st);
    names_free(&done);
    return status;
}

/* files gets a line; *known: it had one of these bytes. */
static int add_file(struct import *m, int *known, struct err *e)
{
    struct text notes = { 0 };
    char hash[17];
    uint64_t bytes = 0;
    sqlite3_stmt *st = NULL;
    int status = file_hash(m->path, &bytes, e);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)bytes);
    for (size_t i = 0; i < m->t->note_count; i++) text_add(&notes, "%s\n", m->t->notes[i]);
    if (status == ERR_OK && notes.failed) status = FAIL(e, ERR_MEM, "%s: no memory", m->path);
    if (status == ERR_OK) status = archive_prepare(m->a, &st, e, "INSERT OR IGNORE INTO files(hash, path, notes, rows) VALUES (?1, ?2, ?3, ?4)");
    if (status == ERR_OK) {
        sqlite3_bind_text(st, 1, hash, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, m->path, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 3, text_of(&notes), -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 4, (int64_t)m->t->count);
        if (sqlite3_step(st) != SQLITE_DONE) status = archive_failed(m->a, e);
    }
    *known = sqlite3_changes(m->a->db) == 0;
    m->file = sqlite3_last_insert_rowid(m->a->db);
    sqlite3_finalize(st);
    text_free(&notes);
    return status;
}

/* named: by the caller, and so it must hold rows. */
static int import_file(struct archive *a, const struct layout *core, const char *path, int named, struct archive_added *added, struct err *e)
{
    struct table t = { .whole_lines = 1 };
    struct import m = { a, added, *core, path, &t, 0 };
    int known = 0;
    const size_t before = added->rows;
    int status = table_append(&t, path, named ? e : NULL);
    if (status != ERR_OK && !named) return added->others++, table_free(&t), ERR_OK;
    const int holds = status == ERR_OK && table_column(&t, "point_id") >= 0 && table_column(&t, "run_id") >= 0 && table_column(&t, "status") >= 0;
    if (status == ERR_OK && !holds && named)
        status = FAIL(e, ERR_FORMAT, "%s: no rows of points (columns point_id, run_id and status)", path);
    if (status == ERR_OK && !holds) added->others++;
    if (status == ERR_OK && holds) status = add_file(&m, &known, e);
    if (status == ERR_OK && holds && known) added->files_before++, added->rows_before += t.count;
    if (status == ERR_OK && holds && !known) {
        status = add_columns(&m, e);
        if (status == ERR_OK) status = add_rows(&m, e);
        if (status == ERR_OK) status = add_queries(&m, e);
        added->files += added->rows > before;
    }
    table_free(&t);
    return status;
}

static int is_csv(const struct dirent *d)
{
    const size_t size = strlen(d->d_name);
    return size > 4 && strcmp(d->d_name + size - 4, ".csv") == 0;
}

static int import_folder(struct archive *a, const struct layout *core, const char *folder, struct archive_added *added, struct err *e)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_csv, alphasort);
    const size_t before = added->files + added->files_before, size = strlen(folder);
    int status = count < 0 ? FAIL(e, ERR_IO, "%s: %s", folder, strerror(errno)) : ERR_OK;
    for (int i = 0; i < count; i++) {
        struct text path = { 0 };
        text_add(&path, "%s%s%s", folder, size && folder[size - 1] == '/' ? "" : "/", names[i]->d_name);
        if (status == ERR_OK) status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : import_file(a, core, text_of(&path), 0, added, e);
        text_free(&path);
        free(names[i]);
    }
    free(names);
    if (status == ERR_OK && added->files + added->files_before == before) return FAIL(e, ERR_NOT_FOUND, "%s: no CSV file there holds rows of points", folder);
    return status;
}

int archive_import(struct archive *a, const char *const *inputs, size_t count, struct archive_added *out, struct err *e)
{
    struct archive_added added = { 0 };
    struct layout core = { 0 };
    int status = layout_init(&core, e);
    if (status == ERR_OK) status = archive_run(a, e, "BEGIN IMMEDIATE");
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct stat s;
        if (stat(inputs[i], &s) != 0) status = FAIL(e, ERR_NOT_FOUND, "%s: %s", inputs[i], strerror(errno));
        else if (S_ISDIR(s.st_mode)) status = import_folder(a, &core, inputs[i], &added, e);
        else status = import_file(a, &core, inputs[i], 1, &added, e);
    }
    if (status == ERR_OK) status = archive_run(a, e, "COMMIT");
    else (void)archive_run(a, NULL, "ROLLBACK");
    layout_fini(&core);
    if (status == ERR_OK) *out = added;
    return status;
}

/* --- query ---------------------------------------------------------------------------------------------- */
static void add_object(sqlite3_stmt *st, struct text *out)
{
    for (int c = 0; c < sqlite3_column_count(st); c++) {
        const char *value = (const char *)sqlite3_column_text(st, c);
        const int type = sqlite3_column_type(st, c);
        text_add(out, "%s", c ? "," : "{");
        text_add_json(out, sqlite3_column_name(st, c));
        text_add(out, ":");
        if (type == SQLITE_NULL || !value) text_add(out, "null");
        else if (type == SQLITE_TEXT || type == SQLITE_BLOB) text_add_json(out, value);
        else text_add(out, "%s", value);
    }
    text_add(out, "}\n");
}

int archive_query(struct archive *a, const char *sql, int json, struct text *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    struct sheet g = { 0 };
    const char *rest = NULL;
    int rc = sqlite3_prepare_v2(a->db, sql, -1, &st, &rest);
    if (rc != SQLITE_OK) return FAIL(e, ERR_ARG, "%s", sqlite3_errmsg(a->db));
    int status = !st || rest[strspn(rest, " \t\r\n;")] ? FAIL(e, ERR_ARG, "one statement, not '%.60s'", sql)
                 : !sqlite3_stmt_readonly(st)          ? FAIL(e, ERR_ARG, "'%.60s' would change the archive", sql)
                                                       : ERR_OK;
    g.columns = status == ERR_OK ? (size_t)sqlite3_column_count(st) : 0;
    for (size_t c = 0; !json && c < g.columns; c++) sheet_add(&g, SHEET_NONE, "%s", sqlite3_column_name(st, (int)c));
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (json) add_object(st, out);
        for (size_t c = 0; !json && c < g.columns; c++) {
            const char *value = (const char *)sqlite3_column_text(st, (int)c);
            sheet_add(&g, SHEET_NONE, "%s", value ? value : "-");
        }
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = FAIL(e, ERR_ARG, "%s", sqlite3_errmsg(a->db));
    if (status == ERR_OK && !json && g.columns) sheet_print(&g, SHEET_PLAIN, out);
    if (status == ERR_OK && (g.failed || out->failed)) status = FAIL(e, ERR_MEM, "%s: no memory for the answer", a->path);
    sqlite3_finalize(st);
    sheet_free(&g);
    return status;
}

int archive_has_column(struct archive *a, const char *name, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const char *names[1024];
    size_t count = 0;
    int status = archive_prepare(a, &st, e, "SELECT * FROM rows LIMIT 0"), found = 0;
    for (int c = 0; status == ERR_OK && c < sqlite3_column_count(st) && count < 1024; c++) {
        names[count++] = sqlite3_column_name(st, c);
        found |= strcmp(names[count - 1], name) == 0;
    }
    if (status == ERR_OK && !found) status = FAIL(e, ERR_ARG, "%s has no column '%s'%s", a->path, name, NEAREST(name, names, count));
    sqlite3_finalize(st);
    return status;
}
