/* SPDX-License-Identifier: MIT
 * test_strangers.c - bases and side files that others made, or made to harm: what is no row of ours is counted and left
 * out, what cannot be read is named, and nothing is believed that was not checked. */
#include "index/persist.h"
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

#define ENTITIES "CREATE TABLE kg_entities(id, entity_type TEXT, name TEXT, properties TEXT);"
#define RELATIONS "CREATE TABLE kg_relations(id, source_id, target_id, rel_type TEXT, weight, properties TEXT);"
#define VECTORS "CREATE TABLE kg_vectors(entity_id, vector, dimension INTEGER);"
#define ONE "x'0000803f0000000000000000'"
#define TWO "x'000000000000803f00000000'"

static const char *const every_kind[] = { "index=flat", "index=turboquant", "retrieve=hybrid score=ppr expand=ppr",
                                          "retrieve=bm25 context=bfs", "retrieve=exact rerank=memrl hyperedges=true" };

/* Asks with every kind of pipeline; what was passed over. */
static const char *asked(const char *name, size_t results)
{
    static struct text said;
    const float x[3] = { 1, 0, 0 };
    for (size_t i = 0; i < sizeof every_kind / sizeof *every_kind; i++) {
        struct answer a;
        const struct question q = { .text = "one two", .vector = x, .dim = 3 };
        char settings[200];
        snprintf(settings, sizeof settings, "min_combined_score=-9 %s", every_kind[i]);
        struct pipeline *p = kb_pipeline(name, settings);
        CHECK(p && pipeline_query(p, &q, 9, &a, &kb_err) == ERR_OK, "%s, %s: %s", name, every_kind[i], kb_err.text);
        if (!p) continue;
        if (i < 2) CHECK(a.count == results, "%s, %s: %zu results", name, every_kind[i], a.count);
        text_clear(&said);
        kb_passed_over(pipeline_kb(p), &said);
        pipeline_close(p);
    }
    return text_of(&said);
}

/* Without primary keys anything can be an id, and stand anywhere. */
static void odd_ids(void)
{
    kb_sql("ids.db", ENTITIES RELATIONS VECTORS
           "INSERT INTO kg_entities VALUES (1, 't', 'one', '{}'), (1000000000, 't', 'far', '{}'), ('2', 't', 'text', '{}'),"
           "  (2.5, 't', 'real', '{}'), (NULL, 't', 'null', '{}'), (x'03', 't', 'blob', '{}'), (3, 't', 'two', '{}'),"
           "  (3, 't', 'twice', '{}'), (9e99, 't', 'large', '{}'), (-5, NULL, NULL, NULL), (4, 5, x'00ff', 6);"
           "INSERT INTO kg_vectors VALUES (3, " TWO ", 3), (1, " ONE ", 3), ('2', " ONE ", 3), (NULL, " ONE ", 3),"
           "  (3, " ONE ", 3), (2.5, " ONE ", 3), (4, 'text of 12..', 3), (-5, NULL, 3), (77, " ONE ", 3), (1000000000, 7, 3);"
           "INSERT INTO kg_relations VALUES (1, 1, 3, 'r', 1, NULL), (2, '1', 3, 'r', 1, NULL), (NULL, 1, 3, 'r', 1, NULL),"
           "  (4, 1, NULL, 'r', 1, NULL), (5, 3, -5, 7, 'heavy', NULL), (5, 3, 4, NULL, NULL, NULL), (6, 1, 99, 'r', 1, NULL)");
    const char *said = asked("ids.db", 2);
    CHECK(strstr(said, "6 entities") && strstr(said, "7 vectors that are no blobs") && strstr(said, "3 relations of ids") &&
          strstr(said, "1 vectors of no entity") && strstr(said, "1 relations from or to nowhere"), "%s", said);
}

