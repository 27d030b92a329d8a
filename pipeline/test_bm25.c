/* SPDX-License-Identifier: MIT
 * test_bm25.c - retrieve=bm25 and retrieve=hybrid. */
#include "pipeline/check_kb.h"

static const float x[4][2] = { { 1, 0 }, { 0.9f, 0.1f }, { 0, 1 }, { 0.1f, 0.9f } };

static void make_base(const char *name)
{
    static const char *const texts[4][2] = {
        { "cat", "{\"text\":\"a small domesticated feline\",\"pos\":\"n\"}" },
        { "dog", "{\"text\":\"a domesticated canine that barks\"}" },
        { "stone", "{\"tags\":[\"hard\",\"grey\"],\"n\":7}" },
        { "kitten", "{\"text\":\"a young cat, a very small cat\"}" },
    };
    struct store *s = NULL;
    (void)unlink(kb_path(name));
    CHECK(store_open(&s, kb_path(name), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 0; i < 4; i++) {
        CHECK(store_add_entity(s, i + 1, "w", texts[i][0], texts[i][1], &kb_err) == ERR_OK, "%s", kb_err.text);
        CHECK(store_add_vector(s, i + 1, x[i], 2, &kb_err) == ERR_OK, "%s", kb_err.text);
    }
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
}

static struct pipeline *words(const char *name, const char *more)
{
    char settings[300];
    snprintf(settings, sizeof settings, "%s expand=none graph_weight=0 min_combined_score=-9 %s",
             strstr(more, "retrieve=bm25") ? "" : "index=flat", more);
    struct pipeline *p = kb_pipeline(name, settings);
    CHECK(p != NULL, "%s", kb_err.text);
    return p;
}

/* The candidates as text, best first. */
static const char *candidates(struct pipeline *p, const char *text)
{
    static char said[64];
    struct answer a;
    const struct question q = { .text = text, .vector = x[2], .dim = 2 };
    said[0] = 0;
    kb_err.text[0] = 0;
    if (!p || pipeline_query(p, &q, 9, &a, &kb_err) != ERR_OK) return kb_err.text;
    for (size_t i = 0; i < a.candidate_count; i++)
        snprintf(said + strlen(said), 8, "%lld ", (long long)a.candidates[i].id);
    return said;
}

/* The rerank stage has no use for entities without a vector: they must not take the place of others. */
static void without_vectors(void)
{
    make_base("bare.db");
    kb_sql("bare.db", "DELETE FROM kg_vectors WHERE entity_id = 4");
    struct pipeline *p = words("bare.db", "retrieve=bm25 top_k_candidates=1");
    CHECK(strcmp(candidates(p, "cat"), "1 ") == 0, "%s", candidates(p, "cat"));
    pipeline_close(p);
}

static void bm25(void)
{
    make_base("words.db");
    struct pipeline *p = words("words.db", "retrieve=bm25");
    CHECK(strcmp(candidates(p, "cat"), "4 1 ") == 0, "%s", candidates(p, "cat")); /* twice is more than once */
    CHECK(strcmp(candidates(p, "cats"), "4 1 ") == 0, "stems: %s", candidates(p, "cats"));
    CHECK(strcmp(candidates(p, "GREY granite"), "3 ") == 0, "%s", candidates(p, "GREY granite"));
    CHECK(strcmp(candidates(p, "unheard"), "") == 0, "%s", candidates(p, "unheard"));
    CHECK(strcmp(candidates(p, " \t"), "") == 0, "%s", candidates(p, " "));
    CHECK(strcmp(candidates(p, "text OR pos:q"), "") == 0, "keys are no words: %s", candidates(p, "text OR pos:q"));
    CHECK(strcmp(candidates(p, "\"bark\" NEAR( * ^"), "2 ") == 0, "nothing is syntax: %s", candidates(p,
                                                                                                      "\"bark\" NEAR( *"));
    CHECK(access(kb_path("words.db.assay-words"), F_OK) == 0, "kept beside the base");
    kb_sql("words.db", "UPDATE kg_entities SET properties = '{\"text\":\"a pet cat\"}' WHERE id = 2");
    CHECK(strstr(candidates(p, "pet"), "2") != NULL, "a changed text is noticed: %s", candidates(p, "pet"));
    CHECK(strcmp(candidates(p, "barks"), "") == 0, "and the old one gone: %s", candidates(p, "barks"));
    pipeline_close(p);
    p = words("words.db", "retrieve=bm25");
    CHECK(strcmp(candidates(p, "pet"), "2 ") == 0, "by the next process: %s", candidates(p, "pet"));
    pipeline_close(p);
    FILE *f = fopen(kb_path("words.db.assay-words"), "w");
    CHECK(f && fputs("rubbish", f) > 0 && fclose(f) == 0, "damage");
    p = words("words.db", "retrieve=bm25");
    CHECK(strcmp(candidates(p, "pet"), "2 ") == 0, "made again: %s", candidates(p, "pet"));
    pipeline_close(p);
    int64_t size = 0;
    for (int cut = 0; cut < 40; cut++) { /* a file cut short, or with a changed byte */
        struct stat st;
        if (stat(kb_path("words.db.assay-words"), &st) != 0) break;
        size = st.st_size;
        const int64_t at = size * cut / 40;
        f = fopen(kb_path("words.db.assay-words"), "r+b");
        if (f && cut % 2 == 0) (void)!ftruncate(fileno(f), at);
        else if (f) fseek(f, at, SEEK_SET), fputc(0x5a ^ cut, f);
        if (f) fclose(f);
        p = words("words.db", "retrieve=bm25");
        CHECK(strcmp(candidates(p, "pet"), "2 ") == 0, "damaged at %lld: %s", (long long)at, candidates(p, "pet"));
        pipeline_close(p);
    }
    CHECK(size > 100, "a file to damage");
    p = words("words.db", "retrieve=bm25");
    struct answer a;
    CHECK(kb_ask(p, x[0], 2, 1, &a) == ERR_OK, "%s", kb_err.text);
    const struct question mute = { .vector = x[0], .dim = 2 };
    CHECK(pipeline_query(p, &mute, 1, &a, &kb_err) == ERR_ARG && strstr(kb_err.text, "text"), "%s", kb_err.text);
    pipeline_close(p);
}

/* FTS5's own bm25() over the same texts: documents of 1 to 20 of 60 words, common and rare. */
static void as_fts5(void)
{
    enum { DOCUMENTS = 300, VOCABULARY = 60, ASKED = 40 };
    sqlite3 *db = NULL;
    sqlite3_stmt *add = NULL, *ask = NULL;
    struct store *s = NULL;
    static float rows[DOCUMENTS][2];
    char text[400];
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK &&
          sqlite3_exec(db, "CREATE VIRTUAL TABLE w USING fts5(t, tokenize = 'porter unicode61')", NULL, NULL, NULL) == 0 &&
          sqlite3_prepare_v2(db, "INSERT INTO w (rowid, t) VALUES (?1, ?2)", -1, &add, NULL) == SQLITE_OK &&
          sqlite3_prepare_v2(db, "SELECT rowid, -rank FROM w WHERE w MATCH ?1 ORDER BY 2 DESC, 1", -1, &ask, NULL) ==
              SQLITE_OK, "%s", sqlite3_errmsg(db));
    CHECK(store_open(&s, kb_path("oracle.db"), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int64_t d = 1; d <= DOCUMENTS; d++) {
        text[0] = 0;
        for (uint64_t n = 1 + test_rand() % 20; n > 0; n--) {
            const uint64_t a = test_rand() % VOCABULARY, b = test_rand() % VOCABULARY;
            snprintf(text + strlen(text), 16, "%sword%llu%s", *text ? " " : "", (unsigned long long)(a < b ? a : b),
                     n % 3 ? "" : "s");
        }
        rows[d - 1][0] = 1;
        CHECK(store_add_entity(s, 7 * d, "t", text, NULL, &kb_err) == ERR_OK &&
              store_add_vector(s, 7 * d, rows[d - 1], 2, &kb_err) == ERR_OK, "%s", kb_err.text);
        sqlite3_bind_int64(add, 1, 7 * d);
        sqlite3_bind_text(add, 2, text, -1, SQLITE_STATIC);
        CHECK(sqlite3_step(add) == SQLITE_DONE && sqlite3_reset(add) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    }
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
    struct pipeline *p = words("oracle.db", "retrieve=bm25 top_k_candidates=1000");
    for (int i = 0; p && i < ASKED; i++) {
        struct answer a;
        char match[200];
        const unsigned w = (unsigned)(test_rand() % VOCABULARY), v = (unsigned)(test_rand() % VOCABULARY);
        snprintf(text, sizeof text, "word%u, unheard Words%u word%u", w, v, w); /* one twice */
        snprintf(match, sizeof match, "word%u OR unheard OR words%u OR word%u", w, v, w);
        const struct question q = { .text = text, .vector = rows[0], .dim = 2 };
        CHECK(pipeline_query(p, &q, 1, &a, &kb_err) == ERR_OK, "%s", kb_err.text);
        sqlite3_bind_text(ask, 1, match, -1, SQLITE_STATIC);
        size_t n = 0;
        for (; sqlite3_step(ask) == SQLITE_ROW; n++) {
            if (n >= a.candidate_count) continue;
            const double want = sqlite3_column_double(ask, 1), got = (double)a.candidates[n].score;
            CHECK(fabs(want - got) <= 1e-5 * want + 1e-9, "%s: rank %zu: %.8g, FTS5 %.8g", text, n, got, want);
        }
        CHECK(n == a.candidate_count, "%s: %zu documents, FTS5 finds %zu", text, a.candidate_count, n);
        sqlite3_reset(ask);
    }
    pipeline_close(p);
    sqlite3_finalize(add);
    sqlite3_finalize(ask);
    sqlite3_close(db);
}

/* The vector is nearest to 3, 4, 2, 1 in that order; "cat" is 4, 1. */
static void hybrid(void)
{
    make_base("both.db");
    struct pipeline *p = words("both.db", "retrieve=hybrid");
    /* 1/(60+rank): 4 has 1/62 + 1/61, 1 has 1/64 + 1/62, 3 has 1/61, 2 has 1/63 */
    CHECK(strcmp(candidates(p, "cat"), "4 1 3 2 ") == 0, "rrf: %s", candidates(p, "cat"));
    CHECK(strcmp(candidates(p, "unheard"), "3 4 2 1 ") == 0, "vectors alone: %s", candidates(p, "unheard"));
    CHECK(strcmp(candidates(p, "cat"), "4 1 3 2 ") == 0, "nothing is left over: %s", candidates(p, "cat"));
    pipeline_close(p);
    p = words("both.db", "retrieve=hybrid fusion=weighted word_weight=0");
    CHECK(strcmp(candidates(p, "cat"), "3 4 2 1 ") == 0, "no words: %s", candidates(p, "cat"));
    pipeline_close(p);
    p = words("both.db", "retrieve=hybrid fusion=weighted word_weight=1 top_k_candidates=2");
    CHECK(candidates(p, "cat")[0] == '4', "words only: %s", candidates(p, "cat"));
    pipeline_close(p);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    test_case("bm25", bm25);
    test_case("bm25: entities without a vector", without_vectors);
    test_case("bm25 is that of FTS5", as_fts5);
    test_case("hybrid", hybrid);
    return kb_end();
}
