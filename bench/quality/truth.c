/* SPDX-License-Identifier: MIT
 * truth.c - finds exact neighbours, tile by tile, on all threads, and keeps them in a cache. */
#include "bench/quality/truth.h"
#include "bench/quality/coarse.h"
#include "bench/time/progress.h"
#include "datasets/unit.h"
#include "kernels/base/parallel.h"
#include "kernels/base/topk.h"
#include "kernels/bound.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Queries of a tile stay in L2 (half of 1 MiB) while every row passes, and so do the scores of its rows.  They are
 * copied to whole cache lines: as a .fvecs has them every load crosses one, and loads, not products, bind: 14 for 12.
 * 10^6 x 10^3 x 384 on one thread of Zen 4, file and hash included: 9.0 .. 9.3 s, then 8.8 (sgemm alone: 7.8). */
enum {
    QUERY_BYTES = 384 << 10,
    QUERY_MOST = 256,
    BASE_TILE = 256,
    MARGIN = 64,
    COARSE_TILE = 512,
    LINE = 16,       /* floats */
    MEASURED = 4096, /* rows */
    ROOM = 8, /* of survivors, in places that are kept: with 4 isotropic rows of d = 3072 were lost at the end; 16: .02 s */
};

/* Lengths that a pass in bfloat16 is for: squares and products are far from what underflows, and sums from overflow. */
static const double SHORTEST = 0x1p-40, LONGEST = 0x1p40;
static int fits(double length) { return length >= SHORTEST && length <= LONGEST; }

/* Scores closer than this, in units of what they are sums of, are equal but for rounding: 8 lanes of up to 65,536
 * dimensions add at most 2^13 roundings of 2^-53, and by a walk some 2^7. */
static const double tie_width = 0x1p-44;

struct exact { double score; int32_t id; };

/* The best `room` of what was pushed, in order: (score descending, row ascending). */
struct list { struct exact *at; size_t room, count; };

struct job {
    struct truth_job ask;
    size_t k, depth, keep; /* depth = k, and one more for the row itself; keep = depth + MARGIN, cut to base.count */
    struct kernel_set kernels;
    float *squares;  /* |x|^2 of every base row */
    float *inverses; /* 1/|x| of every base row, 0 for a zero row */
    double longest;  /* largest |x| */
    struct coarse coarse; /* tile NULL: no first pass in bfloat16 */
    size_t room;          /* of its survivors, a query */
    float *losses;        /* of every row (coarse.h), while they are measured; NULL without coarse */
    int32_t *ids;
    struct scratch *scratch; /* one a thread */
    size_t query_fit, query_tile, query_stride; /* queries that L2 has room for, and those of a tile */
    _Atomic size_t done, tied, scanned, rescored, by_coarse;
    struct progress progress;
    pthread_mutex_t lock; /* of save and failed */
    int failed;
    struct err why;
};

struct scratch {
    float *queries;      /* query_tile x query_stride: a whole number of cache lines each */
    float *tile;         /* query_tile x COARSE_TILE; BASE_TILE without coarse */
    struct hit *hits;    /* query_tile x keep */
    struct topk *heaps;  /* query_tile */
    uint32_t *above;     /* as many rows */
    struct exact *best;  /* keep */
    uint32_t *passing;   /* base.count; NULL without a filter */
    struct survivors *survivors; /* query_tile, of room each; these four NULL without coarse */
    float *survivor_scores;
    uint32_t *survivor_rows;
    struct hit *ranked;  /* room */
};

/* Scores of one query against rows row .. row + n - 1 from their inner products.  By inner product and by
 * cosine they are what the kernels of one query give, to the bit; of l2 the query's square is left out. */
