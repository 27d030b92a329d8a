/* SPDX-License-Identifier: MIT */
#include "index/knn.h"
#include <math.h>
#include <string.h>
#include "index/codec.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include "kernels/base/topk.h"

enum {
    PART_ROWS = 64,   /* of a part, on average */
    PIECE_ROWS = 192,  /* rows that go through the parts together: their codes and sums share L2 with a chunk */
    CHUNK_ROWS = 128,  /* of those that they are held against */
    PARTS_MOST = 4096,
    ROUNDS = 6,
    SAMPLE_ROWS = 64,  /* that a centre is learnt from, on average */
};

int points_init(struct points *p, size_t count, size_t dim, struct err *e)
{
    *p = (struct points){ .count = count, .padded = codes_groups(dim) * CODES_DIMS };
    p->codes = mem_alloc(count, p->padded);
    p->steps = mem_alloc(count, sizeof *p->steps);
    p->terms = mem_alloc(count, sizeof *p->terms);
    if (p->codes && p->steps && p->terms) return ERR_OK;
    points_fini(p);
    return FAIL(e, ERR_MEM, "no memory for %zu rows of 8 bits", count);
}

void points_fini(struct points *p)
{
    mem_free(p->codes), mem_free(p->steps), mem_free(p->terms);
    *p = (struct points){ 0 };
}

void points_set(struct points *p, size_t i, const float *x, size_t dim, float term)
{
    p->steps[i] = codec_query(x, dim, p->padded, 127, p->codes + i * p->padded);
    p->terms[i] = term;
}

static void copy_point(struct points *to, size_t i, const struct points *from, size_t j)
{
    memcpy(to->codes + i * to->padded, from->codes + j * from->padded, to->padded);
    to->steps[i] = from->steps[j];
    to->terms[i] = from->terms[j];
}

/* Shell sort: lists are short and no order of equal elements is left open. */
void near_sort(struct near *list, size_t count)
{
    static const size_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (size_t i = gaps[g]; i < count; i++) {
            const struct near x = list[i];
            size_t j = i;
            for (; j >= gaps[g] && near_before(x, list[j - gaps[g]]); j -= gaps[g]) list[j] = list[j - gaps[g]];
            list[j] = x;
        }
}

/* --- tiles ---------------------------------------------------------------------------------------- */

struct tile {
    const struct kernel_set *kernels;
    int32_t *sums;  /* PIECE_ROWS x CHUNK_ROWS */
    uint32_t *kept; /* CHUNK_ROWS */
};

/* Offers rows [from, to) of b, by what `closeness` they have, to the heaps of rows [first, first + count) of a. */
static void tile_into(const struct tile *t, const struct points *a, size_t first, size_t count, const struct points *b,
                      size_t from, size_t to, struct topk *best)
{
    for (size_t at = from; at < to; at += CHUNK_ROWS) {
        const size_t n = to - at < CHUNK_ROWS ? to - at : CHUNK_ROWS;
        t->kernels->of[OP_tile_i8]->fn.tile_i8(a->codes + first * a->padded, a->padded, count,
                                               b->codes + at * b->padded, b->padded, n, a->padded, t->sums);
        for (size_t i = 0; i < count; i++) {
            const float alpha = 2 * a->steps[first + i], beta = points_beta(a, first + i);
            const int32_t *sums = t->sums + i * n;
            const size_t found = t->kernels->of[OP_survive]->fn.survive(
                sums, b->steps + at, b->terms + at, n, alpha, beta, topk_bound(&best[i]), INT32_MIN, 0, t->kept);
            for (size_t j = 0; j < found; j++) {
                const size_t r = t->kept[j];
                const float closeness = (float)sums[r] * alpha * b->steps[at + r] + b->terms[at + r] * beta;
                topk_push(&best[i], (int64_t)(at + r), closeness);
            }
        }
    }
}

/* --- parts ---------------------------------------------------------------------------------------- */

struct parts {
    const struct knn *how;
    const struct points *points;
    struct points centres;
    uint32_t *part_of; /* a row */
    uint32_t *order;   /* rows by part, ascending within */
    size_t *starts;    /* centres.count + 1 */
    struct tile *tiles; /* a thread */
};

static void parts_fini(struct parts *p)
{
    points_fini(&p->centres);
    mem_free(p->part_of), mem_free(p->order), mem_free(p->starts);
}

