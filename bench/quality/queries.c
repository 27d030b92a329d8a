/* SPDX-License-Identifier: MIT
 * queries.c - reads questions, vectors and labels from the files that hold them, and joins them by their ids. */
#define _GNU_SOURCE
#include "bench/quality/queries.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

void queries_close(struct queries *q)
{
    dataset_close(&q->vectors);
    mem_free(q->names);
    mem_free(q->texts);
    mem_free(q->ids);
    mem_free(q->labels);
    mem_free(q->label_start);
    free(q->bytes);
    *q = (struct queries){ 0 };
}

static int ends_with(const char *path, const char *suffix)
{
    const size_t n = strlen(path), m = strlen(suffix);
    return n >= m && strcmp(path + n - m, suffix) == 0;
}

static int take_vectors(struct queries *out, const struct rows *all, const uint32_t *which, size_t count)
{
    float *rows = mem_alloc(count, all->dim * sizeof *rows);
    if (!rows) return 0;
    for (size_t i = 0; i < count; i++) memcpy(rows + i * all->dim, rows_at(*all, which[i]), all->dim * sizeof *rows);
    out->vectors.block = rows;
    out->vectors.rows = (struct rows){ rows, count, all->dim, all->dim };
    return 1;
}

static int take_labels(struct queries *out, const struct queries *all, const uint32_t *which)
{
    size_t total = 0;
    for (size_t i = 0; i < out->count; i++) total += all->label_start[which[i] + 1] - all->label_start[which[i]];
    out->labels = mem_alloc(total, sizeof *out->labels);
    out->label_start = mem_zero(out->count + 1, sizeof *out->label_start);
    if (!out->labels || !out->label_start) return 0;
    for (size_t i = 0; i < out->count; i++) {
        size_t n;
        const struct label *labels = queries_labels(all, which[i], &n);
        if (n) memcpy(out->labels + out->label_start[i], labels, n * sizeof *labels);
        out->label_start[i + 1] = out->label_start[i] + n;
    }
    return 1;
}

int queries_take(struct queries *out, const struct queries *all, const uint32_t *which, size_t count, struct err *e)
{
    struct queries q = { .count = count, .hash = hash64(all->hash, which, count * sizeof *which) };
    q.names = mem_alloc(count, sizeof *q.names);
    q.ids = mem_alloc(count, sizeof *q.ids);
    q.texts = all->texts ? mem_alloc(count, sizeof *q.texts) : NULL;
    int whole = q.names && q.ids && (q.texts || !all->texts);
    for (size_t i = 0; whole && i < count; i++) {
        q.names[i] = all->names[which[i]];
        q.ids[i] = all->ids[which[i]];
        if (q.texts) q.texts[i] = all->texts[which[i]];
    }
    if (whole && !all->texts) whole = take_vectors(&q, &all->vectors.rows, which, count);
    if (whole && all->label_start) whole = take_labels(&q, all, which);
    if (whole) *out = q;
    else queries_close(&q);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu questions", count);
}

/* --- reading questions ---------------------------------------------------------------------- */
/* Names and texts one after the other, each ended by 0; made into pointers when all are there. */
struct gathering {
    struct text bytes;
    size_t count;
};

static void gather(struct gathering *g, const char *name, const char *text)
{
    if (name) text_add_bytes(&g->bytes, name, strlen(name) + 1);
    else text_add(&g->bytes, "%zu%c", g->count, 0);
    text_add_bytes(&g->bytes, text, strlen(text) + 1);
    g->count++;
}

/* Calls each(context, line, number) for every line, its LF cut off. */
static int each_line(const char *path, int (*each)(void *context, char *line, size_t number), void *context,
                     uint64_t *hash, struct err *e)
{
    struct mem_map map;
    int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    char *copy = mem_alloc(map.size + 1, 1);
    if (copy) {
        if (map.size) memcpy(copy, map.at, map.size);
        copy[map.size] = 0;
        *hash = hash64(*hash, map.at, map.size);
        if (strlen(copy) != map.size) status = FAIL(e, ERR_FORMAT, "%s: holds a zero byte, so it is no text", path);
    } else {
        status = FAIL(e, ERR_MEM, "%s: no memory for %zu bytes", path, map.size);
    }
    mem_map_close(&map);
    char *line = copy;
    for (size_t number = 1; status == ERR_OK && *line; number++) {
        char *lf = strchrnul(line, '\n'), *next = *lf ? lf + 1 : lf;
        *lf = 0;
        if (lf > line && lf[-1] == '\r') lf[-1] = 0;
        status = each(context, line, number);
        line = next;
    }
    mem_free(copy);
    return status;
}

