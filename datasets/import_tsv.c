/* SPDX-License-Identifier: MIT
 * import_tsv.c - a folder of tab-separated tables with a header line: text corpora, triples, graphs.
 *
 *   entities.tsv or corpus.tsv         first column: the id; `name` or `title`, `text`, `type` where there
 *                                      are such columns; the others become properties
 *   train.tsv, triples.tsv, edges.tsv  head rel tail, or two ids (columns `rel` or `type` and `weight`
 *   or the one *_edges.tsv             are read).  Without a table of entities the ends are the entities
 *   relations.tsv                      id and name: names for what `rel` says
 *   queries.tsv, qrels.tsv             an id and `text` or `question`; query id, entity id, `rel` (> 0)
 *   the one *.fvecs of the rows of entities, the one *_queries.fvecs of the queries
 *
 * Held-out triples (valid, test, dev) are left out.  Queries are numbered by their row, from 0. */
#include "datasets/dataset.h"
#include "kernels/base/names.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 32 };

struct cell { const char *at; size_t size; };

struct table {
    char *path; /* NULL: there is none */
    struct mem_map map;
    const char *at, *end;
    size_t line, columns;
    struct cell names[COLUMNS_MOST], cells[COLUMNS_MOST];
};

struct query_label { int64_t query; struct kb_label label; };

struct corpus {
    const struct kb_sink *sink;
    const char *folder;
    struct names entities;     /* by their ids; entity number = index + 1 */
    struct names relations;    /* ids of relations.tsv; relation i is called relation_names[i] */
    char **relation_names;
    size_t relation_count;
    struct names queries;      /* by their ids; the number is the row */
    struct text text, name, properties;
    struct query_label *labels;
    size_t label_count, label_room;
};

static int bad(const struct table *t, const char *what, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: line %zu: %s", t->path, t->line, what);
}

/* Cuts the next line that is neither empty nor a comment into cells; 0 at the end. */
static int cut_line(struct table *t, struct cell *cells, size_t *count)
{
    while (t->at < t->end) {
        const char *stop = memchr(t->at, '\n', (size_t)(t->end - t->at)), *at = t->at;
        if (!stop) stop = t->end;
        t->at = stop < t->end ? stop + 1 : stop;
        t->line++;
        if (stop > at && stop[-1] == '\r') stop--;
        if (stop == at || *at == '#') continue;
        for (*count = 0; *count < COLUMNS_MOST;) {
            const char *tab = memchr(at, '\t', (size_t)(stop - at));
            cells[(*count)++] = (struct cell){ at, (size_t)((tab ? tab : stop) - at) };
            if (!tab) break;
            at = tab + 1;
        }
        return 1;
    }
    return 0;
}

static void table_close(struct table *t)
{
    free(t->path);
    mem_map_close(&t->map);
    *t = (struct table){ 0 };
}

static int open_path(struct table *t, const char *path, struct err *e)
{
    t->path = strdup(path);
    if (!t->path) return FAIL(e, ERR_MEM, "%s: no memory", path);
    const int status = mem_map_open(&t->map, path, e);
    t->at = (const char *)t->map.at;
    t->end = t->at + t->map.size;
    if (status == ERR_OK && !cut_line(t, t->names, &t->columns)) return FAIL(e, ERR_FORMAT, "%s: empty", path);
    return status;
}

/* Opens the first of the patterns (separated by '|') that exactly one file of the folder fits.  None is
 * no error: then t->path is NULL. */
static int find_file(const char *folder, const char *patterns, char **out, struct err *e)
{
    *out = NULL;
    for (const char *p = patterns; *p && !*out;) {
        const size_t size = strcspn(p, "|");
        struct text pattern = { 0 };
        glob_t found = { 0 };
        text_add(&pattern, "%s/%.*s", folder, (int)size, p);
        const int rc = pattern.failed ? GLOB_NOSPACE : glob(text_of(&pattern), 0, NULL, &found);
        if (rc == 0 && found.gl_pathc == 1) *out = strdup(found.gl_pathv[0]);
        const int no_memory = rc == GLOB_NOSPACE || (rc == 0 && found.gl_pathc == 1 && !*out);
        globfree(&found);
        text_free(&pattern);
        if (no_memory) return FAIL(e, ERR_MEM, "%s: no memory", folder);
        p += size + (p[size] == '|');
    }
    return ERR_OK;
}

static int table_open(struct table *t, const char *folder, const char *patterns, struct err *e)
{
    char *path;
    int status = find_file(folder, patterns, &path, e);
    if (status == ERR_OK && path) status = open_path(t, path, e);
    free(path);
    return status;
}

