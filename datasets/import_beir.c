/* SPDX-License-Identifier: MIT
 * import_beir.c - a folder of BEIR (Thakur et al. 2021): corpus.jsonl, queries.jsonl and
 * qrels/{train,dev,test}.tsv.  test is the split `report`; train and dev are `tune`.  An embedder sees
 * title and text; grades are kept; queries without a label are left out and queries are numbered by
 * their id where all ids are numbers, else by their line. */
#include "datasets/jsonl.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct query_label { int64_t query; int report; struct kb_label label; };

struct beir {
    const struct kb_sink *sink;
    struct names documents, queries; /* by id; document i is entity i + 1 */
    int all_numbers;                 /* every query id is a number */
    struct query_label *labels;      /* by query, then split */
    size_t count, room;
    struct text text, properties;
};

static int bad(const char *path, size_t line, const char *what, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: line %zu: %s", path, line, what);
}

static int take_document(void *context, const char *path, size_t line, const json_t *object, struct err *e)
{
    struct beir *b = context;
    const char *id = json_string_value(json_object_get(object, "_id")), *text = json_string_value(json_object_get(object, "text"));
    const char *title = json_string_value(json_object_get(object, "title"));
    if (!id || !text) return bad(path, line, "\"_id\" and \"text\" are strings", e);
    if (!title) title = "";
    const size_t known = b->documents.count;
    const int64_t i = names_add(&b->documents, id, strlen(id));
    if (i == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", path);
    if ((size_t)i < known) return bad(path, line, "an _id that came before", e);
    text_clear(&b->text);
    text_clear(&b->properties);
    text_add(&b->text, "%s%s%s", title, *title ? ". " : "", text);
    text_add(&b->properties, "{\"_id\":");
    text_add_json(&b->properties, id);
    text_add(&b->properties, ",\"text\":");
    text_add_json(&b->properties, text);
    text_add(&b->properties, "}");
    if (b->text.failed || b->properties.failed) return FAIL(e, ERR_MEM, "%s: no memory", path);
    if (!b->sink->entity) return ERR_OK;
    return b->sink->entity(b->sink->context, i + 1, "document", *title ? title : id, text_of(&b->properties),
                           text_of(&b->text), e);
}

static int number_query(void *context, const char *path, size_t line, const json_t *object, struct err *e)
{
    struct beir *b = context;
    int64_t ignored;
    const char *id = json_string_value(json_object_get(object, "_id"));
    if (!id) return bad(path, line, "\"_id\" is a string", e);
    const size_t known = b->queries.count;
    const int64_t i = names_add(&b->queries, id, strlen(id));
    if (i == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", path);
    b->all_numbers &= text_to_i64(id, &ignored);
    return (size_t)i < known ? bad(path, line, "an _id that came before", e) : ERR_OK;
}

static int keep_label(struct beir *b, struct query_label label, struct err *e)
{
    if (!mem_one_more(&b->labels, b->count, &b->room, sizeof *b->labels))
        return FAIL(e, ERR_MEM, "beir: no memory for %zu labels", b->count + 1);
    b->labels[b->count++] = label;
    return ERR_OK;
}

/* "query-id, document, grade", tab-separated, after a header line. */
static int take_label(struct beir *b, const char *path, size_t line, char *row, int report, struct err *e)
{
    char *document = strchr(row, '\t'), *grade = document ? strchr(document + 1, '\t') : NULL;
    int64_t value;
    if (!grade) return bad(path, line, "not query-id, corpus-id and score between tabs", e);
    *document++ = 0;
    *grade++ = 0;
    if (!text_to_i64(grade, &value)) return line == 1 ? ERR_OK : bad(path, line, "the score is not a whole number", e);
    const int64_t query = names_find(&b->queries, row, strlen(row));
    const int64_t i = names_find(&b->documents, document, strlen(document));
    if (query == NAMES_NONE || i == NAMES_NONE)
        return bad(path, line, query == NAMES_NONE ? "a query that is not in queries.jsonl" : "a document that is not in corpus.jsonl", e);
    if (value < 1) return ERR_OK;
    return keep_label(b, (struct query_label){ query, report, { i + 1, value > 1000000 ? 1000000 : (int)value } }, e);
}

static int read_labels(struct beir *b, const char *path, int report, struct err *e)
{
    struct mem_map map = { 0 };
    int status = mem_map_open(&map, path, e);
    if (status == ERR_NOT_FOUND) return ERR_OK; /* a set need not have every split */
    const char *at = (const char *)map.at, *end = at + map.size;
    struct text row = { 0 };
    for (size_t line = 1; status == ERR_OK && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        text_clear(&row);
        text_add_bytes(&row, at, size - (size && at[size - 1] == '\r'));
        at += size + (stop != NULL);
        if (row.failed) status = FAIL(e, ERR_MEM, "%s: no memory", path);
        else if (row.size) status = take_label(b, path, line, row.at, report, e);
    }
    text_free(&row);
    mem_map_close(&map);
    return status;
}

static int compare_labels(const void *a, const void *b)
{
    const struct query_label *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->report != y->report) return x->report - y->report;
    return (x->label.id > y->label.id) - (x->label.id < y->label.id);
}

/* Sends the query once for each split in which it has labels. */
static int send_query(void *context, const char *path, size_t line, const json_t *object, struct err *e)
{
    struct beir *b = context;
    const char *id = json_string_value(json_object_get(object, "_id")), *text = json_string_value(json_object_get(object, "text"));
    const int64_t query = names_find(&b->queries, id, strlen(id));
    int64_t number = query;
    size_t from = 0, high = b->count;
    int status = ERR_OK;
    if (!text) return bad(path, line, "\"text\" is a string", e);
    if (b->all_numbers) (void)text_to_i64(id, &number);
    while (from < high) {
        const size_t middle = (from + high) / 2;
        if (b->labels[middle].query < query) from = middle + 1;
        else high = middle;
    }
    while (status == ERR_OK && from < b->count && b->labels[from].query == query) {
        size_t to = from;
        while (to < b->count && b->labels[to].query == query && b->labels[to].report == b->labels[from].report) to++;
        struct kb_label *relevant = mem_alloc(to - from, sizeof *relevant);
        if (!relevant) return FAIL(e, ERR_MEM, "%s: no memory", path);
        for (size_t i = from; i < to; i++) relevant[i - from] = b->labels[i].label;
        status = b->sink->query(b->sink->context, number, b->labels[from].report ? "report" : "tune", text, NULL, 0,
                                relevant, to - from, e);
        mem_free(relevant);
        from = to;
    }
    return status;
}

static int read_queries(struct beir *b, const char *folder, const char *path, struct err *e)
{
    static const struct { const char *name; int report; } splits[] = { { "train", 0 }, { "dev", 0 }, { "test", 1 } };
    int status = jsonl_each(path, number_query, b, e);
    for (size_t i = 0; status == ERR_OK && i < sizeof splits / sizeof *splits; i++) {
        struct text qrels = { 0 };
        text_add(&qrels, "%s/qrels/%s.tsv", folder, splits[i].name);
        status = qrels.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : read_labels(b, text_of(&qrels), splits[i].report, e);
        text_free(&qrels);
    }
    if (b->count) qsort(b->labels, b->count, sizeof *b->labels, compare_labels);
    return status == ERR_OK ? jsonl_each(path, send_query, b, e) : status;
}

static int run(const char *folder, const struct kb_sink *sink, struct err *e)
{
    struct beir b = { .sink = sink, .all_numbers = 1 };
    struct text path = { 0 };
    text_add(&path, "%s/corpus.jsonl", folder);
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : jsonl_each(text_of(&path), take_document, &b, e);
    text_clear(&path);
    text_add(&path, "%s/queries.jsonl", folder);
    if (status == ERR_OK && path.failed) status = FAIL(e, ERR_MEM, "%s: no memory", folder);
    if (status == ERR_OK && sink->query) status = read_queries(&b, folder, text_of(&path), e);
    names_free(&b.documents);
    names_free(&b.queries);
    mem_free(b.labels);
    text_free(&b.text);
    text_free(&b.properties);
    text_free(&path);
    return status;
}

const struct importer_ops import_beir = {
    .name = "beir",
    .summary = "a folder of BEIR: corpus.jsonl, queries.jsonl, qrels/{train,dev,test}.tsv",
    .get = "unpack a set of BEIR; assay data list names some homes",
    .run = run,
};
