/* SPDX-License-Identifier: MIT */
#include "index/rotated.h"
#include <math.h>
#include <string.h>
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"

/* Rows encoded at a time by one thread; rows scanned, and queries asked, in one call of the kernel: 512 rows of 4
 * bits x 384 are 96 KiB and their sums 128 KiB, which stay in L2 while all tiles of a batch pass.  Zen 4, d = 384, 2 or
 * 4 bits, 8 / 16 / 32 / 64 / 128 queries a tile: 1.94 / 2.01 / 1.89 / 1.82 / 1.79 ns a query and row; 1 bit 0.74 /
 * 0.73 / 0.73 / 0.73 / 0.73; the same with 1,024 rows. */
enum { ENCODE_ROWS = ROTATION_ROWS, SCAN_ROWS = 512, TILE = 64, FACTORS = 4 };

static const char *name_of(const struct rotated *t) { return t->base.ops->name; }
static size_t block_bytes(const struct rotated *t, const struct plane *p)
{
    return codes_block_bytes(t->groups, p->bits);
}
static uint8_t *block_of(const struct rotated *t, const struct plane *p, size_t row)
{
    return p->codes + row / CODES_ROWS * block_bytes(t, p);
}

void rotated_destroy(struct index *ix)
{
    struct rotated *t = (struct rotated *)ix;
    if (!t) return;
    idset_fini(&t->ids);
    if (!t->model) {
        rotation_fini(&t->rotation);
        rotation_fini(&t->sketch);
        mem_free(t->gaussian);
        adapt_fini(&t->adapt);
    }
    if (!ix->is_mapped) {
        mem_free(t->terms);
        mem_free(t->offsets);
        split_fini(&t->split);
    }
    for (size_t p = 0; p < 2 && !ix->is_mapped; p++) {
        mem_free(t->planes[p].codes);
        mem_free(t->planes[p].weights);
    }
    mem_free(t);
}

static int init_sketch(struct rotated *t, enum rotation_kind kind, int rounds, struct err *e)
{
    const struct index_config *c = &t->base.config;
    const double d = (double)c->dim, half_pi = 1.5707963267948966;
    struct plane *p = &t->planes[t->plane_count++];
    *p = (struct plane){ .bits = 1, .is_sketch = 1, .step = 1, .table = { -1, 1 }, .levels = { -1, 1 } };
    if (t->estimator != EST_PROD) {
        t->sketch_factor = (float)sqrt(half_pi / d);
        if (kind == ROTATION_NONE) kind = ROTATION_FHT;
        return rotation_init(&t->sketch, kind, c->dim, rounds, c->seed, 1, &t->base.kernels, e);
    }
    t->sketch_factor = (float)(sqrt(half_pi) / d);
    t->gaussian = mem_alloc(c->dim, c->dim * sizeof(float));
    if (!t->gaussian) return FAIL(e, ERR_MEM, "%s: no memory for a matrix of %zu x %zu", name_of(t), c->dim, c->dim);
    struct rng r;
    rng_seed(&r, c->seed, 1);
    rng_normal(&r, t->gaussian, c->dim * c->dim);
    return ERR_OK;
}

void rotated_add_levels(struct rotated *t, int bits, float step, const int8_t *table, const float *levels)
{
    struct plane *p = &t->planes[t->plane_count++];
    p->bits = bits;
    p->step = step;
    for (size_t i = 0; i < (size_t)1 << bits; i++) {
        p->table[i] = table[i];
        p->levels[i] = levels ? levels[i] : step * table[i];
    }
}

int rotated_create(struct rotated **out, const struct index *base, struct err *e)
{
    struct rotated *t = mem_zero(1, sizeof *t);
    if (!t) return FAIL(e, ERR_MEM, "%s: no memory", base->ops->name);
    t->base = *base;
    t->groups = codes_groups(base->config.dim);
    *out = t;
    return ERR_OK;
}

/* A flag that not every table has. */
static int asks(const struct rotated *t, const char *name)
{
    return param_find(t->base.ops->params, name) && params_int(t->base.params, name);
}

