/* SPDX-License-Identifier: MIT
 * store.c - statements are prepared once and kept; reading vectors and relations is one pass each. */
#include "pipeline/store.h"
#include "index/idset.h"
#include "index/index.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
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

/* What takes version i + 1 to i + 2. */
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

enum statement {
    BEGIN_READ, END_READ, DATA_VERSION, ENTITY, ADD_ENTITY, ADD_VECTOR, ADD_RELATION, ADD_HYPEREDGE, ADD_MEMBER,
        IS_OBJECT, STATEMENT_COUNT
};
static const char *const statement_sql[STATEMENT_COUNT] = {
    [BEGIN_READ] = "BEGIN",
    [END_READ] = "COMMIT",
    [DATA_VERSION] = "PRAGMA data_version",
    [ENTITY] = "SELECT entity_type, name, coalesce(properties, '{}') FROM kg_entities WHERE id = ?1",
    [ADD_ENTITY] = "INSERT INTO kg_entities (id, entity_type, name, properties, created_at, updated_at) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    [ADD_VECTOR] = "INSERT OR REPLACE INTO kg_vectors (entity_id, vector, dimension, created_at) "
                   "VALUES (?1, ?2, ?3, ?4)",
    [ADD_RELATION] = "INSERT INTO kg_relations (source_id, target_id, rel_type, weight, properties, created_at) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [ADD_HYPEREDGE] = "INSERT INTO kg_hyperedges (hyperedge_type, entity_ids, weight, arity, properties) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)",
    [ADD_MEMBER] = "INSERT INTO kg_hyperedge_entities (hyperedge_id, entity_id, position) VALUES (?1, ?2, ?3)",
    [IS_OBJECT] = "SELECT json_valid(?1) AND json_type(?1) = 'object'",
};

struct store {
    sqlite3 *db;
    char *path, *partial; /* partial: what STORE_CREATE fills until its first commit */
    int partial_fd;
    enum store_mode mode;
    int version;
    int writing, reading; /* a transaction is open */
    int64_t begun;        /* when, in seconds since 1970: what rows are dated (strftime a row costs as much as the row) */
    struct idset known;   /* entities of a base in the making: SQLite's own check of a foreign key costs a search of
                           * a tree, 1.8 of 7.2 s for 1,400,000 rows */
    size_t dim;           /* of the base's vectors, as far as writing has seen; 0: none yet */
    int found_version;    /* version and dim as the open transaction found them */
    size_t found_dim;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    uint64_t statements_run;
    struct text entity; /* the last one read */
    int seen_once, seen_data_version;
    int64_t seen_changes;
};

/* --- errors ------------------------------------------------------------------------------------ */

static int sql_error(const struct store *s, int rc, struct err *e)
{
    const char *path = s->path;
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FAIL(e, ERR_BUSY, "%s: locked by another process; wait for it, or copy the file and open the copy",
                    path);
    case SQLITE_NOTADB: return FAIL(e, ERR_FORMAT, "%s: not a SQLite database", path);
    case SQLITE_CORRUPT: return FAIL(e, ERR_FORMAT, "%s: the database is damaged: %s", path, sqlite3_errmsg(s->db));
    case SQLITE_NOMEM: return FAIL(e, ERR_MEM, "%s: no memory", path);
    case SQLITE_READONLY:
        if (rc == SQLITE_READONLY_ROLLBACK)
            return FAIL(e, ERR_IO,
                        "%s: a writer crashed and left %s-journal; open it once for writing, which rolls back",
                        path, path);
        return FAIL(e, ERR_IO, "%s: cannot be written: %s", path, sqlite3_errmsg(s->db));
    default: return FAIL(e, ERR_IO, "%s: SQLite: %s", path, sqlite3_errmsg(s->db));
    }
}

static int run_sql(struct store *s, const char *sql, struct err *e)
{
    const int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : sql_error(s, rc, e);
}

