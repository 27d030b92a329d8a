/* SPDX-License-Identifier: MIT
 * rotated_rows.c - rows become codes: learnt from, rotated, coded, packed; added, removed and replaced. */
#include "index/rotated_inside.h"
#include <string.h>
#include "kernels/base/parallel.h"

enum { ENCODE_ROWS = ROTATION_ROWS }; /* encoded at a time by one thread */

int rotated_reserve(struct rotated *t, size_t rows, struct err *e)
{
    if (rows <= t->room) return ERR_OK;
    size_t room = rows < t->room + t->room / 2 ? t->room + t->room / 2 : rows;
    room = codes_blocks(room) * CODES_ROWS;
    int ok = !t->is_split || split_reserve(&t->split, t->room, room);
    for (size_t i = 0; i < t->plane_count && ok && !t->is_split; i++) {
        struct plane *p = &t->planes[i];
        ok = mem_extend(&p->weights, t->room, room, sizeof(float)) &&
             mem_extend(&p->codes, t->room / CODES_ROWS, room / CODES_ROWS, block_bytes(t, p));
    }
    if (has_terms(t)) ok = ok && mem_extend(&t->terms, t->room, room, sizeof(float));
    if (t->is_affine) ok = ok && mem_extend(&t->offsets, t->room, room, sizeof(float));
    if (!ok) return FAIL(e, ERR_MEM, "%s: no memory for %zu rows", name_of(t), room);
    t->split.terms = t->terms;
    t->room = room;
    return ERR_OK;
}

void rotated_sketch(const struct rotated *t, const float *x, float *out)
{
    const size_t dim = t->base.config.dim;
    if (t->gaussian) t->rotation.dot(x, t->gaussian, dim, NULL, dim, dim, out);
    else rotation_apply(&t->sketch, x, 1, out);
}

/* Signs of sketched residuals.  A Gaussian matrix is gone through by panels that stay in the cache while all rows meet them:
 * of 1536 dimensions it has 9.4 MB, which every row alone would read again.  sketches: count x dim floats. */
static void sketch_rows(const struct rotated *t, const float *residuals, size_t count, float *sketches, uint8_t *codes)
{
    enum { PANEL_BYTES = 1 << 18 };
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS, most = PANEL_BYTES / (dim * sizeof(float)),
                 panel = !t->gaussian ? dim : most > 0 ? most : 1;
    for (size_t first = 0; first < dim; first += panel) {
        const size_t some = dim - first < panel ? dim - first : panel;
        for (size_t row = 0; row < count; row++) {
            const float *v = residuals + row * dim;
            float *out = sketches + row * dim + first;
            if (t->gaussian) t->rotation.dot(v, t->gaussian + first * dim, dim, NULL, some, dim, out);
            else rotation_apply(&t->sketch, v, 1, out);
        }
    }
    memset(codes, 0, count * padded);
    for (size_t row = 0; row < count; row++)
        for (size_t i = 0; i < dim; i++) codes[row * padded + i] = sketches[row * dim + i] > 0;
}

float rotated_move(const struct rotated *t, float length, float *u, int is_query, float *along, float *square)
{
    const size_t dim = t->base.config.dim;
    for (size_t i = 0; i < dim; i++) u[i] *= length;
    *along = (is_query ? adapt_query : adapt_row)(&t->adapt, t->rotation.dot, u, square);
    return normalise(t, u);
}

/* One rotated unit row: its numbers into their places, the codes of its levels to `codes`, to be packed; where there is
 * a sketch, what the levels leave of it to u.  spare: 3 dim floats. */