int rotated_finish(struct rotated *t, int layout, enum rotation_kind kind, int rounds, struct err *e)
{
    const struct index_config *c = &t->base.config;
    const int has_sketch = t->estimator >= EST_PROD,
              can_split =
                  !has_sketch && t->planes[0].bits >= 2 && t->query == QUERY_INT8 && !t->is_affine;
    if (layout == LAYOUT_SPLIT && !can_split)
        return FAIL(e, ERR_ARG,
                    "%s: layout=split needs bits of 2 or more, query=int8 and no prod estimator",
                    name_of(t));
    if (t->query == QUERY_U8 && t->planes[0].bits > 4)
        return FAIL(e, ERR_ARG, "%s: query=u8 takes codes of up to 4 bits, not of %d", name_of(t), t->planes[0].bits);
    t->is_split = can_split && layout != LAYOUT_BLOCKED;
    for (int code = 0; t->is_split && code < 1 << t->planes[0].bits; code++)
        t->signs[code] = code >> (t->planes[0].bits - 1) ? 1 : -1;
    if (t->is_split)
        split_init(&t->split, t->groups, t->planes[0].bits, t->eps0, t->planes[0].table,
                   t->planes[0].step);
    if (c->metric == METRIC_L2) t->split.gain = 2;
    int status = adapt_init(&t->adapt, c->dim, asks(t, "center"), asks(t, "calibrate"), e);
    if (status == ERR_OK) status = rotation_init(&t->rotation, kind, c->dim, rounds, c->seed, 0, &t->base.kernels, e);
    return status == ERR_OK && has_sketch ? init_sketch(t, kind, rounds, e) : status;
}

int rotated_like(struct index **out, const struct index *ix, struct err *e)
{
    const struct rotated *model = (const struct rotated *)ix;
    struct rotated *t = mem_alloc(1, sizeof *t);
    if (!t) return FAIL(e, ERR_MEM, "%s: no memory", name_of(model));
    *t = *model;
    t->model = model->model ? model->model : model;
    t->base.config.kernels = &t->base.kernels;
    t->ids = (struct idset){ 0 };
    t->room = 0;
    t->terms = t->offsets = NULL;
    for (size_t p = 0; p < t->plane_count; p++) {
        t->planes[p].codes = NULL;
        t->planes[p].weights = NULL;
    }
    struct split *s = &t->split;
    s->signs = s->ranks = NULL;
    s->scales = s->errors = s->weights = NULL;
    s->terms = NULL;
    *out = &t->base;
    return ERR_OK;
}

/* Whether rows bring terms to their scores, queries too then. */
static int has_terms(const struct rotated *t)
{
    return t->base.config.metric == METRIC_L2 || t->adapt.centres;
}

/* --- adding ------------------------------------------------------------------------------------- */

static int grow(void *array, size_t had, size_t room, size_t size)
{
    void *more = mem_grow(*(void **)array, had, room, size);
    if (more) *(void **)array = more;
    return more != NULL;
}

static int reserve(struct rotated *t, size_t rows, struct err *e)
{
    if (rows <= t->room) return ERR_OK;
    size_t room = rows < t->room + t->room / 2 ? t->room + t->room / 2 : rows;
    room = codes_blocks(room) * CODES_ROWS;
    int ok = !t->is_split || split_reserve(&t->split, t->room, room);
    for (size_t i = 0; i < t->plane_count && ok && !t->is_split; i++) {
        struct plane *p = &t->planes[i];
        ok = grow(&p->weights, t->room, room, sizeof(float)) &&
             grow(&p->codes, t->room / CODES_ROWS, room / CODES_ROWS, block_bytes(t, p));
    }
    if (has_terms(t)) ok = ok && grow(&t->terms, t->room, room, sizeof(float));
    if (t->is_affine) ok = ok && grow(&t->offsets, t->room, room, sizeof(float));
    if (!ok) return FAIL(e, ERR_MEM, "%s: no memory for %zu rows", name_of(t), room);
    t->split.terms = t->terms;
    t->room = room;
    return ERR_OK;
}

static float dot(const struct rotated *t, const float *a, const float *b)
{
    float sum;
    t->rotation.dot(a, b, 0, NULL, 1, t->base.config.dim, &sum);
    return sum;
}

static float norm_of(const struct rotated *t, const float *x) { return sqrtf(dot(t, x, x)); }

/* Makes a vector of this norm a unit vector, and keeps a zero vector. */
static float inverse_of(float norm) { return norm > 0 ? 1 / norm : 0; }

/* Turns x into x / |x|, and returns |x|. */
static float normalise(const struct rotated *t, float *x)
{
    const float norm = norm_of(t, x), scale = inverse_of(norm);
    for (size_t i = 0; i < t->base.config.dim; i++) x[i] *= scale;
    return norm;
}

/* What a vector of this norm counts for: by cosine all but zero are equal. */
static float length_of(const struct rotated *t, float norm)
{
    return norm > 0 ? t->base.config.metric == METRIC_COSINE ? 1 : norm : 0;
}

/* S x, by whichever S. */
static void apply_sketch(const struct rotated *t, const float *x, float *out)
{
    const size_t dim = t->base.config.dim;
    if (t->gaussian) t->rotation.dot(x, t->gaussian, dim, NULL, dim, dim, out);
    else rotation_apply(&t->sketch, x, 1, out);
}

