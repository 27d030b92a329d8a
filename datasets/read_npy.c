/* SPDX-License-Identifier: MIT
 * read_npy.c - a NumPy array of two dimensions (format versions 1 to 3): float32, float16, float64,
 * uint8, int8, and int32, int64, uint32 or uint64 ids.
 *
 * The header is a Python dict literal with exactly the keys 'descr', 'fortran_order' and 'shape', in
 * any order and spacing; we parse that grammar and nothing more of Python. */
#include "datasets/dataset.h"
#include <string.h>

static const struct { const char *descr; enum element element; } kinds[] = {
    { "<f4", ELEMENT_F32 }, { "<f2", ELEMENT_F16 }, { "<f8", ELEMENT_F64 }, { "|u1", ELEMENT_U8 },
    { "|i1", ELEMENT_I8 },  { "<i4", ELEMENT_I32 }, { "<i8", ELEMENT_I64 },
    { "<u4", ELEMENT_U32 }, { "<u8", ELEMENT_U64 },
};
static const char kinds_text[] = "<f4 <f2 <f8 |u1 |i1 <i4 <i8 <u4 <u8";

struct header {
    const char *at, *end; /* what is left to parse */
    char descr[16];
    int fortran;
    int axes;
    size_t shape[2];
    unsigned seen; /* bit 0 descr, 1 fortran_order, 2 shape */
};

static void skip_space(struct header *h)
{
    while (h->at < h->end && strchr(" \t\n", *h->at)) h->at++;
}

static int take(struct header *h, const char *token)
{
    const size_t size = strlen(token);
    skip_space(h);
    if ((size_t)(h->end - h->at) < size || memcmp(h->at, token, size) != 0) return 0;
    h->at += size;
    return 1;
}

/* A quoted string without escapes. */
static int take_string(struct header *h, char *to, size_t room)
{
    skip_space(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"')) return 0;
    const char *stop = memchr(h->at + 1, *h->at, (size_t)(h->end - h->at - 1));
    if (!stop || (size_t)(stop - h->at) > room) return 0;
    const size_t size = (size_t)(stop - h->at - 1);
    memcpy(to, h->at + 1, size);
    to[size] = 0;
    h->at = stop + 1;
    return 1;
}

static int take_size(struct header *h, size_t *out)
{
    skip_space(h);
    const char *from = h->at;
    size_t value = 0;
    while (h->at < h->end && *h->at >= '0' && *h->at <= '9') {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (size_t)(*h->at - '0'), &value))
            return 0;
        h->at++;
    }
    *out = value;
    return h->at > from;
}

static int take_shape(struct header *h)
{
    if (!take(h, "(")) return 0;
    for (h->axes = 0; !take(h, ")"); h->axes++) {
        size_t ignored;
        if (!take_size(h, h->axes < 2 ? &h->shape[h->axes] : &ignored)) return 0;
        if (take(h, ",")) continue;
        h->axes++;
        return take(h, ")");
    }
    return 1;
}

static int take_entry(struct header *h)
{
    char key[16];
    if (!take_string(h, key, sizeof key) || !take(h, ":")) return 0;
    if (strcmp(key, "descr") == 0) {
        h->seen |= 1;
        return take_string(h, h->descr, sizeof h->descr);
    }
    if (strcmp(key, "fortran_order") == 0) {
        h->seen |= 2;
        h->fortran = take(h, "True");
        return h->fortran || take(h, "False");
    }
    h->seen |= 4;
    return strcmp(key, "shape") == 0 && take_shape(h);
}

static int parse(struct header *h)
{
    if (!take(h, "{")) return 0;
    while (!take(h, "}")) {
        if (!take_entry(h)) return 0;
        if (take(h, ",")) continue;
        if (!take(h, "}")) return 0;
        break;
    }
    skip_space(h);
    return h->seen == 7 && h->at == h->end;
}

/* Where the header text starts and the data starts. */
static int find_header(const struct mem_map *map, const char *path, size_t *start, size_t *data, struct err *e)
{
    static const unsigned char magic[6] = "\x93NUMPY";
    if (map->size < 10 || memcmp(map->at, magic, sizeof magic) != 0)
        return FAIL(e, ERR_FORMAT, "%s: offset 0: not a NumPy file (no \\x93NUMPY)", path);
    const int major = map->at[6];
    if (major < 1 || major > 3) return FAIL(e, ERR_FORMAT, "%s: offset 6: npy version %d, known are 1..3", path, major);
    *start = major == 1 ? 10 : 12;
    if (map->size < *start) return FAIL(e, ERR_FORMAT, "%s: offset 8: header is cut short", path);
    size_t size = (size_t)map->at[8] | (size_t)map->at[9] << 8;
    if (major > 1) size |= (size_t)map->at[10] << 16 | (size_t)map->at[11] << 24;
    if (size > map->size - *start)
        return FAIL(e, ERR_FORMAT, "%s: offset 8: a header of %zu bytes in a file of %zu", path, size, map->size);
    *data = *start + size;
    return ERR_OK;
}

static int find_element(const struct header *h, const char *path, enum element *out, struct err *e)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].descr, h->descr) == 0) {
            *out = kinds[i].element;
            return ERR_OK;
        }
    return FAIL(e, ERR_FORMAT, "%s: elements of type '%s' (known are %s)", path, h->descr, kinds_text);
}

static int open_npy(struct dataset *d, const char *path, struct err *e)
{
    size_t start = 0, data = 0, bytes;
    enum element element = ELEMENT_F32;
    int status = find_header(&d->map, path, &start, &data, e);
    if (status != ERR_OK) return status;
    struct header h = { .at = (const char *)d->map.at + start, .end = (const char *)d->map.at + data };
    if (!parse(&h))
        return FAIL(e, ERR_FORMAT, "%s: offset %zu: header is not {'descr': '...', 'fortran_order': ..., 'shape': ...}",
                    path, (size_t)(h.at - (const char *)d->map.at));
    status = find_element(&h, path, &element, e);
    if (status != ERR_OK) return status;
    const size_t count = h.shape[0], dim = h.shape[1];
    if (h.axes != 2) return FAIL(e, ERR_FORMAT, "%s: %d axes where rows x dim are needed", path, h.axes);
    if (count == 0 || dim == 0 || dim > DATASET_DIM_MAX)
        return FAIL(e, ERR_FORMAT, "%s: shape (%zu, %zu): no rows, or a dimension outside 1..%d", path, count, dim,
                    DATASET_DIM_MAX);
    if (h.fortran && count > 1 && dim > 1)
        return FAIL(e, ERR_FORMAT, "%s: columns first (fortran_order): save numpy.ascontiguousarray of it", path);
    if (__builtin_mul_overflow(count, dim * element_bytes(element), &bytes) || bytes != d->map.size - data)
        return FAIL(e, ERR_FORMAT, "%s: offset %zu: %zu bytes of data, shape (%zu, %zu) of %s needs %zu x %zu", path,
                    data, d->map.size - data, count, dim, h.descr, count, dim * element_bytes(element));
    return dataset_take(d, d->map.at + data, count, dim, 0, element, e);
}

const struct reader_ops read_npy = {
    .name = "npy",
    .summary = "NumPy arrays: float16/32/64, uint8, int8; int32 and int64 ids",
    .suffixes = ".npy",
    .open = open_npy,
};
