/* SPDX-License-Identifier: MIT
 * import_tsv.c - a folder of tab-separated tables: text corpora, triples, graphs.
 *
 *   entities.tsv, corpus.tsv,          an id; `name` or `title`, `text`, `type` where there are such columns;
 *   entity_types.tsv, collection.tsv   the others become properties
 *   train.tsv, triples.tsv, edges.tsv, head rel tail, or two ids (columns `rel` or `type` and `weight` are read).
 *   the one *_edges.tsv, train.txt     Without a table of entities the ends are the entities
 *   relations.tsv                      id and name: names for what `rel` says
 *   queries.tsv, qrels.tsv             an id and `text` or `question`; qrels.h
 *   the one *.fvecs of the rows of entities, the one *_queries.fvecs of the queries
 *
 * Which column is which is said by the first line, by the caller (kb_wishes), or by the layout that a set is published
 * in: collection.tsv of MS MARCO (id, text), train.txt of FB15k and WN18 (head, rel, tail).  Held-out triples (valid, test, dev) are left
 * out.  Ids are kept; lines that begin with # are counted and passed over. */
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "datasets/qrels.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 32 };

struct cell { const char *at; size_t size; };

/* The tables, and what their columns may be called; needed ones come first. */
enum role { ENTITIES, RELATIONS, RELATION_NAMES, QUERIES, ROLES };
enum { ROLE_COLUMNS = 5 };
#define ENTITY_IDS "id|_id|doc_id|docid|doc-id|docno|pid|passage_id|entity|entity_id|corpus-id|corpus_id|node|key"
static const struct {
    const char *files, *columns[ROLE_COLUMNS];
    int needed;
} roles[ROLES] = {
    [ENTITIES] = { "entities.tsv|corpus.tsv|entity_types.tsv|collection.tsv",
                   { ENTITY_IDS, "name|title", "text|description", "type|type_labels|entity_type" }, 1 },
    [RELATIONS] = { "train.tsv|triples.tsv|edges.tsv|*_edges.tsv|train.txt",
                    { "head|src|source|subject|source_id|from", "tail|dst|target|object|target_id|to",
                      "rel|relation|type|predicate|rel_type", "weight" }, 2 },
    [RELATION_NAMES] = { "relations.tsv", { "id|rel|relation|rel_id", "name|label" }, 2 },
    [QUERIES] = { "queries.tsv|queries*.tsv", { "qid|id|_id|query-id|query_id|question_id|topic", "text|question|query" }, 2 },
};
static const struct { const char *file, *columns; } published[] = {
    { "collection.tsv", "id,text" }, { "train.txt", "head,rel,tail" },
};

struct table {
    char *path; /* NULL: there is none */
    enum role role;
    struct lines lines;
    struct text header; /* the names' bytes */
    size_t columns;
    int at[ROLE_COLUMNS]; /* columns by role; -1: none */
    struct cell names[COLUMNS_MOST], cells[COLUMNS_MOST];
    char *pending; /* a first line that is data */
    size_t comments;
};

struct query_label { int64_t query, document; int grade; }; /* places; document: -1 - its place among the absent */

struct corpus {
    const struct kb_sink *sink;
    const char *folder;
    struct ids entities, queries;
    struct names absent;       /* documents that are judged and not there */
    struct names relations;    /* ids of relations.tsv; relation i is called relation_names[i] */
    char **relation_names;
    size_t relation_count;
    struct text text, name, properties;
    struct query_label *labels;
    size_t label_count, label_room;
    const char *labels_path;
    struct tally tally;
    uint64_t wishes_used; /* a bit each */
};

static int bad_cell(const struct table *t, int column, const char *why, struct err *e)
{
    char field[64], value[128];
    const struct cell *name = &t->names[column], *c = &t->cells[column];
    snprintf(field, sizeof field, "%.*s", (int)(name->size < 60 ? name->size : 60), name->at);
    snprintf(value, sizeof value, "%.*s", (int)(c->size < 120 ? c->size : 120), c->at);
    return line_bad(e, t->path, t->lines.number, field, value, why);
}

