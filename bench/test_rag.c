/* SPDX-License-Identifier: MIT
 * test_rag.c - a pipeline point measured: its references and recalls against pipelines opened by hand. */
#include "bench/kb_build.h"
#include "bench/rag.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "pipeline/stage.h"
#include <math.h>
#include <sqlite3.h>

static char folder[] = P_tmpdir "/assay_rag.XXXXXX";
static char db[128], questions[128];

enum { ENTITIES = 400, QUERIES = 12, K = 10 };

static void make_base(void)
{
    struct kb_build *build = NULL;
    struct params *params = NULL;
    struct kb_build_counts counts;
    struct err e = { 0 };
    const struct generator_ops *kg = generator_find("kg");
    char out[64];
    snprintf(out, sizeof out, "%s/kg", folder);
    snprintf(db, sizeof db, "%s/kb.sqlite", out);
    snprintf(questions, sizeof questions, "%s/query.fvecs", out);
    const struct kb_build_options options = { .folder = out, .what = "kg", .dim = 16, .seed = 1, .threads = 1 };
    CHECK(params_create(&params, kg->params, "kg", "n=400,dim=16,relations=1600,queries=12,seed=3",
                        &e) == ERR_OK,
          "%s", e.text);
    CHECK(kb_build_open(&build, &options, &e) == ERR_OK, "%s", e.text);
    const struct kb_sink sink = kb_build_sink(build);
    CHECK(kg->graph(params, &sink, &e) == ERR_OK, "%s", e.text);
    CHECK(kb_build_commit(build, &counts, &e) == ERR_OK, "%s", e.text);
    kb_build_close(build);
    params_destroy(params);
}

/* The ids that a pipeline opened by hand gives, K a question, missing ones -1. */
static void answers_of(const struct rag_set *s, const char *const *settings, size_t count, int64_t ids[QUERIES][K])
{
    struct pipeline *p = NULL;
    struct err e = { 0 };
    CHECK(pipeline_open(&p, db, settings, count, NULL, &e) == ERR_OK, "%s", e.text);
    for (size_t q = 0; q < QUERIES; q++) {
        struct answer a;
        const struct question question = { .id = (int64_t)q,
                                           .vector = rows_at(s->queries.vectors.rows, q),
                                           .dim = 16 };
        CHECK(pipeline_query(p, &question, K, &a, &e) == ERR_OK, "%s", e.text);
        for (size_t i = 0; i < K; i++) ids[q][i] = i < a.count ? a.results[i].id : -1;
    }
    pipeline_close(p);
}

/* Mean share of ids in both lists. */
static double overlap(int64_t a[QUERIES][K], int64_t b[QUERIES][K])
{
    double both = 0;
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t i = 0; i < K; i++)
            for (size_t j = 0; j < K; j++) both += a[q][i] == b[q][j];
    return both / (QUERIES * K);
}

static double folded(const struct rag_arm *a, const char *name)
{
    double scratch[QUERIES];
    for (size_t m = 0; metric_at(m); m++)
        if (strcmp(metric_at(m)->name, name) == 0)
            return metric_folded(metric_at(m), a->quality.values + m * QUERIES, QUERIES, scratch);
    return NAN;
}

static struct rag_set prepared(const struct rag_point *p)
{
    struct rag_set s;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, db, questions, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(rag_prepare(&s, p, 50, 1, &e) == ERR_OK, "%s", e.text);
    return s;
}

static const char *const two_bits[] = { "bit_width=2", "graph_depth=2", "top_k_candidates=25", "index=flat",
                                        "top_k_candidates=400", "graph_depth=0" };

/* agree_at_10 and churn_at_10 by their definitions: whole pipelines with an exact stage one over all
 * candidates, and with graph_depth 0. */