static int prepare(struct store *s, enum statement which, sqlite3_stmt **out, struct err *e)
{
    if (!s->statements[which]) {
        const int rc = sqlite3_prepare_v3(s->db, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                          &s->statements[which], NULL);
        if (rc != SQLITE_OK) return sql_error(s, rc, e);
    }
    *out = s->statements[which];
    s->statements_run++;
    return ERR_OK;
}

/* Runs a statement that gives no rows and makes it ready for the next time; the SQLite code. */
static int step_done(sqlite3_stmt *st)
{
    const int rc = sqlite3_step(st);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A query of one number; *found is 0 when it gave no row. */
static int query_int(struct store *s, const char *sql, int64_t *out, int *found, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    *found = rc == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER;
    if (*found) *out = sqlite3_column_int64(st, 0);
    const int status = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : sql_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

/* --- open and close ---------------------------------------------------------------------------- */

static int read_version(struct store *s, struct err *e)
{
    static const char has_table[] = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'kg_%s'";
    static const char *const needed[] = { "entities", "relations", "vectors" };
    int64_t count = 0, version = 1;
    int found, status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < sizeof needed / sizeof *needed; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, has_table, needed[i]);
        status = query_int(s, sql, &count, &found, e);
        if (status == ERR_OK && count == 0)
            return FAIL(e, ERR_FORMAT, "%s: not a knowledge base: it has no table kg_%s", s->path, needed[i]);
    }
    char sql[128];
    snprintf(sql, sizeof sql, has_table, "schema_version");
    if (status == ERR_OK) status = query_int(s, sql, &count, &found, e);
    /* The first versions of the crate kept no number: tables without one are version 1. */
    if (status == ERR_OK && count)
        status = query_int(s, "SELECT max(version) FROM kg_schema_version", &version, &found, e);
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

static int connect_to(struct store *s, const char *name, int flags, struct err *e)
{
    sqlite3_close(s->db);
    s->db = NULL;
    int rc = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL); /* one thread at a time */
    if (rc == SQLITE_OK) rc = sqlite3_extended_result_codes(s->db, 1);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (rc != SQLITE_OK) return s->db ? sql_error(s, rc, e) : FAIL(e, ERR_MEM, "%s: no memory", s->path);
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
    if (!wal.failed && !journal.failed && !uri.failed && (!file_exists(text_of(&wal), &wal_size) || wal_size == 0) &&
        (!file_exists(text_of(&journal), &journal_size) || journal_size == 0)) {
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
        status = run_sql(s, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA threads = 4;"
                            "PRAGMA cache_size = -65536; PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;", e);
    if (status == ERR_OK) s->writing = 1, s->begun = (int64_t)time(NULL);
    if (status == ERR_OK) status = run_sql(s, schema_sql, e);
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
        status = run_sql(s, "PRAGMA foreign_keys = ON", e);
        if (status == ERR_OK)
            status = query_int(s, "SELECT length(vector) / 4 FROM kg_vectors LIMIT 1", &dim, &found, e);
        s->dim = (size_t)dim;
    }
    if (status == ERR_OK) *out = s;
    else store_close(s);
    return status;
}

static void finalize_all(struct store *s)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
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

/* --- writing ----------------------------------------------------------------------------------- */

static int migrate(struct store *s, struct err *e)
{
    int status = ERR_OK;
    if (s->version == STORE_SCHEMA_NEWEST) return status;
    for (int v = s->version; status == ERR_OK && v < STORE_SCHEMA_NEWEST; v++)
        status = run_sql(s, migrations[v - 1], e);
    /* The tables that are new since, from the one place that describes them. */
    char *create = status == ERR_OK ? strdup(schema_sql) : NULL;
    if (status == ERR_OK && !create) return FAIL(e, ERR_MEM, "%s: no memory", s->path);
    for (char *at = create; status == ERR_OK && at && (at = strstr(at, "CREATE TABLE ")) != NULL;) {
        char *end = strstr(at, ");\n");
        assert(end != NULL);
        struct text one = { 0 };
        text_add(&one, "CREATE TABLE IF NOT EXISTS %.*s)", (int)(end - at - 13), at + 13);
        status = one.failed ? FAIL(e, ERR_MEM, "%s: no memory", s->path) : run_sql(s, text_of(&one), e);
        text_free(&one);
        at = end;
    }
    free(create);
    char sql[128];
    snprintf(sql, sizeof sql, "DELETE FROM kg_schema_version; INSERT INTO kg_schema_version VALUES (%d)",
             STORE_SCHEMA_NEWEST);
    if (status == ERR_OK) status = run_sql(s, indexes_sql, e);
    if (status == ERR_OK) status = run_sql(s, sql, e);
    if (status == ERR_OK) s->version = STORE_SCHEMA_NEWEST;
    return status;
}