/* Cuts at every tab; one more than COLUMNS_MOST where there are too many. */
static size_t cut(const char *line, char by, struct cell *cells)
{
    size_t count = 0;
    for (const char *at = line; at;) {
        const char *stop = strchr(at, by);
        if (count == COLUMNS_MOST) return count + 1;
        cells[count++] = (struct cell){ at, stop ? (size_t)(stop - at) : strlen(at) };
        at = stop ? stop + 1 : NULL;
    }
    return count;
}

/* The next line that is no comment, in cells; 0 at the end. */
static int cut_line(struct table *t, size_t *count, int *status, struct err *e)
{
    char *line = t->pending;
    t->pending = NULL;
    while (!line && *status == ERR_OK) {
        line = lines_next(&t->lines, status, e);
        if (!line) return 0;
        if (*line == '#') line = NULL, t->comments++;
    }
    if (!line) return 0;
    *count = cut(line, '\t', t->cells);
    return 1;
}

static void table_close(struct table *t)
{
    free(t->path);
    lines_close(&t->lines);
    text_free(&t->header);
    *t = (struct table){ 0 };
}

/* Takes the names of columns, and finds those of the role among them; 0 when a needed one is missing. */
static int take_names(struct table *t, const char *names, char by)
{
    char name[64];
    text_clear(&t->header);
    text_add(&t->header, "%s", names);
    t->columns = cut(text_of(&t->header), by, t->names);
    if (t->columns > COLUMNS_MOST) return 0;
    for (int r = 0; r < ROLE_COLUMNS; r++) {
        const char *known = roles[t->role].columns[r];
        t->at[r] = -1;
        for (size_t c = t->columns; known && c-- > 0;) {
            snprintf(name, sizeof name, "%.*s", (int)t->names[c].size, t->names[c].at);
            if (t->names[c].size < sizeof name && field_is(name, known)) t->at[r] = (int)c;
        }
    }
    for (int r = 0; r < roles[t->role].needed; r++)
        if (t->at[r] < 0) return 0;
    return 1;
}

/* A name that is a slip of one that would have been read. */
static int check_slips(const struct table *t, struct err *e)
{
    char name[64], meant[32], why[64];
    for (size_t c = 0; c < t->columns; c++)
        for (int r = 0; r < ROLE_COLUMNS; r++) {
            const char *known = roles[t->role].columns[r];
            snprintf(name, sizeof name, "%.*s", (int)t->names[c].size, t->names[c].at);
            if (!known || t->at[r] >= 0 || !field_meant(name, known, meant)) continue;
            snprintf(why, sizeof why, "is no column; nearest is \"%s\"", meant);
            return line_bad(e, t->path, 1, name, NULL, why);
        }
    return ERR_OK;
}

static const char *base_name(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* What the caller says of a file's columns; NULL: nothing. */
static const char *wish_of(struct corpus *k, const char *path)
{
    const struct kb_wishes *w = k->sink->wishes;
    const char *file = base_name(path);
    for (size_t i = 0; w && i < w->column_count; i++) {
        const size_t size = strcspn(w->columns[i], "=");
        if (w->columns[i][size] != '=' || strlen(file) != size || memcmp(w->columns[i], file, size) != 0) continue;
        k->wishes_used |= (uint64_t)1 << (i & 63);
        return w->columns[i] + size + 1;
    }
    return NULL;
}

static int no_names(const struct table *t, const char *line, struct err *e)
{
    const char *file = base_name(t->path);
    struct text needed = { 0 };
    for (int r = 0; r < roles[t->role].needed; r++)
        text_add(&needed, "%s%.*s", r ? "," : "", (int)strcspn(roles[t->role].columns[r], "|"), roles[t->role].columns[r]);
    const int status = FAIL(e, ERR_FORMAT, "%s: line 1: '%.120s%s' does not name the columns %s: if it is data, say --columns "
                            "%s=%s,... in the order of the file", t->path, line, strlen(line) > 120 ? "..." : "",
                            text_of(&needed), file, text_of(&needed));
    text_free(&needed);
    return status;
}

static int open_path(struct corpus *k, struct table *t, const char *path, enum role role, struct err *e)
{
    size_t count;
    int status = ERR_OK;
    t->role = role;
    t->path = strdup(path);
    if (!t->path) return FAIL(e, ERR_MEM, "%s: no memory", path);
    status = lines_open(&t->lines, t->path, e);
    const char *columns = wish_of(k, path);
    if (status == ERR_OK && columns && !take_names(t, columns, ','))
        return FAIL(e, ERR_ARG, "--columns %s=%s: no column for '%s'", base_name(path), columns, roles[role].columns[0]);
    if (status != ERR_OK) return status;
    if (columns && !cut_line(t, &count, &status, e)) return status;
    if (columns) {
        size_t same = 0;
        while (same < count && same < t->columns && t->cells[same].size == t->names[same].size &&
               memcmp(t->cells[same].at, t->names[same].at, t->names[same].size) == 0)
            same++;
        t->pending = (char *)(uintptr_t)t->cells[0].at;
        return same < count ? ERR_OK : FAIL(e, ERR_ARG, "%s: line 1 holds the names that --columns gives: leave that out", path);
    }
    if (!cut_line(t, &count, &status, e)) return status == ERR_OK ? FAIL(e, ERR_FORMAT, "%s: empty", path) : status;
    char *line = (char *)(uintptr_t)t->cells[0].at;
    if (take_names(t, line, '\t')) return check_slips(t, e);
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        if (strcmp(published[i].file, base_name(path)) != 0 || !take_names(t, published[i].columns, ',')) continue;
        if (t->columns == count) return t->pending = line, ERR_OK;
    }
    return t->header.failed ? FAIL(e, ERR_MEM, "%s: no memory", path) : no_names(t, line, e);
}

