/* SPDX-License-Identifier: MIT
 * test_stages.c - the alternatives of every slot against plain arithmetic over an adjacency matrix. */
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

enum { N = 60, DIM = 8, EDGES = 170 };

static float x[N][DIM], question[DIM];
static struct kb_edge edges[EDGES + 1];
static int linked[N][N];
static double cosine[N];
static int in_pool[N], pool_count;

static float uniform(void) { return (float)(test_rand() >> 40) / (1 << 23) - 1; }

static void make_base(void)
{
    double norm = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < DIM; j++) x[i][j] = uniform();
    for (int j = 0; j < DIM; j++) question[j] = uniform(), norm += (double)question[j] * question[j];
    for (int i = 0; i < EDGES; i++) {
        const int a = (int)(test_rand() % N), b = (int)(test_rand() % (N - 5)); /* self loops and repeats happen */
        edges[i] = (struct kb_edge){ a + 1, b + 1 };
        if (a != b) linked[a][b] = linked[b][a] = 1;
    }
    for (int i = 0; i < N; i++) {
        double dot = 0, own = 0;
        for (int j = 0; j < DIM; j++) dot += (double)x[i][j] * question[j], own += (double)x[i][j] * x[i][j];
        cosine[i] = dot / sqrt(own * norm);
    }
    kb_make("stages.db", N, DIM, x[0], edges);
}

/* Runs a pipeline whose results are its whole pool, and notes which entities those are. */
static struct pipeline *whole_pool(const char *settings, struct answer *a)
{
    char all[512];
    snprintf(all, sizeof all,
             "index=flat top_k_candidates=25 top_k_rerank=25 expand=none %s %s",
             strstr(settings, "filter=") ? "" : "min_combined_score=-1e9", settings);
    struct pipeline *p = kb_pipeline("stages.db", all);
    CHECK(p && kb_ask(p, question, DIM, N, a) == ERR_OK, "%s: %s", settings, kb_err.text);
    memset(in_pool, 0, sizeof in_pool);
    pool_count = (int)a->count;
    for (size_t i = 0; i < a->count; i++) in_pool[a->results[i].id - 1] = 1;
    return p;
}

static int near(double a, double b) { return fabs(a - b) <= 1e-6 * (1 + fabs(b)); }

static void graph_scores(void)
{
    static const char *const kinds[] = { "pool_fraction", "degree", "max_neighbour" };
    for (int kind = 0; kind < 3; kind++) {
        struct answer a = { 0 };
        char setting[64];
        snprintf(setting, sizeof setting, "score=%s", kinds[kind]);
        struct pipeline *p = whole_pool(setting, &a);
        CHECK(a.count == 25, "%zu", a.count);
        for (size_t r = 0; r < a.count; r++) {
            const int i = (int)a.results[r].id - 1;
            int inside = 0, degree = 0, any = 0;
            double best = 0;
            for (int j = 0; j < N; j++) {
                degree += linked[i][j];
                if (!linked[i][j] || !in_pool[j]) continue;
                inside++;
                if (!any || cosine[j] > best) best = cosine[j];
                any = 1;
            }
            const double want = kind == 0 ? inside / 24.0 : kind == 1 ? (degree ? (double)inside / degree : 0) : best;
            CHECK(near(a.results[r].graph_score, want), "%s of %d: %g, want %g", kinds[kind], i + 1,
                  a.results[r].graph_score, want);
            CHECK(near(a.results[r].combined_score, 0.6 * cosine[i] + 0.4 * want), "%s: combined", kinds[kind]);
        }
        pipeline_close(p);
    }
}

/* Where the walker is after many steps, over the pool only or over everything. */
static void walk_matrix(const double *start, const int *member, double damping, double *rank)
{
    double next[N];
    memcpy(rank, start, N * sizeof *rank);
    for (int round = 0; round < 400; round++) {
        memset(next, 0, sizeof next);
        for (int i = 0; i < N; i++) {
            int ways = 0;
            for (int j = 0; j < N; j++) ways += linked[i][j] && member[j];
            for (int j = 0; j < N; j++) {
                next[j] += (1 - damping) * start[j] * rank[i];
                if (ways == 0) next[j] += damping * rank[i] * start[j];
                else if (linked[i][j] && member[j]) next[j] += damping * rank[i] / ways;
            }
        }
        memcpy(rank, next, sizeof next);
    }
}

static void start_of_pool(double *start)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += in_pool[i] && cosine[i] > 0 ? cosine[i] : 0;
    for (int i = 0; i < N; i++) start[i] = in_pool[i] && cosine[i] > 0 ? cosine[i] / sum : 0;
}

