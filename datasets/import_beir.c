/* SPDX-License-Identifier: MIT
 * import_beir.c - a folder of BEIR (Thakur et al. 2021): corpus.jsonl, queries.jsonl and
 * qrels/{train,dev,test}.tsv.  test is the split `report`; train and dev are `tune`.  An embedder sees
 * title and text; ids and grades are kept; queries without a judgement are left out.  A judgement of a document that
 * the corpus has not is kept (nothing will find it), as is a judged query without a text. */
#include "datasets/jsonl.h"
#include "datasets/qrels.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* document: its place among the documents, or -1 - its place among the absent. */
struct query_label { int64_t query, document; int report, grade; };

struct beir {
    const struct kb_sink *sink;
    struct ids documents, queries;
    struct names absent;        /* ids of documents that are judged and not there */
    size_t sent;                /* documents */
    size_t texts;               /* queries of queries.jsonl */
    struct query_label *labels; /* by query, then split */
    size_t count, room;
    int report;                 /* of the file being read */
    const char *path;
    struct tally tally;
    struct text id, text, properties;
};

static int number_line(struct beir *b, struct ids *ids, const struct jsonl_line *l, struct err *e)
{
    int has, known = 0;
    size_t place;
    int status = jsonl_id(l, &b->id, &has, e);
    if (status != ERR_OK) return status;
    if (!has) return line_bad(e, l->path, l->line, "_id", NULL, "is missing");
    status = ids_add(ids, text_of(&b->id), b->id.size, &place, &known, e);
    return status == ERR_OK && known ? line_bad(e, l->path, l->line, "_id", text_of(&b->id), "an id that came before") : status;
}

static int number_document(void *context, const struct jsonl_line *l, struct err *e)
{
    struct beir *b = context;
    return number_line(b, &b->documents, l, e);
}

static int take_document(void *context, const struct jsonl_line *l, struct err *e)
{
    struct beir *b = context;
    const char *title, *text, *id = names_at(&b->documents.names, b->sent);
    int status = jsonl_text(l, "title", &title, e);
    if (status == ERR_OK) status = jsonl_text(l, "text", &text, e);
    if (status != ERR_OK) return status;
    if (!text) return line_bad(e, l->path, l->line, "text", NULL, "is missing");
    if (!title) title = "";
    status = jsonl_properties(l, "_id|id|title|text|metadata", text, &b->tally, &b->properties, e);
    if (status != ERR_OK) return status;
    text_clear(&b->text);
    text_add(&b->text, "%s%s%s", title, *title ? ". " : "", text);
    if (b->text.failed) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    const int64_t number = ids_number(&b->documents, b->sent++);
    if (b->documents.words) status = sink_entity_id(b->sink, number, id, e);
    if (status != ERR_OK || !b->sink->entity) return status;
    return b->sink->entity(b->sink->context, number, "document", *title ? title : id, text_of(&b->properties),
                           text_of(&b->text), e);
}

static int number_query(void *context, const struct jsonl_line *l, struct err *e)
{
    struct beir *b = context;
    return number_line(b, &b->queries, l, e);
}

static int keep_label(struct beir *b, struct query_label label, struct err *e)
{
    if (!mem_one_more(&b->labels, b->count, &b->room, sizeof *b->labels))
        return FAIL(e, ERR_MEM, "beir: no memory for %zu labels", b->count + 1);
    b->labels[b->count++] = label;
    return ERR_OK;
}

static int is_document(void *context, const char *id)
{
    const struct beir *b = context;
    return ids_place(&b->documents, id, strlen(id)) != NAMES_NONE;
}

static int take_judgement(void *context, const struct judgement *j, struct err *e)
{
    struct beir *b = context;
    int known, status;
    size_t query;
    int64_t document = ids_place(&b->documents, j->document, strlen(j->document));
    status = ids_add(&b->queries, j->query, strlen(j->query), &query, &known, e);
    if (status != ERR_OK) return status;
    if (document == NAMES_NONE) {
        const int64_t place = names_add(&b->absent, j->document, strlen(j->document));
        if (place == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", b->path);
        document = -1 - place;
    }
    const int64_t grade = j->grade > 1000000 ? 1000000 : j->grade < -1000000 ? -1000000 : j->grade;
    return keep_label(b, (struct query_label){ (int64_t)query, document, b->report, (int)grade }, e);
}

static int read_labels(struct beir *b, const char *path, int report, struct err *e)
{
    const struct qrels_reader reader = { .is_document = is_document, .each = take_judgement, .context = b };
    size_t repeated;
    b->report = report;
    b->path = path;
    int status = qrels_read(path, &reader, &repeated, e);
    if (status == ERR_NOT_FOUND) return ERR_OK; /* a set need not have every split */
    return status == ERR_OK ? tally_add(&b->tally, "judgements that came before, passed over", repeated, NULL, e) : status;
}

static int compare_labels(const void *a, const void *b)
{
    const struct query_label *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->report != y->report) return x->report - y->report;
    return (x->document > y->document) - (x->document < y->document);
}