struct reading {
    struct gathering g;
    const char *path;
    sqlite3_stmt *extract; /* JSON by SQLite, which we have anyway */
    struct err *e;
};

static int is_blank(const char *line) { return line[strspn(line, " \t")] == 0; }

static int text_line(void *context, char *line, size_t number)
{
    struct reading *r = context;
    (void)number;
    if (!is_blank(line)) gather(&r->g, NULL, line);
    return ERR_OK;
}

static int json_line(void *context, char *line, size_t number)
{
    struct reading *r = context;
    if (is_blank(line)) return ERR_OK;
    sqlite3_reset(r->extract);
    sqlite3_bind_text(r->extract, 1, line, -1, SQLITE_STATIC);
    if (sqlite3_step(r->extract) != SQLITE_ROW)
        return FAIL(r->e, ERR_FORMAT, "%s:%zu: not a JSON object", r->path, number);
    const char *name = (const char *)sqlite3_column_text(r->extract, 0);
    const char *text = (const char *)sqlite3_column_text(r->extract, 1);
    if (!text) return FAIL(r->e, ERR_FORMAT, "%s:%zu: no \"text\"", r->path, number);
    gather(&r->g, name, text);
    return ERR_OK;
}

static int read_text(struct reading *r, uint64_t *hash)
{
    if (!ends_with(r->path, ".jsonl")) return each_line(r->path, text_line, r, hash, r->e);
    sqlite3 *db = NULL;
    static const char sql[] = "SELECT ifnull(json_extract(?1, '$._id'), json_extract(?1, '$.id')), "
                              "json_extract(?1, '$.text')";
    int status = ERR_OK;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite3_prepare_v2(db, sql, -1, &r->extract, NULL) != SQLITE_OK)
        status = FAIL(r->e, ERR_MEM, "%s: %s", r->path, db ? sqlite3_errmsg(db) : "no memory");
    if (status == ERR_OK) status = each_line(r->path, json_line, r, hash, r->e);
    sqlite3_finalize(r->extract);
    sqlite3_close(db);
    return status;
}

/* --- ids -------------------------------------------------------------------------------------- */
static int by_name(const void *a, const void *b, void *names)
{
    const char *const *n = names;
    return strcmp(n[*(const size_t *)a], n[*(const size_t *)b]);
}

/* Positions of the questions in the order of their names. */
static size_t *sort_names(const struct queries *q)
{
    size_t *order = mem_alloc(q->count, sizeof *order);
    for (size_t i = 0; order && i < q->count; i++) order[i] = i;
    if (order) qsort_r(order, q->count, sizeof *order, by_name, q->names);
    return order;
}

