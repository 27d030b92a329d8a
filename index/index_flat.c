/* SPDX-License-Identifier: MIT
 * index_flat.c - exact search over float rows: the truth that everything else is measured by.
 *
 * type=f16 and bf16 keep half the bytes and widen on the way, which is exact: only the rows are rounded, to 11 and
 * 8 bits.  By cosine such rows are kept at unit length, so that no norm leaves the range of f16; otherwise a
 * value beyond 65504 is refused.  (Eight bits and a range per row are sq.) */
#include "index/idset.h"
#include "index/index.h"
#include "index/persist.h"
#include "kernels/half.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* Rows scored at a time: small enough that a block stays in L2 while a batch of queries passes. */
enum { BLOCK_BYTES = 256 << 10, BLOCK_MOST = 4096, TILE = 48 /* queries scored in one call */ };

enum type { F32, F16, BF16 };
static const struct param table[] = {
    { "type", PARAM_CHOICE, 0, 0, "f32", "", "f32|f16|bf16", "numbers of the stored rows" },
    { 0 }
};

struct flat {
    struct index base;
    struct idset ids;
    enum type type;
    char *rows;   /* ids.count x dim numbers of the type */
    float *wide;  /* one row: work space of those who add */
    float *side;  /* cosine: 1 / |x|, 0 for a zero row; l2: |x|^2, which tiles need; else unused */
    size_t room;
};

static size_t row_bytes(const struct flat *f)
{
    return f->base.config.dim * (f->type == F32 ? sizeof(float) : sizeof(uint16_t));
}

static size_t block_rows(const struct flat *f)
{
    const size_t fit = BLOCK_BYTES / row_bytes(f);
    return fit < 16 ? 16 : fit > BLOCK_MOST ? BLOCK_MOST : fit;
}

static float dot(const struct flat *f, const float *a, const float *b)
{
    float sum;
    f->base.kernels.of[OP_dot_f32]->fn.dot_f32(a, b, 0, NULL, 1, f->base.config.dim, &sum);
    return sum;
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    struct flat *f = mem_zero(1, sizeof *f);
    if (!f) return FAIL(e, ERR_MEM, "flat: no memory");
    f->base = *base;
    f->type = (enum type)params_int(base->params, "type");
    f->wide = mem_alloc(base->config.dim, sizeof *f->wide);
    if (!f->wide) {
        mem_free(f);
        return FAIL(e, ERR_MEM, "flat: no memory");
    }
    *out = &f->base;
    return ERR_OK;
}

static void destroy(struct index *ix)
{
    struct flat *f = (struct flat *)ix;
    if (!f) return;
    idset_fini(&f->ids);
    if (!ix->is_mapped) mem_free(f->rows);
    mem_free(f->wide);
    mem_free(f->side);
    mem_free(f);
}

static int reserve(struct flat *f, size_t rows, struct err *e)
{
    if (rows <= f->room) return ERR_OK;
    const size_t bytes = row_bytes(f), room = rows < 2 * f->room ? 2 * f->room : rows;
    if (!mem_extend(&f->side, f->ids.count, room, sizeof *f->side) || !mem_extend(&f->rows, f->ids.count, room, bytes))
        return FAIL(e, ERR_MEM, "flat: no memory for %zu rows of %zu bytes", room, bytes);
    f->room = room;
    return ERR_OK;
}

/* The row as floats. */
static void widen(const struct flat *f, size_t row, float *out)
{
    const char *at = f->rows + row * row_bytes(f);
    const uint16_t *half = (const uint16_t *)at;
    if (f->type == F32) memcpy(out, at, row_bytes(f));
    else
        for (size_t i = 0; i < f->base.config.dim; i++)
            out[i] = f->type == F16 ? f32_of_f16(half[i]) : f32_of_bf16(half[i]);
}

static float scale_of(const struct flat *f, const float *x)
{
    if (f->type == F32 || f->base.config.metric != METRIC_COSINE) return 1;
    const float squared = dot(f, x, x);
    return squared > 0 ? 1 / sqrtf(squared) : 0;
}

static void put(struct flat *f, size_t row, const float *x)
{
    char *at = f->rows + row * row_bytes(f);
    uint16_t *half = (uint16_t *)at;
    const float scale = scale_of(f, x);
    if (f->type == F32) memcpy(at, x, row_bytes(f));
    else
        for (size_t i = 0; i < f->base.config.dim; i++)
            half[i] = f->type == F16 ? f16_of_f32(x[i] * scale) : bf16_of_f32(x[i] * scale);
}

