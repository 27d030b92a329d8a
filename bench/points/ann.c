/* SPDX-License-Identifier: MIT
 * ann.c - measures index points: builds, times arms in turns, judges what they found. */
#include "bench/points/ann.h"
#include "bench/time/machine.h"
#include "bench/quality/ceiling.h"
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/parallel.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/topk.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* Calls of one arm before the next has its turn: long against what a switch costs, short against
 * what changes on a machine. */
enum { BLOCK_CALLS = 50 };

/* --- exact scores --------------------------------------------------------------------------- */
/* What re-scoring needs a row beside the row itself. */
static int make_side(struct ann_set *s, struct err *e)
{
    if (s->side || s->metric != METRIC_COSINE) return ERR_OK;
    struct kernel_set kernels;
    const int status = kernel_set_resolve(&kernels, NULL, e);
    if (status != ERR_OK) return status;
    const struct rows b = s->base.rows;
    s->side = mem_alloc(b.count, sizeof *s->side);
    if (!s->side) return FAIL(e, ERR_MEM, "no memory for %zu norms", b.count);
    for (size_t r = 0; r < b.count; r++) {
        float squared;
        kernels.of[OP_dot_f32]->fn.dot_f32(rows_at(b, r), rows_at(b, r), 0, NULL, 1, b.dim, &squared);
        s->side[r] = squared > 0 ? 1 / sqrtf(squared) : 0;
    }
    return ERR_OK;
}

/* --- build ---------------------------------------------------------------------------------- */
int ann_build(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, struct err *e)
{
    struct ann_index x = { 0 };
    int status = kernel_set_resolve(&x.kernels, p->kernel, e);
    if (status != ERR_OK) return status;
    const struct index_config config = { s->base.rows.dim, s->metric, p->seed, p->threads, &x.kernels };
    const uint64_t start = clock_ns();
    status = index_create(&x.index, p->spec, &config, e);
    if (status == ERR_OK) status = index_train(x.index, s->base.rows, e);
    if (status == ERR_OK) status = index_add(x.index, s->base.rows, NULL, e);
    if (status == ERR_OK) status = index_bind(x.index, s->query.rows, e);
    x.build_s = clock_since_s(start);
    if (status == ERR_OK) *out = x;
    else index_destroy(x.index);
    return status;
}

void ann_index_fini(struct ann_index *x)
{
    index_destroy(x->index);
    *x = (struct ann_index){ 0 };
}

/* --- one arm at work -------------------------------------------------------------------------- */
/* A thread's own storage. */
struct lane {
    void *scratch;
    struct hit *hits; /* batch x depth */
    size_t *counts, *best_counts;
    struct hit *best; /* batch x k, after exact re-scoring; NULL: none asked for */
    uint32_t *pick;
    float *scores;
    uint64_t retrieve_ns, rerank_ns;
    struct index_work work; /* of `worked` queries */
    uint64_t worked;
};

struct ann_work {
    const struct ann_set *set;
    struct ann_arm *arm;
    size_t depth;   /* what stage one returns: max(k, rerank) */
    size_t queries; /* in the file */
    float *ring;    /* batches: the queries and the first batch - 1 once more, so that each is one block */
    struct rows asked; /* ring, or the set's own queries */
    struct lane *lanes;
    /* Of the first time that each query was asked. */
    struct hit *candidates; /* queries x depth */
    size_t *candidate_count;
    struct hit *found; /* queries x k */
    size_t *found_count;
};

static void work_free(struct ann_work *w)
{
    if (!w) return;
    for (int t = 0; w->lanes && t < w->arm->point.threads; t++) {
        struct lane *l = &w->lanes[t];
        mem_free(l->scratch);
        mem_free(l->hits);
        mem_free(l->counts);
        mem_free(l->best_counts);
        mem_free(l->best);
        mem_free(l->pick);
        mem_free(l->scores);
    }
    mem_free(w->lanes);
    mem_free(w->ring);
    mem_free(w->candidates);
    mem_free(w->candidate_count);
    mem_free(w->found);
    mem_free(w->found_count);
    mem_free(w);
}

