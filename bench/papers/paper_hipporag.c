/* SPDX-License-Identifier: MIT
 * paper_hipporag.c - HippoRAG (arXiv 2405.14831), HippoRAG 2 (2502.14802) and PhaseGraph (Bacellar, 2603.28886): does following links
 * help to find the passages of a multi-hop question, and how are the two scores best added?
 *
 * Vectors are linear text features, graphs those of title mentions: other encoders, other graphs, so directions and shapes
 * alone are compared.  The phrases that MuSiQue comes with link passages only through entities that have no vector, and so
 * never enter the pool: with them no answer changes.  "neighbours" is one hop with the engine's score, "ppr"
 * personalised PageRank over what lies about the exact first 20.  WordNet's own links and usage examples are a fourth set, of
 * questions with one synset to find. */
#include "bench/papers/retrieval.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/hipporag.tsv.inc"
    ;

static const struct data { const char *name, *importer, *graph; } sets[] = {
    { "2wiki6119", "tsv", "titles" },
    { "musique_train100", "tsv", "titles" },
    { "hotpotqa_train100", "tsv", "titles" },
    { "wordnet", "wordnet", "wordnet" },
};
enum { SETS = sizeof sets / sizeof *sets, MEASURES = 3 };
static const struct measure { const char *name; size_t cut; int all; } measures[MEASURES] = {
    { "recall@2", 2, 0 }, { "recall@5", 5, 0 }, { "all_recall@5", 5, 1 },
};

#define PLAIN "retrieve=exact min_combined_score=-1e9 "
static const struct way { const char *name, *settings; } ways[] = {
    { "vectors", PLAIN "expand=none graph_weight=0" },
    { "neighbours", PLAIN "expand=bfs graph_depth=1" },
    { "ppr", PLAIN "expand=ppr score=ppr" },
};
enum { WAYS = sizeof ways / sizeof *ways, K = 10 };

static int is_wordnet(const struct data *set) { return strcmp(set->importer, "wordnet") == 0; }

/* Where the set's source is; 0: nowhere, and `lacks` says what is missing. */
static int source_of(const struct paper_run *r, const struct data *set, struct retrieval_source *from, char *lacks, size_t size)
{
    if (is_wordnet(set)) return retrieval_wordnet(from, r->asked.quick ? 200 : 1000, lacks, size);
    *from = (struct retrieval_source){ .importer = set->importer, .from = lacks };
    return paper_data(r, set->name, lacks, size);
}

/* Calls each(r, set, base) over each of the first `count` sets that is there. */
static int over_sets(struct paper_run *r, size_t count,
                     int (*each)(struct paper_run *, const struct data *, struct retrieval *, struct err *), struct err *e)
{
    int status = ERR_OK;
    for (size_t s = 0; status == ERR_OK && s < count; s++) {
        char path[512], cell[64];
        struct retrieval base = { 0 };
        struct retrieval_source from;
        snprintf(cell, sizeof cell, "data=%s", sets[s].name);
        if (!source_of(r, &sets[s], &from, path, sizeof path)) {
            status = paper_skip(r, cell, e, "%s", path);
            continue;
        }
        status = retrieval_open(&base, &from, e);
        if (status == ERR_OK) status = each(r, &sets[s], &base, e);
        retrieval_close(&base);
    }
    return status;
}

/* Each question's measures one after the other; how many questions have them. */
static size_t take(const struct retrieval *base, double *const out[MEASURES])
{
    size_t count = 0;
    for (size_t m = 0; m < MEASURES; m++)
        count = retrieval_at(base, measures[m].all ? metric_all_recall_at : metric_recall_at, measures[m].cut, out[m]);
    return count;
}

static int found(struct paper_run *r, const struct data *set, const char *contrast, const char *measure, const double *a,
                 const double *b, size_t count, struct err *e)
{
    struct finding f = finding_of("contrast=%s;measure=%s;data=%s;graph=%s", contrast, measure, set->name, set->graph);
    finding_of_pairs(&f, a, b, count);
    return paper_found(r, &f, e);
}

static int compare_ways(struct paper_run *r, const struct data *set, struct retrieval *base, struct err *e)
{
    static const struct { size_t of, against; const char *name; } contrasts[] = {
        { 1, 0, "neighbours-vectors" }, { 2, 1, "ppr-neighbours" }, { 2, 0, "ppr-vectors" } };
    const size_t room = base->set.queries.count;
    double *values = mem_alloc(WAYS * MEASURES * room, sizeof *values), *at[WAYS][MEASURES];
    size_t count = 0;
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "hipporag: no memory");
    for (size_t w = 0; status == ERR_OK && w < WAYS; w++) {
        for (size_t m = 0; m < MEASURES; m++) at[w][m] = values + (w * MEASURES + m) * room;
        status = retrieval_ask(base, K, e, "%s", ways[w].settings);
        if (status == ERR_OK) count = take(base, at[w]);
        if (status == ERR_OK) status = retrieval_keep(base, r, set->name, ways[w].name, e);
    }
    for (size_t c = 0; status == ERR_OK && c < sizeof contrasts / sizeof *contrasts; c++)
        for (size_t m = 0; status == ERR_OK && m < MEASURES; m++)
            status = found(r, set, contrasts[c].name, measures[m].name, at[contrasts[c].of][m], at[contrasts[c].against][m], count, e);
    mem_free(values);
    return status;
}

