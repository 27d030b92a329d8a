/* SPDX-License-Identifier: MIT
 * paper_engine.c - sqlite-knowledge-graph 0.11.1 as published, against the paper that it cites: what its codes find, and
 * what expansion does to answers at its defaults.
 *
 * index=upstream is the engine's own index (spec: rows are not normalised, levels of N(0, 1/384) whatever the dimension,
 * Lloyd rounds from an even start), built here over unit vectors around 200 centres, as the run that its numbers come from. */
#include "bench/papers/quant.h"
#include "bench/papers/retrieval.h"
#include "bench/quality/truth.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/engine.tsv.inc"
    ;

enum { DIM = 384, CENTRES = 200, K = 10 };

/* normalize(centre + .9 noise), both of unit length. */
static int clusters(struct rows *out, size_t count, uint64_t seed, uint64_t stream, struct err *e)
{
    float *x = mem_alloc(count * DIM, sizeof *x), centre[DIM];
    if (!x) return FAIL(e, ERR_MEM, "engine: no memory for %zu vectors", count);
    for (size_t i = 0; i < count; i++) {
        struct rng r;
        rng_seed(&r, seed, stream + i);
        unit_random(centre, DIM, 1, (1ull << 40) + rng_below(&r, CENTRES));
        unit_random(x + i * DIM, DIM, seed, (1ull << 41) + stream + i);
        for (size_t c = 0; c < DIM; c++) x[i * DIM + c] = centre[c] + 0.9f * x[i * DIM + c];
        unit_make(x + i * DIM, DIM);
    }
    *out = (struct rows){ x, count, DIM, DIM };
    return ERR_OK;
}

/* Share of the exact first 10 that an index finds, of every query. */
static int recalls(const char *spec, struct rows rows, struct rows queries, const struct truth *t, int threads, double *out,
                   struct err *e)
{
    struct index *ix = NULL;
    struct hit *hits = mem_alloc(queries.count * K, sizeof *hits);
    size_t *counts = mem_alloc(queries.count, sizeof *counts);
    int status = hits && counts ? ERR_OK : FAIL(e, ERR_MEM, "engine: no memory");
    if (status == ERR_OK) status = quant_build(&ix, spec, rows, METRIC_COSINE, 1, threads, e);
    if (status == ERR_OK) status = index_search(ix, queries, K, 1, threads, hits, counts, e);
    for (size_t q = 0; status == ERR_OK && q < queries.count; q++) {
        size_t found = 0;
        for (size_t i = 0; i < counts[q]; i++)
            for (size_t j = 0; j < K; j++) found += hits[q * K + i].id == t->ids[q * t->k + j];
        out[q] = (double)found / K;
    }
    index_destroy(ix);
    mem_free(hits);
    mem_free(counts);
    return status;
}

static int recall_over(struct paper_run *r, struct rows rows, struct rows queries, const struct truth *t, struct err *e)
{
    static const int bits[] = { 1, 2, 3, 4, 5, 6, 8 };
    double *values = mem_alloc(2 * queries.count, sizeof *values);
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "engine: no memory");
    for (size_t i = 0; status == ERR_OK && i < sizeof bits / sizeof *bits; i++) {
        struct finding f = finding_of("bits=%d;quantity=recall@10", bits[i]), apart = finding_of("bits=%d;contrast=paper-engine", bits[i]);
        char spec[64];
        snprintf(spec, sizeof spec, "turboquant:bits=%d,query=f32,rotation=dense", bits[i]);
        status = recalls(spec, rows, queries, t, r->asked.threads, values + queries.count, e);
        snprintf(spec, sizeof spec, "upstream:bits=%d", bits[i]);
        if (status == ERR_OK) status = recalls(spec, rows, queries, t, r->asked.threads, values, e);
        if (status != ERR_OK) break;
        f.index = spec;
        retrieval_mean(&f, values, queries.count, values + queries.count, "paper");
        finding_of_pairs(&apart, values + queries.count, values, queries.count);
        status = paper_found(r, &f, e);
        if (status == ERR_OK) status = paper_found(r, &apart, e);
    }
    mem_free(values);
    return status;
}

