/* SPDX-License-Identifier: MIT
 * test_live.c - a base that another process changes: what is loaded again is loaded as a whole or not at all, and answers
 * are then those of a fresh pipeline.  Meant for ASan and TSan too. */
#include "pipeline/check_kb.h"
#include "kernels/base/faults.h"
#include "pipeline/kb.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum { DIM = 8 };

static void make(const char *name, size_t count)
{
    static float x[64 * DIM];
    struct kb_edge edges[64] = { { 0, 0 } };
    for (size_t i = 0; i < count * DIM; i++) x[i] = (float)(test_rand() % 1000) / 500 - 1;
    for (size_t i = 0; i + 1 < count; i++) edges[i] = (struct kb_edge){ 1, (int64_t)i + 2 };
    kb_make(name, count, DIM, x, edges);
}

/* What every kind of pipeline must agree on with a fresh one. */
static const char *const kinds[] = {
    "index=flat",
    "index=turboquant bit_width=3",
    "retrieve=hybrid index=flat expand=ppr score=ppr",
    "retrieve=bm25 calibration=percentile score=degree",
    "retrieve=exact rerank=memrl context=bfs",
    "index=ivf:nlist=2 expand=none",
    "retrieve=exact hyperedges=true score=max_neighbour",
};

static struct pipeline *open_kind(const char *name, size_t kind)
{
    char settings[200];
    snprintf(settings, sizeof settings, "min_combined_score=-9 %s", kinds[kind]);
    return kb_pipeline(name, settings);
}

static size_t said(struct pipeline *p, struct text *out)
{
    float x[DIM] = { 1 };
    struct answer a = { 0 };
    text_clear(out);
    const struct question q = { .text = "entity", .vector = x, .dim = DIM };
    if (!p || pipeline_query(p, &q, 5, &a, &kb_err) != ERR_OK) return text_add(out, "%s", kb_err.text), 0;
    for (size_t i = 0; i < a.count; i++) {
        text_add(out, "%lld %.9g %s:", (long long)a.results[i].id, a.results[i].combined_score, a.results[i].entity.name);
        for (size_t c = 0; c < a.results[i].context_count; c++) text_add(out, " %lld", (long long)a.results[i].context[c]);
        text_add(out, "\n");
    }
    return a.count ? a.results[0].context_count : 0;
}

static void growth(char sql[600])
{
    const long long id = 1000 + (long long)(test_rand() % 1000000);
    snprintf(sql, 600,
             "INSERT OR IGNORE INTO kg_entities (id, entity_type, name) VALUES (%lld, 'doc', 'entity %lld');"
             "INSERT OR IGNORE INTO kg_vectors (entity_id, vector, dimension, created_at) "
             "SELECT %lld, vector, dimension, 0 FROM kg_vectors ORDER BY entity_id LIMIT 1;"
             "INSERT INTO kg_relations (source_id, target_id, rel_type, weight, created_at) VALUES "
             "(1, %lld, 'r', 1, 0);", id, id, id, id);
}

static void grow(const char *name, size_t by)
{
    char sql[600];
    for (size_t i = 0; i < by; i++) {
        growth(sql);
        kb_sql(name, sql);
    }
}

static void like_a_fresh_one(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct text before = { 0 }, after = { 0 };
        make("fresh.db", 2);
        struct pipeline *p = open_kind("fresh.db", i);
        CHECK(p && said(p, &before) == 1, "%s: %s", kinds[i], text_of(&before));
        for (int round = 0; round < 3; round++) {
            grow("fresh.db", 4);
            const size_t context = said(p, &before);
            struct pipeline *fresh = open_kind("fresh.db", i);
            (void)said(fresh, &after);
            CHECK(context >= 4 && strcmp(text_of(&before), text_of(&after)) == 0, "%s: %s, and fresh: %s", kinds[i],
                  text_of(&before), text_of(&after));
            pipeline_close(fresh);
        }
        pipeline_close(p);
        text_free(&before);
        text_free(&after);
    }
}

