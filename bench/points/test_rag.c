/* SPDX-License-Identifier: MIT
 * test_rag.c - a pipeline point measured: its references and recalls against pipelines opened by hand. */
#include "bench/kb/kb_build.h"
#include "bench/points/rag.h"
#include "bench/points/rag_judge.h"
#include "bench/points/rag_learn.h"
#include "bench/points/rag_row.h"
#include "bench/points/rag_trec.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "pipeline/stage.h"
#include <math.h>
#include <sqlite3.h>

static char folder[] = P_tmpdir "/assay_rag.XXXXXX";
static char db[128], questions[128], hop_db[128], hop_questions[128], hop_qrels[128];

enum { ENTITIES = 400, QUERIES = 12, K = 10 };

static void generate(const char *kind, const char *wanted)
{
    struct kb_build *build = NULL;
    struct params *params = NULL;
    struct kb_build_counts counts;
    struct err e = { 0 };
    const struct generator_ops *made = generator_find(kind);
    char out[64];
    snprintf(out, sizeof out, "%s/%s", folder, kind);
    const struct kb_build_options options = { .folder = out, .what = kind, .dim = 16, .seed = 1, .threads = 1 };
    CHECK(params_create(&params, made->params, kind, wanted, &e) == ERR_OK, "%s", e.text);
    CHECK(kb_build_open(&build, &options, &e) == ERR_OK, "%s", e.text);
    const struct kb_sink sink = kb_build_sink(build);
    CHECK(made->graph(params, &sink, &e) == ERR_OK, "%s", e.text);
    CHECK(kb_build_commit(build, &counts, &e) == ERR_OK, "%s", e.text);
    kb_build_close(build);
    params_destroy(params);
}

static void make_base(void)
{
    generate("kg", "n=400,dim=16,relations=1600,queries=12,seed=3");
    snprintf(db, sizeof db, "%s/kg/kb.sqlite", folder);
    snprintf(questions, sizeof questions, "%s/kg/query.fvecs", folder);
    snprintf(hop_db, sizeof hop_db, "%s/twohop/kb.sqlite", folder);
    snprintf(hop_questions, sizeof hop_questions, "%s/twohop/query.fvecs", folder);
    snprintf(hop_qrels, sizeof hop_qrels, "%s/twohop/qrels.txt", folder);
    generate("twohop", "n=600,dim=16,queries=40,seed=5,hidden=0.55,rewire=0.4");
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
    const size_t count = a->quality.query_count;
    double scratch[64];
    for (size_t m = 0; metric_at(m) && count <= 64; m++)
        if (strcmp(metric_at(m)->name, name) == 0)
            return metric_folded(metric_at(m), a->quality.values + m * count, count, scratch);
    return NAN;
}

static struct rag_set prepared(const struct rag_point *p)
{
    struct rag_set s;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, db, &(struct question_files){ .questions = questions }, &e) == ERR_OK, "%s", e.text);
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
    const char *const exact_settings[] = { two_bits[1], two_bits[3], two_bits[4] };
    const char *const flat_settings[] = { two_bits[0], two_bits[2], two_bits[5] };
    const struct rag_point p = { two_bits, 3, "", K, 1 };
    struct rag_set s = prepared(&p);
    struct rag_arm a;
    struct err e = { 0 };
    CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
    answers_of(&s, two_bits, 3, mine);
    answers_of(&s, exact_settings, 3, exact);
    answers_of(&s, flat_settings, 3, ungraphed);
    CHECK(fabs(folded(&a, "agree_at_10") - overlap(mine, exact)) < 1e-9, "agree %g, by hand %g",
          folded(&a, "agree_at_10"), overlap(mine, exact));
    CHECK(fabs(folded(&a, "churn_at_10") - (1 - overlap(mine, ungraphed))) < 1e-9, "churn %g, by hand %g",
          folded(&a, "churn_at_10"), 1 - overlap(mine, ungraphed));
    CHECK(overlap(mine, ungraphed) < 1, "a test of churn wants some");
    rag_close(&a);
    rag_set_close(&s);
}

