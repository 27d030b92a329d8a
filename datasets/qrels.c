/* SPDX-License-Identifier: MIT
 * qrels.c - judgements, line by line, as qrels.h has it. */
#include "datasets/qrels.h"
#include <string.h>

#define QUERY_NAMES "query-id|query_id|qid|query|topic|topic_id|question_id"
#define DOCUMENT_NAMES "corpus-id|corpus_id|docid|doc_id|docno|doc-id|pid|passage_id|document|document_id|entity|entity_id|doc"
#define GRADE_NAMES "score|rel|relevance|grade|label|judgment|judgement|code"

enum { FIELDS_MOST = 4 };

struct layout { int query, document, grade; }; /* columns; grade -1: none */
struct judged { int64_t grade; size_t line; };

struct reading {
    const struct qrels_reader *r;
    const char *path;
    struct layout named; /* by line 1, where that holds names */
    int has_names, fields; /* of the lines before; 0: this is the first */
    struct names pairs;  /* "query\tdocument" */
    struct judged *judged;
    size_t room, *repeated;
    struct text pair;
};

/* Four words, the second a 0, are TREC's line whatever stands between them. */
static int is_trec(const char *line)
{
    char iteration = 0;
    int words = 0;
    for (const char *at = line + strspn(line, " \t"); *at; at += strspn(at, " \t"), words++) {
        const size_t size = strcspn(at, " \t");
        if (words == 1 && size == 1) iteration = *at;
        at += size;
    }
    return words == 4 && iteration == '0';
}

/* Cuts at tabs where there are any, otherwise, and in TREC's lines, at blanks. */
static int cut(char *line, char *field[FIELDS_MOST])
{
    int count = 0;
    for (size_t size = strlen(line); size && line[size - 1] == ' '; line[--size] = 0)
        ;
    if (strchr(line, '\t') && !is_trec(line)) {
        for (char *at = line; at; count++) {
            char *tab = strchr(at, '\t');
            if (tab) *tab = 0;
            if (count < FIELDS_MOST) field[count] = at;
            at = tab ? tab + 1 : NULL;
        }
        return count;
    }
    char *save = NULL;
    for (char *f = strtok_r(line, " \t", &save); f; f = strtok_r(NULL, " \t", &save), count++)
        if (count < FIELDS_MOST) field[count] = f;
    return count;
}

static struct layout usual(int fields)
{
    if (fields == 4) return (struct layout){ 0, 2, 3 };
    return (struct layout){ 0, 1, fields == 3 ? 2 : -1 };
}

/* Where the names of line 1 say it; 0 when one of them means nothing. */
static int by_names(struct layout *out, char *const *field, int fields)
{
    *out = (struct layout){ -1, -1, -1 };
    for (int i = 0; i < fields; i++) {
        if (out->query < 0 && field_is(field[i], QUERY_NAMES)) out->query = i;
        else if (out->document < 0 && field_is(field[i], DOCUMENT_NAMES)) out->document = i;
        else if (out->grade < 0 && field_is(field[i], GRADE_NAMES)) out->grade = i;
    }
    return out->query >= 0 && out->document >= 0 && (out->grade >= 0 || fields == 2);
}

/* Line 1: 1 when it holds names; *status when it holds neither names nor data. */
static int take_names(struct reading *r, char *const *field, int fields, int *status, struct err *e)
{
    const struct layout l = usual(fields);
    double number;
    const int named = by_names(&r->named, field, fields);
    const int document = r->r->is_document(r->r->context, field[l.document]);
    const int grade = l.grade >= 0 && text_to_f64(field[l.grade], &number);
    if (document || grade || (l.grade < 0 && !named)) return 0;
    if (named) return r->has_names = 1;
    struct text shown = { 0 };
    for (int i = 0; i < fields; i++) text_add(&shown, "%s%s", i ? " | " : "", field[i]);
    *status = FAIL(e, ERR_FORMAT, "%s: line 1: '%s' is neither a judgement, 'qid 0 document grade', nor a line of names "
                   "that say which column is query-id, corpus-id and score", r->path, text_of(&shown));
    text_free(&shown);
    return 0;
}

