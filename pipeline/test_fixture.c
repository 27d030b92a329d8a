/* SPDX-License-Identifier: MIT
 * test_fixture.c - what the Rust engine (v0.11.1) answered, answered again from its own stage one. */
#include "pipeline/check_kb.h"

enum { QUERIES = 20, DIM = 64, RESULTS_MAX = 4096, CONTEXT_MAX = 16 };

struct expected {
    char run[32];
    int query;
    long long id, context[CONTEXT_MAX];
    int context_count;
    double vector_score, graph_score, combined_score;
};
static struct expected expected[RESULTS_MAX];
static size_t expected_count;
static float queries[QUERIES][DIM];
static const char WHY_NOT[] = "needs the engine's fixture (ASSAY_SHARED)";

static int read_expected(void)
{
    FILE *f = fopen(kb_fixture_file("rag_expected.tsv"), "r");
    char line[1024];
    while (f && expected_count < RESULTS_MAX && fgets(line, sizeof line, f)) {
        struct expected *x = &expected[expected_count];
        int read = 0;
        if (sscanf(line, "%31s %d %*d %lld %lf %lf %lf %n", x->run, &x->query, &x->id, &x->vector_score,
                   &x->graph_score,
                   &x->combined_score, &read) != 6)
            continue;
        char *at = line + read, *end;
        for (; x->context_count < CONTEXT_MAX && (x->context[x->context_count] = strtoll(at, &end, 10), end != at);
             at = end + 1)
            x->context_count++;
        expected_count++;
    }
    if (f) fclose(f);
    FILE *q = fopen(kb_fixture_file("queries_f32le.bin"), "rb");
    const int read = q && fread(queries, sizeof queries, 1, q) == 1;
    if (q) fclose(q);
    return read && expected_count > 1000;
}

/* The engine's top 50 of every query, as a replay file. */
static int write_replay(void)
{
    FILE *f = fopen(kb_fixture_file("stage1_expected.tsv"), "r"), *out = fopen(kb_path("replay.tsv"), "w");
    char line[256];
    size_t lines = 0;
    while (f && out && fgets(line, sizeof line, f)) {
        long long query, id;
        char score[64];
        if (sscanf(line, "turboquant_top50 %lld %*d %lld %63s", &query, &id, score) != 3) continue;
        fprintf(out, "%lld\t%lld\t%s\n", query, id, score);
        lines++;
    }
    if (f) fclose(f);
    return out && fclose(out) == 0 && lines == QUERIES * 50;
}

static const struct expected *expected_at(const char *run, int query, size_t rank)
{
    for (size_t i = 0; i < expected_count; i++)
        if (expected[i].query == query && strcmp(expected[i].run, run) == 0 && rank-- == 0) return &expected[i];
    return NULL;
}

static const struct expected *expected_of(const char *run, int query, int64_t id)
{
    for (size_t i = 0; i < expected_count; i++)
        if (expected[i].query == query && expected[i].id == id && strcmp(expected[i].run, run) == 0)
            return &expected[i];
    return NULL;
}

static void compare(const char *run, int query, const struct answer *got)
{
    CHECK(!expected_at(run, query, got->count) && (got->count == 0 || expected_at(run, query, got->count - 1)),
          "%s query %d: %zu results", run, query, got->count);
    for (size_t r = 0; r < got->count; r++) {
        const struct result *have = &got->results[r];
        const struct expected *want = expected_of(run, query, have->id), *there = expected_at(run, query, r);
        CHECK(want != NULL, "%s query %d: result %lld", run, query, (long long)have->id);
        if (!want || !there) return;
        CHECK(fabs(want->vector_score - have->vector_score) <= 1e-6 &&
              fabs(want->graph_score - have->graph_score) <= 1e-6 &&
                  fabs(want->combined_score - have->combined_score) <= 1e-6,
              "%s query %d: scores of %lld", run, query, (long long)have->id);
        /* Another rank is right only among scores closer than the two arithmetics are. */
        CHECK(want == there || fabs(want->combined_score - there->combined_score) < 1e-6, "%s query %d rank %zu",
              run, query, r);
        CHECK(have->entity.id == have->id && have->entity.name[0], "%s query %d: the entity", run, query);
        CHECK(have->context_count == (size_t)want->context_count, "%s query %d: context of %lld", run, query, want->id);
        for (size_t c = 0; c < have->context_count && c < (size_t)want->context_count; c++)
            CHECK(have->context[c] == want->context[c] && have->context_entities[c].id == want->context[c],
                  "%s query %d: context %zu of %lld", run, query, c, want->id);
    }
}

