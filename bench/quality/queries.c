/* SPDX-License-Identifier: MIT
 * queries.c - reads questions, vectors and labels from the files that hold them, and joins them by their ids. */
#define _GNU_SOURCE
#include "bench/quality/queries.h"
#include "datasets/qrels.h"
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
    names_free(&q->absent);
    tally_free(&q->notes);
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
    q.by_row = all->by_row;
    for (size_t i = 0; whole && i < all->absent.count; i++) {
        const char *name = names_at(&all->absent, i);
        whole = names_add(&q.absent, name, strlen(name)) != NAMES_NONE;
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

struct reading {
    struct gathering g;
    struct queries *q;
    struct lines lines;
    sqlite3 *db; /* JSON by SQLite, which we have anyway */
    sqlite3_stmt *extract, *keys;
    size_t with_id;
    struct err *e;
};

static int bad(const struct reading *r, const char *field, const char *value, const char *why)
{
    return line_bad(r->e, r->lines.path, r->lines.number, field, value, why);
}

/* 1 when a text of the line holds the escape of a zero, which would end it. */
static int has_zero(const char *line)
{
    for (const char *at = line; (at = strstr(at, "\\u0000")) != NULL; at++) {
        size_t before = 0;
        while (at - before > line && at[-1 - (ptrdiff_t)before] == '\\') before++;
        if (before % 2 == 0) return 1;
    }
    return 0;
}

static int prepare_json(struct reading *r)
{
    static const char extract[] = "SELECT json_type(?1), json_type(?1, '$._id'), json_extract(?1, '$._id'), "
                                  "json_type(?1, '$.id'), json_extract(?1, '$.id'), json_type(?1, '$.text'), "
                                  "json_extract(?1, '$.text')";
    if (sqlite3_open(":memory:", &r->db) == SQLITE_OK && sqlite3_prepare_v2(r->db, extract, -1, &r->extract, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(r->db, "SELECT key FROM json_each(?1)", -1, &r->keys, NULL) == SQLITE_OK)
        return ERR_OK;
    return FAIL(r->e, ERR_MEM, "%s: %s", r->lines.path, r->db ? sqlite3_errmsg(r->db) : "no memory");
}

static const char *column(sqlite3_stmt *st, int i) { return (const char *)sqlite3_column_text(st, i); }
static int is_missing(const char *type) { return !type || strcmp(type, "null") == 0; }

/* Fields that are not read: counted, unless they are slips of those that are. */
static int check_keys(struct reading *r, const char *line)
{
    static const char known[] = "_id|id|text|relevant|split|metadata|properties";
    int status = ERR_OK, texts = 0;
    sqlite3_reset(r->keys);
    sqlite3_bind_text(r->keys, 1, line, -1, SQLITE_STATIC);
    while (status == ERR_OK && sqlite3_step(r->keys) == SQLITE_ROW) {
        char meant[32], why[64], what[96];
        const char *key = column(r->keys, 0);
        if (!key) return FAIL(r->e, ERR_MEM, "%s: no memory", r->lines.path);
        if (strcmp(key, "text") == 0 && texts++) return bad(r, "text", NULL, "is there twice");
        if (field_is(key, known)) continue;
        snprintf(why, sizeof why, "is no field; nearest is \"%s\"", field_meant(key, known, meant) ? meant : "");
        snprintf(what, sizeof what, "fields \"%.60s\" of questions, not read", key);
        status = field_meant(key, known, meant) ? bad(r, key, NULL, why) : tally_add(&r->q->notes, what, 1, NULL, r->e);
    }
    return status;
}

/* The id in column `at`, its type in the one before; NULL with *status where it is none. */
static const char *id_of(struct reading *r, int at, const char *field, int *status)
{
    const char *type = column(r->extract, at - 1), *id = column(r->extract, at);
    const int number = type && strcmp(type, "integer") == 0 && sqlite3_column_type(r->extract, at) == SQLITE_INTEGER;
    if (!number && strcmp(type ? type : "", "text") != 0)
        *status = bad(r, field, id, "an id is a whole number or a text");
    else if (!id) *status = FAIL(r->e, ERR_MEM, "%s: no memory", r->lines.path);
    else if (id_fault(id, strlen(id))) *status = bad(r, field, id, id_fault(id, strlen(id)));
    return id;
}

/* The line's id in *name, NULL where it has none: as all others then. */
static int take_id(struct reading *r, const char **name)
{
    const int first = !is_missing(column(r->extract, 1)), second = !is_missing(column(r->extract, 3));
    int status = ERR_OK;
    *name = NULL;
    if (second) *name = id_of(r, 4, "id", &status);
    const char *other = first && status == ERR_OK ? id_of(r, 2, "_id", &status) : NULL;
    if (status == ERR_OK && other && *name && strcmp(other, *name) != 0) return bad(r, "_id", other, "\"id\" is another");
    if (other) *name = other;
    if (status != ERR_OK) return status;
    if (r->g.count && (r->with_id != 0) != (*name != NULL))
        return bad(r, "_id", NULL, *name ? "is there, and missing in lines before" : "is missing, and lines before have one");
    r->with_id += *name != NULL;
    return ERR_OK;
}

static int json_line(struct reading *r, const char *line)
{
    const char *name = NULL;
    sqlite3_reset(r->extract);
    sqlite3_bind_text(r->extract, 1, line, -1, SQLITE_STATIC);
    if (sqlite3_step(r->extract) != SQLITE_ROW || strcmp(column(r->extract, 0), "object") != 0)
        return bad(r, NULL, NULL, "not a JSON object");
    if (has_zero(line)) return bad(r, NULL, NULL, "a text holds \\u0000");
    int status = check_keys(r, line);
    if (status == ERR_OK) status = take_id(r, &name);
    const char *type = column(r->extract, 5), *text = column(r->extract, 6);
    if (status == ERR_OK && !is_missing(type) && strcmp(type, "text") != 0) status = bad(r, "text", text, "not a text");
    if (status == ERR_OK) gather(&r->g, name, is_missing(type) || !text ? "" : text);
    return status;
}

static int read_text(struct reading *r, const char *path)
{
    const int json = ends_with(path, ".jsonl");
    int status = lines_open(&r->lines, path, r->e);
    if (status == ERR_OK && json) status = prepare_json(r);
    if (status == ERR_OK) r->q->hash = hash64(r->q->hash, r->lines.map.at, r->lines.map.size);
    for (char *line; status == ERR_OK && (line = lines_next(&r->lines, &status, r->e)) != NULL;) {
        if (json) status = json_line(r, line);
        else gather(&r->g, NULL, line);
    }
    sqlite3_finalize(r->extract);
    sqlite3_finalize(r->keys);
    sqlite3_close(r->db);
    lines_close(&r->lines);
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
            status = FAIL(e, ERR_ARG, "%s: questions %zu and %zu: id '%s' comes twice", path,
                          (order[i - 1] < order[i] ? order[i - 1] : order[i]) + 1,
                          (order[i - 1] < order[i] ? order[i] : order[i - 1]) + 1, q->names[order[i]]);
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
    struct reading r = { .q = &made, .e = e };
    const int has_text = ends_with(path, ".jsonl") || ends_with(path, ".txt");
    int status;
    if (has_text) {
        status = read_text(&r, path);
    } else {
        status = dataset_open(&made.vectors, path, e);
        if (status == ERR_OK && !made.vectors.rows.at) status = FAIL(e, ERR_FORMAT, "%s holds no vectors", path);
        made.hash = made.vectors.content_hash;
        for (size_t i = 0; status == ERR_OK && i < made.vectors.rows.count; i++) gather(&r.g, NULL, "");
    }
    if (status == ERR_OK) status = settle(&made, &r.g, has_text, path, e);
    made.by_row = !has_text;
    size_t first = 0, zeros = status == ERR_OK && !has_text ? rows_zeros(made.vectors.rows, &first) : 0;
    if (zeros) status = tally_add(&made.notes, "questions that are vectors of zeros", zeros, made.names[first], e);
    for (size_t i = 0, none = 0; status == ERR_OK && made.texts && i < made.count; i++)
        if (!*made.texts[i])
            status = tally_add(&made.notes, "questions without a text, which are asked nothing", 1, none++ ? NULL : made.names[i], e);
    text_free(&r.g.bytes);
    if (status == ERR_OK) *q = made;
    else queries_close(&made);
    return status;
}

/* --- ids of vectors --------------------------------------------------------------------------- */
static int read_ids(struct reading *r, const char *path)
{
    if (ends_with(path, ".jsonl")) {
        const int status = read_text(r, path);
        return status == ERR_OK && r->g.count && !r->with_id
                   ? FAIL(r->e, ERR_FORMAT, "%s: its lines name no \"_id\"", path) : status;
    }
    int status = lines_open(&r->lines, path, r->e);
    if (status == ERR_OK) r->q->hash = hash64(r->q->hash, r->lines.map.at, r->lines.map.size);
    for (char *line; status == ERR_OK && (line = lines_next(&r->lines, &status, r->e)) != NULL;) {
        if (id_fault(line, strlen(line))) status = bad(r, "id", line, id_fault(line, strlen(line)));
        else gather(&r->g, line, "");
    }
    lines_close(&r->lines);
    return status;
}

int queries_name(struct queries *q, const char *path, struct err *e)
{
    struct reading r = { .q = q, .e = e };
    if (q->texts) return FAIL(e, ERR_ARG, "%s: ids for questions that are text: their file has them", path);
    if (strcmp(path, "rows") == 0) return q->by_row = 0, ERR_OK;
    int status = read_ids(&r, path);
    if (status == ERR_OK && r.g.count != q->count)
        status = FAIL(e, ERR_ARG, "%s: %zu ids for %zu questions", path, r.g.count, q->count);
    if (status == ERR_OK) {
        mem_free(q->names);
        mem_free(q->ids);
        free(q->bytes);
        q->names = NULL, q->ids = NULL, q->bytes = NULL;
        status = settle(q, &r.g, 0, path, e);
        q->by_row = 0;
    }
    text_free(&r.g.bytes);
    return status;
}

/* --- qrels ---------------------------------------------------------------------------------------- */
struct judged {
    size_t query;
    struct label label;
};

struct labelling {
    struct queries *q;
    const size_t *order;
    const char *path;
    const struct documents *documents;
    int drop, row_0, found; /* row 0 is judged; a document is there */
    struct judged *at;
    size_t count, room;
};

static int keep(struct labelling *l, struct judged j, struct err *e)
{
    if (!mem_one_more(&l->at, l->count, &l->room, sizeof *l->at)) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    l->at[l->count++] = j;
    return ERR_OK;
}

static int is_document(void *context, const char *id)
{
    const struct labelling *l = context;
    int64_t number;
    if (!l->documents) return text_to_i64(id, &number);
    return l->documents->find(l->documents->context, id, &number, NULL) == ERR_OK;
}

/* A judgement of a document that is not there. */
static int keep_absent(struct labelling *l, struct judged j, const char *id, struct err *e)
{
    const int64_t number = names_add(&l->q->absent, id, strlen(id));
    if (number == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    int status = ERR_OK;
    if (j.label.grade > 0)
        status = tally_add(&l->q->notes, l->drop ? "labels of documents that are not there, dropped"
                                                 : "labels of documents that are not there, kept: relevant and never found",
                           1, id, e);
    j.label.id = QUERIES_ABSENT + number;
    return status == ERR_OK && !l->drop ? keep(l, j, e) : status;
}

static int take_judgement(void *context, const struct judgement *given, struct err *e)
{
    struct labelling *l = context;
    struct judged j = { .label.grade = given->grade };
    const int64_t at = find_name(l->q, l->order, given->query);
    if (at < 0 && l->q->by_row)
        return FAIL(e, ERR_ARG, "%s: line %zu: question '%.60s' is no row of 0..%zu: say whose the rows are "
                    "(--query-ids FILE, line by line; or --query-ids rows)", l->path, given->line, given->query, l->q->count - 1);
    if (at < 0) return l->q->unknown++, ERR_OK;
    l->row_0 |= at == 0;
    j.query = (size_t)at;
    int status = ERR_OK;
    if (l->documents) {
        status = l->documents->find(l->documents->context, given->document, &j.label.id, e);
        if (status == ERR_NOT_FOUND) return keep_absent(l, j, given->document, e);
        l->found |= status == ERR_OK;
    } else if (!text_to_i64(given->document, &j.label.id)) {
        return line_bad(e, l->path, given->line, "document", given->document, "not a whole number");
    }
    return status == ERR_OK ? keep(l, j, e) : status;
}

static int by_query_and_grade(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->label.grade != y->label.grade) return x->label.grade > y->label.grade ? -1 : 1;
    return x->label.id < y->label.id ? -1 : 1;
}

static int settle_labels(struct labelling *l, struct err *e)
{
    struct queries *q = l->q;
    if (l->count == 0 && !q->absent.count) return FAIL(e, ERR_ARG, "%s: no line is about a question of this file", l->path);
    if (l->documents && !l->found)
        return FAIL(e, ERR_ARG, "%s: none of the documents that it judges is there ('%s', ...): is it of another corpus?", l->path,
                    names_at(&q->absent, 0));
    if (q->by_row && !l->row_0)
        return FAIL(e, ERR_ARG, "%s: judges rows, but not row 0: are its questions counted from 1? Say whose the rows are "
                    "(--query-ids FILE, line by line; or --query-ids rows)", l->path);
    qsort(l->at, l->count, sizeof *l->at, by_query_and_grade);
    q->labels = mem_alloc(l->count, sizeof *q->labels);
    q->label_start = mem_zero(q->count + 1, sizeof *q->label_start);
    if (!q->labels || !q->label_start) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    for (size_t i = 0; i < l->count; i++) {
        q->labels[i] = l->at[i].label;
        q->label_start[l->at[i].query + 1]++;
    }
    for (size_t i = 0; i < q->count; i++) q->label_start[i + 1] += q->label_start[i];
    return ERR_OK;
}

static int hash_file(const char *path, uint64_t *hash, struct err *e)
{
    struct mem_map map = { 0 };
    const int status = mem_map_open(&map, path, e);
    if (status == ERR_OK) *hash = hash64(*hash, map.at, map.size);
    mem_map_close(&map);
    return status;
}

int queries_label(struct queries *q, const char *path, const struct documents *documents, int drop, struct err *e)
{
    struct labelling l = { .q = q, .path = path, .documents = documents, .drop = drop };
    const struct qrels_reader reader = { .is_document = is_document, .each = take_judgement, .context = &l };
    size_t repeated = 0;
    size_t *order = sort_names(q);
    l.order = order;
    q->unknown = 0;
    int status = order ? hash_file(path, &q->hash, e) : FAIL(e, ERR_MEM, "%s: no memory", path);
    if (drop) q->hash = hash64(q->hash, "drop", 4);
    if (status == ERR_OK) status = qrels_read(path, &reader, &repeated, e);
    if (status == ERR_OK) status = settle_labels(&l, e);
    if (status == ERR_OK) status = tally_add(&q->notes, "judgements that came before, passed over", repeated, NULL, e);
    if (status == ERR_OK)
        status = tally_add(&q->notes, "judgements of questions that are not asked, left out", q->unknown, NULL, e);
    mem_free(order);
    mem_free(l.at);
    return status;
}

const char *queries_absent(const struct queries *q, int64_t id)
{
    const uint64_t number = (uint64_t)id - (uint64_t)QUERIES_ABSENT;
    return number < q->absent.count ? names_at(&q->absent, (size_t)number) : NULL;
}
