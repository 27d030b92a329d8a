/* SPDX-License-Identifier: MIT
 * store.c - a knowledge base as a file: opened or created, its schema and what takes an older one to the newest,
 * its transactions, and the statements that are prepared once and kept. */
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "pipeline/store_inside.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char schema_sql[] =
#include "gen/schema.sql.inc"
    ;
static const char indexes_sql[] =
#include "gen/schema_indexes.sql.inc"
    ;

/* migrations[i] takes a schema of version i + 1 to version i + 2. */
static const char *const migrations[STORE_SCHEMA_NEWEST - 1] = {
    "ALTER TABLE kg_turboquant_cache ADD COLUMN vectors_checksum INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE kg_entities ADD COLUMN confidence REAL DEFAULT 1.0;"
    "ALTER TABLE kg_entities ADD COLUMN access_count INTEGER DEFAULT 0;"
    "ALTER TABLE kg_entities ADD COLUMN last_accessed INTEGER;"
    "ALTER TABLE kg_entities ADD COLUMN valid_from INTEGER;"
    "ALTER TABLE kg_entities ADD COLUMN valid_until INTEGER;"
    "ALTER TABLE kg_entities ADD COLUMN base_confidence REAL DEFAULT 1.0;"
    "ALTER TABLE kg_entities ADD COLUMN decay_rate REAL DEFAULT 0.05;"
    "ALTER TABLE kg_relations ADD COLUMN confidence REAL DEFAULT 1.0;"
    "ALTER TABLE kg_relations ADD COLUMN valid_from INTEGER;"
    "ALTER TABLE kg_relations ADD COLUMN valid_until INTEGER;",
    ("ALTER TABLE kg_entities ADD COLUMN validity INTEGER DEFAULT NULL;"
     "ALTER TABLE kg_relations ADD COLUMN validity INTEGER DEFAULT NULL;"),
};

static const char *const statement_sql[STORE_STATEMENT_COUNT] = {
    [STORE_DATA_VERSION] = "PRAGMA data_version",
    [STORE_ADD_ENTITY] = "INSERT INTO kg_entities (id, entity_type, name, properties, created_at, updated_at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    [STORE_ADD_VECTOR] = "INSERT OR REPLACE INTO kg_vectors (entity_id, vector, dimension, created_at) "
                         "VALUES (?1, ?2, ?3, ?4)",
    [STORE_ADD_RELATION] = "INSERT INTO kg_relations (source_id, target_id, rel_type, weight, properties, created_at) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STORE_ADD_HYPEREDGE] = "INSERT INTO kg_hyperedges (hyperedge_type, entity_ids, weight, arity, properties) "
                            "VALUES (?1, ?2, ?3, ?4, ?5)",
    [STORE_ADD_MEMBER] = "INSERT INTO kg_hyperedge_entities (hyperedge_id, entity_id, position) VALUES (?1, ?2, ?3)",
    [STORE_ADD_ID] = "INSERT INTO assay_ids (entity_id, external_id) VALUES (?1, ?2)",
    [STORE_ID_OF] = "SELECT external_id FROM assay_ids WHERE entity_id = ?1 AND external_id IS NOT NULL",
    [STORE_FIND_ID] = "SELECT entity_id FROM assay_ids WHERE external_id = ?1 AND entity_id IN (SELECT id FROM kg_entities)",
    [STORE_FIND_NUMBER] = "SELECT id FROM kg_entities WHERE id = ?1 AND id NOT IN (SELECT entity_id FROM assay_ids)",
    [STORE_HAS_ENTITY] = "SELECT id FROM kg_entities WHERE id = ?1",
    [STORE_IS_OBJECT] = "SELECT json_valid(?1) AND json_type(?1) = 'object'",
};

/* --- errors and statements ----------------------------------------------------------------------- */

