/* SPDX-License-Identifier: MIT
 * test_metric.c - metrics against worked cases; the label metrics against trec_eval 10.0-rc3. */
#include "bench/quality/metric.h"
#include "kernels/base/test.h"
#include <math.h>

#define LIST(...) { (const int64_t[]){ __VA_ARGS__ }, sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t) }

static double of(const char *name, const struct evidence *v)
{
    for (size_t i = 0; metric_at(i); i++)
        if (strcmp(metric_at(i)->name, name) == 0) return metric_at(i)->of(v);
    CHECK(0, "no metric %s", name);
    return NAN;
}

static void near(const char *name, const struct evidence *v, double want)
{
    const double got = of(name, v);
    CHECK(isnan(want) ? isnan(got) : fabs(got - want) < 5e-5, "%s: %.6f, wanted %.6f", name, got, want);
}

static void recall(void)
{
    struct evidence v = { .k = 4, .found = LIST(9, 2, 7, 1), .truth = LIST(1, 2, 3, 4, 9) };
    near("recall_strict", &v, 0.5); /* 9 is the fifth: not among the first four */
    near("recall_p5", &v, 0.5);
    near("recall_tie", &v, NAN); /* nothing known about scores */
    near("candidate_recall", &v, NAN);
    near("code_ceiling", &v, NAN);
    v.candidates = (struct id_list)LIST(9, 2, 7, 1, 4);
    near("candidate_recall", &v, 0.75);
    v.decoded = (struct id_list)LIST(4, 3, 2, 1);
    near("code_ceiling", &v, 1);
}

static void nearest_and_coverage(void)
{
    static const int64_t ids[] = { 5, 6, 1, 7, 8, 9, 10, 11, 12, 13 }, exact[] = { 1, 5, 6, 7, 8, 9, 10, 11, 12, 14 };
    struct evidence v = { .k = 10, .found = { ids, 10 }, .truth = { exact, 10 } };
    near("recall_1_at_1", &v, 0);
    near("recall_1_at_2", &v, 0);
    near("recall_1_at_4", &v, 1); /* it is third */
    near("recall_1_at_8", &v, 1);
    near("recall_1_at_16", &v, NAN); /* ten were asked for */
    near("coverage_90", &v, 1); /* nine of ten */
    near("coverage_95", &v, 0);
    v.found.count = 9;
    near("coverage_90", &v, 1);
    v.found.count = 8;
    near("coverage_90", &v, 0);
    v.truth.at = NULL;
    near("coverage_90", &v, NAN);
    near("recall_1_at_1", &v, NAN);
}

static void duplicates_and_missing(void)
{
    struct evidence v = { .k = 4, .found = LIST(1, 1, 1, 1), .truth = LIST(1, 2, 3, 4),
                          .found_scores = (double[]){ 4, 4, 4, 4 }, .truth_scores = (double[]){ 4, 3, 2, 1 } };
    near("recall_strict", &v, 0.25);
    near("recall_tie", &v, 0.25);
    v.found = (struct id_list)LIST(1, 2);
    near("recall_strict", &v, 0.5);
    v.found.count = 0;
    near("recall_strict", &v, 0);
    near("recall_tie", &v, 0);
    /* Fewer vectors than k: all that exist is all that can be asked. */
    v.truth.count = 2;
    v.found = (struct id_list)LIST(2, 1);
    near("recall_strict", &v, 1);
    near("recall_tie", &v, 1);
}

static void ties(void)
{
    struct evidence v = { .k = 2, .found = LIST(1, 3), .truth = LIST(1, 2),
                          .found_scores = (double[]){ 1.0, 0.5 }, .truth_scores = (double[]){ 1.0, 0.5 } };
    near("recall_strict", &v, 0.5);
    near("recall_tie", &v, 1); /* 3 is exactly as near as the second */
    v.found_scores = (double[]){ 1.0, 0.49951 };
    near("recall_tie", &v, 1); /* within 0.1 % of the spread of 0.5 */
    v.found_scores = (double[]){ 1.0, 0.49949 };
    near("recall_tie", &v, 0.5);
    /* The scale of the scores does not matter. */
    v.found_scores = (double[]){ 1000.0, 499.51 };
    v.truth_scores = (double[]){ 1000.0, 500.0 };
    near("recall_tie", &v, 1);
}

