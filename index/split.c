/* SPDX-License-Identifier: MIT
 * split.c - scans signs first, and the other bits of the rows that may belong to the answer.
 *
 * Where a query alone spends its time, 4 bits, 100k x 384 of clustered data, Zen 4, 1.25 ns a row (samples of a
 * profiler): scan_keep 1.00, in which 7.3 of 12 groups are read; scan_pick of 366 rows, whose ranks come one miss a chunk,
 * 0.17; their scores and heap 0.06; rotation 0.01.  A loop that reads signs and factors takes 0.57, but to look all signs
 * up takes 0.72 at 7 uops a group, so that 1.15 of that loop would leave 5 groups to be read.  At 1536: 3.3, loop 2.6. */
#include "index/split.h"
#include "index/codec.h"
#include "index/least.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 8, FIRST_ROWS = 32, LOOKED_AT = 8 };

/* At 100k x 384 and 1536 2 to 3 deviations cost the same: a late block costs ten groups of one that is left. */
#define LEAST_MARGIN 2.75f

void split_init(struct split *s, size_t groups, int bits, double eps0, const int8_t *table, float step)
{
    *s = (struct split){ .bits = bits, .groups = groups, .eps0 = (float)eps0, .step = step, .gain = 1 };
    s->rank_bytes = codes_rank_bytes(groups, bits);
    for (unsigned code = 0; code < 1u << bits; code++) s->table[codes_split(code, bits)] = table[code];
}

void split_fini(struct split *s)
{
    mem_free(s->signs);
    mem_free(s->ranks);
    mem_free(s->scales);
    mem_free(s->errors);
    mem_free(s->weights);
    *s = (struct split){ 0 };
}

int split_reserve(struct split *s, size_t had, size_t room)
{
    return mem_extend(&s->signs, had / CODES_ROWS, room / CODES_ROWS, codes_block_bytes(s->groups, 1)) &&
           mem_extend(&s->ranks, had, room, s->rank_bytes) && mem_extend(&s->scales, had, room, sizeof(float)) &&
           mem_extend(&s->errors, had, room, sizeof(float)) && mem_extend(&s->weights, had, room, sizeof(float));
}

static uint8_t *sign_block(const struct split *s, size_t row)
{
    return s->signs + row / CODES_ROWS * codes_block_bytes(s->groups, 1);
}

void split_put(struct split *s, const struct kernel_set *kernels, size_t row, size_t dim, const uint8_t *codes,
               float l1, float length, float weight)
{
    kernels->of[OP_pack_split]->fn.pack_split(codes, s->groups, s->bits, sign_block(s, row) + 4 * (row % CODES_ROWS),
                                              s->ranks + row * s->rank_bytes);
    const float freedom = dim > 1 ? (float)(dim - 1) : 1, c2 = l1 * l1 / (float)dim;
    s->scales[row] = l1 > 0 ? length / l1 : 0;
    s->errors[row] = l1 > 0 && c2 < 1 ? length * sqrtf((1 - c2) / (c2 * freedom)) : 0;
    s->weights[row] = weight;
}

void split_get(const struct split *s, const struct kernel_set *kernels, size_t row, uint8_t *codes)
{
    const uint8_t *ranks = s->ranks + row * s->rank_bytes;
    kernels->of[OP_unpack]->fn.unpack(sign_block(s, row), row % CODES_ROWS, 1, s->groups, 1, codes, 0);
    for (size_t i = 0; i < s->groups * CODES_DIMS; i++) {
        const unsigned split = (unsigned)codes[i] << (s->bits - 1) | codes_get_rank(ranks, s->bits, i);
        codes[i] = (uint8_t)codes_split(split, s->bits);
    }
}

void split_move_row(struct split *s, size_t to, size_t from)
{
    codec_move_row(s->signs, 1, s->groups, to, from);
    memmove(s->ranks + to * s->rank_bytes, s->ranks + from * s->rank_bytes, s->rank_bytes);
    s->scales[to] = s->scales[from];
    s->errors[to] = s->errors[from];
    s->weights[to] = s->weights[from];
}

int split_save(const struct split *s, size_t rows, struct index_writer *w, struct err *e)
{
    int status = index_write(w, "signs", s->signs, codes_blocks(rows) * codes_block_bytes(s->groups, 1), e);
    if (status == ERR_OK) status = index_write(w, "ranks", s->ranks, rows * s->rank_bytes, e);
    if (status == ERR_OK) status = index_write(w, "scales", s->scales, rows * sizeof(float), e);
    if (status == ERR_OK) status = index_write(w, "errors", s->errors, rows * sizeof(float), e);
    return status == ERR_OK ? index_write(w, "weights", s->weights, rows * sizeof(float), e) : status;
}

