/* SPDX-License-Identifier: MIT
 * test_properties.c - what holds for every stage in the registry, whatever it does. */
#include "kernels/cpu.h"
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

enum { N = 300, DIM = 16, EDGES = 1200, ASKED = 6, K = 12 };

static float x[N][DIM], asked[ASKED][DIM];
static struct kb_edge edges[EDGES + 1];
static char words[ASKED][64]; /* titles are "entity NUMBER": the first word is in all of them */

static float uniform(void) { return (float)(test_rand() >> 40) / (1 << 23) - 1; }

static void make_base(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < DIM; j++) x[i][j] = uniform();
    for (int i = 0; i < ASKED; i++)
        for (int j = 0; j < DIM; j++) asked[i][j] = uniform();
    for (int i = 0; i < ASKED; i++) snprintf(words[i], sizeof words[i], "entity %d %d %d", 3 * i + 1, 40 * i + 7, 290 - i);
    for (int i = 0; i < EDGES; i++)
        edges[i] = (struct kb_edge){ (int64_t)(test_rand() % N) + 1, (int64_t)(test_rand() % N) + 1 };
    kb_make("all.db", N, DIM, x[0], edges);
}

/* The answers of some settings, kept beyond the next query. */
struct outcome {
    int64_t ids[ASKED][K];
    double combined[ASKED][K];
    size_t counts[ASKED];
    uint64_t context[ASKED]; /* of the entities around the results, in order */
};

static void ask_all(struct pipeline *p, struct outcome *out)
{
    for (int i = 0; p && i < ASKED; i++) {
        struct answer a = { 0 };
        const struct question q = { .id = i, .text = words[i], .vector = asked[i], .dim = DIM };
        CHECK(pipeline_query(p, &q, K, &a, &kb_err) == ERR_OK, "%s", kb_err.text);
        out->counts[i] = a.count;
        for (size_t r = 0; r < a.count; r++) {
            const struct result *result = &a.results[r];
            out->ids[i][r] = result->id;
            out->combined[i][r] = result->combined_score;
            out->context[i] = hash64(out->context[i] ^ r, result->context, result->context_count * sizeof(int64_t));
        }
    }
}

static struct outcome outcome_of(const char *name, const char *settings)
{
    struct outcome out = { 0 };
    struct pipeline *p = kb_pipeline(name, settings);
    CHECK(p != NULL, "%s: %s", settings, kb_err.text);
    ask_all(p, &out);
    pipeline_close(p);
    return out;
}

enum { WITHOUT_CONTEXT, WITH_CONTEXT };

static void same(const struct outcome *a, const struct outcome *b, double within, int context, const char *what)
{
    for (int i = 0; i < ASKED; i++) {
        CHECK(a->counts[i] == b->counts[i] && a->counts[i] > 0, "%s: question %d: %zu and %zu results", what, i,
              a->counts[i], b->counts[i]);
        for (size_t r = 0; r < a->counts[i] && r < b->counts[i]; r++)
            CHECK(a->ids[i][r] == b->ids[i][r] && fabs(a->combined[i][r] - b->combined[i][r]) <= within,
                  "%s: question %d, rank %zu: %lld %.9g, %lld %.9g", what, i, r, (long long)a->ids[i][r],
                  a->combined[i][r], (long long)b->ids[i][r], b->combined[i][r]);
        if (context) CHECK(a->context[i] == b->context[i], "%s: question %d: another context", what, i);
    }
}

/* Calls each(settings) for every choice of rerank, expand, score and calibration. */
static void each_choice(void (*each)(const char *rerank, const char *expand, const char *scoring))
{
    static const char *const calibrations[] = { "none", "minmax", "zscore", "percentile" };
    for (size_t r = 0; stage_at(r); r++)
        for (size_t x_ = 0; stage_at(x_); x_++)
            for (size_t s = 0; stage_at(s); s++)
                for (size_t c = 0; c < 4; c++) {
                    char scoring[96];
                    if (stage_at(r)->slot != SLOT_RERANK || stage_at(x_)->slot != SLOT_EXPAND ||
                        stage_at(s)->slot != SLOT_SCORE)
                        continue;
                    snprintf(scoring, sizeof scoring, "score=%s calibration=%s", stage_at(s)->name, calibrations[c]);
                    each(stage_at(r)->name, stage_at(x_)->name, scoring);
                }
}