/* The next row, as wide as the header. */
static int next_row(struct table *t, int *status, struct err *e)
{
    size_t count;
    if (*status != ERR_OK || !cut_line(t, t->cells, &count)) return 0;
    if (count == t->columns) return 1;
    *status = FAIL(e, ERR_FORMAT, "%s: line %zu: %zu columns, the header has %zu", t->path, t->line, count, t->columns);
    return 0;
}

/* The column of one of the names (separated by '|'), the first that there is; -1: none. */
static int column(const struct table *t, const char *names)
{
    for (const char *n = names; *n;) {
        const size_t size = strcspn(n, "|");
        for (size_t c = 0; c < t->columns; c++)
            if (t->names[c].size == size && memcmp(t->names[c].at, n, size) == 0) return (int)c;
        n += size + (n[size] == '|');
    }
    return -1;
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

/* Every column but name and type is a property; the embedder sees name and text. */
static int send_entity(struct corpus *k, const struct table *t, int name, int text, int type, int64_t id, struct err *e)
{
    struct text kind = { 0 };
    text_clear(&k->name);
    text_clear(&k->text);
    text_clear(&k->properties);
    const struct cell *called = &t->cells[name >= 0 && t->cells[name].size ? name : 0];
    text_add_bytes(&k->name, called->at, called->size);
    text_add_bytes(&k->text, called->at, called->size);
    if (text >= 0) text_add(&k->text, ". %.*s", (int)t->cells[text].size, t->cells[text].at);
    text_add(&k->properties, "{");
    for (int c = 0; c < (int)t->columns; c++)
        if (c != name && c != type) add_property(&k->properties, &t->names[c], &t->cells[c]);
    text_add(&k->properties, "}");
    if (type >= 0 && t->cells[type].size) text_add_bytes(&kind, t->cells[type].at, t->cells[type].size);
    else text_add(&kind, "%s", text >= 0 ? "document" : "entity");
    int status = k->name.failed || k->text.failed || k->properties.failed || kind.failed
                     ? FAIL(e, ERR_MEM, "%s: no memory", t->path) : ERR_OK;
    if (status == ERR_OK && k->sink->entity)
        status = k->sink->entity(k->sink->context, id, text_of(&kind), text_of(&k->name), text_of(&k->properties),
                                 text_of(&k->text), e);
    text_free(&kind);
    return status;
}

static int send_entities(struct corpus *k, struct table *t, struct err *e)
{
    const int name = column(t, "name|title"), text = column(t, "text|description"), type = column(t, "type|type_labels");
    int status = ERR_OK;
    while (next_row(t, &status, e)) {
        const size_t known = k->entities.count;
        const int64_t i = names_add(&k->entities, t->cells[0].at, t->cells[0].size);
        if (i == NAMES_NONE) status = FAIL(e, ERR_MEM, "%s: no memory", t->path);
        else if ((size_t)i < known) status = bad(t, "an id that came before", e);
        else status = send_entity(k, t, name, text, type, i + 1, e);
    }
    return status;
}

/* The columns of the two ends. */
static void find_ends(const struct table *t, int *head, int *tail)
{
    *head = column(t, "head|src|source|subject");
    *tail = column(t, "tail|dst|target|object");
    if (*head < 0 || *tail < 0) {
        *head = 0;
        *tail = (int)t->columns - 1;
    }
}

/* Without a table of entities the ends of relations are they, in order of appearance. */
static int send_ends(struct corpus *k, struct table *t, struct err *e)
{
    int head, tail, status = ERR_OK;
    find_ends(t, &head, &tail);
    while (next_row(t, &status, e))
        for (int end = 0; status == ERR_OK && end < 2; end++) {
            const struct cell *c = &t->cells[end ? tail : head];
            const size_t known = k->entities.count;
            const int64_t i = names_add(&k->entities, c->at, c->size);
            if (i == NAMES_NONE) status = FAIL(e, ERR_MEM, "%s: no memory", t->path);
            if (status != ERR_OK || (size_t)i < known || !k->sink->entity) continue;
            const char *name = names_at(&k->entities, (size_t)i);
            const int a_number = name[strspn(name, "0123456789")] == 0; /* no words to embed */
            status = k->sink->entity(k->sink->context, i + 1, "entity", *name ? name : "(no name)", NULL,
                                     a_number ? NULL : name, e);
        }
    return status;
}

static int read_relation_names(struct corpus *k, struct err *e)
{
    struct table t = { 0 };
    int status = table_open(&t, k->folder, "relations.tsv", e);
    const int name = status == ERR_OK && t.path ? column(&t, "name|label") : -1;
    while (name >= 0 && next_row(&t, &status, e)) {
        if (names_add(&k->relations, t.cells[0].at, t.cells[0].size) != (int64_t)k->relation_count) {
            status = bad(&t, "a relation that came before", e);
            break;
        }
        const int room = mem_extend(&k->relation_names, k->relation_count, k->relation_count + 1, sizeof *k->relation_names);
        if (room) k->relation_names[k->relation_count] = strndup(t.cells[name].at, t.cells[name].size);
        if (!room || !k->relation_names[k->relation_count++]) status = FAIL(e, ERR_MEM, "%s: no memory", t.path);
    }
    table_close(&t);
    return status;
}

static int find_entity(const struct corpus *k, const struct table *t, const struct cell *c, int64_t *out, struct err *e)
{
    const int64_t i = names_find(&k->entities, c->at, c->size);
    if (i == NAMES_NONE)
        return FAIL(e, ERR_FORMAT, "%s: line %zu: no entity '%.*s'", t->path, t->line, (int)(c->size < 60 ? c->size : 60), c->at);
    *out = i + 1;
    return ERR_OK;
}

static int send_relations(struct corpus *k, struct table *t, struct err *e)
{
    const int type = column(t, "rel|type|predicate"), weight = column(t, "weight");
    int head, tail, status = ERR_OK;
    find_ends(t, &head, &tail);
    while (k->sink->relation && next_row(t, &status, e)) {
        int64_t source = 0, target = 0;
        double w = 1;
        status = find_entity(k, t, &t->cells[head], &source, e);
        if (status == ERR_OK) status = find_entity(k, t, &t->cells[tail], &target, e);
        if (status == ERR_OK && weight >= 0 && !number_of(&t->cells[weight], &w)) status = bad(t, "weight is not a number", e);
        if (status != ERR_OK) break;
        const struct cell related = { "related", 7 }, *c = type >= 0 ? &t->cells[type] : &related;
        const int64_t named = names_find(&k->relations, c->at, c->size);
        text_clear(&k->name);
        if (named != NAMES_NONE) text_add(&k->name, "%s", k->relation_names[named]);
        else text_add_bytes(&k->name, c->at, c->size);
        if (k->name.failed) return FAIL(e, ERR_MEM, "%s: no memory", t->path);
        status = k->sink->relation(k->sink->context, source, target, text_of(&k->name), w, NULL, e);
        if (status != ERR_OK) status = err_context(e, status, "%s: line %zu", t->path, t->line);
    }
    return status;
}

static int keep_label(struct corpus *k, int64_t query, struct kb_label label, struct err *e)
{
    if (!mem_one_more(&k->labels, k->label_count, &k->label_room, sizeof *k->labels))
        return FAIL(e, ERR_MEM, "%s: no memory for labels", k->folder);
    k->labels[k->label_count++] = (struct query_label){ query, label };
    return ERR_OK;
}

static int read_labels(struct corpus *k, struct err *e)
{
    struct table t = { 0 };
    int status = table_open(&t, k->folder, "qrels.tsv|qrels*.tsv", e);
    const int grade = status == ERR_OK && t.path ? column(&t, "rel|code|score") : -1;
    while (t.path && next_row(&t, &status, e)) {
        double rel = 1;
        struct kb_label label = { 0 };
        if (t.columns < 2) status = bad(&t, "qrels need a query and an entity", e);
        else if (grade >= 0 && !number_of(&t.cells[grade], &rel)) status = bad(&t, "the grade is not a number", e);
        if (status == ERR_OK) status = find_entity(k, &t, &t.cells[1], &label.id, e);
        const int64_t query = names_find(&k->queries, t.cells[0].at, t.cells[0].size);
        label.grade = rel >= 1 && rel <= 1e6 ? (int)rel : rel > 0; /* what is not relevant is not a label */
        if (status == ERR_OK && query != NAMES_NONE && label.grade > 0) status = keep_label(k, query, label, e);
    }
    table_close(&t);
    return status;
}

static int compare_labels(const void *a, const void *b)
{
    const struct query_label *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return (x->label.id > y->label.id) - (x->label.id < y->label.id);
}

static int send_query(struct corpus *k, const struct dataset *vectors, int64_t row, struct err *e)
{
    enum { RELEVANT_MOST = 4096 };
    struct kb_label relevant[RELEVANT_MOST];
    size_t count = 0, low = 0, high = k->label_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (k->labels[middle].query < row) low = middle + 1;
        else high = middle;
    }
    for (; low < k->label_count && k->labels[low].query == row; low++) {
        if (count == RELEVANT_MOST) return FAIL(e, ERR_FORMAT, "%s: query %lld has more than %d labels", k->folder,
                                                (long long)row, RELEVANT_MOST);
        relevant[count++] = k->labels[low].label;
    }
    const float *x = vectors->rows.at ? rows_at(vectors->rows, (size_t)row) : NULL;
    return k->sink->query(k->sink->context, row, NULL, text_of(&k->text), x, x ? vectors->rows.dim : 0, relevant, count, e);
}

