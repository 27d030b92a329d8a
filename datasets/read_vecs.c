/* SPDX-License-Identifier: MIT
 * read_vecs.c - the TEXMEX formats: no header, every row an int32 dimension and its components,
 * float32 (.fvecs), int32 (.ivecs) or uint8 (.bvecs); files may be joined with cat.  One reader for
 * the three, because they differ in the element alone. */
#include "datasets/dataset.h"
#include <string.h>

static int read_dim(const unsigned char *at, const char *path, size_t offset, int32_t *dim, struct err *e)
{
    memcpy(dim, at + offset, sizeof *dim);
    if (*dim < 1 || *dim > DATASET_DIM_MAX)
        return FAIL(e, ERR_FORMAT, "%s: offset %zu: dimension %d outside 1..%d", path, offset, *dim, DATASET_DIM_MAX);
    return ERR_OK;
}

static enum element element_of(const char *path)
{
    switch (path[strlen(path) - strlen("fvecs")] | 0x20) {
    case 'i': return ELEMENT_I32;
    case 'b': return ELEMENT_U8;
    default: return ELEMENT_F32;
    }
}

static int open_vecs(struct dataset *d, const char *path, struct err *e)
{
    const enum element element = element_of(path);
    const unsigned char *at = d->map.at;
    const size_t size = d->map.size;
    int32_t dim, other;
    if (size < sizeof dim) return FAIL(e, ERR_FORMAT, "%s: %zu bytes, less than one dimension", path, size);
    int status = read_dim(at, path, 0, &dim, e);
    if (status != ERR_OK) return status;
    const size_t record = sizeof dim + (size_t)dim * element_bytes(element), count = size / record;
    /* Dimensions first: a row of another dimension explains a size that does not divide. */
    for (size_t row = 1; row < count; row++) {
        status = read_dim(at, path, row * record, &other, e);
        if (status != ERR_OK) return status;
        if (other != dim)
            return FAIL(e, ERR_FORMAT, "%s: offset %zu: row %zu has dimension %d, row 0 has %d", path, row * record,
                        row, other, dim);
    }
    if (size % record)
        return FAIL(e, ERR_FORMAT, "%s: offset %zu: row %zu (dimension %d) is cut short: %zu of %zu bytes", path,
                    count * record, count, dim, size % record, record);
    return dataset_take(d, at + sizeof dim, count, (size_t)dim, sizeof dim, element, e);
}

const struct reader_ops read_vecs = {
    .name = "vecs",
    .summary = "TEXMEX vectors: float32, int32 ids, uint8",
    .suffixes = ".fvecs|.ivecs|.bvecs",
    .open = open_vecs,
};