int store_begin(struct store *s, struct err *e)
{
    assert(s->mode != STORE_READ);
    if (s->writing) return ERR_OK;
    int status = run_sql(s, "BEGIN IMMEDIATE", e);
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
}

/* Whether an entity exists; of a base that was there before, SQLite sees to it. */
static int exists(const struct store *s, int64_t id) { return !s->partial || idset_row(&s->known, id) != IDSET_NONE; }

static int begin_statement(struct store *s, enum statement which, sqlite3_stmt **st, struct err *e)
{
    const int status = store_begin(s, e);
    return status == ERR_OK ? prepare(s, which, st, e) : status;
}

/* "{}" for NULL; anything else must parse as a JSON object. */
static int check_properties(struct store *s, const char **properties, const char *what, int64_t id, struct err *e)
{
    if (!*properties) *properties = "{}";
    if (strcmp(*properties, "{}") == 0) return ERR_OK;
    sqlite3_stmt *st = NULL;
    const int status = prepare(s, IS_OBJECT, &st, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_text(st, 1, *properties, -1, SQLITE_STATIC);
    const int ok = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) == 1;
    sqlite3_reset(st);
    if (ok) return ERR_OK;
    return FAIL(e, ERR_ARG, "%s: %s %lld: properties are not a JSON object: %.60s", s->path, what, (long long)id,
                *properties);
}