/* The same for other stages: an exact stage one is exact cosine over everything, or all words. */
static void other_references(void)
{
    static int64_t mine[QUERIES][K], exact[QUERIES][K];
    static const char *const cases[][2][4] = {
        { { "rerank=memrl", "bit_width=1", "top_k_candidates=25", "min_combined_score=-1e9" },
          { "rerank=memrl", "index=flat", "top_k_candidates=400", "min_combined_score=-1e9" } },
        { { "bit_width=1", "top_k_rerank=300", "top_k_candidates=30", "graph_weight=0" },
          { "index=flat", "top_k_rerank=300", "top_k_candidates=400", "graph_weight=0" } },
        { { "retrieve=exact", "top_k_candidates=12", "graph_weight=0.5", "top_k_rerank=11" },
          { "index=flat", "top_k_candidates=400", "graph_weight=0.5", "top_k_rerank=11" } },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct rag_point p = { cases[c][0], 4, "", K, 1 };
        struct rag_set s = prepared(&p);
        struct rag_arm a;
        struct err e = { 0 };
        CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
        answers_of(&s, cases[c][0], 4, mine);
        answers_of(&s, cases[c][1], 4, exact);
        CHECK(fabs(folded(&a, "agree_at_10") - overlap(mine, exact)) < 1e-9, "%s: agree %g, by hand %g", cases[c][0][0],
              folded(&a, "agree_at_10"), overlap(mine, exact));
        rag_close(&a);
        rag_set_close(&s);
    }
}

