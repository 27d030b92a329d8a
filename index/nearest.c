/* SPDX-License-Identifier: MIT
 * nearest.c - the nearest centre by bytes first, by floats where bytes leave a doubt.
 *
 * Zen 4, one thread, ivf of 512 lists, 100,000 x 384 in clusters, built whole (12 rounds of 65,536 rows, all rows routed and
 * coded): 4.28 s where sgemm made all products and its 512 were searched, 1.40 s here, the same recall.  454 million
 * products of tile_i8 are .87 s of it. */
#include "index/nearest.h"
#include <math.h>
#include <string.h>
#include "index/codec.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"

enum { SKETCH_CHUNK = 256, LEAST_ROWS = 8, MOST_ROWS = 256, TILE_SCORES = 1 << 16, LANES = 4, LINE = 64 };
typedef float four_f32 __attribute__((vector_size(16)));
typedef int32_t four_i32 __attribute__((vector_size(16)));

/* --- sketches ----------------------------------------------------------------------------------- */

struct sketching {
    struct sketch *s;
    struct rows rows;
    const float *origin;
    dot_f32_fn *dot;
    float *room; /* dim a thread */
};

static float length_of(dot_f32_fn *dot, const float *x, size_t dim)
{
    float square;
    dot(x, x, 0, NULL, 1, dim, &square);
    return sqrtf(square);
}

/* What a length may lack where squares are lost below the least float: dim of them 2^-149 each. */
static float lacking(size_t dim) { return sqrtf((float)dim) * 0x1p-74f; }

static void sketch_some(void *context, int thread, size_t from, size_t to)
{
    const struct sketching *k = context;
    const struct sketch *s = k->s;
    const size_t dim = k->rows.dim;
    float *near = k->room + (size_t)thread * dim;
    for (size_t r = from; r < to; r++) {
        const float *x = rows_at(k->rows, r);
        int8_t *bytes = s->at + r * s->stride;
        for (size_t i = 0; i < dim; i++) near[i] = k->origin ? x[i] - k->origin[i] : x[i];
        s->lengths[r] = length_of(k->dot, near, dim);
        const float step = s->steps[r] = codec_query(near, dim, s->stride, 127, bytes);
        for (size_t i = 0; i < dim; i++) near[i] -= step * (float)bytes[i];
        s->lost[r] = length_of(k->dot, near, dim);
    }
}

void sketch_fini(struct sketch *s)
{
    mem_free(s->at);
    *s = (struct sketch){ 0 };
}

int sketch_init(struct sketch *s, struct rows rows, const float *origin, dot_f32_fn *dot, int threads, struct err *e)
{
    const size_t stride = (rows.dim + LINE - 1) / LINE * LINE, some = rows.count + LANES;
    struct mem_parts parts = { 0 };
    float *room = mem_alloc((size_t)threads, rows.dim * sizeof *room);
    *s = (struct sketch){ .stride = stride };
    for (int pass = 0; pass < 2; pass++) {
        mem_part(&parts, rows.count * stride);
        s->steps = mem_part(&parts, some * sizeof *s->steps);
        s->lengths = mem_part(&parts, some * sizeof *s->lengths);
        s->lost = mem_part(&parts, some * sizeof *s->lost);
        if (pass == 0) s->at = mem_alloc(1, parts.bytes);
        if (!s->at) break;
        parts = (struct mem_parts){ .at = s->at };
    }
    if (!s->at || !room) {
        sketch_fini(s), mem_free(room);
        return FAIL(e, ERR_MEM, "k-means: no memory for the bytes of %zu rows", rows.count);
    }
    struct sketching k = { s, rows, origin, dot, room };
    parallel_for(threads, rows.count, SKETCH_CHUNK, sketch_some, &k);
    for (size_t i = rows.count; i < some; i++) s->steps[i] = s->lengths[i] = s->lost[i] = 0;
    mem_free(room);
    return ERR_OK;
}

/* --- centres ------------------------------------------------------------------------------------ */

void nearest_fini(struct nearest *n)
{
    sketch_fini(&n->of);
    mem_free(n->near_halves);
    n->near_halves = NULL;
}

int nearest_init(struct nearest *n, const float *centres, const float *halves, size_t count, size_t dim,
                 const float *origin, const struct kernel_set *kernels, struct err *e)
{
    *n = (struct nearest){ .count = count, .dim = dim, .centres = centres, .halves = halves, .origin = origin,
                           .dot = kernels->of[OP_dot_f32]->fn.dot_f32, .tile = kernels->of[OP_tile_i8]->fn.tile_i8,
                           .above = kernels->of[OP_above_f32]->fn.above_f32 };
    n->near_halves = mem_alloc(count + LANES, sizeof *n->near_halves);
    int status = n->near_halves ? sketch_init(&n->of, (struct rows){ centres, count, dim, dim }, origin, n->dot, 1, e)
                                : FAIL(e, ERR_MEM, "k-means: no memory for %zu centres", count);
    if (status != ERR_OK) {
        nearest_fini(n);
        return status;
    }
    n->longest = n->worst = lacking(dim);
    n->far = origin ? length_of(n->dot, origin, dim) : 0;
    for (size_t c = 0; c < count + LANES; c++) {
        const float length = n->of.lengths[c];
        n->near_halves[c] = c >= count ? INFINITY : origin ? length * length / 2 : halves[c];
        if (c >= count) continue;
        n->longest = fmaxf(n->longest, length + lacking(dim));
        n->worst = fmaxf(n->worst, n->of.lost[c] + lacking(dim));
        n->most = fmaxf(n->most, fmaxf(halves[c], n->near_halves[c]));
    }
    return ERR_OK;
}