static void score(const struct job *j, float inverse, size_t row, size_t n, float *scores)
{
    const float *inverses = j->inverses + row, *squares = j->squares + row;
    if (j->ask.metric == METRIC_COSINE)
        for (size_t i = 0; i < n; i++) scores[i] = scores[i] * inverse * inverses[i];
    if (j->ask.metric == METRIC_L2)
        for (size_t i = 0; i < n; i++) scores[i] = 2 * scores[i] - squares[i];
}

static void first_pass(const struct job *j, struct rows queries, const float *inverses, struct topk *heaps,
                       struct scratch *s)
{
    const struct rows base = j->ask.base;
    for (size_t row = 0; row < base.count; row += BASE_TILE) {
        const size_t n = base.count - row < BASE_TILE ? base.count - row : BASE_TILE;
        j->kernels.of[OP_tile_f32]->fn.tile_f32(queries.at, queries.stride, queries.count, rows_at(base, row),
                                                base.stride, n, base.dim, s->tile);
        for (size_t q = 0; q < queries.count; q++) {
            float *scores = s->tile + q * n;
            score(j, inverses[q], row, n, scores);
            const size_t kept = j->kernels.of[OP_above_f32]->fn.above_f32(scores, n, topk_bound(&heaps[q]), s->above);
            for (size_t i = 0; i < kept; i++)
                topk_push(&heaps[q], (int64_t)(row + s->above[i]), scores[s->above[i]]);
        }
    }
}

/* --- in float64 -------------------------------------------------------------------------------------- */
static double exact_score(const struct job *j, const float *q, double q_square, size_t row)
{
    const enum metric metric = j->ask.metric;
    const size_t dim = j->ask.base.dim;
    const float *x = rows_at(j->ask.base, row);
    if (metric == METRIC_L2) {
        double lane[8] = { 0 }, sum = 0;
        size_t i = 0;
        for (; i + 8 <= dim; i += 8)
            for (size_t l = 0; l < 8; l++) lane[l] += ((double)q[i + l] - x[i + l]) * ((double)q[i + l] - x[i + l]);
        for (size_t l = 0; i + l < dim; l++) lane[l] += ((double)q[i + l] - x[i + l]) * ((double)q[i + l] - x[i + l]);
        for (size_t l = 0; l < 8; l++) sum += lane[l];
        return -sum;
    }
    const double dot = fixed_dot(q, x, dim);
    if (metric == METRIC_DOT) return dot;
    const double square = q_square * fixed_dot(x, x, dim);
    return square > 0 ? dot / sqrt(square) : 0;
}

static int before(struct exact a, struct exact b) { return a.score > b.score || (a.score == b.score && a.id < b.id); }

static void list_push(struct list *l, double value, size_t row)
{
    const struct exact new = { value, (int32_t)row };
    if (l->count == l->room && !before(new, l->at[l->count - 1])) return;
    size_t at = l->count < l->room ? l->count++ : l->room - 1;
    for (; at > 0 && before(new, l->at[at - 1]); at--) l->at[at] = l->at[at - 1];
    l->at[at] = new;
}

/* Rows pick[0..count-1], or all of them. */
static void scan_exact(const struct job *j, const float *query, double square, const uint32_t *pick, size_t count,
                       struct list *l)
{
    for (size_t i = 0; i < count; i++) {
        const size_t row = pick ? pick[i] : i;
        list_push(l, exact_score(j, query, square, row), row);
    }
}