/* Number the queries first: labels name them. */
static int number_queries(struct corpus *k, struct err *e)
{
    struct table t = { 0 };
    int status = table_open(&t, k->folder, "queries.tsv|queries*.tsv", e);
    for (int64_t row = 0; t.path && next_row(&t, &status, e); row++)
        if (names_add(&k->queries, t.cells[0].at, t.cells[0].size) != row) status = bad(&t, "a query that came before", e);
    table_close(&t);
    return status;
}

static int open_vectors(struct dataset *d, const char *folder, const char *patterns, size_t rows, struct err *e)
{
    char *path;
    int status = find_file(folder, patterns, &path, e);
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
    int status = number_queries(k, e);
    if (status == ERR_OK) status = read_labels(k, e);
    if (k->label_count) qsort(k->labels, k->label_count, sizeof *k->labels, compare_labels);
    if (status == ERR_OK) status = table_open(&t, k->folder, "queries.tsv|queries*.tsv", e);
    if (status == ERR_OK && t.path) status = open_vectors(&vectors, k->folder, "*_queries.fvecs", k->queries.count, e);
    const int text = t.path ? column(&t, "text|question") : -1;
    if (status == ERR_OK && t.path && text < 0) status = bad(&t, "no column 'text' or 'question'", e);
    for (int64_t row = 0; t.path && next_row(&t, &status, e); row++) {
        text_clear(&k->text);
        text_add_bytes(&k->text, t.cells[text].at, t.cells[text].size);
        status = k->text.failed ? FAIL(e, ERR_MEM, "%s: no memory", t.path) : send_query(k, &vectors, row, e);
    }
    dataset_close(&vectors);
    table_close(&t);
    return status;
}

