/* SPDX-License-Identifier: MIT
 * test_pipeline.c - the engine's nine tests in their meaning, what it gets wrong, settings, properties. */
#include "pipeline/cache.h"
#include "pipeline/check_kb.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"

/* The engine's `setup`: A like the query, B orthogonal, C in between; A -> B, A -> C. */
static const float three[3][4] = { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0.8f, 0.6f, 0, 0 } };
static const struct kb_edge star[] = { { 1, 2 }, { 1, 3 }, { 0, 0 } };
static const float ask_x[4] = { 1, 0, 0, 0 };

static int has(const struct answer *a, int64_t id)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->results[i].id == id) return 1;
    return 0;
}

static struct pipeline *fresh(const char *name, const char *settings)
{
    char cache[64];
    snprintf(cache, sizeof cache, "%s.assay", name);
    (void)unlink(kb_path(cache));
    kb_make(name, 3, 4, three[0], star);
    struct pipeline *p = kb_pipeline(name, settings);
    CHECK(p != NULL, "%s", kb_err.text);
    return p;
}

static void basic_search(void)
{
    struct answer a;
    struct pipeline *p = fresh("basic.db", "top_k_candidates=10 top_k_rerank=5");
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 2, &a) == ERR_OK, "%s", kb_err.text);
    CHECK(a.count == 2 && a.results[0].id == 1 && fabs(a.results[0].vector_score - 1) < 1e-5, "the best is A");
    CHECK(strcmp(a.results[0].entity.name, "entity 1") == 0, "%s", a.results[0].entity.name);
    CHECK(a.trace[SLOT_RETRIEVE].out == 3 && a.trace[SLOT_FILTER].out == 2 && a.total_ns > 0, "the trace");
    pipeline_close(p);
}

static void empty_base(void)
{
    struct answer a = { .count = 9 };
    kb_make("empty.db", 0, 0, NULL, NULL);
    struct pipeline *p = kb_pipeline("empty.db", "");
    CHECK(p != NULL, "%s", kb_err.text);
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && a.count == 0, "%s", kb_err.text);
    CHECK(kb_ask(p, NULL, 0, 5, &a) == ERR_OK && a.count == 0, "text only");
    pipeline_close(p);
    kb_make("bare.db", 2, 0, NULL, NULL);
    p = kb_pipeline("bare.db", "");
    CHECK(p && kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && a.count == 0, "entities without vectors: %s", kb_err.text);
    pipeline_close(p);
}

static void expansion(void)
{
    struct answer a;
    const struct kb_edge edge[] = { { 1, 2 }, { 0, 0 } };
    kb_make("expand.db", 2, 4, three[0], edge);
    struct pipeline *p = kb_pipeline("expand.db", "top_k_candidates=1 top_k_rerank=1");
    CHECK(p && kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && has(&a, 1) && has(&a, 2), "expansion brings in B: %s",
          kb_err.text);
    pipeline_close(p);
    p = kb_pipeline("expand.db", "top_k_candidates=1 top_k_rerank=1 enable_graph_expansion=false");
    CHECK(p && kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && has(&a, 1) && !has(&a, 2), "switched off: %s", kb_err.text);
    pipeline_close(p);
}

static void context(void)
{
    struct answer a;
    struct pipeline *p = fresh("context.db", "context_depth=1 max_context_entities=3");
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 3, &a) == ERR_OK && a.results[0].id == 1, "%s", kb_err.text);
    const struct result *r = &a.results[0];
    CHECK(r->context_count == 2 && r->context[0] == 2 && r->context[1] == 3, "A's neighbours are its context");
    CHECK(strcmp(r->context_entities[1].name, "entity 3") == 0, "as text");
    pipeline_close(p);
}

static void cache_written(void)
{
    struct answer a;
    struct pipeline *p = fresh("cache.db", "");
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 2, &a) == ERR_OK, "%s", kb_err.text);
    CHECK(pipeline_cache(p)->source == CACHE_BUILT && pipeline_cache(p)->saved && pipeline_build_s(p) > 0, "built");
    CHECK(access(kb_path("cache.db.assay"), F_OK) == 0, "the file beside the database");
    const int64_t first = a.results[0].id;
    const double score = a.results[0].combined_score;
    pipeline_close(p);
    p = kb_pipeline("cache.db", "");
    CHECK(p && pipeline_cache(p)->source == CACHE_LOADED && pipeline_build_s(p) == 0, "loaded: %s", kb_err.text);
    CHECK(p && kb_ask(p, ask_x, 4, 2, &a) == ERR_OK && a.results[0].id == first && a.results[0].combined_score == score,
          "a hit answers the same");
    pipeline_close(p);
    p = kb_pipeline("cache.db", "bit_width=4");
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT, "another index is not this one");
    pipeline_close(p);
    p = kb_pipeline("cache.db", "bit_width=4 seed=43");
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT, "nor is one of another seed");
    pipeline_close(p);
}

