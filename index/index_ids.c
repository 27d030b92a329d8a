/* SPDX-License-Identifier: MIT
 * index_ids.c - the answers of any other program, read from an .ivecs file (per query: a 32-bit count, then as
 * many 32-bit row numbers, best first; a negative one is padding), so that our truth, metrics and plots judge
 * them.  Line q of the file answers query q of the set that index_bind names; scores are minus the rank. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "index/index.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"

static const struct param table[] = {
    { "file", PARAM_TEXT, 0, 0, "", "", NULL, ".ivecs file, a line a query" },
    { "lat", PARAM_TEXT, 0, 0, "", "", NULL, "text file, a line a query: the us that its answer took" },
    { 0 }
};

struct ids_index {
    struct index base;
    struct mem_map map;
    size_t lines, width, rows; /* rows: of the base that was added */
    struct rows queries;       /* as bound; at NULL before */
    double *us;                /* a line; NULL: not known */
};

static void destroy(struct index *ix)
{
    struct ids_index *x = (struct ids_index *)ix;
    if (!x) return;
    mem_map_close(&x->map);
    mem_free(x->us);
    mem_free(x);
}

static int32_t word(const struct ids_index *x, size_t at)
{
    int32_t value;
    memcpy(&value, x->map.at + 4 * at, sizeof value);
    return value;
}

static int check_shape(struct ids_index *x, const char *path, struct err *e)
{
    if (x->map.size < 4 || word(x, 0) < 1 || (size_t)word(x, 0) > x->map.size / 4 - 1)
        return FAIL(e, ERR_FORMAT, "%s: not an .ivecs file (a query: a 32-bit count, then row numbers); answers by ids of text "
                    "are for assay rag --set retrieve=replay --set replay_file=FILE, lines of question, entity and score", path);
    x->width = (size_t)word(x, 0);
    const size_t line = 4 * (x->width + 1);
    x->lines = x->map.size / line;
    if (x->map.size % line)
        return FAIL(e, ERR_FORMAT, "%s: %zu bytes are no whole lines of %zu ids", path, x->map.size,
                    x->width);
    for (size_t q = 0; q < x->lines; q++)
        if ((size_t)word(x, q * (x->width + 1)) != x->width)
            return FAIL(e, ERR_FORMAT, "%s: line %zu has another length than the first", path, q);
    return ERR_OK;
}

static int read_latencies(struct ids_index *x, const char *path, struct err *e)
{
    char line[64];
    size_t count = 0;
    x->us = mem_alloc(x->lines, sizeof *x->us);
    if (!x->us) return FAIL(e, ERR_MEM, "%s: no memory", path);
    FILE *in = file_open_text(path);
    if (!in) return FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    int status = ERR_OK;
    for (; status == ERR_OK && fgets(line, sizeof line, in); count++) {
        double us;
        line[strcspn(line, "\r\n")] = 0;
        if (!text_to_f64(line, &us) || !(us > 0) || !isfinite(us))
            status = FAIL(e, ERR_FORMAT, "%s: line %zu: '%s' is no time in us", path, count + 1, line);
        else if (count < x->lines) x->us[count] = us;
    }
    fclose(in);
    if (status == ERR_OK && count != x->lines)
        status = FAIL(e, ERR_FORMAT, "%s: %zu lines for %zu queries", path, count, x->lines);
    return status;
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    const char *path = params_text(base->params, "file");
    if (!*path) return FAIL(e, ERR_ARG, "ids: file= is missing: ids:answers.ivecs");
    struct ids_index *x = mem_zero(1, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "ids: no memory");
    x->base = *base;
    int status = mem_map_open(&x->map, path, e);
    if (status == ERR_OK) status = check_shape(x, path, e);
    const char *latencies = params_text(base->params, "lat");
    if (status == ERR_OK && *latencies) status = read_latencies(x, latencies, e);
    if (status == ERR_OK) *out = &x->base;
    else destroy(&x->base);
    return status;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    if (ids) return FAIL(e, ERR_UNSUPPORTED, "ids: its answers are row numbers, so rows take no ids");
    ((struct ids_index *)ix)->rows += rows.count;
    return ERR_OK;
}

static int bind(struct index *ix, struct rows queries, struct err *e)
{
    struct ids_index *x = (struct ids_index *)ix;
    const char *path = params_text(ix->params, "file");
    if (queries.count != x->lines)
        return FAIL(e, ERR_ARG, "%s: %zu lines for %zu queries", path, x->lines, queries.count);
    for (size_t q = 0; q < x->lines; q++)
        for (size_t i = 1; i <= x->width; i++) {
            const int32_t id = word(x, q * (x->width + 1) + i);
            if (id >= 0 && (size_t)id >= x->rows)
                return FAIL(e, ERR_FORMAT, "%s: line %zu: row %d of a base of %zu", path, q, id, x->rows);
        }
    x->queries = queries;
    return ERR_OK;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    (void)ix, (void)query_count, (void)k;
    return 0;
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts)
{
    const struct ids_index *x = (const struct ids_index *)ix;
    (void)scratch;
    for (size_t q = 0; q < queries.count; q++) {
        const float *query = rows_at(queries, q), *first = x->queries.at;
        counts[q] = 0;
        if (!first || query < first) continue;
        const size_t line = (size_t)(query - first) / x->queries.stride;
        for (size_t i = 1; line < x->lines && i <= x->width && counts[q] < k; i++) {
            const int32_t id = word(x, line * (x->width + 1) + i);
            if (id >= 0) hits[q * k + counts[q]++] = (struct hit){ id, -(float)i };
        }
    }
}

static const double *latencies(const struct index *ix) { return ((const struct ids_index *)ix)->us; }

static void describe(const struct index *ix, struct text *out)
{
    (void)ix;
    text_add(out, "%sexternal", out->size ? ";" : "");
}

static void stats(const struct index *ix, struct index_stats *out)
{
    *out = (struct index_stats){ .rows = ((const struct ids_index *)ix)->rows };
}

const struct index_ops index_ids = {
    .name = "ids",
    .summary = "another program's answers, from an .ivecs file",
    .params = table,
    .create = create,
    .add = add,
    .bind = bind,
    .latencies = latencies,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .kernels = describe,
    .stats = stats,
    .destroy = destroy,
};