/* Codes of the sketched residual v, and their weight. */
static void encode_sketch(struct rotated *t, size_t row, float length, const float *v, float *spare, uint8_t *codes)
{
    struct plane *p = &t->planes[t->plane_count - 1];
    const float residual = t->estimator == EST_PROD_RELEASED ? t->fixed_residual : sqrtf(dot(t, v, v));
    p->weights[row] = length * residual * t->sketch_factor;
    apply_sketch(t, v, spare);
    memset(codes, 0, t->groups * CODES_DIMS);
    for (size_t i = 0; i < t->base.config.dim; i++) codes[i] = spare[i] > 0;
}

/* Moves a rotated unit vector as its index has learnt; u becomes the unit vector that is quantised.  Returns its
 * length; *along, *square: adapt.h. */
static float move(const struct rotated *t, float length, float *u, int is_query, float *along, float *square)
{
    const size_t dim = t->base.config.dim;
    for (size_t i = 0; i < dim; i++) u[i] *= length;
    *along = (is_query ? adapt_query : adapt_row)(&t->adapt, t->rotation.dot, u, square);
    return normalise(t, u);
}

/* One rotated unit row: its numbers into their places, its codes to `codes`, ENCODE_ROWS rows a plane, to be
 * packed.  spare: 3 dim floats. */
static void encode_row(struct rotated *t, size_t row, float norm, float *u, float *spare, uint8_t *codes)
{
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS;
    float length = length_of(t, norm), along = 0, square = norm * norm;
    if (adapt_moves(&t->adapt)) length = move(t, length, u, 0, &along, &square);
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
    for (size_t i = 0; i < dim; i++) v[i] = u[i] - v[i];
    encode_sketch(t, row, length, v, v + dim, codes + (p->is_sketch ? 0 : ENCODE_ROWS * padded));
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

static size_t rounded(size_t bytes) { return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN; }

static size_t encode_scratch(const struct rotated *t)
{
    const size_t dim = t->base.config.dim;
    return rounded((2 * ENCODE_ROWS * dim + 2 * ENCODE_ROWS + 3 * dim) * sizeof(float) +
                   t->plane_count * ENCODE_ROWS * t->groups * CODES_DIMS);
}

static void encode_some(void *context, int thread, size_t from, size_t to)
{
    const struct encoding *c = context;
    const size_t dim = c->t->base.config.dim;
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
                   codes + (row - from) * c->t->groups * CODES_DIMS);
    if (!c->t->is_split) pack_rows(c->t, from, to, codes);
}

/* Of every so many rows one, in their order: whatever the threads, the same sums. */
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
    int status = reserve(t, c.first + rows.count, e);
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

/* --- searching ---------------------------------------------------------------------------------- */

/* What scratch holds; every part starts at a multiple of 64 bytes. */
struct scratch {
    struct topk *best; /* a query; only rotated_search's */
    float *factors;    /* FACTORS a query: of the sums over each plane, its term, of the offsets */
    float *turned;     /* query=f32: the rotated queries of every plane */
    int8_t *queries;   /* query=int8: the same, quantised; query=u8: of planes of 1 bit */
    int32_t *sums;     /* up to TILE queries x SCAN_ROWS */
    float *scores;     /* the same */
    float *spare;      /* 2 dim floats; query=f32: CODES_ROWS x dim */
    uint8_t *codes;    /* CODES_ROWS x padded */
    struct split_query *split;
    uint8_t *luts;     /* tables of the planes that are looked up in bytes: tables_of */
    int32_t *starts;
    void *work;        /* split */
    struct index_work *read; /* since the queries were prepared */
};

static void *take(char **at, size_t bytes)
{
    char *part = *at;
    *at += rounded(bytes);
    return part;
}

/* Bytes of a plane's tables of one query: of lut_sign or of lut_u8; of binary, a word a group. */
static size_t table_bytes(const struct rotated *t, const struct plane *p)
{
    if (t->query == QUERY_SIGN) return t->groups * sizeof(uint32_t);
    return t->groups * codec_table_bytes(t->query == QUERY_U8 ? p->bits : 1);
}

/* Tables of query `at` of `queries` for a plane. */
static uint8_t *tables_of(const struct rotated *t, uint8_t *luts, size_t plane, size_t queries, size_t at)
{
    if (plane > 0) luts += queries * table_bytes(t, &t->planes[0]);
    return luts + at * table_bytes(t, &t->planes[plane]);
}

