/* SPDX-License-Identifier: MIT
 * import_planetoid.c - a citation graph of Planetoid (Yang, Cohen & Salakhutdinov 2016): papers, their words, their
 * citations; a tenth of these is held out and becomes what questions ask for.
 *
 *   labels.tsv            node, label: the papers, and their type "class 3"
 *   edges.tsv             src, dst: undirected citations, each sent once
 *   features_sparse.tsv   without a header: node, tab, the numbers of its words between blanks; # begins a comment
 *   the one *.fvecs       vectors, row i of paper i; without it the words are embedded
 *
 * A citation is held out when a hash of its two ends says so, the same everywhere; each end then asks for the other,
 * by its own vector or words.  The asking paper is in the base and finds itself first.
 * Questions are numbered in the order of the papers. */
#include "datasets/columns.h"
#include "datasets/dataset.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_OUT = 10 };

struct pair { size_t from, to; };

struct citations {
    const struct kb_sink *sink;
    const char *folder;
    struct ids papers;
    struct text *words; /* of each paper */
    size_t word_room;
    struct dataset vectors;
    struct pair *held;
    size_t held_count, held_room;
    struct text name, type, properties;
    struct tally tally;
};

static int no_memory(const struct citations *c, struct err *e) { return FAIL(e, ERR_MEM, "%s: no memory", c->folder); }

static const char *const label_columns[] = { "node", "label", NULL };

static int read_papers(struct citations *c, struct err *e)
{
    struct columns t = { 0 };
    size_t place;
    int status = columns_open(&t, c->folder, "labels.tsv", label_columns, e), known = 0;
    while (columns_next(&t, &status, e)) {
        const char *id = columns_cell(&t, 0), *fault = id_fault(id, strlen(id));
        if (fault) status = columns_bad(&t, "node", id, fault, e);
        else status = ids_add(&c->papers, id, strlen(id), &place, &known, e);
        if (status == ERR_OK && known) status = columns_bad(&t, "node", id, "an id that came before", e);
    }
    columns_close(&t);
    c->word_room = c->papers.names.count;
    c->words = status == ERR_OK ? mem_zero(c->word_room + 1, sizeof *c->words) : NULL;
    return status == ERR_OK && !c->words ? no_memory(c, e) : status;
}

/* "w19 w81": words without a name still tell papers apart. */
static int read_words(struct citations *c, struct err *e)
{
    struct lines l = { 0 };
    struct text path = { 0 };
    text_add(&path, "%s/features_sparse.tsv", c->folder);
    int status = path.failed ? no_memory(c, e) : lines_open(&l, text_of(&path), e);
    for (char *line; status == ERR_OK && (line = lines_next(&l, &status, e));) {
        char *tab = strchr(line, '\t');
        if (*line == '#') continue;
        if (!tab) {
            status = line_bad(e, l.path, l.number, NULL, NULL, "is no node, tab and numbers of words");
            break;
        }
        *tab = 0;
        const int64_t place = ids_place(&c->papers, line, strlen(line));
        if (place == NAMES_NONE) status = line_bad(e, l.path, l.number, "node", line, "labels.tsv does not have it");
        for (char *word = strtok(tab + 1, " "); status == ERR_OK && word; word = strtok(NULL, " "))
            text_add(&c->words[place], "%sw%s", c->words[place].size ? " " : "", word);
        if (status == ERR_OK && c->words[place].failed) status = no_memory(c, e);
    }
    lines_close(&l);
    text_free(&path);
    return status;
}

static int open_vectors(struct citations *c, struct err *e)
{
    struct text pattern = { 0 };
    glob_t found = { 0 };
    text_add(&pattern, "%s/*.fvecs", c->folder);
    const int rc = pattern.failed ? GLOB_NOSPACE : glob(text_of(&pattern), 0, NULL, &found);
    int status = rc == GLOB_NOSPACE ? no_memory(c, e) : ERR_OK;
    if (rc == 0 && found.gl_pathc > 1)
        status = FAIL(e, ERR_FORMAT, "%s: %zu files *.fvecs, which are the vectors?", c->folder, found.gl_pathc);
    if (rc == 0 && status == ERR_OK) status = dataset_open(&c->vectors, found.gl_pathv[0], e);
    if (status == ERR_OK && c->vectors.rows.at && c->vectors.rows.count != c->papers.names.count)
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows for %zu papers", found.gl_pathv[0], c->vectors.rows.count,
                      c->papers.names.count);
    globfree(&found);
    text_free(&pattern);
    return status;
}

