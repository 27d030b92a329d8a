/* SPDX-License-Identifier: MIT */
#include "index/nodes.h"
#include <math.h>
#include <string.h>
#include "index/persist.h"
#include "kernels/base/mem.h"

static size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

int nodes_init(struct nodes *n, const struct index_config *config, const struct kernel_set *kernels, size_t degree,
               int bits, enum rescore rescore, int has_codes, int projects, struct err *e)
{
    const size_t dim = config->dim, groups = codes_groups(dim);
    *n = (struct nodes){ .metric = config->metric, .dim = dim, .groups = groups, .padded = groups * CODES_DIMS,
                         .degree = degree, .bits = bits, .rescore = rescore, .kernels = kernels,
                         .has_codes = has_codes,
                         .projects = projects && config->metric != METRIC_L2 };
    struct codebook book;
    codebook_design(&book, dim, bits);
    codec_init(&n->codec, &book, dim, 0);
    n->at_codes = rescore == RESCORE_F32 ? whole_lines(dim * sizeof(float)) : NODE_SIDE + whole_lines(n->padded);
    n->at_scale = n->at_codes + (has_codes ? nodes_blocks_bytes(n, degree) : 0);
    n->at_error = n->at_scale + (has_codes ? degree * sizeof(float) : 0);
    n->at_edges = n->at_error + (has_codes ? degree * sizeof(float) : 0);
    n->stride = whole_lines(n->at_edges + degree * sizeof(uint32_t));
    n->mean = mem_zero(dim, sizeof *n->mean);
    if (!n->mean) return FAIL(e, ERR_MEM, "no memory for a graph");
    return rotation_init(&n->rotation, ROTATION_FHT, dim, 2, config->seed, 0, kernels, e);
}

void nodes_fini(struct nodes *n, int is_mapped)
{
    rotation_fini(&n->rotation);
    mem_free(n->mean);
    if (!is_mapped) mem_free(n->at);
    mem_free(n->entries), mem_free(n->root);
}

size_t nodes_root_bytes(const struct nodes *n)
{
    return nodes_blocks_bytes(n, n->entry_count) + 2 * root_room(n) * sizeof(float);
}

static float dot(const struct nodes *n, const float *a, const float *b)
{
    float sum;
    n->rotation.dot(a, b, 0, NULL, 1, n->dim, &sum);
    return sum;
}

void nodes_prepare(const struct nodes *n, const float *x, float *row, float *turned)
{
    float scale = 1;
    if (n->metric == METRIC_COSINE) {
        const float square = dot(n, x, x);
        /* What squares lose at either end is scaled away first. */
        if (square >= 1e-30f && square <= 1e30f) scale = 1 / sqrtf(square);
        else {
            const float largest = codec_largest(x, n->dim), up = largest > 0 ? 1 / largest : 0;
            float sum = 0;
            for (size_t i = 0; i < n->dim; i++) sum += x[i] * up * (x[i] * up);
            scale = largest > 1e-30f ? up / sqrtf(sum) : 0;
        }
    }
    for (size_t i = 0; i < n->dim; i++) row[i] = x[i] * scale;
    if (n->metric != METRIC_L2) {
        rotation_apply(&n->rotation, row, 1, turned);
        return;
    }
    for (size_t i = 0; i < n->dim; i++) row[i] -= n->mean[i];
    rotation_apply(&n->rotation, row, 1, turned);
    memcpy(row, x, n->dim * sizeof *row);
}

static float term_of(const struct nodes *n, float square)
{
    if (n->metric != METRIC_DOT) return square;
    const float rest = n->lift / 2 - square;
    return rest > 0 ? sqrtf(rest) : 0;
}

void nodes_set(struct nodes *n, size_t node, const float *x, struct points *points, size_t i, float *spare)
{
    uint8_t *at = nodes_at(n, node);
    float *row = spare, *turned = spare + n->dim;
    nodes_prepare(n, x, row, turned);
    const float square = dot(n, turned, turned);
    points_set(points, i, turned, n->dim, term_of(n, square));
    if (n->rescore == RESCORE_F32) {
        memcpy(at, row, n->dim * sizeof *row);
        return;
    }
    float *side = (float *)(void *)at;
    memset(at, 0, NODE_SIDE);
    side[0] = points->steps[i];
    side[1] = square;
    memcpy(at + NODE_SIDE, points->codes + i * points->padded, points->padded);
}