/* at: the start of scratch; returns the end. */
static char *lay_out(const struct rotated *t, size_t queries, char *at, struct scratch *s)
{
    const size_t dim = t->base.config.dim, slots = t->plane_count * queries,
                 scanned = t->is_split ? 0 : (queries < TILE ? queries : TILE) * SCAN_ROWS;
    s->best = take(&at, queries * sizeof *s->best);
    s->factors = take(&at, FACTORS * queries * sizeof *s->factors);
    s->turned = take(&at, t->query == QUERY_F32 ? slots * dim * sizeof *s->turned : 0);
    s->queries = take(&at, t->query == QUERY_F32 ? 0 : slots * t->groups * CODES_DIMS);
    s->sums = take(&at, scanned * sizeof *s->sums);
    s->scores = take(&at, scanned * sizeof *s->scores);
    s->spare = take(&at, (t->query == QUERY_F32 ? CODES_ROWS : 2) * dim * sizeof *s->spare);
    s->codes = take(&at, CODES_ROWS * t->groups * CODES_DIMS);
    s->split = take(&at, t->is_split ? queries * sizeof *s->split : 0);
    s->luts = take(&at, queries * (table_bytes(t, &t->planes[0]) +
                                   (t->plane_count > 1 ? table_bytes(t, &t->planes[1]) : 0)));
    s->starts = take(&at, slots * sizeof *s->starts);
    s->work = take(&at, t->is_split ? split_work_bytes(&t->split) : 0);
    s->read = take(&at, sizeof *s->read);
    return at;
}

size_t rotated_scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    static char start[1]; /* only distances count */
    struct scratch s;
    (void)k;
    return (size_t)(lay_out((const struct rotated *)ix, query_count, start, &s) - start);
}

/* How a plane's rows are summed. */
enum scan { SCAN_FLOATS, SCAN_TABLES, SCAN_PAIRS, SCAN_PLANES, SCAN_LEVELS };

/* One bit a coordinate, +- one level: scan_sign's tables beat scan_lut, and 6 bits of query are plenty. */
static enum scan scan_of(const struct rotated *t, const struct plane *p)
{
    return t->query == QUERY_F32    ? SCAN_FLOATS
           : t->query == QUERY_SIGN ? SCAN_PLANES
           : t->query == QUERY_U8   ? p->bits == 3 ? SCAN_PAIRS : SCAN_TABLES
           : p->bits == 1 && !t->is_affine ? SCAN_TABLES : SCAN_LEVELS;
}

/* Puts a plane's query where the scan finds it; returns what one unit of the scan's sum is worth. */
static float place_query(const struct rotated *t, const struct scratch *s, size_t plane, size_t at, size_t count,
                         const float *q)
{
    const struct plane *p = &t->planes[plane];
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS, slot = plane * count + at;
    int8_t *place = s->queries + slot * padded;
    uint8_t *tables = tables_of(t, s->luts, plane, count, at);
    if (t->query == QUERY_F32) {
        memcpy(s->turned + slot * dim, q, dim * sizeof *q);
        return 1;
    }
    if (t->query == QUERY_SIGN) {
        codec_signs(q, dim, (uint32_t *)tables);
        return p->levels[1];
    }
    if (t->query == QUERY_U8 && p->bits > 1)
        return codec_tables(&t->base.kernels, q, dim, p->levels, p->bits, tables, &s->starts[slot]);
    if (scan_of(t, p) == SCAN_LEVELS) return codec_query(q, dim, padded, 127, place) * p->step;
    const float step = codec_query(q, dim, padded, 63, place);
    s->starts[slot] = t->base.kernels.of[OP_lut_sign]->fn.lut_sign(place, t->groups, tables);
    return step * p->levels[1];
}

/* Rotates (and sketches) query number `at` of `count`, quantises it, and fills its factors. */
static void prepare(const struct rotated *t, const struct scratch *s, const float *query, size_t at, size_t count)
{
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS;
    float *spare = s->spare, *turned = s->spare + dim, *factors = s->factors + FACTORS * at;
    const float norm = norm_of(t, query);
    float length = length_of(t, norm), term = -norm * norm;
    rotation_apply(&t->rotation, query, inverse_of(norm), turned);
    if (adapt_moves(&t->adapt)) {
        float along, square;
        length = move(t, length, turned, 1, &along, &square);
        term = t->base.config.metric == METRIC_L2 ? -square : along + dot(t, t->adapt.centre, t->adapt.centre);
    }
    if (t->is_split) {
        split_prepare(&t->split, &t->base.kernels, turned, dim, length, term, &s->split[at],
                      s->queries + at * padded, tables_of(t, s->luts, 0, count, at));
        return;
    }
    for (size_t i = 0; i < t->plane_count; i++) {
        const struct plane *p = &t->planes[i];
        const float *q = turned;
        if (p->is_sketch) {
            apply_sketch(t, turned, spare);
            q = spare;
        }
        factors[i] = length * place_query(t, s, i, at, count, q);
    }
    factors[2] = term;
    if (!t->is_affine) return;
    int32_t sum = 0;
    for (size_t i = 0; i < dim; i++) sum += s->queries[at * padded + i];
    factors[3] = factors[0] * (float)sum;
}