int store_error(const struct store *s, int rc, struct err *e)
{
    const char *path = s->path;
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FAIL(e, ERR_BUSY, "%s: locked by another process; wait for it, or copy the file and open the copy",
                    path);
    case SQLITE_NOTADB: return FAIL(e, ERR_FORMAT, "%s: not a SQLite database", path);
    case SQLITE_CORRUPT: return FAIL(e, ERR_FORMAT, "%s: the database is damaged: %s", path, sqlite3_errmsg(s->db));
    case SQLITE_INTERRUPT: return FAIL(e, ERR_FORMAT, "%s: a view of it does not come to an end", path);
    case SQLITE_NOMEM: return FAIL(e, ERR_MEM, "%s: no memory", path);
    case SQLITE_READONLY:
        if (rc == SQLITE_READONLY_ROLLBACK)
            return FAIL(e, ERR_IO,
                        "%s: a writer crashed and left %s-journal; open it once for writing, which rolls back, or copy both "
                        "to where that can be", path, path);
        return FAIL(e, ERR_IO, "%s: cannot be written: %s", path, sqlite3_errmsg(s->db));
    default: return FAIL(e, ERR_IO, "%s: SQLite: %s", path, sqlite3_errmsg(s->db));
    }
}

int store_run(struct store *s, const char *sql, struct err *e)
{
    const int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
}

/* Each entity with its place in the list of ids.  A row costs half of what a statement of its own does, most of which is
 * to begin and to end. */
static void entities_sql(const struct store *s, struct text *out)
{
    text_add(out, "SELECT v.column1, coalesce(%s, ''), coalesce(%s, ''), coalesce(%s, '{}') FROM (VALUES ",
             s->column[STORE_ENTITY_TYPE], s->column[STORE_ENTITY_NAME], s->column[STORE_ENTITY_PROPERTIES]);
    for (int i = 0; i < STORE_ENTITIES_AT_ONCE; i++) text_add(out, "%s(%d, ?%d)", i ? ", " : "", i, i + 1);
    text_add(out, ") v CROSS JOIN kg_entities ON id = v.column2");
}

int store_prepare(struct store *s, enum store_statement which, sqlite3_stmt **out, struct err *e)
{
    if (!s->statements[which]) {
        struct text entities = { 0 };
        if (which == STORE_ENTITIES) entities_sql(s, &entities);
        const int rc = entities.failed ? SQLITE_NOMEM
                                       : sqlite3_prepare_v3(s->db, entities.size ? text_of(&entities) : statement_sql[which], -1,
                                                            SQLITE_PREPARE_PERSISTENT, &s->statements[which], NULL);
        text_free(&entities);
        if (rc != SQLITE_OK) return store_error(s, rc, e);
    }
    *out = s->statements[which];
    s->statements_run++;
    return ERR_OK;
}

