/* SPDX-License-Identifier: MIT
 * index_ids.c - the answers of any other program, so that our truth, metrics and plots judge them.  Either an .ivecs file
 * (per query: a 32-bit count, then as many 32-bit row numbers, best first; a negative one is padding), whose line q
 * answers query q of the set that index_bind names, or lines of text (ranked.h), a run of trec_eval among them, by row
 * and query numbers or by the names that row_ids and query_ids give them.  Scores are minus the rank. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "index/index.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
#include "kernels/base/ranked.h"
#include "kernels/base/topk.h"

static const struct param table[] = {
    { "file", PARAM_TEXT, 0, 0, "", "", NULL, ".ivecs file, a line a query; or lines of query, row and score, or a run of TREC" },
    { "lat", PARAM_TEXT, 0, 0, "", "", NULL, "text file, a line a query: the us that its answer took" },
    { "row_ids", PARAM_TEXT, 0, 0, "", "", NULL, "text file, a line a row of the base: what file calls it; empty: its number" },
    { "query_ids", PARAM_TEXT, 0, 0, "", "", NULL, "the same of the queries" },
    { 0 }
};

struct answer {
    size_t query, row, number; /* of the line in the file */
    double score;
};
struct ids_index {
    struct index base;
    struct mem_map map;
    size_t lines, width, rows; /* rows: of the base that was added */
    struct rows queries;       /* as bound; at NULL before */
    double *us;                /* a line; NULL: not known */
    int is_text;               /* what comes next is of a file of text */
    struct names row_ids, query_ids; /* empty: numbers */
    int32_t *ids;              /* lines x width, padded by -1; made by bind */
};