static void agreement(void)
{
    struct evidence v = { .k = 10, .answers = LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
                          .exact_answers = LIST(1, 2, 3, 4, 5, 6, 7, 8, 11, 12) };
    near("agree_at_10", &v, 0.8);
    near("churn_at_10", &v, NAN);
    v.ungraphed_answers = (struct id_list)LIST(10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    near("churn_at_10", &v, 0); /* order is not membership */
    v.ungraphed_answers = (struct id_list)LIST(1, 2, 3, 4, 5);
    near("churn_at_10", &v, 0.5);
    v.answers.count = v.ungraphed_answers.count = 0;
    near("churn_at_10", &v, 0); /* both empty: nothing changed */
    near("agree_at_10", &v, 0);
    v.k = 5;
    near("agree_at_10", &v, NAN);
}

/* qrels q1 {a:1, b:1, c:0}; run c .5, a .5, b .4: trec_eval breaks the tie by document descending,
 * so the ranked list is c, a, b. */
static void trec_golden(void)
{
    enum { A = 1, B = 2, C = 3 };
    const struct label labels[] = { { A, 1 }, { B, 1 }, { C, 0 } };
    struct evidence v = { .k = 10, .answers = LIST(C, A, B), .labels = labels, .label_count = 3 };
    near("label_mrr", &v, 0.5);
    near("label_recall_at_10", &v, 1);
    /* Cut after two, by hand as trec_eval's ndcg_cut_2 = .3869 and recall_2 = .5. */
    v.answers.count = 2;
    near("label_recall_at_10", &v, 0.5);
    near("label_ndcg_at_10", &v, 0.3869);
    /* Scores .50000001 / .50000002 in double: a comes first. */
    v.answers = (struct id_list)LIST(A, C, B);
    near("label_mrr", &v, 1);
    v.answers.count = 0; /* a topic without results is a 0, not a gap */
    near("label_mrr", &v, 0);
    near("label_recall_at_10", &v, 0);
    near("label_ndcg_at_10", &v, 0);
    v.labels = NULL;
    near("label_mrr", &v, NAN);
}

/* qrels q1 {a}, q2 {a}; the run has q1 only: with -c the mean RR is .25 for a first hit at rank 2. */
static void trec_missing_topic(void)
{
    const struct label labels[] = { { 1, 1 } };
    struct evidence q1 = { .k = 10, .answers = LIST(3, 1), .labels = labels, .label_count = 1 };
    struct evidence q2 = { .k = 10, .answers = { (const int64_t[]){ 0 }, 0 }, .labels = labels, .label_count = 1 };
    const double values[] = { of("label_mrr", &q1), of("label_mrr", &q2), NAN };
    double scratch[3];
    const struct metric_ops mean = { .fold = METRIC_MEAN };
    const double got = metric_folded(&mean, values, 3, scratch);
    CHECK(fabs(got - 0.25) < 1e-12, "%g", got);
}

/* Graded labels, worked with linear gain: 3 at rank 2, 1 at rank 3; ideal 3, 2, 1. */
static void graded(void)
{
    const struct label labels[] = { { 7, 3 }, { 8, 2 }, { 9, 1 }, { 5, 0 }, { 6, -1 } };
    const struct evidence v = { .k = 10, .answers = LIST(6, 7, 9, 7, 7), .labels = labels, .label_count = 5 };
    const double gain = 3 / log2(3) + 1 / log2(4), ideal = 3 + 2 / log2(3) + 1 / log2(4);
    near("label_ndcg_at_10", &v, gain / ideal);
    near("label_recall_at_10", &v, 2.0 / 3);
    near("label_mrr", &v, 0.5);
}

/* Relevant 1, 2, 3 of grades 1; answers hold 2 at rank 2 and 1 at rank 4. */
static void other_measures(void)
{
    const struct label labels[] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 0 } };
    struct evidence v = { .k = 10, .answers = LIST(9, 2, 4, 1, 8, 7), .labels = labels, .label_count = 4 };
    near("label_map", &v, (1.0 / 2 + 2.0 / 4) / 3);
    near("label_p_at_10", &v, 0.2);
    near("label_success_at_1", &v, 0);
    near("label_recall_at_5", &v, 2.0 / 3);
    near("label_all_recall_at_5", &v, 0);
    v.answers = (struct id_list)LIST(2, 1, 9, 9, 9, 3);
    near("label_success_at_1", &v, 1);
    near("label_recall_at_5", &v, 2.0 / 3);
    near("label_all_recall_at_5", &v, 0);
    near("label_all_recall_at_10", &v, 1);
    near("label_map", &v, (1 + 1 + 3.0 / 6) / 3);
    v.k = 5;
    near("label_all_recall_at_10", &v, NAN);
    near("label_p_at_10", &v, NAN);
    near("label_recall_at_5", &v, 2.0 / 3);
    v.k = 4;
    near("label_recall_at_5", &v, NAN);
    v.label_count = 0;
    near("label_map", &v, NAN);
    near("label_success_at_1", &v, NAN);
    near("label_all_recall_at_5", &v, NAN);
}

/* One of four is lost at every stage, and the graph brings one back. */
static void ceilings(void)
{
    const struct label labels[] = { { 1, 2 }, { 2, 1 }, { 3, 1 }, { 4, 1 } };
    struct evidence v = { .k = 2, .labels = labels, .label_count = 4, .candidates = LIST(1, 9, 2, 8, 3),
                          .reranked = LIST(1, 2, 9), .pool = LIST(1, 2, 9, 4), .unfiltered = LIST(4, 1),
                          .answers = LIST(1, 9) };
    near("label_candidate_recall", &v, 0.75);
    near("label_rerank_recall", &v, 0.5);
    near("label_pool_recall", &v, 0.75);
    near("label_filter_loss", &v, 0.25);
    v.pool.at = NULL; /* an index has no pool */
    near("label_pool_recall", &v, NAN);
    v.labels = NULL;
    near("label_candidate_recall", &v, NAN);
    near("label_filter_loss", &v, NAN);
}