static void assign_some(void *context, int thread, size_t from, size_t to)
{
    const struct parts *p = context;
    struct hit hits[PIECE_ROWS];
    struct topk best[PIECE_ROWS];
    for (size_t i = from; i < to; i++) topk_init(&best[i - from], &hits[i - from], 1);
    tile_into(&p->tiles[thread], p->points, from, to - from, &p->centres, 0, p->centres.count, best);
    for (size_t i = from; i < to; i++) p->part_of[i] = (uint32_t)hits[i - from].id;
}

static void group(struct parts *p)
{
    const size_t count = p->centres.count;
    memset(p->starts, 0, (count + 1) * sizeof *p->starts);
    for (size_t i = 0; i < p->points->count; i++) p->starts[p->part_of[i] + 1]++;
    for (size_t c = 0; c < count; c++) p->starts[c + 1] += p->starts[c];
    for (size_t i = 0; i < p->points->count; i++) p->order[p->starts[p->part_of[i]]++] = (uint32_t)i;
    for (size_t c = count; c > 0; c--) p->starts[c] = p->starts[c - 1];
    p->starts[0] = 0;
}

/* The mean of a part's rows; rows of one length (spherical) have a centre of that length. */
static void move_centres(void *context, int thread, size_t from, size_t to)
{
    struct parts *p = context;
    const struct points *x = p->points;
    float *mean = (float *)(p->tiles[thread].sums);
    for (size_t c = from; c < to; c++) {
        const size_t count = p->starts[c + 1] - p->starts[c];
        if (count == 0) continue;
        float term = 0;
        double square = 0, length = 0;
        memset(mean, 0, x->padded * sizeof *mean);
        for (size_t n = p->starts[c]; n < p->starts[c + 1]; n++) {
            const size_t row = p->order[n];
            const int8_t *codes = x->codes + row * x->padded;
            for (size_t i = 0; i < x->padded; i++) mean[i] += x->steps[row] * (float)codes[i];
            term += x->terms[row];
        }
        for (size_t i = 0; i < x->padded; i++) mean[i] /= (float)count;
        for (size_t i = 0; i < x->padded; i++) square += (double)mean[i] * (double)mean[i];
        term /= (float)count;
        if (x->lift > 0) {
            length = sqrt((double)x->lift / 2 / (square + (double)term * (double)term));
            if (!isfinite(length)) length = 1;
            for (size_t i = 0; i < x->padded; i++) mean[i] *= (float)length;
            term *= (float)length;
        } else term = (float)square;
        points_set(&p->centres, c, mean, x->padded, term);
    }
}

/* Of every `step`-th row, as the first points of `sample`. */
static int take_sample(struct points *sample, const struct points *points, size_t count, size_t dim, struct err *e)
{
    const int status = points_init(sample, count, dim, e);
    sample->lift = points->lift;
    for (size_t i = 0; status == ERR_OK && i < count; i++)
        copy_point(sample, i, points, (size_t)((unsigned __int128)i * points->count / count));
    return status;
}

static int learn_centres(struct parts *p, size_t count, struct err *e)
{
    struct points sample;
    struct rng r;
    const size_t n = p->points->count, most = SAMPLE_ROWS * count, taken = n < most ? n : most;
    const struct points *all = p->points;
    uint32_t *picked = mem_alloc(taken, sizeof *picked);
    if (!picked) return FAIL(e, ERR_MEM, "no memory for %zu rows", taken);
    int status = take_sample(&sample, all, taken, all->padded, e);
    if (status == ERR_OK) {
        rng_seed(&r, p->how->seed, 0x6b6e6e);
        rng_shuffle(&r, picked, taken);
        for (size_t c = 0; c < count; c++) copy_point(&p->centres, c, &sample, picked[c]);
        p->points = &sample;
        for (int round = 0; round < ROUNDS; round++) {
            parallel_for(p->how->threads, taken, PIECE_ROWS, assign_some, p);
            group(p);
            parallel_for(p->how->threads, count, 8, move_centres, p);
        }
        p->points = all;
        points_fini(&sample);
    }
    mem_free(picked);
    return status;
}

static int make_parts(struct parts *p, struct err *e)
{
    const size_t n = p->points->count, wanted = n / PART_ROWS,
                 count = wanted < 1 ? 1 : wanted > PARTS_MOST ? PARTS_MOST : wanted;
    p->part_of = mem_alloc(n, sizeof *p->part_of);
    p->order = mem_alloc(n, sizeof *p->order);
    p->starts = mem_alloc(count + 1, sizeof *p->starts);
    int status = points_init(&p->centres, count, p->points->padded, e);
    p->centres.lift = p->points->lift;
    if (status == ERR_OK && !(p->part_of && p->order && p->starts))
        status = FAIL(e, ERR_MEM, "no memory for %zu rows", n);
    if (status == ERR_OK) status = learn_centres(p, count, e);
    if (status != ERR_OK) return status;
    parallel_for(p->how->threads, n, PIECE_ROWS, assign_some, p);
    group(p);
    return ERR_OK;
}

