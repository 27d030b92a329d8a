/* SPDX-License-Identifier: MIT
 * store_facts.c - what newer schemas keep of entities: confidence, validity, versions, dependencies. */
#include "kernels/base/text.h"
#include "pipeline/store_inside.h"

/* A column as SQL: its value or, NULL or missing, what stands for it. */
static int add_column(struct store *s, struct text *sql, const char *column, const char *otherwise, struct err *e)
{
    const int has = store_has_column(s, "kg_entities", column, e);
    if (has < 0) return has;
    if (has) text_add(sql, ", coalesce(%s, %s)", column, otherwise);
    else text_add(sql, ", %s", otherwise);
    return ERR_OK;
}

static struct entity_facts facts_of(sqlite3_stmt *st)
{
    return (struct entity_facts){ .id = sqlite3_column_int64(st, 0),
                                  .confidence = sqlite3_column_double(st, 1),
                                  .base_confidence = sqlite3_column_double(st, 2),
                                  .decay_rate = sqlite3_column_double(st, 3),
                                  .access_count = sqlite3_column_int64(st, 4),
                                  .created_at = sqlite3_column_int64(st, 5),
                                  .valid_from = sqlite3_column_int64(st, 6),
                                  .valid_until = sqlite3_column_int64(st, 7),
                                  .validity = (uint64_t)sqlite3_column_int64(st, 8) };
}

int store_facts(struct store *s, store_facts_fn *each, void *context, struct err *e)
{
    static const char *const columns[][2] = { { "confidence", "1.0" }, { "base_confidence", "1.0" }, { "decay_rate", "0.05" },
                                              { "access_count", "0" }, { "created_at", "0" },
                                              { "valid_from", "-9223372036854775807 - 1" },
                                              { "valid_until", "9223372036854775807" }, { "validity", "0" } };
    struct text sql = { 0 };
    sqlite3_stmt *st = NULL;
    int status = ERR_OK;
    text_add(&sql, "SELECT id");
    for (size_t i = 0; status == ERR_OK && i < sizeof columns / sizeof *columns; i++)
        status = add_column(s, &sql, columns[i][0], columns[i][1], e);
    text_add(&sql, " FROM kg_entities ORDER BY id");
    int rc = status != ERR_OK ? SQLITE_OK : sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(s->db, text_of(&sql), -1, &st, NULL);
    while (rc == SQLITE_OK && status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const struct entity_facts facts = facts_of(st);
        if (sqlite3_column_type(st, 0) == SQLITE_INTEGER) status = each(context, &facts);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    text_free(&sql);
    return status != ERR_OK ? status : rc == SQLITE_OK || rc == SQLITE_DONE ? ERR_OK : store_error(s, rc, e);
}

int store_dependencies(struct store *s, store_dependency_fn *each, void *context, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int is_view, status = ERR_OK;
    const int has = store_has(s, "kg_dependencies", &is_view, e);
    if (has <= 0) return has;
    int rc = sqlite3_prepare_v2(s->db, "SELECT source_id, target_id FROM kg_dependencies ORDER BY id", -1, &st, NULL);
    while (rc == SQLITE_OK && status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        status = each(context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return status != ERR_OK ? status : rc == SQLITE_OK || rc == SQLITE_DONE ? ERR_OK : store_error(s, rc, e);
}