static void views(void)
{
    kb_sql("views.db",
           "CREATE TABLE things(n INTEGER PRIMARY KEY, title TEXT, v BLOB); INSERT INTO things VALUES (1, 'one', " ONE "), (2, 'two', " TWO ");"
           "CREATE VIEW kg_entities AS SELECT n AS id, 't' AS entity_type, title AS name, NULL AS properties FROM things;"
           "CREATE VIEW kg_vectors AS SELECT n AS entity_id, v AS vector FROM things;"
           "CREATE VIEW kg_relations AS SELECT 1 AS id, 1 AS source_id, 2 AS target_id");
    CHECK(*asked("views.db", 2) == 0, "%s", asked("views.db", 2));
    struct store *s = NULL;
    CHECK(store_open(&s, kb_path("views.db"), STORE_WRITE, &kb_err) == ERR_UNSUPPORTED && strstr(kb_err.text, "views"), "%s",
          kb_err.text);
    kb_sql("views.db", "DROP VIEW kg_vectors; CREATE VIEW kg_vectors AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 1 "
                       "FROM r) SELECT x AS entity_id, x'00' AS vector FROM r");
    CHECK(!kb_pipeline("views.db", "") && strstr(kb_err.text, "does not come to an end"), "%s", kb_err.text);
    kb_sql("views.db", "DROP VIEW kg_vectors; CREATE VIEW kg_vectors AS SELECT * FROM missing");
    CHECK(!kb_pipeline("views.db", "") && strstr(kb_err.text, "missing"), "%s", kb_err.text);
}

static void triggers(void)
{
    const float x[4] = { 1, 0, 0, 1 };
    struct store *s = NULL;
    kb_make("triggers.db", 2, 2, x, NULL);
    kb_sql("triggers.db", "CREATE TRIGGER t AFTER INSERT ON kg_entities BEGIN DELETE FROM kg_vectors; END");
    CHECK(store_open(&s, kb_path("triggers.db"), STORE_WRITE, &kb_err) == ERR_UNSUPPORTED && strstr(kb_err.text, "1 triggers"),
          "%s", kb_err.text);
    struct pipeline *p = kb_pipeline("triggers.db", "");
    CHECK(p != NULL, "it may be read: %s", kb_err.text);
    pipeline_close(p);
}

static void columns(void)
{
    kb_sql("few.db", "CREATE TABLE kg_entities(id INTEGER PRIMARY KEY, NAME TEXT); CREATE TABLE kg_relations(source_id, target_id);"
           "CREATE TABLE kg_vectors(entity_id INTEGER PRIMARY KEY, vector BLOB);"
           "INSERT INTO kg_entities VALUES (1, 'one'), (2, 'two'); INSERT INTO kg_relations VALUES (1, 2);"
           "INSERT INTO kg_vectors VALUES (1, " ONE "), (2, " TWO ")");
    CHECK(*asked("few.db", 2) == 0, "%s", asked("few.db", 2));
    kb_sql("fewer.db", ENTITIES RELATIONS "CREATE TABLE kg_vectors(entity_id)");
    CHECK(!kb_pipeline("fewer.db", "") && strstr(kb_err.text, "kg_vectors has no column vector"), "%s", kb_err.text);
}

/* The first vector of a base says how much room all take, unless it is believed too much. */
static void one_large_vector(void)
{
    kb_sql("large.db", ENTITIES RELATIONS VECTORS "INSERT INTO kg_entities VALUES (1, 't', 'one', '{}'), (2, 't', 'two', '{}'), (3, 't', 'three', '{}');"
           "INSERT INTO kg_vectors VALUES (1, zeroblob(20000000), 5000000), (2, " ONE ", 3), (3, " TWO ", 3);"
           "WITH RECURSIVE r(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM r WHERE x < 5000) INSERT INTO kg_vectors SELECT x, " TWO ", 3 FROM r");
    const char *said = asked("large.db", 2);
    CHECK(strstr(said, "1 vectors of another dimension than most"), "%s", said);
    kb_sql("large.db", "UPDATE kg_vectors SET vector = zeroblob(262144) WHERE entity_id = 1"); /* as many as an index takes */
    said = asked("large.db", 2);
    CHECK(strstr(said, "1 vectors of another dimension than most"), "%s", said);
}

