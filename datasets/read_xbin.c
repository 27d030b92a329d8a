/* SPDX-License-Identifier: MIT
 * read_xbin.c - the formats of big-ann-benchmarks and cuVS: uint32 rows, uint32 dimension, then the
 * rows; the suffix names the element.  An .ibin that holds twice as much is their ground truth: ids,
 * then as many float32 distances, which we leave (big-ann-benchmarks issue 165: the suffix does not tell
 * the two apart, the size does). */
#include "datasets/dataset.h"
#include <string.h>

static const struct { const char *suffix; enum element element; } kinds[] = {
    { ".fbin", ELEMENT_F32 },  { ".ibin", ELEMENT_I32 },    { ".u8bin", ELEMENT_U8 },
    { ".i8bin", ELEMENT_I8 },  { ".f16bin", ELEMENT_F16 },
};

static enum element element_of(const char *path)
{
    size_t i = 0;
    const size_t size = strlen(path);
    while (size < strlen(kinds[i].suffix) || strcasecmp(path + size - strlen(kinds[i].suffix), kinds[i].suffix) != 0) i++;
    return kinds[i].element; /* one of them matched, or we were not asked */
}

static int open_xbin(struct dataset *d, const char *path, struct err *e)
{
    enum { HEADER = 8 };
    uint32_t head[2];
    size_t bytes;
    if (d->map.size < HEADER) return FAIL(e, ERR_FORMAT, "%s: %zu bytes, less than its header of 8", path, d->map.size);
    memcpy(head, d->map.at, HEADER);
    const enum element element = element_of(path);
    const size_t count = head[0], dim = head[1], held = d->map.size - HEADER;
    if (count == 0 || dim == 0 || dim > DATASET_DIM_MAX)
        return FAIL(e, ERR_FORMAT, "%s: offset 0: %zu rows of dimension %zu: no rows, or a dimension outside 1..%d", path,
                    count, dim, DATASET_DIM_MAX);
    if (__builtin_mul_overflow(count, dim * element_bytes(element), &bytes) ||
        (held != bytes && !(element == ELEMENT_I32 && held % 2 == 0 && held / 2 == bytes)))
        return FAIL(e, ERR_FORMAT, "%s: offset 8: %zu bytes of data, %zu x %zu %s needs %zu x %zu", path, held, count, dim,
                    element_name(element), count, dim * element_bytes(element));
    return dataset_take(d, d->map.at + HEADER, count, dim, 0, element, e);
}

const struct reader_ops read_xbin = {
    .name = "xbin",
    .summary = "big-ann-benchmarks and cuVS: float32, int32 ids, uint8, int8, float16",
    .suffixes = ".fbin|.ibin|.u8bin|.i8bin|.f16bin",
    .open = open_xbin,
};
