/* SPDX-License-Identifier: MIT
 * test_tune.c - a planted best setting is found, its equals are not called worse, and what is reported was not
 * used to choose. */
#include "bench/kb/kb_build.h"
#include "bench/sweep/tune.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "pipeline/store.h"
#include <math.h>
#include <yaml.h> /* not used here: a bare worker has no sweeps */

static char folder[] = P_tmpdir "/assay_tune.XXXXXX";
static char db[128], questions[128], qrels[128];

static const struct tune_request usual = { .max_p99_us = 1e9, .held_out = 0.4, .seed = 3, .least_calls = 500, .most = 4 };

static void make_base(void)
{
    struct kb_build *build = NULL;
    struct params *params = NULL;
    struct kb_build_counts counts;
    struct err e = { 0 };
    const struct generator_ops *twohop = generator_find("twohop");
    const struct kb_build_options options = { .folder = folder, .what = "twohop", .dim = 16, .seed = 1, .threads = 1 };
    CHECK(params_create(&params, twohop->params, "twohop", "n=600,dim=16,queries=60,seed=5,hidden=0.6", &e) == ERR_OK &&
              kb_build_open(&build, &options, &e) == ERR_OK, "%s", e.text);
    const struct kb_sink sink = kb_build_sink(build);
    CHECK(twohop->graph(params, &sink, &e) == ERR_OK && kb_build_commit(build, &counts, &e) == ERR_OK, "%s", e.text);
    kb_build_close(build);
    params_destroy(params);
    snprintf(db, sizeof db, "%s/kb.sqlite", folder);
    snprintf(questions, sizeof questions, "%s/query.fvecs", folder);
    snprintf(qrels, sizeof qrels, "%s/qrels.txt", folder);
}

/* Opens a tuning over these axes; the status. */
static int open_grid(struct tune *t, struct sweep *s, const struct tune_request *r, int labels, const char *const *axes,
                     size_t axis_count, const char *const *settings, size_t setting_count, struct err *e)
{
    struct text yaml = { 0 };
    const struct tune_grid grid = { db, questions, labels ? qrels : NULL, axes, settings, axis_count, setting_count, 10,
                                    "", "rows", 0 };
    *s = (struct sweep){ 0 };
    int status = tune_yaml(&grid, &yaml, e);
    if (status == ERR_OK) status = sweep_parse(s, "grid", text_of(&yaml), e);
    if (status == ERR_OK) status = tune_open(t, r, s, e);
    text_free(&yaml);
    return status;
}

static const char *value_of(const struct tune *t, const struct tune_point *p, const char *name)
{
    return p->point->values[vocabulary_find(&t->plan.names, name)];
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    return sum / (double)count;
}

static void split_in_two(void)
{
    static const char *const axes[] = { "bit_width=3", "top_k_candidates=50", "graph_depth=0" };
    struct tune t, again, other;
    struct sweep s, s2, s3;
    struct err e = { 0 };
    struct tune_request elsewhere = usual;
    elsewhere.seed = 4;
    CHECK(open_grid(&t, &s, &usual, 1, axes, 3, NULL, 0, &e) == ERR_OK, "%s", e.text);
    CHECK(open_grid(&again, &s2, &usual, 1, axes, 3, NULL, 0, &e) == ERR_OK, "%s", e.text);
    CHECK(open_grid(&other, &s3, &elsewhere, 1, axes, 3, NULL, 0, &e) == ERR_OK, "%s", e.text);
    const struct queries *a = &t.tuning.queries, *b = &t.held_out.queries;
    CHECK(a->count == 36 && b->count == 24, "%zu and %zu", a->count, b->count);
    int seen[60] = { 0 };
    for (size_t i = 0; i < a->count; i++) seen[a->ids[i]]++;
    for (size_t i = 0; i < b->count; i++) seen[b->ids[i]]++;
    for (int i = 0; i < 60; i++) CHECK(seen[i] == 1, "question %d is in %d parts", i, seen[i]);
    for (size_t i = 0; i < a->count; i++) { /* each with its own vector and label */
        size_t n;
        const struct label *label = queries_labels(a, i, &n);
        const struct label *mine = queries_labels(&t.plan.rag.queries, (size_t)a->ids[i], &n);
        CHECK(n == 1 && label->id == mine->id, "question %zu", i);
        CHECK(memcmp(rows_at(a->vectors.rows, i), rows_at(t.plan.rag.queries.vectors.rows, (size_t)a->ids[i]),
                     16 * sizeof(float)) == 0, "vector %zu", i);
    }
    CHECK(memcmp(a->ids, again.tuning.queries.ids, a->count * sizeof *a->ids) == 0, "one seed, one split");
    CHECK(memcmp(a->ids, other.tuning.queries.ids, a->count * sizeof *a->ids) != 0, "another seed, another");
    tune_close(&t);
    tune_close(&again);
    tune_close(&other);
    sweep_free(&s);
    sweep_free(&s2);
    sweep_free(&s3);
}