int store_step(sqlite3_stmt *st)
{
    const int rc = sqlite3_step(st);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_number(struct store *s, const char *sql, int64_t *out, int *found, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    *found = rc == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER;
    if (*found) *out = sqlite3_column_int64(st, 0);
    const int status = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

int store_bytes(struct store *s, int64_t *out, struct err *e)
{
    int found;
    return store_number(s, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", out, &found, e);
}

/* --- open and close ---------------------------------------------------------------------------- */

static int read_version(struct store *s, struct err *e)
{
    int64_t version = 1;
    int found, is_view = 0, status = store_shape(s, e);
    if (status == ERR_OK) status = store_has(s, "kg_schema_version", &is_view, e);
    /* The first versions of the crate kept no number: tables without one are version 1. */
    if (status == 1 && is_view) status = ERR_OK;
    if (status == 1) status = store_has_column(s, "kg_schema_version", "version", e);
    if (status == 1)
        status = store_number(s, "SELECT max(version) FROM kg_schema_version", &version, &found, e);
    if (status != ERR_OK) return status;
    if (version < 1 || version > STORE_SCHEMA_NEWEST)
        return FAIL(e, ERR_FORMAT, "%s: schema version %lld; this program knows 1..%d", s->path, (long long)version,
                    STORE_SCHEMA_NEWEST);
    s->version = (int)version;
    return ERR_OK;
}

static int file_exists(const char *path, off_t *size)
{
    struct stat st;
    const int exists = stat(path, &st) == 0;
    *size = exists ? st.st_size : 0;
    return exists;
}

/* SQLite takes ":memory:" and, where it was built so, "file:..." for more than names. */
static int connect_to(struct store *s, const char *name, int flags, struct err *e)
{
    const int is_odd = !(flags & SQLITE_OPEN_URI) && (*name == ':' || strncmp(name, "file:", 5) == 0);
    struct text plain = { 0 };
    sqlite3_close(s->db);
    s->db = NULL;
    text_add(&plain, "%s%s", is_odd ? "./" : "", name);
    if (plain.failed) return FAIL(e, ERR_MEM, "%s: no memory", s->path);
    int rc = sqlite3_open_v2(text_of(&plain), &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL); /* one thread at a time */
    text_free(&plain);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_extended_result_codes(s->db, 1);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (rc != SQLITE_OK) return s->db ? store_error(s, rc, e) : FAIL(e, ERR_MEM, "%s: no memory", s->path);
    return ERR_OK;
}

/* "file:PATH?immutable=1" with what a URI would misread escaped. */
static void immutable_uri(const char *path, struct text *out)
{
    text_add(out, "file:");
    for (; *path; path++) {
        if (*path == '?' || *path == '#' || *path == '%') text_add(out, "%%%02x", (unsigned char)*path);
        else text_add_bytes(out, path, 1);
    }
    text_add(out, "?immutable=1");
}

static int open_existing(struct store *s, struct err *e)
{
    const int flags = s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int status = connect_to(s, s->path, flags, e);
    if (status == ERR_OK) status = read_version(s, e);
    const int rc = status == ERR_OK || !s->db ? SQLITE_OK : sqlite3_extended_errcode(s->db);
    const int no_room = rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY_CANTINIT || rc == SQLITE_READONLY_DIRECTORY;
    if (s->mode != STORE_READ || !no_room) return status;
    /* A WAL database in a folder that cannot be written has nowhere for its -shm file.  When there
     * is no log to miss, the file alone is the whole database. */
    struct text wal = { 0 }, journal = { 0 }, uri = { 0 };
    off_t wal_size, journal_size;
    text_add(&wal, "%s-wal", s->path);
    text_add(&journal, "%s-journal", s->path);
    immutable_uri(s->path, &uri);
    const int has_log = file_exists(text_of(&wal), &wal_size) && wal_size > 0;
    if (wal.failed || journal.failed || uri.failed) status = FAIL(e, ERR_MEM, "%s: no memory", s->path);
    else if (has_log)
        status = FAIL(e, ERR_IO, "%s: part of it is in its log, %s, and its folder cannot be written: copy both to one that can",
                      s->path, text_of(&wal));
    else if (!file_exists(text_of(&journal), &journal_size) || journal_size == 0) {
        status = connect_to(s, text_of(&uri), flags | SQLITE_OPEN_URI, e);
        if (status == ERR_OK) status = read_version(s, e);
    }
    text_free(&wal);
    text_free(&journal);
    text_free(&uri);
    return status;
}

static int open_new(struct store *s, struct err *e)
{
    off_t size;
    if (file_exists(s->path, &size)) return FAIL(e, ERR_ARG, "%s: exists already", s->path);
    int status = file_partial(s->path, &s->partial, &s->partial_fd, e);
    if (status == ERR_OK) status = connect_to(s, s->partial, SQLITE_OPEN_READWRITE, e);
    /* Nobody else sees this file and a crash throws it away, so nothing is synced or journalled on
     * disk; a refused row still needs the journal in memory. */
    if (status == ERR_OK)
        status = store_run(s, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA threads = 4;"
                            "PRAGMA cache_size = -65536; PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;", e);
    if (status == ERR_OK) s->writing = 1, s->begun = (int64_t)time(NULL);
    if (status == ERR_OK) status = store_run(s, schema_sql, e);
    if (status == ERR_OK) status = store_shape(s, e);
    s->version = STORE_SCHEMA_NEWEST;
    return status;
}

int store_open(struct store **out, const char *path, enum store_mode mode, struct err *e)
{
    off_t size;
    struct stat st;
    if (mode != STORE_CREATE && !file_exists(path, &size))
        return FAIL(e, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (mode != STORE_CREATE && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return FAIL(e, ERR_FORMAT, "%s: not a regular file", path);
    if (mode == STORE_WRITE) file_sweep(path); /* a process killed between the two names of what it made */
    struct store *s = mem_zero(1, sizeof *s);
    if (!s) return FAIL(e, ERR_MEM, "%s: no memory", path);
    s->mode = mode;
    s->path = strdup(path);
    int status = s->path ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) status = mode == STORE_CREATE ? open_new(s, e) : open_existing(s, e);
    int found;
    int64_t dim = 0;
    if (status == ERR_OK && mode == STORE_WRITE) {
        status = store_run(s, "PRAGMA foreign_keys = ON", e);
        if (status == ERR_OK)
            status = store_number(s, "SELECT length(vector) / 4 FROM kg_vectors LIMIT 1", &dim, &found, e);
        s->dim = (size_t)dim;
    }
    if (status == ERR_OK) *out = s;
    else store_close(s);
    return status;
}

static void finalize_all(struct store *s)
{
    for (int i = 0; i < STORE_STATEMENT_COUNT; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
}

static void drop_partial(struct store *s)
{
    if (!s->partial) return;
    (void)unlink(s->partial);
    close(s->partial_fd);
    free(s->partial);
    s->partial = NULL;
}

void store_close(struct store *s)
{
    if (!s) return;
    finalize_all(s);
    sqlite3_close(s->db); /* rolls back */
    drop_partial(s);
    free(s->path);
    text_free(&s->entity);
    idset_fini(&s->known);
    mem_free(s);
}

int store_schema_version(const struct store *s) { return s->version; }
const char *store_path(const struct store *s) { return s->path; }
struct sqlite3 *store_handle(struct store *s) { return s->db; }
uint64_t store_statements(const struct store *s) { return s->statements_run; }

/* --- transactions that write -------------------------------------------------------------------- */

static int migrate(struct store *s, struct err *e)
{
    int status = ERR_OK;
    if (s->version == STORE_SCHEMA_NEWEST) return status;
    for (int v = s->version; status == ERR_OK && v < STORE_SCHEMA_NEWEST; v++)
        status = store_run(s, migrations[v - 1], e);
    if (status != ERR_OK)
        return err_context(e, status, "its tables are not those of schema version %d, so nothing can be added", s->version);
    /* The tables that are new since, from the one place that describes them. */
    char *create = status == ERR_OK ? strdup(schema_sql) : NULL;
    if (status == ERR_OK && !create) return FAIL(e, ERR_MEM, "%s: no memory", s->path);
    for (char *at = create; status == ERR_OK && at && (at = strstr(at, "CREATE TABLE ")) != NULL;) {
        char *end = strstr(at, ");\n");
        assert(end != NULL);
        struct text one = { 0 };
        text_add(&one, "CREATE TABLE IF NOT EXISTS %.*s)", (int)(end - at - 13), at + 13);
        status = one.failed ? FAIL(e, ERR_MEM, "%s: no memory", s->path) : store_run(s, text_of(&one), e);
        text_free(&one);
        at = end;
    }
    free(create);
    char sql[128];
    snprintf(sql, sizeof sql, "DELETE FROM kg_schema_version; INSERT INTO kg_schema_version VALUES (%d)",
             STORE_SCHEMA_NEWEST);
    if (status == ERR_OK) status = store_run(s, indexes_sql, e);
    if (status == ERR_OK) status = store_run(s, sql, e);
    if (status == ERR_OK) s->version = STORE_SCHEMA_NEWEST;
    return status;
}

int store_begin(struct store *s, struct err *e)
{
    assert(s->mode != STORE_READ);
    if (s->writing) return ERR_OK;
    int status = store_run(s, "BEGIN IMMEDIATE", e);
    if (status != ERR_OK) return status;
    s->writing = 1;
    s->begun = (int64_t)time(NULL);
    s->found_version = s->version;
    s->found_dim = s->dim;
    status = migrate(s, e);
    if (status != ERR_OK) store_rollback(s);
    return status;
}

void store_rollback(struct store *s)
{
    assert(!s->partial);
    if (!s->writing) return;
    (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->writing = 0;
    s->version = s->found_version;
    s->dim = s->found_dim;
    s->ids = 0;
}

/* The partial file becomes the base: on disk first, then under its name, unless one is there. */
static int publish(struct store *s, struct err *e)
{
    finalize_all(s);
    const int rc = sqlite3_close(s->db);
    if (rc != SQLITE_OK) return FAIL(e, ERR_ARG, "%s: a statement of a side table was not finalized", s->path);
    s->db = NULL;
    int status = file_publish(s->partial, s->partial_fd, s->path, FILE_NEW, e);
    if (status != ERR_OK) return status;
    drop_partial(s);
    s->mode = STORE_WRITE;
    idset_fini(&s->known);
    status = connect_to(s, s->path, SQLITE_OPEN_READWRITE, e);
    if (status == ERR_OK) status = store_run(s, "PRAGMA foreign_keys = ON", e);
    return status;
}

int store_commit(struct store *s, struct err *e)
{
    if (!s->writing) return ERR_OK;
    int status = s->partial ? store_run(s, indexes_sql, e) : ERR_OK;
    if (status == ERR_OK) status = store_run(s, "COMMIT", e);
    if (status != ERR_OK) return status;
    s->writing = 0;
    return s->partial ? publish(s, e) : ERR_OK;
}

/* --- transactions that read ---------------------------------------------------------------------
 * SQLite's own transaction lasts as long as a statement has not come to its end.  So the one that tells whether the base has
 * changed is left at its row: BEGIN and COMMIT would be two more a query, and lock no more than it does. */

int store_read_begin(struct store *s, struct err *e)
{
    sqlite3_stmt *st = NULL;
    assert(!s->reading);
    s->view_steps = 0;
    if (s->writing) return ERR_OK; /* the transaction that is open sees one state too */
    const int status = store_prepare(s, STORE_DATA_VERSION, &st, e);
    if (status != ERR_OK) return status;
    const int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW) {
        sqlite3_reset(st);
        return store_error(s, rc, e);
    }
    s->reading = 1;
    return ERR_OK;
}

void store_read_end(struct store *s)
{
    if (s->reading) sqlite3_reset(s->statements[STORE_DATA_VERSION]);
    s->reading = 0;
}

int store_changed(struct store *s, int *changed, struct err *e)
{
    sqlite3_stmt *st = s->statements[STORE_DATA_VERSION];
    const int status = s->reading ? ERR_OK : store_prepare(s, STORE_DATA_VERSION, &st, e);
    if (status != ERR_OK) return status;
    const int rc = s->reading ? SQLITE_ROW : sqlite3_step(st);
    const int version = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    if (!s->reading) sqlite3_reset(st);
    if (rc != SQLITE_ROW) return store_error(s, rc, e);
    const int64_t changes = sqlite3_total_changes64(s->db); /* our own: data_version counts the others' */
    *changed = !s->seen_once || version != s->seen_data_version || changes != s->seen_changes;
    if (*changed) s->ids = 0; /* another writer may have brought some */
    s->seen_once = 1;
    s->seen_data_version = version;
    s->seen_changes = changes;
    return ERR_OK;
}