/* Every way to score at every depth, against vectors alone; and a second hop against one. */
static int deepen(struct paper_run *r, const struct data *set, struct retrieval *base, struct err *e)
{
    static const char *const scores[] = { "pool_fraction", "degree", "max_neighbour", "ppr" };
    enum { SCORES = sizeof scores / sizeof *scores, DEPTHS = 3 };
    const size_t room = base->set.queries.count, deepest = r->asked.quick && is_wordnet(set) ? 2 : DEPTHS;
    double *values = mem_alloc((DEPTHS + 1) * MEASURES * room, sizeof *values), *at[DEPTHS + 1][MEASURES];
    char contrast[64];
    size_t count = 0;
    int status = values ? retrieval_ask(base, K, e, "%s", ways[0].settings) : FAIL(e, ERR_MEM, "hipporag: no memory");
    for (size_t i = 0; i <= DEPTHS; i++)
        for (size_t m = 0; m < MEASURES; m++) at[i][m] = values + (i * MEASURES + m) * room;
    if (status == ERR_OK) count = take(base, at[0]);
    if (status == ERR_OK) status = retrieval_keep(base, r, set->name, "vectors", e);
    for (size_t s = 0; status == ERR_OK && s < SCORES; s++) {
        for (size_t depth = 1; status == ERR_OK && depth <= deepest; depth++) {
            status = retrieval_ask(base, K, e, PLAIN "expand=bfs graph_depth=%zu score=%s", depth, scores[s]);
            if (status == ERR_OK) (void)take(base, at[depth]);
            snprintf(contrast, sizeof contrast, "%s depth %zu", scores[s], depth);
            if (status == ERR_OK) status = retrieval_keep(base, r, set->name, contrast, e);
            for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) {
                snprintf(contrast, sizeof contrast, "depth %zu-vectors;score=%s", depth, scores[s]);
                status = found(r, set, contrast, measures[m].name, at[depth][m], at[0][m], count, e);
            }
        }
        for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) {
            snprintf(contrast, sizeof contrast, "depth 2-depth 1;score=%s", scores[s]);
            status = found(r, set, contrast, measures[m].name, at[2][m], at[1][m], count, e);
        }
    }
    mem_free(values);
    return status;
}

static const char *const scales[] = { "percentile", "none", "minmax", "zscore" };
enum { SCALES = sizeof scales / sizeof *scales };

static const double shares[] = { 0.01, 0.05, 0.1, 0.3, 0.5 };
enum { WEIGHTS = sizeof shares / sizeof *shares };

/* R@5 of each question at a weight; NaN: of vectors alone. */
static int ask_weight(struct retrieval *base, const char *scale, double weight, double *out, size_t *count, struct err *e)
{
    const int status = isnan(weight) ? retrieval_ask(base, K, e, "%s", ways[0].settings)
                                     : retrieval_ask(base, K, e, PLAIN "expand=ppr score=ppr calibration=%s vector_weight=%g "
                                                     "graph_weight=%g", scale, weight, 1 - weight);
    if (status == ERR_OK) *count = retrieval_at(base, metric_recall_at, 5, out);
    return status;
}

/* The weight that is best for one half of the questions, over the other half. */
static int weigh_held_out(struct paper_run *r, const struct data *set, struct retrieval *base, double *values, size_t room, struct err *e)
{
    struct split split = { 0 };
    double best = -1, chosen = shares[0];
    size_t count = 0;
    int status = retrieval_part(base, 0.5, 1, e);
    if (status == ERR_OK) status = retrieval_mark(base, &split, SPLIT_TUNED, e);
    for (size_t w = 0; status == ERR_OK && w < WEIGHTS; w++) {
        status = ask_weight(base, scales[0], shares[w], values, &count, e);
        const double mean = status == ERR_OK ? stats_mean(values, count) : -1;
        if (mean > best) best = mean, chosen = shares[w];
    }
    if (status == ERR_OK) status = retrieval_part(base, -0.5, 1, e);
    if (status == ERR_OK) status = retrieval_mark(base, &split, SPLIT_REPORTED, e);
    if (status == ERR_OK) status = ask_weight(base, scales[0], chosen, values, &count, e);
    if (status == ERR_OK) status = ask_weight(base, scales[0], (double)NAN, values + room, &count, e);
    if (status == ERR_OK) {
        struct finding f = finding_of("contrast=chosen-vectors;chosen=%g;data=%s;graph=%s", chosen, set->name, set->graph);
        finding_of_pairs(&f, values, values + room, count);
        split_say(&split, &f);
        status = paper_found(r, &f, e);
    }
    split_free(&split);
    return status;
}

