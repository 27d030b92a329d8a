/* SPDX-License-Identifier: MIT
 * test_smart.c - score=smart and filter=version against sums by hand, over a base of schema 4 and one without the columns. */
#include "pipeline/check_kb.h"

enum { N = 6, DIM = 4 };
static const float x[N][DIM] = { { 1, 0, 0, 0 }, { 1, 1, 0, 0 }, { 1, 0, 1, 0 }, { 1, 1, 1, 0 }, { 1, 2, 0, 0 }, { 0, 1, 0, 1 } };
static const float question[DIM] = { 2, 0, 0, 0 };
#define NOW 1000000000
#define EXACT "retrieve=exact expand=none min_combined_score=-1e9 smart_now=1000000000 "

static void make_base(void)
{
    kb_make("smart.db", N, DIM, x[0], NULL);
    kb_sql("smart.db",
           "UPDATE kg_entities SET created_at = 1000000000 - 864000, validity = CASE id WHEN 1 THEN 1 WHEN 2 THEN 3 WHEN 3 THEN "
           "-9223372036854775808 END;"
           "UPDATE kg_entities SET valid_from = 1000000001 WHERE id = 1;"
           "UPDATE kg_entities SET valid_until = 1000000000 - 432000, confidence = 0.5 WHERE id = 2;"
           "UPDATE kg_entities SET valid_until = 1000000000, confidence = NULL WHERE id = 3;"
           "UPDATE kg_entities SET base_confidence = 0.8, decay_rate = 0.1, access_count = 9 WHERE id = 4;"
           "INSERT INTO kg_dependencies(source_id, target_id, dep_type) VALUES (1, 4, 'depends_on'), (2, 4, 'depends_on'),"
           " (3, 5, 'cites'), (1, 99, 'depends_on');");
}

/* temporal, confidence and share of the in-degree of each entity; confidence by decay. */
static const double temporal[N] = { 0, 0.60653065971263342, 1, 1, 1, 1 };
static const double trust[N] = { 1, 0.5, 1, 1, 1, 1 }, degree[N] = { 0, 0, 0, 1, 0.5, 0 };
static double decayed(int i) { return i == 3 ? 0.8 * exp(-1) + 0.1 * log(10) : exp(-0.5); }
static double cosine(int i)
{
    double square = 0;
    for (int j = 0; j < DIM; j++) square += (double)x[i][j] * x[i][j];
    return x[i][0] / sqrt(square);
}

static void want(const char *db, const char *settings, double (*graph)(int))
{
    struct answer a = { 0 };
    char all[512];
    snprintf(all, sizeof all, EXACT "score=smart vector_weight=0.5 graph_weight=0.5 %s", settings);
    struct pipeline *p = kb_pipeline(db, all);
    CHECK(p && kb_ask(p, question, DIM, N, &a) == ERR_OK && a.count == N, "%s: %s, %zu answers", settings, kb_err.text, a.count);
    for (size_t i = 0; i < a.count; i++) {
        const int at = (int)a.results[i].id - 1;
        const double due = 0.5 * cosine(at) + 0.5 * graph(at);
        CHECK(fabs(a.results[i].combined_score - due) < 1e-6, "%s: entity %d: %.9g, not %.9g", settings, at + 1,
              a.results[i].combined_score, due);
        CHECK(i == 0 || a.results[i].combined_score <= a.results[i - 1].combined_score, "best first");
    }
    pipeline_close(p);
}

static double as_engine(int i) { return 0.4 * temporal[i] + 0.4 * trust[i] + 0.2 * degree[i]; }
static double by_decay(int i) { return 0.4 * temporal[i] + 0.4 * decayed(i) + 0.2 * degree[i]; }
static double temporal_alone(int i) { return temporal[i]; }
static double plain(int i) { return (void)i, 0.8; }

static void scores_are_sums(void)
{
    want("smart.db", "", as_engine);
    want("smart.db", "smart_decay=true", by_decay);
    want("smart.db", "smart_temporal=1 smart_confidence=0 smart_in_degree=0", temporal_alone);
}

static void older_bases_have_defaults(void)
{
    kb_make("old.db", N, DIM, x[0], NULL);
    kb_sql("old.db", "ALTER TABLE kg_entities DROP COLUMN confidence; ALTER TABLE kg_entities DROP COLUMN valid_from;"
                     "ALTER TABLE kg_entities DROP COLUMN valid_until; ALTER TABLE kg_entities DROP COLUMN validity;"
                     "DROP TABLE kg_dependencies");
    want("old.db", "", plain);
}

/* A stranger's tables may be views: their columns count all the same. */
static void views_have_columns(void)
{
    kb_sql("smart.db", "ALTER TABLE kg_entities RENAME TO held; CREATE VIEW kg_entities AS SELECT * FROM held");
    want("smart.db", "", as_engine);
    kb_sql("smart.db", "DROP VIEW kg_entities; ALTER TABLE held RENAME TO kg_entities");
}

static void versions_are_bits(void)
{
    static const struct { const char *slot; size_t count; int64_t first; } cases[] = { { "0", 2, 1 }, { "1", 1, 2 }, { "63", 1, 3 },
                                                                                       { "5", 0, 0 } };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct answer a = { 0 };
        char settings[256];
        snprintf(settings, sizeof settings, "retrieve=exact expand=none filter=version version_slot=%s", cases[c].slot);
        struct pipeline *p = kb_pipeline("smart.db", settings);
        CHECK(p && kb_ask(p, question, DIM, N, &a) == ERR_OK && a.count == cases[c].count, "slot %s: %zu answers %s", cases[c].slot,
              a.count, kb_err.text);
        if (a.count) CHECK(a.results[0].id == cases[c].first, "slot %s: first %lld", cases[c].slot, (long long)a.results[0].id);
        pipeline_close(p);
    }
}

/* What another program writes meanwhile counts from the next question on. */
static void changes_are_seen(void)
{
    struct answer a = { 0 };
    struct pipeline *p = kb_pipeline("smart.db", "retrieve=exact expand=none filter=version version_slot=7");
    CHECK(p && kb_ask(p, question, DIM, N, &a) == ERR_OK && a.count == 0, "%s", kb_err.text);
    kb_sql("smart.db", "UPDATE kg_entities SET validity = 128 WHERE id = 6");
    CHECK(kb_ask(p, question, DIM, N, &a) == ERR_OK && a.count == 1 && a.results[0].id == 6, "%zu: %s", a.count, kb_err.text);
    pipeline_close(p);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) abort();
    make_base();
    test_case("scores are sums by hand", scores_are_sums);
    test_case("a base without the columns has their defaults", older_bases_have_defaults);
    test_case("views have columns too", views_have_columns);
    test_case("versions are bits, and none is none", versions_are_bits);
    test_case("changes are seen", changes_are_seen);
    return kb_end();
}
