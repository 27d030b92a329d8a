/* SPDX-License-Identifier: MIT */
#include "bench/truth.h"
#include "bench/command.h"
#include "kernels/base/parallel.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
/* Spelled so that the build's search for optional headers leaves this file in a WORKER build. */
#ifndef ASSAY_WORKER
#    include <cblas.h>
#endif

/* Tiles: 256 x 1024 scores are 1 MiB, half of a core's L2; at 64 queries sgemm ran at 60 % of
 * its speed, above 256 it gained nothing. */
enum { QUERY_TILE = 256, BASE_TILE = 1024, MARGIN = 64 };

struct job {
    struct rows base, query;
    size_t k, keep; /* keep = k + MARGIN, cut to base.count */
    enum metric metric;
    struct kernel_set kernels;
    float *squares;  /* |x|^2 of every base row */
    float *inverses; /* 1/|x|, 0 for a zero row */
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
    float *scores;       /* max(keep, BASE_TILE) */
};

/* Scores of base rows pick[0..count) (NULL: 0..count) in the canonical arithmetic. */
static void score_exactly(const struct job *j, const float *query, struct rows base, const uint32_t *pick,
                          size_t count, const float *inverses, float *scores)
{
    switch (j->metric) {
    case METRIC_COSINE:
        j->kernels.of[OP_cosine_f32]->fn.cosine_f32(query, base.at, base.stride, pick, count, base.dim, inverses, scores);
        break;
    case METRIC_L2:
        j->kernels.of[OP_l2_f32]->fn.l2_f32(query, base.at, base.stride, pick, count, base.dim, scores);
        for (size_t i = 0; i < count; i++) scores[i] = -scores[i];
        break;
    default: j->kernels.of[OP_dot_f32]->fn.dot_f32(query, base.at, base.stride, pick, count, base.dim, scores);
    }
}

static void scan_whole(const struct job *j, const float *query, struct topk *top, float *scores)
{
    for (size_t row = 0; row < j->base.count; row += BASE_TILE) {
        const size_t n = j->base.count - row < BASE_TILE ? j->base.count - row : BASE_TILE;
        const struct rows tile = { rows_at(j->base, row), n, j->base.dim, j->base.stride };
        score_exactly(j, query, tile, NULL, n, j->inverses + row, scores);
        for (size_t i = 0; i < n; i++) topk_push(top, (int64_t)(row + i), scores[i]);
    }
}

#ifndef ASSAY_WORKER
static void first_pass_tile(const struct job *j, struct rows queries, size_t row, size_t n, struct scratch *s)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)queries.count, (int)n, (int)j->base.dim, 1, queries.at,
                (int)queries.stride, rows_at(j->base, row), (int)j->base.stride, 0, s->tile, BASE_TILE);
    for (size_t q = 0; q < queries.count; q++) {
        float *scores = s->tile + q * BASE_TILE;
        if (j->metric == METRIC_COSINE)
            for (size_t i = 0; i < n; i++) scores[i] *= j->inverses[row + i];
        if (j->metric == METRIC_L2)
            for (size_t i = 0; i < n; i++) scores[i] = 2 * scores[i] - j->squares[row + i];
        float bound = topk_bound(&s->heaps[q]);
        for (size_t i = 0; i < n; i++) {
            if (scores[i] < bound) continue;
            topk_push(&s->heaps[q], (int64_t)(row + i), scores[i]);
            bound = topk_bound(&s->heaps[q]);
        }
    }
}

/* The best k of what the first pass kept for one query, or of everything when it cannot vouch. */
static void second_pass(const struct job *j, const float *query, struct topk *top, struct scratch *s)
{
    const size_t kept = top->count, dim = j->base.dim;
    double square = 0;
    for (size_t c = 0; c < dim; c++) square += (double)query[c] * query[c];
    const double length = sqrt(square);
    const double shift = j->metric == METRIC_L2 ? square : 0, scale = j->metric == METRIC_COSINE ? 1 / length : 1;
    const double reach = j->metric == METRIC_COSINE ? 1 : j->metric == METRIC_DOT ? length * j->longest :
                         (length + j->longest) * (length + j->longest);
    const double error = ((double)dim + 8) * 0x1p-24 * reach;
    const double cut = top->hits[0].score * scale - shift + error; /* no row left out scores above this */
    for (size_t i = 0; i < kept; i++) s->pick[i] = (uint32_t)top->hits[i].id;
    score_exactly(j, query, j->base, s->pick, kept, j->inverses, s->scores);
    topk_init(top, top->hits, j->k);
    for (size_t i = 0; i < kept; i++) topk_push(top, s->pick[i], s->scores[i]);
    /* A zero or tiny query makes the test false by NaN, and is scanned. */
    if (kept == j->base.count || topk_bound(top) - error > cut) return;
    topk_init(top, top->hits, j->k);
    scan_whole(j, query, top, s->scores);
}
#endif

static void answer_tile(const struct job *j, size_t from, size_t count, struct scratch *s)
{
    for (size_t q = 0; q < count; q++) topk_init(&s->heaps[q], s->hits + q * j->keep, j->keep);
#ifndef ASSAY_WORKER
    const struct rows queries = { rows_at(j->query, from), count, j->query.dim, j->query.stride };
    for (size_t row = 0; row < j->base.count; row += BASE_TILE)
        first_pass_tile(j, queries, row, j->base.count - row < BASE_TILE ? j->base.count - row : BASE_TILE, s);
#endif
    for (size_t q = 0; q < count; q++) {
        const float *query = rows_at(j->query, from + q);
#ifndef ASSAY_WORKER
        second_pass(j, query, &s->heaps[q], s);
#else
        topk_init(&s->heaps[q], s->hits + q * j->keep, j->k);
        scan_whole(j, query, &s->heaps[q], s->scores);
#endif
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
    mem_free(s->scores);
}

static int scratch_make(struct scratch *s, const struct job *j)
{
    s->tile = mem_alloc(j->query_tile * BASE_TILE, sizeof *s->tile);
    s->hits = mem_alloc(j->query_tile * j->keep, sizeof *s->hits);
    s->heaps = mem_alloc(j->query_tile, sizeof *s->heaps);
    s->pick = mem_alloc(j->keep, sizeof *s->pick);
    s->scores = mem_alloc(j->keep > BASE_TILE ? j->keep : BASE_TILE, sizeof *s->scores);
    return s->tile && s->hits && s->heaps && s->pick && s->scores;
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
    j.keep = j.k + MARGIN < base.count ? j.k + MARGIN : base.count;
    threads = threads < 1 ? 1 : threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : threads;
    const size_t share = (query.count + (size_t)threads - 1) / (size_t)threads;
    j.query_tile = share < QUERY_TILE ? share : QUERY_TILE;
    if (kernels) j.kernels = *kernels;
    else status = kernel_set_resolve(&j.kernels, NULL, e);
    if (status != ERR_OK) return status;
#ifndef ASSAY_WORKER
    openblas_set_num_threads(1); /* the queries are split here; two levels of threads fight */
#endif
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
