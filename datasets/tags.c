/* SPDX-License-Identifier: MIT
 * tags.c - reads, checks, writes and intersects the tags of rows and queries. */
#include "datasets/tags.h"
#include "datasets/whole_file.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <limits.h>
#include <string.h>

void tags_free(struct tags *t)
{
    mem_free(t->start);
    mem_free(t->tag);
    *t = (struct tags){ 0 };
}

static int check(const struct tags *t, const char *path, struct err *e)
{
    /* All of the starts before any tag: they say where to look. */
    for (size_t row = 0; row < t->rows; row++)
        if (t->start[row + 1] < t->start[row])
            return FAIL(e, ERR_FORMAT, "%s: row %zu ends before it starts", path, row);
    for (size_t row = 0; row < t->rows; row++)
        for (int64_t i = t->start[row]; i < t->start[row + 1]; i++) {
            if (t->tag[i] < 0 || (size_t)t->tag[i] >= t->tags)
                return FAIL(e, ERR_FORMAT, "%s: row %zu has tag %d of %zu", path, row, t->tag[i], t->tags);
            if (i > t->start[row] && t->tag[i] <= t->tag[i - 1])
                return FAIL(e, ERR_FORMAT, "%s: row %zu: tag %d after %d", path, row, t->tag[i], t->tag[i - 1]);
        }
    return ERR_OK;
}

static int take(struct tags *out, const struct mem_map *map, const char *path, struct err *e)
{
    int64_t head[3];
    if (map->size < sizeof head) return FAIL(e, ERR_FORMAT, "%s: %zu bytes are no .spmat", path, map->size);
    memcpy(head, map->at, sizeof head);
    const int64_t rows = head[0], tags = head[1], entries = head[2];
    if (rows < 1 || tags < 0 || entries < 0 || rows > INT32_MAX || tags > INT32_MAX ||
        (size_t)entries > map->size / 8 || map->size != sizeof head + ((size_t)rows + 1) * 8 + (size_t)entries * 8)
        return FAIL(e, ERR_FORMAT, "%s: %zu bytes do not hold %lld x %lld tags in %lld entries", path, map->size,
                    (long long)rows, (long long)tags, (long long)entries);
    struct tags t = { (size_t)rows, (size_t)tags, mem_alloc((size_t)rows + 1, 8), mem_alloc((size_t)entries, 4) };
    int status = t.start && t.tag ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory for %lld tags", path, (long long)entries);
    if (status == ERR_OK) {
        memcpy(t.start, map->at + sizeof head, ((size_t)rows + 1) * 8);
        memcpy(t.tag, map->at + sizeof head + ((size_t)rows + 1) * 8, (size_t)entries * 4);
        if (t.start[0] != 0 || t.start[rows] != entries)
            status = FAIL(e, ERR_FORMAT, "%s: rows start at %lld and end at %lld of %lld entries", path,
                          (long long)t.start[0], (long long)t.start[rows], (long long)entries);
    }
    if (status == ERR_OK) status = check(&t, path, e);
    if (status == ERR_OK) *out = t;
    else tags_free(&t);
    return status;
}

int tags_read(struct tags *out, const char *path, struct err *e)
{
    struct mem_map map = { 0 };
    int status = mem_map_open(&map, path, e);
    if (status == ERR_OK) status = take(out, &map, path, e);
    mem_map_close(&map);
    return status;
}

int tags_write(const char *path, const struct tags *t, struct err *e)
{
    struct whole_file f = { 0 };
    const int status = whole_file_open(&f, path, e);
    if (status != ERR_OK) return status;
    const int64_t entries = t->start[t->rows], head[3] = { (int64_t)t->rows, (int64_t)t->tags, entries };
    const float one = 1;
    fwrite(head, sizeof head, 1, f.to);
    fwrite(t->start, sizeof *t->start, t->rows + 1, f.to);
    fwrite(t->tag, sizeof *t->tag, (size_t)entries, f.to);
    for (int64_t i = 0; i < entries; i++) fwrite(&one, sizeof one, 1, f.to);
    return whole_file_commit(&f, e);
}

uint64_t tags_hash(const struct tags *t)
{
    const uint64_t shape[2] = { t->rows, t->tags };
    const uint64_t h = hash64(hash64(0, shape, sizeof shape), t->start, (t->rows + 1) * sizeof *t->start);
    return hash64(h, t->tag, (size_t)t->start[t->rows] * sizeof *t->tag);
}

int tags_transpose(struct tags *out, const struct tags *t, struct err *e)
{
    const size_t entries = (size_t)t->start[t->rows];
    struct tags o = { t->tags, t->rows, mem_zero(t->tags + 2, 8), mem_alloc(entries, 4) };
    if (!o.start || !o.tag) {
        tags_free(&o);
        return FAIL(e, ERR_MEM, "no memory for %zu tags", entries);
    }
    /* Tag i is counted two places on, so that start[i + 1] is where it begins, and, filled, where it ends. */
    for (size_t i = 0; i < entries; i++) o.start[t->tag[i] + 2]++;
    for (size_t i = 2; i < t->tags + 2; i++) o.start[i] += o.start[i - 1];
    for (size_t row = 0; row < t->rows; row++)
        for (int64_t i = t->start[row]; i < t->start[row + 1]; i++) o.tag[o.start[t->tag[i] + 1]++] = (int32_t)row;
    *out = o;
    return ERR_OK;
}

/* Of `count` rows in `out`, keeps those that have the tag too. */
static size_t intersect(uint32_t *out, size_t count, const int32_t *rows, size_t row_count)
{
    size_t kept = 0;
    for (size_t i = 0, j = 0; i < count && j < row_count;) {
        if (out[i] < (uint32_t)rows[j]) i++;
        else if (out[i] > (uint32_t)rows[j]) j++;
        else out[kept++] = out[i++];
    }
    return kept;
}

size_t tags_passing(const struct tags *by_tag, size_t base_rows, const struct tags *queries, size_t query,
                    uint32_t *out)
{
    const int64_t from = queries->start[query], to = queries->start[query + 1];
    size_t count = 0;
    if (from == to) {
        for (; count < base_rows; count++) out[count] = (uint32_t)count;
        return count;
    }
    for (int64_t i = from; i < to; i++) {
        const size_t tag = (size_t)queries->tag[i];
        const int32_t *rows = by_tag->tag + by_tag->start[tag];
        const size_t row_count = (size_t)(by_tag->start[tag + 1] - by_tag->start[tag]);
        if (i > from) count = intersect(out, count, rows, row_count);
        else
            for (; count < row_count; count++) out[count] = (uint32_t)rows[count];
    }
    return count;
}