/* Finds the first of the patterns (separated by '|') that a file of the folder fits.  None is no error: then *out is
 * NULL. */
static int find_file(const char *folder, const char *patterns, char **out, struct err *e)
{
    *out = NULL;
    for (const char *p = patterns; *p && !*out;) {
        const size_t size = strcspn(p, "|");
        struct text pattern = { 0 };
        glob_t found = { 0 };
        int status = ERR_OK;
        text_add(&pattern, "%s/%.*s", folder, (int)size, p);
        const int rc = pattern.failed ? GLOB_NOSPACE : glob(text_of(&pattern), 0, NULL, &found);
        if (rc == 0 && found.gl_pathc == 1) *out = strdup(found.gl_pathv[0]);
        if (rc == GLOB_NOSPACE || (rc == 0 && found.gl_pathc == 1 && !*out)) status = FAIL(e, ERR_MEM, "%s: no memory", folder);
        if (rc == 0 && found.gl_pathc > 1)
            status = FAIL(e, ERR_ARG, "%s: %zu files fit %.*s (%s, %s ...): which one is meant?", folder, found.gl_pathc,
                          (int)size, p, base_name(found.gl_pathv[0]), base_name(found.gl_pathv[1]));
        globfree(&found);
        text_free(&pattern);
        if (status != ERR_OK) return status;
        p += size + (p[size] == '|');
    }
    return ERR_OK;
}

static int table_open(struct corpus *k, struct table *t, enum role role, struct err *e)
{
    char *path;
    int status = find_file(k->folder, roles[role].files, &path, e);
    if (status == ERR_OK && path) status = open_path(k, t, path, role, e);
    free(path);
    return status;
}

/* The next row, as wide as the header. */
static int next_row(struct table *t, int *status, struct err *e)
{
    size_t count;
    if (*status != ERR_OK || !cut_line(t, &count, status, e)) return 0;
    if (count == t->columns) return 1;
    *status = FAIL(e, ERR_FORMAT, "%s: line %zu: %zu columns, the header has %zu", t->path, t->lines.number, count, t->columns);
    return 0;
}

static int note_comments(struct corpus *k, const struct table *t, struct err *e)
{
    return tally_add(&k->tally, "lines that begin with #, passed over as comments", t->comments, base_name(t->path), e);
}

static int number_of(const struct cell *c, double *out)
{
    char digits[64];
    if (c->size == 0 || c->size >= sizeof digits) return 0;
    memcpy(digits, c->at, c->size);
    digits[c->size] = 0;
    return text_to_f64(digits, out);
}