/* The index knows what it holds: the ids and hashes that it was built from, and one number for all. */
static void fingerprint_stored(void)
{
    struct pipeline *p = fresh("print.db", "");
    if (!p) return;
    const struct index_cache *c = pipeline_cache(p);
    uint64_t stored = 0;
    struct index *ix = NULL;
    CHECK(c->count == 3 && c->ids[2] == 3 && c->hashes[0] != c->hashes[1], "%zu", c->count);
    CHECK(index_load(&ix, kb_path("print.db.assay"), NULL, &stored, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(stored == c->fingerprint && stored == pipeline_kb(p)->fingerprint, "the file carries it");
    index_destroy(ix);
    pipeline_close(p);
}

static const char *blob_of_w = "x'0000000000000000000000000000803f'"; /* 0 0 0 1 */

/* Asks before and after SQL of another connection; afterwards `wanted` must be the best for `x`. */
static void changes(const char *name, const char *sql, const float *x, int64_t wanted, int64_t gone)
{
    struct answer a;
    struct pipeline *p = fresh(name, "");
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 3, &a) == ERR_OK && a.results[0].id == 1, "%s", kb_err.text);
    const uint64_t before = pipeline_cache(p)->fingerprint;
    kb_sql(name, sql);
    CHECK(kb_ask(p, x, 4, 3, &a) == ERR_OK && a.count, "%s", kb_err.text);
    CHECK(a.count && a.results[0].id == wanted, "best is %lld", (long long)(a.count ? a.results[0].id : 0));
    CHECK(!gone || !has(&a, gone), "%lld is gone", (long long)gone);
    CHECK(pipeline_cache(p)->fingerprint != before && pipeline_cache(p)->source != CACHE_KEPT, "%s: noticed", name);
    CHECK(kb_ask(p, x, 4, 3, &a) == ERR_OK && a.results[0].id == wanted, "and again");
    pipeline_close(p);
    p = kb_pipeline(name, "");
    CHECK(p && pipeline_cache(p)->source == CACHE_LOADED, "what was updated was saved too");
    CHECK(p && kb_ask(p, x, 4, 3, &a) == ERR_OK && a.results[0].id == wanted, "by the next process");
    pipeline_close(p);
}

static const float w[4] = { 0, 0, 0, 1 };

static void swapped(void)
{
    char sql[512];
    snprintf(sql, sizeof sql, "DELETE FROM kg_vectors WHERE entity_id = 3;"
                              "INSERT INTO kg_entities (id, entity_type, name) VALUES (4, 'doc', 'swap');"
                              "INSERT INTO kg_vectors (entity_id, vector, dimension) VALUES (4, %s, 4)", blob_of_w);
    changes("swap.db", sql, w, 4, 3);
}

static void inserted(void)
{
    char sql[512];
    snprintf(sql, sizeof sql, "INSERT INTO kg_entities (id, entity_type, name) VALUES (4, 'doc', 'new');"
                              "INSERT INTO kg_vectors (entity_id, vector, dimension) VALUES (4, %s, 4)", blob_of_w);
    changes("insert.db", sql, w, 4, 0);
}

/* The engine's fingerprint is count and sum of ids: it never notices this. */
static void replaced_in_place(void)
{
    char sql[256];
    snprintf(sql, sizeof sql, "UPDATE kg_vectors SET vector = %s WHERE entity_id = 2", blob_of_w);
    changes("replace.db", sql, w, 2, 0);
}

/* Nor this: {2, 3} -> {1, 4} has the same count and sum. */
static void collides(void)
{
    struct answer a;
    kb_make("collide.db", 4, 4, (const float[4][4]){ { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 1, 1, 0, 0 }, { 0, 0, 1,
                                                                                                       0 } }[0], NULL);
    kb_sql("collide.db", "DELETE FROM kg_vectors WHERE entity_id IN (1, 4)");
    struct pipeline *p = kb_pipeline("collide.db", "");
    CHECK(p && kb_ask(p, ask_x, 4, 4, &a) == ERR_OK && a.count == 2 && has(&a, 2) && has(&a, 3), "%s", kb_err.text);
    kb_sql("collide.db", "UPDATE kg_vectors SET entity_id = entity_id + 10; UPDATE kg_vectors SET entity_id = 1 WHERE "
                         "entity_id = 12; UPDATE kg_vectors SET entity_id = 4 WHERE entity_id = 13");
    CHECK(p && kb_ask(p, ask_x, 4, 4, &a) == ERR_OK && a.count == 2 && has(&a, 1) && has(&a, 4), "%s", kb_err.text);
    pipeline_close(p);
    p = kb_pipeline("collide.db", "");
    CHECK(p && kb_ask(p, ask_x, 4, 4, &a) == ERR_OK && a.count == 2 && has(&a, 1) && has(&a, 4), "%s", kb_err.text);
    pipeline_close(p);
}

/* While nobody had the base open: the saved index is brought up to date row by row, and answers as one built from
 * nothing; at every change in both kinds of journal. */
