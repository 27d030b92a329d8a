/* SPDX-License-Identifier: MIT
 * truth.c - finds exact neighbours, tile by tile, on all threads, and keeps them in a cache. */
#include "bench/quality/truth.h"
#include "bench/time/progress.h"
#include "kernels/base/parallel.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Queries of a tile stay in L2 (half of 1 MiB) while every row passes, and so do the scores of its rows. */
enum { QUERY_BYTES = 384 << 10, QUERY_MOST = 256, BASE_TILE = 256, MARGIN = 64 };

struct job {
    struct rows base, query;
    size_t k, keep; /* keep = k, of l2 k + MARGIN, cut to base.count */
    enum metric metric;
    struct kernel_set kernels;
    float *squares;  /* |x|^2 of every base row */
    float *inverses; /* 1/|x| of every base row, 0 for a zero row */
    float longest;   /* largest |x| */
    int32_t *ids;
    struct scratch *scratch; /* one a thread */
    size_t query_tile;
    _Atomic size_t done;
    struct progress progress;
};

struct scratch {
    float *tile;         /* query_tile x BASE_TILE */
    struct hit *hits;    /* query_tile x keep */
    struct topk *heaps;  /* query_tile */
    uint32_t *pick;      /* keep */
    uint32_t *above;     /* BASE_TILE */
    float *scores;       /* max(keep, BASE_TILE) */
};

/* Scores of one query against rows row .. row + n - 1 from their inner products.  By inner product and by
 * cosine they are what the kernels of one query give, to the bit; of l2 the query's square is left out. */
static void score(const struct job *j, float inverse, size_t row, size_t n, float *scores)
{
    const float *inverses = j->inverses + row, *squares = j->squares + row;
    if (j->metric == METRIC_COSINE)
        for (size_t i = 0; i < n; i++) scores[i] = scores[i] * inverse * inverses[i];
    if (j->metric == METRIC_L2)
        for (size_t i = 0; i < n; i++) scores[i] = 2 * scores[i] - squares[i];
}

static void first_pass(const struct job *j, struct rows queries, const float *inverses, struct scratch *s)
{
    for (size_t row = 0; row < j->base.count; row += BASE_TILE) {
        const size_t n = j->base.count - row < BASE_TILE ? j->base.count - row : BASE_TILE;
        j->kernels.of[OP_tile_f32]->fn.tile_f32(queries.at, queries.stride, queries.count, rows_at(j->base, row),
                                                j->base.stride, n, j->base.dim, s->tile);
        for (size_t q = 0; q < queries.count; q++) {
            float *scores = s->tile + q * n;
            score(j, inverses[q], row, n, scores);
            const size_t kept = j->kernels.of[OP_above_f32]->fn.above_f32(scores, n, topk_bound(&s->heaps[q]), s->above);
            for (size_t i = 0; i < kept; i++)
                topk_push(&s->heaps[q], (int64_t)(row + s->above[i]), scores[s->above[i]]);
        }
    }
}

static void distances(const struct job *j, const float *query, const float *base, const uint32_t *pick, size_t count,
                      float *scores)
{
    j->kernels.of[OP_l2_f32]->fn.l2_f32(query, base, j->base.stride, pick, count, j->base.dim, scores);
    for (size_t i = 0; i < count; i++) scores[i] = -scores[i];
}

/* l2: the best k of what the first pass kept for one query, or of everything when it cannot vouch. */
static void second_pass(const struct job *j, const float *query, struct topk *top, struct scratch *s)
{
    const size_t kept = top->count, dim = j->base.dim;
    double square = 0;
    for (size_t c = 0; c < dim; c++) square += (double)query[c] * query[c];
    const double reach = sqrt(square) + j->longest, error = ((double)dim + 8) * 0x1p-24 * reach * reach;
    const double cut = top->hits[0].score - square + error; /* no row left out scores above this */
    for (size_t i = 0; i < kept; i++) s->pick[i] = (uint32_t)top->hits[i].id;
    distances(j, query, j->base.at, s->pick, kept, s->scores);
    topk_init(top, top->hits, j->k);
    for (size_t i = 0; i < kept; i++) topk_push(top, s->pick[i], s->scores[i]);
    if (kept == j->base.count || topk_bound(top) - error > cut) return;
    topk_init(top, top->hits, j->k);
    for (size_t row = 0; row < j->base.count; row += BASE_TILE) {
        const size_t n = j->base.count - row < BASE_TILE ? j->base.count - row : BASE_TILE;
        distances(j, query, rows_at(j->base, row), NULL, n, s->scores);
        for (size_t i = 0; i < n; i++) topk_push(top, (int64_t)(row + i), s->scores[i]);
    }
}