/* Cut-offs by hand: relevant 1 (grade 2) and 2 (grade 1); results 9, 2, 1. */
static void cuts(void)
{
    static const struct { size_t cut; const char *name; double want; } cases[] = {
        { 1, "recall", 0 }, { 2, "recall", 0.5 }, { 3, "recall", 1 }, { 4, "recall", NAN },
        { 2, "all_recall", 0 }, { 3, "all_recall", 1 }, { 4, "all_recall", NAN },
        { 1, "p", 0 }, { 2, "p", 0.5 }, { 3, "p", 2.0 / 3 }, { 4, "p", NAN },
        { 1, "success", 0 }, { 2, "success", 1 }, { 4, "success", NAN },
        { 1, "ndcg", 0 }, { 2, "ndcg", 0.63093 / 2.63093 }, { 3, "ndcg", 1.63093 / 2.63093 }, { 4, "ndcg", NAN },
    };
    const struct label labels[] = { { 1, 2 }, { 2, 1 }, { 3, 0 } };
    struct evidence v = { .k = 3, .answers = LIST(9, 2, 1), .labels = labels, .label_count = 3 }, none = { .k = 3 };
    none.answers = v.answers;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t m = 0;
        while (metric_cut_at(m) && strcmp(metric_cut_at(m)->name, cases[c].name) != 0) m++;
        const double got = metric_cut_at(m)->of(&v, cases[c].cut), want = cases[c].want;
        CHECK(isnan(want) ? isnan(got) : fabs(got - want) < 5e-6, "%s at %zu: %g", cases[c].name, cases[c].cut, got);
        CHECK(isnan(metric_cut_at(m)->of(&none, 1)), "%s without labels", cases[c].name);
    }
}

/* trec_eval -c averages over the judged questions: one with nothing relevant is a 0 in every mean. */
static void nothing_relevant(void)
{
    static const char *const names[] = { "label_mrr", "label_map", "label_ndcg_at_10", "label_p_at_10", "label_recall_at_5",
                                         "label_recall_at_10", "label_success_at_1", "label_all_recall_at_5",
                                         "label_all_recall_at_10", "label_candidate_recall", "label_pool_recall" };
    const struct label labels[] = { { 1, 0 }, { 2, -1 } };
    struct evidence v = { .k = 10, .answers = LIST(1, 2, 3), .labels = labels, .label_count = 2, .candidates = LIST(1, 2),
                          .pool = LIST(1) };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) near(names[i], &v, 0);
    v.labels = NULL;
    v.label_count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) near(names[i], &v, NAN);
}

static void folds(void)
{
    const struct metric_ops p5 = { .fold = METRIC_P5 }, mean = { .fold = METRIC_MEAN };
    double values[40], scratch[40];
    for (int i = 0; i < 40; i++) values[i] = 40 - i;
    CHECK(metric_folded(&p5, values, 40, scratch) == 2, "%g", metric_folded(&p5, values, 40, scratch));
    CHECK(metric_folded(&p5, values, 1, scratch) == 40, "one value is its own tail");
    for (int i = 0; i < 40; i++) values[i] = NAN;
    CHECK(isnan(metric_folded(&mean, values, 40, scratch)), "no value, no mean");
}

static void described(void)
{
    for (size_t i = 0; i < metric_count(); i++) {
        const struct metric_ops *m = metric_at(i);
        CHECK(metric_find(m->name) == m, "%s is found by its name", m->name);
        CHECK(m->label && *m->label && m->summary && *m->summary, "%s has a label and a summary", m->name);
        for (size_t j = 0; m->label && j < i; j++)
            CHECK(strcmp(m->label, metric_at(j)->label) != 0, "%s and %s: one label", m->name, metric_at(j)->name);
    }
    CHECK(!metric_find("no_such_metric"), "found what is not there");
}

int main(void)
{
    test_case("recall by id, candidates, ceiling", recall);
    test_case("a duplicate and a missing id count nothing", duplicates_and_missing);
    test_case("ties are relative to the spread", ties);
    test_case("agree_at_10 and churn_at_10", agreement);
    test_case("trec_eval golden case", trec_golden);
    test_case("a topic without results is averaged as 0", trec_missing_topic);
    test_case("graded labels have linear gain", graded);
    test_case("other measures of trec_eval", other_measures);
    test_case("ceilings of the stages", ceilings);
    test_case("cut-offs", cuts);
    test_case("judged, and nothing relevant", nothing_relevant);
    test_case("mean and tail over queries", folds);
    test_case("every metric says what it is", described);
    return test_end();
}