/* Tables of ours beside the base that are somebody else's, of other columns, views without end, NULL: as if not there. */
static void other_tables(void)
{
#define WITHOUT_END "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT"
    static const char *const kinds[] = {
        "CREATE TABLE assay_ids(a); CREATE TABLE assay_meta(b); CREATE TABLE assay_settings(c); CREATE TABLE assay_terms(d);"
        "CREATE TABLE assay_lsa(e); CREATE TABLE kg_schema_version(f)",
        "CREATE TABLE assay_ids(entity_id, external_id); INSERT INTO assay_ids VALUES (1, NULL), (NULL, 'x'), (2, x'ff')",
        "CREATE VIEW assay_ids AS " WITHOUT_END " x AS entity_id, x AS external_id FROM r; CREATE VIEW assay_settings AS "
        WITHOUT_END " x AS key, x AS value FROM r; CREATE VIEW kg_schema_version AS " WITHOUT_END " x AS version FROM r",
        "CREATE TABLE kg_schema_version(version); INSERT INTO kg_schema_version VALUES ('abc'), (NULL)",
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char name[16], own[64];
        struct store *s = NULL;
        struct text id = { 0 }, notes = { 0 };
        snprintf(name, sizeof name, "other%zu.db", i);
        kb_sql(name, ENTITIES RELATIONS VECTORS "INSERT INTO kg_entities VALUES (1, 't', 'one', '{}'), (2, 't', 'two', '{}');"
               "INSERT INTO kg_vectors VALUES (1, " ONE ", 3), (2, " TWO ", 3)");
        kb_sql(name, kinds[i]);
        CHECK(*asked(name, 2) == 0, "%s: %s", kinds[i], asked(name, 2));
        CHECK(store_open(&s, kb_path(name), STORE_READ, &kb_err) == ERR_OK && store_id_of(s, 1, &id, &kb_err) == ERR_OK &&
              store_meta(s, "notes", &notes, &kb_err) == ERR_OK, "%s: %s", kinds[i], kb_err.text);
        snprintf(own, sizeof own, "%s", text_of(&id));
        CHECK(strcmp(own, "1") == 0 && notes.size == 0, "%s: '%s'", kinds[i], own);
        text_free(&id);
        store_close(s);
    }
    static const char *const endless[] = { "assay_meta AS " WITHOUT_END " 'k' || x AS key, x AS value FROM r",
                                           "kg_hyperedges AS " WITHOUT_END " x AS id, 'h' AS hyperedge_type, 1 AS weight FROM r" };
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        char name[16], sql[300];
        struct store *s = NULL;
        struct text notes = { 0 };
        snprintf(name, sizeof name, "endless%zu.db", i);
        kb_make(name, 2, 3, (const float[6]){ 1, 0, 0, 0, 1 }, NULL);
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s; CREATE VIEW %s", i ? "kg_hyperedges" : "assay_meta", endless[i]);
        kb_sql(name, sql);
        if (i) CHECK(!kb_pipeline(name, "hyperedges=true") && strstr(kb_err.text, "does not come to an end"), "%s", kb_err.text);
        else CHECK(store_open(&s, kb_path(name), STORE_READ, &kb_err) == ERR_OK && store_meta(s, "none", &notes, &kb_err) != ERR_OK &&
                   strstr(kb_err.text, "does not come to an end"), "%s", kb_err.text);
        store_close(s);
    }
}

/* Names that SQLite takes for something else. */
static void names(void)
{
    static const char *const odd[] = { ":memory:", "file:x?mode=memory", "file::memory:", "file:here.db" };
    const float x[4] = { 1, 0, 0, 1 };
    char here[1024];
    CHECK(getcwd(here, sizeof here) && chdir(kb_folder) == 0, "%s", kb_folder);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct store *s = NULL;
        struct pipeline *p = NULL;
        struct answer a;
        CHECK(store_open(&s, odd[i], STORE_CREATE, &kb_err) == ERR_OK && store_add_entity(s, 7, "t", "n", NULL, &kb_err) == ERR_OK &&
              store_add_vector(s, 7, x, 4, &kb_err) == ERR_OK && store_commit(s, &kb_err) == ERR_OK, "%s: %s", odd[i], kb_err.text);
        store_close(s);
        CHECK(access(odd[i], R_OK) == 0, "%s is no file", odd[i]);
        CHECK(pipeline_open(&p, odd[i], NULL, 0, NULL, &kb_err) == ERR_OK && kb_ask(p, x, 4, 1, &a) == ERR_OK && a.count == 1,
              "%s: %s", odd[i], kb_err.text);
        pipeline_close(p);
        (void)unlink(odd[i]);
    }
    CHECK(chdir(here) == 0, "%s", here);
}

/* --- side files that were forged ------------------------------------------------------------------- */