static int lane_init(struct lane *l, const struct ann_work *w)
{
    const size_t batch = w->arm->point.batch;
    const struct index *ix = w->arm->built->index;
    *l = (struct lane){
        .scratch = mem_alloc(ix->ops->scratch_bytes(ix, batch, w->depth), 1),
        .hits = mem_zero(batch * w->depth, sizeof *l->hits),
        .counts = mem_zero(batch, sizeof *l->counts),
        .best_counts = mem_zero(batch, sizeof *l->best_counts),
        .best = w->arm->point.rerank ? mem_zero(batch * w->arm->point.k, sizeof *l->best) : NULL,
        .pick = mem_alloc(w->depth, sizeof *l->pick),
        .scores = mem_alloc(w->depth, sizeof *l->scores),
    };
    return l->scratch && l->hits && l->counts && l->best_counts && (l->best || !w->arm->point.rerank) && l->pick &&
           l->scores;
}

static float *make_ring(struct rows q, size_t batch)
{
    const size_t count = q.count + batch - 1;
    float *ring = mem_alloc(count, q.dim * sizeof *ring);
    for (size_t i = 0; ring && i < count; i++)
        memcpy(ring + i * q.dim, rows_at(q, i % q.count), q.dim * sizeof *ring);
    return ring;
}

static int work_init(const struct ann_set *s, struct ann_arm *a, struct err *e)
{
    const struct ann_point *p = &a->point;
    const size_t queries = s->query.rows.count, depth = p->rerank > p->k ? p->rerank : p->k;
    const int status = index_check_queries(a->built->index, s->query.rows, depth, e);
    if (status != ERR_OK) return status;
    if (p->batch > 1 && a->built->index->ops->bind)
        return FAIL(e, ERR_ARG, "%s: its answers are kept by query, one at a time: batch %zu is more than 1", p->spec,
                    p->batch);
    struct ann_work *w = mem_zero(1, sizeof *w);
    if (!w) return FAIL(e, ERR_MEM, "%s: no memory", p->spec);
    *w = (struct ann_work){ s, a, .depth = depth, .queries = queries };
    a->work = w;
    w->ring = p->batch > 1 ? make_ring(s->query.rows, p->batch) : NULL;
    w->asked = w->ring ? (struct rows){ w->ring, queries + p->batch - 1, s->query.rows.dim, s->query.rows.dim }
                       : s->query.rows;
    w->lanes = mem_zero((size_t)p->threads, sizeof *w->lanes);
    w->candidates = mem_alloc(queries * depth, sizeof *w->candidates);
    w->candidate_count = mem_zero(queries, sizeof *w->candidate_count);
    w->found = mem_alloc(queries * p->k, sizeof *w->found);
    w->found_count = mem_zero(queries, sizeof *w->found_count);
    int whole = (w->ring || p->batch == 1) && w->lanes && w->candidates && w->candidate_count && w->found && w->found_count;
    for (int t = 0; whole && t < p->threads; t++) whole = lane_init(&w->lanes[t], w);
    if (whole) whole = quality_init(&a->quality, queries, NULL) == ERR_OK;
    if (whole && s->hard.count) a->quality.hard = &s->hard;
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory to search %zu x %zu", p->spec, queries, depth);
}

/* The best k of `count` hits by exact score; how many that are. */
static size_t rescore(const struct ann_work *w, struct lane *l, const float *query,
                      const struct hit *hits, size_t count, struct hit *out)
{
    const struct ann_set *s = w->set;
    const struct kernel_set *kernels = &w->arm->built->kernels;
    const struct rows b = s->base.rows;
    size_t known = 0; /* another program's answers may name rows that do not exist */
    for (size_t i = 0; i < count; i++)
        if (hits[i].id >= 0 && (uint64_t)hits[i].id < b.count) l->pick[known++] = (uint32_t)hits[i].id;
    count = known;
    if (s->metric == METRIC_COSINE)
        kernels->of[OP_cosine_f32]->fn.cosine_f32(query, b.at, b.stride, l->pick, count, b.dim, s->side, l->scores);
    else if (s->metric == METRIC_L2)
        kernels->of[OP_l2_f32]->fn.l2_f32(query, b.at, b.stride, l->pick, count, b.dim, l->scores);
    else kernels->of[OP_dot_f32]->fn.dot_f32(query, b.at, b.stride, l->pick, count, b.dim, l->scores);
    struct topk best;
    topk_init(&best, out, w->arm->point.k);
    for (size_t i = 0; i < count; i++)
        topk_push(&best, l->pick[i], s->metric == METRIC_L2 ? -l->scores[i] : l->scores[i]);
    return topk_finish(&best);
}