static void score_by_pagerank(void)
{
    static const char *const damping[] = { "0.5", "0.9", "0" };
    for (int d = 0; d < 3; d++) {
        struct answer a = { 0 };
        char setting[64];
        double start[N], rank[N], most = 0;
        snprintf(setting, sizeof setting, "score=ppr ppr_damping=%s", damping[d]);
        struct pipeline *p = whole_pool(setting, &a);
        start_of_pool(start);
        walk_matrix(start, in_pool, atof(damping[d]), rank);
        for (int i = 0; i < N; i++) most = rank[i] > most ? rank[i] : most;
        for (size_t r = 0; r < a.count; r++)
            CHECK(near(a.results[r].graph_score, rank[a.results[r].id - 1] / most), "damping %s: %g, want %g",
                  damping[d],
                  a.results[r].graph_score, rank[a.results[r].id - 1] / most);
        pipeline_close(p);
    }
}

static void calibrations(void)
{
    static const char *const kinds[] = { "minmax", "zscore", "percentile" };
    for (int kind = 0; kind < 3; kind++) {
        struct answer a = { 0 };
        char setting[96];
        snprintf(setting, sizeof setting, "calibration=%s graph_weight=0.25 vector_weight=0.75", kinds[kind]);
        struct pipeline *p = whole_pool(setting, &a);
        const double n = (double)a.count;
        for (size_t r = 0; r < a.count; r++) {
            double want = 0;
            for (int graph = 0; graph < 2; graph++) {
                double low = INFINITY, high = -INFINITY, sum = 0, squares = 0, less = 0, same = 0;
                const double mine = graph ? a.results[r].graph_score : a.results[r].vector_score;
                for (size_t o = 0; o < a.count; o++) {
                    const double s = graph ? a.results[o].graph_score : a.results[o].vector_score;
                    low = fmin(low, s), high = fmax(high, s), sum += s, squares += s * s;
                    less += s < mine, same += s == mine;
                }
                const double sd = sqrt(squares / n - sum / n * sum / n);
                const double value = kind == 0 ? (mine - low) / (high - low) : kind == 1 ? (mine - sum / n) / sd
                                                                                         : (less + 0.5 * same) / n;
                want += (graph ? 0.25 : 0.75) * value;
            }
            CHECK(near(a.results[r].combined_score, want), "%s: %g, want %g", kinds[kind],
                  a.results[r].combined_score, want);
        }
        pipeline_close(p);
    }
    struct answer a = { 0 };
    for (int kind = 0; kind < 3; kind++) { /* a pool of one: nothing to divide by */
        char setting[96];
        snprintf(setting, sizeof setting, "top_k_candidates=1 calibration=%s", kinds[kind]);
        struct pipeline *p = whole_pool(setting, &a);
        CHECK(a.count == 1 && isfinite(a.results[0].combined_score), "%s", kinds[kind]);
        pipeline_close(p);
    }
}

static void expand_by_pagerank(void)
{
    struct answer a = { 0 };
    double start[N], rank[N];
    int seeds[N], everyone[N];
    for (int i = 0; i < N; i++) everyone[i] = 1;
    struct pipeline *p = whole_pool("top_k_rerank=6", &a);
    pipeline_close(p);
    memcpy(seeds, in_pool, sizeof seeds);
    start_of_pool(start);
    walk_matrix(start, everyone, 0.5, rank);
    p = whole_pool("top_k_rerank=6 expand=ppr max_expansion=9 ppr_epsilon=1e-9", &a);
    CHECK(a.count == 15, "%zu", a.count);
    double least = INFINITY;
    for (int i = 0; i < N; i++)
        if (in_pool[i] && !seeds[i] && rank[i] < least) least = rank[i];
    for (int i = 0; i < N; i++) CHECK(in_pool[i] || rank[i] <= least + 1e-7, "entity %d was passed over", i + 1);
    for (size_t r = 0; r < a.count; r++)
        CHECK(near(a.results[r].vector_score, cosine[a.results[r].id - 1]), "exact scores");
    struct answer again;
    CHECK(kb_ask(p, question, DIM, N, &again) == ERR_OK && again.count == 15,
          "nothing is left over from the query before");
    pipeline_close(p);
    p = whole_pool("top_k_rerank=6 expand=ppr max_expansion=0", &a);
    CHECK(a.count == 6, "%zu", a.count);
    pipeline_close(p);
}

