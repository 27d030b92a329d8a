/* SPDX-License-Identifier: MIT
 * import_openie.c - multi-hop questions over passages and the graph that open information extraction made of them, as
 * HippoRAG builds it (arXiv 2405.14831, section 2.2): passages and phrases are entities.
 *
 *   corpus.tsv            pid, title, text
 *   openie_entities.tsv   pid, entity: the passage mentions the phrase
 *   openie_triples.tsv    pid, subject, predicate, object: between two phrases, found in the passage
 *   queries.tsv           qid, question; other known columns are not read
 *   qrels.tsv             qid, pid
 *
 * Phrases are equal up to capitals, and are linked from every passage that names them ("mentions", weight 1).  They
 * have a name and no text: they carry links, and only passages are found by a vector.  The tsv importer takes the same
 * folders with title mentions for edges and the folder's own vectors. */
#include "datasets/columns.h"
#include "datasets/dataset.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct mention { size_t passage, phrase; };
struct label { size_t query; int64_t passage; };

struct passages {
    const struct kb_sink *sink;
    const char *folder;
    struct ids passages, queries;
    struct names phrases; /* in small letters */
    struct mention *mentions;
    size_t mention_count, mention_room;
    struct label *labels;
    size_t label_count, label_room;
    struct text text, properties, phrase;
    struct tally tally;
};

static int no_memory(const struct passages *p, struct err *e) { return FAIL(e, ERR_MEM, "%s: no memory", p->folder); }

/* Passages are numbered 1.., phrases after them. */
static int64_t number_of_phrase(const struct passages *p,
                                size_t phrase) { return (int64_t)(p->passages.names.count + phrase + 1); }

static int read_ids(const char *folder, const char *file, const char *const *wanted, struct ids *ids, struct err *e)
{
    struct columns c = { 0 };
    int status = columns_open(&c, folder, file, wanted, e), known = 0;
    while (columns_next(&c, &status, e)) {
        const char *id = columns_cell(&c, 0), *fault = id_fault(id, strlen(id));
        size_t place;
        if (fault) status = columns_bad(&c, wanted[0], id, fault, e);
        else status = ids_add(ids, id, strlen(id), &place, &known, e);
        if (status == ERR_OK && known) status = columns_bad(&c, wanted[0], id, "an id that came before", e);
    }
    columns_close(&c);
    return status;
}

static const char *const corpus_columns[] = { "pid", "title", "text", NULL };

static int send_passages(struct passages *p, struct err *e)
{
    struct columns c = { 0 };
    int status = read_ids(p->folder, "corpus.tsv", corpus_columns, &p->passages, e);
    if (status == ERR_OK) status = columns_open(&c, p->folder, "corpus.tsv", corpus_columns, e);
    for (int64_t number = 1; columns_next(&c, &status, e); number++) {
        const char *title = columns_cell(&c, 1);
        text_clear(&p->text);
        text_clear(&p->properties);
        text_add(&p->text, "%s%s%s", title, *title ? ". " : "", columns_cell(&c, 2));
        text_add(&p->properties, "{\"text\":");
        text_add_json(&p->properties, columns_cell(&c, 2));
        text_add(&p->properties, "}");
        if (p->text.failed || p->properties.failed) status = no_memory(p, e);
        if (status == ERR_OK) status = sink_entity_id(p->sink, number, columns_cell(&c, 0), e);
        if (status == ERR_OK && p->sink->entity)
            status = p->sink->entity(p->sink->context, number, "passage", *title ? title : columns_cell(&c, 0),
                                     text_of(&p->properties), text_of(&p->text), e);
    }
    columns_close(&c);
    return status;
}

/* The phrase's place, added where it is new. */
static int place_of_phrase(struct passages *p, const char *words, size_t *place, struct err *e)
{
    text_clear(&p->phrase);
    for (; *words; words++) {
        const char small = (char)tolower((unsigned char)*words);
        text_add_bytes(&p->phrase, &small, 1);
    }
    const int64_t at = p->phrase.failed ? NAMES_NONE : names_add(&p->phrases, text_of(&p->phrase), p->phrase.size);
    if (at == NAMES_NONE) return no_memory(p, e);
    *place = (size_t)at;
    return ERR_OK;
}