/* Keeps the hits of a call: the first calls ask every query once, in order. */
static void keep(struct ann_work *w, const struct lane *l, size_t call)
{
    const size_t batch = w->arm->point.batch, k = w->arm->point.k;
    for (size_t j = 0; j < batch; j++) {
        const size_t query = call * batch + j;
        if (query >= w->queries) return;
        const size_t count = l->best ? l->best_counts[j] : l->counts[j] < k ? l->counts[j] : k;
        memcpy(w->candidates + query * w->depth, l->hits + j * w->depth, l->counts[j] * sizeof *l->hits);
        memcpy(w->found + query * k, l->best ? l->best + j * k : l->hits + j * w->depth, count * sizeof *l->hits);
        w->candidate_count[query] = l->counts[j];
        w->found_count[query] = count;
    }
}

static void count_work(const struct index *ix, struct lane *l, size_t count)
{
    struct index_work work;
    if (!ix->ops->work) return;
    ix->ops->work(ix, l->scratch, count, &work);
    index_work_add(&l->work, &work);
    l->worked += count;
}

/* One call: a batch of consecutive queries, which may wrap around the end of the file. */
static void serve(struct ann_work *w, struct lane *l, size_t call, int timed)
{
    const struct ann_point *p = &w->arm->point;
    const struct index *ix = w->arm->built->index;
    const size_t first = call * p->batch % w->queries;
    const struct rows batch = { rows_at(w->asked, first), p->batch, w->asked.dim, w->asked.stride };
    const uint64_t start = clock_ns();
    ix->ops->search(ix, batch, w->depth, l->scratch, l->hits, l->counts);
    const uint64_t retrieved = clock_ns();
    for (size_t j = 0; l->best && j < p->batch; j++)
        l->best_counts[j] = rescore(w, l, rows_at(batch, j), l->hits + j * w->depth, l->counts[j],
                                    l->best + j * p->k);
    const uint64_t end = l->best ? clock_ns() : retrieved;
    if (!timed) return;
    w->arm->calls.us[call] = (double)(end - start) * 1e-3;
    l->retrieve_ns += retrieved - start;
    l->rerank_ns += end - retrieved;
    keep(w, l, call);
    count_work(ix, l, p->batch);
}

struct block {
    struct ann_work *work;
    size_t first;
};

static void serve_some(void *context, int thread, size_t from, size_t to)
{
    const struct block *b = context;
    for (size_t c = from; c < to; c++) serve(b->work, &b->work->lanes[thread], b->first + c, 1);
}

/* The next `count` calls of an arm. */
static void run_block(struct ann_arm *a, size_t count)
{
    struct block b = { a->work, a->calls.count };
    serve(a->work, a->work->lanes, b.first, 0);
    const uint64_t start = clock_ns();
    parallel_for(a->point.threads, count, 1, serve_some, &b);
    a->calls.wall_s += clock_since_s(start);
    a->calls.count += count;
}

/* --- quality ------------------------------------------------------------------------------------ */
/* Storage of one query's evidence. */
struct books {
    int64_t *found, *truth, *candidates, *decoded;
    double *found_scores, *truth_scores;
};

static void books_free(struct books *b)
{
    mem_free(b->found);
    mem_free(b->truth);
    mem_free(b->candidates);
    mem_free(b->decoded);
    mem_free(b->found_scores);
    mem_free(b->truth_scores);
}

static int books_init(struct books *b, size_t k, size_t depth, struct err *e)
{
    *b = (struct books){
        mem_alloc(k, sizeof *b->found),   mem_alloc(k, sizeof *b->truth),
        mem_alloc(depth, sizeof *b->candidates), mem_alloc(k, sizeof *b->decoded),
        mem_alloc(k, sizeof *b->found_scores), mem_alloc(k, sizeof *b->truth_scores),
    };
    if (b->found && b->truth && b->candidates && b->decoded && b->found_scores && b->truth_scores) return ERR_OK;
    books_free(b);
    return FAIL(e, ERR_MEM, "no memory to judge %zu results", depth);
}