static void quantile(void)
{
    struct answer all = { 0 }, some = { 0 };
    int64_t ids[N];
    struct pipeline *p = whole_pool("", &all);
    for (size_t i = 0; i < all.count; i++) ids[i] = all.results[i].id;
    pipeline_close(p);
    static const struct { const char *share; size_t left; } cases[] = { { "0", 25 }, { "0.5", 13 }, { "0.9", 3 },
                                                                        { "1", 0 } };
    for (size_t c = 0; c < 4; c++) {
        char setting[64];
        snprintf(setting, sizeof setting, "filter=quantile filter_quantile=%s", cases[c].share);
        p = whole_pool(setting, &some);
        CHECK(some.count == cases[c].left, "%s: %zu", cases[c].share, some.count);
        for (size_t i = 0; i < some.count; i++) CHECK(some.results[i].id == ids[i], "%s: rank %zu", cases[c].share, i);
        pipeline_close(p);
    }
}

static void memrl(void)
{
    struct answer a = { 0 };
    struct pipeline *p = whole_pool("rerank=memrl memrl_lambda=0 graph_weight=0 vector_weight=1", &a);
    for (size_t i = 1; i < a.count; i++)
        CHECK(a.results[i - 1].vector_score >= a.results[i].vector_score, "lambda 0 is cosine");
    pipeline_close(p);
    p = whole_pool("rerank=memrl memrl_lambda=0.5 memrl_alpha=0.3 graph_weight=0 vector_weight=1", &a);
    const int64_t last = a.results[a.count - 1].id;
    double q = -1, want = 0;
    for (int i = 0; i < 20; i++) {
        CHECK(pipeline_feedback(p, &last, 1, 1, &kb_err) == ERR_OK, "%s", kb_err.text);
        want += 0.3 * (1 - want);
    }
    CHECK(pipeline_utility(p, last, &q, &kb_err) == ERR_OK && near(q, want), "%g, want %g", q, want);
    CHECK(kb_ask(p, question, DIM, N, &a) == ERR_OK && a.results[0].id == last, "what earned most comes first");
    /* z by z: the scale of the pool, half and half */
    double s = 0, ss = 0, u = 0, uu = 0, n = (double)a.count;
    for (size_t i = 0; i < a.count; i++) {
        const double c = a.results[i].vector_score, v = a.results[i].id == last ? want : 0;
        s += c, ss += c * c, u += v, uu += v * v;
    }
    for (size_t i = 0; i < a.count; i++) {
        const double v = a.results[i].id == last ? want : 0, zs =
            (a.results[i].vector_score - s / n) / sqrt(ss / n - s / n * s / n),
                     zu = (v - u / n) / sqrt(uu / n - u / n * u / n);
        CHECK(fabs(a.results[i].combined_score - (0.5 * zs + 0.5 * zu)) < 1e-5, "eq. 7: %g, want %g",
              a.results[i].combined_score,
              0.5 * zs + 0.5 * zu);
    }
    kb_sql("stages.db", "INSERT INTO kg_entities (id, entity_type, name) VALUES (1000, 't', 'n')");
    CHECK(kb_ask(p, question, DIM, N, &a) == ERR_OK && pipeline_utility(p, last, &q, &kb_err) == ERR_OK && near(q,
                                                                                                                want),
          "what was learnt outlives a change of the base");
    const int64_t unknown = 12345;
    CHECK(pipeline_feedback(p, &unknown, 1, 1, &kb_err) == ERR_NOT_FOUND, "%s", kb_err.text);
    CHECK(pipeline_feedback(p, &last, 1, NAN, &kb_err) == ERR_ARG, "%s", kb_err.text);
    pipeline_close(p);
    p = whole_pool("", &a);
    CHECK(pipeline_feedback(p, &last, 1, 1, &kb_err) == ERR_UNSUPPORTED, "%s", kb_err.text);
    pipeline_close(p);
    FILE *f = fopen(kb_path("q.tsv"), "w");
    CHECK(f && fprintf(f, "# learnt\n%lld\t0.5\n", (long long)last) > 0 && fclose(f) == 0, "write");
    char setting[400];
    snprintf(setting, sizeof setting, "rerank=memrl utility_file=%s memrl_gate=0.5", kb_path("q.tsv"));
    p = whole_pool(setting, &a);
    CHECK(pipeline_utility(p, last, &q, &kb_err) == ERR_OK && q == 0.5, "from the file");
    CHECK(a.count > 0 && a.count <= 25, "%zu", a.count);
    for (size_t i = 0; i < a.count; i++) CHECK(a.results[i].vector_score > -0.2, "above the median of pairs");
    pipeline_close(p);
}