static void answer_tile(const struct job *j, size_t from, size_t count, struct scratch *s)
{
    const struct rows queries = { rows_at(j->query, from), count, j->query.dim, j->query.stride };
    float inverses[QUERY_MOST];
    j->kernels.of[OP_norms_f32]->fn.norms_f32(queries.at, queries.stride, count, queries.dim, inverses);
    for (size_t q = 0; q < count; q++) topk_init(&s->heaps[q], s->hits + q * j->keep, j->keep);
    first_pass(j, queries, inverses, s);
    for (size_t q = 0; q < count; q++) {
        if (j->metric == METRIC_L2) second_pass(j, rows_at(queries, q), &s->heaps[q], s);
        topk_finish(&s->heaps[q]);
        for (size_t i = 0; i < j->k; i++) j->ids[(from + q) * j->k + i] = (int32_t)s->heaps[q].hits[i].id;
    }
}

static void scratch_free(struct scratch *s)
{
    mem_free(s->tile);
    mem_free(s->hits);
    mem_free(s->heaps);
    mem_free(s->pick);
    mem_free(s->above);
    mem_free(s->scores);
}

static int scratch_make(struct scratch *s, const struct job *j)
{
    s->tile = mem_alloc(j->query_tile * BASE_TILE, sizeof *s->tile);
    s->hits = mem_alloc(j->query_tile * j->keep, sizeof *s->hits);
    s->heaps = mem_alloc(j->query_tile, sizeof *s->heaps);
    s->pick = mem_alloc(j->keep, sizeof *s->pick);
    s->above = mem_alloc(BASE_TILE, sizeof *s->above);
    s->scores = mem_alloc(j->keep > BASE_TILE ? j->keep : BASE_TILE, sizeof *s->scores);
    return s->tile && s->hits && s->heaps && s->pick && s->above && s->scores;
}

static void work(void *context, int thread, size_t from, size_t to)
{
    struct job *j = context;
    answer_tile(j, from, to - from, &j->scratch[thread]);
    const size_t done = atomic_fetch_add(&j->done, to - from) + to - from;
    if (thread == 0) progress_step(&j->progress, done);
}

static int run(struct job *j, int threads, struct err *e)
{
    j->scratch = mem_zero((size_t)threads, sizeof *j->scratch);
    int ready = j->scratch != NULL;
    for (int t = 0; ready && t < threads; t++) ready = scratch_make(&j->scratch[t], j);
    if (ready) {
        progress_start(&j->progress, "truth: queries", j->query.count);
        parallel_for(threads, j->query.count, j->query_tile, work, j);
        progress_end(&j->progress);
    }
    for (int t = 0; j->scratch && t < threads; t++) scratch_free(&j->scratch[t]);
    mem_free(j->scratch);
    return ready ? ERR_OK : FAIL(e, ERR_MEM, "truth: no memory for %d threads", threads);
}

static void measure_base(struct job *j)
{
    j->kernels.of[OP_norms_f32]->fn.norms_f32(j->base.at, j->base.stride, j->base.count, j->base.dim, j->inverses);
    for (size_t row = 0; row < j->base.count; row++) {
        const float *x = rows_at(j->base, row);
        float square;
        j->kernels.of[OP_dot_f32]->fn.dot_f32(x, x, j->base.dim, NULL, 1, j->base.dim, &square);
        j->squares[row] = square;
        if (sqrtf(square) > j->longest) j->longest = sqrtf(square);
    }
}

static int check(struct rows base, struct rows query, size_t k, struct err *e)
{
    if (k == 0) return FAIL(e, ERR_ARG, "truth: k is 0");
    if (base.dim != query.dim)
        return FAIL(e, ERR_ARG, "truth: base has dimension %zu, queries have %zu", base.dim, query.dim);
    if (base.count > INT32_MAX) return FAIL(e, ERR_ARG, "truth: %zu base rows, at most 2147483647", base.count);
    if (base.count == 0 || query.count == 0)
        return FAIL(e, ERR_ARG, "truth: %zu base rows, %zu queries", base.count, query.count);
    return ERR_OK;
}