static void save_forged(const char *settings, int count, void (*forge)(unsigned char *bytes, size_t size), int spared)
{
    const char *path = kb_path("forged.db.assay");
    const float x[3] = { 1, 0, 0 };
    static float rows[600][3];
    struct answer a;
    for (int i = 0; i < count; i++) rows[i][0] = (float)(count - i), rows[i][1] = (float)i, rows[i][2] = (float)(i % 3);
    kb_make("forged.db", (size_t)count, 3, rows[0], NULL);
    (void)unlink(path);
    pipeline_close(kb_pipeline("forged.db", settings));
    unsigned char *bytes = NULL;
    size_t size = 0;
    CHECK(mem_read_file(&bytes, &size, path, &kb_err) == ERR_OK && size > 64, "%s", kb_err.text);
    if (!bytes) return;
    forge(bytes, size);
    const uint32_t crc = crc32_of(0, bytes, size - 4);
    memcpy(bytes + size - 4, &crc, sizeof crc);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "%s", path);
    mem_free(bytes);
    struct pipeline *p = kb_pipeline("forged.db", settings);
    CHECK(p && pipeline_cache(p)->source == (spared ? CACHE_LOADED : CACHE_BUILT), "%s: %d", settings,
          p ? (int)pipeline_cache(p)->source : -1);
    CHECK(p && kb_ask(p, x, 3, 20, &a) == ERR_OK && a.count && a.results[0].id == 1, "%s: %s", settings, kb_err.text);
    pipeline_close(p);
}

static void not_at_all(unsigned char *bytes, size_t size) { (void)bytes, (void)size; }

/* What follows the section of that tag, which begins a block of 64 bytes. */
static unsigned char *section(unsigned char *bytes, size_t size, const char *tag)
{
    for (size_t at = 64; at + 64 < size; at += 64)
        if (strncmp((const char *)bytes + at, tag, 8) == 0) return bytes + at + 64;
    return NULL;
}

static const char *forged_section;

static void other_bytes(unsigned char *bytes, size_t size)
{
    unsigned char *at = section(bytes, size, forged_section);
    CHECK(at != NULL, "no section %s", forged_section);
    if (at) at[0] ^= 0x41, at[5] ^= 1;
}

/* A byte of the row of every node of a graph. */
static void other_nodes(unsigned char *bytes, size_t size)
{
    const unsigned char *graph = section(bytes, size, "graph");
    unsigned char *at = section(bytes, size, "nodes");
    uint64_t shape[2] = { 0 }; /* nodes, and bytes of one */
    CHECK(graph && at, "a graph");
    if (graph && at) memcpy(shape, graph, sizeof shape);
    CHECK(shape[0] == 600, "%llu nodes", (unsigned long long)shape[0]);
    for (uint64_t i = 0; i < shape[0]; i++) at[i * shape[1] + 64] ^= 0x41;
}