static void context_orders(void)
{
    struct answer first = { 0 }, plain = { 0 };
    struct pipeline *p = whole_pool("context=pool_first context_depth=2 max_context_entities=60", &first);
    struct pipeline *b = whole_pool("context=bfs context_depth=2 max_context_entities=60", &plain);
    CHECK(first.count == plain.count, "one pool");
    for (size_t r = 0; r < first.count; r++) {
        const struct result *f = &first.results[r], *n = &plain.results[r];
        int64_t want[N];
        size_t count = 0;
        for (int inside = 1; inside >= 0; inside--)
            for (size_t c = 0; c < n->context_count; c++)
                if (in_pool[n->context[c] - 1] == inside) want[count++] = n->context[c];
        CHECK(f->id == n->id && f->context_count == count, "result %zu", r);
        for (size_t c = 0; c < count && c < f->context_count; c++)
            CHECK(f->context[c] == want[c], "result %zu context %zu", r, c);
    }
    pipeline_close(p);
    pipeline_close(b);
    /* A short budget is the beginning of a long one. */
    p = whole_pool("context_depth=3 max_context_entities=60", &first);
    b = whole_pool("context_depth=3 max_context_entities=4", &plain);
    for (size_t r = 0; r < plain.count; r++)
        for (size_t c = 0; c < plain.results[r].context_count; c++)
            CHECK(plain.results[r].context[c] == first.results[r].context[c], "result %zu context %zu", r, c);
    pipeline_close(p);
    pipeline_close(b);
}

static size_t text_of_entity(const struct entity *e) { return strlen(e->type) + strlen(e->name) + strlen(e->properties); }

/* As many entities as fit, in their order, and not one more. */
static void context_bytes(void)
{
    struct answer all = { 0 }, some = { 0 };
    struct pipeline *p = whole_pool("context_depth=2 max_context_entities=60", &all);
    for (size_t budget = 1; budget < 2000; budget += 97) {
        char settings[128];
        size_t cut = 0;
        snprintf(settings, sizeof settings, "context_depth=2 max_context_entities=60 max_context_bytes=%zu", budget);
        struct pipeline *b = whole_pool(settings, &some);
        uint64_t attached = 0;
        for (size_t r = 0; r < some.count; r++) attached += some.results[r].context_count;
        CHECK(some.count == all.count, "results stay");
        CHECK(some.trace[SLOT_CONTEXT].out == attached, "the trace says %llu, there are %llu",
              (unsigned long long)some.trace[SLOT_CONTEXT].out, (unsigned long long)attached);
        for (size_t r = 0; r < some.count; r++) {
            const struct result *f = &all.results[r], *n = &some.results[r];
            size_t bytes = 0;
            for (size_t c = 0; c < n->context_count; c++) {
                CHECK(n->context[c] == f->context[c] && n->context_entities[c].id == f->context[c], "%zu: %zu", r, c);
                CHECK(strcmp(n->context_entities[c].name, f->context_entities[c].name) == 0, "%zu: %zu", r, c);
                bytes += text_of_entity(&n->context_entities[c]);
            }
            CHECK(bytes <= budget, "%zu of %zu bytes", bytes, budget);
            CHECK(strcmp(n->entity.name, f->entity.name) == 0, "the result itself");
            if (n->context_count == f->context_count) continue;
            cut++;
            CHECK(bytes + text_of_entity(&f->context_entities[n->context_count]) > budget, "one more fits");
        }
        CHECK(budget > 100 || cut > 0, "%zu bytes cut nothing", budget);
        pipeline_close(b);
    }
    pipeline_close(p);
}

static void twins(void)
{
    for (size_t i = 0; stage_at(i); i++) {
        const struct stage_ops *s = stage_at(i), *twin = s->exact_twin ? stage_find(SLOT_RETRIEVE, s->exact_twin) : NULL;
        if (!s->exact_twin) continue;
        CHECK(s->slot == SLOT_RETRIEVE, "%s: only a retrieve stage has an exact twin", s->name);
        CHECK(twin && twin->exact_twin && strcmp(twin->exact_twin, twin->name) == 0, "%s: %s is exact itself", s->name,
              s->exact_twin);
    }
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    make_base();
    test_case("graph scores", graph_scores);
    test_case("exact twins of retrieve stages", twins);
    test_case("score=ppr", score_by_pagerank);
    test_case("calibrations", calibrations);
    test_case("expand=ppr", expand_by_pagerank);
    test_case("filter=quantile", quantile);
    test_case("rerank=memrl", memrl);
    test_case("orders of context", context_orders);
    test_case("context within so many bytes", context_bytes);
    return kb_end();
}