/* Sends a query once for each split in which it is judged. */
static int send_query(struct beir *b, size_t query, const char *text, struct err *e)
{
    const int64_t number = b->queries.words ? (int64_t)query : ids_number(&b->queries, query);
    size_t from = 0, high = b->count;
    int status = ERR_OK;
    while (from < high) {
        const size_t middle = (from + high) / 2;
        if (b->labels[middle].query < (int64_t)query) from = middle + 1;
        else high = middle;
    }
    while (status == ERR_OK && from < b->count && b->labels[from].query == (int64_t)query) {
        size_t to = from;
        while (to < b->count && b->labels[to].query == (int64_t)query && b->labels[to].report == b->labels[from].report) to++;
        struct kb_label *relevant = mem_zero(to - from, sizeof *relevant);
        if (!relevant) return FAIL(e, ERR_MEM, "beir: no memory");
        for (size_t i = from; i < to; i++) {
            const int64_t document = b->labels[i].document;
            relevant[i - from].grade = b->labels[i].grade;
            if (document >= 0) relevant[i - from].id = ids_number(&b->documents, (size_t)document);
            else relevant[i - from].absent = names_at(&b->absent, (size_t)(-1 - document));
        }
        if (b->queries.words) status = sink_query_id(b->sink, number, names_at(&b->queries.names, query), e);
        if (status == ERR_OK)
            status = b->sink->query(b->sink->context, number, b->labels[from].report ? "report" : "tune", text, NULL, 0,
                                    relevant, to - from, e);
        mem_free(relevant);
        from = to;
    }
    return status;
}

static int take_query(void *context, const struct jsonl_line *l, struct err *e)
{
    struct beir *b = context;
    const char *text;
    int status = jsonl_text(l, "text", &text, e);
    if (status == ERR_OK) status = jsonl_rest(l, "_id|id|text|metadata", NULL, &b->tally, e);
    return status == ERR_OK ? send_query(b, b->texts++, text ? text : "", e) : status;
}

static int read_queries(struct beir *b, const char *folder, const char *path, struct err *e)
{
    static const struct { const char *name; int report; } splits[] = { { "train", 0 }, { "dev", 0 }, { "test", 1 } };
    int status = jsonl_each(path, number_query, b, e);
    const size_t with_text = b->queries.names.count;
    for (size_t i = 0; status == ERR_OK && i < sizeof splits / sizeof *splits; i++) {
        struct text qrels = { 0 };
        text_add(&qrels, "%s/qrels/%s.tsv", folder, splits[i].name);
        status = qrels.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : read_labels(b, text_of(&qrels), splits[i].report, e);
        text_free(&qrels);
    }
    if (b->count) qsort(b->labels, b->count, sizeof *b->labels, compare_labels);
    if (status == ERR_OK) status = jsonl_each(path, take_query, b, e);
    const size_t all = b->queries.names.count;
    for (size_t i = with_text; status == ERR_OK && i < all; i++) status = send_query(b, i, "", e);
    return status;
}

static int run(const char *folder, const struct kb_sink *sink, struct err *e)
{
    struct beir b = { .sink = sink, .documents.first = 1 };
    struct text path = { 0 };
    text_add(&path, "%s/corpus.jsonl", folder);
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : jsonl_each(text_of(&path), number_document, &b, e);
    if (status == ERR_OK) status = jsonl_each(text_of(&path), take_document, &b, e);
    text_clear(&path);
    text_add(&path, "%s/queries.jsonl", folder);
    if (status == ERR_OK && path.failed) status = FAIL(e, ERR_MEM, "%s: no memory", folder);
    if (status == ERR_OK && sink->query) status = read_queries(&b, folder, text_of(&path), e);
    if (status == ERR_OK) status = sink_tally(sink, &b.tally, e);
    ids_free(&b.documents);
    ids_free(&b.queries);
    names_free(&b.absent);
    mem_free(b.labels);
    tally_free(&b.tally);
    text_free(&b.id);
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