/* A reload that fails at any of its allocations leaves what was there, and the next one that does not is whole. */
static void all_or_nothing(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct text want = { 0 }, got = { 0 };
        int failed = 0;
        make("half.db", 6);
        struct pipeline *p = open_kind("half.db", i);
        for (long n = 1; n < 200; n += 1 + n / 12) {
            grow("half.db", 1);
            fault_after(FAULT_MEMORY, n, ENOMEM);
            const int status = pipeline_refresh(p, &kb_err);
            fault_after(FAULT_NONE, 0, 0);
            failed += status != ERR_OK;
            CHECK(status == ERR_OK || pipeline_kb(p)->graph.count >= 6, "%s", kb_err.text);
        }
        CHECK(failed > 5, "%s: %d reloads failed", kinds[i], failed);
        (void)said(p, &got);
        struct pipeline *fresh = open_kind("half.db", i);
        (void)said(fresh, &want);
        CHECK(strcmp(text_of(&got), text_of(&want)) == 0, "%s: %s, and fresh: %s", kinds[i], text_of(&got), text_of(&want));
        pipeline_close(fresh);
        pipeline_close(p);
        text_free(&want);
        text_free(&got);
    }
}

#define TWICE "x'0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f' || " \
              "x'0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f'"

/* The vectors, and the rows that texts are embedded by, are of another dimension from now on: for a while of neither. */
static void another_dimension(const char *embed, const char *table)
{
    char settings[100], sql[700];
    struct answer a;
    const struct question q = { .text = "alpha" };
    make("dim.db", 4);
    snprintf(sql, sizeof sql, "CREATE TABLE assay_meta (key TEXT PRIMARY KEY, value TEXT);"
             "INSERT INTO assay_meta VALUES ('rp_dim', '8'), ('rp_seed', '1'), ('rp_documents', '4'), ('lsa_dim', '8');"
             "CREATE TABLE assay_terms (term TEXT PRIMARY KEY, documents INTEGER); INSERT INTO assay_terms VALUES ('alpha', 1);"
             "CREATE TABLE assay_lsa (term TEXT PRIMARY KEY, row BLOB);"
             "INSERT INTO assay_lsa SELECT 'alpha', vector FROM kg_vectors WHERE entity_id = 1");
    kb_sql("dim.db", sql);
    snprintf(settings, sizeof settings, "index=flat embed=%s", embed);
    struct pipeline *p = kb_pipeline("dim.db", settings);
    CHECK(p && pipeline_query(p, &q, 2, &a, &kb_err) == ERR_OK, "%s: %s", embed, kb_err.text);
    kb_sql("dim.db", "UPDATE kg_vectors SET dimension = 16, vector = CAST(" TWICE " AS BLOB)");
    for (int i = 0; p && i < 3; i++) {
        const int status = pipeline_query(p, &q, 2, &a, &kb_err);
        CHECK(status == ERR_FORMAT, "%s: %d %s", embed, status, kb_err.text);
    }
    snprintf(sql, sizeof sql, "UPDATE assay_lsa SET row = CAST(" TWICE " AS BLOB); UPDATE assay_meta SET value = '16' WHERE key LIKE '%%_dim'");
    kb_sql("dim.db", sql);
    CHECK(p && pipeline_query(p, &q, 2, &a, &kb_err) == ERR_OK && a.count == 2, "%s of %s: %s", embed, table, kb_err.text);
    kb_sql("dim.db", "DROP TABLE kg_vectors"); /* no base at all, for a while */
    for (int i = 0; p && i < 2; i++) CHECK(pipeline_query(p, &q, 2, &a, &kb_err) != ERR_OK, "%s", embed);
    pipeline_close(p);
}

static void other_dimensions(void)
{
    another_dimension("lsa", "assay_lsa");
    another_dimension("rp", "assay_meta");
}