static void add_property(struct text *out, const struct cell *key, const struct cell *value)
{
    struct text one = { 0 };
    text_add(out, "%s", out->size > 1 ? "," : "");
    text_add_bytes(&one, key->at, key->size);
    text_add_json(out, text_of(&one));
    text_clear(&one);
    text_add_bytes(&one, value->at, value->size);
    text_add(out, ":");
    text_add_json(out, text_of(&one));
    out->failed |= one.failed;
    text_free(&one);
}

/* Every column but id, name and type is a property; the embedder sees name and text. */
static int send_entity(struct corpus *k, const struct table *t, int64_t number, struct err *e)
{
    const int id = t->at[0], name = t->at[1], text = t->at[2], type = t->at[3];
    struct text kind = { 0 };
    text_clear(&k->name);
    text_clear(&k->text);
    text_clear(&k->properties);
    const struct cell *called = &t->cells[name >= 0 && t->cells[name].size ? name : id];
    text_add_bytes(&k->name, called->at, called->size);
    text_add_bytes(&k->text, called->at, called->size);
    if (text >= 0) text_add(&k->text, ". %.*s", (int)t->cells[text].size, t->cells[text].at);
    text_add(&k->properties, "{");
    for (int c = 0; c < (int)t->columns; c++)
        if (c != id && c != name && c != type) add_property(&k->properties, &t->names[c], &t->cells[c]);
    text_add(&k->properties, "}");
    if (type >= 0 && t->cells[type].size) text_add_bytes(&kind, t->cells[type].at, t->cells[type].size);
    else text_add(&kind, "%s", text >= 0 ? "document" : "entity");
    int status = k->name.failed || k->text.failed || k->properties.failed || kind.failed
                     ? FAIL(e, ERR_MEM, "%s: no memory", t->path) : ERR_OK;
    if (status == ERR_OK && k->sink->entity)
        status = k->sink->entity(k->sink->context, number, text_of(&kind), text_of(&k->name), text_of(&k->properties),
                                 text_of(&k->text), e);
    text_free(&kind);
    return status;
}

static int add_id(struct ids *ids, const struct table *t, int column, int again, size_t *place, int *known, struct err *e)
{
    const struct cell *c = &t->cells[column];
    const char *fault = id_fault(c->at, c->size);
    if (fault) return bad_cell(t, column, fault, e);
    const int status = ids_add(ids, c->at, c->size, place, known, e);
    return status == ERR_OK && *known && !again ? bad_cell(t, column, "an id that came before", e) : status;
}

/* All ids of a table, so that it is known what they are before one is used. */
static int number_rows(struct corpus *k, enum role role, struct ids *ids, struct err *e)
{
    struct table t = { 0 };
    int status = table_open(k, &t, role, e), known;
    size_t place;
    while (t.path && next_row(&t, &status, e)) status = add_id(ids, &t, t.at[0], 0, &place, &known, e);
    table_close(&t);
    return status;
}

/* What of the columns is not read is kept, and said. */
static int note_columns(struct corpus *k, const struct table *t, struct err *e)
{
    int status = ERR_OK;
    for (size_t c = 0; status == ERR_OK && c < t->columns; c++) {
        struct text what = { 0 };
        int is_read = 0;
        for (int r = 0; r < ROLE_COLUMNS; r++) is_read |= t->at[r] == (int)c;
        if (is_read) continue;
        text_add(&what, "column \"%.*s\" of %s, kept as a property", (int)t->names[c].size, t->names[c].at, base_name(t->path));
        status = what.failed ? FAIL(e, ERR_MEM, "%s: no memory", t->path) : tally_add(&k->tally, text_of(&what), 1, NULL, e);
        text_free(&what);
    }
    return status;
}

static int send_entities(struct corpus *k, struct table *t, struct err *e)
{
    int status = number_rows(k, ENTITIES, &k->entities, e);
    if (status == ERR_OK) status = note_columns(k, t, e);
    for (size_t i = 0; next_row(t, &status, e); i++) {
        const int64_t number = ids_number(&k->entities, i);
        if (k->entities.words) status = sink_entity_id(k->sink, number, names_at(&k->entities.names, i), e);
        if (status == ERR_OK) status = send_entity(k, t, number, e);
    }
    return status == ERR_OK ? note_comments(k, t, e) : status;
}

