/* SPDX-License-Identifier: MIT
 * import_engine.c - a database of the Rust engine, schema versions 1 to 4, read-only: its entities, vectors and
 * relations, with their numbers and properties.
 *
 * Texts are sent only where there is no vector at all, so that vectors of two kinds never meet.  Hyperedges, the
 * columns of later versions and relations of entities that are gone are left out and counted.  It holds no questions:
 * `assay data queries` makes some. */
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include <sqlite3.h>
#include <string.h>

struct engine {
    const struct kb_sink *sink;
    const char *path;
    sqlite3 *db;
    int64_t vectors;
    struct text text;
    struct tally tally;
};

static int bad_sql(const struct engine *g, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: %s", g->path, sqlite3_errmsg(g->db));
}

/* Calls row for every row of the query; status of the first failure. */
static int each(struct engine *g, const char *sql, int (*row)(struct engine *g, sqlite3_stmt *st, struct err *e),
                struct err *e)
{
    sqlite3_stmt *st = NULL;
    int status = sqlite3_prepare_v2(g->db, sql, -1, &st, NULL) == SQLITE_OK ? ERR_OK : bad_sql(g, e), rc = SQLITE_DONE;
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) status = row(g, st, e);
    if (status == ERR_OK && rc != SQLITE_DONE) status = bad_sql(g, e);
    sqlite3_finalize(st);
    return status;
}

/* The first cell of the first row; 0 where there is none, or no such table. */
static int64_t count(const struct engine *g, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t value = 0;
    if (sqlite3_prepare_v2(g->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return value;
}

static const char *cell(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    return text ? text : "";
}

static int send_entity(struct engine *g, sqlite3_stmt *st, struct err *e)
{
    const int64_t id = sqlite3_column_int64(st, 0);
    const char *type = cell(st, 1), *name = cell(st, 2), *properties = cell(st, 3);
    text_clear(&g->text);
    text_add(&g->text, "%s", name);
    if (strcmp(properties, "{}") != 0 && *properties) text_add(&g->text, ". %s", properties);
    if (g->text.failed) return FAIL(e, ERR_MEM, "%s: no memory", g->path);
    if (!g->sink->entity) return ERR_OK;
    const int status = g->sink->entity(g->sink->context, id, type, name, *properties ? properties : "{}",
                                       g->vectors ? NULL : text_of(&g->text), e);
    return status == ERR_OK ? status : err_context(e, status, "%s: entity %lld", g->path, (long long)id);
}

static int send_vector(struct engine *g, sqlite3_stmt *st, struct err *e)
{
    const int64_t id = sqlite3_column_int64(st, 0), dim = sqlite3_column_int64(st, 2);
    const size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
    if (dim < 1 || dim > DATASET_DIM_MAX || bytes != (size_t)dim * sizeof(float))
        return FAIL(e, ERR_FORMAT, "%s: the vector of entity %lld has %zu bytes and the dimension %lld", g->path,
                    (long long)id, bytes, (long long)dim);
    float *x = mem_alloc((size_t)dim, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "%s: no memory", g->path);
    memcpy(x, sqlite3_column_blob(st, 1), bytes);
    const int status = g->sink->vector ? g->sink->vector(g->sink->context, id, x, (size_t)dim, e) : ERR_OK;
    mem_free(x);
    return status == ERR_OK ? status : err_context(e, status, "%s: entity %lld", g->path, (long long)id);
}

static int send_relation(struct engine *g, sqlite3_stmt *st, struct err *e)
{
    const double weight = sqlite3_column_type(st, 3) == SQLITE_NULL ? 1 : sqlite3_column_double(st, 3);
    const char *properties = cell(st, 4);
    if (!g->sink->relation) return ERR_OK;
    const int status = g->sink->relation(g->sink->context, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
                                         cell(st, 2), weight, *properties ? properties : NULL, e);
    return status == ERR_OK ? status : err_context(e, status, "%s: relation %lld", g->path,
                                                   (long long)sqlite3_column_int64(st, 5));
}

static int leave(struct engine *g, const char *what, const char *sql, struct err *e)
{
    const int64_t n = count(g, sql);
    return n > 0 ? tally_add(&g->tally, what, (uint64_t)n, NULL, e) : ERR_OK;
}

static int send_all(struct engine *g, struct err *e)
{
    const int64_t version = count(g, "SELECT version FROM kg_schema_version");
    if (version > 4) return FAIL(e, ERR_FORMAT, "%s: schema version %lld, 1 to 4 are known", g->path,
                                 (long long)version);
    g->vectors = count(g, "SELECT count(*) FROM kg_vectors");
    int status = each(g, "SELECT id, entity_type, name, properties FROM kg_entities ORDER BY id", send_entity, e);
    if (status == ERR_OK)
        status = each(g, "SELECT entity_id, vector, dimension FROM kg_vectors "
                         "WHERE entity_id IN (SELECT id FROM kg_entities) ORDER BY entity_id", send_vector, e);
    if (status == ERR_OK)
        status = each(g, "SELECT source_id, target_id, rel_type, weight, properties, id FROM kg_relations "
                         "WHERE source_id IN (SELECT id FROM kg_entities) "
                         "AND target_id IN (SELECT id FROM kg_entities) ORDER BY id", send_relation, e);
    if (status == ERR_OK && g->vectors)
        status = leave(g, "entities without a vector", "SELECT count(*) FROM kg_entities WHERE id NOT IN "
                       "(SELECT entity_id FROM kg_vectors)", e);
    if (status == ERR_OK)
        status = leave(g, "vectors of entities that are gone, left out",
                       "SELECT count(*) FROM kg_vectors WHERE entity_id "
                       "NOT IN (SELECT id FROM kg_entities)", e);
    if (status == ERR_OK)
        status = leave(g, "relations of entities that are gone, left out",
                       "SELECT count(*) FROM kg_relations WHERE source_id "
                       "NOT IN (SELECT id FROM kg_entities) OR target_id NOT IN (SELECT id FROM kg_entities)", e);
    if (status == ERR_OK) status = leave(g, "hyperedges, left out", "SELECT count(*) FROM kg_hyperedges", e);
    return status == ERR_OK ? sink_tally(g->sink, &g->tally, e) : status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct engine g = { .sink = sink, .path = path };
    struct mem_map map = { 0 };
    int status = mem_map_open(&map, path, e); /* sqlite does not tell a missing file from another failure */
    mem_map_close(&map);
    if (status != ERR_OK) return status;
    if (sqlite3_open_v2(path, &g.db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) status = bad_sql(&g, e);
    if (status == ERR_OK && sqlite3_exec(g.db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) status = bad_sql(&g, e);
    if (status == ERR_OK) status = send_all(&g, e);
    sqlite3_close(g.db);
    text_free(&g.text);
    tally_free(&g.tally);
    return status;
}

const struct importer_ops import_engine = {
    .name = "engine",
    .summary = "a database of the Rust engine: entities, vectors and relations, with their numbers",
    .get = "a database that sqlite-knowledge-graph wrote",
    .run = run,
};
