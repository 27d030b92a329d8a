/* SPDX-License-Identifier: MIT
 * test_threads.c - many readers over one loaded base (run it under ThreadSanitizer: MODE=tsan), and a writer
 * beside them. */
#include "pipeline/cache.h"
#include "pipeline/check_kb.h"
#include "pipeline/kb.h"
#include <pthread.h>

enum { READERS = 4, N = 300, DIM = 16, ROUNDS = 40, K = 10 };

static float x[N][DIM];
static int64_t expected[ROUNDS][K];

static void make_base(const char *name)
{
    struct kb_edge edges[4 * N + 1] = { 0 };
    for (int i = 0; i < 4 * N; i++)
        edges[i] = (struct kb_edge){ (int64_t)(test_rand() % N) + 1, (int64_t)(test_rand() % N) + 1 };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < DIM; j++) x[i][j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    kb_make(name, N, DIM, x[0], edges);
}

struct reader {
    struct pipeline *pipeline;
    int wrong, failed;
};

/* Each reader asks in an order of its own; CHECK is not for threads, so it counts. */
static void *read_all(void *context)
{
    struct reader *r = context;
    for (int i = 0; i < ROUNDS; i++) {
        const int which = (i * 7 + 3) % ROUNDS;
        const struct question q = { .vector = x[which], .dim = DIM };
        struct answer a;
        struct err e;
        if (pipeline_query(r->pipeline, &q, K, &a, &e) != ERR_OK || a.count != K) {
            r->failed++;
            continue;
        }
        for (int k = 0; k < K; k++) r->wrong += a.results[k].id != expected[which][k];
    }
    return NULL;
}

static void readers(void)
{
    static const char *const settings[] = { "",
                                            "index=flat expand=ppr score=ppr calibration=zscore min_combined_score=-9",
                                            "rerank=memrl min_combined_score=-9" };
    make_base("readers.db");
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        struct reader all[READERS] = { { 0 } };
        pthread_t threads[READERS];
        struct pipeline *first = kb_pipeline("readers.db", settings[s]);
        CHECK(first != NULL, "%s", kb_err.text);
        for (int i = 0; first && i < ROUNDS; i++) {
            struct answer a;
            CHECK(kb_ask(first, x[i], DIM, K, &a) == ERR_OK && a.count == K, "%s", kb_err.text);
            for (int k = 0; k < K; k++) expected[i][k] = a.results[k].id;
        }
        for (int t = 0; first && t < READERS; t++) {
            if (t == 0) all[t].pipeline = first;
            else CHECK(pipeline_share(&all[t].pipeline, first, &kb_err) == ERR_OK, "%s", kb_err.text);
            CHECK(pipeline_kb(all[t].pipeline) == pipeline_kb(first), "one copy of the base");
            CHECK(pipeline_index(all[t].pipeline) == pipeline_index(first), "one copy of the index");
        }
        for (int t = 0; t < READERS; t++) CHECK(pthread_create(&threads[t], NULL, read_all, &all[t]) == 0, "thread");
        for (int t = 0; t < READERS; t++) pthread_join(threads[t], NULL);
        for (int t = 0; t < READERS; t++)
            CHECK(all[t].wrong == 0 && all[t].failed == 0, "reader %d: %d wrong, %d failed", t, all[t].wrong,
                  all[t].failed);
        for (int t = 0; t < READERS; t++)
            pipeline_close(all[t].pipeline); /* the first first: the others keep the base */
    }
}

static void *write_now(void *context)
{
    const char *path = context;
    for (int i = 0; i < 15; i++) {
        struct store *s = NULL;
        struct err e;
        if (store_open(&s, path, STORE_WRITE, &e) == ERR_OK && store_add_vector(s, 1, x[0], DIM, &e) == ERR_OK &&
            store_add_entity(s, 1000 + i, "t", "n", NULL, &e) == ERR_OK)
            (void)store_commit(s, &e);
        store_close(s);
    }
    return NULL;
}

/* A writer that commits all the while: every answer comes from one state, here always with the same results. */
static void readers_and_writer(const char *journal)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode = %s", journal);
    make_base("busy.db");
    kb_sql("busy.db", sql);
    struct reader all[2] = { { 0 } };
    pthread_t threads[2], writer;
    struct answer a;
    struct pipeline *p = kb_pipeline("busy.db", "index=flat");
    for (int i = 0; p && i < ROUNDS; i++) {
        CHECK(kb_ask(p, x[i], DIM, K, &a) == ERR_OK && a.count == K, "%s", kb_err.text);
        for (int k = 0; k < K; k++) expected[i][k] = a.results[k].id;
    }
    all[0].pipeline = p;
    CHECK(p && pipeline_share(&all[1].pipeline, p, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(pthread_create(&writer, NULL, write_now, (void *)(uintptr_t)kb_path("busy.db")) == 0, "thread");
    for (int t = 0; t < 2; t++) CHECK(pthread_create(&threads[t], NULL, read_all, &all[t]) == 0, "thread");
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
    pthread_join(writer, NULL);
    for (int t = 0; t < 2; t++)
        CHECK(all[t].wrong == 0 && all[t].failed == 0, "reader %d: %d wrong, %d failed", t, all[t].wrong,
              all[t].failed);
    CHECK(kb_ask(p, x[0], DIM, K, &a) == ERR_OK && pipeline_kb(p)->graph.count > N, "the writer was noticed");
    pipeline_close(all[0].pipeline);
    pipeline_close(all[1].pipeline);
}

static void rollback_journal(void) { readers_and_writer("DELETE"); }
static void write_ahead_log(void) { readers_and_writer("WAL"); }

/* A share of a base that has changed meanwhile is of the new state. */
static void shares_what_is(void)
{
    make_base("share.db");
    struct pipeline *p = kb_pipeline("share.db", "index=flat"), *twin = NULL;
    kb_sql("share.db", "DELETE FROM kg_vectors WHERE entity_id = 7");
    CHECK(p && pipeline_share(&twin, p, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(twin && pipeline_kb(twin)->vectors.rows.count == N - 1, "the new state");
    pipeline_close(p);
    struct answer a;
    CHECK(twin && kb_ask(twin, x[6], DIM, K, &a) == ERR_OK && a.results[0].id != 7, "alone: %s", kb_err.text);
    kb_sql("share.db", "DELETE FROM kg_vectors WHERE entity_id = 8");
    CHECK(twin && kb_ask(twin, x[7], DIM, K, &a) == ERR_OK && a.results[0].id != 8, "and on: %s", kb_err.text);
    pipeline_close(twin);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    test_case("many readers of one base", readers);
    test_case("readers and a writer, rollback journal", rollback_journal);
    test_case("readers and a writer, write-ahead log", write_ahead_log);
    test_case("a share is of what is there now", shares_what_is);
    return kb_end();
}