static int mention(struct passages *p, size_t passage, const char *words, size_t *phrase, struct err *e)
{
    const int status = place_of_phrase(p, words, phrase, e);
    if (status != ERR_OK) return status;
    if (!mem_one_more(&p->mentions, p->mention_count, &p->mention_room,
                     sizeof *p->mentions)) return no_memory(p, e);
    p->mentions[p->mention_count++] = (struct mention){ passage, *phrase };
    return ERR_OK;
}

/* send: the triples as relations; else every phrase of the file as a mention. */
static int read_phrases(struct passages *p, const char *file, const char *const *wanted, int send, struct err *e)
{
    struct columns c = { 0 };
    const int is_triple = wanted[2] != NULL;
    int status = columns_open(&c, p->folder, file, wanted, e);
    while (columns_next(&c, &status, e)) {
        const char *pid = columns_cell(&c, 0), *first = columns_cell(&c, 1);
        const char *second = is_triple ? columns_cell(&c, 3) : first;
        const int64_t passage = ids_place(&p->passages, pid, strlen(pid));
        size_t a = 0, b = 0;
        if (passage == NAMES_NONE) status = columns_bad(&c, "pid", pid, "no passage has this id", e);
        else if (!*first || !*second) status = send ? ERR_OK : tally_add(&p->tally, "phrases without a word", 1, pid,
                                                                         e);
        else if (!send) {
            status = mention(p, (size_t)passage, first, &a, e);
            if (status == ERR_OK && is_triple) status = mention(p, (size_t)passage, second, &b, e);
        } else {
            status = place_of_phrase(p, first, &a, e);
            if (status == ERR_OK) status = place_of_phrase(p, second, &b, e);
            if (status == ERR_OK && a != b && p->sink->relation)
                status = p->sink->relation(p->sink->context, number_of_phrase(p, a), number_of_phrase(p, b),
                                           *columns_cell(&c, 2) ? columns_cell(&c, 2) : "related", 1, NULL, e);
            else if (status == ERR_OK && a == b) status = tally_add(&p->tally, "triples from a phrase to itself", 1,
                                                                    first, e);
        }
    }
    columns_close(&c);
    return status;
}

static int compare_mentions(const void *a, const void *b)
{
    const struct mention *x = a, *y = b;
    if (x->passage != y->passage) return x->passage < y->passage ? -1 : 1;
    return (x->phrase > y->phrase) - (x->phrase < y->phrase);
}

static int send_graph(struct passages *p, struct err *e)
{
    static const char *const entity_columns[] = { "pid", "entity", NULL };
    static const char *const triple_columns[] = { "pid", "subject", "predicate", "object", NULL };
    int status = read_phrases(p, "openie_entities.tsv", entity_columns, 0, e);
    if (status == ERR_OK) status = read_phrases(p, "openie_triples.tsv", triple_columns, 0, e);
    for (size_t i = 0; status == ERR_OK && i < p->phrases.count; i++) {
        text_clear(&p->text);
        text_add(&p->text, "phrase:%s", names_at(&p->phrases, i));
        if (p->text.failed) status = no_memory(p, e);
        if (status == ERR_OK) status = sink_entity_id(p->sink, number_of_phrase(p, i), text_of(&p->text), e);
        if (status == ERR_OK && p->sink->entity)
            status = p->sink->entity(p->sink->context, number_of_phrase(p, i), "phrase", names_at(&p->phrases, i),
                                     "{}", NULL, e);
    }
    if (p->mention_count) qsort(p->mentions, p->mention_count, sizeof *p->mentions, compare_mentions);
    for (size_t i = 0; status == ERR_OK && p->sink->relation && i < p->mention_count; i++)
        if (i == 0 || compare_mentions(&p->mentions[i], &p->mentions[i - 1]) != 0)
            status = p->sink->relation(p->sink->context, (int64_t)p->mentions[i].passage + 1,
                                       number_of_phrase(p, p->mentions[i].phrase), "mentions", 1, NULL, e);
    return status == ERR_OK ? read_phrases(p, "openie_triples.tsv", triple_columns, 1, e) : status;
}

