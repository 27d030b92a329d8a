/* SPDX-License-Identifier: MIT
 * import_triples.c - a knowledge graph of link prediction (FB15k-237, WN18RR, CoDEx, UMLS): the training triples become
 * the base, the held-out ones questions.
 *
 *   entities.tsv        entity or id; name, text; freebase_mid becomes a property.  Without it entity_types.tsv
 *                       (CoDEx's: entity, type_labels)
 *   relations.tsv       id or rel; name or label; description: names for what `rel` says.  May be missing
 *   train.tsv           head rel tail
 *   valid.tsv, dev.tsv  questions of the split tune; test.tsv: of the split report
 *   the one *_entities.fvecs: vectors, row i of entity i
 *
 * A question is a head and a relation, "Rome: capital of", and every tail that the file gives for the two is relevant;
 * with vectors its vector is the head's.  Questions are numbered from 0 in each split.  Heads and tails that are no
 * entity are counted. */
#include "datasets/columns.h"
#include "datasets/dataset.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct triple { int64_t head, relation, tail; };

struct graph {
    const struct kb_sink *sink;
    const char *folder;
    struct ids entities;
    struct names relations, renamed; /* as train.tsv has them; the ids of relations.tsv */
    char **names, **called;          /* of entities; of renamed */
    size_t name_count, name_room, called_count, called_room;
    struct text text, properties;
    struct dataset vectors;
    struct triple *held;
    size_t held_count, held_room;
    int64_t questions;
    struct tally tally;
};

static int no_memory(const struct graph *g, struct err *e) { return FAIL(e, ERR_MEM, "%s: no memory", g->folder); }

/* Appends a copy to an array of strings. */
static int keep(char ***array, size_t *count, size_t *room, const char *value)
{
    if (!mem_one_more(array, *count, room, sizeof **array)) return ERR_MEM;
    char *copy = strdup(value);
    if (!copy) return ERR_MEM;
    (*array)[(*count)++] = copy;
    return ERR_OK;
}

static int has_file(const struct graph *g, const char *name)
{
    struct text path = { 0 };
    text_add(&path, "%s/%s", g->folder, name);
    const int found = !path.failed && access(text_of(&path), F_OK) == 0;
    text_free(&path);
    return found;
}

/* Identifiers as words: "_" between them says nothing to an embedder. */
static void add_words(struct text *out, const char *id)
{
    for (; *id; id++) text_add_bytes(out, *id == '_' ? " " : id, 1);
}

/* --- entities ------------------------------------------------------------------------------------- */
enum { ID, NAME, TEXT, MID, TYPES };
static const char *const entity_columns[] = { "entity|id", "name?", "text?", "freebase_mid?", "type_labels?", NULL };

static int send_entity(struct graph *g, const struct columns *c, size_t place, struct err *e)
{
    const char *id = columns_cell(c, ID), *name = columns_cell(c, NAME), *text = columns_cell(c, TEXT);
    const char *mid = columns_cell(c, MID), *types = columns_cell(c, TYPES);
    const int64_t number = ids_number(&g->entities, place);
    if (!*name) name = id;
    text_clear(&g->text);
    text_clear(&g->properties);
    add_words(&g->text, name);
    if (*text || *types) text_add(&g->text, ". %s%s%s", text, *text && *types ? ". " : "", types);
    const char *const keys[] = { "text", "freebase_mid", "type_labels" }, *const values[] = { text, mid, types };
    text_add(&g->properties, "{");
    for (int i = 0; i < 3; i++) {
        if (!*values[i]) continue;
        text_add(&g->properties, "%s\"%s\":", g->properties.size > 1 ? "," : "", keys[i]);
        text_add_json(&g->properties, values[i]);
    }
    text_add(&g->properties, "}");
    if (g->text.failed || g->properties.failed || keep(&g->names, &g->name_count, &g->name_room,
                                                       name)) return no_memory(g, e);
    int status = g->entities.words ? sink_entity_id(g->sink, number, id, e) : ERR_OK;
    if (status == ERR_OK && g->sink->entity)
        status = g->sink->entity(g->sink->context, number, "entity", name, text_of(&g->properties), text_of(&g->text),
                                 e);
    return status;
}