/* Without a table of entities the ends of relations are they, in order of appearance. */
static int send_ends(struct corpus *k, struct table *t, struct err *e)
{
    int status = ERR_OK, known;
    size_t place;
    while (next_row(t, &status, e))
        for (int end = 0; status == ERR_OK && end < 2; end++)
            status = add_id(&k->entities, t, t->at[end], 1, &place, &known, e);
    for (size_t i = 0; status == ERR_OK && i < k->entities.names.count; i++) {
        const char *name = names_at(&k->entities.names, i);
        const int64_t number = ids_number(&k->entities, i);
        const int a_number = name[strspn(name, "0123456789")] == 0; /* no words to embed */
        if (k->entities.words) status = sink_entity_id(k->sink, number, name, e);
        if (status == ERR_OK && k->sink->entity)
            status = k->sink->entity(k->sink->context, number, "entity", name, NULL, a_number ? NULL : name, e);
    }
    return status;
}

static int read_relation_names(struct corpus *k, struct err *e)
{
    struct table t = { 0 };
    int status = table_open(k, &t, RELATION_NAMES, e);
    while (t.path && next_row(&t, &status, e)) {
        const struct cell *id = &t.cells[t.at[0]], *name = &t.cells[t.at[1]];
        if (names_add(&k->relations, id->at, id->size) != (int64_t)k->relation_count) {
            status = bad_cell(&t, t.at[0], "a relation that came before", e);
            break;
        }
        const int room = mem_extend(&k->relation_names, k->relation_count, k->relation_count + 1, sizeof *k->relation_names);
        if (room) k->relation_names[k->relation_count] = strndup(name->at, name->size);
        if (!room || !k->relation_names[k->relation_count++]) status = FAIL(e, ERR_MEM, "%s: no memory", t.path);
    }
    table_close(&t);
    return status;
}

static int find_entity(const struct corpus *k, const struct table *t, int column, int64_t *out, struct err *e)
{
    const struct cell *c = &t->cells[column];
    const int64_t place = ids_place(&k->entities, c->at, c->size);
    if (place == NAMES_NONE) return bad_cell(t, column, "no entity has this id", e);
    *out = ids_number(&k->entities, (size_t)place);
    return ERR_OK;
}

/* What a row calls its relation, in k->name; columns that are not read, as properties. */
static int describe_relation(struct corpus *k, const struct table *t, struct err *e)
{
    const struct cell related = { "related", 7 }, *c = t->at[2] >= 0 ? &t->cells[t->at[2]] : &related;
    const int64_t named = names_find(&k->relations, c->at, c->size);
    text_clear(&k->name);
    if (named != NAMES_NONE) text_add(&k->name, "%s", k->relation_names[named]);
    else text_add_bytes(&k->name, c->at, c->size);
    text_clear(&k->properties);
    text_add(&k->properties, "{");
    for (int i = 0; i < (int)t->columns; i++)
        if (i != t->at[0] && i != t->at[1] && i != t->at[2] && i != t->at[3])
            add_property(&k->properties, &t->names[i], &t->cells[i]);
    text_add(&k->properties, "}");
    return k->name.failed || k->properties.failed ? FAIL(e, ERR_MEM, "%s: no memory", t->path) : ERR_OK;
}

static int send_relations(struct corpus *k, struct table *t, struct err *e)
{
    const int weight = t->at[3];
    int status = note_columns(k, t, e);
    while (k->sink->relation && next_row(t, &status, e)) {
        int64_t source = 0, target = 0;
        double w = 1;
        status = find_entity(k, t, t->at[0], &source, e);
        if (status == ERR_OK) status = find_entity(k, t, t->at[1], &target, e);
        if (status == ERR_OK && weight >= 0 && !number_of(&t->cells[weight], &w)) status = bad_cell(t, weight, "not a number", e);
        if (status == ERR_OK && !(w >= 0 && w <= 1)) status = bad_cell(t, weight, "outside 0..1", e);
        if (status == ERR_OK) status = describe_relation(k, t, e);
        if (status != ERR_OK) break;
        status = k->sink->relation(k->sink->context, source, target, text_of(&k->name), w, text_of(&k->properties), e);
        if (status != ERR_OK) status = err_context(e, status, "%s: line %zu", t->path, t->lines.number);
    }
    return status == ERR_OK ? note_comments(k, t, e) : status;
}