/* Stage one's recall against a double loop in float64. */
static void recall(void)
{
    const struct rag_point p = { two_bits, 3, "", K, 1 };
    struct rag_set s = prepared(&p);
    struct rag_arm a;
    struct err e = { 0 };
    CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
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

/* --- labels: against what trec_eval does, from the files that it would read ------------------------ */
enum { TOPICS = 40, LINES = 2000 };

struct trec_line {
    int topic, id;
    double value; /* score, or grade */
};

struct trec {
    struct trec_line at[LINES];
    size_t count;
};

static void read_trec(struct trec *t, const char *path, const char *format)
{
    FILE *f = fopen(path, "r");
    struct trec_line l;
    t->count = 0;
    CHECK(f != NULL, "%s", path);
    while (f && t->count < LINES && fscanf(f, format, &l.topic, &l.id, &l.value) == 3) t->at[t->count++] = l;
    CHECK(f && feof(f), "%s: line %zu is not \"%s\"", path, t->count + 1, format);
    if (f) fclose(f);
}

/* By topic, then score from high to low, ties by the name of the document from high to low. */
static int trec_order(const void *a, const void *b)
{
    const struct trec_line *x = a, *y = b;
    char p[16], q[16];
    if (x->topic != y->topic) return x->topic - y->topic;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    snprintf(p, sizeof p, "%d", x->id);
    snprintf(q, sizeof q, "%d", y->id);
    return strcmp(q, p);
}

static double grade_of(const struct trec *qrels, int topic, int id)
{
    for (size_t i = 0; i < qrels->count; i++)
        if (qrels->at[i].topic == topic && qrels->at[i].id == id) return qrels->at[i].value;
    return 0;
}

enum measure { RECALL, P, SUCCESS, RECIP_RANK, MAP, NDCG_CUT };

/* trec_eval -c: the mean over the topics of the qrels.  Ties of the ideal order do not matter. */
static double trec_eval(const struct trec *qrels, struct trec *run, enum measure m, size_t cut)
{
    double sum = 0;
    int topics = 0;
    qsort(run->at, run->count, sizeof *run->at, trec_order);
    for (int topic = 0; topic < TOPICS; topic++) {
        double grades[64], relevant = 0, found = 0, first = 0, precisions = 0, gain = 0, ideal = 0;
        size_t judged = 0, rank = 0;
        for (size_t i = 0; i < qrels->count && judged < 64; i++)
            if (qrels->at[i].topic == topic) grades[judged++] = qrels->at[i].value, relevant += qrels->at[i].value > 0;
        if (judged == 0) continue;
        topics++;
        for (size_t i = 0; i < run->count; i++) {
            if (run->at[i].topic != topic) continue;
            const double grade = grade_of(qrels, topic, run->at[i].id);
            if (++rank > cut && m != RECIP_RANK && m != MAP) break;
            if (grade <= 0) continue;
            found++;
            if (!first) first = (double)rank;
            precisions += found / (double)rank;
            gain += grade / log2((double)rank + 1);
        }
        for (size_t r = 0; r < judged && r < cut; r++) { /* the next best grade */
            size_t best = r;
            for (size_t o = r; o < judged; o++) best = grades[o] > grades[best] ? o : best;
            const double grade = grades[best];
            grades[best] = grades[r];
            grades[r] = grade;
            if (grade > 0) ideal += grade / log2((double)r + 2);
        }
        switch (m) {
        case RECALL: sum += relevant ? found / relevant : 0; break;
        case P: sum += found / (double)cut; break;
        case SUCCESS: sum += found > 0; break;
        case RECIP_RANK: sum += first ? 1 / first : 0; break;
        case MAP: sum += relevant ? precisions / relevant : 0; break;
        case NDCG_CUT: sum += ideal > 0 ? gain / ideal : 0; break;
        }
    }
    return sum / topics;
}

/* What trec_eval 10.0-rc3 printed for these. */
static void golden(void)
{
    struct trec qrels = { { { 1, 1, 1 }, { 1, 2, 1 }, { 1, 3, 0 } }, 3 };
    struct trec run = { { { 1, 3, 0.5 }, { 1, 1, 0.5 }, { 1, 2, 0.4 } }, 3 };
    CHECK(trec_eval(&qrels, &run, RECIP_RANK, 0) == 0.5, "RR");
    CHECK(trec_eval(&qrels, &run, RECALL, 2) == 0.5, "recall_2");
    CHECK(fabs(trec_eval(&qrels, &run, NDCG_CUT, 2) - 0.3869) < 5e-5, "ndcg_cut_2 %g",
          trec_eval(&qrels, &run, NDCG_CUT, 2));
    CHECK(trec_eval(&qrels, &run, SUCCESS, 1) == 0, "success_1: the tie goes to the higher name");
    struct trec close = { { { 1, 3, 0.50000001 }, { 1, 1, 0.50000002 } }, 2 };
    CHECK(trec_eval(&qrels, &close, RECIP_RANK, 0) == 1, "scores are double");
    struct trec two = { { { 1, 1, 1 }, { 2, 1, 1 } }, 2 }, one = { { { 1, 2, 2 }, { 1, 1, 1 } }, 2 };
    CHECK(trec_eval(&two, &one, RECIP_RANK, 0) == 0.25, "a topic without results counts as 0");
}

static void open_hops(struct rag_set *s, const struct rag_point *p)
{
    struct err e = { 0 };
    CHECK(rag_set_open(s, hop_db, &(struct question_files){ .questions = hop_questions, .qrels = hop_qrels }, &e) == ERR_OK, "%s", e.text);
    CHECK(rag_prepare(s, p, 50, 1, &e) == ERR_OK, "%s", e.text);
}

/* Every label_* column is what trec_eval makes of the two files; some questions are left without results. */
static void as_trec_eval(void)
{
    static const char *const settings[] = { "vector_weight=0.3", "score=max_neighbour", "min_combined_score=0.62", "graph_weight=0.7" };
    static const struct { const char *column; enum measure m; size_t cut; } columns[] = {
        { "label_recall_at_5", RECALL, 5 }, { "label_recall_at_10", RECALL, 10 }, { "label_p_at_10", P, 10 },
        { "label_success_at_1", SUCCESS, 1 }, { "label_mrr", RECIP_RANK, 0 }, { "label_map", MAP, 0 },
        { "label_ndcg_at_10", NDCG_CUT, 10 },
    };
    static struct trec run, qrels;
    const struct rag_point p = { settings, 4, "", K, 1 };
    struct rag_set s;
    struct rag_arm a;
    size_t nudged = 0;
    struct err e = { 0 };
    char run_file[160], qrels_file[160];
    snprintf(run_file, sizeof run_file, "%s/a.run", folder);
    snprintf(qrels_file, sizeof qrels_file, "%s/a.qrels", folder);
    open_hops(&s, &p);
    s.queries.labels[0].grade = 0; /* judged, with nothing relevant */
    CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
    CHECK(rag_write_run(run_file, &s, &a, &nudged, &e) == ERR_OK && rag_write_qrels(qrels_file, &s, &e) == ERR_OK, "%s", e.text);
    read_trec(&run, run_file, "%d Q0 %d %*d %lf assay\n");
    read_trec(&qrels, qrels_file, "%d 0 %d %lf\n");
    int empty = 0;
    for (int t = 0; t < TOPICS; t++) {
        size_t results = 0;
        for (size_t i = 0; i < run.count; i++) results += run.at[i].topic == t;
        empty += results == 0;
    }
    CHECK(empty > 0 && empty < TOPICS, "some questions without results: %d", empty);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        const double want = trec_eval(&qrels, &run, columns[c].m, columns[c].cut), got = folded(&a, columns[c].column);
        CHECK(fabs(got - want) < 1e-12 && want > 0 && want < 1, "%s: %g, trec_eval %g", columns[c].column, got, want);
    }
    static const struct { const char *name; enum measure m; } by_cut[] = {
        { "recall", RECALL }, { "p", P }, { "success", SUCCESS }, { "ndcg", NDCG_CUT },
    };
    for (size_t cut = 1; cut <= K; cut++) {
        double means[RAG_CUTS];
        rag_cut(&s, &a, cut, means);
        for (size_t m = 0, i; metric_cut_at(m); m++) {
            for (i = 0; i < 4 && strcmp(by_cut[i].name, metric_cut_at(m)->name) != 0;) i++;
            const double want = trec_eval(&qrels, &run, i < 4 ? by_cut[i].m : RECALL, cut); /* one is relevant at most */
            CHECK(fabs(means[m] - want) < 1e-12, "%s at %zu: %g, trec_eval %g", metric_cut_at(m)->name, cut, means[m], want);
        }
    }
    CHECK(rag_write_run("/dev/null/x", &s, &a, &nudged, &e) != ERR_OK, "a file that cannot be");
    rag_close(&a);
    rag_set_close(&s);
}