/* All ids first: whether they are numbers is known only then. */
static int read_entities(struct graph *g, const char *file, int send, struct err *e)
{
    struct columns c = { 0 };
    int status = columns_open(&c, g->folder, file, entity_columns, e), known;
    for (size_t row = 0; status == ERR_OK && columns_next(&c, &status, e); row++) {
        const char *id = columns_cell(&c, ID), *fault = id_fault(id, strlen(id));
        size_t place = row;
        if (send) status = send_entity(g, &c, place, e);
        else if (fault) status = columns_bad(&c, "entity", id, fault, e);
        else status = ids_add(&g->entities, id, strlen(id), &place, &known, e);
        if (!send && status == ERR_OK && known) status = columns_bad(&c, "entity", id, "an id that came before", e);
    }
    columns_close(&c);
    return status;
}

static int read_relation_names(struct graph *g, struct err *e)
{
    static const char *const wanted[] = { "rel|id", "name|label", "description?", NULL };
    struct columns c = { 0 };
    if (!has_file(g, "relations.tsv")) return ERR_OK;
    int status = columns_open(&c, g->folder, "relations.tsv", wanted, e);
    while (columns_next(&c, &status, e)) {
        const char *id = columns_cell(&c, 0);
        const int64_t at = names_add(&g->renamed, id, strlen(id));
        if (at == NAMES_NONE) status = no_memory(g, e);
        else if ((size_t)at < g->called_count) status = columns_bad(&c, "rel", id, "an id that came before", e);
        else if (keep(&g->called, &g->called_count, &g->called_room, columns_cell(&c, 1))) status = no_memory(g, e);
    }
    columns_close(&c);
    return status;
}

static const char *relation_name(const struct graph *g, const char *rel)
{
    const int64_t at = names_find(&g->renamed, rel, strlen(rel));
    return at == NAMES_NONE ? rel : g->called[at];
}

static int send_vectors(struct graph *g, struct err *e)
{
    struct text pattern = { 0 };
    glob_t found = { 0 };
    text_add(&pattern, "%s/*_entities.fvecs", g->folder);
    const int rc = pattern.failed ? GLOB_NOSPACE : glob(text_of(&pattern), 0, NULL, &found);
    int status = rc == GLOB_NOSPACE ? no_memory(g, e) : ERR_OK;
    if (rc == 0 && found.gl_pathc > 1)
        status = FAIL(e, ERR_FORMAT, "%s: %zu files *_entities.fvecs, which are the vectors?", g->folder,
                      found.gl_pathc);
    if (rc == 0 && status == ERR_OK) status = dataset_open(&g->vectors, found.gl_pathv[0], e);
    if (status == ERR_OK && g->vectors.rows.at && g->vectors.rows.count != g->entities.names.count)
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows for %zu entities", found.gl_pathv[0], g->vectors.rows.count,
                      g->entities.names.count);
    for (size_t i = 0; status == ERR_OK && g->vectors.rows.at && g->sink->vector && i < g->vectors.rows.count; i++)
        status = g->sink->vector(g->sink->context, ids_number(&g->entities, i), rows_at(g->vectors.rows, i),
                                 g->vectors.rows.dim, e);
    globfree(&found);
    text_free(&pattern);
    return status;
}

/* --- triples --------------------------------------------------------------------------------------- */
static const char *const triple_columns[] = { "head", "rel", "tail", NULL };

static int send_training(struct graph *g, struct err *e)
{
    struct columns c = { 0 };
    int status = columns_open(&c, g->folder, "train.tsv", triple_columns, e);
    while (g->sink->relation && columns_next(&c, &status, e)) {
        const char *head = columns_cell(&c, 0), *tail = columns_cell(&c, 2);
        const int64_t from = ids_place(&g->entities, head, strlen(head)), to = ids_place(&g->entities, tail,
                                                                                         strlen(tail));
        if (from == NAMES_NONE) status = columns_bad(&c, "head", head, "no entity has this id", e);
        else if (to == NAMES_NONE) status = columns_bad(&c, "tail", tail, "no entity has this id", e);
        else status = g->sink->relation(g->sink->context, ids_number(&g->entities, (size_t)from),
                                        ids_number(&g->entities, (size_t)to), relation_name(g, columns_cell(&c, 1)), 1,
                                            NULL, e);
    }
    columns_close(&c);
    return status;
}

static int compare_triples(const void *a, const void *b)
{
    const struct triple *x = a, *y = b;
    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    if (x->relation != y->relation) return x->relation < y->relation ? -1 : 1;
    return (x->tail > y->tail) - (x->tail < y->tail);
}