static int send_papers(struct citations *c, struct err *e)
{
    struct columns t = { 0 };
    const struct rows rows = c->vectors.rows;
    int status = columns_open(&t, c->folder, "labels.tsv", label_columns, e);
    for (size_t i = 0; columns_next(&t, &status, e); i++) {
        text_clear(&c->name);
        text_clear(&c->type);
        text_clear(&c->properties);
        text_add(&c->name, "paper %s", columns_cell(&t, 0));
        text_add(&c->type, "class %s", columns_cell(&t, 1));
        text_add(&c->properties, "{\"words\":");
        text_add_json(&c->properties, text_of(&c->words[i]));
        text_add(&c->properties, "}");
        if (c->name.failed || c->type.failed || c->properties.failed) status = no_memory(c, e);
        const int64_t number = ids_number(&c->papers, i);
        if (status == ERR_OK && c->papers.words) status = sink_entity_id(c->sink, number, columns_cell(&t, 0), e);
        if (status == ERR_OK && c->sink->entity)
            status = c->sink->entity(c->sink->context, number, text_of(&c->type), text_of(&c->name),
                                     text_of(&c->properties),
                                     rows.at ? NULL : text_of(&c->words[i]), e);
    }
    columns_close(&t);
    for (size_t i = 0; status == ERR_OK && rows.at && c->sink->vector && i < rows.count; i++)
        status = c->sink->vector(c->sink->context, ids_number(&c->papers, i), rows_at(rows, i), rows.dim, e);
    return status;
}

static int is_held_out(size_t a, size_t b)
{
    const uint64_t ends[2] = { a < b ? a : b, a < b ? b : a };
    return hash64(0, ends, sizeof ends) % HELD_OUT == 0;
}

static int hold(struct citations *c, size_t from, size_t to, struct err *e)
{
    if (!mem_one_more(&c->held, c->held_count, &c->held_room, sizeof *c->held)) return no_memory(c, e);
    c->held[c->held_count++] = (struct pair){ from, to };
    return ERR_OK;
}

static int send_citations(struct citations *c, struct err *e)
{
    static const char *const wanted[] = { "src", "dst", NULL };
    struct columns t = { 0 };
    int status = columns_open(&t, c->folder, "edges.tsv", wanted, e);
    while (columns_next(&t, &status, e)) {
        size_t end[2] = { 0 };
        for (int i = 0; status == ERR_OK && i < 2; i++) {
            const char *id = columns_cell(&t, i);
            const int64_t place = ids_place(&c->papers, id, strlen(id));
            if (place == NAMES_NONE) status = columns_bad(&t, wanted[i], id, "labels.tsv does not have it", e);
            else end[i] = (size_t)place;
        }
        if (status != ERR_OK) break;
        if (end[0] == end[1]) {
            status = tally_add(&c->tally, "citations of a paper by itself, left out", 1, columns_cell(&t, 0), e);
        } else if (is_held_out(end[0], end[1])) {
            status = hold(c, end[0], end[1], e);
            if (status == ERR_OK) status = hold(c, end[1], end[0], e);
        } else if (c->sink->relation) {
            status = c->sink->relation(c->sink->context, ids_number(&c->papers, end[0]), ids_number(&c->papers,
                                                                                                    end[1]), "cites", 1,
                                       NULL, e);
        }
    }
    columns_close(&t);
    if (status == ERR_OK && c->held_count)
        status = tally_add(&c->tally, "citations held out for questions", c->held_count / 2, NULL, e);
    return status;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static int ask_all(struct citations *c, struct err *e)
{
    const struct rows rows = c->vectors.rows;
    struct kb_label *relevant = mem_zero(c->held_count + 1, sizeof *relevant);
    int status = relevant ? ERR_OK : no_memory(c, e);
    int64_t questions = 0;
    if (c->held_count) qsort(c->held, c->held_count, sizeof *c->held, compare_pairs);
    for (size_t from = 0, to; status == ERR_OK && from < c->held_count; from = to) {
        const size_t paper = c->held[from].from;
        size_t count = 0;
        for (to = from; to < c->held_count && c->held[to].from == paper; to++)
            if (to == from || c->held[to].to != c->held[to - 1].to)
                relevant[count++] = (struct kb_label){ .id = ids_number(&c->papers, c->held[to].to), .grade = 1 };
        status = c->sink->query(c->sink->context, questions++, NULL, rows.at ? NULL : text_of(&c->words[paper]),
                                rows.at ? rows_at(rows, paper) : NULL, rows.at ? rows.dim : 0, relevant, count, e);
    }
    mem_free(relevant);
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct citations c = { .sink = sink, .folder = path };
    int status = read_papers(&c, e);
    if (status == ERR_OK) status = read_words(&c, e);
    if (status == ERR_OK) status = open_vectors(&c, e);
    if (status == ERR_OK) status = send_papers(&c, e);
    if (status == ERR_OK) status = send_citations(&c, e);
    if (status == ERR_OK && sink->query) status = ask_all(&c, e);
    if (status == ERR_OK) status = sink_tally(sink, &c.tally, e);
    for (size_t i = 0; c.words && i < c.word_room; i++) text_free(&c.words[i]);
    mem_free(c.words);
    mem_free(c.held);
    ids_free(&c.papers);
    text_free(&c.name);
    text_free(&c.type);
    text_free(&c.properties);
    tally_free(&c.tally);
    dataset_close(&c.vectors);
    return status;
}

const struct importer_ops import_planetoid = {
    .name = "planetoid",
    .summary = "a citation graph (Cora, Citeseer, Pubmed) with a tenth of the citations held out as questions",
    .get = "a folder with labels.tsv, edges.tsv and features_sparse.tsv",
    .run = run,
};