static int check_range(const struct flat *f, struct rows rows, struct err *e)
{
    const float most = 65520; /* the least that f16 rounds to infinity */
    for (size_t r = 0; f->type == F16 && f->base.config.metric != METRIC_COSINE && r < rows.count; r++)
        for (size_t i = 0; i < rows.dim; i++)
            if (fabsf(rows_at(rows, r)[i]) >= most)
                return FAIL(e, ERR_ARG, "flat: row %zu, column %zu is %g, too large for type=f16", r, i,
                            (double)rows_at(rows, r)[i]);
    return ERR_OK;
}

/* 1 when a search reads the number beside each row: 1 / |x| by cosine, |x|^2 by l2. */
static int has_side(const struct flat *f)
{
    return f->base.config.metric == METRIC_COSINE || (f->base.config.metric == METRIC_L2 && f->type == F32);
}

static void fill_side(struct flat *f, size_t row)
{
    widen(f, row, f->wide);
    const float squared = dot(f, f->wide, f->wide);
    f->side[row] = f->base.config.metric == METRIC_L2 ? squared : squared > 0 ? 1 / sqrtf(squared) : 0;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    const size_t first = f->ids.count;
    int status = check_range(f, rows, e);
    if (status == ERR_OK) status = reserve(f, first + rows.count, e);
    if (status == ERR_OK) status = idset_add(&f->ids, ids, rows.count, "flat", e);
    if (status != ERR_OK) return status;
    for (size_t r = 0; r < rows.count; r++) {
        put(f, first + r, rows_at(rows, r));
        fill_side(f, first + r);
    }
    return ERR_OK;
}

static int remove_id(struct index *ix, int64_t id, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    size_t row;
    const int status = idset_remove(&f->ids, id, &row, "flat", e);
    if (status != ERR_OK) return status;
    const size_t bytes = row_bytes(f), last = f->ids.count;
    memmove(f->rows + row * bytes, f->rows + last * bytes, bytes);
    f->side[row] = f->side[last];
    return ERR_OK;
}

static int replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    const int64_t row = idset_row(&f->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "flat: no id %lld", (long long)id);
    const int status = check_range(f, (struct rows){ x, 1, ix->config.dim, ix->config.dim }, e);
    if (status != ERR_OK) return status;
    put(f, (size_t)row, x);
    fill_side(f, (size_t)row);
    return ERR_OK;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    const size_t tile = query_count < TILE ? query_count : TILE;
    (void)k;
    return tile * block_rows((const struct flat *)ix) * sizeof(float) + query_count * (sizeof(struct topk) + sizeof(float));
}

/* Inner products, cosines or squared distances of one query with `count` rows from `first`. */
static void products(const struct flat *f, const float *query, size_t first, size_t count, float *scores)
{
    const struct kernel *const *of = f->base.kernels.of;
    const size_t dim = f->base.config.dim;
    const void *rows = f->rows + first * row_bytes(f);
    const float *inverse = f->side + first;
    switch (f->type + 3 * (f->base.config.metric == METRIC_COSINE) + 6 * (f->base.config.metric == METRIC_L2)) {
    case F32: of[OP_dot_f32]->fn.dot_f32(query, rows, dim, NULL, count, dim, scores); break;
    case F16: of[OP_dot_f16]->fn.dot_f16(query, rows, dim, NULL, count, dim, scores); break;
    case BF16: of[OP_dot_bf16]->fn.dot_bf16(query, rows, dim, NULL, count, dim, scores); break;
    case F32 + 3: of[OP_cosine_f32]->fn.cosine_f32(query, rows, dim, NULL, count, dim, inverse, scores); break;
    case F16 + 3: of[OP_cosine_f16]->fn.cosine_f16(query, rows, dim, NULL, count, dim, inverse, scores); break;
    case BF16 + 3: of[OP_cosine_bf16]->fn.cosine_bf16(query, rows, dim, NULL, count, dim, inverse, scores); break;
    case F32 + 6: of[OP_l2_f32]->fn.l2_f32(query, rows, dim, NULL, count, dim, scores); break;
    case F16 + 6: of[OP_l2_f16]->fn.l2_f16(query, rows, dim, NULL, count, dim, scores); break;
    case BF16 + 6: of[OP_l2_bf16]->fn.l2_bf16(query, rows, dim, NULL, count, dim, scores); break;
    }
}