static int64_t find_name(const struct queries *q, const size_t *order, const char *name)
{
    for (size_t lo = 0, hi = q->count; lo < hi;) {
        const size_t mid = (lo + hi) / 2;
        const int c = strcmp(name, q->names[order[mid]]);
        if (c == 0) return (int64_t)order[mid];
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return -1;
}

static int check_unique(const struct queries *q, const char *path, struct err *e)
{
    size_t *order = sort_names(q);
    if (!order) return FAIL(e, ERR_MEM, "%s: no memory", path);
    int status = ERR_OK;
    for (size_t i = 1; status == ERR_OK && i < q->count; i++)
        if (strcmp(q->names[order[i - 1]], q->names[order[i]]) == 0)
            status = FAIL(e, ERR_ARG, "%s: id '%s' comes twice", path, q->names[order[i]]);
    mem_free(order);
    return status;
}

/* Takes what was gathered: pointers into one block. */
static int settle(struct queries *q, struct gathering *g, int has_text, const char *path, struct err *e)
{
    if (g->count == 0) return FAIL(e, ERR_ARG, "%s: no questions", path);
    q->count = g->count;
    q->names = mem_alloc(q->count, sizeof *q->names);
    q->ids = mem_alloc(q->count, sizeof *q->ids);
    q->texts = has_text ? mem_alloc(q->count, sizeof *q->texts) : NULL;
    if (g->bytes.failed || !q->names || !q->ids || (has_text && !q->texts))
        return FAIL(e, ERR_MEM, "%s: no memory for %zu questions", path, q->count);
    q->bytes = g->bytes.at;
    g->bytes = (struct text){ 0 };
    const char *at = q->bytes;
    for (size_t i = 0; i < q->count; i++) {
        q->names[i] = at;
        at += strlen(at) + 1;
        if (has_text) q->texts[i] = at;
        at += strlen(at) + 1;
        if (!text_to_i64(q->names[i], &q->ids[i])) q->ids[i] = (int64_t)i;
    }
    return check_unique(q, path, e);
}

int queries_open(struct queries *q, const char *path, struct err *e)
{
    struct queries made = { 0 };
    struct reading r = { .path = path, .e = e };
    const int has_text = ends_with(path, ".jsonl") || ends_with(path, ".txt");
    int status;
    if (has_text) {
        status = read_text(&r, &made.hash);
    } else {
        status = dataset_open(&made.vectors, path, e);
        if (status == ERR_OK && !made.vectors.rows.at) status = FAIL(e, ERR_FORMAT, "%s holds no vectors", path);
        made.hash = made.vectors.content_hash;
        for (size_t i = 0; status == ERR_OK && i < made.vectors.rows.count; i++) gather(&r.g, NULL, "");
    }
    if (status == ERR_OK) status = settle(&made, &r.g, has_text, path, e);
    text_free(&r.g.bytes);
    if (status == ERR_OK) *q = made;
    else queries_close(&made);
    return status;
}

/* --- qrels ---------------------------------------------------------------------------------------- */
struct judgement {
    size_t query, line;
    struct label label;
};

struct labelling {
    struct queries *q;
    const size_t *order;
    const char *path;
    struct judgement *at;
    size_t count, room, unknown;
    struct err *e;
};

static int keep(struct labelling *l, struct judgement j)
{
    if (l->count == l->room) {
        struct judgement *grown = mem_grow(l->at, l->count, l->room * 2 + 256, sizeof *grown);
        if (!grown) return FAIL(l->e, ERR_MEM, "%s: no memory", l->path);
        l->at = grown;
        l->room = l->room * 2 + 256;
    }
    l->at[l->count++] = j;
    return ERR_OK;
}

static int qrels_line(void *context, char *line, size_t number)
{
    struct labelling *l = context;
    char *field[5], *save = NULL;
    int fields = 0;
    for (char *f = strtok_r(line, " \t", &save); f && fields < 5; f = strtok_r(NULL, " \t", &save))
        field[fields++] = f;
    if (fields == 0) return ERR_OK;
    if (fields < 2 || fields > 4)
        return FAIL(l->e, ERR_FORMAT, "%s:%zu: neither 'qid 0 docid grade' nor 'qid docid grade'", l->path, number);
    const char *doc = field[fields == 4 ? 2 : 1], *grade = fields == 2 ? "1" : field[fields - 1];
    struct judgement j = { .line = number };
    if (!text_to_i64(doc, &j.label.id) || !text_to_i64(grade, &j.label.grade)) {
        if (number == 1) return ERR_OK; /* a header */
        return FAIL(l->e, ERR_FORMAT, "%s:%zu: entity id '%s' and grade '%s' must be whole numbers",
                    l->path, number, doc, grade);
    }
    const int64_t at = find_name(l->q, l->order, field[0]);
    if (at < 0) return l->unknown++, ERR_OK;
    j.query = (size_t)at;
    return keep(l, j);
}

static int by_query_and_id(const void *a, const void *b)
{
    const struct judgement *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->label.id != y->label.id) return x->label.id < y->label.id ? -1 : 1;
    return x->line < y->line ? -1 : 1;
}

static int by_query_and_grade(const void *a, const void *b)
{
    const struct judgement *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->label.grade != y->label.grade) return x->label.grade > y->label.grade ? -1 : 1;
    return x->label.id < y->label.id ? -1 : 1;
}

static int settle_labels(struct labelling *l)
{
    struct queries *q = l->q;
    if (l->count == 0) return FAIL(l->e, ERR_ARG, "%s: no line is about a question of this file", l->path);
    qsort(l->at, l->count, sizeof *l->at, by_query_and_id);
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (!kept || l->at[kept - 1].query != l->at[i].query || l->at[kept - 1].label.id != l->at[i].label.id)
            l->at[kept++] = l->at[i];
    qsort(l->at, kept, sizeof *l->at, by_query_and_grade);
    q->labels = mem_alloc(kept, sizeof *q->labels);
    q->label_start = mem_zero(q->count + 1, sizeof *q->label_start);
    if (!q->labels || !q->label_start) return FAIL(l->e, ERR_MEM, "%s: no memory", l->path);
    for (size_t i = 0; i < kept; i++) {
        q->labels[i] = l->at[i].label;
        q->label_start[l->at[i].query + 1]++;
    }
    for (size_t i = 0; i < q->count; i++) q->label_start[i + 1] += q->label_start[i];
    return ERR_OK;
}

int queries_label(struct queries *q, const char *path, struct err *e)
{
    struct labelling l = { .q = q, .path = path, .e = e };
    size_t *order = sort_names(q);
    l.order = order;
    int status = order ? each_line(path, qrels_line, &l, &q->hash, e) : FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) status = settle_labels(&l);
    q->unknown = l.unknown;
    mem_free(order);
    mem_free(l.at);
    return status;
}