/* 1 when the pair is new; *status when it was judged otherwise. */
static int note_pair(struct reading *r, const struct judgement *j, int *status, struct err *e)
{
    const size_t known = r->pairs.count;
    text_clear(&r->pair);
    text_add(&r->pair, "%s\t%s", j->query, j->document);
    const int64_t at = r->pair.failed ? NAMES_NONE : names_add(&r->pairs, text_of(&r->pair), r->pair.size);
    if (at == NAMES_NONE || !mem_one_more(&r->judged, known, &r->room, sizeof *r->judged))
        return *status = FAIL(e, ERR_MEM, "%s: no memory", r->path), 0;
    if ((size_t)at == known) return r->judged[at] = (struct judged){ j->grade, j->line }, 1;
    if (r->judged[at].grade == j->grade) return (*r->repeated)++, 0;
    *status = FAIL(e, ERR_FORMAT, "%s: lines %zu and %zu: query '%s' and document '%s' are judged %lld and %lld", r->path,
                   r->judged[at].line, j->line, j->query, j->document, (long long)r->judged[at].grade, (long long)j->grade);
    return 0;
}

static int take_line(struct reading *r, char *line, size_t number, int first, struct err *e)
{
    char *field[FIELDS_MOST];
    const int fields = cut(line, field);
    int status = ERR_OK;
    if (fields < 2 || fields > FIELDS_MOST)
        return line_bad(e, r->path, number, NULL, NULL, "neither 'qid 0 document grade' nor 'qid document grade'");
    if (r->fields && fields != r->fields) {
        char why[64];
        snprintf(why, sizeof why, "%d fields, where the lines before have %d", fields, r->fields);
        return line_bad(e, r->path, number, NULL, NULL, why);
    }
    r->fields = fields;
    if (first && (take_names(r, field, fields, &status, e) || status != ERR_OK)) return status;
    const struct layout l = r->has_names ? r->named : usual(fields);
    if (l.query >= fields || l.document >= fields || l.grade >= fields)
        return line_bad(e, r->path, number, NULL, NULL, "fewer columns than line 1 names");
    struct judgement j = { field[l.query], field[l.document], 1, number };
    if (!*j.query) return line_bad(e, r->path, number, "query-id", "", "an id is not empty");
    if (!*j.document) return line_bad(e, r->path, number, "corpus-id", "", "an id is not empty");
    if (l.grade >= 0 && !text_to_i64(field[l.grade], &j.grade))
        return line_bad(e, r->path, number, "grade", field[l.grade], "not a whole number");
    return note_pair(r, &j, &status, e) ? r->r->each(r->r->context, &j, e) : status;
}

static int take_columns(struct reading *r, const char *columns, struct err *e)
{
    char copy[256], *field[FIELDS_MOST], *save = NULL;
    int fields = 0;
    snprintf(copy, sizeof copy, "%s", columns);
    for (char *f = strtok_r(copy, ",", &save); f && fields < FIELDS_MOST; f = strtok_r(NULL, ",", &save)) field[fields++] = f;
    r->has_names = by_names(&r->named, field, fields);
    return r->has_names ? ERR_OK : FAIL(e, ERR_ARG, "%s: columns '%s' do not say which are query-id, corpus-id and score",
                                        r->path, columns);
}

int qrels_read(const char *path, const struct qrels_reader *reader, size_t *repeated, struct err *e)
{
    size_t ignored = 0;
    struct reading r = { .r = reader, .path = path, .repeated = repeated ? repeated : &ignored };
    struct lines lines = { 0 };
    int first = !reader->columns, status = first ? ERR_OK : take_columns(&r, reader->columns, e);
    *r.repeated = 0;
    if (status == ERR_OK) status = lines_open(&lines, path, e);
    for (char *line; status == ERR_OK && (line = lines_next(&lines, &status, e)) != NULL; first = 0)
        status = take_line(&r, line, lines.number, first, e);
    lines_close(&lines);
    names_free(&r.pairs);
    mem_free(r.judged);
    text_free(&r.pair);
    return status;
}