static int ask(struct graph *g, const struct triple *t, size_t count, const char *split, struct err *e)
{
    struct kb_label *relevant = mem_zero(count, sizeof *relevant);
    size_t labels = 0;
    text_clear(&g->text);
    add_words(&g->text, g->names[t->head]);
    text_add(&g->text, ": ");
    add_words(&g->text, relation_name(g, names_at(&g->relations, (size_t)t->relation)));
    int status = relevant && !g->text.failed ? ERR_OK : no_memory(g, e);
    for (size_t i = 0; status == ERR_OK && i < count; i++)
        if (i == 0 || t[i].tail != t[i - 1].tail)
            relevant[labels++] = (struct kb_label){ .id = ids_number(&g->entities, (size_t)t[i].tail), .grade = 1 };
    const struct rows rows = g->vectors.rows;
    if (status == ERR_OK)
        status = g->sink->query(g->sink->context, g->questions++, split, text_of(&g->text),
                                rows.at ? rows_at(rows, (size_t)t->head) : NULL, rows.at ? rows.dim : 0, relevant,
                                    labels, e);
    mem_free(relevant);
    return status;
}

static int read_held_out(struct graph *g, const char *file, struct err *e)
{
    struct columns c = { 0 };
    g->held_count = 0;
    int status = columns_open(&c, g->folder, file, triple_columns, e);
    while (columns_next(&c, &status, e)) {
        const char *head = columns_cell(&c, 0), *rel = columns_cell(&c, 1), *tail = columns_cell(&c, 2);
        const int64_t from = ids_place(&g->entities, head, strlen(head)), to = ids_place(&g->entities, tail,
                                                                                         strlen(tail));
        const int64_t relation = names_add(&g->relations, rel, strlen(rel));
        if (relation == NAMES_NONE || !mem_one_more(&g->held, g->held_count, &g->held_room, sizeof *g->held))
            status = no_memory(g, e);
        else if (from == NAMES_NONE || to == NAMES_NONE)
            status = tally_add(&g->tally, "held-out triples whose head or tail is no entity", 1,
                               from == NAMES_NONE ? head : tail, e);
        else g->held[g->held_count++] = (struct triple){ from, relation, to };
    }
    columns_close(&c);
    return status;
}

static int ask_all(struct graph *g, const char *file, const char *split, struct err *e)
{
    if (!has_file(g, file)) return ERR_OK;
    int status = read_held_out(g, file, e);
    if (g->held_count) qsort(g->held, g->held_count, sizeof *g->held, compare_triples);
    for (size_t from = 0, to; status == ERR_OK && from < g->held_count; from = to) {
        for (to = from + 1; to < g->held_count && g->held[to].head == g->held[from].head &&
                            g->held[to].relation == g->held[from].relation; to++) {}
        status = ask(g, g->held + from, to - from, split, e);
    }
    return status;
}

static int send_all(struct graph *g, struct err *e)
{
    const char *file = has_file(g, "entities.tsv") ? "entities.tsv" : "entity_types.tsv";
    int status = read_entities(g, file, 0, e);
    if (status == ERR_OK) status = read_entities(g, file, 1, e);
    if (status == ERR_OK) status = read_relation_names(g, e);
    if (status == ERR_OK) status = send_vectors(g, e);
    if (status == ERR_OK) status = send_training(g, e);
    if (status == ERR_OK && g->sink->query) {
        status = ask_all(g, "valid.tsv", "tune", e);
        if (status == ERR_OK) status = ask_all(g, "dev.tsv", "tune", e);
        g->questions = 0;
        if (status == ERR_OK) status = ask_all(g, "test.tsv", "report", e);
    }
    return status == ERR_OK ? sink_tally(g->sink, &g->tally, e) : status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct graph g = { .sink = sink, .folder = path };
    const int status = send_all(&g, e);
    for (size_t i = 0; i < g.name_count; i++) free(g.names[i]);
    for (size_t i = 0; i < g.called_count; i++) free(g.called[i]);
    mem_free(g.names);
    mem_free(g.called);
    mem_free(g.held);
    ids_free(&g.entities);
    names_free(&g.relations);
    names_free(&g.renamed);
    text_free(&g.text);
    text_free(&g.properties);
    tally_free(&g.tally);
    dataset_close(&g.vectors);
    return status;
}

const struct importer_ops import_triples = {
    .name = "triples",
    .summary = "a knowledge graph of link prediction: training triples as the base, held-out ones as questions",
    .get = "a folder of FB15k-237, WN18RR, CoDEx or UMLS with entities.tsv, train.tsv, valid.tsv or dev.tsv, test.tsv",
    .run = run,
};