static struct id_list ids_of(const struct hit *hits, size_t count, int64_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = hits[i].id;
    return (struct id_list){ out, count };
}

static double row_score(const struct ann_set *s, size_t query, int64_t id)
{
    if (id < 0 || (uint64_t)id >= s->base.rows.count) return -INFINITY; /* an answer that names no row */
    return point_exact(s->metric, rows_at(s->query.rows, query), rows_at(s->base.rows, (size_t)id), s->base.rows.dim);
}

static void judge(const struct ann_work *w, size_t query, struct books *b,
                  const struct hit *decoded, size_t decoded_count)
{
    const struct ann_set *s = w->set;
    const size_t k = w->arm->point.k, most = s->truth_k < k ? s->truth_k : k;
    size_t known = 0; /* a given truth may have fewer */
    for (; known < most && s->truth[query * s->truth_k + known] >= 0; known++) b->truth[known] = s->truth[query * s->truth_k + known];
    struct evidence v = { .k = k,
                          .truth = { b->truth, known },
                          .found_scores = b->found_scores,
                          .truth_scores = b->truth_scores };
    v.found = ids_of(w->found + query * k, w->found_count[query], b->found);
    if (w->arm->point.rerank)
        v.candidates = ids_of(w->candidates + query * w->depth, w->candidate_count[query], b->candidates);
    if (decoded) v.decoded = ids_of(decoded, decoded_count, b->decoded);
    for (size_t i = 0; i < v.found.count; i++) b->found_scores[i] = row_score(s, query, b->found[i]);
    for (size_t i = 0; i < known; i++) b->truth_scores[i] = row_score(s, query, b->truth[i]);
    quality_set(&w->arm->quality, query, &v);
}

static int search_decoded(const struct ann_work *w, struct hit **hits, size_t **counts, struct err *e)
{
    const struct ann_set *s = w->set;
    const struct ann_point *p = &w->arm->point;
    *hits = mem_alloc(s->query.rows.count * p->k, sizeof **hits);
    *counts = mem_alloc(s->query.rows.count, sizeof **counts);
    if (!*hits || !*counts) return FAIL(e, ERR_MEM, "no memory for the ceiling of codes");
    return ceiling_search(w->arm->built->index, NULL, s->base.rows.count, s->query.rows, p->k, p->threads, *hits, *counts,
                       e);
}

static int judge_all(const struct ann_work *w, int ceiling, struct err *e)
{
    struct books b;
    struct hit *decoded = NULL;
    size_t *counts = NULL;
    const size_t k = w->arm->point.k;
    int status = books_init(&b, k, w->depth, e);
    if (status != ERR_OK) return status;
    if (ceiling && w->arm->built->index->ops->decode) status = search_decoded(w, &decoded, &counts, e);
    for (size_t i = 0; status == ERR_OK && i < w->queries; i++)
        judge(w, i, &b, decoded ? decoded + i * k : NULL, decoded ? counts[i] : 0);
    mem_free(decoded);
    mem_free(counts);
    books_free(&b);
    return status;
}

/* --- measuring ------------------------------------------------------------------------------------ */
/* Calls that give a p99 at batch 1; of batches as many as ask that many queries, and enough for a
 * median: 2,000 calls of 1,000 queries each would take minutes to say nothing more. */
static size_t usual_calls(size_t batch)
{
    enum { CALLS = 2000, BATCHES_LEAST = 30 };
    return batch == 1 || CALLS / batch > BATCHES_LEAST ? CALLS / batch : BATCHES_LEAST;
}

static int prepare(const struct ann_set *s, struct ann_arm *a, size_t least, struct err *e)
{
    struct ann_point *p = &a->point;
    assert(p->k >= 1 && p->batch >= 1 && p->threads >= 1);
    const size_t once = (s->query.rows.count + p->batch - 1) / p->batch;
    const int status = work_init(s, a, e);
    if (status != ERR_OK) return status;
    if (!least) least = usual_calls(p->batch);
    a->calls.room = least > once ? least : once;
    a->calls.us = mem_alloc(a->calls.room, sizeof *a->calls.us);
    return a->calls.us ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu timings", a->calls.room);
}

/* Blocks in turn until every arm has its calls, or until the budget is spent and every query was
 * asked.  Every round has an order of its own: in a fixed one an index ran always in the wake of the same other, and
 * was 16 % faster after itself than after a scan that empties the caches. */
