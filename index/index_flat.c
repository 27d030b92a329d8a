/* SPDX-License-Identifier: MIT
 * index_flat.c - exact search over float rows: the truth that everything else is measured by. */
#include "index/idset.h"
#include "index/index.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* Rows scored at a time: small enough that a block stays in L2 while a batch of queries passes. */
enum { BLOCK_BYTES = 256 << 10, BLOCK_MOST = 4096 };

struct flat {
    struct index base;
    struct idset ids;
    float *rows;  /* ids.count x dim */
    float *side;  /* cosine: 1 / |x|, 0 for a zero row; l2: |x|^2; dot: unused */
    size_t room;
};

static size_t block_rows(const struct flat *f)
{
    const size_t fit = BLOCK_BYTES / (f->base.config.dim * sizeof(float));
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
    *out = &f->base;
    return ERR_OK;
}

static void destroy(struct index *ix)
{
    struct flat *f = (struct flat *)ix;
    if (!f) return;
    idset_fini(&f->ids);
    mem_free(f->rows);
    mem_free(f->side);
    mem_free(f);
}

static int reserve(struct flat *f, size_t rows, struct err *e)
{
    if (rows <= f->room) return ERR_OK;
    const size_t dim = f->base.config.dim, room = rows < 2 * f->room ? 2 * f->room : rows;
    float *side = mem_grow(f->side, f->ids.count, room, sizeof *side);
    if (!side) return FAIL(e, ERR_MEM, "flat: no memory for %zu rows", room);
    f->side = side;
    float *at = mem_grow(f->rows, f->ids.count * dim, room * dim, sizeof *at);
    if (!at) return FAIL(e, ERR_MEM, "flat: no memory for %zu rows of %zu dimensions", room, dim);
    f->rows = at;
    f->room = room;
    return ERR_OK;
}

static void fill_side(struct flat *f, size_t row)
{
    const float *x = f->rows + row * f->base.config.dim, squared = dot(f, x, x);
    f->side[row] = f->base.config.metric == METRIC_L2 ? squared : squared > 0 ? 1 / sqrtf(squared) : 0;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    const size_t dim = ix->config.dim, first = f->ids.count;
    int status = reserve(f, first + rows.count, e);
    if (status == ERR_OK) status = idset_add(&f->ids, ids, rows.count, "flat", e);
    if (status != ERR_OK) return status;
    for (size_t r = 0; r < rows.count; r++) {
        memcpy(f->rows + (first + r) * dim, rows_at(rows, r), dim * sizeof(float));
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
    const size_t dim = ix->config.dim, last = f->ids.count;
    memmove(f->rows + row * dim, f->rows + last * dim, dim * sizeof(float));
    f->side[row] = f->side[last];
    return ERR_OK;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    (void)k;
    return block_rows((const struct flat *)ix) * sizeof(float) + query_count * (sizeof(struct topk) + sizeof(float));
}

/* Scores of one query against `count` rows from `first`. */
static void score_block(const struct flat *f, const float *query, float query_squared, size_t first,
                        size_t count, float *scores)
{
    const size_t dim = f->base.config.dim;
    const float *rows = f->rows + first * dim;
    const struct kernel_set *kernels = &f->base.kernels;
    if (f->base.config.metric == METRIC_COSINE) {
        kernels->of[OP_cosine_f32]->fn.cosine_f32(query, rows, dim, NULL, count, dim, f->side + first, scores);
        return;
    }
    kernels->of[OP_dot_f32]->fn.dot_f32(query, rows, dim, NULL, count, dim, scores);
    if (f->base.config.metric == METRIC_L2)
        for (size_t r = 0; r < count; r++) scores[r] = 2 * scores[r] - f->side[first + r] - query_squared;
}

static void search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch)
{
    const struct flat *f = (const struct flat *)ix;
    const size_t step = block_rows(f);
    float *query_squared = (float *)((struct topk *)scratch + queries.count), *scores = query_squared + queries.count;
    for (size_t q = 0; q < queries.count; q++) query_squared[q] = dot(f, rows_at(queries, q), rows_at(queries, q));
    for (size_t first = 0; first < f->ids.count; first += step) {
        const size_t left = f->ids.count - first, count = left < step ? left : step;
        for (size_t q = 0; q < queries.count; q++) {
            score_block(f, rows_at(queries, q), query_squared[q], first, count, scores);
            idset_offer(&f->ids, &best[q], first, scores, count);
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
    kernel_set_describe(&ix->kernels, ix->config.metric == METRIC_COSINE ? OP_cosine_f32 : OP_dot_f32, out);
}

static int save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct flat *f = (const struct flat *)ix;
    const int status = idset_save(&f->ids, w, e);
    return status == ERR_OK
               ? index_write(w, "rows", f->rows, f->ids.count * ix->config.dim * sizeof(float), e)
               : status;
}

static int load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct flat *f = (struct flat *)ix;
    const size_t dim = ix->config.dim;
    const void *rows;
    struct idset ids = { 0 };
    int status = idset_load(&ids, r, e);
    if (status == ERR_OK) status = index_read(r, "rows", ids.count * dim * sizeof(float), &rows, e);
    if (status == ERR_OK) status = reserve(f, ids.count, e);
    f->ids = ids;
    if (status != ERR_OK) return status;
    if (ids.count) memcpy(f->rows, rows, ids.count * dim * sizeof(float));
    for (size_t row = 0; row < ids.count; row++) fill_side(f, row);
    return ERR_OK;
}

static void stats(const struct index *ix, struct index_stats *out)
{
    const struct flat *f = (const struct flat *)ix;
    const size_t dim = ix->config.dim, n = f->ids.count, side = ix->config.metric == METRIC_DOT ? 0 : sizeof(float);
    *out = (struct index_stats){
        .rows = n,
        .code_bytes = n * dim * sizeof(float),
        .side_bytes = n * side + idset_row_bytes(&f->ids),
        .other_bytes = sizeof *f + idset_other_bytes(&f->ids) + (f->room - n) * (dim + 1) * sizeof(float) +
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

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct flat *f = (const struct flat *)ix;
    const int64_t row = idset_row(&f->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "flat: no id %lld", (long long)id);
    memcpy(out, f->rows + (size_t)row * ix->config.dim, ix->config.dim * sizeof(float));
    return ERR_OK;
}

const struct index_ops index_flat = {
    .name = "flat",
    .summary = "exact search over float rows",
    .create = create,
    .add = add,
    .remove = remove_id,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .work = work,
    .search_into = search_into,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .decode = decode,
    .destroy = destroy,
};