/* --- questions --------------------------------------------------------------------------------------- */
static const char *const query_columns[] = { "qid", "question", "answer?", "aliases?", "hops?", "musique_id?",
                                            "hotpot_id?",
                                             "type?", "level?", "gold_titles?", NULL };

static int compare_labels(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return (x->passage > y->passage) - (x->passage < y->passage);
}

static int read_labels(struct passages *p, struct err *e)
{
    static const char *const wanted[] = { "qid", "pid", NULL };
    struct columns c = { 0 };
    int status = columns_open(&c, p->folder, "qrels.tsv", wanted, e);
    while (columns_next(&c, &status, e)) {
        const char *qid = columns_cell(&c, 0), *pid = columns_cell(&c, 1);
        const int64_t query = ids_place(&p->queries, qid, strlen(qid)), passage = ids_place(&p->passages, pid,
                                                                                            strlen(pid));
        if (query == NAMES_NONE) status = columns_bad(&c, "qid", qid, "no question has this id", e);
        else if (passage == NAMES_NONE) status = columns_bad(&c, "pid", pid, "no passage has this id", e);
        else if (!mem_one_more(&p->labels, p->label_count, &p->label_room,
                              sizeof *p->labels)) status = no_memory(p, e);
        else p->labels[p->label_count++] = (struct label){ (size_t)query, passage + 1 };
    }
    columns_close(&c);
    if (p->label_count) qsort(p->labels, p->label_count, sizeof *p->labels, compare_labels);
    return status;
}

static int send_queries(struct passages *p, struct err *e)
{
    struct columns c = { 0 };
    int status = read_ids(p->folder, "queries.tsv", query_columns, &p->queries, e);
    if (status == ERR_OK) status = read_labels(p, e);
    if (status == ERR_OK) status = columns_open(&c, p->folder, "queries.tsv", query_columns, e);
    struct kb_label *relevant = status == ERR_OK ? mem_zero(p->label_count + 1, sizeof *relevant) : NULL;
    if (status == ERR_OK && !relevant) status = no_memory(p, e);
    for (size_t row = 0, at = 0; columns_next(&c, &status, e); row++) {
        size_t count = 0;
        for (; at < p->label_count && p->labels[at].query == row; at++)
            if (count == 0 || relevant[count - 1].id != p->labels[at].passage)
                relevant[count++] = (struct kb_label){ .id = p->labels[at].passage, .grade = 1 };
        const int64_t number = ids_number(&p->queries, row);
        if (p->queries.words) status = sink_query_id(p->sink, number, columns_cell(&c, 0), e);
        if (status == ERR_OK)
            status = p->sink->query(p->sink->context, number, NULL, columns_cell(&c, 1), NULL, 0, relevant, count, e);
    }
    mem_free(relevant);
    columns_close(&c);
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct passages p = { .sink = sink, .folder = path };
    int status = send_passages(&p, e);
    if (status == ERR_OK) status = send_graph(&p, e);
    if (status == ERR_OK && sink->query) status = send_queries(&p, e);
    if (status == ERR_OK) status = sink_tally(sink, &p.tally, e);
    ids_free(&p.passages);
    ids_free(&p.queries);
    names_free(&p.phrases);
    mem_free(p.mentions);
    mem_free(p.labels);
    text_free(&p.text);
    text_free(&p.properties);
    text_free(&p.phrase);
    tally_free(&p.tally);
    return status;
}

const struct importer_ops import_openie = {
    .name = "openie",
    .summary = "multi-hop questions over passages, linked by phrases and triples that extraction found",
    .get = "a folder with corpus.tsv, queries.tsv, qrels.tsv, openie_entities.tsv and openie_triples.tsv",
    .run = run,
};
