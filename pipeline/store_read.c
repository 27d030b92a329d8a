/* SPDX-License-Identifier: MIT
 * store_read.c - rows come out of a base: vectors, relations and hyperedges in one pass each, entities one by one.
 * What a foreign base may hold and no index takes is counted and passed over. */
#include "index/index.h"
#include "kernels/base/mem.h"
#include "pipeline/store_inside.h"
#include <math.h>
#include <string.h>

/* At most STORE_ENTITIES_AT_ONCE; as store_entities. */
static int read_entities(struct store *s, const int64_t *ids, size_t count, struct text *out, size_t (*at)[3], struct err *e)
{
    sqlite3_stmt *st = NULL;
    const int status = store_prepare(s, STORE_ENTITIES, &st, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(st, (int)i + 1, ids[i]);
        at[i][0] = SIZE_MAX; /* not read yet */
    }
    int rc = SQLITE_ROW;
    for (size_t left = count; left > 0 && (rc = sqlite3_step(st)) == SQLITE_ROW;) {
        size_t *mine = at[sqlite3_column_int(st, 0)];
        if (mine[0] != SIZE_MAX) continue; /* another row with this id: a stranger's base may have some */
        for (int i = 0; i < 3; i++) {
            const char *column = (const char *)sqlite3_column_text(st, i + 1);
            mine[i] = out->size;
            if (column) text_add_bytes(out, column, (size_t)sqlite3_column_bytes(st, i + 1) + 1);
            else out->failed = 1;
        }
        left--;
    }
    sqlite3_reset(st); /* a row kept open would keep the read lock, and writers out */
    sqlite3_clear_bindings(st);
    if (rc == SQLITE_DONE) {
        while (at[0][0] != SIZE_MAX) at++, ids++;
        return FAIL(e, ERR_NOT_FOUND, "%s: no entity %lld", s->path, (long long)*ids);
    }
    if (rc != SQLITE_ROW) return store_error(s, rc, e);
    return out->failed ? FAIL(e, ERR_MEM, "%s: no memory for %zu entities", s->path, count) : ERR_OK;
}

int store_entities(struct store *s, const int64_t *ids, size_t count, struct text *out, size_t (*at)[3], struct err *e)
{
    int status = ERR_OK;
    for (size_t from = 0; status == ERR_OK && from < count; from += STORE_ENTITIES_AT_ONCE) {
        const size_t left = count - from;
        status = read_entities(s, ids + from, left < STORE_ENTITIES_AT_ONCE ? left : STORE_ENTITIES_AT_ONCE, out, at + from, e);
    }
    return status;
}

int store_entity(struct store *s, int64_t id, struct entity *out, struct err *e)
{
    size_t at[1][3];
    text_clear(&s->entity);
    const int status = store_entities(s, &id, 1, &s->entity, at, e);
    if (s->entity.failed) text_free(&s->entity);
    if (status != ERR_OK) return status;
    const char *text = s->entity.at;
    *out = (struct entity){ id, text + at[0][0], text + at[0][1], text + at[0][2] };
    return ERR_OK;
}

struct store_odd store_odd(const struct store *s) { return s->odd; }

/* 1 when the row is of a new integer, and those before were less. */
static int is_next(sqlite3_stmt *st, const int64_t *ids, size_t count)
{
    return sqlite3_column_type(st, 0) == SQLITE_INTEGER && (count == 0 || sqlite3_column_int64(st, 0) > ids[count - 1]);
}

int store_entity_ids(struct store *s, int64_t **ids, size_t *count, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int64_t room = 0;
    int found;
    int status = store_number(s, "SELECT count(*) FROM kg_entities", &room, &found, e);
    if (status != ERR_OK) return status;
    int64_t *at = mem_alloc((size_t)room, sizeof *at);
    if (!at) return FAIL(e, ERR_MEM, "%s: no memory for %lld entities", s->path, (long long)room);
    size_t n = 0;
    s->odd.entities = 0;
    int rc = sqlite3_prepare_v2(s->db, "SELECT id FROM kg_entities ORDER BY id", -1, &st, NULL);
    /* Outside a read transaction the table may grow between the two statements. */
    while (rc == SQLITE_OK && n < (size_t)room && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (is_next(st, at, n)) at[n++] = sqlite3_column_int64(st, 0);
        else s->odd.entities++;
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        mem_free(at);
        return store_error(s, rc, e);
    }
    *ids = at;
    *count = n;
    return ERR_OK;
}