int split_load(struct split *s, size_t rows, struct index_reader *r, struct err *e)
{
    int status = index_take(r, "signs", &s->signs, codes_blocks(rows) * codes_block_bytes(s->groups, 1), e);
    if (status == ERR_OK) status = index_take(r, "ranks", &s->ranks, rows * s->rank_bytes, e);
    if (status == ERR_OK) status = index_take(r, "scales", &s->scales, rows * sizeof(float), e);
    if (status == ERR_OK) status = index_take(r, "errors", &s->errors, rows * sizeof(float), e);
    return status == ERR_OK ? index_take(r, "weights", &s->weights, rows * sizeof(float), e) : status;
}

/* most[g]: what a sum is at most, less twice the entries of the groups before g.  start is minus the sum of all sizes.
 * Returns the deviation of a sum whose signs know nothing of the query. */
static float look_ahead(size_t groups, int32_t start, const int8_t *query, int32_t *most)
{
    int64_t squares = 0;
    most[groups] = start;
    for (size_t g = groups; g-- > 0;) {
        int32_t size = 0;
        for (size_t i = 0; i < CODES_DIMS; i++) {
            const int32_t x = query[g * CODES_DIMS + i];
            size += abs(x);
            squares += x * x;
        }
        most[g] = most[g + 1] + 2 * size;
    }
    return sqrtf((float)squares);
}

void split_prepare(const struct split *s, const struct kernel_set *kernels, const float *rotated,
                   size_t dim, float length, float term, struct split_query *q, int8_t *fine,
                   uint8_t *lut, int32_t *most)
{
    const size_t padded = s->groups * CODES_DIMS;
    /* The coarse form only lives in the table. */
    q->coarse_step = codec_query(rotated, dim, padded, 63, fine);
    q->start = kernels->of[OP_lut_sign]->fn.lut_sign(fine, s->groups, lut);
    q->deviation = look_ahead(s->groups, q->start, fine, most);
    q->fine_step = codec_query(rotated, dim, padded, 127, fine);
    q->length = length;
    q->term = term;
    q->shift = 0;
    q->look = s->groups;
    q->margin = LEAST_MARGIN;
}

struct work {
    int32_t sums[TILE * SPLIT_ROWS], found[SPLIT_ROWS], fine[SPLIT_ROWS];
    uint32_t kept[SPLIT_ROWS];
    float bounds[SPLIT_ROWS];
};

size_t split_work_bytes(const struct split *s)
{
    (void)s;
    return sizeof(struct work);
}

struct bound {
    float alpha, beta;
};

static struct bound bound_of(const struct split *s, const struct split_query *q)
{
    return (struct bound){ q->coarse_step * q->length, s->eps0 * q->length };
}

/* The row's estimate plus its error: the same operations in the same order as in kernel `survive`. */
static float upper_bound(const struct split *s, struct bound b, int32_t sum, size_t row)
{
    return (float)sum * b.alpha * s->scales[row] + s->errors[row] * b.beta;
}

static float with_terms(const struct split *s, const struct split_query *q, float score, size_t row)
{
    return s->gain * score + s->terms[row] + q->term;
}

/* Rows first .. first + rows - 1, and what their numbers range over. */
struct chunk {
    size_t first, rows;
    struct extent extent;
};

/* Rows of the chunk whose bound reaches the threshold. */
static size_t survivors(const struct split *s, const struct kernel_set *kernels, const struct split_query *q,
                        struct bound b, const struct chunk *c, float threshold, const int32_t *sums, struct work *w)
{
    const size_t first = c->first, rows = c->rows;
    if (!s->terms)
        return kernels->of[OP_survive]->fn.survive(sums, s->scales + first, s->errors + first, rows, b.alpha, b.beta,
                                                   threshold, least_sum(c->extent, b.alpha, b.beta, threshold),
                                                   (uint32_t)first, w->kept);
    for (size_t r = 0; r < rows; r++)
        w->bounds[r] = with_terms(s, q, upper_bound(s, b, sums[r], first + r), first + r);
    const size_t count = kernels->of[OP_above_f32]->fn.above_f32(w->bounds, rows, threshold, w->kept);
    for (size_t i = 0; i < count; i++) w->kept[i] += (uint32_t)first;
    return count;
}

/* What the survivors w->kept, whose coarse sums are w->found, count for in full. */
static void offer(const struct split *s, const struct kernel_set *kernels, const struct idset *ids,
                  const struct split_query *q, struct bound b, const int8_t *fine, size_t count, struct topk *best,
                  struct work *w)
{
    const float factor = q->fine_step * s->step * q->length;
    kernels->of[OP_scan_pick]->fn.scan_pick(s->signs, s->ranks, s->rank_bytes, s->groups, s->bits, s->table, fine, 1,
                                            w->kept, count, w->fine);
    for (size_t i = 0; i < count; i++) {
        const size_t row = w->kept[i];
        const float full = (float)w->fine[i] * factor * s->weights[row], most = upper_bound(s, b, w->found[i], row);
        const float score = full < most ? full : most;
        topk_push(best, idset_id(ids, row), (s->terms ? with_terms(s, q, score, row) : score) + q->shift);
    }
}