/* --- queries -------------------------------------------------------------------------------- */
static int keep_label(struct corpus *k, struct query_label label, struct err *e)
{
    if (!mem_one_more(&k->labels, k->label_count, &k->label_room, sizeof *k->labels))
        return FAIL(e, ERR_MEM, "%s: no memory for labels", k->folder);
    k->labels[k->label_count++] = label;
    return ERR_OK;
}

static int is_document(void *context, const char *id)
{
    const struct corpus *k = context;
    return ids_place(&k->entities, id, strlen(id)) != NAMES_NONE;
}

static int take_judgement(void *context, const struct judgement *j, struct err *e)
{
    struct corpus *k = context;
    int known;
    size_t query;
    int64_t document = ids_place(&k->entities, j->document, strlen(j->document));
    int status = ids_add(&k->queries, j->query, strlen(j->query), &query, &known, e);
    if (status == ERR_OK && document == NAMES_NONE) {
        const int64_t place = names_add(&k->absent, j->document, strlen(j->document));
        if (place == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", k->labels_path);
        document = -1 - place;
    }
    const int64_t grade = j->grade > 1000000 ? 1000000 : j->grade < -1000000 ? -1000000 : j->grade;
    return status == ERR_OK ? keep_label(k, (struct query_label){ (int64_t)query, document, (int)grade }, e) : status;
}

static int read_labels(struct corpus *k, struct err *e)
{
    char *path;
    size_t repeated = 0;
    int status = find_file(k->folder, "qrels.tsv|qrels*.tsv|qrels.txt", &path, e);
    if (status != ERR_OK || !path) return status;
    const struct qrels_reader reader = { is_document, take_judgement, k, wish_of(k, path) };
    k->labels_path = path;
    status = qrels_read(path, &reader, &repeated, e);
    if (status == ERR_OK) status = tally_add(&k->tally, "judgements that came before, passed over", repeated, NULL, e);
    free(path);
    return status;
}

static int compare_labels(const void *a, const void *b)
{
    const struct query_label *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return (x->document > y->document) - (x->document < y->document);
}

/* The query at `place`, with what was judged of it. */
static int send_query(struct corpus *k, size_t place, const float *x, size_t dim, struct err *e)
{
    size_t low = 0, high = k->label_count, count = 0;
    int status = ERR_OK;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (k->labels[middle].query < (int64_t)place) low = middle + 1;
        else high = middle;
    }
    while (low + count < k->label_count && k->labels[low + count].query == (int64_t)place) count++;
    struct kb_label *relevant = mem_zero(count, sizeof *relevant);
    if (!relevant) return FAIL(e, ERR_MEM, "%s: no memory", k->folder);
    for (size_t i = 0; i < count; i++) {
        const struct query_label *l = &k->labels[low + i];
        relevant[i].grade = l->grade;
        if (l->document >= 0) relevant[i].id = ids_number(&k->entities, (size_t)l->document);
        else relevant[i].absent = names_at(&k->absent, (size_t)(-1 - l->document));
    }
    const int64_t number = k->queries.words ? (int64_t)place : ids_number(&k->queries, place);
    if (k->queries.words) status = sink_query_id(k->sink, number, names_at(&k->queries.names, place), e);
    if (status == ERR_OK)
        status = k->sink->query(k->sink->context, number, NULL, text_of(&k->text), x, dim, relevant, count, e);
    mem_free(relevant);
    return status;
}

static int open_vectors(struct corpus *k, struct dataset *d, const char *patterns, size_t rows, struct err *e)
{
    char *path = NULL;
    int status = k->sink->vector ? find_file(k->folder, patterns, &path, e) : ERR_OK;
    if (status == ERR_OK && path) status = dataset_open(d, path, e);
    if (status == ERR_OK && path && d->rows.count != rows)
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows, the table has %zu", path, d->rows.count, rows);
    free(path);
    return status;
}