/* Ceilings never rise but by the graph; what a hop brings in is what the pool of a deeper expansion has more. */
static void ceilings(void)
{
    static const char *const settings[] = { "bit_width=1", "top_k_candidates=20", "graph_depth=2", "top_k_rerank=5",
                                            "filter=quantile", "filter_quantile=0.97" };
    const struct rag_point p = { settings, 6, "", K, 1 };
    double pool[3], reached = 0;
    struct err e = { 0 };
    for (int depth = 0; depth <= 2; depth++) {
        char deep[32];
        snprintf(deep, sizeof deep, "graph_depth=%d", depth);
        const char *const now[] = { settings[0], settings[1], deep, settings[3], settings[4], settings[5] };
        const struct rag_point at = { now, 6, "", K, 1 };
        struct rag_set s;
        struct rag_arm a;
        open_hops(&s, &p);
        CHECK(rag_open(&a, &s, &at, RAG_USUAL | RAG_CEILING, &e) == ERR_OK, "%s", e.text);
        const double candidates = folded(&a, "label_candidate_recall"), kept = folded(&a, "label_rerank_recall");
        pool[depth] = folded(&a, "label_pool_recall");
        CHECK(candidates >= kept && pool[depth] >= folded(&a, "label_recall_at_10"), "depth %d", depth);
        CHECK(depth > 0 || pool[0] == kept, "without a hop the pool is what rerank kept");
        CHECK(folded(&a, "label_filter_loss") >= 0, "a filter adds nothing");
        if (depth == 2) CHECK(folded(&a, "label_filter_loss") > 0.05, "%g", folded(&a, "label_filter_loss"));
        CHECK(a.depth == depth, "%d", a.depth);
        for (int d = 1; d <= depth; d++) /* one relevant entity a question */
            CHECK(fabs(a.hops[d].relevant - (pool[d] - kept)) < 1e-9 && a.hops[d].edges > a.hops[d - 1].edges &&
                      a.hops[d].entities > a.hops[d - 1].entities, "hop %d of %d", d, depth);
        if (depth == 1) {
            /* by hand: the neighbours of what rerank kept */
            struct answer answer;
            double edges = 0;
            for (size_t i = 0; i < TOPICS; i++) {
                const struct question q = { .id = (int64_t)i, .vector = rows_at(s.queries.vectors.rows, i), .dim = 16 };
                CHECK(pipeline_query(a.pipeline, &q, K, &answer, &e) == ERR_OK, "%s", e.text);
                const struct graph *g = &pipeline_kb(a.pipeline)->graph;
                for (size_t m = 0; m < answer.trace[SLOT_RERANK].out; m++) {
                    const uint32_t x = pipeline_last(a.pipeline)->pool[m].entity;
                    edges += (double)(g->start[x + 1] - g->start[x]) / TOPICS;
                }
            }
            CHECK(fabs(edges - a.hops[1].edges) < 1e-9, "%g edges, by hand %g", a.hops[1].edges, edges);
        }
        CHECK(folded(&a, "code_ceiling") > 0.2 && folded(&a, "code_ceiling") < 1, "1 bit: %g",
              folded(&a, "code_ceiling"));
        CHECK(a.read.bytes > 600 * 16 / 8, "%g bytes", a.read.bytes);
        reached = folded(&a, "label_recall_at_10");
        rag_close(&a);
        rag_set_close(&s);
    }
    CHECK(pool[1] > pool[0] && reached > 0, "the planted links lead somewhere: %g, %g", pool[0], pool[1]);
}

