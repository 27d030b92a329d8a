/* SPDX-License-Identifier: MIT
 * rotated.c - a rotated index as a whole: made, saved and loaded, counted, decoded, and its codes explained. */
#include "index/rotated_inside.h"
#include <math.h>
#include <string.h>
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"

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
    if (status == ERR_OK && !r->maps) status = rotated_reserve(t, ids.count, e);
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
    rotated_row_bytes(t, &codes, &side);
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

/* *norm is 1, or 0 of a zero row: what is coded are unit rows. */
void rotated_codes(const struct index *ix, size_t row, int64_t *id, uint8_t *codes, float *norm)
{
    const struct rotated *t = (const struct rotated *)ix;
    const struct plane *p = &t->planes[0];
    codes_of(t, p, row, codes);
    *id = idset_id(&t->ids, row);
    *norm = (t->is_split ? t->split.weights : p->weights)[row] > 0;
}

int rotated_has(const struct index *ix, int64_t id)
{
    return idset_row(&((const struct rotated *)ix)->ids, id) != IDSET_NONE;
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