static void updated_when_opened(void)
{
    enum { N = 200, DIM = 24 };
    static float rows[N][DIM];
    static const struct { const char *sql; size_t changes; } steps[] = {
        { "DELETE FROM kg_vectors WHERE entity_id IN (7, 191)", 2 },
        { "INSERT INTO kg_entities (id, entity_type, name) VALUES (100000000000, 'doc', 'far'), (-5, 'doc', 'low');"
          "INSERT INTO kg_vectors SELECT 100000000000, vector, dimension, 0 FROM kg_vectors WHERE entity_id = 1;"
          "INSERT INTO kg_vectors SELECT -5, vector, dimension, 0 FROM kg_vectors WHERE entity_id = 2", 2 },
        { "UPDATE kg_vectors SET vector = (SELECT vector FROM kg_vectors WHERE entity_id = 9) WHERE entity_id = 10", 1 },
        { "UPDATE kg_vectors SET entity_id = 7 WHERE entity_id = 8; UPDATE kg_vectors SET entity_id = 191 "
          "WHERE entity_id = 190", 4 },
        { "PRAGMA journal_mode = WAL; DELETE FROM kg_vectors WHERE entity_id = 11", 1 },
        { "UPDATE kg_vectors SET vector = zeroblob(96) WHERE entity_id = 13", 1 },
    };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < DIM; j++) rows[i][j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    kb_make("late.db", N, DIM, rows[0], NULL);
    pipeline_close(kb_pipeline("late.db", ""));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct answer a, b;
        kb_sql("late.db", steps[i].sql);
        struct pipeline *p = kb_pipeline("late.db", "");
        const struct index_cache *c = p ? pipeline_cache(p) : NULL;
        CHECK(c && c->source == CACHE_UPDATED && c->row_changes == steps[i].changes && c->saved, "%zu: %d, %zu", i,
              c ? (int)c->source : -1, c ? c->row_changes : 0);
        (void)unlink(kb_path("late.db.assay"));
        struct pipeline *q = kb_pipeline("late.db", "");
        CHECK(q && pipeline_cache(q)->source == CACHE_BUILT, "%s", kb_err.text);
        for (int x = 0; p && q && x < N; x += 7) {
            CHECK(kb_ask(p, rows[x], DIM, 5, &a) == ERR_OK && kb_ask(q, rows[x], DIM, 5, &b) == ERR_OK, "%s", kb_err.text);
            int is_same = a.candidate_count == b.candidate_count; /* number by number: a hit has room behind its score */
            for (size_t n = 0; is_same && n < a.candidate_count; n++)
                is_same = a.candidates[n].id == b.candidates[n].id && memcmp(&a.candidates[n].score, &b.candidates[n].score, sizeof(float)) == 0;
            CHECK(is_same, "step %zu, %d", i, x);
        }
        pipeline_close(p);
        pipeline_close(q);
    }
    kb_sql("late.db", "DELETE FROM kg_vectors WHERE entity_id > 100");
    struct pipeline *p = kb_pipeline("late.db", "");
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT, "so many changes are a new index");
    pipeline_close(p);
}

static void relations_change(void)
{
    struct answer a;
    struct pipeline *p = fresh("edges.db", "top_k_candidates=1 top_k_rerank=1");
    if (!p) return;
    CHECK(kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && a.count == 3, "%zu", a.count);
    kb_sql("edges.db", "DELETE FROM kg_relations WHERE target_id = 3");
    CHECK(kb_ask(p, ask_x, 4, 5, &a) == ERR_OK && a.count == 2, "%zu", a.count);
    CHECK(pipeline_cache(p)->source == CACHE_KEPT, "the vectors did not change");
    pipeline_close(p);
}

static void damaged_cache(void)
{
    struct answer a;
    struct pipeline *p = fresh("damage.db", "");
    pipeline_close(p);
    FILE *f = fopen(kb_path("damage.db.assay"), "r+b");
    CHECK(f && fseek(f, -9, SEEK_END) == 0 && fputc('x', f) == 'x' && fclose(f) == 0, "damage it");
    p = kb_pipeline("damage.db", "");
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT && kb_ask(p, ask_x, 4, 1, &a) == ERR_OK && has(&a, 1), "%s",
          kb_err.text);
    pipeline_close(p);
    CHECK(truncate(kb_path("damage.db.assay"), 10) == 0, "truncate");
    p = kb_pipeline("damage.db", "");
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT, "%s", kb_err.text);
    pipeline_close(p);
    p = kb_pipeline("damage.db", "");
    CHECK(p && pipeline_cache(p)->source == CACHE_LOADED, "mended");
    pipeline_close(p);
}

static void cannot_write(const void *unused, void *a_, void *b)
{
    (void)unused, (void)b;
    struct answer *a = a_;
    if (geteuid() == 0 && setuid(65534) != 0) return;
    struct pipeline *p = kb_pipeline("sub/ro.db", "");
    CHECK(p && !pipeline_cache(p)->saved && kb_ask(p, ask_x, 4, 1, a) == ERR_OK && has(a, 1), "%s", kb_err.text);
    pipeline_close(p);
    p = kb_pipeline("sub/wal.db", "");
    CHECK(p && kb_ask(p, ask_x, 4, 1, a) == ERR_OK && has(a, 1), "WAL: %s", kb_err.text);
    pipeline_close(p);
}

static void read_only_folder(void)
{
    struct answer a;
    CHECK(mkdir(kb_path("sub"), 0755) == 0 && chmod(kb_folder, 0755) == 0, "mkdir");
    kb_make("sub/ro.db", 3, 4, three[0], star);
    kb_make("sub/wal.db", 3, 4, three[0], star);
    kb_sql("sub/wal.db", "PRAGMA journal_mode = WAL; UPDATE kg_entities SET name = 'x'");
    CHECK(chmod(kb_path("sub"), 0555) == 0, "chmod");
    const char *said = test_child(cannot_write, NULL, &a, NULL);
    CHECK(strcmp(said, TEST_SAID_OK) == 0, "%s", said);
    CHECK(chmod(kb_path("sub"), 0755) == 0, "chmod");
}