/* <query, levels> of rows as floats: the reference that int8 and u8 are measured against. */
static void exact_sums(const struct rotated *t, const struct scratch *s, const struct plane *p, const float *query,
                       size_t first, size_t rows, float *sums)
{
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS;
    const struct kernel *const *of = t->base.kernels.of;
    for (size_t from = 0; from < rows; from += CODES_ROWS) {
        const size_t count = rows - from < CODES_ROWS ? rows - from : CODES_ROWS;
        of[OP_unpack]->fn.unpack(block_of(t, p, first + from), 0, count, t->groups, p->bits, s->codes, padded);
        for (size_t r = 0; r < count; r++)
            of[OP_decode]->fn.decode(s->codes + r * padded, dim, p->levels, p->bits, s->spare + r * dim);
        t->rotation.dot(query, s->spare, dim, NULL, count, dim, sums + from);
    }
}

/* The kernel's sums of one plane, TILE x rows: queries q .. q + tile - 1, rows first .. first + rows - 1. */
static void sum_plane(const struct rotated *t, const struct scratch *s, size_t plane,
                      size_t queries, size_t q, size_t tile, size_t first, size_t rows)
{
    const struct plane *p = &t->planes[plane];
    const size_t padded = t->groups * CODES_DIMS, blocks = codes_blocks(rows), slot = plane * queries + q;
    const uint8_t *codes = block_of(t, p, first), *tables = tables_of(t, s->luts, plane, queries, q);
    const struct kernel *const *of = t->base.kernels.of;
    switch (scan_of(t, p)) {
    case SCAN_FLOATS: break;
    case SCAN_TABLES:
        of[OP_scan_sign]->fn.scan_sign(codes, blocks, t->groups * (size_t)p->bits, tables, s->starts + slot, tile,
                                       s->sums);
        break;
    case SCAN_PAIRS:
        of[OP_scan_pair]->fn.scan_pair(codes, blocks, t->groups, tables, s->starts + slot, tile, s->sums);
        break;
    case SCAN_PLANES:
        of[OP_scan_planes]->fn.scan_planes(codes, blocks, t->base.config.dim, 1, (const uint32_t *)tables, 1, tile,
                                           s->sums);
        break;
    case SCAN_LEVELS:
        of[OP_scan_lut]->fn.scan_lut(codes, blocks, t->groups, p->bits, p->table, s->queries + slot * padded, tile,
                                     s->sums);
    }
}

/* Adds one plane's share to the scores of a tile: queries q .. q + tile - 1, rows first .. first + rows - 1. */
static void scan_plane(const struct rotated *t, const struct scratch *s, size_t plane, size_t queries, size_t q,
                       size_t tile, size_t first, size_t rows)
{
    const struct plane *p = &t->planes[plane];
    const size_t blocks = codes_blocks(rows), dim = t->base.config.dim;
    const float *weights = p->weights + first;
    if (t->query != QUERY_F32) sum_plane(t, s, plane, queries, q, tile, first, rows);
    for (size_t i = 0; i < tile; i++) {
        const float factor = s->factors[FACTORS * (q + i) + plane];
        const int32_t *sums = s->sums + i * blocks * CODES_ROWS;
        float *scores = s->scores + i * SCAN_ROWS, *exact = (float *)s->sums;
        if (t->query == QUERY_F32) {
            exact_sums(t, s, p, s->turned + (plane * queries + q + i) * dim, first, rows, exact);
            for (size_t r = 0; r < rows; r++) exact[r] *= factor * weights[r];
            for (size_t r = 0; r < rows; r++) scores[r] = plane == 0 ? exact[r] : scores[r] + exact[r];
        } else if (plane == 0) {
            for (size_t r = 0; r < rows; r++) scores[r] = (float)sums[r] * factor * weights[r];
        } else {
            for (size_t r = 0; r < rows; r++) scores[r] += (float)sums[r] * factor * weights[r];
        }
    }
}

/* Where a score is one product, kernel `survive` finds what can enter the heap. */
static int is_plain(const struct rotated *t)
{
    return t->plane_count == 1 && t->query != QUERY_F32 && !t->is_affine && !t->terms;
}

static void scan_plain(const struct rotated *t, const struct scratch *s, const float *shifts, size_t queries,
                       size_t first, size_t rows)
{
    static const float no_error[SCAN_ROWS];
    const float *weights = t->planes[0].weights + first;
    uint32_t *kept = (uint32_t *)s->scores;
    for (size_t q = 0; q < queries; q += TILE) {
        const size_t tile = queries - q < TILE ? queries - q : TILE;
        sum_plane(t, s, 0, queries, q, tile, first, rows);
        for (size_t i = 0; i < tile; i++) {
            const float factor = s->factors[FACTORS * (q + i)], shift = shifts ? shifts[q + i] : 0;
            const int32_t *sums = s->sums + i * codes_blocks(rows) * CODES_ROWS;
            const size_t count = t->base.kernels.of[OP_survive]->fn.survive(
                sums, weights, no_error, rows, factor, 0, topk_bound_shifted(&s->best[q + i], shift), 0, kept);
            for (size_t n = 0; n < count; n++)
                topk_push(&s->best[q + i], idset_id(&t->ids, first + kept[n]),
                          (float)sums[kept[n]] * factor * weights[kept[n]] + shift);
        }
    }
}

