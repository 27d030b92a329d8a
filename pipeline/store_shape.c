/* SPDX-License-Identifier: MIT
 * store_shape.c - what the tables of a base are like: a stranger's may be views, lack columns and have triggers.
 *
 * A view may be a program that does not end: a connection to a base that has one where we look for a table gives up after
 * more steps of SQLite's machine, a transaction, than reading a file of its size would take. */
#include "pipeline/store_inside.h"
#include <string.h>

enum { VIEW_STEP = 100000, VIEW_STEPS_LEAST = 200, BYTES_A_VIEW_STEP = 10000 };

static const struct { const char *table, *column; } needed[] = {
    { "kg_entities", "id" },         { "kg_relations", "source_id" }, { "kg_relations", "target_id" },
    { "kg_vectors", "entity_id" },   { "kg_vectors", "vector" },
};

/* What is read where a column is missing. */
static const struct { const char *table, *column, *instead; } wanted[STORE_COLUMN_COUNT] = {
    [STORE_ENTITY_TYPE] = { "kg_entities", "entity_type", "''" },
    [STORE_ENTITY_NAME] = { "kg_entities", "name", "''" },
    [STORE_ENTITY_PROPERTIES] = { "kg_entities", "properties", "'{}'" },
    [STORE_RELATION_ID] = { "kg_relations", "id", "0" },
    [STORE_RELATION_TYPE] = { "kg_relations", "rel_type", "''" },
    [STORE_RELATION_WEIGHT] = { "kg_relations", "weight", "1" },
};

static int count_of(struct store *s, const char *sql, const char *first, const char *second, int64_t *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(st, 1, first, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && second) rc = sqlite3_bind_text(st, 2, second, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    const int status = rc == SQLITE_ROW ? ERR_OK : store_error(s, rc, e);
    sqlite3_finalize(st);
    return status;
}

int store_has(struct store *s, const char *table, int *is_view, struct err *e)
{
    static const char sql[] = "SELECT CASE type WHEN 'table' THEN 1 ELSE 2 END FROM sqlite_master WHERE type IN ('table', "
                              "'view') AND name = ?1 COLLATE NOCASE UNION ALL SELECT 0 LIMIT 1";
    int64_t kind = 0;
    const int status = count_of(s, sql, table, NULL, &kind, e);
    *is_view = kind == 2;
    return status == ERR_OK ? kind != 0 : status;
}

int store_has_column(struct store *s, const char *table, const char *column, struct err *e)
{
    static const char sql[] = "SELECT count(*) FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE";
    int64_t count = 0;
    const int status = count_of(s, sql, table, column, &count, e);
    return status == ERR_OK ? count != 0 : status;
}

static int give_up(void *store)
{
    struct store *s = store;
    return ++s->view_steps > s->view_steps_most;
}

/* Views, or triggers, of the names that we look for. */
static int count_ours(struct store *s, const char *type, int64_t *out, struct err *e)
{
    static const char sql[] = "SELECT count(*) FROM sqlite_master WHERE type = ?1 AND (tbl_name LIKE 'kg\\_%' ESCAPE '\\' OR "
                              "tbl_name LIKE 'assay\\_%' ESCAPE '\\')";
    return count_of(s, sql, type, NULL, out, e);
}

/* What would happen besides the writing that was asked for. */
static int check_writable(struct store *s, int views, struct err *e)
{
    int64_t triggers = 0;
    if (s->mode == STORE_READ) return ERR_OK;
    if (views) return FAIL(e, ERR_UNSUPPORTED, "%s: its tables are views: nothing can be added", s->path);
    const int status = count_ours(s, "trigger", &triggers, e);
    if (status != ERR_OK || triggers == 0) return status;
    return FAIL(e, ERR_UNSUPPORTED, "%s: %lld triggers on its tables would run whatever they hold: drop them first", s->path,
                (long long)triggers);
}

int store_shape(struct store *s, struct err *e)
{
    static const char *const tables[] = { "kg_entities", "kg_relations", "kg_vectors" };
    int views = 0, has = 1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        int is_view = 0;
        has = store_has(s, tables[i], &is_view, e);
        if (has < 0) return has;
        if (!has) return FAIL(e, ERR_FORMAT, "%s: not a knowledge base: it has no table %s", s->path, tables[i]);
        views += is_view;
    }
    int64_t bytes = 0, programs = 0;
    int status = count_ours(s, "view", &programs, e);
    if (status == ERR_OK && programs) status = store_bytes(s, &bytes, e);
    if (status != ERR_OK) return status;
    s->view_steps_most = VIEW_STEPS_LEAST + bytes / BYTES_A_VIEW_STEP;
    sqlite3_progress_handler(s->db, programs ? VIEW_STEP : 0, programs ? give_up : NULL, s);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        has = store_has_column(s, needed[i].table, needed[i].column, e);
        if (has < 0) return has;
        if (!has)
            return FAIL(e, ERR_FORMAT, "%s: not a knowledge base: its %s has no column %s", s->path, needed[i].table,
                        needed[i].column);
    }
    for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
        has = store_has_column(s, wanted[c].table, wanted[c].column, e);
        if (has < 0) return has;
        s->column[c] = has ? wanted[c].column : wanted[c].instead;
    }
    return check_writable(s, views, e);
}