int store_texts(struct store *s, store_text_fn *each, void *context, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int status = ERR_OK;
    int64_t last = 0;
    size_t count = 0;
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT id, coalesce(%s, ''), coalesce(%s, '') FROM kg_entities ORDER BY id",
             s->column[STORE_ENTITY_NAME], s->column[STORE_ENTITY_PROPERTIES]);
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (!is_next(st, &last, count != 0)) continue;
        const char *name = (const char *)sqlite3_column_text(st, 1), *properties = (const char *)sqlite3_column_text(st, 2);
        last = sqlite3_column_int64(st, 0);
        count++;
        status = name && properties ? each(context, last, name, (size_t)sqlite3_column_bytes(st, 1), properties,
                                           (size_t)sqlite3_column_bytes(st, 2))
                                    : FAIL(e, ERR_MEM, "%s: no memory for its texts", s->path);
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = store_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

static int make_room(struct vectors *v, size_t rows, size_t *room)
{
    const size_t more = *room * 2 + 64;
    if (rows < *room) return 1;
    if (!mem_extend(&v->rows.at, rows * v->rows.dim, more * v->rows.dim, sizeof(float)) ||
        !mem_extend(&v->ids, rows, more, sizeof *v->ids) || !mem_extend(&v->hashes, rows, more, sizeof *v->hashes))
        return 0;
    *room = more;
    return 1;
}

static int read_vectors(struct store *s, struct vectors *v, size_t room, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const size_t dim = v->rows.dim;
    size_t n = 0;
    int rc = sqlite3_prepare_v2(s->db, "SELECT entity_id, vector FROM kg_vectors ORDER BY entity_id", -1, &st, NULL);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (!is_next(st, v->ids, n) || sqlite3_column_type(st, 1) != SQLITE_BLOB) {
            s->odd.vectors++;
            continue;
        }
        const void *blob = sqlite3_column_blob(st, 1);
        const size_t size = (size_t)sqlite3_column_bytes(st, 1);
        if (size / sizeof(float) != dim || dim == 0) { /* bytes after the last whole float do not count (spec 1.4) */
            v->other_dimension++;
            continue;
        }
        if (!blob || !make_room(v, n, &room)) {
            rc = SQLITE_NOMEM;
            break;
        }
        float *at = (float *)(uintptr_t)v->rows.at + n * dim;
        memcpy(at, blob, dim * sizeof(float));
        if (!index_takes(at, dim)) {
            v->non_finite++;
            continue;
        }
        v->ids[n] = sqlite3_column_int64(st, 0);
        v->hashes[n] = hash64((uint64_t)v->ids[n], at, dim * sizeof(float));
        n++;
    }
    sqlite3_finalize(st);
    v->rows.count = n;
    return rc == SQLITE_DONE ? ERR_OK : store_error(s, rc, e);
}

/* room: of how many rows there may be; that they are all of this dimension, and the file holds them, is no more than
 * likely, so no more is taken than the file has bytes. */
static int read_dimension(struct store *s, int64_t dim, int64_t room, struct vectors *out, struct err *e)
{
    struct vectors v = { 0 };
    int64_t bytes = 0;
    int status = store_bytes(s, &bytes, e);
    if (status != ERR_OK) return status;
    if (dim && room > bytes / (4 * dim)) room = bytes / (4 * dim);
    if (dim == 0) room = 0;
    s->odd.vectors = 0;
    v.rows.dim = v.rows.stride = (size_t)dim;
    v.rows.at = mem_alloc((size_t)room, (size_t)dim * sizeof(float));
    v.ids = mem_alloc((size_t)room, sizeof *v.ids);
    v.hashes = mem_alloc((size_t)room, sizeof *v.hashes);
    if (!v.rows.at || !v.ids || !v.hashes)
        status = FAIL(e, ERR_MEM, "%s: no memory for %lld vectors of dimension %lld", s->path, (long long)room,
                      (long long)dim);
    if (status == ERR_OK) status = read_vectors(s, &v, (size_t)room, e);
    if (status == ERR_OK) *out = v;
    else vectors_free(&v);
    return status;
}

/* The first row's dimension is the usual one in any base that one program wrote; only where most rows
 * disagree is it worth asking which one is (grouping 20,000 rows costs more than reading them: 58 ms, 20). */
