/* SPDX-License-Identifier: MIT
 * embed_file.c - vectors that were made beforehand: a question's is the row of its id.  The file is fvecs (per row an
 * int32 dimension, then that many float32, little endian) or, by its name, NumPy's .npy of float32 rows.  embed_ids
 * says whose each row is, an id a line; without it the id is the number of the row, from 0. */
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
#include "pipeline/stage.h"
#include <stdlib.h>
#include <string.h>

static const struct param params[] = {
    { "embed_file", PARAM_TEXT, 0, 0, "", "", NULL, "fvecs or npy file; row i answers for query i, counted from 0" },
    { "embed_ids", PARAM_TEXT, 0, 0, "", "", NULL, "file of ids, line by line, of the rows of embed_file; empty: their numbers" },
    { 0 },
};

struct self {
    struct mem_map map;
    const unsigned char *at; /* the first row's numbers */
    size_t dim, count, stride; /* stride: bytes from row to row */
    struct names ids; /* of the rows; none: they are numbers */
};

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_map_close(&self->map);
    names_free(&self->ids);
    mem_free(self);
}

static int check_fvecs(struct self *self, const char *path, struct err *e)
{
    if (self->map.size < 8)
        return FAIL(e, ERR_FORMAT, "embed=file: %s: %zu bytes are no fvecs file", path, self->map.size);
    int32_t dim, other;
    memcpy(&dim, self->map.at, sizeof dim);
    if (dim < 1 || dim > INDEX_DIM_MAX || self->map.size % (4 + 4 * (size_t)dim) != 0)
        return FAIL(e, ERR_FORMAT, "embed=file: %s: %zu bytes are not whole rows of %d dimensions", path,
                    self->map.size, dim);
    self->dim = (size_t)dim;
    self->stride = 4 + 4 * self->dim;
    self->count = self->map.size / self->stride;
    self->at = self->map.at + 4;
    for (size_t row = 1; row < self->count; row++) {
        memcpy(&other, self->map.at + row * self->stride, sizeof other);
        if (other != dim)
            return FAIL(e, ERR_FORMAT, "embed=file: %s: row %zu has %d dimensions, the first %d", path, row, other, dim);
    }
    return ERR_OK;
}

/* The two numbers of 'shape': (rows, dim) in a header; 0 when it says anything else. */
static int read_shape(const char *header, size_t *count, size_t *dim)
{
    const char *at = strstr(header, "'shape': (");
    char *stop;
    if (!at || !strstr(header, "'descr': '<f4'") || !strstr(header, "'fortran_order': False")) return 0;
    *count = strtoull(at + 10, &stop, 10);
    if (*stop != ',') return 0;
    *dim = strtoull(stop + 1, &stop, 10);
    return *stop == ')' || (*stop == ',' && stop[1] == ')');
}

static int check_npy(struct self *self, const char *path, struct err *e)
{
    enum { HEADER_MOST = 512 };
    char header[HEADER_MOST] = { 0 };
    const unsigned char *at = self->map.at;
    const size_t size = self->map.size, before = size > 6 && at[6] == 1 ? 10 : 12;
    if (size < 12 || memcmp(at, "\x93NUMPY", 6) != 0) return FAIL(e, ERR_FORMAT, "embed=file: %s: no NumPy file", path);
    const size_t said = at[8] | (size_t)at[9] << 8;
    if (before + said > size || said >= HEADER_MOST) return FAIL(e, ERR_FORMAT, "embed=file: %s: a header that is cut short", path);
    memcpy(header, at + before, said);
    if (!read_shape(header, &self->count, &self->dim) || self->dim < 1 || self->dim > INDEX_DIM_MAX ||
        self->count > size || (size - before - said) != self->count * self->dim * 4)
        return FAIL(e, ERR_FORMAT, "embed=file: %s: not whole rows of float32, in order ('<f4', fortran_order False): %.100s", path,
                    header);
    self->stride = 4 * self->dim;
    self->at = at + before + said;
    return ERR_OK;
}

static int read_ids(struct self *self, const char *path, struct err *e)
{
    struct mem_map map = { 0 };
    int status = mem_map_open(&map, path, e);
    const char *at = (const char *)map.at, *end = at + map.size;
    while (status == ERR_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        const char *id = at;
        at += size + (stop != NULL);
        if (size && id[size - 1] == '\r') size--;
        const size_t known = self->ids.count;
        if (size == 0 || memchr(id, 0, size))
            status = FAIL(e, ERR_FORMAT, "embed=file: %s: line %zu holds no id", path, known + 1);
        else if (names_add(&self->ids, id, size) != (int64_t)known)
            status = FAIL(e, ERR_FORMAT, "embed=file: %s: line %zu: the id '%.*s' came before", path, known + 1,
                          (int)(size < 60 ? size : 60), id);
    }
    if (status == ERR_OK && self->ids.count != self->count)
        status = FAIL(e, ERR_ARG, "embed=file: %s: %zu ids for %zu rows", path, self->ids.count, self->count);
    mem_map_close(&map);
    return status;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *path = params_text(env->params, "embed_file"), *ids = params_text(env->params, "embed_ids");
    const size_t size = strlen(path);
    if (!*path) return FAIL(e, ERR_ARG, "embed=file needs embed_file");
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "embed=file: no memory");
    int status = mem_map_open(&self->map, path, e);
    const int npy = size > 4 && strcmp(path + size - 4, ".npy") == 0;
    if (status == ERR_OK) status = npy ? check_npy(self, path, e) : check_fvecs(self, path, e);
    if (status == ERR_OK && *ids) status = read_ids(self, ids, e);
    if (status != ERR_OK) return destroy(self), status;
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    const struct self *self = self_;
    const size_t dim = q->kb->vectors.rows.dim;
    char printed[32];
    snprintf(printed, sizeof printed, "%lld", (long long)q->id);
    const char *name = q->name ? q->name : printed;
    int64_t row = -1;
    if (self->dim != dim)
        return FAIL(e, ERR_ARG, "embed=file: vectors of %zu dimensions, the base has %zu", self->dim, dim);
    if (self->ids.count) row = names_find(&self->ids, name, strlen(name));
    else if (!text_to_i64(name, &row))
        return FAIL(e, ERR_NOT_FOUND, "embed=file: query '%.80s' is no number of a row: say whose the rows are (embed_ids)", name);
    if (row < 0 || (uint64_t)row >= self->count)
        return FAIL(e, ERR_NOT_FOUND, "embed=file: no row for query %.80s; the file has %zu", name, self->count);
    memcpy(q->vector, self->at + (size_t)row * self->stride, dim * sizeof *q->vector);
    return ERR_OK;
}

const struct stage_ops embed_file = {
    .name = "file", .slot = SLOT_EMBED, .summary = "vectors made beforehand, by query number",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