int truth_compute(struct truth *out, struct rows base, struct rows query, size_t k, enum metric metric, int threads,
                  const struct kernel_set *kernels, struct err *e)
{
    int status = check(base, query, k, e);
    if (status != ERR_OK) return status;
    struct job j = { .base = base, .query = query, .metric = metric };
    j.k = k < base.count ? k : base.count;
    j.keep = metric != METRIC_L2 ? j.k : j.k + MARGIN < base.count ? j.k + MARGIN : base.count;
    threads = threads < 1 ? 1 : threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : threads;
    const size_t share = (query.count + (size_t)threads - 1) / (size_t)threads;
    const size_t fit = QUERY_BYTES / (base.dim * sizeof(float) + 1), most = fit < 3 ? 3 : fit < QUERY_MOST ? fit : QUERY_MOST;
    j.query_tile = share < most ? share : most;
    if (kernels) j.kernels = *kernels;
    else status = kernel_set_resolve(&j.kernels, NULL, e);
    if (status != ERR_OK) return status;
    j.squares = mem_alloc(base.count, sizeof *j.squares);
    j.inverses = mem_alloc(base.count, sizeof *j.inverses);
    j.ids = mem_alloc(query.count * j.k, sizeof *j.ids);
    if (!j.squares || !j.inverses || !j.ids) {
        status = FAIL(e, ERR_MEM, "truth: no memory for %zu base rows", base.count);
    } else {
        measure_base(&j);
        status = run(&j, threads, e);
    }
    mem_free(j.squares);
    mem_free(j.inverses);
    if (status == ERR_OK) *out = (struct truth){ j.ids, query.count, j.k, 0 };
    else mem_free(j.ids);
    return status;
}

void truth_free(struct truth *t)
{
    if (!t) return;
    mem_free(t->ids);
    *t = (struct truth){ 0 };
}

/* The cache folder with its last two levels made; 0 when there is nowhere. */
static int cache_folder(struct text *out)
{
    const char *own = getenv("ASSAY_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own) {
        text_add(out, "%s", own);
    } else {
        if (xdg && *xdg) text_add(out, "%s", xdg);
        else if (home && *home) text_add(out, "%s/.cache", home);
        else return 0;
        (void)mkdir(text_of(out), 0777);
        text_add(out, "/assay");
    }
    (void)mkdir(text_of(out), 0777);
    return !out->failed;
}

static int load(struct truth *out, const char *path, size_t count, size_t k, size_t base_count)
{
    struct dataset d = { 0 };
    if (dataset_open(&d, path, NULL) != ERR_OK) return 0;
    int good = d.ids && d.rows.count == count && d.rows.dim == k;
    int32_t *ids = good ? mem_alloc(count * k, sizeof *ids) : NULL;
    for (size_t i = 0; ids && i < count * k; i++) {
        good &= d.ids[i] >= 0 && d.ids[i] < (int64_t)base_count;
        ids[i] = (int32_t)d.ids[i];
    }
    dataset_close(&d);
    if (ids && good) *out = (struct truth){ ids, count, k, 1 };
    else mem_free(ids);
    return ids && good;
}

int truth_cached(struct truth *out, const struct dataset *base, const struct dataset *query, size_t k,
                 enum metric metric, int threads, const struct kernel_set *kernels, struct err *e)
{
    enum { FORMAT = 1 }; /* count up when the meaning of a cached file changes */
    const size_t held = k < base->rows.count ? k : base->rows.count;
    const uint64_t key[] = { FORMAT, base->content_hash, query->content_hash, base->rows.dim, held, metric };
    struct text path = { 0 };
    const int have = cache_folder(&path);
    text_add(&path, "/truth-%016llx.ivecs", (unsigned long long)hash64(0, key, sizeof key));
    int status = ERR_OK;
    if (!have || path.failed || k == 0 || !load(out, text_of(&path), query->rows.count, held, base->rows.count)) {
        status = truth_compute(out, base->rows, query->rows, k, metric, threads, kernels, e);
        if (status == ERR_OK && have && !path.failed)
            (void)dataset_write_ivecs(text_of(&path), out->ids, out->count, out->k, NULL);
    }
    text_free(&path);
    return status;
}