/* What no label speaks of cannot help to choose, and does not count towards the least number of questions. */
static void unlabelled_left_out(void)
{
    static const char *const axes[] = { "bit_width=3", "top_k_candidates=50", "graph_depth=0" };
    char all[128], line[128];
    struct tune t;
    struct sweep s;
    struct err e = { 0 };
    int kept = 0;
    snprintf(all, sizeof all, "%s", qrels);
    snprintf(qrels, sizeof qrels, "%s/some.txt", folder);
    FILE *from = fopen(all, "r"), *to = fopen(qrels, "w");
    for (int i = 0; from && to && fgets(line, sizeof line, from); i++) { /* one line a question */
        int topic, id;
        CHECK(sscanf(line, "%d 0 %d", &topic, &id) == 2, "%s", line);
        if (i % 3 == 1) fprintf(to, "%d 0 %d 0\n", topic, id); /* judged, but not relevant */
        if (i % 3 == 2) fputs(line, to), kept++;
    }
    CHECK(from && fclose(from) == 0 && to && fclose(to) == 0 && kept == 20, "%d", kept);
    struct tune_request r = usual;
    r.held_out = 0.5;
    CHECK(open_grid(&t, &s, &r, 1, axes, 3, NULL, 0, &e) == ERR_OK, "%s", e.text);
    CHECK(t.tuning.queries.count == 10 && t.held_out.queries.count == 10 && t.left_out == 40, "%zu, %zu, %zu",
          t.tuning.queries.count, t.held_out.queries.count, t.left_out);
    tune_close(&t);
    sweep_free(&s);
    r.held_out = 0.4;
    CHECK(open_grid(&t, &s, &r, 1, axes, 3, NULL, 0, &e) == ERR_ARG && strstr(e.text, "20 questions with something relevant"),
          "%s", e.text);
    sweep_free(&s);
    CHECK(open_grid(&t, &s, &usual, 0, axes, 2, NULL, 0, &e) == ERR_OK && t.left_out == 0, "%s", e.text);
    tune_close(&t);
    sweep_free(&s);
    snprintf(qrels, sizeof qrels, "%s", all);
}

/* One bit and hardly more candidates than results lose the evidence; context changes no answer. */
static void planted(void)
{
    static const char *const axes[] = { "bit_width=1,8", "context_depth=1,2,3", "top_k_candidates=10" };
    static const char *const settings[] = { "graph_depth=0", "graph_weight=0" };
    struct tune t;
    struct sweep s, one;
    struct plan alone;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct text yaml = { 0 };
    struct err e = { 0 };
    CHECK(open_grid(&t, &s, &usual, 1, axes, 3, settings, 2, &e) == ERR_OK && t.plan.count == 6, "%s", e.text);
    CHECK(tune_run(&t, &run, &e) == ERR_OK, "%s", e.text);
    const struct tune_point *w = tune_winner(&t);
    CHECK(strcmp(value_of(&t, w, "bit_width"), "8") == 0, "%s", value_of(&t, w, "bit_width"));
    CHECK(t.feasible == 6 && t.unresolved == 2, "%zu feasible, %zu not resolved", t.feasible, t.unresolved);
    for (size_t i = 0; i < 6; i++) {
        const struct tune_point *p = &t.points[i];
        const int worse = strcmp(value_of(&t, p, "bit_width"), "1") == 0;
        CHECK(p->resolved == worse, "bits %s", value_of(&t, p, "bit_width"));
        CHECK(fabs(p->tuning.mean - mean_of(p->tuning.values, 36)) < 1e-9 && p->tuning.p99_us > 0, "mean and p99");
        CHECK(!p->held_out.values, "the held-out questions are not asked before the choice");
    }
    CHECK(tune_confirm(&t, &run, &e) == ERR_OK, "%s", e.text);
    CHECK(t.again_count == 3, "%zu measured again", t.again_count);
    for (size_t i = 0; i < t.again_count; i++) {
        const struct tune_point *p = &t.points[t.again[i]];
        CHECK(p->again && fabs(p->held_out.mean - mean_of(p->held_out.values, 24)) < 1e-9, "held out: %g",
              p->held_out.mean);
        CHECK(p->held_against.interval.lo == 0 && p->held_against.interval.hi == 0, "equal answers, no difference");
    }
    plan_yaml(&t.plan, &s, w->point, &yaml);
    CHECK(sweep_parse(&one, "winner", text_of(&yaml), &e) == ERR_OK && plan_make(&alone, &one, &e) == ERR_OK, "%s\n%s",
          e.text, text_of(&yaml));
    CHECK(alone.count == 1 && strcmp(alone.points[0].id, w->point->id) == 0, "what is pasted is the winner:\n%s",
          text_of(&yaml));
    plan_free(&alone);
    sweep_free(&one);
    text_free(&yaml);
    tune_close(&t);
    sweep_free(&s);
}