static void scan_block(const struct rotated *t, const struct scratch *s, const float *shifts, size_t queries,
                       size_t first, size_t rows)
{
    const float gain = t->base.config.metric == METRIC_L2 ? 2 : 1;
    for (size_t q = 0; q < queries; q += TILE) {
        const size_t tile = queries - q < TILE ? queries - q : TILE;
        for (size_t plane = 0; plane < t->plane_count; plane++) scan_plane(t, s, plane, queries, q, tile, first, rows);
        for (size_t i = 0; i < tile; i++) {
            float *scores = s->scores + i * SCAN_ROWS;
            const float *factors = s->factors + FACTORS * (q + i);
            if (t->is_affine)
                for (size_t r = 0; r < rows; r++) scores[r] += t->offsets[first + r] * factors[3];
            if (t->terms)
                for (size_t r = 0; r < rows; r++) scores[r] = gain * scores[r] + t->terms[first + r] + factors[2];
            for (size_t r = 0; shifts && r < rows; r++) scores[r] += shifts[q + i];
            idset_offer(&t->ids, &s->best[q + i], first, scores, rows);
        }
    }
}

/* Of a row: its codes, and the numbers beside them. */
static void row_bytes(const struct rotated *t, size_t *codes, size_t *side)
{
    *codes = 0;
    *side = (t->is_affine ? sizeof(float) : 0) + (has_terms(t) ? sizeof(float) : 0);
    for (size_t i = 0; i < t->plane_count; i++) {
        *codes += block_bytes(t, &t->planes[i]) / CODES_ROWS;
        *side += t->is_split ? 3 * sizeof(float) : sizeof(float);
    }
}

/* What a scan reads of all rows; of split ones their signs, and of their numbers all but the weight. */
static uint64_t scanned_bytes(const struct rotated *t)
{
    const size_t rows = t->ids.count;
    size_t codes, side;
    row_bytes(t, &codes, &side);
    if (t->is_split) {
        codes -= t->split.rank_bytes;
        side -= sizeof *t->split.weights;
    }
    return codes_blocks(rows) * CODES_ROWS * codes + rows * side + idset_row_bytes(&t->ids);
}

void rotated_prepare(const struct index *ix, struct rows queries, void *scratch)
{
    const struct rotated *t = (const struct rotated *)ix;
    struct scratch s;
    lay_out(t, queries.count, scratch, &s);
    *s.read = (struct index_work){ 0 };
    for (size_t q = 0; q < queries.count; q++) prepare(t, &s, rows_at(queries, q), q, queries.count);
}

void rotated_search_prepared(const struct index *ix, struct rows queries, const float *shifts, struct topk *best,
                             void *scratch)
{
    const struct rotated *t = (const struct rotated *)ix;
    struct scratch s;
    lay_out(t, queries.count, scratch, &s);
    s.best = best;
    s.read->bytes += queries.count * scanned_bytes(t);
    if (t->is_split) {
        for (size_t q = 0; shifts && q < queries.count; q++) s.split[q].shift = shifts[q];
        const size_t whole =
            split_scan(&t->split, &ix->kernels, &t->ids, s.split, s.queries, s.luts, queries.count, best, s.work);
        s.read->survivors += whole;
        s.read->bytes += whole * (t->split.rank_bytes + sizeof *t->split.weights);
        return;
    }
    for (size_t first = 0; first < t->ids.count; first += SCAN_ROWS) {
        const size_t left = t->ids.count - first;
        (is_plain(t) ? scan_plain : scan_block)(t, &s, shifts, queries.count, first,
                                                left < SCAN_ROWS ? left : SCAN_ROWS);
    }
}

void rotated_search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch)
{
    rotated_prepare(ix, queries, scratch);
    rotated_search_prepared(ix, queries, NULL, best, scratch);
}

void rotated_search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                    struct hit *hits, size_t *counts)
{
    struct topk *best = scratch;
    for (size_t q = 0; q < queries.count; q++) topk_init(&best[q], hits + q * k, k);
    rotated_search_into(ix, queries, best, scratch);
    for (size_t q = 0; q < queries.count; q++) counts[q] = topk_finish(&best[q]);
}

/* --- the rest ----------------------------------------------------------------------------------- */

