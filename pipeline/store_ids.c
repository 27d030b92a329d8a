/* SPDX-License-Identifier: MIT
 * store_ids.c - what the user calls an entity: its number, or the text that assay_ids(entity_id, external_id) has; and
 * what else we noted about a base. */
#include "pipeline/store_inside.h"
#include <string.h>

int store_has_ids(struct store *s, int *has, struct err *e)
{
    if (s->ids == 0) {
        int is_view = 0, status = store_has(s, "assay_ids", &is_view, e);
        if (status > 0 && !is_view) status = store_has_column(s, "assay_ids", "entity_id", e);
        if (status > 0 && !is_view) status = store_has_column(s, "assay_ids", "external_id", e);
        if (status < 0) return status;
        s->ids = status > 0 && !is_view ? 1 : -1;
    }
    *has = s->ids > 0;
    return ERR_OK;
}

int store_id_of(struct store *s, int64_t entity, struct text *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int has, rc = SQLITE_DONE, status = store_has_ids(s, &has, e);
    if (status == ERR_OK && has) status = store_prepare(s, STORE_ID_OF, &st, e);
    if (status != ERR_OK) return status;
    if (st) {
        sqlite3_bind_int64(st, 1, entity);
        rc = sqlite3_step(st);
        const char *id = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
        if (id) text_add(out, "%s", id);
        else if (rc == SQLITE_ROW) rc = SQLITE_NOMEM;
        sqlite3_reset(st);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return store_error(s, rc, e);
    if (rc == SQLITE_DONE) text_add(out, "%lld", (long long)entity);
    return out->failed ? FAIL(e, ERR_MEM, "%s: no memory", s->path) : ERR_OK;
}

/* Steps a statement that gives an entity or none. */
static int one_entity(struct store *s, sqlite3_stmt *st, int *found, int64_t *entity, struct err *e)
{
    const int rc = sqlite3_step(st);
    *found = rc == SQLITE_ROW;
    if (*found) *entity = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_error(s, rc, e);
}

int store_find_id(struct store *s, const char *id, int64_t *entity, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int64_t number;
    int has, found = 0, status = store_has_ids(s, &has, e);
    if (status == ERR_OK && has) status = store_prepare(s, STORE_FIND_ID, &st, e);
    if (status == ERR_OK && has) {
        sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
        status = one_entity(s, st, &found, entity, e);
    }
    if (status == ERR_OK && !found && text_is_i64(id, &number)) {
        status = store_prepare(s, has ? STORE_FIND_NUMBER : STORE_HAS_ENTITY, &st, e);
        if (status == ERR_OK) {
            sqlite3_bind_int64(st, 1, number);
            status = one_entity(s, st, &found, entity, e);
        }
    }
    return status == ERR_OK && !found ? FAIL(e, ERR_NOT_FOUND, "%s: no entity '%.80s'", s->path, id) : status;
}

int store_set_id(struct store *s, int64_t entity, const char *id, struct err *e)
{
    static const char create[] = "CREATE TABLE IF NOT EXISTS assay_ids (entity_id INTEGER PRIMARY KEY REFERENCES "
                                 "kg_entities(id) ON DELETE CASCADE, external_id TEXT NOT NULL UNIQUE)";
    sqlite3_stmt *st = NULL;
    int has, status = store_begin(s, e);
    if (status == ERR_OK) status = store_has_ids(s, &has, e);
    if (status == ERR_OK && !has) status = store_run(s, create, e);
    if (status == ERR_OK) status = store_prepare(s, STORE_ADD_ID, &st, e);
    if (status != ERR_OK) return status;
    s->ids = 1;
    sqlite3_bind_int64(st, 1, entity);
    sqlite3_bind_text(st, 2, id, -1, SQLITE_STATIC);
    const int rc = store_step(st);
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) return FAIL(e, ERR_ARG, "%s: no entity %lld to call '%.80s'", s->path, (long long)entity, id);
    if ((rc & 0xff) == SQLITE_CONSTRAINT) return FAIL(e, ERR_ARG, "%s: the id '%.80s' is another entity's", s->path, id);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
}

/* --- notes ---------------------------------------------------------------------------------- */
int store_set_meta(struct store *s, const char *key, const char *value, struct err *e)
{
    int status = store_begin(s, e);
    if (status == ERR_OK)
        status = store_run(s, "CREATE TABLE IF NOT EXISTS assay_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) "
                              "WITHOUT ROWID", e);
    if (status != ERR_OK) return status;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO assay_meta VALUES (?1, ?2)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
        rc = store_step(st);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
}

int store_meta(struct store *s, const char *key, struct text *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int has = store_has_column(s, "assay_meta", "key", e);
    if (has > 0) has = store_has_column(s, "assay_meta", "value", e);
    if (has <= 0) return has;
    int rc = sqlite3_prepare_v2(s->db, "SELECT value FROM assay_meta WHERE key = ?1", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        rc = sqlite3_step(st);
        const char *value = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
        if (value) text_add(out, "%s", value);
    }
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return store_error(s, rc, e);
    return out->failed ? FAIL(e, ERR_MEM, "%s: no memory", s->path) : ERR_OK;
}

static int note_http(void *by, const char *key, const char *value)
{
    if (strcmp(key, "embed") == 0 && strcmp(value, "http") == 0) *(const char **)by = "http";
    return ERR_OK;
}

const char *store_embedder(struct store *s)
{
    const char *by = NULL;
    struct text dim = { 0 };
    int64_t tables = 0;
    int found;
    (void)store_settings(s, note_http, &by, NULL);
    if (!by && store_number(s, "SELECT count(*) FROM sqlite_master WHERE name = 'assay_lsa'", &tables, &found, NULL) == ERR_OK &&
        tables)
        by = "lsa";
    if (!by && store_meta(s, "rp_dim", &dim, NULL) == ERR_OK && dim.size) by = "rp";
    text_free(&dim);
    return by;
}