int store_add_entity(struct store *s, int64_t id, const char *type, const char *name, const char *properties,
                     struct err *e)
{
    sqlite3_stmt *st = NULL;
    int status = begin_statement(s, ADD_ENTITY, &st, e);
    if (status == ERR_OK) status = check_properties(s, &properties, "entity", id, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_text(st, 2, type, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, properties, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, s->begun);
    size_t row;
    const int noted = s->partial && idset_row(&s->known, id) == IDSET_NONE;
    if (noted) status = idset_add(&s->known, &id, 1, s->path, e);
    if (status != ERR_OK) return status;
    const int rc = step_done(st);
    if (noted && rc != SQLITE_OK) (void)idset_remove(&s->known, id, &row, s->path, NULL);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return FAIL(e, ERR_ARG, "%s: entity %lld exists already, or lacks a type or a name", s->path, (long long)id);
    return rc == SQLITE_OK ? ERR_OK : sql_error(s, rc, e);
}

int store_add_vector(struct store *s, int64_t entity_id, const float *x, size_t dim, struct err *e)
{
    if (dim == 0) return FAIL(e, ERR_ARG, "%s: the vector of entity %lld is empty", s->path, (long long)entity_id);
    if (s->dim && dim != s->dim)
        return FAIL(e, ERR_ARG, "%s: the vector of entity %lld has dimension %zu, the base has %zu", s->path,
                    (long long)entity_id, dim, s->dim);
    for (size_t i = 0; i < dim; i++)
        if (!isfinite(x[i]))
            return FAIL(e, ERR_ARG, "%s: the vector of entity %lld is not finite in column %zu", s->path,
                        (long long)entity_id, i);
    if (!index_takes(x, dim)) /* every index would refuse the base */
        return FAIL(e, ERR_ARG, "%s: the vector of entity %lld is too large: its absolute values sum to more than 1e18",
                    s->path, (long long)entity_id);
    sqlite3_stmt *st = NULL;
    const int status = begin_statement(s, ADD_VECTOR, &st, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, entity_id);
    sqlite3_bind_blob64(st, 2, x, dim * sizeof *x, SQLITE_STATIC); /* our targets are little endian */
    sqlite3_bind_int64(st, 3, (int64_t)dim);
    sqlite3_bind_int64(st, 4, s->begun);
    const int rc = exists(s, entity_id) ? step_done(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return FAIL(e, ERR_ARG, "%s: a vector of entity %lld, which does not exist", s->path, (long long)entity_id);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    s->dim = dim;
    return ERR_OK;
}

int store_add_relation(struct store *s, int64_t source, int64_t target, const char *type, double weight,
                       const char *properties, struct err *e)
{
    if (!(weight >= 0 && weight <= 1))
        return FAIL(e, ERR_ARG, "%s: relation %lld -> %lld: weight %g outside 0..1", s->path, (long long)source,
                    (long long)target, weight);
    sqlite3_stmt *st = NULL;
    int status = begin_statement(s, ADD_RELATION, &st, e);
    if (status == ERR_OK) status = check_properties(s, &properties, "a relation of entity", source, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, source);
    sqlite3_bind_int64(st, 2, target);
    sqlite3_bind_text(st, 3, type, -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 4, weight);
    sqlite3_bind_text(st, 5, properties, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, s->begun);
    const int rc = exists(s, source) && exists(s, target) ? step_done(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return FAIL(e, ERR_ARG, "%s: relation %lld -> %lld: one of them does not exist", s->path, (long long)source,
                    (long long)target);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return FAIL(e, ERR_ARG, "%s: relation %lld -> %lld lacks a type", s->path, (long long)source,
                    (long long)target);
    return rc == SQLITE_OK ? ERR_OK : sql_error(s, rc, e);
}

static int add_members(struct store *s, const int64_t *entities, size_t count, struct err *e)
{
    const int64_t hyperedge = sqlite3_last_insert_rowid(s->db);
    sqlite3_stmt *st = NULL;
    const int status = prepare(s, ADD_MEMBER, &st, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(st, 1, hyperedge);
        sqlite3_bind_int64(st, 2, entities[i]);
        sqlite3_bind_int64(st, 3, (int64_t)i);
        const int rc = exists(s, entities[i]) ? step_done(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
        if ((rc & 0xff) == SQLITE_CONSTRAINT)
            return FAIL(e, ERR_ARG, "%s: a hyperedge of entity %lld, which %s", s->path, (long long)entities[i],
                        rc == SQLITE_CONSTRAINT_FOREIGNKEY ? "does not exist" : "is in it already");
        if (rc != SQLITE_OK) return sql_error(s, rc, e);
    }
    return ERR_OK;
}

int store_add_hyperedge(struct store *s, const char *type, const int64_t *entities, size_t count, double weight,
                        const char *properties, struct err *e)
{
    if (count < 2) return FAIL(e, ERR_ARG, "%s: a hyperedge of %zu entities, at least 2", s->path, count);
    if (!(weight >= 0 && weight <= 1)) return FAIL(e, ERR_ARG, "%s: hyperedge weight %g outside 0..1", s->path, weight);
    sqlite3_stmt *st = NULL;
    struct text ids = { 0 };
    int status = begin_statement(s, ADD_HYPEREDGE, &st, e);
    if (status == ERR_OK) status = check_properties(s, &properties, "a hyperedge of entity", entities[0], e);
    for (size_t i = 0; i < count; i++) text_add(&ids, "%c%lld", i ? ',' : '[', (long long)entities[i]);
    text_add(&ids, "]");
    if (status == ERR_OK && ids.failed) status = FAIL(e, ERR_MEM, "%s: no memory", s->path);
    /* The hyperedge and its members stand or fall together. */
    if (status == ERR_OK) status = run_sql(s, "SAVEPOINT hyperedge", e);
    if (status != ERR_OK) return text_free(&ids), status;
    sqlite3_bind_text(st, 1, type, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, text_of(&ids), -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 3, weight);
    sqlite3_bind_int64(st, 4, (int64_t)count);
    sqlite3_bind_text(st, 5, properties, -1, SQLITE_STATIC);
    const int rc = step_done(st);
    text_free(&ids);
    if ((rc & 0xff) == SQLITE_CONSTRAINT) status = FAIL(e, ERR_ARG, "%s: a hyperedge lacks a type", s->path);
    else if (rc != SQLITE_OK) status = sql_error(s, rc, e);
    if (status == ERR_OK) status = add_members(s, entities, count, e);
    if (status != ERR_OK) (void)sqlite3_exec(s->db, "ROLLBACK TO hyperedge", NULL, NULL, NULL);
    const int released = run_sql(s, "RELEASE hyperedge", status == ERR_OK ? e : NULL);
    return status == ERR_OK ? released : status;
}

int store_set_setting(struct store *s, const char *key, const char *value, struct err *e)
{
    int status = store_begin(s, e);
    if (status == ERR_OK)
        status = run_sql(s, "CREATE TABLE IF NOT EXISTS assay_settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)", e);
    if (status != ERR_OK) return status;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO assay_settings VALUES (?1, ?2)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
        rc = step_done(st);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_OK ? ERR_OK : sql_error(s, rc, e);
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
    if (status == ERR_OK) status = run_sql(s, "PRAGMA foreign_keys = ON", e);
    return status;
}

int store_commit(struct store *s, struct err *e)
{
    if (!s->writing) return ERR_OK;
    int status = s->partial ? run_sql(s, indexes_sql, e) : ERR_OK;
    if (status == ERR_OK) status = run_sql(s, "COMMIT", e);
    if (status != ERR_OK) return status;
    s->writing = 0;
    return s->partial ? publish(s, e) : ERR_OK;
}

/* --- reading ----------------------------------------------------------------------------------- */

int store_read_begin(struct store *s, struct err *e)
{
    sqlite3_stmt *st = NULL;
    assert(!s->reading);
    if (s->writing) return ERR_OK; /* the transaction that is open sees one state too */
    const int status = prepare(s, BEGIN_READ, &st, e);
    if (status != ERR_OK) return status;
    const int rc = step_done(st);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    s->reading = 1;
    return ERR_OK;
}

void store_read_end(struct store *s)
{
    if (!s->reading) return;
    s->reading = 0;
    sqlite3_stmt *st = NULL;
    if (prepare(s, END_READ, &st, NULL) != ERR_OK || step_done(st) != SQLITE_OK)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* after an I/O error */
}

int store_changed(struct store *s, int *changed, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const int status = prepare(s, DATA_VERSION, &st, e);
    if (status != ERR_OK) return status;
    const int rc = sqlite3_step(st);
    const int version = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    sqlite3_reset(st);
    if (rc != SQLITE_ROW) return sql_error(s, rc, e);
    const int64_t changes = sqlite3_total_changes64(s->db); /* our own: data_version counts the others' */
    *changed = !s->seen_once || version != s->seen_data_version || changes != s->seen_changes;
    s->seen_once = 1;
    s->seen_data_version = version;
    s->seen_changes = changes;
    return ERR_OK;
}

int store_entity(struct store *s, int64_t id, struct entity *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const int status = prepare(s, ENTITY, &st, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, id);
    const int rc = sqlite3_step(st);
    size_t at[3];
    text_clear(&s->entity);
    for (int i = 0; rc == SQLITE_ROW && i < 3; i++) {
        const char *column = (const char *)sqlite3_column_text(st, i);
        at[i] = s->entity.size;
        if (column) text_add_bytes(&s->entity, column, (size_t)sqlite3_column_bytes(st, i) + 1);
        else s->entity.failed = 1;
    }
    sqlite3_reset(st); /* a row kept open would keep the read lock, and writers out */
    if (rc == SQLITE_DONE) return FAIL(e, ERR_NOT_FOUND, "%s: no entity %lld", s->path, (long long)id);
    if (rc != SQLITE_ROW) return sql_error(s, rc, e);
    if (s->entity.failed) {
        text_free(&s->entity);
        return FAIL(e, ERR_MEM, "%s: no memory", s->path);
    }
    const char *text = s->entity.at;
    *out = (struct entity){ id, text + at[0], text + at[1], text + at[2] };
    return ERR_OK;
}

int store_entity_ids(struct store *s, int64_t **ids, size_t *count, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int64_t room = 0;
    int found;
    int status = query_int(s, "SELECT count(*) FROM kg_entities", &room, &found, e);
    if (status != ERR_OK) return status;
    int64_t *at = mem_alloc((size_t)room, sizeof *at);
    if (!at) return FAIL(e, ERR_MEM, "%s: no memory for %lld entities", s->path, (long long)room);
    size_t n = 0;
    int rc = sqlite3_prepare_v2(s->db, "SELECT id FROM kg_entities ORDER BY id", -1, &st, NULL);
    /* Outside a read transaction the table may grow between the two statements. */
    while (rc == SQLITE_OK && n < (size_t)room && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        at[n++] = sqlite3_column_int64(st, 0);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        mem_free(at);
        return sql_error(s, rc, e);
    }
    *ids = at;
    *count = n;
    return ERR_OK;
}

static int read_vectors(struct store *s, struct vectors *v, size_t room, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const size_t dim = v->rows.dim;
    float *at = (float *)(uintptr_t)v->rows.at;
    size_t n = 0;
    int rc = sqlite3_prepare_v2(s->db, "SELECT entity_id, vector FROM kg_vectors ORDER BY entity_id", -1, &st, NULL);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    while (n < room && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(st, 1);
        const size_t size = (size_t)sqlite3_column_bytes(st, 1);
        if (size / sizeof(float) != dim) { /* bytes after the last whole float do not count (spec 1.4) */
            v->other_dimension++;
            continue;
        }
        if (!blob) {
            rc = SQLITE_NOMEM;
            break;
        }
        memcpy(at + n * dim, blob, dim * sizeof(float));
        if (!index_takes(at + n * dim, dim)) {
            v->non_finite++;
            continue;
        }
        v->ids[n] = sqlite3_column_int64(st, 0);
        v->hashes[n] = hash64((uint64_t)v->ids[n], at + n * dim, dim * sizeof(float));
        n++;
    }
    sqlite3_finalize(st);
    v->rows.count = n;
    return rc == SQLITE_ROW || rc == SQLITE_DONE || rc == SQLITE_OK ? ERR_OK : sql_error(s, rc, e);
}

static int read_dimension(struct store *s, int64_t dim, int64_t room, struct vectors *out, struct err *e)
{
    struct vectors v = { 0 };
    if (dim == 0) v.other_dimension = (size_t)room, room = 0;
    v.rows.dim = v.rows.stride = (size_t)dim;
    v.rows.at = mem_alloc((size_t)room, (size_t)dim * sizeof(float));
    v.ids = mem_alloc((size_t)room, sizeof *v.ids);
    v.hashes = mem_alloc((size_t)room, sizeof *v.hashes);
    int status = ERR_OK;
    if (!v.rows.at || !v.ids || !v.hashes)
        status = FAIL(e, ERR_MEM, "%s: no memory for %lld vectors of dimension %lld", s->path, (long long)room,
                      (long long)dim);
    if (status == ERR_OK && room) status = read_vectors(s, &v, (size_t)room, e);
    if (status == ERR_OK) *out = v;
    else vectors_free(&v);
    return status;
}

/* The first row's dimension is the usual one in any base that one program wrote; only where most rows
 * disagree is it worth asking which one is (grouping 20,000 rows costs more than reading them: 58 ms, 20). */
int store_vectors(struct store *s, struct vectors *out, struct err *e)
{
    static const char first[] = "SELECT length(vector) / 4 FROM kg_vectors ORDER BY entity_id LIMIT 1";
    static const char usual[] = "SELECT length(vector) / 4 FROM kg_vectors WHERE length(vector) >= 4 GROUP BY 1 "
                                "ORDER BY count(*) DESC, 1 LIMIT 1";
    int64_t dim = 0, room = 0, most = 0;
    int found;
    struct vectors v;
    int status = query_int(s, first, &dim, &found, e);
    if (status == ERR_OK) status = query_int(s, "SELECT count(*) FROM kg_vectors", &room, &found, e);
    if (status == ERR_OK) status = read_dimension(s, dim, room, &v, e);
    if (status != ERR_OK) return status;
    if (v.other_dimension > (size_t)room / 2) {
        status = query_int(s, usual, &most, &found, e);
        if (status == ERR_OK && most != dim) {
            vectors_free(&v);
            status = read_dimension(s, most, room, &v, e);
        }
    }
    if (status == ERR_OK) *out = v;
    return status;
}

void vectors_free(struct vectors *v)
{
    mem_free((void *)(uintptr_t)v->rows.at);
    mem_free(v->ids);
    mem_free(v->hashes);
    *v = (struct vectors){ 0 };
}

int store_settings(struct store *s, store_setting_fn *each, void *context, struct err *e)
{
    int64_t tables = 0;
    int found;
    int status = query_int(s, "SELECT count(*) FROM sqlite_master WHERE name = 'assay_settings'", &tables, &found, e);
    if (status != ERR_OK || tables == 0) return status;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT key, value FROM assay_settings ORDER BY key", -1, &st, NULL);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(st, 0), *value = (const char *)sqlite3_column_text(st, 1);
        if (key && value) status = each(context, key, value);
        else if (sqlite3_column_type(st, 0) == SQLITE_NULL || sqlite3_column_type(st, 1) == SQLITE_NULL)
            status = FAIL(e, ERR_FORMAT, "%s: assay_settings has a row that is NULL", s->path);
        else status = FAIL(e, ERR_MEM, "%s: no memory for its settings", s->path);
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = sql_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

/* Spec 1.5: other tools wrote weights as integers, NULL or raw bytes. */
static double tolerant_weight(sqlite3_stmt *st, int column)
{
    switch (sqlite3_column_type(st, column)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT: return sqlite3_column_double(st, column);
    case SQLITE_TEXT: return NAN;
    case SQLITE_BLOB: {
        const void *blob = sqlite3_column_blob(st, column);
        const int size = sqlite3_column_bytes(st, column);
        double wide = 1;
        float narrow = 1;
        if (size == (int)sizeof wide) return memcpy(&wide, blob, sizeof wide), wide;
        if (size == (int)sizeof narrow) return memcpy(&narrow, blob, sizeof narrow), (double)narrow;
        return 1;
    }
    default: return 1;
    }
}

int store_relations(struct store *s, int described, store_relation_fn *each, void *context, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int status = ERR_OK;
    /* Type and weight cost as much again as the three numbers. */
    int rc = sqlite3_prepare_v2(s->db, described
                                    ? "SELECT id, source_id, target_id, rel_type, weight FROM kg_relations ORDER BY id"
                                    : "SELECT id, source_id, target_id FROM kg_relations ORDER BY id", -1, &st, NULL);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *type = described ? (const char *)sqlite3_column_text(st, 3) : NULL;
        status = each(context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2),
                      type ? type : "", described ? tolerant_weight(st, 4) : 1);
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = sql_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

int store_members(struct store *s, store_member_fn *each, void *context, struct err *e)
{
    static const char sql[] =
        "SELECT m.hyperedge_id, m.entity_id, h.hyperedge_type, h.weight FROM kg_hyperedge_entities m "
                              "JOIN kg_hyperedges h ON h.id = m.hyperedge_id ORDER BY m.hyperedge_id, m.position";
    sqlite3_stmt *st = NULL;
    int status = ERR_OK;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) return sql_error(s, rc, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(st, 2);
        status = each(context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), type ? type : "",
                      tolerant_weight(st, 3));
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = sql_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}
