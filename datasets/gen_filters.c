/* SPDX-License-Identifier: MIT
 * gen_filters.c - a filter for every query of a set that exists: which base rows pass, of a given share and with a
 * given correlation between passing and being near.
 *
 * For each query let z be the normal score of a row's rank by cosine (1 for the nearest: Phi^-1((n - rank - .5) / n)),
 * e a normal deviate of its own, and key = c z + sqrt(1 - c^2) e.  The round(s n) rows of the largest keys pass, at
 * least one.  So s is exact, c is the correlation of key and z, and the passing rows' mean z is
 *     c phi(t) / s,   t = Phi^-1(1 - s):
 * c = 0 passes whoever, 1 the nearest, -1 the farthest.  Each query has a tag of its own (tags.h). */
#include "datasets/dataset.h"
#include "datasets/normal.h"
#include "datasets/tags.h"
#include "datasets/unit.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

static const uint64_t stream_query = 1ull << 40;

struct work {
    struct rows base, query;
    size_t passing; /* rows a query */
    double correlation, rest;
    uint64_t seed;
    double *scores, *lengths; /* normal score of each rank; 1/|x| of each base row, 0 for a zero row */
    int32_t *rows;            /* queries x passing, ascending */
    _Atomic int failed;
};

static int compare_rows(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void choose(const struct work *w, size_t q, struct hit *hits, float *noise)
{
    struct rng r;
    const size_t n = w->base.count;
    const float *x = rows_at(w->query, q);
    for (size_t i = 0; i < n; i++)
        hits[i] = (struct hit){ (int64_t)i, (float)(fixed_dot(x, rows_at(w->base, i), w->base.dim) * w->lengths[i]) };
    hits_sort(hits, n);
    rng_seed(&r, w->seed, stream_query + q);
    rng_normal(&r, noise, n);
    for (size_t rank = 0; rank < n; rank++)
        hits[rank].score = (float)(w->correlation * w->scores[rank] + w->rest * noise[hits[rank].id]);
    hits_sort(hits, n);
    int32_t *rows = w->rows + q * w->passing;
    for (size_t i = 0; i < w->passing; i++) rows[i] = (int32_t)hits[i].id;
    qsort(rows, w->passing, sizeof *rows, compare_rows);
}

static void choose_some(void *context, int thread, size_t from, size_t to)
{
    struct work *w = context;
    struct hit *hits = mem_alloc(w->base.count, sizeof *hits);
    float *noise = mem_alloc(w->base.count, sizeof *noise);
    (void)thread;
    if (!hits || !noise) atomic_store(&w->failed, 1);
    for (size_t q = from; hits && noise && q < to; q++) choose(w, q, hits, noise);
    mem_free(hits);
    mem_free(noise);
}

/* Query q has tag q; the base's rows get the tags of the queries whose filters they pass. */
static int make_tags(const struct work *w, struct tags *base, struct tags *query, struct err *e)
{
    const size_t queries = w->query.count;
    struct tags lists = { queries, w->base.count, mem_alloc(queries + 1, 8), w->rows };
    struct tags own = { queries, queries, mem_alloc(queries + 1, 8), mem_alloc(queries, 4) };
    int status = lists.start && own.start && own.tag ? ERR_OK : FAIL(e, ERR_MEM, "filters: no memory for %zu queries",
                                                                     queries);
    for (size_t q = 0; status == ERR_OK && q <= queries; q++) {
        lists.start[q] = (int64_t)(q * w->passing);
        own.start[q] = (int64_t)q;
        if (q < queries) own.tag[q] = (int32_t)q;
    }
    if (status == ERR_OK) status = tags_transpose(base, &lists, e);
    mem_free(lists.start);
    if (status == ERR_OK) *query = own;
    else tags_free(&own);
    return status;
}

static void measure(struct work *w)
{
    const size_t n = w->base.count;
    for (size_t i = 0; i < n; i++) {
        const double square = fixed_dot(rows_at(w->base, i), rows_at(w->base, i), w->base.dim);
        w->lengths[i] = square > 0 ? 1 / sqrt(square) : 0;
        w->scores[i] = normal_quantile(((double)(n - i) - 0.5) / (double)n);
    }
}

static int make(const struct params *p, struct rows base, struct rows query, struct tags *base_tags,
                struct tags *query_tags, struct err *e)
{
    const double correlation = params_real(p, "correlation");
    const double wanted = floor(params_real(p, "selectivity") * (double)base.count + 0.5);
    struct work w = { .base = base, .query = query, .passing = wanted < 1 ? 1 : (size_t)wanted,
                     .correlation = correlation,
                      .rest = sqrt(1 - correlation * correlation), .seed = (uint64_t)params_int(p, "seed") };
    w.scores = mem_alloc(base.count, sizeof *w.scores);
    w.lengths = mem_alloc(base.count, sizeof *w.lengths);
    w.rows = mem_alloc(query.count * w.passing, sizeof *w.rows);
    int status = ERR_OK;
    if (w.scores && w.lengths && w.rows) {
        measure(&w);
        parallel_for(parallel_cpus(), query.count, 8, choose_some, &w);
    }
    if (!w.scores || !w.lengths || !w.rows || w.failed)
        status = FAIL(e, ERR_MEM, "filters: no memory for %zu rows of %zu queries", w.passing, query.count);
    if (status == ERR_OK) status = make_tags(&w, base_tags, query_tags, e);
    mem_free(w.scores);
    mem_free(w.lengths);
    mem_free(w.rows);
    return status;
}

static int open_floats(struct dataset *d, const struct params *p, const char *name, struct err *e)
{
    const char *path = params_text(p, name);
    if (!*path) return FAIL(e, ERR_ARG, "filters: needs %s=FILE", name);
    const int status = dataset_open(d, path, e);
    return status != ERR_OK || d->rows.at ? status : FAIL(e, ERR_ARG, "%s: holds ids, vectors are needed", path);
}

static int filters(const struct params *p, struct tags *base_tags, struct tags *query_tags, struct err *e)
{
    struct dataset base = { 0 }, query = { 0 };
    int status = open_floats(&base, p, "base_file", e);
    if (status == ERR_OK) status = open_floats(&query, p, "query_file", e);
    if (status == ERR_OK && base.rows.dim != query.rows.dim)
        status = FAIL(e, ERR_ARG, "filters: base has dimension %zu, queries have %zu", base.rows.dim, query.rows.dim);
    if (status == ERR_OK && (base.rows.count > INT32_MAX || query.rows.count > INT32_MAX))
        status = FAIL(e, ERR_ARG, "filters: %zu base rows, at most 2147483647", base.rows.count);
    if (status == ERR_OK) status = make(p, base.rows, query.rows, base_tags, query_tags, e);
    dataset_close(&base);
    dataset_close(&query);
    return status;
}

static const struct param params[] = {
    { "base_file", PARAM_TEXT, 0, 0, "", "", NULL, "file of the base vectors" },
    { "query_file", PARAM_TEXT, 0, 0, "", "", NULL, "file of the query vectors" },
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" },
    { "selectivity", PARAM_REAL, 0, 1, "0.1", "", NULL,
     "share of the base that passes, of each query; at least one row" },
    { "correlation", PARAM_REAL, -1, 1, "0", "", NULL,
     "of passing and being near: 1 the nearest pass, -1 the farthest" },
    { 0 }
};

const struct generator_ops gen_filters = {
    .name = "filters",
    .summary = "a filter for every query of a set that exists, as tags of base rows and of queries",
    .params = params,
    .filters = filters,
};