void nodes_point(const struct nodes *n, size_t node, struct points *points, size_t i, float *spare)
{
    const uint8_t *at = nodes_at(n, node);
    const float *side = (const float *)(const void *)at;
    if (n->rescore != RESCORE_F32) {
        memcpy(points->codes + i * points->padded, at + NODE_SIDE, points->padded);
        points->steps[i] = side[0];
        points->terms[i] = term_of(n, side[1]);
        return;
    }
    float *turned = spare + n->dim;
    const float *row = side;
    if (n->metric == METRIC_L2) {
        for (size_t d = 0; d < n->dim; d++) spare[d] = row[d] - n->mean[d];
        row = spare;
    }
    rotation_apply(&n->rotation, row, 1, turned);
    points_set(points, i, turned, n->dim, term_of(n, dot(n, turned, turned)));
}

void nodes_row(const struct nodes *n, size_t node, float *x, float *spare)
{
    const uint8_t *at = nodes_at(n, node);
    const float *side = (const float *)(const void *)at;
    if (n->rescore == RESCORE_F32) {
        memcpy(x, at, n->dim * sizeof *x);
        return;
    }
    const int8_t *codes = (const int8_t *)at + NODE_SIDE;
    for (size_t d = 0; d < n->dim; d++) spare[d] = side[0] * (float)codes[d];
    rotation_invert(&n->rotation, spare, x);
    for (size_t d = 0; d < n->dim; d++) x[d] += n->mean[d];
}

/* --- codes ---------------------------------------------------------------------------------------- */

int coder_init(struct coder *c, const struct nodes *n, struct err *e)
{
    *c = (struct coder){ mem_alloc(n->padded, sizeof(float)), mem_alloc(n->padded, sizeof(float)),
                         mem_alloc(n->padded, sizeof(float)), mem_alloc(CODES_ROWS, n->padded) };
    if (c->centre && c->x && c->unit && c->codes) return ERR_OK;
    coder_fini(c);
    return FAIL(e, ERR_MEM, "no memory for codes");
}

void coder_fini(struct coder *c)
{
    mem_free(c->centre), mem_free(c->x), mem_free(c->unit), mem_free(c->codes);
    *c = (struct coder){ 0 };
}

static void decode_point(const struct points *points, size_t i, size_t dim, float *x)
{
    const int8_t *codes = points->codes + i * points->padded;
    const float step = points->steps[i];
    for (size_t d = 0; d < dim; d++) x[d] = step * (float)codes[d];
}

/* One edge: the code of what x has apart from the centre, and its two numbers. */
static void code_one(const struct nodes *n, struct coder *c, float square, uint8_t *codes, float *scale, float *error)
{
    const size_t dim = n->dim;
    const float along = dot(n, c->centre, c->x), share = n->projects ? square > 0 ? along / square : 0 : 1;
    for (size_t d = 0; d < dim; d++) c->x[d] -= share * c->centre[d];
    const float rest = dot(n, c->x, c->x), length = sqrtf(rest), inverse = length > 1e-30f ? 1 / length : 0;
    for (size_t d = 0; d < dim; d++) c->x[d] *= inverse;
    codec_encode(&n->codec, n->kernels, c->x, codes);
    n->kernels->of[OP_decode]->fn.decode(codes, dim, n->codec.levels, n->bits, c->unit);
    const float fit = dot(n, c->x, c->unit), factor = inverse > 0 && fit > 0 ? length / fit : 0,
                of_centre = dot(n, c->centre, c->unit);
    if (n->metric == METRIC_L2) {
        *scale = 2 * factor;
        *error = -(rest + 2 * factor * of_centre);
    } else if (n->projects) {
        *scale = factor;
        *error = square > 0 ? share - factor * of_centre / square : 0;
    } else {
        *scale = factor;
        *error = along - square - factor * of_centre;
    }
}

void nodes_code(const struct nodes *n, struct coder *c, const struct points *points, size_t centre,
                const uint32_t *picked, size_t count, uint8_t *codes, float *scale, float *error)
{
    const size_t block = codes_block_bytes(n->groups, n->bits);
    memset(c->centre, 0, n->dim * sizeof *c->centre);
    if (centre != SIZE_MAX) decode_point(points, centre, n->dim, c->centre);
    const float square = dot(n, c->centre, c->centre);
    for (size_t from = 0; from < codes_blocks(count) * CODES_ROWS; from += CODES_ROWS) {
        memset(c->codes, 0, CODES_ROWS * n->padded);
        for (size_t i = from; i < from + CODES_ROWS; i++) {
            scale[i] = error[i] = 0;
            if (i >= count) continue;
            decode_point(points, picked[i], n->dim, c->x);
            code_one(n, c, square, c->codes + (i - from) * n->padded, scale + i, error + i);
        }
        n->kernels->of[OP_pack]->fn.pack(c->codes, n->padded, 0, CODES_ROWS, n->groups, n->bits,
                                         codes + from / CODES_ROWS * block);
    }
}