void rotated_kernels(const struct index *ix, struct text *out)
{
    const struct rotated *t = (const struct rotated *)ix;
    if (t->is_split) {
        kernel_set_describe(&ix->kernels, OP_scan_sign, out);
        kernel_set_describe(&ix->kernels, OP_survive, out);
        kernel_set_describe(&ix->kernels, OP_scan_pick, out);
    }
    static const enum kernel_op ops[] = {
        [SCAN_FLOATS] = OP_dot_f32, [SCAN_TABLES] = OP_scan_sign, [SCAN_PAIRS] = OP_scan_pair,
        [SCAN_PLANES] = OP_scan_planes, [SCAN_LEVELS] = OP_scan_lut,
    };
    for (size_t i = 0; i < t->plane_count && !t->is_split; i++) {
        kernel_set_describe(&ix->kernels, ops[scan_of(t, &t->planes[i])], out);
        if (t->query == QUERY_F32) break;
    }
    if (is_plain(t) && !t->is_split) kernel_set_describe(&ix->kernels, OP_survive, out);
    if (t->rotation.kind == ROTATION_FHT)
        kernel_set_describe(&ix->kernels, t->rotation.parts ? OP_rotate_f32 : OP_fht_f32, out);
}

static int save_matrix(const struct rotation *r, struct index_writer *w, struct err *e)
{
    return r->matrix ? index_write(w, "matrix", r->matrix, rotation_bytes(r), e) : ERR_OK;
}

static int load_matrix(struct rotation *r, struct index_reader *reader, struct err *e)
{
    return r->matrix ? index_read_into(reader, "matrix", r->matrix, rotation_bytes(r), e) : ERR_OK;
}

int rotated_save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct rotated *t = (const struct rotated *)ix;
    const size_t rows = t->ids.count, blocks = codes_blocks(rows);
    int status = idset_save(&t->ids, w, e);
    if (status == ERR_OK && t->is_split) status = split_save(&t->split, rows, w, e);
    for (size_t i = 0; i < t->plane_count && status == ERR_OK && !t->is_split; i++) {
        const struct plane *p = &t->planes[i];
        status = index_write(w, "codes", p->codes, blocks * block_bytes(t, p), e);
        if (status == ERR_OK) status = index_write(w, "weights", p->weights, rows * sizeof(float), e);
    }
    if (status == ERR_OK && has_terms(t)) status = index_write(w, "terms", t->terms, rows * sizeof(float), e);
    if (status == ERR_OK && t->is_affine) status = index_write(w, "offsets", t->offsets, rows * sizeof(float), e);
    if (status == ERR_OK && !t->model) status = adapt_save(&t->adapt, w, e);
    if (status == ERR_OK && !t->model) status = save_matrix(&t->rotation, w, e);
    return status == ERR_OK && !t->model ? save_matrix(&t->sketch, w, e) : status;
}

int rotated_load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct rotated *t = (struct rotated *)ix;
    struct idset ids = { 0 };
    int status = idset_load(&ids, r, e);
    if (status == ERR_OK && ids.count > r->map.size)
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows in %zu bytes", r->path, ids.count, r->map.size);
    if (status == ERR_OK && !r->maps) status = reserve(t, ids.count, e);
    if (status == ERR_OK && r->maps) t->room = codes_blocks(ids.count) * CODES_ROWS;
    t->ids = ids;
    if (status == ERR_OK && t->is_split) status = split_load(&t->split, ids.count, r, e);
    for (size_t i = 0; i < t->plane_count && status == ERR_OK && !t->is_split; i++) {
        struct plane *p = &t->planes[i];
        status = index_take(r, "codes", &p->codes, codes_blocks(ids.count) * block_bytes(t, p), e);
        if (status == ERR_OK) status = index_take(r, "weights", &p->weights, ids.count * sizeof(float), e);
    }
    if (status == ERR_OK && has_terms(t))
        status = index_take(r, "terms", &t->terms, ids.count * sizeof(float), e);
    t->split.terms = t->terms;
    if (status == ERR_OK && t->is_affine)
        status = index_take(r, "offsets", &t->offsets, ids.count * sizeof(float), e);
    if (status == ERR_OK && !t->model) status = adapt_load(&t->adapt, r, e);
    if (status == ERR_OK && !t->model) status = load_matrix(&t->rotation, r, e);
    return status == ERR_OK && !t->model ? load_matrix(&t->sketch, r, e) : status;
}

