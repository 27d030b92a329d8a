/* SPDX-License-Identifier: MIT
 * test_extension.c - assay.so, loaded into SQLite and asked in SQL. */
#include "pipeline/check_kb.h"
#include <libgen.h>
#include <locale.h>
#include <signal.h>

static sqlite3 *db;

static int attach(const char *name)
{
    char self[512] = { 0 }, library[600];
    char *why = NULL;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 0;
    snprintf(library, sizeof library, "%s/../assay.so", dirname(self)); /* build/.../pipeline/test_extension */
    if (sqlite3_open(name ? kb_path(name) : ":memory:", &db) != SQLITE_OK) return 0;
    sqlite3_enable_load_extension(db, 1);
    const int rc = access(library, R_OK) == 0 ? sqlite3_load_extension(db, library, NULL, &why) : SQLITE_CANTOPEN;
    CHECK(rc == SQLITE_OK, "%s: %s", library, why);
    sqlite3_free(why);
    return rc == SQLITE_OK;
}

/* All rows of a query: values joined by ' ', rows by '|'; or the error. */
static const char *ask(const char *sql)
{
    static char said[4096];
    sqlite3_stmt *st = NULL;
    size_t used = 0;
    said[0] = 0;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st) && used < sizeof said - 100; i++)
            used += (size_t)snprintf(said + used, 100, "%s%s", i ? " " : used ? "|" : "", sqlite3_column_text(st, i));
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) snprintf(said, sizeof said, "%s", sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return said;
}

#define SAYS(sql, want) do { const char *got = ask(sql); CHECK(strcmp(got, want) == 0, "%s: %s", sql, got); } while (0)
#define REFUSES(sql, word) do { const char *got = ask(sql); CHECK(strstr(got, word), "%s: %s", sql, got); } while (0)

static void base_functions(void)
{
    const float x[6][2] = { { 1, 0 }, { 0, 1 }, { 0.6f, 0.8f }, { -1, 0 }, { 0.8f, 0.6f }, { 0, 0 } };
    const struct kb_edge edges[] = { { 1, 2 }, { 3, 1 }, { 2, 4 }, { 1, 2 }, { 6, 6 }, { 0, 0 } };
    kb_make("sql.db", 6, 2, x[0], edges);
    if (!attach("sql.db")) return;
    REFUSES("SELECT kg_version()", "assay");
    SAYS("SELECT kg_cosine_similarity(a.vector, b.vector) FROM kg_vectors a, kg_vectors b WHERE a.entity_id = 1 AND b.entity_id = 4",
         "-1.0");
    SAYS("SELECT kg_cosine_similarity(x'0000803f', x'0000803f0000803f')", "0.0");
    SAYS("SELECT kg_cosine_similarity(vector, vector) FROM kg_vectors WHERE entity_id = 6", "0.0");
    REFUSES("SELECT kg_cosine_similarity('a', NULL)", "blobs");
    SAYS("SELECT kg_stats() ->> 'entities', kg_stats() ->> 'relations', kg_stats() ->> 'vectors'", "6 5 6");
    SAYS("SELECT entity_id, relation_id FROM kg_neighbors(1)", "2 1|3 2");
    SAYS("SELECT entity_id FROM kg_neighbors(1, 2)", "2|3|4");
    SAYS("SELECT entity_id FROM kg_neighbors(5, 3)", "");
    SAYS("SELECT count(*) FROM kg_neighbors(99, 0)", "0"); /* the engine does not look whether it exists */
    SAYS("SELECT count(*) FROM kg_neighbors(1, 0)", "0");
    REFUSES("SELECT * FROM kg_neighbors(99, 6)", "depth=6"); /* the depth comes first there too */
    SAYS("SELECT * FROM kg_bfs(3, 3)", "3 0|1 1|2 2|4 3");
    SAYS("SELECT entity_id FROM kg_shortest_path(3, 4)", "3|1|2|4");
    SAYS("SELECT entity_id FROM kg_shortest_path(3, 3)", "3");
    SAYS("SELECT entity_id FROM kg_shortest_path(3, 5)", "");
    SAYS("SELECT component, count(*) FROM kg_connected_components() GROUP BY 1", "1 4|5 1|6 1");
    SAYS("SELECT round(sum(score), 6), count(*) FROM kg_pagerank()", "1.0 5");
    SAYS("SELECT entity_id FROM kg_pagerank(0.5) ORDER BY score DESC LIMIT 1", "6"); /* it keeps its own mass */
    SAYS("SELECT e.name FROM kg_neighbors(1) n JOIN kg_entities e ON e.id = n.entity_id", "entity 2|entity 3");
    SAYS("SELECT a.id, n.entity_id FROM kg_entities a, kg_neighbors(a.id, 1) n WHERE a.id > 2 ORDER BY 1", "3 1|4 2");
    REFUSES("SELECT * FROM kg_neighbors(99)", "no entity 99");
    REFUSES("SELECT * FROM kg_neighbors(1, 9)", "depth=9");
    REFUSES("SELECT * FROM kg_neighbors()", "needs 1 argument");
    REFUSES("SELECT * FROM kg_pagerank(2)", "damping");
    sqlite3_close(db);
}