static void foreign_bases(void)
{
    struct answer a;
    struct pipeline *p = fresh("foreign.db", "");
    pipeline_close(p);
    kb_sql("foreign.db", "PRAGMA foreign_keys = OFF; UPDATE kg_entities SET properties = NULL;"
                         "INSERT INTO kg_vectors (entity_id, vector, dimension) VALUES (77, x'0000803f000000000000000000000000', 4),"
                         "  (78, x'0000803f', 1);"
                         "INSERT INTO kg_relations (source_id, target_id, rel_type, weight) VALUES (1, 99, 'x', NULL)");
    p = kb_pipeline("foreign.db", "");
    CHECK(p && kb_ask(p, ask_x, 4, 9, &a) == ERR_OK && a.count == 3 && a.results[0].context_count == 2, "%s",
          kb_err.text);
    if (!p) return;
    const struct kb *kb = pipeline_kb(p);
    CHECK(kb->orphans == 1 && kb->vectors.other_dimension == 1 && kb->graph.dangling == 1, "%zu %zu %zu", kb->orphans,
          kb->vectors.other_dimension, kb->graph.dangling);
    CHECK(strcmp(a.results[0].entity.properties, "{}") == 0, "%s", a.results[0].entity.properties);
    struct text said = { 0 };
    kb_passed_over(kb, &said);
    CHECK(strcmp(text_of(&said), "1 vectors of no entity, 1 vectors of another dimension than most, "
                                 "1 relations from or to nowhere") == 0, "%s", text_of(&said));
    text_free(&said);
    pipeline_close(p);
}

static void thresholds(void)
{
    struct answer a;
    const float x[3][2] = { { 1, 0 }, { 0, 1 }, { -1, 0.1f } }, q[2] = { 1, 0 };
    kb_make("least.db", 3, 2, x[0], NULL);
    struct pipeline *p = kb_pipeline("least.db", "index=flat graph_weight=0 min_combined_score=-1");
    CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == 3, "off, negative cosines stay: %zu", a.count);
    pipeline_close(p);
    p = kb_pipeline("least.db", "index=flat graph_weight=0 min_combined_score=-1 compat=1");
    CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == 2, "the engine drops them: %zu", a.count);
    pipeline_close(p);
    p = kb_pipeline("least.db", "index=flat graph_weight=0 min_vector_score=0.5");
    CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == 1, "%zu", a.count);
    pipeline_close(p);
    FILE *f = fopen(kb_path("low.tsv"), "w"); /* approximate scores far below the exact ones */
    CHECK(f && fprintf(f, "0 1 -0.5\n0 2 -0.6\n") > 0 && fclose(f) == 0, "write");
    char settings[512];
    for (int compat = 0; compat < 2; compat++) {
        snprintf(settings, sizeof settings, "retrieve=replay replay_file=%s compat=%d min_vector_score=0",
                 kb_path("low.tsv"), compat);
        p = kb_pipeline("least.db", settings);
        CHECK(p && kb_ask(p, q, 2, 9, &a) == ERR_OK && a.count == (compat ? 0u : 2u), "compat=%d: %zu", compat,
              a.count);
        pipeline_close(p);
    }
}

/* Equal scores: combined, then vector, then id. */
static void ties(void)
{
    struct answer a;
    float x[40][2];
    for (int i = 0; i < 40; i++) x[i][0] = 1, x[i][1] = 0;
    kb_make("ties.db", 40, 2, x[0], NULL);
    struct pipeline *p = kb_pipeline("ties.db", "");
    CHECK(p && kb_ask(p, x[0], 2, 7, &a) == ERR_OK && a.count == 7, "%s", kb_err.text);
    for (size_t i = 0; p && i < 7; i++)
        CHECK(a.results[i].id == (int64_t)i + 1, "rank %zu is %lld", i, (long long)a.results[i].id);
    pipeline_close(p);
}

static void bad_questions(void)
{
    struct answer a = { .count = 77 };
    struct pipeline *p = fresh("bad.db", "");
    if (!p) return;
    const float nan[4] = { 0, NAN, 0, 0 }, huge[4] = { 3e38f, 3e38f, 0, 0 }, zero[4] = { 0 };
    CHECK(kb_ask(p, ask_x, 4, 0, &a) == ERR_ARG && strstr(kb_err.text, "k=0"), "%s", kb_err.text);
    CHECK(kb_ask(p, ask_x, 3, 1, &a) == ERR_ARG && strstr(kb_err.text, "3 dimensions"), "%s", kb_err.text);
    CHECK(kb_ask(p, nan, 4, 1, &a) == ERR_ARG && strstr(kb_err.text, "column 1"), "%s", kb_err.text);
    CHECK(kb_ask(p, huge, 4, 1, &a) == ERR_ARG, "%s", kb_err.text);
    CHECK(kb_ask(p, NULL, 0, 1, &a) == ERR_NOT_FOUND && strstr(kb_err.text, "not embedded by rp"), "%s", kb_err.text);
    CHECK(a.count == 77, "a failure leaves the answer alone");
    CHECK(kb_ask(p, zero, 4, 1, &a) == ERR_OK && a.count == 1 && a.results[0].vector_score == 0, "a zero query: %s",
          kb_err.text);
    CHECK(kb_ask(p, ask_x, 4, 1000, &a) == ERR_OK && a.count == 3, "k beyond the base: %s", kb_err.text);
    pipeline_close(p);
}