int store_vectors(struct store *s, struct vectors *out, struct err *e)
{
    static const char first[] = "SELECT length(vector) / 4 FROM kg_vectors ORDER BY entity_id LIMIT 1";
    char usual[256];
    snprintf(usual, sizeof usual, "SELECT length(vector) / 4 FROM kg_vectors WHERE typeof(vector) = 'blob' AND "
             "typeof(entity_id) = 'integer' AND length(vector) BETWEEN 4 AND %d GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
             4 * INDEX_DIM_MAX + 3);
    int64_t dim = 0, room = 0, most = 0;
    int found;
    struct vectors v = { 0 };
    int status = store_number(s, first, &dim, &found, e);
    if (status == ERR_OK) status = store_number(s, "SELECT count(*) FROM kg_vectors", &room, &found, e);
    const int likely = dim >= 1 && dim <= INDEX_DIM_MAX;
    if (status == ERR_OK && likely) status = read_dimension(s, dim, room, &v, e);
    if (status == ERR_OK && room && (!likely || v.other_dimension + s->odd.vectors > (size_t)room / 2)) {
        status = store_number(s, usual, &most, &found, e);
        if (status == ERR_OK && (!likely || (found && most != dim))) {
            vectors_free(&v);
            status = read_dimension(s, most, room, &v, e);
        }
    } else if (status == ERR_OK && !likely) {
        status = read_dimension(s, 0, 0, &v, e);
    }
    if (status == ERR_OK) *out = v;
    else vectors_free(&v);
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
    int is_view = 0, status = store_has(s, "assay_settings", &is_view, e);
    if (status > 0 && !is_view) status = store_has_column(s, "assay_settings", "key", e);
    if (status > 0 && !is_view) status = store_has_column(s, "assay_settings", "value", e);
    if (status <= 0 || is_view) return status < 0 ? status : ERR_OK;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT key, value FROM assay_settings ORDER BY key", -1, &st, NULL);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
    status = ERR_OK;
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(st, 0), *value = (const char *)sqlite3_column_text(st, 1);
        if (key && value) status = each(context, key, value);
        else if (sqlite3_column_type(st, 0) == SQLITE_NULL || sqlite3_column_type(st, 1) == SQLITE_NULL)
            status = FAIL(e, ERR_FORMAT, "%s: assay_settings has a row that is NULL", s->path);
        else status = FAIL(e, ERR_MEM, "%s: no memory for its settings", s->path);
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = store_error(s, rc, e);
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

static int are_integers(sqlite3_stmt *st, int from, int to)
{
    while (from < to && sqlite3_column_type(st, from) == SQLITE_INTEGER) from++;
    return from == to;
}

int store_relations(struct store *s, int described, store_relation_fn *each, void *context, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int status = ERR_OK;
    char sql[256];
    /* Type and weight cost as much again as the three numbers. */
    snprintf(sql, sizeof sql, "SELECT %s, source_id, target_id%s%s%s%s FROM kg_relations ORDER BY 1",
             s->column[STORE_RELATION_ID], described ? ", " : "", described ? s->column[STORE_RELATION_TYPE] : "",
             described ? ", " : "", described ? s->column[STORE_RELATION_WEIGHT] : "");
    s->odd.relations = 0;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (!are_integers(st, 0, 3)) {
            s->odd.relations++;
            continue;
        }
        const char *type = described ? (const char *)sqlite3_column_text(st, 3) : NULL;
        status = each(context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2),
                      type ? type : "", described ? tolerant_weight(st, 4) : 1);
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = store_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

int store_members(struct store *s, store_member_fn *each, void *context, struct err *e)
{
    static const char sql[] =
        "SELECT m.hyperedge_id, m.entity_id, h.hyperedge_type, h.weight FROM kg_hyperedge_entities m "
                              "JOIN kg_hyperedges h ON h.id = m.hyperedge_id ORDER BY m.hyperedge_id, m.position";
    sqlite3_stmt *st = NULL;
    int is_view, status = store_has(s, "kg_hyperedge_entities", &is_view, e);
    if (status <= 0) return status; /* bases of the first versions have none */
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) return store_error(s, rc, e);
    status = ERR_OK;
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (!are_integers(st, 0, 2)) {
            s->odd.relations++;
            continue;
        }
        const char *type = (const char *)sqlite3_column_text(st, 2);
        status = each(context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), type ? type : "",
                      tolerant_weight(st, 3));
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = store_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}