/* What rerank hands on are candidates, each once; all else in the pool came by expansion. */
static void reranker_of(const char *rerank, const char *expand, const char *scoring)
{
    char settings[300];
    snprintf(settings, sizeof settings, "bit_width=2 top_k_candidates=30 top_k_rerank=25 rerank=%s expand=%s %s "
             "min_combined_score=-1e9", rerank, expand, scoring);
    struct pipeline *p = kb_pipeline("all.db", settings);
    CHECK(p != NULL, "%s", kb_err.text);
    for (int i = 0; p && i < ASKED; i++) {
        struct answer a;
        CHECK(kb_ask(p, asked[i], DIM, K, &a) == ERR_OK, "%s", kb_err.text);
        const struct query *q = pipeline_last(p);
        const size_t kept = a.trace[SLOT_RERANK].out;
        CHECK(kept > 0 && kept <= 25 && a.candidate_count == 30, "%s: %zu of %zu", settings, kept, a.candidate_count);
        for (size_t m = 0; m < q->pool_count; m++) {
            size_t as_candidate = 0, in_pool = 0;
            for (size_t c = 0; c < a.candidate_count; c++)
                as_candidate += a.candidates[c].id == q->kb->graph.ids[q->pool[m].entity];
            for (size_t o = 0; o < q->pool_count; o++) in_pool += q->pool[o].entity == q->pool[m].entity;
            CHECK((m >= kept || as_candidate == 1) && in_pool == 1, "%s: member %zu", settings, m);
        }
        CHECK(strcmp(expand, "none") != 0 || q->pool_count == kept, "%s: nothing expands", settings);
    }
    pipeline_close(p);
}

static void reranker_never_adds(void) { each_choice(reranker_of); }

/* Exact stages and graph_weight 0: every neighbour counts for no more than the last that rerank kept. */
static void expansion_of(const char *rerank, const char *expand, const char *scoring)
{
    char with[300], without[300];
    const char *exact = "retrieve=exact top_k_candidates=300 top_k_rerank=15 graph_weight=0 min_combined_score=-1e9";
    snprintf(with, sizeof with, "%s rerank=%s expand=%s %s", exact, rerank, expand, scoring);
    snprintf(without, sizeof without, "%s rerank=%s expand=none %s", exact, rerank, scoring);
    const struct outcome a = outcome_of("all.db", with), b = outcome_of("all.db", without);
    same(&a, &b, INFINITY, WITHOUT_CONTEXT, with); /* calibrated scores differ with the pool, their order does not */
}

static void expansion_changes_nothing(void) { each_choice(expansion_of); }

static const char *const mixed[] = {
    "", "retrieve=exact", "index=flat", "bit_width=1 graph_depth=2", "score=max_neighbour calibration=minmax",
    "score=degree calibration=zscore min_combined_score=-1e9", "score=ppr expand=none",
    "rerank=memrl memrl_gate=0.5 min_combined_score=-1e9", "filter=quantile", "hyperedges=true edge_direction=out",
    "retrieve=bm25", "retrieve=hybrid", "retrieve=hybrid fusion=weighted bit_width=2", "expand=ppr", "min_combined_score=0.3",
    "min_vector_score=0.1 bit_width=2", "context=bfs context_depth=2", "index=ivf:nlist=8,nprobe=3",
};
enum { MIXED = sizeof mixed / sizeof *mixed };

static void kernels_do_not_matter(void)
{
    for (size_t m = 0; m < MIXED; m++) {
        const struct outcome best = outcome_of("all.db", mixed[m]);
        for (int isa = 0; isa < ISA_COUNT; isa++) {
            struct kernel_set set;
            struct pipeline *p = NULL;
            struct outcome out = { 0 };
            const char *settings[8];
            char copy[200], *save = NULL;
            size_t count = 0;
            if (kernel_set_resolve(&set, isa_name((enum isa)isa), &kb_err) != ERR_OK) continue; /* not on this CPU */
            (void)unlink(kb_path("all.db.assay")); /* each builds its own */
            snprintf(copy, sizeof copy, "%s", mixed[m]);
            for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) settings[count++] = s;
            CHECK(pipeline_open(&p, kb_path("all.db"), settings, count, &set, &kb_err) == ERR_OK, "%s", kb_err.text);
            ask_all(p, &out);
            same(&best, &out, 1e-6, WITH_CONTEXT, isa_name((enum isa)isa));
            pipeline_close(p);
        }
    }
}