/* One file under two names is one point; other utilities under one name are another. */
static void learnt_is_hashed(void)
{
    char path[2][160], setting[2][200], id[3][17];
    struct rag_set s;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, hop_db, &(struct question_files){ .questions = hop_questions }, &e) == ERR_OK, "%s", e.text);
    for (int turn = 0; turn < 3; turn++) {
        const int name = turn != 0;
        snprintf(path[name], sizeof path[name], "%s/learnt%d.tsv", folder, name);
        snprintf(setting[name], sizeof setting[name], "utility_file=%s", path[name]);
        FILE *f = fopen(path[name], "w");
        CHECK(f && fputs(turn == 2 ? "1\t0.25\n" : "1\t0.5\n", f) >= 0 && fclose(f) == 0, "%s", path[name]);
        const char *const settings[] = { "rerank=memrl", setting[name] };
        const struct rag_point p = { settings, 2, "", K, 1 };
        CHECK(rag_point_id(id[turn], &s, &p, &e) == ERR_OK, "%s", e.text);
    }
    CHECK(strcmp(id[0], id[1]) == 0, "the same content, %s and %s", id[0], id[1]);
    CHECK(strcmp(id[1], id[2]) != 0, "another content, one id");
    rag_set_close(&s);
}

/* Two parts of the questions, each once, and no more than have something relevant. */
static void splits(void)
{
    struct rag_set s, some, rest;
    struct err e = { 0 };
    int seen[TOPICS] = { 0 };
    CHECK(rag_set_open(&s, hop_db, &(struct question_files){ .questions = hop_questions, .qrels = hop_qrels }, &e) == ERR_OK, "%s", e.text);
    s.queries.labels[0].grade = 0; /* of one of the questions */
    CHECK(rag_set_split(&some, &rest, &s, 0.3, 1, 1, 1, &e) == ERR_OK, "%s", e.text);
    CHECK(some.queries.count == 11 && rest.queries.count == TOPICS - 1 - 11, "%zu and %zu", some.queries.count,
          rest.queries.count);
    CHECK(some.hash != rest.hash && some.hash != s.hash, "parts are other data");
    for (size_t i = 0; i < some.queries.count; i++) seen[some.queries.ids[i]]++;
    for (size_t i = 0; i < rest.queries.count; i++) seen[rest.queries.ids[i]]++;
    for (int i = 0, lost = 0; i < TOPICS; i++) CHECK(seen[i] == 1 || (seen[i] == 0 && !lost++), "question %d: %d", i, seen[i]);
    rag_set_close(&some);
    rag_set_close(&rest);
    CHECK(rag_set_split(&some, &rest, &s, 0.01, 1, 1, 1, &e) == ERR_ARG && strstr(e.text, "39 questions"), "%s", e.text);
    rag_set_close(&s);
}