/* --- rows --------------------------------------------------------------------------------------- */

struct finding {
    const struct nearest *n;
    struct rows rows;
    const struct sketch *s;
    uint32_t *nearest;
    char *scratch;
    size_t scratch_bytes, chunk;
};
struct room {
    int32_t *sums;    /* chunk x count, and LANES */
    float *estimates; /* count, and LANES */
    float *dots;
    uint32_t *kept;
};

/* scratch may be NULL; returns the bytes that it takes. */
static size_t lay_out(const struct nearest *n, size_t chunk, void *scratch, struct room *room)
{
    struct mem_parts parts = { .at = scratch };
    room->sums = mem_part(&parts, (chunk * n->count + LANES) * sizeof *room->sums);
    room->estimates = mem_part(&parts, (n->count + LANES) * sizeof *room->estimates);
    room->dots = mem_part(&parts, n->count * sizeof *room->dots);
    room->kept = mem_part(&parts, n->count * sizeof *room->kept);
    return parts.bytes;
}

static inline four_f32 greater_of(four_f32 a, four_f32 b)
{
    const four_i32 is_a = a > b;
    return (four_f32)((is_a & (four_i32)a) | (~is_a & (four_i32)b));
}

/* What every centre scores, near enough, <x, c> - |c|^2 / 2 without the origin; returns the greatest. */
static float estimate(const struct nearest *n, const int32_t *sums, float step, float *out)
{
    four_f32 best = { -INFINITY, -INFINITY, -INFINITY, -INFINITY };
    for (size_t c = 0; c < n->count; c += LANES) {
        four_i32 sum;
        four_f32 scale, half;
        memcpy(&sum, sums + c, sizeof sum);
        memcpy(&scale, n->of.steps + c, sizeof scale);
        memcpy(&half, n->near_halves + c, sizeof half);
        const four_f32 score = __builtin_convertvector(sum, four_f32) * scale * step - half; /* steps alone may underflow */
        memcpy(out + c, &score, sizeof score);
        best = greater_of(score, best);
    }
    float most = best[0];
    for (int i = 1; i < LANES; i++) most = best[i] > most ? best[i] : most;
    return most;
}

/* How far an estimate may be from what dot_f32 and halves give, both ways: the bytes', then all roundings of floats,
 * none of which takes more than dim + 16 times 2^-24 of the greatest thing that is summed, or 2^-149. */
static float error_of(const struct nearest *n, const struct sketch *s, size_t row)
{
    const float length = s->lengths[row] + lacking(n->dim), lost = s->lost[row] + lacking(n->dim);
    const float bytes = lost * n->longest + (length + lost) * n->worst;
    const float sizes = (length + n->far) * (n->longest + n->far) + n->most;
    return 1.001f * bytes + (float)(n->dim + 16) * (0x1p-23f * sizes + 0x1p-146f);
}

static uint32_t find_one(const struct finding *f, size_t row, const int32_t *sums, const struct room *room)
{
    const struct nearest *n = f->n;
    const float *x = rows_at(f->rows, row);
    const float bound = estimate(n, sums, f->s->steps[row], room->estimates) - 2 * error_of(n, f->s, row);
    size_t kept = n->count;
    if (bound > -INFINITY) kept = n->above(room->estimates, n->count, bound, room->kept);
    else for (size_t c = 0; c < kept; c++) room->kept[c] = (uint32_t)c; /* too great for floats: no bound */
    if (kept == 1) return room->kept[0];
    n->dot(x, n->centres, n->dim, room->kept, kept, n->dim, room->dots);
    uint32_t best = room->kept[0];
    float least = n->halves[best] - room->dots[0];
    for (size_t i = 1; i < kept; i++) {
        const float key = n->halves[room->kept[i]] - room->dots[i];
        if (key < least) least = key, best = room->kept[i];
    }
    return best;
}

static void find_some(void *context, int thread, size_t from, size_t to)
{
    const struct finding *f = context;
    const struct nearest *n = f->n;
    struct room room;
    lay_out(n, f->chunk, f->scratch + (size_t)thread * f->scratch_bytes, &room);
    n->tile(f->s->at + from * f->s->stride, f->s->stride, to - from, n->of.at, n->of.stride, n->count, n->of.stride,
            room.sums);
    for (size_t r = from; r < to; r++) f->nearest[r] = find_one(f, r, room.sums + (r - from) * n->count, &room);
}

int nearest_find(const struct nearest *n, struct rows rows, const struct sketch *s, uint32_t *nearest, int threads,
                 struct err *e)
{
    struct finding f = { .n = n, .rows = rows, .s = s, .nearest = nearest, .chunk = TILE_SCORES / (n->count + 1) };
    struct room room;
    f.chunk = f.chunk < LEAST_ROWS ? LEAST_ROWS : f.chunk > MOST_ROWS ? MOST_ROWS : f.chunk;
    if ((size_t)threads > 1 + rows.count / f.chunk) threads = 1 + (int)(rows.count / f.chunk);
    f.scratch_bytes = lay_out(n, f.chunk, NULL, &room);
    f.scratch = mem_zero((size_t)threads, f.scratch_bytes);
    if (!f.scratch) return FAIL(e, ERR_MEM, "k-means: no memory to assign %zu rows", rows.count);
    parallel_for(threads, rows.count, f.chunk, find_some, &f);
    mem_free(f.scratch);
    return ERR_OK;
}