static int send_queries(struct corpus *k, struct err *e)
{
    struct table t = { 0 };
    struct dataset vectors = { 0 };
    int status = number_rows(k, QUERIES, &k->queries, e);
    const size_t with_text = k->queries.names.count;
    if (status == ERR_OK) status = read_labels(k, e);
    if (k->label_count) qsort(k->labels, k->label_count, sizeof *k->labels, compare_labels);
    if (status == ERR_OK) status = table_open(k, &t, QUERIES, e);
    if (status == ERR_OK && t.path) status = open_vectors(k, &vectors, "*_queries.fvecs", with_text, e);
    for (size_t row = 0; t.path && next_row(&t, &status, e); row++) {
        const struct cell *text = &t.cells[t.at[1]];
        const float *x = vectors.rows.at ? rows_at(vectors.rows, row) : NULL;
        text_clear(&k->text);
        text_add_bytes(&k->text, text->at, text->size);
        status = k->text.failed ? FAIL(e, ERR_MEM, "%s: no memory", t.path)
                                : send_query(k, row, x, x ? vectors.rows.dim : 0, e);
    }
    const size_t all = k->queries.names.count;
    text_clear(&k->text);
    for (size_t i = with_text; status == ERR_OK && i < all; i++) status = send_query(k, i, NULL, 0, e);
    dataset_close(&vectors);
    table_close(&t);
    return status;
}

/* --- all ------------------------------------------------------------------------------------ */
static int send_vectors(struct corpus *k, struct err *e)
{
    struct dataset d = { 0 };
    int status = open_vectors(k, &d, "*_corpus.fvecs|*_entities.fvecs|vectors.fvecs", k->entities.names.count, e);
    for (size_t i = 0; status == ERR_OK && d.rows.at && i < d.rows.count; i++)
        status = k->sink->vector(k->sink->context, ids_number(&k->entities, i), rows_at(d.rows, i), d.rows.dim, e);
    dataset_close(&d);
    return status;
}

static int check_wishes(const struct corpus *k, struct err *e)
{
    const struct kb_wishes *w = k->sink->wishes;
    for (size_t i = 0; w && i < w->column_count; i++)
        if (!(k->wishes_used >> (i & 63) & 1))
            return FAIL(e, ERR_ARG, "--columns %s: no such table was read from %s (FILE=name,name,... is wanted)",
                        w->columns[i], k->folder);
    return ERR_OK;
}

static int send_all(struct corpus *k, struct err *e)
{
    struct table entities = { 0 }, relations = { 0 };
    int status = table_open(k, &entities, ENTITIES, e);
    if (status == ERR_OK) status = table_open(k, &relations, RELATIONS, e);
    if (status == ERR_OK && !entities.path && !relations.path)
        status = FAIL(e, ERR_NOT_FOUND, "%s: no entities.tsv, corpus.tsv, train.tsv, triples.tsv or edges.tsv", k->folder);
    if (status == ERR_OK) status = entities.path ? send_entities(k, &entities, e) : send_ends(k, &relations, e);
    if (status == ERR_OK) status = send_vectors(k, e);
    if (status == ERR_OK && !entities.path) { /* read a second time */
        table_close(&relations);
        status = table_open(k, &relations, RELATIONS, e);
    }
    if (status == ERR_OK && relations.path) status = read_relation_names(k, e);
    if (status == ERR_OK && relations.path) status = send_relations(k, &relations, e);
    if (status == ERR_OK && k->sink->query) status = send_queries(k, e);
    if (status == ERR_OK) status = check_wishes(k, e);
    if (status == ERR_OK) status = sink_tally(k->sink, &k->tally, e);
    table_close(&entities);
    table_close(&relations);
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct corpus k = { .sink = sink, .folder = path, .entities.first = 1 };
    const int status = send_all(&k, e);
    ids_free(&k.entities);
    ids_free(&k.queries);
    names_free(&k.absent);
    names_free(&k.relations);
    for (size_t i = 0; i < k.relation_count; i++) free(k.relation_names[i]);
    mem_free(k.relation_names);
    mem_free(k.labels);
    tally_free(&k.tally);
    text_free(&k.text);
    text_free(&k.name);
    text_free(&k.properties);
    return status;
}

const struct importer_ops import_tsv = {
    .name = "tsv",
    .summary = "a folder of tab-separated tables: corpus or entities, triples or edges, queries, qrels",
    .get = "any folder with entities.tsv, corpus.tsv, train.tsv, triples.tsv or edges.tsv",
    .run = run,
};