static void run(const char *name, size_t k, const char *stage_one, const char *settings)
{
    char all[1024];
    snprintf(all, sizeof all, "%s %s", stage_one, settings);
    struct pipeline *p = kb_pipeline("fixture.db", all);
    CHECK(p != NULL, "%s: %s", name, kb_err.text);
    if (!p) return;
    for (int i = 0; i < QUERIES; i++) {
        const struct question q = { .id = i, .vector = queries[i], .dim = DIM };
        struct answer a;
        CHECK(pipeline_query(p, &q, k, &a, &kb_err) == ERR_OK, "%s", kb_err.text);
        compare(name, i, &a);
        const size_t most = 1 + (k * (1 + 12) + 63) / 64;
        CHECK(a.sql_statements <= most, "%llu statements", (unsigned long long)a.sql_statements);
    }
    pipeline_close(p);
}

static const char *replay(void)
{
    static char settings[512];
    snprintf(settings, sizeof settings, "compat=true retrieve=replay replay_file=%s", kb_path("replay.tsv"));
    return settings;
}

static const char EXACT[] = "retrieve=index index=flat top_k_candidates=1000000";

static void engine_candidates(void)
{
    if (!expected_count) SKIP(WHY_NOT);
    run("default_k10", 10, replay(), "");
    run("no_expansion_k5", 5, replay(), "enable_graph_expansion=false");
    run("no_expansion_k5", 5, replay(), "expand=none");
    run("depth2_k10", 10, replay(), "graph_depth=2 context_depth=3 max_context_entities=12");
    run("thresholds_k20", 20, replay(), "min_vector_score=0.35 min_combined_score=0.3");
}

/* Its index, read from its own cache row: the only source of the 200 candidates of wide_k50. */
static void engine_index(void)
{
    if (!expected_count) SKIP(WHY_NOT);
    if (!index_find("upstream")) SKIP("this build has no index upstream");
    char index[512];
    snprintf(index, sizeof index, "compat=true retrieve=index index=upstream:db=%s", kb_path("fixture.db"));
    run("default_k10", 10, index, "");
    run("no_expansion_k5", 5, index, "enable_graph_expansion=false");
    run("depth2_k10", 10, index, "graph_depth=2 context_depth=3 max_context_entities=12");
    run("thresholds_k20", 20, index, "min_vector_score=0.35 min_combined_score=0.3");
    run("exhaustive_k10", 10, index, "top_k_candidates=1000000");
    run("wide_k50", 50, index, "top_k_candidates=200 top_k_rerank=100 vector_weight=0.9 graph_weight=0.1");
}

static void exact_candidates(void)
{
    if (!expected_count) SKIP(WHY_NOT);
    run("exhaustive_k10", 10, EXACT, "compat=true");
    /* Exact scores above 0 are all that its threshold of 0 lets through; without it nothing changes here. */
    run("exhaustive_k10", 10, EXACT, "min_vector_score=0");
    if (!index_find("turboquant")) return;
    run("exhaustive_k10", 10, "retrieve=index index=turboquant top_k_candidates=1000000", "compat=true");
    run("exhaustive_k10", 10, "retrieve=index index=turboquant:bits=1 top_k_candidates=1000000", "min_vector_score=0");
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    if (!read_expected() || !write_replay() || !kb_fixture("fixture.db")) expected_count = 0;
    test_case("five configurations from the engine's candidates", engine_candidates);
    test_case("all six configurations from the engine's index", engine_index);
    test_case("exhaustive_k10 from all candidates, by our own stage one", exact_candidates);
    return kb_end();
}