/* Utilities move by eq. 4 of MemRL, worked here, and what is written is read back. */
static void learning(void)
{
    enum { HELD = 601, EPOCHS = 3 };
    static const char *const settings[] = { "rerank=memrl", "memrl_alpha=0.5", "min_combined_score=-1e9", "graph_weight=0" };
    const struct rag_point p = { settings, 4, "", K, 1 }, plain = { NULL, 0, "", K, 1 };
    static double want[HELD];
    double first = 0, hits = 0, known = -1;
    size_t moved = 0;
    struct rag_set s;
    struct pipeline *hand = NULL;
    struct rag_lesson lesson;
    struct answer answer;
    struct err e = { 0 };
    char file[160], setting[200];
    snprintf(file, sizeof file, "%s/utility.tsv", folder);
    snprintf(setting, sizeof setting, "utility_file=%s", file);
    open_hops(&s, &p);
    CHECK(rag_learn(&s, &plain, 1, file, &lesson, &e) == ERR_UNSUPPORTED, "%s", e.text);
    CHECK(rag_learn(&s, &p, 1, "/dev/null/x", &lesson, &e) != ERR_OK, "nowhere to write");
    CHECK(rag_learn(&s, &p, EPOCHS, file, &lesson, &e) == ERR_OK, "%s", e.text);
    CHECK(pipeline_open(&hand, hop_db, settings, 4, NULL, &e) == ERR_OK, "%s", e.text);
    for (int epoch = 0; epoch < EPOCHS; epoch++, first = epoch == 1 ? hits : first) {
        hits = 0;
        for (size_t i = 0; i < TOPICS; i++) {
            size_t n, relevant = 0;
            const struct label *labels = queries_labels(&s.queries, i, &n);
            const struct question q = { .id = (int64_t)i, .vector = rows_at(s.queries.vectors.rows, i), .dim = 16 };
            CHECK(pipeline_query(hand, &q, K, &answer, &e) == ERR_OK, "%s", e.text);
            for (size_t r = 0; r < answer.count; r++) relevant += answer.results[r].id == labels[0].id;
            for (size_t r = 0; r < answer.count; r++) {
                double *u = &want[answer.results[r].id];
                *u += 0.5 * ((double)relevant - *u);
                CHECK(pipeline_feedback(hand, &answer.results[r].id, 1, (double)relevant, &e) == ERR_OK, "%s", e.text);
            }
            hits += (double)relevant;
        }
    }
    pipeline_close(hand);
    for (int i = 0; i < HELD; i++) moved += want[i] != 0;
    CHECK(lesson.questions == TOPICS && lesson.entities == moved && moved > 0, "%zu of %zu", lesson.entities, moved);
    CHECK(fabs(lesson.first - first / TOPICS) < 1e-12 && fabs(lesson.last - hits / TOPICS) < 1e-12 && hits > 0 &&
              hits < TOPICS, "%g and %g, by hand %g and %g", lesson.first, lesson.last, first / TOPICS, hits / TOPICS);
    const char *const taught[] = { settings[0], settings[1], settings[2], settings[3], setting };
    CHECK(pipeline_open(&hand, hop_db, taught, 5, NULL, &e) == ERR_OK, "%s", e.text);
    for (int64_t i = 1; i < HELD; i++)
        CHECK(pipeline_utility(hand, i, &known, &e) == ERR_OK && fabs(known - want[i]) < 1e-8, "entity %lld: %g, want %g",
              (long long)i, known, want[i]);
    pipeline_close(hand);
    rag_set_close(&s);
    s = prepared(&p);
    CHECK(rag_learn(&s, &p, 1, file, &lesson, &e) == ERR_ARG && strstr(e.text, "labels"), "%s", e.text);
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
        CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
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

/* Another program adds entities while the base is measured. */
static void changed_meanwhile(void)
{
    const struct rag_point p = { two_bits, 3, "", K, 2 };
    struct rag_set s = prepared(&p);
    struct rag_arm a;
    struct err e = { 0 };
    sqlite3 *writer;
    CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_OK, "%s", e.text);
    CHECK(sqlite3_open(db, &writer) == SQLITE_OK, "%s", db);
    CHECK(sqlite3_exec(writer, "INSERT INTO kg_entities (id, entity_type, name) VALUES (90001, 't', 'new');"
                               "INSERT INTO kg_vectors SELECT 90001, vector, dimension, 0 FROM kg_vectors LIMIT 1",
                       NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(writer));
    CHECK(rag_time(&a, &s, 30, 0, &e) == ERR_BUSY && strstr(e.text, "changed while it was measured"), "%s", e.text);
    rag_close(&a);
    CHECK(rag_open(&a, &s, &p, RAG_USUAL, &e) == ERR_BUSY && strstr(e.text, "changed while it was measured"),
          "nor is another arm measured on it: %s", e.text);
    CHECK(rag_set_still(&s, &e) == ERR_BUSY, "%s", e.text);
    sqlite3_exec(writer, "DELETE FROM kg_vectors WHERE entity_id = 90001; DELETE FROM kg_entities WHERE id = 90001", NULL,
                 NULL, NULL);
    CHECK(rag_set_still(&s, &e) == ERR_OK, "it says the same again: %s", e.text);
    sqlite3_close(writer);
    rag_set_close(&s);
}

/* Other settings on a loaded base are what a new pipeline with them would be. */
static void change(void)
{
    static int64_t opened[QUERIES][K];
    const char *const first[] = { "bit_width=8", "graph_depth=1", "context_depth=1", "max_context_entities=2" };
    struct rag_set s;
    struct pipeline *p = NULL;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, db, &(struct question_files){ .questions = questions }, &e) == ERR_OK, "%s", e.text);
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

