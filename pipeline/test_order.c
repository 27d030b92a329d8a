/* SPDX-License-Identifier: MIT
 * test_order.c - whose scores order an answer: rerank=none and the others, words over a base that no embedder fits,
 * scores around 0 and the filter, ids that are no words, rows and ids of vectors made beforehand. */
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

static const float x[5][2] = { { 1, 0 }, { 0.9f, 0.1f }, { 0, 1 }, { 0.1f, 0.9f }, { 0.5f, 0.5f } };

static void make_base(const char *name)
{
    static const char *const texts[5][2] = {
        { "cat", "{\"text\":\"a small domesticated feline\"}" }, { "dog", "{\"text\":\"a domesticated canine that barks\"}" },
        { "p7", "{\"id\":\"feline\",\"text\":\"grey and hard stone stone\"}" }, { "kitten", "{\"text\":\"a young cat, a small cat\"}" },
        { "(no name)", "{\"text\":\"nothing of all that\",\"_id\":\"kitten\",\"more\":{\"id\":\"pebble\"}}" },
    };
    struct store *s = NULL;
    CHECK(store_open(&s, kb_path(name), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 0; i < 5; i++) {
        CHECK(store_add_entity(s, i + 1, "w", texts[i][0], texts[i][1], &kb_err) == ERR_OK, "%s", kb_err.text);
        CHECK(store_add_vector(s, i + 1, x[i], 2, &kb_err) == ERR_OK, "%s", kb_err.text);
    }
    CHECK(store_set_id(s, 3, "p7", &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_add_relation(s, 4, 3, "near", 1, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
}

/* The answer as text, best first; what went wrong instead.  vector NULL: the embedder is asked. */
static const char *answered(const char *settings, const char *text, const float *vector, struct answer *a)
{
    static char said[128];
    struct pipeline *p = kb_pipeline("order.db", settings);
    const struct question q = { .text = text, .vector = vector, .dim = vector ? 2 : 0 };
    said[0] = 0;
    if (!p || pipeline_query(p, &q, 9, a, &kb_err) != ERR_OK) snprintf(said, sizeof said, "%.120s", kb_err.text);
    else
        for (size_t i = 0; i < a->count; i++) snprintf(said + strlen(said), 8, "%lld ", (long long)a->results[i].id);
    pipeline_close(p);
    return said;
}

static void retrievers_order(void)
{
    struct answer a;
    const char *got = answered("retrieve=bm25 rerank=none", "small cat", x[2], &a);
    CHECK(strcmp(got, "4 1 3 ") == 0, "words, then what the graph brings: %s", got);
    CHECK(strcmp(answered("retrieve=bm25 rerank=none expand=none", "small cat", x[2], &a), "4 1 ") == 0, "words alone");
    CHECK(strcmp(answered("retrieve=bm25 expand=none", "small cat", x[0], &a), "1 4 ") == 0, "the exact cosine re-sorts them");
    CHECK(strcmp(answered("retrieve=exact rerank=none expand=none", "x", x[0], &a), "1 2 5 4 3 ") == 0, "vectors");
    CHECK(strcmp(answered("retrieve=exact rerank=none expand=none top_k_rerank=2", "x", x[0], &a), "1 2 ") == 0, "so many");
    struct pipeline *p = kb_pipeline("order.db", "retrieve=bm25 rerank=none");
    for (size_t i = 0; p && i < pipeline_setting_count(p); i++) {
        const char *key, *value;
        pipeline_setting(p, i, &key, &value);
        CHECK(strcmp(key, "graph_weight") != 0 || strcmp(value, "0") == 0, "what follows from it is shown: %s", value);
    }
    pipeline_close(p);
}

/* No words of rp, no lsa: only vectors of somebody's. */
static void words_need_no_embedder(void)
{
    struct answer a;
    CHECK(strcmp(answered("retrieve=bm25 expand=none", "small cat", NULL, &a), "4 1 ") == 0 && !a.vector, "%s", kb_err.text);
    CHECK(strstr(answered("", "small cat", NULL, &a), "was not embedded by rp") && strstr(kb_err.text, "retrieve=bm25"), "%s", kb_err.text);
    CHECK(strstr(answered("retrieve=bm25 rerank=cosine", "small cat", NULL, &a), "was not embedded by rp"), "%s", kb_err.text);
    CHECK(*answered("retrieve=bm25", "", NULL, &a) == 0 && a.count == 0, "an empty text asks for nothing");
}

static void ids_are_no_words(void)
{
    struct answer a;
    CHECK(strcmp(answered("retrieve=bm25 expand=none", "feline", NULL, &a), "1 ") == 0, "a property \"id\"");
    CHECK(strcmp(answered("retrieve=bm25 expand=none", "kitten", NULL, &a), "4 ") == 0, "a property \"_id\"");
    CHECK(*answered("retrieve=bm25 expand=none", "p7 name", NULL, &a) == 0, "a name that is only the id, or none");
    CHECK(strcmp(answered("retrieve=bm25 expand=none", "pebble", NULL, &a), "5 ") == 0, "deeper it may be anything");
}

/* z-scores have a mean of 0: a threshold of 0 would drop half of the pool. */
static void nothing_is_dropped_in_silence(void)
{
    static const char *const centred[] = { "rerank=memrl expand=none", "calibration=zscore expand=none",
                                           "rerank=memrl memrl_scale=corpus expand=none" };
    struct answer a;
    for (size_t i = 0; i < sizeof centred / sizeof *centred; i++) {
        char settings[120];
        snprintf(settings, sizeof settings, "retrieve=exact %s", centred[i]);
        (void)answered(settings, "x", x[0], &a);
        CHECK(a.count == 5 && a.filtered == 0, "%s: %zu, %zu dropped", settings, a.count, a.filtered);
        snprintf(settings, sizeof settings, "retrieve=exact %s min_combined_score=0", centred[i]);
        (void)answered(settings, "x", x[0], &a);
        CHECK(a.count < 5 && a.filtered == 5 - a.count, "who asks for it is told: %zu, %zu dropped", a.count, a.filtered);
    }
}

static void put(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(kb_path(name), "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "%s", name);
}

static int ask_file(const char *settings, const char *name, int64_t id, int64_t *best)
{
    struct pipeline *p = kb_pipeline("order.db", settings);
    struct answer a = { 0 };
    const struct question q = { .id = id, .name = name, .text = "any" };
    const int status = p ? pipeline_query(p, &q, 1, &a, &kb_err) : kb_err.code;
    *best = a.count ? a.results[0].id : 0;
    pipeline_close(p);
    return status;
}

static void vectors_have_ids(void)
{
    char npy[128 + 16] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
    char settings[700];
    int64_t best;
    memcpy(npy + 128, (const float[4]){ 1, 0, 0, 1 }, 16);
    put("q.npy", npy, sizeof npy);
    put("q.ids", "b\na\r\n", 5);
    put("short.ids", "b\n", 2);
    snprintf(settings, sizeof settings, "embed=file index=flat expand=none embed_file=%s", kb_path("q.npy"));
    CHECK(ask_file(settings, NULL, 1, &best) == ERR_OK && best == 3, "%s", kb_err.text);
    CHECK(ask_file(settings, "a", 1, &best) == ERR_NOT_FOUND && strstr(kb_err.text, "embed_ids"), "%s", kb_err.text);
    snprintf(settings, sizeof settings, "embed=file index=flat expand=none embed_file=%s embed_ids=%s", kb_path("q.npy"), kb_path("q.ids"));
    CHECK(ask_file(settings, "a", 0, &best) == ERR_OK && best == 3, "%s", kb_err.text);
    CHECK(ask_file(settings, "c", 0, &best) == ERR_NOT_FOUND && strstr(kb_err.text, "query c"), "%s", kb_err.text);
    snprintf(settings, sizeof settings, "embed=file index=flat embed_file=%s embed_ids=%s", kb_path("q.npy"), kb_path("short.ids"));
    CHECK(ask_file(settings, "a", 0, &best) == ERR_ARG && strstr(kb_err.text, "1 ids for 2 rows"), "%s", kb_err.text);
    npy[40] = '8'; /* '<f8' */
    put("wide.npy", npy, sizeof npy);
    snprintf(settings, sizeof settings, "embed=file index=flat embed_file=%s", kb_path("wide.npy"));
    (void)ask_file(settings, NULL, 0, &best);
}

/* Lists and utilities name entities as the user does. */
static void lists_by_ids(void)
{
    char settings[700];
    struct answer a;
    put("list.tsv", "q1\tp7\t0.5\nq1\t2\t0.4\n", 19);
    snprintf(settings, sizeof settings, "retrieve=replay rerank=none expand=none replay_file=%s", kb_path("list.tsv"));
    struct pipeline *p = kb_pipeline("order.db", settings);
    const struct question q = { .name = "q1", .vector = x[0], .dim = 2 };
    CHECK(p && pipeline_query(p, &q, 9, &a, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(p && a.count == 2 && a.results[0].id == 3 && a.results[1].id == 2, "in the list's order");
    pipeline_close(p);
    static const struct { const char *lines, *says; } runs[] = {
        { "\xef\xbb\xbfq0 Q0 1 1 9 t\r\nq1 Q0 2 1 0.4 t\r\nq1 Q0 p7 2 0.5 t\r\n", NULL }, /* by score, not by rank */
        { "q1 Q0 p7 1 0.5 t\nq1 Q0 2 2 0.4 t\nq1 Q0 p7 3 0.3 t\n", "lines 1 and 3 name the same entity for question 'q1'" },
        { "q1 Q0 p7 first 0.5 t\n", "line 1 is neither" }, { "q1 Q0 p7 1 0.5\n", "line 1 is neither" },
        { "q1 Q0 p7 1 0.5 t more\n", "line 1 is neither" }, { "q1 p7 nan\n", "line 1 is neither" },
        { "q1 Q0 p8 1 0.5 t\n", "line 1 names an entity that the base has not: q1 Q0 p8" },
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        put("list.tsv", runs[i].lines, strlen(runs[i].lines));
        p = kb_pipeline("order.db", settings);
        CHECK(runs[i].says ? !p && strstr(kb_err.text, runs[i].says) : p != NULL, "%zu: %s", i, kb_err.text);
        if (p) CHECK(pipeline_query(p, &q, 9, &a, &kb_err) == ERR_OK && a.count == 2 && a.results[0].id == 3, "%s", kb_err.text);
        pipeline_close(p);
    }
    char line[1200];
    memset(line, 'x', sizeof line);
    put("list.tsv", line, sizeof line);
    CHECK(!kb_pipeline("order.db", settings) && strstr(kb_err.text, "line 1 is longer than"), "%s", kb_err.text);
    put("list.tsv", "q1\t3\t0.5\n", 9); /* entity 3 is called p7 */
    CHECK(!kb_pipeline("order.db", settings) && strstr(kb_err.text, "line 1 names an entity that the base has not"), "%s", kb_err.text);
    put("u.tsv", "p7\t5\n", 5);
    snprintf(settings, sizeof settings, "retrieve=exact rerank=memrl memrl_lambda=1 expand=none utility_file=%s", kb_path("u.tsv"));
    CHECK(strncmp(answered(settings, "x", x[0], &a), "3 ", 2) == 0, "%s", kb_err.text);
    put("u.tsv", "3\t5\n", 4);
    CHECK(strstr(answered(settings, "x", x[0], &a), "u.tsv: line 1: no entity has the id '3'"), "%s", kb_err.text);
}

/* A length whose square is no number any more is refused by name, not turned into a cosine of 0. */
static void tiny_vectors_are_named(void)
{
    struct answer a;
    const float tiny[2] = { 1e-23f, 1e-23f };
    CHECK(strstr(answered("", "x", tiny, &a), "too small for a cosine"), "%s", kb_err.text);
    CHECK(!index_takes(tiny, 2) && index_takes((const float[2]){ 0, 0 }, 2) && index_takes((const float[2]){ 1e-14f, 0 }, 2), "bounds");
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    make_base("order.db");
    test_case("rerank=none: the retriever's scores order the answer", retrievers_order);
    test_case("words of a base that no embedder fits", words_need_no_embedder);
    test_case("ids are no words", ids_are_no_words);
    test_case("z-scores and a threshold of 0", nothing_is_dropped_in_silence);
    test_case("embed=file: npy, and whose the rows are", vectors_have_ids);
    test_case("replays and utilities by the user's ids", lists_by_ids);
    test_case("vectors too small for a cosine", tiny_vectors_are_named);
    return kb_end();
}
