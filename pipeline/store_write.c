/* SPDX-License-Identifier: MIT
 * store_write.c - rows go into a base: each is checked, and a refused one leaves the transaction as it was. */
#include "index/index.h"
#include "pipeline/store_inside.h"
#include <math.h>
#include <string.h>

/* 1 when an entity of a base in the making exists.  Of a base that was there before it is always 1: SQLite's foreign
 * keys refuse what does not. */
static int exists(const struct store *s, int64_t id) { return !s->partial || idset_row(&s->known, id) != IDSET_NONE; }

static int begin_statement(struct store *s, enum store_statement which, sqlite3_stmt **st, struct err *e)
{
    const int status = store_begin(s, e);
    return status == ERR_OK ? store_prepare(s, which, st, e) : status;
}

/* "{}" for NULL; anything else must parse as a JSON object. */
static int check_properties(struct store *s, const char **properties, const char *what, int64_t id, struct err *e)
{
    if (!*properties) *properties = "{}";
    if (strcmp(*properties, "{}") == 0) return ERR_OK;
    sqlite3_stmt *st = NULL;
    const int status = store_prepare(s, STORE_IS_OBJECT, &st, e);
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
    int status = begin_statement(s, STORE_ADD_ENTITY, &st, e);
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
    const int rc = store_step(st);
    if (noted && rc != SQLITE_OK) (void)idset_remove(&s->known, id, &row, s->path, NULL);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return FAIL(e, ERR_ARG, "%s: entity %lld exists already, or lacks a type or a name", s->path, (long long)id);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
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
    if (!index_takes(x, dim)) { /* every index would refuse the base */
        double sum = 0;
        for (size_t i = 0; i < dim; i++) sum += fabs((double)x[i]);
        return FAIL(e, ERR_ARG, "%s: the vector of entity %lld is too %s: its absolute values sum to %g", s->path, (long long)entity_id,
                    sum < 1 ? "small for a cosine (at least 1e-15, or 0), scale it" : "large (at most 1e18)", sum);
    }
    sqlite3_stmt *st = NULL;
    const int status = begin_statement(s, STORE_ADD_VECTOR, &st, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, entity_id);
    sqlite3_bind_blob64(st, 2, x, dim * sizeof *x, SQLITE_STATIC); /* our targets are little endian */
    sqlite3_bind_int64(st, 3, (int64_t)dim);
    sqlite3_bind_int64(st, 4, s->begun);
    const int rc = exists(s, entity_id) ? store_step(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return FAIL(e, ERR_ARG, "%s: a vector of entity %lld, which does not exist", s->path, (long long)entity_id);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
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
    int status = begin_statement(s, STORE_ADD_RELATION, &st, e);
    if (status == ERR_OK) status = check_properties(s, &properties, "a relation of entity", source, e);
    if (status != ERR_OK) return status;
    sqlite3_bind_int64(st, 1, source);
    sqlite3_bind_int64(st, 2, target);
    sqlite3_bind_text(st, 3, type, -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 4, weight);
    sqlite3_bind_text(st, 5, properties, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, s->begun);
    const int rc = exists(s, source) && exists(s, target) ? store_step(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return FAIL(e, ERR_ARG, "%s: relation %lld -> %lld: one of them does not exist", s->path, (long long)source,
                    (long long)target);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return FAIL(e, ERR_ARG, "%s: relation %lld -> %lld lacks a type", s->path, (long long)source,
                    (long long)target);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
}

static int add_members(struct store *s, const int64_t *entities, size_t count, struct err *e)
{
    const int64_t hyperedge = sqlite3_last_insert_rowid(s->db);
    sqlite3_stmt *st = NULL;
    const int status = store_prepare(s, STORE_ADD_MEMBER, &st, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(st, 1, hyperedge);
        sqlite3_bind_int64(st, 2, entities[i]);
        sqlite3_bind_int64(st, 3, (int64_t)i);
        const int rc = exists(s, entities[i]) ? store_step(st) : SQLITE_CONSTRAINT_FOREIGNKEY;
        if ((rc & 0xff) == SQLITE_CONSTRAINT)
            return FAIL(e, ERR_ARG, "%s: a hyperedge of entity %lld, which %s", s->path, (long long)entities[i],
                        rc == SQLITE_CONSTRAINT_FOREIGNKEY ? "does not exist" : "is in it already");
        if (rc != SQLITE_OK) return store_error(s, rc, e);
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
    int status = begin_statement(s, STORE_ADD_HYPEREDGE, &st, e);
    if (status == ERR_OK) status = check_properties(s, &properties, "a hyperedge of entity", entities[0], e);
    for (size_t i = 0; i < count; i++) text_add(&ids, "%c%lld", i ? ',' : '[', (long long)entities[i]);
    text_add(&ids, "]");
    if (status == ERR_OK && ids.failed) status = FAIL(e, ERR_MEM, "%s: no memory", s->path);
    /* The hyperedge and its members stand or fall together. */
    if (status == ERR_OK) status = store_run(s, "SAVEPOINT hyperedge", e);
    if (status != ERR_OK) return text_free(&ids), status;
    sqlite3_bind_text(st, 1, type, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, text_of(&ids), -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 3, weight);
    sqlite3_bind_int64(st, 4, (int64_t)count);
    sqlite3_bind_text(st, 5, properties, -1, SQLITE_STATIC);
    const int rc = store_step(st);
    text_free(&ids);
    if ((rc & 0xff) == SQLITE_CONSTRAINT) status = FAIL(e, ERR_ARG, "%s: a hyperedge lacks a type", s->path);
    else if (rc != SQLITE_OK) status = store_error(s, rc, e);
    if (status == ERR_OK) status = add_members(s, entities, count, e);
    if (status != ERR_OK) (void)sqlite3_exec(s->db, "ROLLBACK TO hyperedge", NULL, NULL, NULL);
    const int released = store_run(s, "RELEASE hyperedge", status == ERR_OK ? e : NULL);
    return status == ERR_OK ? released : status;
}

int store_set_setting(struct store *s, const char *key, const char *value, struct err *e)
{
    int status = store_begin(s, e);
    if (status == ERR_OK)
        status = store_run(s, "CREATE TABLE IF NOT EXISTS assay_settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)", e);
    if (status != ERR_OK) return status;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO assay_settings VALUES (?1, ?2)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
        rc = store_step(st);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_OK ? ERR_OK : store_error(s, rc, e);
}