/* --- lists ---------------------------------------------------------------------------------------- */

struct piece { uint32_t part; size_t from, to; }; /* of rows in order */

struct lists {
    struct parts *parts;
    struct points sorted;  /* rows in order */
    struct piece *pieces;
    size_t piece_count;
    struct hit *hits;      /* a thread: PIECE_ROWS x (k + 1) */
    struct hit *nearest;   /* a thread: parts */
    struct near *out;
    uint32_t *medoids;
};

/* Parts by their centres, nearest first, until they hold `seen` rows. */
static size_t rank_parts(const struct lists *l, int thread, uint32_t part)
{
    const struct parts *p = l->parts;
    struct topk best;
    topk_init(&best, l->nearest + (size_t)thread * p->centres.count, p->centres.count);
    tile_into(&p->tiles[thread], &p->centres, part, 1, &p->centres, 0, p->centres.count, &best);
    return topk_finish(&best);
}

/* Its own part from its own rows on, in a circle: of a part that is larger than `seen` a piece sees what follows it. */
static void see_own(const struct lists *l, const struct tile *t, struct piece q, size_t seen, struct topk *best)
{
    const size_t *starts = l->parts->starts, from = starts[q.part], to = starts[q.part + 1],
                 end = to - q.from < seen ? to : q.from + seen, wrapped = seen - (end - q.from),
                 rest = q.from - from < wrapped ? q.from : from + wrapped;
    tile_into(t, &l->sorted, q.from, q.to - q.from, &l->sorted, q.from, end, best);
    tile_into(t, &l->sorted, q.from, q.to - q.from, &l->sorted, from, rest, best);
}

static void list_piece(const struct lists *l, int thread, struct piece q)
{
    const struct parts *p = l->parts;
    const struct tile *t = &p->tiles[thread];
    const size_t k = p->how->k, seen = p->how->seen;
    struct topk best[PIECE_ROWS];
    struct hit *hits = l->hits + (size_t)thread * PIECE_ROWS * (k + 1);
    const struct hit *nearest = l->nearest + (size_t)thread * p->centres.count;
    for (size_t i = q.from; i < q.to; i++) topk_init(&best[i - q.from], hits + (i - q.from) * (k + 1), k + 1);
    const size_t ranked = rank_parts(l, thread, q.part);
    see_own(l, t, q, seen, best);
    for (size_t n = 0, rows = p->starts[q.part + 1] - p->starts[q.part]; n < ranked && rows < seen; n++) {
        const size_t part = (size_t)nearest[n].id;
        if (part == q.part) continue;
        tile_into(t, &l->sorted, q.from, q.to - q.from, &l->sorted, p->starts[part], p->starts[part + 1], best);
        rows += p->starts[part + 1] - p->starts[part];
    }
    for (size_t i = q.from; i < q.to; i++) {
        struct near *out = l->out + (size_t)p->order[i] * k;
        const struct hit *found = hits + (i - q.from) * (k + 1);
        const size_t count = topk_finish(&best[i - q.from]);
        const float whole = points_whole(&l->sorted, i);
        size_t used = 0;
        for (size_t n = 0; n < count && used < k; n++) {
            if ((size_t)found[n].id == i) continue;
            const float apart = whole - found[n].score;
            out[used++] = (struct near){ apart > 0 ? apart : 0, p->order[found[n].id] };
        }
        near_sort(out, used); /* equal ones by their own numbers */
    }
}

static void list_some(void *context, int thread, size_t from, size_t to)
{
    const struct lists *l = context;
    for (size_t i = from; i < to; i++) list_piece(l, thread, l->pieces[i]);
}

/* The row nearest to its part's centre. */
static void find_medoids(void *context, int thread, size_t from, size_t to)
{
    const struct lists *l = context;
    const struct parts *p = l->parts;
    for (size_t c = from; c < to; c++) {
        struct hit hit = { 0 };
        struct topk best;
        topk_init(&best, &hit, 1);
        tile_into(&p->tiles[thread], &p->centres, c, 1, &l->sorted, p->starts[c], p->starts[c + 1], &best);
        l->medoids[c] = best.count ? p->order[hit.id] : UINT32_MAX;
    }
}