int nodes_set_root(struct nodes *n, struct coder *c, const struct points *points, uint32_t *entries, size_t count,
                   struct err *e)
{
    n->entries = entries;
    n->entry_count = count;
    n->root = mem_zero(1, nodes_root_bytes(n));
    if (!n->root) {
        mem_free(entries);
        n->entries = NULL, n->entry_count = 0;
        return FAIL(e, ERR_MEM, "no memory for %zu entries", count);
    }
    float *scale = (float *)(void *)(n->root + nodes_blocks_bytes(n, count));
    nodes_code(n, c, points, SIZE_MAX, entries, count, n->root, scale, scale + root_room(n));
    return ERR_OK;
}

void nodes_clear(struct nodes *n)
{
    mem_free(n->at), mem_free(n->entries), mem_free(n->root);
    n->at = n->root = NULL;
    n->entries = NULL;
    n->count = n->room = n->entry_count = 0;
    n->lift = 0;
}

/* --- files ---------------------------------------------------------------------------------------- */

struct head { uint64_t count, stride, entry_count; float lift; uint32_t zero; };

int nodes_save(const struct nodes *n, struct index_writer *w, struct err *e)
{
    const struct head head = { n->count, n->stride, n->entry_count, n->lift, 0 };
    int status = index_write(w, "graph", &head, sizeof head, e);
    if (status == ERR_OK) status = index_write(w, "mean", n->mean, n->dim * sizeof *n->mean, e);
    if (status == ERR_OK) status = index_write(w, "nodes", n->at, n->count * n->stride, e);
    if (status == ERR_OK) status = index_write(w, "entries", n->entries, n->entry_count * sizeof *n->entries, e);
    return status == ERR_OK ? index_write(w, "root", n->root, nodes_root_bytes(n), e) : status;
}

static int check_edges(const struct nodes *n, const char *path, struct err *e)
{
    for (size_t i = 0; i < n->entry_count; i++)
        if (n->entries[i] >= n->count) return FAIL(e, ERR_FORMAT, "%s: entry %zu is no node", path, i);
    for (size_t i = 0; i < n->count; i++)
        for (size_t j = 0; j < n->degree; j++)
            if (nodes_edges(n, i)[j] >= n->count)
                return FAIL(e, ERR_FORMAT, "%s: edge %zu of node %zu leads to no node", path, j, i);
    return ERR_OK;
}

int nodes_load(struct nodes *n, struct index_reader *r, struct err *e)
{
    struct head head = { 0 };
    int status = index_read_into(r, "graph", &head, sizeof head, e);
    if (status == ERR_OK) status = index_read_into(r, "mean", n->mean, n->dim * sizeof *n->mean, e);
    if (status != ERR_OK) return status;
    if (head.stride != n->stride || head.count > (r->end - r->at) / n->stride || head.count > NODES_MOST ||
        head.entry_count > head.count ||
        (head.count > 0) != (head.entry_count > 0) || !(head.lift >= 0 && head.lift <= 1e37f))
        return FAIL(e, ERR_FORMAT, "%s: %llu nodes of %llu bytes, %llu entries", r->path,
                    (unsigned long long)head.count, (unsigned long long)head.stride,
                    (unsigned long long)head.entry_count);
    n->entry_count = (size_t)head.entry_count;
    n->lift = head.lift;
    n->entries = mem_alloc(n->entry_count, sizeof *n->entries);
    n->root = mem_alloc(nodes_root_bytes(n), 1);
    if (!r->maps) n->at = mem_alloc((size_t)head.count, n->stride);
    if (!n->entries || !n->root || (!r->maps && !n->at)) return FAIL(e, ERR_MEM, "no memory for a graph");
    status = index_take(r, "nodes", &n->at, (size_t)head.count * n->stride, e);
    if (status == ERR_OK) status = index_read_into(r, "entries", n->entries, n->entry_count * sizeof *n->entries, e);
    if (status == ERR_OK) status = index_read_into(r, "root", n->root, nodes_root_bytes(n), e);
    if (status != ERR_OK) return status;
    n->count = n->room = (size_t)head.count;
    return check_edges(n, r->path, e);
}
