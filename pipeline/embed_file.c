/* SPDX-License-Identifier: MIT
 * embed_file.c - vectors that were made beforehand: query number i (the question's id) is row i of an fvecs
 * file (per row an int32 dimension, then that many float32, little endian). */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <string.h>

static const struct param params[] = {
    { "embed_file", PARAM_TEXT, 0, 0, "", "", NULL, "fvecs file; row i answers for query i, counted from 0" },
    { 0 },
};

struct self {
    struct mem_map map;
    size_t dim, count;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_map_close(&self->map);
    mem_free(self);
}

static int32_t dimension_of_row(const struct self *self, size_t row)
{
    int32_t dim;
    memcpy(&dim, self->map.at + row * (4 + 4 * self->dim), sizeof dim);
    return dim;
}

static int check(struct self *self, const char *path, struct err *e)
{
    if (self->map.size < 8)
        return FAIL(e, ERR_FORMAT, "embed=file: %s: %zu bytes are no fvecs file", path, self->map.size);
    const int32_t dim = dimension_of_row(self, 0);
    if (dim < 1 || dim > INDEX_DIM_MAX || self->map.size % (4 + 4 * (size_t)dim) != 0)
        return FAIL(e, ERR_FORMAT, "embed=file: %s: %zu bytes are not whole rows of %d dimensions", path,
                    self->map.size, dim);
    self->dim = (size_t)dim;
    self->count = self->map.size / (4 + 4 * self->dim);
    for (size_t row = 1; row < self->count; row++)
        if (dimension_of_row(self, row) != dim)
            return FAIL(e, ERR_FORMAT, "embed=file: %s: row %zu has %d dimensions, the first %d", path, row,
                        dimension_of_row(self, row), dim);
    return ERR_OK;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *path = params_text(env->params, "embed_file");
    if (!*path) return FAIL(e, ERR_ARG, "embed=file needs embed_file");
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "embed=file: no memory");
    int status = mem_map_open(&self->map, path, e);
    if (status == ERR_OK) status = check(self, path, e);
    if (status != ERR_OK) return destroy(self), status;
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    const struct self *self = self_;
    const size_t dim = q->kb->vectors.rows.dim;
    if (self->dim != dim)
        return FAIL(e, ERR_ARG, "embed=file: vectors of %zu dimensions, the base has %zu", self->dim, dim);
    if (q->id < 0 || (uint64_t)q->id >= self->count)
        return FAIL(e, ERR_NOT_FOUND, "embed=file: no row for query %lld; the file has %zu", (long long)q->id,
                    self->count);
    memcpy(q->vector, self->map.at + (size_t)q->id * (4 + 4 * dim) + 4, dim * sizeof *q->vector);
    return ERR_OK;
}

const struct stage_ops embed_file = {
    .name = "file", .slot = SLOT_EMBED, .summary = "vectors made beforehand, by query number",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