static const struct kernel *kernel_of_one(const struct flat *f)
{
    static const enum kernel_op ops[METRIC_COUNT][3] = {
        [METRIC_COSINE] = { OP_cosine_f32, OP_cosine_f16, OP_cosine_bf16 },
        [METRIC_DOT] = { OP_dot_f32, OP_dot_f16, OP_dot_bf16 },
        [METRIC_L2] = { OP_l2_f32, OP_l2_f16, OP_l2_bf16 },
    };
    return f->base.kernels.of[ops[f->base.config.metric][f->type]];
}

/* Whether tile_f32 gives the bits of that kernel. */
static int has_tiles(const struct flat *f)
{
    const struct kernel *tile = f->base.kernels.of[OP_tile_f32], *one = kernel_of_one(f);
    return f->type == F32 && tile->isa == one->isa && kernel_is_canonical(tile) && kernel_is_canonical(one);
}

/* What a query brings to its scores: by cosine the inverse of its norm, of l2 its square. */
static void measure_queries(const struct flat *f, struct rows queries, float *of_query)
{
    if (f->base.config.metric == METRIC_COSINE)
        f->base.kernels.of[OP_norms_f32]->fn.norms_f32(queries.at, queries.stride, queries.count, queries.dim, of_query);
    else
        for (size_t q = 0; q < queries.count; q++) of_query[q] = dot(f, rows_at(queries, q), rows_at(queries, q));
}

/* Scores of at most TILE queries against `count` rows from `first`, the same bits for one query and for many; by l2
 * in tiles the inner products. */
static void score_block(const struct flat *f, struct rows queries, const float *of_query, size_t first, size_t count,
                        float *scores)
{
    const float *side = f->side + first;
    const int tiles = queries.count > 1 && has_tiles(f);
    if (tiles)
        f->base.kernels.of[OP_tile_f32]->fn.tile_f32(queries.at, queries.stride, queries.count,
                                                     (const float *)f->rows + first * queries.dim, queries.dim, count,
                                                     queries.dim, scores);
    for (size_t q = 0; q < queries.count; q++, scores += count) {
        if (!tiles) products(f, rows_at(queries, q), first, count, scores);
        if (!tiles && f->base.config.metric == METRIC_L2)
            for (size_t r = 0; r < count; r++) scores[r] = -scores[r];
        if (f->base.config.metric == METRIC_COSINE && tiles)
            for (size_t r = 0; r < count; r++) scores[r] = scores[r] * of_query[q] * side[r];
    }
}

/* 2 <q, x> - |x|^2 - |q|^2 cancels where rows share an offset: it only tells which rows may enter the heap, and those
 * are scored as they would be alone.  It and kernel l2_f32 are sums of dim terms that are together at most twice
 * |x|^2 + |q|^2, each off by dim roundings of its terms at most. */
static void offer_near(const struct flat *f, const float *query, float square, size_t first, float *dots, size_t count,
                       struct topk *best)
{
    enum { STRIDE = 16 };
    const float slack = 5 * (float)(f->base.config.dim + 16) * 0x1p-24f, *side = f->side + first;
    for (size_t r = 0; r < count; r++) dots[r] = 2 * dots[r] - (1 - slack) * (side[r] + square);
    for (size_t from = 0; from < count; from += STRIDE) {
        const size_t end = count - from < STRIDE ? count : from + STRIDE;
        const float bound = topk_bound(best);
        int some = 0;
        for (size_t r = from; r < end; r++) some |= dots[r] >= bound;
        for (size_t r = from; some && r < end; r++) {
            float apart;
            if (dots[r] < topk_bound(best)) continue;
            products(f, query, first + r, 1, &apart);
            topk_push(best, idset_id(&f->ids, first + r), -apart);
        }
    }
}