/* Of points with equal answers the one that takes the fewest bytes, though it comes last. */
static void cheapest(void)
{
    static const char *const axes[] = { "bit_width=8,7,6", "top_k_candidates=400" };
    static const char *const settings[] = { "graph_depth=0", "graph_weight=0" };
    struct tune t;
    struct sweep s;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct err e = { 0 };
    CHECK(open_grid(&t, &s, &usual, 1, axes, 2, settings, 2, &e) == ERR_OK && tune_run(&t, &run, &e) == ERR_OK, "%s", e.text);
    CHECK(t.plan.count == 3 && t.points[0].tuning.mean == t.points[1].tuning.mean &&
              t.points[0].tuning.mean == t.points[2].tuning.mean, "all candidates, equal answers");
    CHECK(strcmp(value_of(&t, tune_winner(&t), "bit_width"), "6") == 0, "%s", value_of(&t, tune_winner(&t), "bit_width"));
    tune_close(&t);
    sweep_free(&s);
}

/* Which point is called faster, the tuning questions say and the limit; how much, the held-out ones. */
static void faster(void)
{
    static const char *const axes[] = { "bit_width=8", "context_depth=1,2,3", "top_k_candidates=10" };
    static const char *const settings[] = { "graph_depth=0", "graph_weight=0" };
    for (int turn = 0; turn < 3; turn++) {
        struct tune t;
        struct sweep s;
        struct tune_request r = usual;
        struct run run = { .id = "r", .machine = "m", .binary = "b" };
        struct err e = { 0 };
        CHECK(open_grid(&t, &s, &r, 1, axes, 3, settings, 2, &e) == ERR_OK && tune_run(&t, &run, &e) == ERR_OK, "%s", e.text);
        CHECK(t.again_count == 3 && !t.faster, "%zu", t.again_count);
        for (size_t i = 0; i < 3; i++) t.points[t.again[i]].tuning.p50_us = turn < 2 && i ? 3 - (double)i : 10;
        if (turn == 1) r.max_p99_us = 1e-3; /* kept to over the tuning questions only */
        CHECK(tune_confirm(&t, &run, &e) == ERR_OK, "%s", e.text);
        if (turn > 0) CHECK(!t.faster, "beyond the limit, or no faster than the winner");
        else {
            double ratios[24];
            const double *w = tune_winner(&t)->held_out.us, *f = t.points[t.again[2]].held_out.us;
            CHECK(t.faster == &t.points[t.again[2]], "the fastest over the tuning questions");
            for (int i = 0; i < 24; i++) ratios[i] = w[i] / f[i];
            stats_sort(ratios, 24); /* 2 P(Bin(24, 1/2) <= 6) = 0.023, and 0.064 for 7 */
            CHECK(t.ratio == stats_median(ratios, 24) && t.ratio_within.lo == ratios[6] && t.ratio_within.hi == ratios[17],
                  "%g [%g, %g]", t.ratio, t.ratio_within.lo, t.ratio_within.hi);
        }
        tune_close(&t);
        sweep_free(&s);
    }
}