static void encode_row(struct rotated *t, size_t row, float norm, float *u, float *spare, uint8_t *codes)
{
    const size_t dim = t->base.config.dim;
    float length = length_of(t, norm), along = 0, square = norm * norm;
    if (adapt_moves(&t->adapt)) length = rotated_move(t, length, u, 0, &along, &square);
    const float *probe = u;
    float self = length;
    if (t->adapt.calibrates) {
        probe = spare + 2 * dim;
        adapt_probe(&t->adapt, u, spare + 2 * dim);
        normalise(t, spare + 2 * dim);
        self = length * dot(t, probe, u);
    }
    const struct plane *p = &t->planes[0];
    decode_fn *decode = t->base.kernels.of[OP_decode]->fn.decode;
    float *v = spare;
    if (t->terms) t->terms[row] = t->base.config.metric == METRIC_L2 ? -square : along;
    memset(v, 0, p->is_sketch ? dim * sizeof *v : 0);
    if (!p->is_sketch) {
        const struct affine a = t->choose(t, u, codes, spare);
        decode(codes, dim, p->levels, p->bits, v);
        for (size_t i = 0; (a.scale != 1 || a.offset != 0) && i < dim; i++) v[i] = a.scale * v[i] + a.offset;
        const float weight = (t->estimator == EST_RESCALED && length > 0 ? self / dot(t, probe, v) : length) * a.scale;
        if (t->offsets) t->offsets[row] = length * a.offset;
        if (t->is_split) {
            decode(codes, dim, t->signs, p->bits, v);
            split_put(&t->split, &t->base.kernels, row, dim, codes, dot(t, probe, v), self, weight);
            return;
        }
        p->weights[row] = weight;
    }
    if (t->estimator < EST_PROD) return;
    for (size_t i = 0; i < dim; i++) u[i] -= v[i];
    const float residual = t->estimator == EST_PROD_RELEASED ? t->fixed_residual : sqrtf(dot(t, u, u));
    t->planes[t->plane_count - 1].weights[row] = length * residual * t->sketch_factor;
}

/* Rows from .. to - 1 into their blocks; codes: as encode_row leaves them. */
static void pack_rows(const struct rotated *t, size_t from, size_t to, const uint8_t *codes)
{
    const size_t padded = t->groups * CODES_DIMS;
    for (size_t i = 0; i < t->plane_count; i++, codes += ENCODE_ROWS * padded)
        for (size_t row = from, count; row < to; row += count) {
            const struct plane *p = &t->planes[i];
            const size_t first = row % CODES_ROWS, room = CODES_ROWS - first;
            count = to - row < room ? to - row : room;
            t->base.kernels.of[OP_pack]->fn.pack(codes + (row - from) * padded, padded, first, count, t->groups,
                                                 p->bits, block_of(t, p, row));
        }
}

struct encoding {
    struct rotated *t;
    struct rows rows;
    size_t first; /* the row that rows.at[0] becomes */
    size_t start; /* first, down to a whole block: chunks start with a block, so no two threads share one */
    char *scratch;
    size_t scratch_bytes;
};

static size_t encode_scratch(const struct rotated *t)
{
    const size_t dim = t->base.config.dim;
    return mem_rounded((2 * ENCODE_ROWS * dim + 2 * ENCODE_ROWS + 3 * dim) * sizeof(float) +
                   t->plane_count * ENCODE_ROWS * t->groups * CODES_DIMS);
}

static void encode_some(void *context, int thread, size_t from, size_t to)
{
    const struct encoding *c = context;
    const size_t dim = c->t->base.config.dim, padded = c->t->groups * CODES_DIMS;
    float *room = (float *)(c->scratch + (size_t)thread * c->scratch_bytes), *turned = room + ENCODE_ROWS * dim;
    float *norms = turned + ENCODE_ROWS * dim, *scales = norms + ENCODE_ROWS, *spare = scales + ENCODE_ROWS;
    from += c->start;
    to += c->start;
    if (from < c->first) from = c->first;
    if (to <= from) return;
    const struct rows rows = { rows_at(c->rows, from - c->first), to - from, dim, c->rows.stride };
    for (size_t i = 0; i < rows.count; i++) {
        norms[i] = norm_of(c->t, rows_at(rows, i));
        scales[i] = inverse_of(norms[i]);
    }
    rotation_apply_rows(&c->t->rotation, rows, scales, room, turned);
    uint8_t *codes = (uint8_t *)(spare + 3 * dim);
    for (size_t row = from; row < to; row++)
        encode_row(c->t, row, norms[row - from], turned + (row - from) * dim, spare,
                   codes + (row - from) * padded);
    if (c->t->estimator >= EST_PROD)
        sketch_rows(c->t, turned, to - from, room, codes + (c->t->plane_count - 1) * ENCODE_ROWS * padded);
    if (!c->t->is_split) pack_rows(c->t, from, to, codes);
}

/* Learns from ADAPT_ROWS rows at most, spread evenly over the sample and summed in order, on one thread: the sums
 * are the same however many threads the index has. */