static void held(void)
{
    struct pipeline *twin = NULL;
    struct answer a;
    float x[DIM] = { 1 };
    make("held.db", 6);
    struct pipeline *p = kb_pipeline("held.db", "index=flat");
    pipeline_hold(p);
    CHECK(kb_ask(p, x, DIM, 3, &a) == ERR_OK, "%s", kb_err.text);
    CHECK(pipeline_share(&twin, p, &kb_err) == ERR_OK, "%s", kb_err.text);
    grow("held.db", 1);
    for (int i = 0; i < 2; i++) {
        CHECK(kb_ask(p, x, DIM, 3, &a) == ERR_BUSY && strstr(kb_err.text, "changed while it was measured"), "%s", kb_err.text);
        CHECK(kb_ask(twin, x, DIM, 3, &a) == ERR_BUSY, "%s", kb_err.text);
    }
    const char *const one[] = { "index=flat", "expand=none" };
    CHECK(pipeline_change(p, one, 2, &kb_err) == ERR_BUSY, "%s", kb_err.text);
    CHECK(kb_ask(p, x, DIM, 3, &a) == ERR_BUSY, "and still closes: %s", kb_err.text);
    pipeline_close(twin);
    pipeline_close(p);
}

/* --- readers beside a writer ------------------------------------------------------------------------ */

static atomic_int done;

static void *reader(void *of)
{
    struct pipeline *p = of;
    float x[DIM] = { 1 };
    size_t answers = 0;
    while (!atomic_load(&done)) {
        struct answer a;
        struct err e;
        const struct question q = { .text = "entity 1", .vector = x, .dim = DIM };
        const int status = pipeline_query(p, &q, 5, &a, &e);
        if (status == ERR_OK && a.count == 5 && a.results[0].entity.name[0] == 'e') answers++;
        else if (status != ERR_BUSY) return NULL;
    }
    return (void *)(uintptr_t)(answers + 1);
}

static void write_always(const char *name)
{
    sqlite3 *db = NULL;
    char sql[600];
    if (sqlite3_open(kb_path(name), &db) != SQLITE_OK) _exit(1);
    sqlite3_busy_timeout(db, 10000);
    for (int i = 0;; i++) {
        growth(sql);
        (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
        if (i % 7 == 6)
            (void)sqlite3_exec(db, "BEGIN; DELETE FROM kg_vectors WHERE entity_id > 10; DELETE FROM kg_relations WHERE "
                                   "target_id > 10; DELETE FROM kg_entities WHERE id > 10; COMMIT", NULL, NULL, NULL);
    }
}

/* A process that writes, and a reader for each kind. */
static void beside_a_writer(void)
{
    enum { READERS = 4 };
    pthread_t threads[READERS];
    struct pipeline *p[READERS] = { NULL };
    make("busy.db", 6);
    for (int i = 0; i < READERS; i++) p[i] = open_kind("busy.db", (size_t)i);
    fflush(NULL);
    const pid_t writer = fork();
    if (writer == 0) {
        alarm(30);
        write_always("busy.db");
    }
    atomic_store(&done, 0);
    for (int i = 0; i < READERS; i++) CHECK(pthread_create(&threads[i], NULL, reader, p[i]) == 0, "a thread");
    nanosleep(&(struct timespec){ 1, 0 }, NULL);
    atomic_store(&done, 1);
    for (int i = 0; i < READERS; i++) {
        void *answers = NULL;
        pthread_join(threads[i], &answers);
        CHECK((uintptr_t)answers > 1, "%s: no answer, or a bad one", kinds[i]);
        pipeline_close(p[i]);
    }
    if (writer > 0) kill(writer, SIGKILL), waitpid(writer, NULL, 0);
}

int main(void)
{
    (void)kb_memory_folder();
    test_case("as a fresh pipeline", like_a_fresh_one);
    test_case("all of a reload or nothing", all_or_nothing);
    test_case("another dimension", other_dimensions);
    test_case("held", held);
    test_case("beside a writer", beside_a_writer);
    return kb_end();
}