static void search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch)
{
    const struct flat *f = (const struct flat *)ix;
    const size_t step = block_rows(f);
    float *of_query = (float *)((struct topk *)scratch + queries.count), *scores = of_query + queries.count;
    measure_queries(f, queries, of_query);
    for (size_t first = 0; first < f->ids.count; first += step) {
        const size_t left = f->ids.count - first, count = left < step ? left : step;
        for (size_t q = 0; q < queries.count; q += TILE) {
            const size_t n = queries.count - q < TILE ? queries.count - q : TILE;
            const struct rows some = { rows_at(queries, q), n, queries.dim, queries.stride };
            const int near = n > 1 && has_tiles(f) && ix->config.metric == METRIC_L2;
            score_block(f, some, of_query + q, first, count, scores);
            for (size_t i = 0; i < n; i++)
                if (near) offer_near(f, rows_at(some, i), of_query[q + i], first, scores + i * count, count, &best[q + i]);
                else idset_offer(&f->ids, &best[q + i], first, scores + i * count, count);
        }
    }
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts)
{
    struct topk *best = scratch;
    for (size_t q = 0; q < queries.count; q++) topk_init(&best[q], hits + q * k, k);
    search_into(ix, queries, best, scratch);
    for (size_t q = 0; q < queries.count; q++) counts[q] = topk_finish(&best[q]);
}

static void describe(const struct index *ix, struct text *out)
{
    const struct flat *f = (const struct flat *)ix;
    kernel_set_describe(&ix->kernels, kernel_of_one(f)->op, out);
    if (has_tiles(f)) kernel_set_describe(&ix->kernels, OP_tile_f32, out);
}

static int save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct flat *f = (const struct flat *)ix;
    const int status = idset_save(&f->ids, w, e);
    return status == ERR_OK
               ? index_write(w, "rows", f->rows, f->ids.count * row_bytes(f), e)
               : status;
}

/* Takes mapped rows as they lie in the file; the numbers beside them are made anew. */
static int take_rows(struct flat *f, const void *rows, size_t count, struct err *e)
{
    f->side = mem_alloc(count, sizeof *f->side);
    if (!f->side) return FAIL(e, ERR_MEM, "flat: no memory for %zu rows", count);
    f->rows = (void *)(uintptr_t)rows;
    f->room = count;
    return ERR_OK;
}

static int load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    const void *rows;
    struct idset ids = { 0 };
    int status = idset_load(&ids, r, e);
    if (status == ERR_OK) status = index_read(r, "rows", ids.count * row_bytes(f), &rows, e);
    if (status == ERR_OK) status = r->maps ? take_rows(f, rows, ids.count, e) : reserve(f, ids.count, e);
    f->ids = ids;
    if (status != ERR_OK) return status;
    if (ids.count && !r->maps) memcpy(f->rows, rows, ids.count * row_bytes(f));
    for (size_t row = 0; row < ids.count; row++) fill_side(f, row);
    return ERR_OK;
}

static void stats(const struct index *ix, struct index_stats *out)
{
    const struct flat *f = (const struct flat *)ix;
    const size_t bytes = row_bytes(f), n = f->ids.count, side = has_side(f) ? sizeof(float) : 0;
    *out = (struct index_stats){
        .rows = n,
        .code_bytes = n * bytes,
        .side_bytes = n * side + idset_row_bytes(&f->ids),
        .other_bytes = sizeof *f + idset_other_bytes(&f->ids) + (f->room - n) * (bytes + sizeof(float)) +
                       n * (sizeof(float) - side),
    };
}

static void work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    struct index_stats all;
    (void)scratch;
    stats(ix, &all);
    *out = (struct index_work){ .bytes = (all.code_bytes + all.side_bytes) * query_count };
}

static int has(const struct index *ix, int64_t id)
{
    return idset_row(&((const struct flat *)ix)->ids, id) != IDSET_NONE;
}

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct flat *f = (const struct flat *)ix;
    const int64_t row = idset_row(&f->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "flat: no id %lld", (long long)id);
    widen(f, (size_t)row, out);
    for (size_t i = 0; ix->config.metric == METRIC_COSINE && i < ix->config.dim; i++) out[i] *= f->side[row];
    return ERR_OK;
}

const struct index_ops index_flat = {
    .name = "flat",
    .summary = "exact search over float rows",
    .params = table,
    .create = create,
    .add = add,
    .remove = remove_id,
    .replace = replace,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .work = work,
    .search_into = search_into,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .has = has,
    .decode = decode,
    .destroy = destroy,
};