void rotated_stats(const struct index *ix, struct index_stats *out)
{
    const struct rotated *t = (const struct rotated *)ix;
    const size_t rows = t->ids.count, dim = ix->config.dim, padded = codes_blocks(rows) * CODES_ROWS;
    size_t codes, side;
    row_bytes(t, &codes, &side);
    *out = (struct index_stats){
        .rows = rows,
        .code_bytes = padded * codes,
        .side_bytes = rows * side + idset_row_bytes(&t->ids),
        .other_bytes = sizeof *t + idset_other_bytes(&t->ids) + (t->room - rows) * side + (t->room - padded) * codes,
    };
    if (!t->model)
        out->other_bytes += rotation_bytes(&t->rotation) + rotation_bytes(&t->sketch) +
                            (t->gaussian ? dim * dim * sizeof(float) : 0) +
                            (adapt_moves(&t->adapt) ? 2 * dim * (sizeof(float) + sizeof(double)) : 0);
}

void rotated_work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    struct scratch s;
    lay_out((const struct rotated *)ix, query_count, (char *)(uintptr_t)scratch, &s);
    *out = *s.read;
}

int rotated_frame(const struct index *ix, struct index_frame *out, struct err *e)
{
    const struct rotated *t = (const struct rotated *)ix;
    const size_t dim = ix->config.dim;
    if (t->plane_count != 1 || t->planes[0].is_sketch)
        return FAIL(e, ERR_UNSUPPORTED, "%s: a prod estimator has codes of two kinds", name_of(t));
    if (adapt_moves(&t->adapt))
        return FAIL(e, ERR_UNSUPPORTED, "%s: center= and calibrate= move what is rotated", name_of(t));
    if (t->codec.is_even) return FAIL(e, ERR_UNSUPPORTED, "%s: at 8 bits each row has its own levels", name_of(t));
    float *axis = mem_zero(2 * dim, sizeof *axis), *turned = axis + dim;
    if (!axis) return FAIL(e, ERR_MEM, "%s: no memory", name_of(t));
    for (size_t c = 0; c < dim; c++) {
        axis[c] = 1;
        rotation_apply(&t->rotation, axis, 1, turned);
        axis[c] = 0;
        for (size_t r = 0; r < dim; r++) out->matrix[r * dim + c] = turned[r];
    }
    mem_free(axis);
    memcpy(out->levels, t->planes[0].levels, sizeof out->levels);
    out->bits = t->planes[0].bits;
    out->seed = ix->config.seed;
    return ERR_OK;
}

/* Ascending codes of a row. */
static void codes_of(const struct rotated *t, const struct plane *p, size_t row, uint8_t *codes)
{
    const struct kernel_set *kernels = &t->base.kernels;
    if (t->is_split) split_get(&t->split, kernels, row, codes);
    else kernels->of[OP_unpack]->fn.unpack(block_of(t, p, row), row % CODES_ROWS, 1, t->groups, p->bits, codes, 0);
}

/* What was coded has unit length, or is zero. */
void rotated_codes(const struct index *ix, size_t row, int64_t *id, uint8_t *codes, float *norm)
{
    const struct rotated *t = (const struct rotated *)ix;
    const struct plane *p = &t->planes[0];
    codes_of(t, p, row, codes);
    *id = idset_id(&t->ids, row);
    *norm = (t->is_split ? t->split.weights : p->weights)[row] > 0;
}

/* The row as its estimator sees it; by cosine, of unit length but for the estimator's own factor. */
int rotated_decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct rotated *t = (const struct rotated *)ix;
    const size_t dim = ix->config.dim;
    const int64_t at = idset_row(&t->ids, id);
    if (at == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "%s: no id %lld", name_of(t), (long long)id);
    const size_t row = (size_t)at;
    float *v = mem_zero(3 * dim, sizeof *v), *scaled = v + dim, *back = v + 2 * dim;
    uint8_t *codes = mem_alloc(t->groups, CODES_DIMS);
    int status = v && codes ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory to decode", name_of(t));
    for (size_t i = 0; i < t->plane_count && status == ERR_OK; i++) {
        const struct plane *p = &t->planes[i];
        const float weight = t->is_split ? t->split.weights[row] : p->weights[row];
        codes_of(t, p, row, codes);
        for (size_t j = 0; j < dim; j++)
            scaled[j] = p->levels[codes[j]] * weight + (t->is_affine ? t->offsets[row] : 0);
        if (p->is_sketch && t->gaussian) {
            memset(back, 0, dim * sizeof *back);
            for (size_t j = 0; j < dim; j++)
                for (size_t c = 0; c < dim; c++) back[c] += scaled[j] * t->gaussian[j * dim + c];
        } else if (p->is_sketch) rotation_invert(&t->sketch, scaled, back);
        for (size_t j = 0; j < dim; j++) v[j] += p->is_sketch ? back[j] : scaled[j];
    }
    if (status == ERR_OK && adapt_moves(&t->adapt)) adapt_invert(&t->adapt, v);
    if (status == ERR_OK) rotation_invert(&t->rotation, v, out);
    mem_free(v);
    mem_free(codes);
    return status;
}