static int weigh(struct paper_run *r, const struct data *set, struct retrieval *base, struct err *e)
{
    const size_t room = base->set.queries.count;
    double *values = mem_alloc(2 * room, sizeof *values);
    size_t count = 0;
    int status = values ? ask_weight(base, scales[0], (double)NAN, values + room, &count, e) : FAIL(e, ERR_MEM, "hipporag: no memory");
    if (status == ERR_OK) status = retrieval_keep(base, r, set->name, "vectors", e);
    for (size_t i = 0; status == ERR_OK && i < SCALES * WEIGHTS; i++) {
        const char *const scale = scales[i / WEIGHTS];
        const double share = shares[i % WEIGHTS];
        char arm[48];
        struct finding f = finding_of("vector_weight=%g;calibration=%s;data=%s;graph=%s", share, scale, set->name, set->graph);
        snprintf(arm, sizeof arm, "%s weight %g", scale, share);
        status = ask_weight(base, scale, share, values, &count, e);
        if (status == ERR_OK) status = retrieval_keep(base, r, set->name, arm, e);
        if (status != ERR_OK) break;
        retrieval_mean(&f, values, count, values + room, "vectors");
        status = paper_found(r, &f, e);
    }
    if (status == ERR_OK) status = weigh_held_out(r, set, base, values, room, e);
    mem_free(values);
    return status;
}

/* Scores added by each calibration; vectors alone come after them. */
static int calibrate(struct paper_run *r, const struct data *set, struct retrieval *base, struct err *e)
{
    static const struct { size_t against; const char *name; } contrasts[] = {
        { SCALES, "percentile-vectors" }, { 1, "percentile-none" }, { 2, "percentile-minmax" }, { 3, "percentile-zscore" } };
    const size_t room = base->set.queries.count;
    double *values = mem_alloc((SCALES + 1) * room, sizeof *values);
    size_t count = 0;
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "hipporag: no memory");
    for (size_t s = 0; status == ERR_OK && s <= SCALES; s++) {
        status = s < SCALES ? retrieval_ask(base, K, e, PLAIN "expand=ppr score=ppr calibration=%s", scales[s])
                            : retrieval_ask(base, K, e, "%s", ways[0].settings);
        if (status == ERR_OK) count = retrieval_at(base, metric_recall_at, 5, values + s * room);
        if (status == ERR_OK) status = retrieval_keep(base, r, set->name, s < SCALES ? scales[s] : "vectors", e);
    }
    for (size_t c = 0; status == ERR_OK && c < sizeof contrasts / sizeof *contrasts; c++)
        status = found(r, set, contrasts[c].name, "recall@5", values, values + contrasts[c].against * room, count, e);
    mem_free(values);
    return status;
}

/* WordNet is the last set, and the slowest. */
static size_t usual(const struct paper_run *r) { return r->asked.quick ? SETS - 1 : SETS; }

static int expansion(struct paper_run *r, struct err *e) { return over_sets(r, SETS, compare_ways, e); }
static int depths(struct paper_run *r, struct err *e) { return over_sets(r, SETS, deepen, e); }
static int weights(struct paper_run *r, struct err *e) { return over_sets(r, usual(r), weigh, e); }
static int calibration(struct paper_run *r, struct err *e) { return over_sets(r, usual(r), calibrate, e); }

static const struct paper_item items[] = {
    { .name = "expansion", .summary = "direct neighbours and PageRank against vectors alone", .run = expansion },
    { .name = "depths", .summary = "one to three hops by four scores, against vectors alone", .run = depths },
    { .name = "weights", .summary = "the share of the vector's score by calibration, over R@5", .run = weights,
      .figure = { .x = "vector_weight", .panel = "data", .x_label = "weight of the vector score", .y_label = "R@5", .log_x = 1, .y = PAPER_SHARE } },
    { .name = "calibration", .summary = "both scores as percentiles before they are added", .run = calibration },
    { 0 },
};

const struct paper_ops paper_hipporag = {
    .name = "hipporag",
    .reference = "arXiv 2405.14831, 2502.14802, 2603.28886",
    .summary = "graphs and PageRank for multi-hop questions",
    .table = table,
    .items = items,
};