static void bad_settings(void)
{
    static const struct { const char *settings, *says; } bad[] = {
        { "graph_dept=2", "graph_depth" }, { "top_k_candidates=0", "outside" }, { "rerank=cosin", "'cosine'" },
        { "index=flatt", "flat" }, { "bit_width=9", "9" }, { "graph_depth=6", "6" }, { "vector_weight=much", "much" },
        { "compat=maybe", "maybe" }, { "novalue", "key=value" }, { "replay_file=x retrieve=replay", "x" },
        { "expand=none graph_depth=3", "setting of expand=bfs, and expand=none is chosen" },
        { "memrl_lambda=0.5", "memrl_lambda=0.5 has no effect: it is a setting of rerank=memrl" },
        { "expand=none graph_depth=9", "graph_depth=9 outside" },
        { "embed=subprocess", "embed_command" }, { "top_k_rerank=-1", "-1" }, { "min_vector_score=nan", "nan" },
    };
    kb_make("settings.db", 3, 4, three[0], star);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pipeline *p = kb_pipeline("settings.db", bad[i].settings);
        CHECK(!p && strstr(kb_err.text, bad[i].says), "%s: %s", bad[i].settings, kb_err.text);
        pipeline_close(p);
    }
    CHECK(!kb_pipeline("not_there.db", "") && kb_err.code == ERR_NOT_FOUND, "%s", kb_err.text);
    struct pipeline *p = kb_pipeline("settings.db", "index=(turboquant) expand=none bit_width=2 bit_width=5");
    CHECK(p != NULL, "%s", kb_err.text);
    const char *key, *value;
    int seen = 0;
    for (size_t i = 0; p && i < pipeline_setting_count(p); i++) {
        pipeline_setting(p, i, &key, &value);
        CHECK(strcmp(key, "graph_depth") != 0, "not chosen, not in force");
        seen += strcmp(key, "expand") == 0 && strcmp(value, "none") == 0;
        seen += strcmp(key, "bit_width") == 0 && strcmp(value, "5") == 0;
        seen += strcmp(key, "vector_weight") == 0 && strcmp(value, "0.6") == 0;
    }
    CHECK(seen == 3, "settings in force: %d", seen);
    pipeline_close(p);
}