static int compare_ids(const void *a, const void *b)
{
    const struct exact *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* What only rounding tells apart comes by row; 1 when such a tie reaches over the k-th place. */
static int settle_ties(struct list *l, size_t k, double width)
{
    int over = 0;
    for (size_t from = 0, to; from < l->count; from = to) {
        for (to = from + 1; to < l->count && l->at[to - 1].score - l->at[to].score <= width; to++) {}
        if (to - from > 1) qsort(l->at + from, to - from, sizeof *l->at, compare_ids);
        over |= from < k && to > k;
    }
    return over;
}

/* What a score of a query of this length is a sum of, at most. */
static double unit_of(const struct job *j, double length)
{
    const double reach = length + j->longest;
    if (j->ask.metric == METRIC_COSINE) return 1;
    return j->ask.metric == METRIC_DOT ? length * j->longest : reach * reach;
}

static double bound_of(const struct job *j, enum kernel_op op, double magnitude)
{
    const struct bound_terms terms = { .dim = j->ask.base.dim, .magnitude = magnitude };
    return kernel_bound(j->kernels.of[op], &terms);
}

/* How far a score may be from the exact one, for a query of this length, where the tile is off by `product`: of a
 * cosine, of that of unit vectors. */
static double score_error(const struct job *j, double length, double product)
{
    const double u = 0x1p-24, square = j->longest * j->longest;
    if (j->ask.metric == METRIC_DOT) return product;
    if (j->ask.metric == METRIC_COSINE) return 1.01 * (product + 2 * bound_of(j, OP_norms_f32, 1) + 4 * u);
    return 2 * product + bound_of(j, OP_dot_f32, square) + 4 * u * unit_of(j, length);
}

static double first_error(const struct job *j, double length)
{
    const double magnitude = j->ask.metric == METRIC_COSINE ? 1 : length * j->longest;
    return score_error(j, length, bound_of(j, OP_tile_f32, magnitude));
}

/* The exact best of what the first pass kept, or of everything when it cannot vouch for what it left out. */
static void second_pass(struct job *j, const float *query, struct topk *top, struct list *l)
{
    const struct rows base = j->ask.base;
    const double square = fixed_dot(query, query, base.dim), length = sqrt(square), width = tie_width * unit_of(j,
                                                                                                                length);
    int sure = top->count == j->keep;
    for (size_t i = 0; i < top->count; i++) {
        const size_t row = (size_t)top->hits[i].id;
        list_push(l, exact_score(j, query, square, row), row);
    }
    if (sure && j->keep < base.count) { /* no row left out scores above `cut` */
        const double cut = top->hits[0].score - (j->ask.metric == METRIC_L2 ? square : 0) + first_error(j, length);
        sure = l->at[j->depth - 1].score > cut + width;
    }
    if (!sure) {
        l->count = 0;
        scan_exact(j, query, square, NULL, base.count, l);
        atomic_fetch_add(&j->scanned, 1);
    }
    if (settle_ties(l, j->depth, width)) atomic_fetch_add(&j->tied, 1);
}

/* --- first in bfloat16 ------------------------------------------------------------------------------- */
/* The same of a pass in bfloat16, and of the bounds that are made from its scores in float32 (coarse.h: E); infinite
 * for lengths that it is not for. */
static double coarse_score_error(const struct job *j, const float *query, double length)
{
    const struct coarse *c = &j->coarse;
    const int cosine = j->ask.metric == METRIC_COSINE;
    const double product = coarse_error(c, length, coarse_loss(query, c->dim));
    if (!fits(length)) return INFINITY;
    return score_error(j, length, cosine ? product / (length * c->length) : product) + 8 * 0x1p-24 * unit_of(j, length);
}

/* What float64 may be off by, twice over, and two widths of ties. */
static double coarse_slack(const struct job *j, double length)
{
    return (8 * tie_width + (double)j->ask.base.dim * 0x1p-53) * unit_of(j, length);
}

/* Given up when most queries are lost. */
static void coarse_pass(const struct job *j, struct rows queries, const float *inverses, struct scratch *s)
{
    const struct rows base = j->ask.base;
    size_t lost = 0;
    for (size_t row = 0; row < base.count && 2 * lost <= queries.count; row += COARSE_TILE) {
        const size_t n = base.count - row < COARSE_TILE ? base.count - row : COARSE_TILE;
        j->coarse.tile->fn.tile_f32(queries.at, queries.stride, queries.count, rows_at(base, row), base.stride, n,
                                    base.dim, s->tile);
        lost = 0;
        for (size_t q = 0; q < queries.count; q++) {
            struct survivors *into = &s->survivors[q];
            float *scores = s->tile + q * n;
            if (into->bound == INFINITY) {
                lost++;
                continue;
            }
            score(j, inverses[q], row, n, scores);
            const size_t kept = j->kernels.of[OP_above_f32]->fn.above_f32(scores, n, into->bound, s->above);
            for (size_t i = 0; i < kept; i++) survivors_push(into, row + s->above[i], scores[s->above[i]]);
        }
    }
    for (size_t q = 0; 2 * lost > queries.count && q < queries.count; q++) s->survivors[q].bound = INFINITY;
}

/* Ties over the depth-th place end within a width of it: every row down to two widths is known, so that no other could
 * carry them on, and the float32 pass, which knows the rows down to one, says the same. */
static int ties_are_whole(const struct job *j, const struct list *l, double width)
{
    const double last = l->at[j->depth - 1].score;
    size_t i = j->depth;
    while (i < l->count && l->at[i - 1].score - l->at[i].score <= width) i++;
    return l->at[i - 1].score >= last - width;
}

/* The exact best of the survivors, from the best on until no other can be among them.  0: they do not say. */
static int coarse_answer(struct job *j, const float *query, const struct survivors *from, double error,
                         struct hit *ranked, struct list *l)
{
    const size_t dim = j->ask.base.dim;
    const double square = fixed_dot(query, query, dim), length = sqrt(square), width = tie_width * unit_of(j, length);
    const double above = error + coarse_slack(j, length) - (j->ask.metric == METRIC_L2 ? square : 0);
    size_t i = 0;
    for (; i < from->count; i++) ranked[i] = (struct hit){ from->rows[i], from->scores[i] };
    hits_sort(ranked, from->count);
    for (i = 0; i < from->count; i++) {
        if (l->count >= j->depth && ranked[i].score + above < l->at[j->depth - 1].score) break;
        const char *next = (const char *)rows_at(j->ask.base, (size_t)ranked[i + 1 < from->count ? i + 1 : i].id);
        for (size_t at = 0; at < dim * sizeof(float); at += 64) __builtin_prefetch(next + at);
        list_push(l, exact_score(j, query, square, (size_t)ranked[i].id), (size_t)ranked[i].id);
    }
    atomic_fetch_add(&j->rescored, i);
    if (l->count < j->depth || !ties_are_whole(j, l, width)) return 0;
    atomic_fetch_add(&j->by_coarse, 1);
    if (settle_ties(l, j->depth, width)) atomic_fetch_add(&j->tied, 1);
    return 1;
}

static void answer_filtered(struct job *j, size_t q, struct scratch *s, struct list *l)
{
    const float *query = rows_at(j->ask.query, q);
    const double square = fixed_dot(query, query, j->ask.base.dim);
    const size_t count = tags_passing(j->ask.rows_by_tag, j->ask.base.count, j->ask.query_tags, q, s->passing);
    scan_exact(j, query, square, s->passing, count, l);
    if (settle_ties(l, j->depth, tie_width * unit_of(j, sqrt(square)))) atomic_fetch_add(&j->tied, 1);
}

/* The first k, but not the row itself where rows are the queries. */
static void write_ids(struct job *j, size_t q, const struct list *best)
{
    int32_t *ids = j->ids + q * j->k;
    size_t count = 0;
    for (size_t i = 0; i < best->count && count < j->k; i++)
        if (!j->ask.self || best->at[i].id != (int32_t)q) ids[count++] = best->at[i].id;
    while (count < j->k) ids[count++] = -1;
}

/* Answers what bfloat16 can; the others' queries move to the front.  How many, and which of the tile they are. */
static size_t answer_coarse(struct job *j, size_t from, struct rows queries, const float *inverses, struct scratch *s,
                            uint16_t *which)
{
    double errors[QUERY_MOST];
    size_t left = 0;
    for (size_t q = 0; q < queries.count; q++) {
        const float *query = rows_at(queries, q);
        const double length = sqrt(fixed_dot(query, query, queries.dim));
        errors[q] = coarse_score_error(j, query, length);
        const double gap = (2 * errors[q] + coarse_slack(j, length)) * (1 + 0x1p-20);
        survivors_init(&s->survivors[q], s->survivor_scores + q * j->room, s->survivor_rows + q * j->room, j->room,
                       j->depth, gap);
        if (!(gap < INFINITY)) s->survivors[q].bound = INFINITY;
    }
    coarse_pass(j, queries, inverses, s);
    for (size_t q = 0; q < queries.count; q++) {
        struct list best = { s->best, j->keep, 0 };
        if (survivors_finish(&s->survivors[q]) &&
            coarse_answer(j, rows_at(queries, q), &s->survivors[q], errors[q], s->ranked, &best)) {
            write_ids(j, from + q, &best);
            continue;
        }
        memmove(s->queries + left * j->query_stride, rows_at(queries, q), queries.dim * sizeof(float));
        which[left++] = (uint16_t)q;
    }
    return left;
}

static void answer_tile(struct job *j, size_t from, size_t count, struct scratch *s)
{
    struct rows queries = { s->queries, count, j->ask.query.dim, j->query_stride };
    float inverses[QUERY_MOST];
    uint16_t which[QUERY_MOST];
    for (size_t q = 0; q < count; q++) {
        memcpy(s->queries + q * j->query_stride, rows_at(j->ask.query, from + q), queries.dim * sizeof(float));
        which[q] = (uint16_t)q;
    }
    if (!s->passing)
        j->kernels.of[OP_norms_f32]->fn.norms_f32(queries.at, queries.stride, count, queries.dim, inverses);
    if (!s->passing && j->coarse.tile) {
        queries.count = answer_coarse(j, from, queries, inverses, s, which);
        for (size_t q = 0; q < queries.count; q++) inverses[q] = inverses[which[q]];
    }
    for (size_t q = 0; !s->passing && q < queries.count; q++) topk_init(&s->heaps[q], s->hits + q * j->keep, j->keep);
    for (size_t q = 0; !s->passing && q < queries.count; q += j->query_fit) {
        struct rows some = queries;
        some.at = rows_at(queries, q), some.count = queries.count - q < j->query_fit ? queries.count - q : j->query_fit;
        first_pass(j, some, inverses + q, s->heaps + q, s);
    }
    for (size_t q = 0; q < queries.count; q++) {
        struct list best = { s->best, j->keep, 0 };
        if (s->passing) answer_filtered(j, from + q, s, &best);
        else second_pass(j, rows_at(queries, q), &s->heaps[q], &best);
        write_ids(j, from + which[q], &best);
    }
}

static void scratch_free(struct scratch *s)
{
    mem_free(s->queries);
    mem_free(s->tile);
    mem_free(s->hits);
    mem_free(s->heaps);
    mem_free(s->above);
    mem_free(s->best);
    mem_free(s->passing);
    mem_free(s->survivors), mem_free(s->survivor_scores), mem_free(s->survivor_rows), mem_free(s->ranked);
}

static int scratch_make(struct scratch *s, const struct job *j)
{
    const size_t most = j->coarse.tile ? COARSE_TILE : BASE_TILE;
    s->queries = mem_alloc(j->query_tile * j->query_stride, sizeof *s->queries);
    s->tile = mem_alloc(j->query_tile * most, sizeof *s->tile);
    s->hits = mem_alloc(j->query_tile * j->keep, sizeof *s->hits);
    s->heaps = mem_alloc(j->query_tile, sizeof *s->heaps);
    s->above = mem_alloc(most, sizeof *s->above);
    s->best = mem_alloc(j->keep, sizeof *s->best);
    if (j->ask.query_tags) s->passing = mem_alloc(j->ask.base.count, sizeof *s->passing);
    if (j->coarse.tile) {
        s->survivors = mem_alloc(j->query_tile, sizeof *s->survivors);
        s->survivor_scores = mem_alloc(j->query_tile * j->room, sizeof *s->survivor_scores);
        s->survivor_rows = mem_alloc(j->query_tile * j->room, sizeof *s->survivor_rows);
        s->ranked = mem_alloc(j->room, sizeof *s->ranked);
        if (!s->survivors || !s->survivor_scores || !s->survivor_rows || !s->ranked) return 0;
    }
    return s->queries && s->tile && s->hits && s->heaps && s->above && s->best && (s->passing || !j->ask.query_tags);
}

static int has_failed(struct job *j)
{
    pthread_mutex_lock(&j->lock);
    const int failed = j->failed;
    pthread_mutex_unlock(&j->lock);
    return failed;
}

static void keep_tile(struct job *j, size_t from, size_t count)
{
    pthread_mutex_lock(&j->lock);
    if (!j->failed && j->ask.save) j->failed = j->ask.save(j->ask.context, from, count, j->ids + from * j->k, j->k,
                                                           &j->why);
    pthread_mutex_unlock(&j->lock);
}

/* The stretches of queries from..to-1 that are not there yet. */
static void work(void *context, int thread, size_t from, size_t to)
{
    struct job *j = context;
    from += j->ask.from;
    to += j->ask.from;
    for (size_t q = from, end; q < to; q = end) {
        const int have = j->ask.have && j->ask.have[q];
        for (end = q + 1; end < to && have == (j->ask.have && j->ask.have[end]); end++) {}
        if (have || has_failed(j)) continue;
        answer_tile(j, q, end - q, &j->scratch[thread]);
        keep_tile(j, q, end - q);
    }
    const size_t done = atomic_fetch_add(&j->done, to - from) + to - from;
    if (thread == 0) progress_step(&j->progress, done);
}

static int run(struct job *j, int threads, struct err *e)
{
    const size_t count = j->ask.to - j->ask.from;
    j->scratch = mem_zero((size_t)threads, sizeof *j->scratch);
    int ready = j->scratch != NULL;
    for (int t = 0; ready && t < threads; t++) ready = scratch_make(&j->scratch[t], j);
    if (ready) {
        progress_start(&j->progress, "truth: queries", count);
        parallel_for(threads, count, j->query_tile, work, j);
        progress_end(&j->progress);
    }
    for (int t = 0; j->scratch && t < threads; t++) scratch_free(&j->scratch[t]);
    mem_free(j->scratch);
    if (!ready) return FAIL(e, ERR_MEM, "truth: no memory for %d threads", threads);
    return j->failed ? FAIL(e, j->failed, "%s", j->why.text) : ERR_OK;
}

static void measure_some(void *context, int thread, size_t from, size_t to)
{
    struct job *j = context;
    const struct rows base = j->ask.base;
    (void)thread;
    j->kernels.of[OP_norms_f32]->fn.norms_f32(rows_at(base, from), base.stride, to - from, base.dim,
                                              j->inverses + from);
    for (size_t row = from; row < to; row++) {
        const float *x = rows_at(base, row);
        j->kernels.of[OP_dot_f32]->fn.dot_f32(x, x, base.dim, NULL, 1, base.dim, &j->squares[row]);
        if (j->losses) j->losses[row] = (float)coarse_loss(x, base.dim);
    }
}

/* Lengths and losses of the base.  For a cosine rows count as scaled to the shortest, where an underflow shows most.
 * No first pass in bfloat16 of what is not finite, or too long or short for it. */
static void measure_losses(struct job *j)
{
    struct coarse *c = &j->coarse;
    const double more = 1 + 0x1p-8; /* than single precision can have taken */
    const int cosine = j->ask.metric == METRIC_COSINE;
    double shortest = LONGEST, longest = 0, loss = 0;
    size_t first;
    for (size_t row = 0; c->tile && row < j->ask.base.count; row++) {
        const double length = sqrt((double)j->squares[row]), lost = (double)j->losses[row] * more;
        const struct rows one = { rows_at(j->ask.base, row), 1, c->dim, c->dim };
        if (length == 0 && rows_zeros(one, &first)) continue;
        if (!(fits(length) && isfinite(lost))) c->tile = NULL;
        shortest = fmin(shortest, length / more);
        longest = fmax(longest, length * more);
        loss = fmax(loss, cosine ? lost / length * more : lost);
    }
    c->length = cosine ? shortest : longest;
    c->loss = cosine ? loss * shortest : loss;
}

static void measure_base(struct job *j)
{
    float most = 0;
    parallel_for(j->ask.threads, j->ask.base.count, MEASURED, measure_some, j);
    for (size_t row = 0; row < j->ask.base.count; row++) most = fmaxf(most, j->squares[row]);
    j->longest = sqrt((double)most) * (1 + 0x1p-10); /* more than rounding can have taken */
    if (j->coarse.tile) measure_losses(j);
}

static int check(const struct truth_job *a, struct err *e)
{
    if (a->k == 0) return FAIL(e, ERR_ARG, "truth: k is 0");
    if (a->base.dim != a->query.dim)
        return FAIL(e, ERR_ARG, "truth: base has dimension %zu, queries have %zu", a->base.dim, a->query.dim);
    if (a->self && (a->query.at != a->base.at || a->query.count != a->base.count || a->base.count < 2))
        return FAIL(e, ERR_ARG, "truth: the neighbours of rows among themselves are of two rows or more");
    if (a->base.count > INT32_MAX) return FAIL(e, ERR_ARG, "truth: %zu base rows, at most 2147483647", a->base.count);
    if (a->base.count == 0 || a->query.count == 0)
        return FAIL(e, ERR_ARG, "truth: %zu base rows, %zu queries", a->base.count, a->query.count);
    if (a->query_tags && (a->query_tags->rows != a->query.count || a->rows_by_tag->tags != a->base.count))
        return FAIL(e, ERR_ARG, "truth: tags of %zu queries and %zu base rows, there are %zu and %zu",
                    a->query_tags->rows,
                    a->rows_by_tag->tags, a->query.count, a->base.count);
    if (a->query_tags && a->query_tags->tags > a->rows_by_tag->rows)
        return FAIL(e, ERR_ARG, "truth: queries have %zu tags, the base %zu", a->query_tags->tags,
                    a->rows_by_tag->rows);
    if (a->metric == METRIC_COSINE) return ERR_OK; /* any length is scaled away */
    const int status = index_check_rows(a->base, a->metric, "truth", "base row", e);
    return status == ERR_OK ? index_check_rows(a->query, a->metric, "truth", "query", e) : status;
}

static int prepare(struct job *j, struct err *e)
{
    const struct rows base = j->ask.base;
    j->squares = mem_alloc(base.count, sizeof *j->squares);
    j->inverses = mem_alloc(base.count, sizeof *j->inverses);
    j->ids = mem_alloc(j->ask.query.count * j->k, sizeof *j->ids);
    if (j->coarse.tile) j->losses = mem_alloc(base.count, sizeof *j->losses);
    if (!j->squares || !j->inverses || !j->ids || (j->coarse.tile && !j->losses))
        return FAIL(e, ERR_MEM, "truth: no memory for %zu base rows", base.count);
    measure_base(j);
    mem_free(j->losses);
    j->losses = NULL;
    return ERR_OK;
}

/* Queries of a tile: at most `most`, as many in each, or the threads end apart; of whole threes, which kernels take
 * at a time. */
static size_t even_tile(const struct truth_job *a, size_t most)
{
    const size_t share = (a->to - a->from + (size_t)a->threads - 1) / (size_t)a->threads;
    const size_t tiles = (share + most - 1) / most, even = tiles ? ((share + tiles - 1) / tiles + 2) / 3 * 3 : 1;
    return even < most ? even : most;
}

/* Places to fill, threads, and tiles of queries, which are what L2 has room for. */
static void set_sizes(struct job *j)
{
    struct truth_job *a = &j->ask;
    const size_t fit = QUERY_BYTES / (a->base.dim * sizeof(float) + 1);
    a->threads = a->threads < 1 ? 1 : a->threads > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : a->threads;
    j->k = truth_job_width(a);
    j->depth = j->k + (a->self != 0);
    j->keep = truth_width(j->depth + MARGIN, a->base.count);
    j->query_fit = fit < 3 ? 3 : fit < QUERY_MOST ? fit : QUERY_MOST;
    j->query_tile = even_tile(a, j->query_fit);
    j->query_stride = (a->base.dim + LINE - 1) / LINE * LINE;
}

/* The kernels, and whether a pass in bfloat16 goes before theirs: by itself where it pays, or because its tile was
 * asked for by name; then the default tile is for what it leaves.  It rounds its queries, so that more of them fit: at
 * d = 1536 252 of them took 2.1 s where 64 took 2.7. */
static int choose_kernels(struct job *j, struct err *e)
{
    const struct truth_job *a = &j->ask;
    struct kernel_set best;
    const int status = kernel_set_resolve(&best, NULL, e);
    if (status != ERR_OK) return status;
    j->kernels = a->kernels ? *a->kernels : best;
    const size_t queries = even_tile(a, QUERY_MOST), room = truth_width(ROOM * j->keep, a->base.count);
    const struct kernel *tile = a->kernels ? a->kernels->of[OP_tile_f32] : coarse_kernel(queries, room);
    if (!tile || !tile->own.bf16) return ERR_OK;
    j->kernels.of[OP_tile_f32] = best.of[OP_tile_f32];
    if (a->query_tags) return ERR_OK;
    j->coarse = (struct coarse){ .tile = tile, .dim = a->base.dim };
    j->query_tile = queries;
    j->room = room;
    return ERR_OK;
}

int truth_run(struct truth *out, const struct truth_job *ask, struct err *e)
{
    int status = check(ask, e);
    if (status != ERR_OK) return status;
    struct job j = { .ask = *ask, .lock = PTHREAD_MUTEX_INITIALIZER };
    if (j.ask.to == 0) j.ask.to = ask->query.count;
    set_sizes(&j);
    status = choose_kernels(&j, e);
    if (status == ERR_OK) status = prepare(&j, e);
    if (status == ERR_OK && j.ask.to > j.ask.from) status = run(&j, j.ask.threads, e);
    mem_free(j.squares);
    mem_free(j.inverses);
    mem_free(j.losses);
    const struct truth made = { .ids = j.ids, .count = ask->query.count, .k = j.k, .tied = j.tied,
                               .scanned = j.scanned, .by_coarse = j.by_coarse, .rescored = j.rescored };
    if (status == ERR_OK) *out = made;
    else mem_free(j.ids);
    return status;
}

int truth_compute(struct truth *out, struct rows base, struct rows query, size_t k, enum metric metric, int threads,
                  const struct kernel_set *kernels, struct err *e)
{
    const struct truth_job job = { .base = base, .query = query, .k = k, .metric = metric, .threads = threads,
                                  .kernels = kernels };
    return truth_run(out, &job, e);
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
    if (ids && good) *out = (struct truth){ .ids = ids, .count = count, .k = k, .from_cache = 1 };
    else mem_free(ids);
    return ids && good;
}

int truth_cached(struct truth *out, const struct dataset *base, const struct dataset *query, size_t k,
                 enum metric metric, int threads, const struct kernel_set *kernels, struct err *e)
{
    enum { FORMAT = 2 }; /* count up when the meaning of a cached file changes */
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