/* After how many groups blocks are first asked whether they can be left, so that few of them go on: where a row whose
 * signs know nothing of the query stays below the threshold by q->margin deviations of its sum so far.  Some rows of the
 * chunk say what a sum counts for.  Any answer gives the same survivors. */
static size_t first_look(const struct split *s, const struct split_query *q, struct bound b, const int32_t *most,
                         size_t first, size_t rows, float threshold)
{
    float scale = 0, error = 0;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        scale += s->scales[first + i * rows / LOOKED_AT] / LOOKED_AT;
        error += s->errors[first + i * rows / LOOKED_AT] / LOOKED_AT;
    }
    const float enough = (threshold - error * b.beta) / (b.alpha * scale), groups = (float)s->groups;
    size_t look = q->look;
#define LEAVES(g) ((float)(most[g] - q->start) / 2 + q->margin * q->deviation * sqrtf((float)(g) / groups) < enough)
    while (look < s->groups && !LEAVES(look)) look++;
    while (look > 1 && LEAVES(look - 1)) look--;
#undef LEAVES
    return look;
}

/* One query, whose blocks are left where the bound allows it. */
static size_t scan_alone(const struct split *s, const struct kernel_set *kernels, const struct idset *ids,
                         struct split_query *q, const int8_t *fine, const uint8_t *lut, const int32_t *most,
                         size_t first, size_t rows, struct topk *best, struct work *w, uint64_t *groups)
{
    const struct bound b = bound_of(s, q);
    const float threshold = topk_bound_shifted(best, q->shift);
    size_t read[2];
    q->look = first_look(s, q, b, most, first, rows, threshold);
    const size_t count = kernels->of[OP_scan_keep]->fn.scan_keep(
        sign_block(s, first), s->groups, lut, most, q->look, s->scales + first, s->errors + first, rows, b.alpha,
        b.beta, threshold, (uint32_t)first, w->kept, w->found, read);
    *groups += read[0];
    /* Rows that do know of the query go on: then later looks are cheaper. */
    if (read[1] * 4 > codes_blocks(rows)) q->margin += 0.25f;
    else if (read[1] * 16 < codes_blocks(rows) && q->margin > LEAST_MARGIN) q->margin -= 0.0625f;
    offer(s, kernels, ids, q, b, fine, count, best, w);
    return count;
}

static size_t finish(const struct split *s, const struct kernel_set *kernels, const struct idset *ids,
                     const struct split_query *q, const int8_t *fine, const int32_t *sums, const struct chunk *c,
                     struct topk *best, struct work *w)
{
    const struct bound b = bound_of(s, q);
    const size_t count = survivors(s, kernels, q, b, c, topk_bound_shifted(best, q->shift), sums, w);
    for (size_t i = 0; i < count; i++) w->found[i] = sums[w->kept[i] - c->first];
    offer(s, kernels, ids, q, b, fine, count, best, w);
    return count;
}

/* The first chunks are small, because until k rows are held every row is read whole. */
struct split_read split_scan(const struct split *s, const struct kernel_set *kernels, const struct idset *ids,
                             struct split_query *queries, const int8_t *fine, const uint8_t *luts, const int32_t *most,
                             size_t count, struct topk *best, void *work)
{
    struct work *w = work;
    const size_t padded = s->groups * CODES_DIMS, lut_bytes = s->groups * 128;
    struct split_read read = { 0 };
    for (size_t first = 0, step = best->count < best->k ? FIRST_ROWS : SPLIT_ROWS; first < ids->count;
         first += step, step = step < SPLIT_ROWS ? 2 * step : step) {
        const size_t left = ids->count - first, rows = left < step ? left : step, blocks = codes_blocks(rows);
        if (count == 1 && !s->terms) {
            read.rows += scan_alone(s, kernels, ids, queries, fine, luts, most, first, rows, best, w, &read.groups);
            continue;
        }
        const struct chunk c = {
            first, rows, extent_of(s->scales + first, s->errors + first, rows, s->terms ? 0 : count),
        };
        for (size_t q = 0; q < count; q += TILE) {
            const size_t tile = count - q < TILE ? count - q : TILE;
            int32_t starts[TILE];
            for (size_t i = 0; i < tile; i++) starts[i] = queries[q + i].start;
            kernels->of[OP_scan_sign]->fn.scan_sign(sign_block(s, first), blocks, s->groups,
                                                    luts + q * lut_bytes, starts, tile, w->sums);
            for (size_t i = 0; i < tile; i++)
                read.rows += finish(s, kernels, ids, &queries[q + i], fine + (q + i) * padded,
                                    w->sums + i * blocks * CODES_ROWS, &c, &best[q + i], w);
        }
        read.groups += count * blocks * s->groups;
    }
    return read;
}