/* Without labels: agreement with exact search, more bits agree more. */
static void unlabelled(void)
{
    static const char *const axes[] = { "bit_width=1,8", "top_k_candidates=20" };
    struct tune t;
    struct sweep s;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct err e = { 0 };
    CHECK(open_grid(&t, &s, &usual, 0, axes, 2, NULL, 0, &e) == ERR_OK && t.plan.count == 2, "%s", e.text);
    CHECK(tune_run(&t, &run, &e) == ERR_OK && tune_confirm(&t, &run, &e) == ERR_OK, "%s", e.text);
    CHECK(strcmp(t.by, "agree_at_10") == 0 && strcmp(value_of(&t, tune_winner(&t), "bit_width"), "8") == 0, "%s", t.by);
    CHECK(t.unresolved == 0 && tune_winner(&t)->tuning.mean > 0.95, "%g", tune_winner(&t)->tuning.mean);
    tune_close(&t);
    sweep_free(&s);
}

/* The defaults are measured again even where there is room for one besides the winner. */
static void defaults(void)
{
    static const char *const axes[] = { "bit_width=3,8", "top_k_candidates=10,50", "graph_depth=0,1" };
    struct tune t;
    struct sweep s;
    struct tune_request r = usual;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct err e = { 0 };
    r.most = 2;
    CHECK(open_grid(&t, &s, &r, 1, axes, 3, NULL, 0, &e) == ERR_OK && tune_run(&t, &run, &e) == ERR_OK, "%s", e.text);
    size_t found = 0;
    for (size_t i = 0; i < t.plan.count; i++) found += t.points[i].is_default && t.points[i].again;
    CHECK(found == 1 && t.again_count <= 2, "%zu, %zu measured again", found, t.again_count);
    tune_close(&t);
    sweep_free(&s);
}