/* Entities by what the user calls them; the table of that joins with what comes out. */
static void text_ids(void)
{
    const float x[3][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 } };
    const struct kb_edge edges[] = { { 1, 2 }, { 2, 3 }, { 0, 0 } };
    static const char *const names[] = { "3", "doc-2", "1" }; /* texts that are other entities' numbers */
    struct store *s = NULL;
    kb_make("names.db", 3, 2, x[0], edges);
    CHECK(store_open(&s, kb_path("names.db"), STORE_WRITE, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 0; s && i < 3; i++) CHECK(store_set_id(s, i + 1, names[i], &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(s && store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
    if (!attach("names.db")) return;
    SAYS("SELECT entity_id, external_id FROM kg_search(x'0000803f00000000', 1)", "1 3");
    SAYS("SELECT external_id FROM kg_neighbors('doc-2') JOIN assay_ids USING (entity_id)", "1|3");
    SAYS("SELECT entity_id FROM kg_neighbors('1')", "2"); /* entity 3's */
    SAYS("SELECT relation_id FROM kg_neighbors('1')", "2");
    SAYS("SELECT relation_id FROM kg_neighbors(1)", "1");
    SAYS("SELECT * FROM kg_bfs('3', 1)", "1 0|2 1");
    SAYS("SELECT entity_id FROM kg_shortest_path('3', '1')", "1|2|3");
    REFUSES("SELECT * FROM kg_shortest_path('doc-2', 'doc-7')", "target='doc-7': no entity has this id");
    sqlite3_close(db);
}

/* SQL checks the number of arguments only: what else may arrive is refused by name. */
static void wrong_arguments(void)
{
    static const struct { const char *sql, *says; } bad[] = {
        { "SELECT kg_version(1)", "wrong number of arguments" },
        { "SELECT kg_stats(1)", "wrong number of arguments" },
        { "SELECT kg_cosine_similarity(x'00')", "wrong number of arguments" },
        { "SELECT kg_cosine_similarity(1, 2)", "blobs" },
        { "SELECT kg_cosine_similarity(NULL, x'00000000')", "blobs" },
        { "SELECT * FROM kg_search(NULL, 2)", "blob" },
        { "SELECT * FROM kg_search(x'', 2)", "0 dimensions" },
        { "SELECT * FROM kg_search(x'0000c07f00000000', 2)", "not finite" },
        { "SELECT * FROM kg_search(x'0000803f00000000', 'ten')", "k='ten' is not a number" },
        { "SELECT * FROM kg_search(x'0000803f00000000', NULL)", "k is NULL" },
        { "SELECT * FROM kg_search(x'0000803f00000000', 2.5)", "k=2.5 is not a whole number" },
        { "SELECT * FROM kg_search(x'0000803f00000000', -1)", "k=-1" },
        { "SELECT * FROM kg_search(x'0000803f00000000', 2, 3)", "too many arguments" },
        { "SELECT * FROM kg_neighbors('cat')", "start='cat': no entity has this id" },
        { "SELECT * FROM kg_neighbors(NULL)", "start is NULL" },
        { "SELECT * FROM kg_neighbors(1, 'deep')", "depth='deep'" },
        { "SELECT * FROM kg_neighbors(1, -1)", "depth=-1 outside 0..5" },
        { "SELECT * FROM kg_neighbors(9223372036854775807)", "no entity 9223372036854775807" },
        { "SELECT * FROM kg_bfs()", "needs 1 argument" },
        { "SELECT * FROM kg_bfs(1, 6)", "depth=6 outside 0..5" },
        { "SELECT * FROM kg_bfs(x'31')", "start=" },
        { "SELECT * FROM kg_shortest_path(1)", "needs 2 arguments" },
        { "SELECT * FROM kg_shortest_path(1, 77)", "no entity 77" },
        { "SELECT * FROM kg_shortest_path(77, 1)", "no entity 77" },
        { "SELECT * FROM kg_shortest_path('a', 1)", "source='a': no entity has this id" },
        { "SELECT * FROM kg_pagerank('much')", "damping='much'" },
        { "SELECT * FROM kg_pagerank(-0.1)", "damping=-0.1: at least 0" },
        { "SELECT * FROM kg_pagerank(1)", "damping=1: at least 0 and less than 1" },
        { "SELECT * FROM kg_connected_components(1)", "too many arguments" },
        { "INSERT INTO kg_neighbors VALUES (1, 2)", "may not be modified" },
    };
    if (!attach("sql.db")) return;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) REFUSES(bad[i].sql, bad[i].says);
    SAYS("SELECT entity_id FROM kg_neighbors('1', 2.0)", "2|3|4"); /* numbers all the same */
    SAYS("SELECT count(*) FROM kg_search(x'0000803f00000000', 1000000)", "5");
    SAYS("SELECT * FROM kg_bfs(6, 0)", "6 0");
    sqlite3_close(db);
    /* No knowledge base at all. */
    kb_sql("other.db", "CREATE TABLE t (x)");
    if (!attach("other.db")) return;
    REFUSES("SELECT kg_stats()", "other.db");
    REFUSES("SELECT * FROM kg_search(x'00000000', 1)", "other.db");
    REFUSES("SELECT * FROM kg_pagerank()", "other.db");
    SAYS("SELECT kg_cosine_similarity(x'0000803f', x'0000803f')", "1.0");
    sqlite3_close(db);
}

static void search(void)
{
    if (!attach("sql.db")) return;
    SAYS("SELECT entity_id, name, round(vector_score, 3), context FROM kg_search(x'0000803f00000000', 2)",
         "1 entity 1 1.0 [2,3,4]|5 entity 5 0.8 []");
    SAYS("SELECT count(*) FROM kg_search((SELECT vector FROM kg_vectors WHERE entity_id = 3))", "5");
    REFUSES("SELECT * FROM kg_search('cat', 2)", "blob");
    REFUSES("SELECT * FROM kg_search(x'0000803f', 2)", "1 dimensions");
    REFUSES("SELECT * FROM kg_search(x'0000803f00000000', 0)", "k=0");
    REFUSES("SELECT * FROM kg_search()", "needs");
    /* What this connection commits is seen by the next call. */
    SAYS("UPDATE kg_vectors SET vector = x'0000803f00000000' WHERE entity_id = 5", "");
    SAYS("SELECT entity_id FROM kg_search(x'0000803f00000000', 2) WHERE vector_score > 0.99 ORDER BY 1", "1|5");
    sqlite3_close(db);
    if (!attach(NULL)) return;
    REFUSES("SELECT kg_stats()", "in memory");
    REFUSES("SELECT * FROM kg_neighbors(1)", "in memory");
    sqlite3_close(db);
}

/* The program that loads us may write numbers with a comma. */
static void other_locale(void)
{
    char command[400];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de 2>/dev/null", kb_folder);
    if (system(command) != 0 || setenv("LOCPATH", kb_folder, 1) != 0 || !setlocale(LC_ALL, "de")) SKIP("needs localedef and de_DE");
    CHECK(strtod("0,5", NULL) == 0.5, "a locale with a comma");
    if (!attach("sql.db")) return;
    const char *found = ask("SELECT count(*) FROM kg_search(x'0000803f00000000', 3)");
    CHECK(strcmp(found, "3") == 0, "%s", found);
    found = ask("SELECT count(*) > 4 FROM kg_pagerank(0.5)");
    CHECK(strcmp(found, "1") == 0, "%s", found);
    found = ask("SELECT kg_stats() LIKE '{\"entities\"%'");
    CHECK(strcmp(found, "1") == 0, "%s", found);
    sqlite3_close(db);
    struct answer a;
    struct pipeline *p = kb_pipeline("sql.db", "embed=fixed embed_vector=0.5,0.25 vector_weight=0.75 index=turboquant:eps0=1.5");
    CHECK(p && kb_ask(p, NULL, 0, 2, &a) == ERR_OK, "%s", kb_err.text);
    pipeline_close(p);
    setlocale(LC_ALL, "C");
}

/* Another process commits all the time. */
static void beside_a_writer(void)
{
    fflush(NULL);
    const pid_t writer = fork();
    if (writer == 0) {
        sqlite3 *own = NULL;
        char add[500];
        alarm(30);
        if (sqlite3_open(kb_path("sql.db"), &own) != SQLITE_OK) _exit(1);
        sqlite3_busy_timeout(own, 10000);
        for (int i = 100;; i++) {
            snprintf(add, sizeof add, "INSERT INTO kg_entities (id, entity_type, name) VALUES (%d, 't', 'new');"
                     "INSERT INTO kg_vectors SELECT %d, vector, dimension, 0 FROM kg_vectors LIMIT 1;"
                     "INSERT INTO kg_relations (source_id, target_id, rel_type, weight, created_at) VALUES (1, %d, 'r', 1, 0);"
                     "DELETE FROM kg_vectors WHERE entity_id < %d AND entity_id > 99;", i, i, i, i - 5);
            (void)sqlite3_exec(own, add, NULL, NULL, NULL);
        }
    }
    if (!attach("sql.db")) return;
    for (int i = 0; i < 60; i++) {
        const char *found = ask("SELECT count(*) > 4 FROM kg_search(x'0000803f00000000', 10)");
        CHECK(strcmp(found, "1") == 0 || strstr(found, "locked"), "%s", found);
        found = ask("SELECT count(*) > 2 FROM kg_bfs(1, 2)");
        CHECK(strcmp(found, "1") == 0 || strstr(found, "locked"), "%s", found);
        found = ask("SELECT sum(score) > 0.9 FROM kg_pagerank(0.5)");
        CHECK(strcmp(found, "1") == 0 || strstr(found, "locked"), "%s", found);
    }
    sqlite3_close(db);
    if (writer > 0) kill(writer, SIGKILL), waitpid(writer, NULL, 0);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    test_case("functions of a base", base_functions);
    test_case("entities by ids of text", text_ids);
    test_case("wrong arguments are named", wrong_arguments);
    test_case("kg_search", search);
    test_case("in another locale", other_locale);
    test_case("beside a writer", beside_a_writer);
    return kb_end();
}