static void run_all(const struct ann_set *s, struct ann_arm *arms, size_t count, const struct ann_plan *plan,
                    uint32_t *order)
{
    struct progress progress;
    struct rng rng;
    rng_seed(&rng, arms[0].point.seed, 0);
    uint64_t total = 0, done = 0;
    for (size_t i = 0; i < count; i++) total += arms[i].calls.room;
    progress_start(&progress, "timed calls", total);
    const uint64_t start = clock_ns();
    int late = 0;
    for (int busy = 1; busy;) {
        busy = 0;
        rng_shuffle(&rng, order, count);
        for (size_t j = 0; j < count; j++) {
            struct ann_arm *a = &arms[order[j]];
            const size_t once = (s->query.rows.count + a->point.batch - 1) / a->point.batch;
            const size_t wanted = late && once < a->calls.room ? once : a->calls.room;
            if (a->calls.count >= wanted) continue;
            const size_t left = wanted - a->calls.count, turn = count == 1 && !plan->budget_s ? left : BLOCK_CALLS;
            run_block(a, left < turn ? left : turn);
            done += left < turn ? left : turn;
            progress_step(&progress, done);
            busy = 1;
            late = plan->budget_s > 0 && clock_since_s(start) > plan->budget_s;
        }
    }
    progress_end(&progress);
}

/* 1 where the answers are another program's: nothing that we could time or weigh. */
int ann_is_external(const struct index *ix)
{
    struct text used = { 0 };
    ix->ops->kernels(ix, &used);
    const int external = strcmp(text_of(&used), "external") == 0;
    text_free(&used);
    return external;
}

/* The other program's times for ours, where it left any. */
static void take_latencies(struct ann_arm *a, size_t queries)
{
    const struct index *ix = a->built->index;
    const double *us = ix->ops->latencies ? ix->ops->latencies(ix) : NULL;
    a->calls.count = us ? queries : 0;
    a->calls.wall_s = 0;
    for (size_t q = 0; q < a->calls.count; q++) {
        a->calls.us[q] = us[q];
        a->calls.wall_s += us[q] * 1e-6;
    }
    a->retrieve_us = us ? a->calls.wall_s * 1e6 / (double)queries : (double)NAN;
}

int ann_measure(struct ann_set *s, struct ann_arm *arms, size_t count, const struct ann_plan *plan, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; i < count && status == ERR_OK; i++)
        if (arms[i].point.rerank) status = make_side(s, e);
    for (size_t i = 0; i < count && status == ERR_OK; i++) status = prepare(s, &arms[i], plan->least_calls, e);
    const struct machine_load before = machine_load();
    uint32_t *order = mem_alloc(count, sizeof *order);
    if (status == ERR_OK && !order) status = FAIL(e, ERR_MEM, "no memory for %zu indexes", count);
    if (status == ERR_OK) run_all(s, arms, count, plan, order);
    mem_free(order);
    const uint64_t steal_ms = machine_load().steal_ms - before.steal_ms;
    for (size_t i = 0; i < count; i++) {
        struct ann_arm *a = &arms[i];
        if (status == ERR_OK) status = judge_all(a->work, plan->ceiling, e);
        uint64_t retrieve_ns = 0, rerank_ns = 0, worked = 0;
        struct index_work sum = { 0 };
        for (int t = 0; status == ERR_OK && t < a->point.threads; t++) {
            retrieve_ns += a->work->lanes[t].retrieve_ns;
            rerank_ns += a->work->lanes[t].rerank_ns;
            index_work_add(&sum, &a->work->lanes[t].work);
            worked += a->work->lanes[t].worked;
        }
        a->retrieve_us = (double)retrieve_ns * 1e-3 / (double)a->calls.count;
        a->rerank_us = (double)rerank_ns * 1e-3 / (double)a->calls.count;
        a->read = ann_read_of(&sum, worked);
        a->steal_ms = steal_ms;
        if (ann_is_external(a->built->index)) take_latencies(a, s->query.rows.count);
        work_free(a->work);
        a->work = NULL;
    }
    return status;
}

void ann_arm_fini(struct ann_arm *a)
{
    mem_free(a->calls.us);
    quality_fini(&a->quality);
    a->calls = (struct calls){ 0 };
}