/* The point, of those of a tuning, that is marked as the defaults. */
static void marked(const char *const *axes, size_t axis_count, const char *const *settings, size_t setting_count,
                   const char *key, const char *value)
{
    struct tune t;
    struct sweep s;
    struct err e = { 0 };
    size_t found = 0;
    CHECK(open_grid(&t, &s, &usual, 1, axes, axis_count, settings, setting_count, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < t.plan.count; i++) {
        if (!t.points[i].is_default) continue;
        CHECK(strcmp(value_of(&t, &t.points[i], key), value) == 0, "%s=%s", key, value_of(&t, &t.points[i], key));
        found++;
    }
    CHECK(found == 1, "%zu points are the defaults", found);
    tune_close(&t);
    sweep_free(&s);
}

/* What holds if no axis is set is what the base recommends, unless --set says otherwise.  Last: it changes the base. */
static void defaults_of_base(void)
{
    static const char *const axes[] = { "bit_width=3", "top_k_candidates=50", "graph_depth=0,1,2", "graph_weight=0.2,0.40" };
    static const char *const set[] = { "graph_depth=0" }, *const flat[] = { "index=flat" };
    struct store *store = NULL;
    struct err e = { 0 };
    marked(axes, 4, NULL, 0, "graph_weight", "0.4");
    CHECK(store_open(&store, db, STORE_WRITE, &e) == ERR_OK && store_set_setting(store, "graph_depth", "2", &e) == ERR_OK &&
              store_commit(store, &e) == ERR_OK, "%s", e.text);
    store_close(store);
    marked(axes, 4, NULL, 0, "graph_depth", "2");
    marked(axes, 4, set, 1, "graph_depth", "0");
    marked(axes + 1, 3, flat, 1, "graph_depth", "2"); /* no axis of bits by itself */
}

/* Of an index without bits there is one point, not one for every bit_width. */
static void bits_of_flat(void)
{
    static const char *const axes[] = { "index=flat,turboquant", "bit_width=2,8", "top_k_candidates=50", "graph_depth=0" };
    struct tune t;
    struct sweep s;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct err e = { 0 };
    CHECK(open_grid(&t, &s, &usual, 1, axes, 4, NULL, 0, &e) == ERR_OK && tune_run(&t, &run, &e) == ERR_OK, "%s", e.text);
    size_t flat = 0;
    for (size_t i = 0; i < t.plan.count; i++) flat += !value_of(&t, &t.points[i], "bit_width");
    CHECK(t.plan.count == 3 && flat == 1, "%zu points, %zu flat", t.plan.count, flat);
    tune_close(&t);
    sweep_free(&s);
}

/* As many comparisons as the default grid has. */
static void many(void)
{
    static const char *const axes[] = { "graph_weight=0,0.4", "context_depth=1,2,3,4,5", "max_context_entities=0,1,2,3,4,5,6,7",
                                        "bit_width=3", "top_k_candidates=20", "graph_depth=0" };
    struct tune t;
    struct sweep s;
    struct tune_request r = usual;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct err e = { 0 };
    r.budget_s = 0.001; /* still 500 calls each: a p99 asks for them */
    CHECK(open_grid(&t, &s, &r, 1, axes, 6, NULL, 0, &e) == ERR_OK && t.plan.count == 80, "%s", e.text);
    CHECK(tune_run(&t, &run, &e) == ERR_OK && t.unresolved >= 39 && t.again_count <= r.most, "%s: %zu", e.text,
          t.unresolved);
    tune_close(&t);
    sweep_free(&s);
}

static void refusals(void)
{
    static const struct { int labels, status; const char *axis, *setting, *by; double held_out, p99; const char *says; }
    bad[] = {
        { 1, ERR_ARG, "graph_dept=1,2", NULL, NULL, 0.4, 1e9, "nearest is 'graph_depth'" },
        { 1, ERR_ARG, "bit_width=9", NULL, NULL, 0.4, 1e9, "bit_width=9 outside" },
        { 1, ERR_ARG, "bit_width=2,,3", NULL, NULL, 0.4, 1e9, "empty value" },
        { 1, ERR_ARG, "bit_width", NULL, NULL, 0.4, 1e9, "KEY=VALUE" },
        { 1, ERR_ARG, "graph_depth=1,2", "expand=none", NULL, 0.4, 1e9, "graph_depth has no effect" },
        { 1, ERR_ARG, "bit_width=2,3", "index=flat", NULL, 0.4, 1e9, "an index that has bits" },
        { 1, ERR_ARG, "bit_width=2", "novalue", NULL, 0.4, 1e9, "not key=value" },
        { 1, ERR_ARG, "bit_width=2", NULL, "label_ndgc_at_10", 0.4, 1e9, "nearest is 'label_ndcg_at_10'" },
        { 1, ERR_ARG, "bit_width=2", NULL, NULL, 0.1, 1e9, "at least 10 held out" },
        { 0, ERR_ARG, "graph_depth=0,1", NULL, NULL, 0.4, 1e9, "only labels can say" },
        { 0, ERR_ARG, "bit_width=2", NULL, "label_mrr", 0.4, 1e9, "needs --qrels" },
        { 1, ERR_ARG, "embed=rp,lsa", NULL, NULL, 0.4, 1e9, "embedder" },
        { 1, ERR_NOT_FOUND, "bit_width=2", NULL, NULL, 0.4, 1e-3, "the fastest has" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tune t;
        struct sweep s;
        struct tune_request r = usual;
        struct run run = { .id = "r", .machine = "m", .binary = "b" };
        struct err e = { 0 };
        const char *const axes[] = { bad[i].axis, "top_k_candidates=20,50" };
        r.by = bad[i].by;
        r.held_out = bad[i].held_out;
        r.max_p99_us = bad[i].p99;
        int status = open_grid(&t, &s, &r, bad[i].labels, axes, 2, &bad[i].setting, bad[i].setting != NULL, &e);
        if (status == ERR_OK) {
            status = tune_run(&t, &run, &e);
            tune_close(&t);
        }
        CHECK(status == bad[i].status && strstr(e.text, bad[i].says), "%s: %d %s", bad[i].axis, status, e.text);
        sweep_free(&s);
    }
}

int main(void)
{
    if (!mkdtemp(folder) || setenv("ASSAY_CACHE", folder, 1) != 0) return TEST_FAIL;
    test_case("a base with planted answers", make_base);
    test_case("two parts of the questions", split_in_two);
    test_case("questions without labels are left out", unlabelled_left_out);
    test_case("a planted winner, and its equals", planted);
    test_case("the cheapest of equals", cheapest);
    test_case("what is called faster, and by how much", faster);
    test_case("without labels: agreement", unlabelled);
    test_case("the defaults have a second chance", defaults);
    test_case("an index without bits", bits_of_flat);
    test_case("many comparisons", many);
    test_case("refusals", refusals);
    test_case("the defaults are the base's", defaults_of_base);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
