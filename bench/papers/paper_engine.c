/* SPDX-License-Identifier: MIT
 * paper_engine.c - sqlite-knowledge-graph 0.11.1 as published, against the paper that it cites: what its codes find, and
 * what expansion does to answers at its defaults.
 *
 * index=upstream is the engine's own index (spec: rows are not normalised, levels of N(0, 1/384) whatever the dimension,
 * Lloyd rounds from an even start), built here over unit vectors around 200 centres, as the run that its numbers come from. */
#include "bench/papers/quant.h"
#include "bench/papers/retrieval.h"
#include "bench/papers/scratch.h"
#include "bench/quality/truth.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "pipeline/store.h"
#include <math.h>
#include <sqlite3.h>
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

/* How many of its levels the codes of some rows take. */
static int levels_in_use(struct paper_run *r, struct rows rows, struct err *e)
{
    float *matrix = mem_alloc((size_t)DIM * DIM, sizeof *matrix);
    const struct rows some = { rows.at, 200, rows.dim, rows.stride };
    int status = matrix ? ERR_OK : FAIL(e, ERR_MEM, "engine: no memory");
    for (int bits = 1; status == ERR_OK && bits <= 4; bits++) {
        struct index_frame frame = { .matrix = matrix };
        struct finding f = finding_of("bits=%d;quantity=levels in use", bits);
        struct index *ix = NULL;
        char spec[64], used[256] = { 0 };
        snprintf(spec, sizeof spec, "upstream:bits=%d", bits);
        status = quant_build(&ix, spec, some, METRIC_COSINE, 1, 1, e);
        if (status == ERR_OK) status = ix->ops->frame(ix, &frame, e);
        for (size_t i = 0; status == ERR_OK && i < some.count * DIM; i++) {
            const double y = fixed_dot(frame.matrix + i % DIM * DIM, rows_at(some, i / DIM), DIM);
            size_t best = 0;
            for (size_t l = 1; l < (size_t)1 << bits; l++)
                if (fabs((double)frame.levels[l] - y) < fabs((double)frame.levels[best] - y)) best = l;
            used[best] = 1;
        }
        f.ours = 0;
        for (size_t l = 0; l < sizeof used; l++) f.ours += used[l];
        f.lo = f.hi = f.ours;
        f.n = some.count;
        f.index = spec;
        if (status == ERR_OK) status = paper_found(r, &f, e);
        index_destroy(ix);
    }
    mem_free(matrix);
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
    if (status == ERR_OK) status = levels_in_use(r, rows, e);
    truth_free(&t);
    mem_free((void *)(uintptr_t)rows.at);
    mem_free((void *)(uintptr_t)queries.at);
    return status;
}