static int send_vectors(struct corpus *k, struct err *e)
{
    struct dataset d = { 0 };
    int status = open_vectors(&d, k->folder, "*_corpus.fvecs|*_entities.fvecs|vectors.fvecs", k->entities.count, e);
    for (size_t i = 0; status == ERR_OK && d.rows.at && k->sink->vector && i < d.rows.count; i++)
        status = k->sink->vector(k->sink->context, (int64_t)i + 1, rows_at(d.rows, i), d.rows.dim, e);
    dataset_close(&d);
    return status;
}

static int send_all(struct corpus *k, struct err *e)
{
    static const char relation_files[] = "train.tsv|triples.tsv|edges.tsv|*_edges.tsv";
    struct table entities = { 0 }, relations = { 0 };
    int status = table_open(&entities, k->folder, "entities.tsv|corpus.tsv|entity_types.tsv", e);
    if (status == ERR_OK) status = table_open(&relations, k->folder, relation_files, e);
    if (status == ERR_OK && !entities.path && !relations.path)
        status = FAIL(e, ERR_NOT_FOUND, "%s: no entities.tsv, corpus.tsv, train.tsv, triples.tsv or edges.tsv", k->folder);
    if (status == ERR_OK) status = entities.path ? send_entities(k, &entities, e) : send_ends(k, &relations, e);
    if (status == ERR_OK) status = send_vectors(k, e);
    if (status == ERR_OK && !entities.path) { /* read a second time */
        table_close(&relations);
        status = table_open(&relations, k->folder, relation_files, e);
    }
    if (status == ERR_OK && relations.path) status = read_relation_names(k, e);
    if (status == ERR_OK && relations.path) status = send_relations(k, &relations, e);
    if (status == ERR_OK && k->sink->query) status = send_queries(k, e);
    table_close(&entities);
    table_close(&relations);
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct corpus k = { .sink = sink, .folder = path };
    const int status = send_all(&k, e);
    names_free(&k.entities);
    names_free(&k.relations);
    names_free(&k.queries);
    for (size_t i = 0; i < k.relation_count; i++) free(k.relation_names[i]);
    mem_free(k.relation_names);
    mem_free(k.labels);
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