static void references(void)
{
    static int64_t mine[QUERIES][K], exact[QUERIES][K], ungraphed[QUERIES][K];
    const char *const exact_settings[] = { two_bits[0], two_bits[1], two_bits[3], two_bits[4] };
    const char *const flat_settings[] = { two_bits[0], two_bits[2], two_bits[5] };
    const struct rag_point p = { two_bits, 3, "", K, 1 };
    struct rag_set s = prepared(&p);
    struct rag_arm a;
    struct err e = { 0 };
    CHECK(rag_open(&a, &s, &p, &e) == ERR_OK, "%s", e.text);
    answers_of(&s, two_bits, 3, mine);
    answers_of(&s, exact_settings, 4, exact);
    answers_of(&s, flat_settings, 3, ungraphed);
    CHECK(fabs(folded(&a, "agree_at_10") - overlap(mine, exact)) < 1e-9, "agree %g, by hand %g",
          folded(&a, "agree_at_10"), overlap(mine, exact));
    CHECK(fabs(folded(&a, "churn_at_10") - (1 - overlap(mine, ungraphed))) < 1e-9, "churn %g, by hand %g",
          folded(&a, "churn_at_10"), 1 - overlap(mine, ungraphed));
    CHECK(overlap(mine, ungraphed) < 1, "a test of churn wants some");
    rag_close(&a);
    rag_set_close(&s);
}

/* Stage one's recall against a double loop in float64. */
static void recall(void)
{
    const struct rag_point p = { two_bits, 3, "", K, 1 };
    struct rag_set s = prepared(&p);
    struct rag_arm a;
    struct err e = { 0 };
    CHECK(rag_open(&a, &s, &p, &e) == ERR_OK, "%s", e.text);
    const struct vectors *v = &pipeline_kb(a.pipeline)->vectors;
    double found = 0, among = 0;
    for (size_t q = 0; q < QUERIES; q++) {
        struct answer answer;
        const float *x = rows_at(s.queries.vectors.rows, q);
        const struct question question = { .id = (int64_t)q, .vector = x, .dim = 16 };
        double score[ENTITIES];
        CHECK(pipeline_query(a.pipeline, &question, K, &answer, &e) == ERR_OK, "%s", e.text);
        for (size_t r = 0; r < v->rows.count; r++) score[r] = point_exact(METRIC_COSINE, x, rows_at(v->rows, r), 16);
        for (size_t i = 0; i < K; i++) {
            size_t best = 0;
            for (size_t r = 1; r < v->rows.count; r++)
                if (score[r] > score[best]) best = r;
            score[best] = -2;
            CHECK(s.truth[q * s.truth_k + i] == v->ids[best], "query %zu: truth %zu", q, i);
            for (size_t c = 0; c < answer.candidate_count; c++) {
                found += c < K && answer.candidates[c].id == v->ids[best];
                among += answer.candidates[c].id == v->ids[best];
            }
        }
    }
    CHECK(fabs(folded(&a, "recall_strict") - found / (QUERIES * K)) < 1e-9, "recall %g, by hand %g",
          folded(&a, "recall_strict"), found / (QUERIES * K));
    CHECK(fabs(folded(&a, "candidate_recall") - among / (QUERIES * K)) < 1e-9, "candidates %g, by hand %g",
          folded(&a, "candidate_recall"), among / (QUERIES * K));
    CHECK(found < QUERIES * K && among > found, "a test of recall wants some misses");
    rag_close(&a);
    rag_set_close(&s);
}

static void times(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        const struct rag_point p = { two_bits, 3, "", K, threads };
        struct rag_set s = prepared(&p);
        struct rag_arm a;
        struct layout l;
        struct row row;
        struct run run = { .id = "r", .machine = "m", .binary = "b" };
        struct err e = { 0 };
        CHECK(rag_open(&a, &s, &p, &e) == ERR_OK, "%s", e.text);
        CHECK(rag_time(&a, &s, 30, 0, &e) == ERR_OK, "%s", e.text);
        CHECK(a.calls.count == 30, "%zu calls", a.calls.count);
        for (size_t c = 0; c < a.calls.count; c++) CHECK(a.calls.us[c] > 0, "call %zu took %g us", c, a.calls.us[c]);
        double stages = 0, mean = 0;
        for (int slot = 0; slot < SLOT_COUNT; slot++) stages += a.stage_us[slot];
        for (size_t c = 0; c < a.calls.count; c++) mean += a.calls.us[c] / 30;
        CHECK(stages > 0 && stages <= mean, "stages take %g us of %g", stages, mean);
        CHECK(a.out[SLOT_RETRIEVE] == 25 && a.out[SLOT_RERANK] == 20, "%g candidates", a.out[SLOT_RETRIEVE]);
        CHECK(layout_init(&l, &e) == ERR_OK && rag_layout(&l, &e) == ERR_OK &&
                  row_init(&row, &l, &e) == ERR_OK,
              "%s", e.text);
        CHECK(rag_row(&row, &run, &s, &a, 0, &e) == ERR_OK, "%s", e.text);
        CHECK(strcmp(row_get(&row, "bits"), "2") == 0 &&
                  strcmp(row_get(&row, "graph_depth"), "2") == 0,
              "settings in the row");
        CHECK(strcmp(row_get(&row, "lat_n"), "30") == 0 && *row_get(&row, "ns_per_vector") == 0,
              "latency in the row");
        row_fini(&row);
        layout_fini(&l);
        rag_close(&a);
        rag_set_close(&s);
    }
}