static void forged_indexes(void)
{
    static const struct { const char *settings, *section; } all[] = {
        { "index=flat", "rows" }, { "index=turboquant bit_width=1", "codes" }, { "index=turboquant bit_width=1", "weights" },
        { "index=turboquant:layout=split,bits=3", "errors" }, { "index=turboquant:layout=split,bits=3", "signs" },
        { "index=sq", "codes" }, { "index=ivf:nlist=2", "ids" }, { "index=flat", "ids" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        forged_section = all[i].section;
        save_forged(all[i].settings, 20, not_at_all, 1);
        save_forged(all[i].settings, 20, other_bytes, 0);
    }
    save_forged("index=turboquant", 20, not_at_all, 1);
    save_forged("index=pq:m=3", 20, not_at_all, 1);
    save_forged("index=ivf:nlist=2", 20, not_at_all, 1);
    save_forged("index=symqg", 600, not_at_all, 1); /* a graph */
    save_forged("index=symqg", 600, other_nodes, 0);
    save_forged("index=symqg:layout=once", 600, other_nodes, 0);
    save_forged("index=symqg", 20, not_at_all, 1); /* rows that are scanned */
}

/* A pipe in the place of a file would be waited for. */
static void pipes(void)
{
    const float x[2] = { 1, 0 };
    char setting[400];
    struct answer a;
    kb_make("pipe.db", 1, 2, x, NULL);
    CHECK(mkfifo(kb_path("pipe"), 0600) == 0 && mkfifo(kb_path("pipe.db.assay"), 0600) == 0 &&
          mkfifo(kb_path("pipe.db.assay-words"), 0600) == 0, "pipes");
    struct pipeline *p = kb_pipeline("pipe.db", "retrieve=hybrid");
    CHECK(p && kb_ask(p, x, 2, 1, &a) == ERR_OK, "beside a base: %s", kb_err.text);
    pipeline_close(p);
    static const char *const keys[] = { "retrieve=replay replay_file", "rerank=memrl utility_file", "embed=file embed_file" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(setting, sizeof setting, "%s=%s", keys[i], kb_path("pipe"));
        CHECK(!kb_pipeline("pipe.db", setting) && strstr(kb_err.text, "not a regular file"), "%s: %s", setting, kb_err.text);
    }
    CHECK(!kb_pipeline("pipe", "") && strstr(kb_err.text, "not a regular file"), "%s", kb_err.text);
}

/* The engine takes a vector of no entity for a candidate like any other: of the two that pass top_k_rerank it is one, it
 * counts in the pool (1, 9 and the neighbour 3: P - 1 = 2), and is dropped when entities are looked up.  By hand, with
 * cosines 1, .8, .6, 0: entity 1 has .6 x 1 + .4 x 1/2, entity 3 .6 x 0 + .4 x 1/2. */
static void orphans_of_the_engine(void)
{
    static const float x[3][2] = { { 1, 0 }, { 0.6f, 0.8f }, { 0, 1 } }, q[2] = { 1, 0 }, at_orphan[2] = { 0.8f, 0.6f };
    static const struct kb_edge edges[] = { { 1, 3 }, { 0, 0 } };
    const char *const ways[] = { "index=flat", "retrieve=exact" };
    struct answer a;
    kb_make("orphan.db", 3, 2, x[0], edges);
    kb_sql("orphan.db", "PRAGMA foreign_keys = OFF; INSERT INTO kg_vectors (entity_id, vector, dimension) "
                        "VALUES (9, x'cdcc4c3f9a99193f', 2); INSERT INTO kg_relations (source_id, target_id, rel_type, weight) "
                        "VALUES (9, 2, 'x', 1), (2, 9, 'x', 1)");
    for (size_t i = 0; i < 2; i++) {
        char settings[100];
        snprintf(settings, sizeof settings, "%s compat=1 top_k_rerank=2", ways[i]);
        struct pipeline *p = kb_pipeline("orphan.db", settings);
        CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == 2 && a.candidate_count == 4 && a.filtered == 0, "%s: %zu of %zu",
              kb_err.text, a.count, a.candidate_count);
        if (!p) return;
        CHECK(a.results[0].id == 1 && fabs(a.results[0].graph_score - 0.5) < 1e-9 && fabs(a.results[0].combined_score - 0.8) < 1e-6,
              "%lld %g", (long long)a.results[0].id, a.results[0].combined_score);
        CHECK(a.results[1].id == 3 && fabs(a.results[1].combined_score - 0.2) < 1e-6, "%lld %g", (long long)a.results[1].id,
              a.results[1].combined_score);
        CHECK(kb_ask(p, at_orphan, 2, 1, &a) == ERR_OK && a.count == 1 && a.results[0].id != 9, "dropped before the cut to k: %zu",
              a.count);
        struct text said = { 0 };
        kb_passed_over(pipeline_kb(p), &said);
        CHECK(strstr(text_of(&said), "1 vectors of no entity, which take places and are no answers") &&
              strstr(text_of(&said), "2 relations from or to nowhere"), "%s", text_of(&said));
        text_free(&said);
        CHECK(pipeline_feedback(p, &(int64_t){ 9 }, 1, 1, &kb_err) == ERR_NOT_FOUND, "feedback for no entity");
        const char *const off[] = { ways[i], "compat=0", "top_k_rerank=2" };
        CHECK(pipeline_change(p, off, 3, &kb_err) == ERR_OK && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == 3 &&
              a.candidate_count == 3 && a.results[1].id == 2, "without compat: %zu of %zu", a.count, a.candidate_count);
        pipeline_close(p);
    }
    struct pipeline *p = kb_pipeline("orphan.db", "compat=1 retrieve=bm25"); /* words are of entities */
    CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && pipeline_kb(p)->graph.absent_count == 0, "%s", kb_err.text);
    pipeline_close(p);
}

int main(void)
{
    (void)kb_memory_folder();
    test_case("ids of any type, anywhere", odd_ids);
    test_case("views for tables", views);
    test_case("triggers", triggers);
    test_case("missing columns", columns);
    test_case("tables of ours that are not", other_tables);
    test_case("one large vector", one_large_vector);
    test_case("names that are more than names", names);
    test_case("forged index files", forged_indexes);
    test_case("pipes for files", pipes);
    test_case("compat=1: vectors of no entity, as in the engine", orphans_of_the_engine);
    return kb_end();
}