static int recall(struct paper_run *r, struct err *e)
{
    struct rows rows = { 0 }, queries = { 0 };
    struct truth t = { 0 };
    int status = clusters(&rows, 20000, 1, 0, e);
    if (status == ERR_OK) status = clusters(&queries, r->asked.quick ? 200 : 1000, 1, 1ull << 32, e);
    if (status == ERR_OK) status = truth_compute(&t, rows, queries, K, METRIC_COSINE, r->asked.threads, NULL, e);
    if (status == ERR_OK) status = recall_over(r, rows, queries, &t, e);
    truth_free(&t);
    mem_free((void *)(uintptr_t)rows.at);
    mem_free((void *)(uintptr_t)queries.at);
    return status;
}

/* Defaults with and without expansion over turns and their neighbours; and what must not change. */
static int paradox_over(struct paper_run *r, struct retrieval *base, struct err *e)
{
    static const char *const asked[] = { "retrieve=exact expand=none", "retrieve=exact graph_depth=1",
                                         "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9",
                                         "retrieve=exact graph_depth=1 graph_weight=0 min_combined_score=-1e9" };
    static const char *const arms[] = { "off", "default", "exact", "exact depth 1" };
    const size_t room = base->set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    int64_t *ids = mem_alloc(room * K, sizeof *ids);
    int status = values && ids ? ERR_OK : FAIL(e, ERR_MEM, "engine: no memory");
    struct finding gain = finding_of("contrast=default-off;measure=recall@10;data=locomo");
    struct finding same = finding_of("quantity=changed;stages=exact;graph_weight=0;data=locomo");
    double changed = 0;
    for (size_t i = 0; status == ERR_OK && i < 4; i++) {
        status = retrieval_ask(base, K, e, "%s", asked[i]);
        if (status != ERR_OK) break;
        status = retrieval_keep(base, r, "locomo", arms[i], e);
        if (i < 2) same.n = retrieval_at(base, metric_recall_at, K, values + i * room);
        if (i == 2) memcpy(ids, base->arm.answers, room * K * sizeof *ids);
        for (size_t q = 0; i == 3 && q < room; q++)
            changed += memcmp(ids + q * K, base->arm.answers + q * K, base->arm.answer_count[q] * sizeof *ids) != 0;
    }
    finding_of_pairs(&gain, values + room, values, status == ERR_OK ? same.n : 0);
    same.n = room;
    same.ours = same.lo = same.hi = changed / (double)room;
    if (status == ERR_OK) status = paper_found(r, &gain, e);
    if (status == ERR_OK) status = paper_found(r, &same, e);
    mem_free(values);
    mem_free(ids);
    return status;
}

static int paradox(struct paper_run *r, struct err *e)
{
    char path[512];
    struct retrieval base = { 0 };
    if (!paper_data(r, "locomo/locomo10.json", path, sizeof path)) return paper_skip(r, "", e, "%s", path);
    const struct retrieval_source turns = { .importer = "locomo", .from = path };
    int status = retrieval_open(&base, &turns, e);
    if (status == ERR_OK) status = paradox_over(r, &base, e);
    retrieval_close(&base);
    return status;
}

static const struct paper_item items[] = {
    { .name = "recall", .summary = "recall@10 of the published index by bits, and of the paper's algorithm", .run = recall,
      .figure = { .x = "bits", .x_label = "bits", .y_label = "recall@10", .y = PAPER_SHARE } },
    { .name = "paradox", .summary = "expansion at its defaults, and where it can change nothing", .run = paradox },
    { 0 },
};

const struct paper_ops paper_engine = {
    .name = "engine",
    .reference = "sqlite-knowledge-graph 0.11.1",
    .summary = "the Rust engine as published",
    .table = table,
    .items = items,
};
