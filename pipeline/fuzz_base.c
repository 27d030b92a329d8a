/* SPDX-License-Identifier: MIT
 * fuzz_base.c - a base that a stranger made in SQL: types of any kind, keys and columns missing, views, triggers, settings
 * of its own.  The bytes are choices: a table's shape, then its rows' values.
 *
 * reader: pipeline/store_read.c pipeline/store_shape.c pipeline/kb.c
 * planted: pipeline/store_read.c s#return sqlite3_column_type(st, 0) == SQLITE_INTEGER && (count.*#return ids != NULL || count == 0;#
 */
#include "kernels/base/fuzz.h"
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

static const uint8_t *at, *end;

static unsigned pick(unsigned below) { return at < end ? *at++ % below : 0; }

static void add_id(struct text *sql)
{
    switch (pick(12)) {
    case 0: text_add(sql, "NULL"); break;
    case 1: text_add(sql, "'%u'", pick(6)); break;
    case 2: text_add(sql, "%u.5", pick(6)); break;
    case 3: text_add(sql, "x'0%u'", pick(6)); break;
    case 4: text_add(sql, "%d", -(int)pick(6)); break;
    case 5: text_add(sql, "1000000000"); break;
    case 6: text_add(sql, pick(2) ? "9223372036854775807" : "-9223372036854775807"); break;
    default: text_add(sql, "%u", pick(6)); break;
    }
}

static void add_value(struct text *sql)
{
    static const char *const values[] = { "NULL", "''", "'one two'", "7", "0.5", "x'00ff'", "'{\"text\":\"two words\"}'", "'{'",
                                          "x'000000000000e03f'", "x'0000803e'", "-1", "'heavy'", "1e999", "'[[[1]]]'" };
    text_add(sql, "%s", values[pick(sizeof values / sizeof *values)]);
}

static void add_vector(struct text *sql)
{
    static const char *const values[] = { "NULL", "'text'", "x''", "x'00'", "x'0000803f'", "x'0000c07f00000000'",
                                          "x'6b0b5e5d6b0b5e5d'", "zeroblob(300000)", "zeroblob(262144)", "12", "x'000000000000803f00'" };
    const unsigned which = pick(16);
    if (which < sizeof values / sizeof *values) text_add(sql, "%s", values[which]);
    else text_add(sql, "x'0000%02x3f0000%02x3e'", 0x80 + pick(64), pick(128));
}

/* One table: its columns, of which the choice may lack one, then its rows. */
static void add_table(struct text *sql, const char *name, const char *const *columns, int ids, int vector)
{
    static const char *const types[] = { "", " INTEGER", " TEXT", " REAL", " BLOB", " INTEGER PRIMARY KEY" };
    const unsigned shape = pick(8), missing = pick(10), first = pick(6);
    int last = 0;
    text_add(sql, "CREATE TABLE %s%s(", shape == 1 ? "t_" : "", name);
    for (int c = 0; columns[c]; c++) {
        if ((unsigned)c == missing) continue;
        text_add(sql, "%s%s%s", last++ ? ", " : "", columns[c], c == 0 ? types[first] : types[pick(5)]);
    }
    text_add(sql, "%s);", last ? "" : "nothing");
    for (unsigned rows = pick(8); rows && last; rows--) {
        text_add(sql, "INSERT OR IGNORE INTO %s%s VALUES (", shape == 1 ? "t_" : "", name);
        for (int c = 0, n = 0; columns[c]; c++) {
            if ((unsigned)c == missing) continue;
            text_add(sql, n++ ? ", " : "");
            if (c < ids) add_id(sql);
            else if (c == vector) add_vector(sql);
            else add_value(sql);
        }
        text_add(sql, ");");
    }
    if (shape == 1) text_add(sql, "CREATE VIEW %s AS SELECT * FROM t_%s%s;", name, name, pick(3) ? "" : " ORDER BY random()");
    if (shape == 2) text_add(sql, "CREATE TRIGGER on_%s AFTER INSERT ON %s BEGIN DELETE FROM %s; END;", name, name, name);
}