static void destroy(struct index *ix)
{
    struct ids_index *x = (struct ids_index *)ix;
    if (!x) return;
    mem_map_close(&x->map);
    names_free(&x->row_ids);
    names_free(&x->query_ids);
    mem_free(x->us);
    mem_free(x->ids);
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
        return FAIL(e, ERR_FORMAT, "%s: not an .ivecs file (a query: a 32-bit count, then row numbers), nor lines of text", path);
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

/* --- lines of text ----------------------------------------------------------------------------------- */

/* A name a line, none twice. */
static int read_names(struct names *out, const char *path, struct err *e)
{
    char line[1024];
    FILE *in;
    int status = file_open_text(&in, path, e);
    if (status != ERR_OK) return status;
    for (size_t number = 1; status == ERR_OK && fgets(line, sizeof line, in); number++) {
        const char *name = line + (number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
        if (!strchr(line, '\n') && !feof(in)) status = FAIL(e, ERR_FORMAT, "%s: line %zu is too long for an id", path, number);
        line[strcspn(line, "\r\n")] = 0;
        const int64_t place = status == ERR_OK && *name ? names_find(out, name, strlen(name)) : NAMES_NONE;
        if (status == ERR_OK && !*name) status = FAIL(e, ERR_FORMAT, "%s: line %zu is empty: whose row is that?", path, number);
        else if (place != NAMES_NONE)
            status = FAIL(e, ERR_FORMAT, "%s: lines %lld and %zu are both '%.80s'", path, (long long)place + 1, number, name);
        else if (status == ERR_OK && names_add(out, name, strlen(name)) == NAMES_NONE) status = FAIL(e, ERR_MEM, "%s: no memory", path);
    }
    fclose(in);
    if (status == ERR_OK && out->count == 0) status = FAIL(e, ERR_FORMAT, "%s: no ids", path);
    return status;
}

/* The number of what the file calls `id`; -1: none has it. */
static int64_t number_of(const struct names *names, const char *id, size_t count)
{
    int64_t number;
    if (names->count) return names_find(names, id, strlen(id));
    return text_is_i64(id, &number) && number >= 0 && (uint64_t)number < count ? number : -1;
}

static int take_line(const struct ids_index *x, const struct ranked *r, size_t queries, struct answer *out, const char *path, struct err *e)
{
    const int64_t query = number_of(&x->query_ids, r->query, queries), row = number_of(&x->row_ids, r->entity, x->rows);
    if (query < 0)
        return FAIL(e, ERR_FORMAT, "%s: line %zu: query '%.80s' is %s", path, out->number, r->query,
                    x->query_ids.count ? "not among query_ids" : "no query number (query_ids=FILE names them)");
    if (row < 0)
        return FAIL(e, ERR_FORMAT, "%s: line %zu: row '%.80s' is %s", path, out->number, r->entity,
                    x->row_ids.count ? "not among row_ids" : "no row number of the base (row_ids=FILE names them)");
    out->query = (size_t)query;
    out->row = (size_t)row;
    out->score = r->score;
    return ERR_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return x->row != y->row ? (x->row < y->row ? -1 : 1) : (x->number > y->number) - (x->number < y->number);
}

static int by_score(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return x->score != y->score ? (x->score > y->score ? -1 : 1) : (x->number > y->number) - (x->number < y->number);
}

/* Answers in order become x->ids. */
static int lay_out(struct ids_index *x, const struct answer *all, size_t count, size_t queries, const char *path, struct err *e)
{
    size_t width = 1, same = 0;
    for (size_t i = 0; i < count; i++) {
        same = i && all[i].query == all[i - 1].query ? same + 1 : 1;
        width = same > width ? same : width;
    }
    x->lines = queries;
    x->width = width;
    x->ids = mem_alloc(queries * width, sizeof *x->ids);
    if (!x->ids) return FAIL(e, ERR_MEM, "%s: no memory for %zu x %zu answers", path, queries, width);
    memset(x->ids, 0xff, queries * width * sizeof *x->ids);
    for (size_t i = 0; i < count; i++) {
        same = i && all[i].query == all[i - 1].query ? same + 1 : 0;
        x->ids[all[i].query * width + same] = (int32_t)all[i].row;
    }
    return ERR_OK;
}

static int sort_answers(struct answer *all, size_t count, int is_run, const char *path, struct err *e)
{
    if (count == 0) return FAIL(e, ERR_FORMAT, "%s: no answers", path);
    qsort(all, count, sizeof *all, by_row);
    for (size_t i = 1; i < count; i++)
        if (all[i].query == all[i - 1].query && all[i].row == all[i - 1].row)
            return FAIL(e, ERR_FORMAT, "%s: lines %zu and %zu give one row twice to a query", path, all[i - 1].number, all[i].number);
    for (size_t i = 0; !is_run && i < count; i++) all[i].score = -(double)all[i].number; /* as the file has them */
    qsort(all, count, sizeof *all, by_score);
    return ERR_OK;
}

/* The file whole, now that rows and queries are known. */
static int read_text(struct ids_index *x, size_t queries, struct err *e)
{
    const char *path = params_text(x->base.params, "file");
    char line[1024];
    struct answer *all = NULL;
    size_t count = 0, room = 0;
    int is_run = 0;
    FILE *in;
    int status = file_open_text(&in, path, e);
    if (status != ERR_OK) return status;
    for (size_t number = 1; status == ERR_OK && fgets(line, sizeof line, in); number++) {
        struct answer one = { .number = number };
        struct ranked r;
        if (line[strspn(line, "\r")] == '\n' || *line == '#') continue;
        if (!ranked_read(line, &r))
            status = FAIL(e, ERR_FORMAT, "%s: line %zu is neither 'query row score' nor 'query Q0 row rank score tag'", path, number);
        else status = take_line(x, &r, queries, &one, path, e);
        if (status == ERR_OK && !mem_one_more(&all, count, &room, sizeof *all)) status = FAIL(e, ERR_MEM, "%s: no memory", path);
        if (status == ERR_OK) all[count++] = one, is_run |= r.is_run;
    }
    fclose(in);
    if (status == ERR_OK) status = sort_answers(all, count, is_run, path, e);
    if (status == ERR_OK) status = lay_out(x, all, count, queries, path, e);
    mem_free(all);
    return status;
}

/* --- the index ----------------------------------------------------------------------------------------- */

/* Place i of the answer to query q. */
static int32_t answer_at(const struct ids_index *x, size_t q, size_t i)
{
    return x->is_text ? x->ids[q * x->width + i] : word(x, q * (x->width + 1) + 1 + i);
}

static int read_latencies(struct ids_index *x, const char *path, struct err *e)
{
    char line[64];
    size_t count = 0;
    mem_free(x->us);
    x->us = mem_alloc(x->lines, sizeof *x->us);
    if (!x->us) return FAIL(e, ERR_MEM, "%s: no memory", path);
    FILE *in;
    int status = file_open_text(&in, path, e);
    if (status != ERR_OK) return status;
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
    /* The count that an .ivecs file begins with has bytes of 0, text has none. */
    x->is_text = status == ERR_OK && x->map.size && !memchr(x->map.at, 0, x->map.size < 4096 ? x->map.size : 4096);
    if (status == ERR_OK && !x->is_text) status = check_shape(x, path, e);
    const char *latencies = params_text(base->params, "lat");
    const char *rows = params_text(base->params, "row_ids"), *queries = params_text(base->params, "query_ids");
    if (status == ERR_OK && !x->is_text && (*rows || *queries))
        status = FAIL(e, ERR_ARG, "%s: an .ivecs file holds numbers: row_ids and query_ids name nothing in it", path);
    if (status == ERR_OK && *rows) status = read_names(&x->row_ids, rows, e);
    if (status == ERR_OK && *queries) status = read_names(&x->query_ids, queries, e);
    if (status == ERR_OK && *latencies && !x->is_text) status = read_latencies(x, latencies, e);
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

/* Names must be of all rows, and of all queries. */
static int check_names(const struct ids_index *x, size_t queries, struct err *e)
{
    const struct params *p = x->base.params;
    if (x->row_ids.count && x->row_ids.count != x->rows)
        return FAIL(e, ERR_ARG, "%s: %zu ids for %zu rows", params_text(p, "row_ids"), x->row_ids.count, x->rows);
    if (x->query_ids.count && x->query_ids.count != queries)
        return FAIL(e, ERR_ARG, "%s: %zu ids for %zu queries", params_text(p, "query_ids"), x->query_ids.count, queries);
    return ERR_OK;
}

static int bind(struct index *ix, struct rows queries, struct err *e)
{
    struct ids_index *x = (struct ids_index *)ix;
    const char *path = params_text(ix->params, "file"), *latencies = params_text(ix->params, "lat");
    if (x->is_text) {
        int status = check_names(x, queries.count, e);
        mem_free(x->ids);
        x->ids = NULL;
        if (status == ERR_OK) status = read_text(x, queries.count, e);
        if (status == ERR_OK && *latencies) status = read_latencies(x, latencies, e);
        if (status != ERR_OK) return status;
    }
    if (queries.count != x->lines)
        return FAIL(e, ERR_ARG, "%s: %zu lines for %zu queries", path, x->lines, queries.count);
    for (size_t q = 0; q < x->lines; q++)
        for (size_t i = 0; i < x->width; i++) {
            const int32_t id = answer_at(x, q, i);
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
        for (size_t i = 0; line < x->lines && i < x->width && counts[q] < k; i++) {
            const int32_t id = answer_at(x, line, i);
            if (id >= 0) hits[q * k + counts[q]++] = (struct hit){ id, -(float)(i + 1) };
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
    .summary = "another program's answers, from an .ivecs file or lines of text",
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