/* What the base recommends holds until the caller says otherwise. */
static void base_settings(void)
{
    struct store *s = NULL;
    kb_make("own.db", 3, 4, three[0], star);
    CHECK(store_open(&s, kb_path("own.db"), STORE_WRITE, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_set_setting(s, "top_k_rerank", "7", &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_set_setting(s, "top_k_rerank", "8", &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
    for (int given = 0; given < 2; given++) {
        struct pipeline *p = kb_pipeline("own.db", given ? "top_k_rerank=9" : "");
        const char *key, *value;
        int seen = 0;
        for (size_t i = 0; p && i < pipeline_setting_count(p); i++) {
            pipeline_setting(p, i, &key, &value);
            seen += strcmp(key, "top_k_rerank") == 0 && strcmp(value, given ? "9" : "8") == 0;
        }
        CHECK(seen == 1, "%s", kb_err.text);
        pipeline_close(p);
    }
}

/* A base from anybody: it may not run a command, read a file or load a library; what the caller says goes. */
static void hostile_settings(void)
{
    static const char *const rows[] = {
        "'embed_command', 'touch %s'", "'embed_file', '/etc/passwd'", "'replay_file', '/etc/passwd'",
        "'utility_file', '/etc/passwd'", "'index', 'peer:evil'", "'index', '(refine:inner=(ids:/etc/passwd))'",
        "'embed_command', NULL", "NULL, 'x'",
    };
    char sql[400], row[200];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kb_make("hostile.db", 3, 4, three[0], star);
        snprintf(row, sizeof row, strstr(rows[i], "%s") ? "'embed_command', 'touch %s'" : "%s",
                 strstr(rows[i], "%s") ? kb_path("owned") : rows[i]);
        snprintf(sql, sizeof sql, "CREATE TABLE assay_settings (key TEXT, value TEXT);"
                 "INSERT INTO assay_settings VALUES ('embed', 'subprocess'), (%s)", row);
        kb_sql("hostile.db", sql);
        struct pipeline *p = kb_pipeline("hostile.db", "");
        CHECK(!p && kb_err.code == ERR_FORMAT && strstr(kb_err.text, strstr(row, "NULL") ? "NULL" : "may ask for"),
              "%s: %s", row, kb_err.text);
        pipeline_close(p);
    }
    CHECK(access(kb_path("owned"), F_OK) != 0, "the command ran");
    kb_sql("hostile.db", "DELETE FROM assay_settings; INSERT INTO assay_settings VALUES ('embed', 'subprocess'), "
                         "('embed_command', 'exit 1')");
    struct pipeline *p = kb_pipeline("hostile.db", "embed_command=cat");
    CHECK(p != NULL, "the caller's own: %s", kb_err.text);
    pipeline_close(p);
}

/* bit_width reaches an index that stands inside another, unless the spec says otherwise. */
static void bits_of_inner(void)
{
    static const struct { const char *settings, *bits; } cases[] = {
        { "bit_width=5", "turboquant:bits=5" },
        { "index=turboquant:bits=2 bit_width=5", "turboquant:bits=2" },
        { "index=ivf bit_width=5", "inner=(turboquant:bits=5)" },
        { "index=ivf:nlist=2,nprobe=2 bit_width=5", "inner=(turboquant:bits=5)" },
        { "index=ivf:inner=(turboquant:rounds=3),nlist=2 bit_width=5", "inner=(turboquant:bits=5,rounds=3)" },
        { "index=ivf:inner=(rabitq:bits=2),nlist=2 bit_width=5", "inner=(rabitq:bits=2)" },
        { "index=ivf:inner=(flat)", "inner=(flat)" },
    };
    struct answer a;
    kb_make("inner.db", 3, 4, three[0], star);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pipeline *p = kb_pipeline("inner.db", cases[i].settings);
        struct text spec = { 0 };
        if (p) index_spec(pipeline_index(p), &spec);
        CHECK(p && strstr(text_of(&spec), cases[i].bits), "%s: %s %s", cases[i].settings, text_of(&spec), kb_err.text);
        CHECK(p && kb_ask(p, ask_x, 4, 2, &a) == ERR_OK && a.count == 2, "%s: %s", cases[i].settings, kb_err.text);
        text_free(&spec);
        pipeline_close(p);
    }
    struct pipeline *flat = kb_pipeline("inner.db", "index=flat"), *twin = NULL;
    CHECK(flat && pipeline_share(&twin, flat, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (size_t i = 0; flat && i < pipeline_setting_count(flat); i++) {
        const char *key, *value;
        pipeline_setting(flat, i, &key, &value);
        CHECK(strcmp(key, "bit_width") != 0, "no bits, yet bit_width=%s is in force", value);
    }
    pipeline_close(twin);
    pipeline_close(flat);
    static const char *const without[] = { "index=flat bit_width=5", "index=(flat) bit_width=5", "bit_width=3 index=flat",
                                           "retrieve=hybrid bit_width=5 index=flat", "index=ivf:inner=(flat) bit_width=5" };
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        struct pipeline *p = kb_pipeline("inner.db", without[i]);
        CHECK(!p && kb_err.code == ERR_ARG && strstr(kb_err.text, "bit_width=") && strstr(kb_err.text, "flat"), "%s: %s",
              without[i], kb_err.text);
        pipeline_close(p);
    }
    CHECK(!kb_pipeline("inner.db", "index=ivf:inner=(turboquont)") && strstr(kb_err.text, "turboquant"), "%s", kb_err.text);
}

/* pipeline_change is as good as closing and opening, whatever changed. */
static void changed_settings(void)
{
    static const char *const all[] = { "edge_types=none", "max_fanout=1", "edge_direction=in", "hyperedges=true", "bit_width=5",
                                       "expand=none",
                                       "min_edge_weight=0.9", "edge_rewire=0.5", "top_k_candidates=1",
                                           "context_depth=1" };
    struct answer a, b;
    kb_make("change.db", 3, 4, three[0], star);
    struct pipeline *p = kb_pipeline("change.db", "");
    for (size_t i = 0; p && i < sizeof all / sizeof *all; i++) {
        struct pipeline *q = kb_pipeline("change.db", all[i]);
        CHECK(pipeline_change(p, &all[i], 1, &kb_err) == ERR_OK, "%s", kb_err.text);
        CHECK(kb_ask(p, ask_x, 4, 3, &a) == ERR_OK && q && kb_ask(q, ask_x, 4, 3, &b) == ERR_OK, "%s", kb_err.text);
        CHECK(a.count == b.count, "%s: %zu and %zu", all[i], a.count, b.count);
        for (size_t r = 0; r < a.count && r < b.count; r++)
            CHECK(a.results[r].id == b.results[r].id && a.results[r].combined_score == b.results[r].combined_score &&
                      a.results[r].context_count == b.results[r].context_count, "%s: rank %zu", all[i], r);
        pipeline_close(q);
    }
    pipeline_close(p);
}

static uint64_t graph_hash(const struct pipeline *p)
{
    const struct graph *g = &pipeline_kb(p)->graph;
    return hash64(hash64(0, g->start, (g->count + 1) * sizeof *g->start), g->other, g->start[g->count] * sizeof *g->other);
}

/* One random graph a seed, the same by opening and by changing; without rewiring the seed is nothing. */
static void rewired_by_seed(void)
{
    enum { COUNT = 40 };
    static const char *const settings[] = { "edge_rewire=0.5", "edge_rewire=0.5 rewire_seed=1", "edge_rewire=0.5 rewire_seed=2",
                                            "rewire_seed=2", "" };
    static const char *const third[] = { "edge_rewire=0.5", "rewire_seed=2" };
    struct kb_edge ring[COUNT + 1] = { 0 };
    float x[COUNT][4] = { { 0 } };
    uint64_t hash[5] = { 0 };
    struct answer a;
    for (int i = 0; i < COUNT; i++) {
        ring[i] = (struct kb_edge){ i + 1, (i + 1) % COUNT + 1 };
        x[i][i % 4] = 1;
    }
    kb_make("rewired.db", COUNT, 4, x[0], ring);
    for (int i = 0; i < 5; i++) {
        struct pipeline *p = kb_pipeline("rewired.db", settings[i]);
        CHECK(p != NULL, "%s", kb_err.text);
        if (p) hash[i] = graph_hash(p);
        if (i == 0 && p) {
            CHECK(pipeline_change(p, third, 2, &kb_err) == ERR_OK && kb_ask(p, x[0], 4, 3, &a) == ERR_OK, "%s", kb_err.text);
            hash[0] = graph_hash(p);
        }
        pipeline_close(p);
    }
    CHECK(hash[0] == hash[2], "changed to seed 2 and opened with it are two graphs");
    CHECK(hash[1] != hash[2] && hash[1] != hash[4] && hash[2] != hash[4], "another seed, the same graph");
    CHECK(hash[3] == hash[4], "nothing is rewired");
}

/* A base that changed before its settings did is indexed once, as it is now. */
static void changed_base_and_settings(void)
{
    enum { ROWS = 40 };
    const char *const settings[] = { "index=turboquant" };
    float x[ROWS][4];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 4; j++) x[i][j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    kb_make("both.db", ROWS, 4, x[0], NULL);
    struct pipeline *p = kb_pipeline("both.db", "index=flat");
    kb_sql("both.db", "UPDATE kg_vectors SET vector = x'0000803f000000000000000000000000' WHERE entity_id = 7");
    CHECK(p && pipeline_change(p, settings, 1, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(p && pipeline_cache(p)->source == CACHE_BUILT, "built first of the old rows");
    struct answer a;
    CHECK(p && kb_ask(p, ask_x, 4, 1, &a) == ERR_OK && a.results[0].id == 7, "%s", kb_err.text);
    pipeline_close(p);
}

/* What a hub costs: every neighbour a cosine, or as many as max_fanout says. */
static void hubs(void)
{
    enum { LEAVES = 3000 };
    static const struct { const char *settings; uint64_t scored; } cases[] = {
        { "", LEAVES + 1 }, { "max_fanout=32", 33 }, { "max_fanout=32 graph_depth=2", 33 },
        { "max_fanout=3000", LEAVES + 1 },
    };
    static float x[LEAVES + 1][4];
    static struct kb_edge edges[LEAVES + 1];
    for (int i = 0; i <= LEAVES; i++) x[i][0] = i == 0, x[i][1] = (float)i;
    for (int i = 0; i < LEAVES; i++) edges[i] = (struct kb_edge){ 1, i + 2 };
    kb_make("hub.db", LEAVES + 1, 4, x[0], edges);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char settings[128];
        struct answer a;
        snprintf(settings, sizeof settings, "index=flat top_k_candidates=1 top_k_rerank=1 %s", cases[i].settings);
        struct pipeline *p = kb_pipeline("hub.db", settings);
        CHECK(p && kb_ask(p, (const float[4]){ 1, 0, 0, 0 }, 4, 1, &a) == ERR_OK, "%s", kb_err.text);
        CHECK(a.trace[SLOT_EXPAND].in == 1 && a.trace[SLOT_EXPAND].out == cases[i].scored, "%s: %llu scored",
              cases[i].settings, (unsigned long long)a.trace[SLOT_EXPAND].out);
        pipeline_close(p);
    }
}

/* Every stage's parameters: parse by their own table, mean one thing everywhere, and are listed. */
static void registry(void)
{
    struct param *table = pipeline_params();
    CHECK(table != NULL, "no memory");
    for (size_t i = 0; stage_at(i); i++) {
        const struct stage_ops *a = stage_at(i);
        CHECK(stage_find(a->slot, a->name) == a && *a->summary && a->run, "%s", a->name);
        for (const struct param *p = a->params; p && p->name; p++) {
            const struct param *listed = param_find(table, p->name);
            CHECK(listed && listed->type == p->type && strcmp(listed->unit, p->unit) == 0 && strcmp(listed->usual,
                                                                                                    p->usual) == 0 &&
                      listed->least == p->least && listed->most == p->most,
                  "%s of %s=%s is another's", p->name, slot_name(a->slot), a->name);
            CHECK(param_check(p, a->name, p->usual, &kb_err) == ERR_OK, "its default: %s", kb_err.text);
        }
    }
    for (int s = 0; s < SLOT_COUNT; s++) {
        const struct param *slot = param_find(table, slot_name((enum slot)s));
        CHECK(slot && param_check(slot, "slot", slot->usual, &kb_err) == ERR_OK, "%s", slot_name((enum slot)s));
    }
    mem_free(table);
}

/* A random base: n unit vectors, m relations. */
static void random_base(const char *name, size_t n, size_t dim, size_t m)
{
    float *x = malloc(n * dim * sizeof *x);
    struct kb_edge *edges = calloc(m + 1, sizeof *edges);
    for (size_t i = 0; i < n * dim; i++) x[i] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    for (size_t i = 0; i < m; i++)
        edges[i] = (struct kb_edge){ (int64_t)(test_rand() % n) + 1, (int64_t)(test_rand() % n) + 1 };
    kb_make(name, n, dim, x, edges);
    free(x);
    free(edges);
}

/* With exact stages and graph_weight 0 every neighbour scores no more than the last of the pool, so expansion
 * cannot change the best k <= top_k_rerank.  (With turboquant it may: it repairs what the codes lost.) */
static void expansion_cannot_help(void)
{
    random_base("exact.db", 400, 16, 1600);
    for (int depth = 1; depth <= 3; depth++) {
        char on[256];
        const char *exact = "index=flat top_k_candidates=400 graph_weight=0 min_combined_score=-1 top_k_rerank=15";
        snprintf(on, sizeof on, "%s expand=bfs graph_depth=%d", exact, depth);
        char off[256];
        snprintf(off, sizeof off, "%s expand=none", exact);
        struct pipeline *a = kb_pipeline("exact.db", on), *b = kb_pipeline("exact.db", off);
        CHECK(a && b, "%s", kb_err.text);
        for (int i = 0; a && b && i < 40; i++) {
            float x[16];
            struct answer with, without;
            for (int j = 0; j < 16; j++) x[j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
            CHECK(kb_ask(a, x, 16, 15, &with) == ERR_OK && kb_ask(b, x, 16, 15, &without) == ERR_OK, "%s", kb_err.text);
            CHECK(with.trace[SLOT_EXPAND].out > 15 && with.count == 15 && without.count == 15, "it did expand");
            for (size_t r = 0; r < 15; r++)
                CHECK(with.results[r].id == without.results[r].id, "depth %d rank %zu", depth, r);
        }
        pipeline_close(a);
        pipeline_close(b);
    }
}

/* take_best against sorting everything: k of a large pool, for every k. */
static void best_of_many(void)
{
    random_base("many.db", 300, 8, 900);
    struct pipeline *p = kb_pipeline("many.db",
                                     "index=flat top_k_candidates=300 top_k_rerank=300 min_combined_score=-9");
    struct answer a;
    float x[8];
    int64_t ids[300];
    for (int j = 0; j < 8; j++) x[j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    CHECK(p && kb_ask(p, x, 8, 300, &a) == ERR_OK && a.count == 300, "%s", kb_err.text);
    for (size_t i = 0; p && i < 300; i++) {
        ids[i] = a.results[i].id;
        CHECK(i == 0 || a.results[i - 1].combined_score > a.results[i].combined_score ||
                  (a.results[i - 1].combined_score == a.results[i].combined_score &&
                   a.results[i - 1].vector_score >= a.results[i].vector_score), "rank %zu", i);
    }
    for (size_t k = 1; p && k < 300; k += 7) {
        CHECK(kb_ask(p, x, 8, k, &a) == ERR_OK && a.count == k, "%s", kb_err.text);
        for (size_t i = 0; i < k; i++) CHECK(a.results[i].id == ids[i], "k=%zu rank %zu", k, i);
    }
    pipeline_close(p);
}

/* Few statements: one that looks for changes and holds the transaction, and the text of what is returned, each entity once. */
static void few_statements(void)
{
    struct answer a;
    random_base("few.db", 200, 8, 1000);
    struct pipeline *p = kb_pipeline("few.db", "");
    const float x[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    CHECK(p && kb_ask(p, x, 8, 10, &a) == ERR_OK && a.count == 10, "%s", kb_err.text);
    CHECK(p && a.sql_statements == 2, "%llu", (unsigned long long)a.sql_statements);
    CHECK(p && kb_ask(p, x, 8, 100, &a) == ERR_OK && a.count > 20, "%s", kb_err.text);
    CHECK(p && a.sql_statements <= 1 + (200 + 63) / 64, "%llu: no more than 200 entities, 64 at a time", (unsigned long long)a.sql_statements);
    pipeline_close(p);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    test_case("basic search", basic_search);
    test_case("an empty base", empty_base);
    test_case("expansion brings in a non-candidate", expansion);
    test_case("context attached", context);
    test_case("cache written on the first query, a hit is identical", cache_written);
    test_case("fingerprint stored", fingerprint_stored);
    test_case("a swap is noticed", swapped);
    test_case("an insertion is noticed", inserted);
    test_case("a vector replaced in place is noticed", replaced_in_place);
    test_case("a collision of count and sum is noticed", collides);
    test_case("an index of yesterday is brought up to date", updated_when_opened);
    test_case("relations that change are noticed", relations_change);
    test_case("a damaged cache is built again", damaged_cache);
    test_case("a read-only folder works without a cache", read_only_folder);
    test_case("foreign rows are passed over", foreign_bases);
    test_case("thresholds, with and without compat", thresholds);
    test_case("ties go to the lower id", ties);
    test_case("bad questions", bad_questions);
    test_case("bad settings", bad_settings);
    test_case("settings that the base recommends", base_settings);
    test_case("bit_width and an index inside another", bits_of_inner);
    test_case("random graphs by seed", rewired_by_seed);
    test_case("settings changed on the way", changed_settings);
    test_case("settings and base changed", changed_base_and_settings);
    test_case("hubs, with and without a cap", hubs);
    test_case("a base that wants commands run and files read", hostile_settings);
    test_case("parameters of all stages", registry);
    test_case("exact stages: expansion cannot change the best k", expansion_cannot_help);
    test_case("the best k of a large pool", best_of_many);
    test_case("SQL statements of a query", few_statements);
    return kb_end();
}