static int cut_pieces(struct lists *l, struct err *e)
{
    const struct parts *p = l->parts;
    for (int pass = 0; pass < 2; pass++) {
        size_t count = 0;
        for (size_t c = 0; c < p->centres.count; c++)
            for (size_t from = p->starts[c]; from < p->starts[c + 1]; from += PIECE_ROWS, count++) {
                const size_t to = from + PIECE_ROWS < p->starts[c + 1] ? from + PIECE_ROWS : p->starts[c + 1];
                if (pass) l->pieces[count] = (struct piece){ (uint32_t)c, from, to };
            }
        l->piece_count = count;
        if (!pass) l->pieces = mem_alloc(count, sizeof *l->pieces);
        if (!l->pieces) return FAIL(e, ERR_MEM, "no memory for %zu rows", p->points->count);
    }
    return ERR_OK;
}

static int make_lists(struct lists *l, struct err *e)
{
    const struct parts *p = l->parts;
    const size_t n = p->points->count, threads = (size_t)p->how->threads;
    int status = points_init(&l->sorted, n, p->points->padded, e);
    if (status == ERR_OK) status = cut_pieces(l, e);
    if (status != ERR_OK) return status;
    l->sorted.lift = p->points->lift;
    l->hits = mem_alloc(threads * PIECE_ROWS * (p->how->k + 1), sizeof *l->hits);
    l->nearest = mem_alloc(threads * p->centres.count, sizeof *l->nearest);
    l->medoids = mem_alloc(p->centres.count, sizeof *l->medoids);
    if (!l->hits || !l->nearest || !l->medoids) return FAIL(e, ERR_MEM, "no memory for %zu lists", n);
    for (size_t i = 0; i < n; i++) copy_point(&l->sorted, i, p->points, p->order[i]);
    parallel_for(p->how->threads, l->piece_count, 1, list_some, l);
    parallel_for(p->how->threads, p->centres.count, 8, find_medoids, l);
    return ERR_OK;
}

static int make_tiles(struct tile **tiles, size_t threads, size_t padded, const struct kernel_set *kernels,
                      struct err *e)
{
    const size_t sums = PIECE_ROWS * CHUNK_ROWS > padded ? PIECE_ROWS * CHUNK_ROWS : padded;
    struct tile *t = mem_zero(threads, sizeof *t);
    int whole = t != NULL;
    for (size_t i = 0; whole && i < threads; i++) {
        t[i] = (struct tile){ kernels, mem_alloc(sums, sizeof *t->sums), mem_alloc(CHUNK_ROWS, sizeof *t->kept) };
        whole = t[i].sums && t[i].kept;
    }
    *tiles = t;
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "no memory for tiles");
}

static void drop_tiles(struct tile *tiles, size_t threads)
{
    for (size_t i = 0; tiles && i < threads; i++) mem_free(tiles[i].sums), mem_free(tiles[i].kept);
    mem_free(tiles);
}

int knn_lists(const struct knn *how, const struct points *points, struct near *lists, uint32_t **medoids,
              size_t *medoid_count, struct err *e)
{
    struct knn own = *how;
    if (own.threads > PARALLEL_THREADS_MAX) own.threads = PARALLEL_THREADS_MAX;
    if (own.seen < 4 * (own.k + 1)) own.seen = 4 * (own.k + 1);
    if (own.seen > points->count) own.seen = points->count;
    struct parts parts = { .how = &own, .points = points };
    struct lists l = { .parts = &parts, .out = lists };
    int status = make_tiles(&parts.tiles, (size_t)own.threads, points->padded, own.kernels, e);
    if (status == ERR_OK) status = make_parts(&parts, e);
    if (status == ERR_OK) status = make_lists(&l, e);
    if (status == ERR_OK && medoids) {
        size_t count = 0;
        for (size_t c = 0; c < parts.centres.count; c++)
            if (l.medoids[c] != UINT32_MAX) l.medoids[count++] = l.medoids[c];
        *medoids = l.medoids;
        *medoid_count = count;
        l.medoids = NULL;
    }
    drop_tiles(parts.tiles, (size_t)own.threads);
    parts_fini(&parts);
    points_fini(&l.sorted);
    mem_free(l.pieces), mem_free(l.hits), mem_free(l.nearest), mem_free(l.medoids);
    return status;
}