/* Defaults with and without expansion over turns and their neighbours; and what must not change. */
static int paradox_over(struct paper_run *r, struct retrieval *base, const char *data, struct err *e)
{
    static const char *const asked[] = { "retrieve=exact expand=none", "retrieve=exact graph_depth=1",
                                         "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9",
                                         "retrieve=exact graph_depth=1 graph_weight=0 min_combined_score=-1e9" };
    static const char *const arms[] = { "off", "default", "exact", "exact depth 1" };
    const size_t room = base->set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    int64_t *ids = mem_alloc(room * K, sizeof *ids);
    int status = values && ids ? ERR_OK : FAIL(e, ERR_MEM, "engine: no memory");
    struct finding gain = finding_of("contrast=default-off;measure=recall@10;data=%s", data);
    struct finding same = finding_of("quantity=changed;stages=exact;graph_weight=0;data=%s", data);
    double changed = 0;
    for (size_t i = 0; status == ERR_OK && i < 4; i++) {
        status = retrieval_ask(base, K, e, "%s", asked[i]);
        if (status != ERR_OK) break;
        status = retrieval_keep(base, r, data, arms[i], e);
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
    struct retrieval_source from;
    int status = ERR_OK;
    if (retrieval_wordnet(&from, r->asked.quick ? 200 : 2000, path, sizeof path)) {
        status = retrieval_open(&base, &from, e);
        if (status == ERR_OK) status = paradox_over(r, &base, "wordnet", e);
    } else {
        status = paper_skip(r, "data=wordnet", e, "%s", path);
    }
    retrieval_close(&base);
    if (status != ERR_OK) return status;
    if (!paper_data(r, "locomo/locomo10.json", path, sizeof path)) return paper_skip(r, "data=locomo", e, "%s", path);
    from = (struct retrieval_source){ .importer = "locomo", .from = path };
    status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = paradox_over(r, &base, "locomo", e);
    retrieval_close(&base);
    return status;
}

/* --- a cache that does not notice ------------------------------------------------------------------------ */

/* Two entities along the first two axes; the question is the first axis. */
static int add_fact(struct store *s, int64_t id, size_t axis, struct err *e)
{
    float x[8] = { 0 };
    x[axis] = 1;
    const int status = store_add_entity(s, id, "fact", "fact", NULL, e);
    return status == ERR_OK ? store_add_vector(s, id, x, 8, e) : status;
}

/* What its cache goes by: how many rows, and the sum of their ids. */
static int fingerprint(struct store *s, int64_t out[2], struct err *e)
{
    sqlite3_stmt *st = NULL;
    const int rc = sqlite3_prepare_v2(store_handle(s), "SELECT count(*), coalesce(sum(entity_id), 0) FROM kg_vectors", -1, &st, NULL);
    const int has = rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
    for (int i = 0; has && i < 2; i++) out[i] = sqlite3_column_int64(st, i);
    sqlite3_finalize(st);
    return has ? ERR_OK : FAIL(e, ERR_IO, "engine: %s", sqlite3_errmsg(store_handle(s)));
}

static int first_of(struct pipeline *p, int64_t *id, struct err *e)
{
    const float x[8] = { 1 };
    const struct question q = { .vector = x, .dim = 8 };
    struct answer a;
    const int status = pipeline_query(p, &q, 1, &a, e);
    *id = status == ERR_OK && a.count ? a.results[0].id : -1;
    return status;
}

/* What is done to entities 2 and 3, and who answers the question then. */
static const struct change { const char *name, *sql; int64_t answer; } changes[] = {
    { "replaced in place", "CREATE TEMP TABLE was AS SELECT entity_id, vector FROM kg_vectors;"
      "UPDATE kg_vectors SET vector = (SELECT was.vector FROM was WHERE was.entity_id = 5 - kg_vectors.entity_id)", 3 },
    { "two for two", "UPDATE kg_vectors SET entity_id = CASE entity_id WHEN 2 THEN 1 ELSE 4 END", 1 },
    { "taken away", "DELETE FROM kg_vectors WHERE entity_id = 2", 3 },
};

static int change_one(struct paper_run *r, const struct change *c, const char *db, struct err *e)
{
    static const char *const settings[] = { "retrieve=index", "expand=none", "min_combined_score=-1e9" };
    struct store *s = NULL;
    struct pipeline *p = NULL;
    int64_t before[2] = { 0 }, after[2] = { 0 }, first = 0, then = 0;
    int status = store_open(&s, db, STORE_CREATE, e);
    for (int64_t id = 1; status == ERR_OK && id <= 4; id++)
        status = id == 2 || id == 3 ? add_fact(s, id, (size_t)id - 2, e) : store_add_entity(s, id, "fact", "fact", NULL, e);
    if (status == ERR_OK) status = store_commit(s, e);
    if (status == ERR_OK) status = pipeline_open(&p, db, settings, sizeof settings / sizeof *settings, NULL, e);
    if (status == ERR_OK) status = first_of(p, &first, e);
    if (status == ERR_OK) status = fingerprint(s, before, e);
    if (status == ERR_OK && sqlite3_exec(store_handle(s), c->sql, NULL, NULL, NULL) != SQLITE_OK)
        status = FAIL(e, ERR_IO, "engine: %s: %s", c->name, sqlite3_errmsg(store_handle(s)));
    if (status == ERR_OK) status = fingerprint(s, after, e);
    store_close(s);
    if (status == ERR_OK) status = first_of(p, &then, e);
    pipeline_close(p);
    for (int ours = 0; status == ERR_OK && ours < 2; ours++) {
        struct finding f = finding_of("change=%s;quantity=noticed by %s", c->name, ours ? "ours" : "its count and sum");
        f.ours = f.lo = f.hi = ours ? first == 2 && then == c->answer : memcmp(before, after, sizeof before) != 0;
        f.n = 1;
        status = paper_found(r, &f, e);
    }
    return status;
}

static int staleness(struct paper_run *r, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < sizeof changes / sizeof *changes; i++) {
        struct scratch scratch = { 0 };
        char db[96];
        status = scratch_open(&scratch, e);
        snprintf(db, sizeof db, "%s/kb.sqlite", scratch.folder);
        if (status == ERR_OK) status = change_one(r, &changes[i], db, e);
        scratch_close(&scratch);
    }
    return status;
}

static const struct paper_item items[] = {
    { .name = "recall", .summary = "recall@10 of the published index by bits, and of the paper's algorithm", .run = recall,
      .figure = { .x = "bits", .x_label = "bits", .y_label = "recall@10", .y = PAPER_SHARE } },
    { .name = "paradox", .summary = "expansion at its defaults, and where it can change nothing", .run = paradox },
    { .name = "staleness", .summary = "changes of a base that its cache does not notice", .run = staleness },
    { 0 },
};

const struct paper_ops paper_engine = {
    .name = "engine",
    .reference = "sqlite-knowledge-graph 0.11.1",
    .summary = "the Rust engine as published",
    .table = table,
    .items = items,
};