/* More results than rows: what is not found is not copied, and the ceiling of exact codes is all there is. */
static void ceiling_beyond_the_rows(void)
{
    static const char *const settings[] = { "index=flat", "top_k_candidates=400", "expand=none" };
    const struct rag_point p = { settings, 3, "", ENTITIES + 50, 1 };
    struct rag_set s;
    struct rag_arm a;
    struct err e = { 0 };
    CHECK(rag_set_open(&s, db, &(struct question_files){ .questions = questions }, &e) == ERR_OK && rag_prepare(&s, &p, ENTITIES + 50, 1, &e) == ERR_OK, "%s", e.text);
    CHECK(rag_open(&a, &s, &p, RAG_CEILING, &e) == ERR_OK, "%s", e.text);
    CHECK(folded(&a, "code_ceiling") == 1, "%g", folded(&a, "code_ceiling"));
    rag_close(&a);
    rag_set_close(&s);
}

/* Of a point that failed before its base was read, n, dim and queries are not known, and so empty. */
static void failed_early(void)
{
    static const char *const unknown[] = { "n", "dim", "queries" };
    const struct rag_point p = { NULL, 0, "", K, 1 };
    struct rag_set s = { .name = "kb.sqlite" };
    const struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct layout l;
    struct row row;
    CHECK(layout_init(&l, NULL) == ERR_OK && rag_layout(&l, NULL) == ERR_OK && row_init(&row, &l, NULL) == ERR_OK, "row");
    rag_identity(&row, &run, &s, &p, 0);
    for (size_t i = 0; i < 3; i++) CHECK(*row_get(&row, unknown[i]) == 0, "%s=%s", unknown[i], row_get(&row, unknown[i]));
    CHECK(strcmp(row_get(&row, "k"), "10") == 0 && *row_get(&row, "point_id"), "what was asked is known");
    s.base_count = 400, s.dim = 16;
    rag_identity(&row, &run, &s, &p, 0);
    CHECK(strcmp(row_get(&row, "n"), "400") == 0 && strcmp(row_get(&row, "dim"), "16") == 0, "n=%s", row_get(&row, "n"));
    row_fini(&row);
    layout_fini(&l);
}

static uint64_t hash_after(sqlite3 *writer, const char *sql)
{
    struct rag_set s;
    struct err e = { 0 };
    CHECK(sqlite3_exec(writer, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(writer));
    CHECK(rag_set_open(&s, db, &(struct question_files){ .questions = questions }, &e) == ERR_OK, "%s", e.text);
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
    test_case("agreement is with the same stages", other_references);
    test_case("golden cases of trec_eval", golden);
    test_case("labels are judged as by trec_eval", as_trec_eval);
    test_case("ceilings of the stages, and what a hop brings in", ceilings);
    test_case("a ceiling of more results than rows", ceiling_beyond_the_rows);
    test_case("a point that failed early says no sizes", failed_early);
    test_case("utilities are learnt", learning);
    test_case("what was learnt is part of a point's id", learnt_is_hashed);
    test_case("some questions apart from the rest", splits);
    test_case("recall is stage one's, against exact cosine", recall);
    test_case("stages and calls are timed", times);
    test_case("a change of settings equals a new pipeline", change);
    test_case("a base that changes meanwhile", changed_meanwhile);
    test_case("a base is hashed by content", base_is_hashed_by_content);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