static void build_threads_do_not_matter(void)
{
    for (size_t m = 0; m < MIXED; m++) {
        char settings[300];
        const struct outcome one = outcome_of("all.db", mixed[m]);
        (void)unlink(kb_path("all.db.assay"));
        snprintf(settings, sizeof settings, "build_threads=4 %s", mixed[m]);
        const struct outcome four = outcome_of("all.db", settings);
        same(&one, &four, 0, WITH_CONTEXT, settings);
    }
}

/* The same entities and vectors, written last to first; then the relations in another order too. */
static void insertion_does_not_matter(void)
{
    for (int relations = 0; relations < 2; relations++) {
        const char *name = relations ? "relations.db" : "entities.db";
        struct store *s = NULL;
        CHECK(store_open(&s, kb_path(name), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
        for (int64_t id = N; s && id > 0; id--) {
            char title[32];
            snprintf(title, sizeof title, "entity %lld", (long long)id);
            CHECK(store_add_entity(s, id, "doc", title, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
        }
        for (int64_t i = 0; s && i < N; i++) {
            const int64_t id = (i * 7) % N + 1; /* 7 and 300 share no factor */
            CHECK(store_add_vector(s, id, x[id - 1], DIM, &kb_err) == ERR_OK, "%s", kb_err.text);
        }
        for (int i = 0; s && i < EDGES; i++) {
            const struct kb_edge edge = edges[relations ? EDGES - 1 - i : i];
            CHECK(store_add_relation(s, edge.source, edge.target, "link", 0.5, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
        }
        CHECK(s && store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
        store_close(s);
        for (size_t m = 0; m < MIXED; m++) {
            const struct outcome a = outcome_of("all.db", mixed[m]), b = outcome_of(name, mixed[m]);
            /* Sums over neighbours may round otherwise, and context takes neighbours in the order of their relations' ids. */
            same(&a, &b, relations ? 1e-12 : 0, relations ? WITHOUT_CONTEXT : WITH_CONTEXT, mixed[m]);
        }
    }
}

/* Combined scores all 0: then by vector score, and where those are equal by id. */
static void ties(void)
{
    static const float tied[6][2] = { { 0, 1 }, { 1, 0 }, { 1, 1 }, { 2, 0 }, { 1, 0 }, { 1, 1 } };
    static const int64_t want[] = { 2, 4, 5, 3, 6, 1 };
    kb_make("tied.db", 6, 2, tied[0], NULL);
    for (size_t i = 0; stage_at(i); i++) {
        char settings[200];
        struct answer a = { 0 };
        if (stage_at(i)->slot != SLOT_SCORE) continue;
        snprintf(settings, sizeof settings, "retrieve=exact vector_weight=0 graph_weight=0 score=%s", stage_at(i)->name);
        struct pipeline *p = kb_pipeline("tied.db", settings);
        CHECK(p && kb_ask(p, tied[1], 2, 6, &a) == ERR_OK && a.count == 6, "%s", kb_err.text);
        for (size_t r = 0; r < a.count; r++)
            CHECK(a.results[r].id == want[r] && a.results[r].combined_score == 0, "%s: rank %zu is %lld", settings, r,
                  (long long)a.results[r].id);
        pipeline_close(p);
    }
}

/* Stage one without an index is the flat index. */
static void exact_is_flat(void)
{
    const struct outcome a = outcome_of("all.db", "retrieve=exact top_k_candidates=40 top_k_rerank=40"),
                         b = outcome_of("all.db", "index=flat top_k_candidates=40 top_k_rerank=40");
    same(&a, &b, 0, WITH_CONTEXT, "retrieve=exact");
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    make_base();
    test_case("a reranker never adds", reranker_never_adds);
    test_case("exact stages: expansion changes nothing, however it scores", expansion_changes_nothing);
    test_case("kernels do not matter", kernels_do_not_matter);
    test_case("threads that build do not matter", build_threads_do_not_matter);
    test_case("the order of insertion does not matter", insertion_does_not_matter);
    test_case("ties: combined, then vector, then id", ties);
    test_case("retrieve=exact is index=flat", exact_is_flat);
    return kb_end();
}