static int learn(struct rotated *t, struct rows sample, struct err *e)
{
    const size_t dim = sample.dim, step = (sample.count + ADAPT_ROWS - 1) / ADAPT_ROWS,
                 used = (sample.count + step - 1) / step;
    float *room = mem_alloc(2 * ENCODE_ROWS * dim, sizeof *room), *turned = room + ENCODE_ROWS * dim;
    if (!room) return FAIL(e, ERR_MEM, "%s: no memory to learn from %zu rows", name_of(t), used);
    for (size_t from = 0; from < used; from += ENCODE_ROWS) {
        const size_t count = used - from < ENCODE_ROWS ? used - from : ENCODE_ROWS;
        const struct rows some = { rows_at(sample, from * step), count, dim, sample.stride * step };
        float scales[ENCODE_ROWS];
        for (size_t r = 0; r < count; r++) {
            const float norm = norm_of(t, rows_at(some, r));
            scales[r] = inverse_of(norm) * length_of(t, norm);
        }
        rotation_apply_rows(&t->rotation, some, scales, room, turned);
        adapt_see(&t->adapt, turned, count);
    }
    adapt_settle(&t->adapt, used);
    mem_free(room);
    return ERR_OK;
}

int rotated_train(struct index *ix, struct rows sample, struct err *e)
{
    struct rotated *t = (struct rotated *)ix;
    if (!adapt_moves(&t->adapt)) return ERR_OK;
    if (t->ids.count) return FAIL(e, ERR_ARG, "%s: cannot train with %zu rows added", name_of(t), t->ids.count);
    return learn(t, sample, e);
}

int rotated_learns(const struct index *ix) { return adapt_moves(&((const struct rotated *)ix)->adapt); }

int rotated_add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct rotated *t = (struct rotated *)ix;
    struct encoding c = { .t = t, .rows = rows, .first = t->ids.count, .scratch_bytes = encode_scratch(t) };
    c.start = c.first / CODES_ROWS * CODES_ROWS;
    size_t threads = 1 + rows.count / ENCODE_ROWS;
    if (threads > (size_t)ix->config.threads) threads = (size_t)ix->config.threads;
    int status = rotated_reserve(t, c.first + rows.count, e);
    if (status != ERR_OK) return status;
    c.scratch = mem_alloc(threads, c.scratch_bytes);
    if (!c.scratch) return FAIL(e, ERR_MEM, "%s: no memory to encode %zu rows", name_of(t), rows.count);
    const int learns = adapt_moves(&t->adapt) && !t->adapt.has_learnt && !t->model;
    if (learns) status = learn(t, rows, e);
    if (status == ERR_OK) status = idset_add(&t->ids, ids, rows.count, name_of(t), e);
    if (status == ERR_OK) parallel_for((int)threads, t->ids.count - c.start, ENCODE_ROWS, encode_some, &c);
    if (status != ERR_OK && learns) t->adapt.has_learnt = 0;
    mem_free(c.scratch);
    return status;
}

int rotated_remove(struct index *ix, int64_t id, struct err *e)
{
    struct rotated *t = (struct rotated *)ix;
    size_t row;
    const int status = idset_remove(&t->ids, id, &row, name_of(t), e);
    if (status != ERR_OK) return status;
    const size_t last = t->ids.count;
    if (t->is_split) split_move_row(&t->split, row, last);
    for (size_t i = 0; i < t->plane_count && !t->is_split; i++) {
        codec_move_row(t->planes[i].codes, t->planes[i].bits, t->groups, row, last);
        t->planes[i].weights[row] = t->planes[i].weights[last];
    }
    if (t->terms) t->terms[row] = t->terms[last];
    if (t->offsets) t->offsets[row] = t->offsets[last];
    return ERR_OK;
}

int rotated_replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    struct rotated *t = (struct rotated *)ix;
    const int64_t row = idset_row(&t->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "%s: no id %lld", name_of(t), (long long)id);
    struct encoding c = { .t = t, .rows = { x, 1, ix->config.dim, ix->config.dim }, .first = (size_t)row,
                          .start = (size_t)row, .scratch_bytes = encode_scratch(t) };
    c.scratch = mem_alloc(1, c.scratch_bytes);
    if (!c.scratch) return FAIL(e, ERR_MEM, "%s: no memory to encode a row", name_of(t));
    encode_some(&c, 0, 0, 1);
    mem_free(c.scratch);
    return ERR_OK;
}

void rotated_row_bytes(const struct rotated *t, size_t *codes, size_t *side)
{
    *codes = 0;
    *side = (t->is_affine ? sizeof(float) : 0) + (has_terms(t) ? sizeof(float) : 0);
    for (size_t i = 0; i < t->plane_count; i++) {
        *codes += block_bytes(t, &t->planes[i]) / CODES_ROWS;
        *side += t->is_split ? 3 * sizeof(float) : sizeof(float);
    }
}