static void add_settings(struct text *sql)
{
    static const char *const settings[] = { "'embed', 'lsa'", "'embed', 'http'", "'index', 'flat'", "'bit_width', '1'",
                                            "'embed_command', 'false'", "'top_k_rerank', '4294967295'", "NULL, 'x'", "'retrieve', 'bm25'",
                                            "'compat', 'true'", "'context', 'bfs'", "'x', 'y'", "'edge_types', 'two words'" };
    if (pick(3)) return;
    text_add(sql, "CREATE TABLE assay_settings(key, value);");
    for (unsigned n = pick(4); n; n--) text_add(sql, "INSERT INTO assay_settings VALUES (%s);", settings[pick(12)]);
    text_add(sql, "CREATE TABLE assay_meta(key, value); INSERT INTO assay_meta VALUES ('rp_dim', '%u'), ('rp_documents', '3');"
                  "CREATE TABLE assay_terms(term, documents); INSERT INTO assay_terms VALUES ('two', 1);"
                  "CREATE TABLE assay_lsa(term, row); INSERT INTO assay_lsa VALUES ('two', ", pick(4));
    add_vector(sql);
    text_add(sql, ");");
}

static void make_base(void)
{
    static const char *const entities[] = { "id", "entity_type", "name", "properties", NULL },
                      *const relations[] = { "id", "source_id", "target_id", "rel_type", "weight", NULL },
                      *const vectors[] = { "entity_id", "vector", "dimension", NULL },
                      *const edges[] = { "id", "hyperedge_type", "weight", NULL },
                      *const members[] = { "hyperedge_id", "entity_id", "position", NULL };
    struct text sql = { 0 };
    sqlite3 *db = NULL;
    text_add(&sql, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;");
    add_table(&sql, "kg_entities", entities, 1, -1);
    add_table(&sql, "kg_relations", relations, 3, -1);
    add_table(&sql, "kg_vectors", vectors, 1, 1);
    if (pick(2)) add_table(&sql, "kg_hyperedges", edges, 1, -1), add_table(&sql, "kg_hyperedge_entities", members, 2, -1);
    add_settings(&sql);
    text_add(&sql, "COMMIT");
    static const char *const files[] = { "b.db", "b.db.assay", "b.db.assay-words" };
    for (int i = 0; i < 3; i++) (void)unlink(kb_path(files[i]));
    if (sqlite3_open(kb_path("b.db"), &db) != SQLITE_OK) abort();
    if (sqlite3_exec(db, text_of(&sql), NULL, NULL, NULL) != SQLITE_OK) (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    text_free(&sql);
}

static int run(const uint8_t *bytes, size_t size)
{
    static const char *const kinds[] = { "index=flat", "index=turboquant", "retrieve=hybrid index=flat score=ppr", "retrieve=bm25 expand=ppr",
                                         "retrieve=exact hyperedges=true rerank=memrl", "retrieve=exact edge_types=heavy,7 embed=rp" };
    const float x[3] = { 1, 0.5f, 0 };
    struct answer a;
    struct store *s = NULL;
    if (size < 8) return -1;
    (void)kb_memory_folder();
    at = bytes, end = bytes + size;
    const char *kind = kinds[pick(6)];
    make_base();
    kb_err.text[0] = 0;
    struct pipeline *p = kb_pipeline("b.db", kind);
    if (!p && !kb_err.text[0]) abort(); /* a failure says why */
    for (size_t dim = 1; p && dim <= 3; dim++) {
        const struct question q = { .text = "two words", .vector = x, .dim = dim };
        if (pipeline_query(p, &q, 4, &a, &kb_err) != ERR_OK) continue;
        for (size_t i = 0; i < a.count; i++)
            for (size_t j = 0; j < i; j++)
                if (a.results[i].id == a.results[j].id) abort();
    }
    const struct question text = { .text = "two words" };
    if (p) (void)pipeline_query(p, &text, 2, &a, &kb_err);
    struct text said = { 0 };
    if (p) kb_passed_over(pipeline_kb(p), &said);
    text_free(&said);
    pipeline_close(p);
    if (store_open(&s, kb_path("b.db"), STORE_WRITE, &kb_err) == ERR_OK) {
        if (store_begin(s, &kb_err) == ERR_OK) {
            (void)store_add_entity(s, 3, "t", "n", NULL, &kb_err);
            (void)store_add_vector(s, 3, x, 2, &kb_err);
            store_rollback(s);
        }
        store_close(s);
    }
    return 0;
}

const struct fuzz_target fuzz_base = { .summary = "a base that a stranger made", .run = run, .longest = 600 };