/* Other settings on a loaded base are what a new pipeline with them would be. */
static void change(void)
{
    static int64_t opened[QUERIES][K];
    const char *const first[] = { "bit_width=8", "graph_depth=1", "context_depth=1", "max_context_entities=2" };
    struct rag_set s;
    struct pipeline *p = NULL;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, db, questions, NULL, &e) == ERR_OK, "%s", e.text);
    answers_of(&s, two_bits, 3, opened);
    CHECK(pipeline_open(&p, db, first, 4, NULL, &e) == ERR_OK, "%s", e.text);
    for (int turn = 0; turn < 2; turn++) {
        struct answer a;
        CHECK(pipeline_change(p, two_bits, 3, &e) == ERR_OK, "%s", e.text);
        for (size_t q = 0; q < QUERIES; q++) {
            const struct question question = { .id = 0, .vector = rows_at(s.queries.vectors.rows, q), .dim = 16 };
            CHECK(pipeline_query(p, &question, K, &a, &e) == ERR_OK, "%s", e.text);
            for (size_t i = 0; i < a.count; i++)
                CHECK(a.results[i].id == opened[q][i], "query %zu, result %zu", q, i);
        }
        CHECK(pipeline_change(p, first, 4, &e) == ERR_OK, "%s", e.text);
        const struct question question = { .id = 0, .vector = rows_at(s.queries.vectors.rows, 0), .dim = 16 };
        CHECK(pipeline_query(p, &question, K, &a, &e) == ERR_OK && a.results[0].context_count <= 2, "%s", e.text);
    }
    const char *const bad[] = { "bit_width=9" };
    CHECK(pipeline_change(p, bad, 1, &e) == ERR_ARG && strstr(e.text, "bit_width=9"), "%s", e.text);
    pipeline_close(p);
    rag_set_close(&s);
}

static uint64_t hash_after(sqlite3 *writer, const char *sql)
{
    struct rag_set s;
    struct err e = { 0 };
    CHECK(sqlite3_exec(writer, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(writer));
    CHECK(rag_set_open(&s, db, questions, NULL, &e) == ERR_OK, "%s", e.text);
    const uint64_t hash = s.hash;
    rag_set_close(&s);
    return hash;
}

/* A point is known by what its base says: not by when that was written, and not by the file, which a
 * writer's log may be ahead of.  Last, as it changes the base. */
static void base_is_hashed_by_content(void)
{
    sqlite3 *writer;
    CHECK(sqlite3_open(db, &writer) == SQLITE_OK, "%s", db);
    const uint64_t made = hash_after(writer, "PRAGMA journal_mode = WAL");
    CHECK(hash_after(writer, "UPDATE kg_entities SET updated_at = 1; VACUUM") == made, "another time is the same base");
    CHECK(hash_after(writer, "DELETE FROM kg_relations WHERE id = 1") != made, "a change in the log is another base");
    sqlite3_close(writer);
}

int main(void)
{
    if (!mkdtemp(folder) || setenv("ASSAY_CACHE", folder, 1) != 0) return TEST_FAIL;
    test_case("a base to work on", make_base);
    test_case("agreement and churn are those of whole pipelines", references);
    test_case("recall is stage one's, against exact cosine", recall);
    test_case("stages and calls are timed", times);
    test_case("a change of settings equals a new pipeline", change);
    test_case("a base is hashed by content", base_is_hashed_by_content);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
