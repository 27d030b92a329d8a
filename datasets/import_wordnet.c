/* SPDX-License-Identifier: MIT
 * import_wordnet.c - WordNet 3.0 and 3.1 (wndb(5), lexnames(5), wninput(5)): every synset an entity, every
 * pointer a relation, every usage example a labelled query.
 *
 * A pointer of a sign that wninput(5) does not name (3.1 has some) is kept, with the sign for its type, and counted.
 * Entities are numbered 1.. in the order of the files: noun, verb, adj, adv.  Name: the first lemma.
 * Text, for an embedder: lemmas and definition, without the examples.  An example is a known-item
 * query: its own synset is relevant.  Queries are shuffled, so that the first N are a sample; tune
 * and report are drawn by synset, so that no synset has queries in both. */
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 4, OFFSET_DIGITS = 8 };
static const struct { const char *file, *type; char pos; } parts[FILES] = {
    { "data.noun", "noun", 'n' }, { "data.verb", "verb", 'v' }, { "data.adj", "adjective", 'a' }, { "data.adv", "adverb", 'r' },
};

static const char *const lexfiles[] = {
    "adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute",
    "noun.body", "noun.cognition", "noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group",
    "noun.location", "noun.motive", "noun.object", "noun.person", "noun.phenomenon", "noun.plant", "noun.possession",
    "noun.process", "noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time",
    "verb.body", "verb.change", "verb.cognition", "verb.communication", "verb.competition", "verb.consumption",
    "verb.contact", "verb.creation", "verb.emotion", "verb.motion", "verb.perception", "verb.possession",
    "verb.social", "verb.stative", "verb.weather", "adj.ppl",
};

/* One sign may mean two things: the part of speech that it stands in decides, NULL is any. */
static const struct { const char *sign, *pos, *type; } pointers[] = {
    { "!", NULL, "antonym" }, { "@", NULL, "hypernym" }, { "@i", NULL, "instance_hypernym" },
    { "~", NULL, "hyponym" }, { "~i", NULL, "instance_hyponym" },
    { "#m", NULL, "member_holonym" }, { "#s", NULL, "substance_holonym" }, { "#p", NULL, "part_holonym" },
    { "%m", NULL, "member_meronym" }, { "%s", NULL, "substance_meronym" }, { "%p", NULL, "part_meronym" },
    { "=", NULL, "attribute" }, { "+", NULL, "derivation" },
    { ";c", NULL, "domain_topic" }, { "-c", NULL, "member_of_topic" },
    { ";r", NULL, "domain_region" }, { "-r", NULL, "member_of_region" },
    { ";u", NULL, "domain_usage" }, { "-u", NULL, "member_of_usage" },
    { "*", NULL, "entailment" }, { ">", NULL, "cause" }, { "^", NULL, "also_see" }, { "$", NULL, "verb_group" },
    { "&", NULL, "similar_to" }, { "<", NULL, "participle_of" },
    { "\\", "a", "pertainym" }, { "\\", "r", "derived_from_adjective" },
};

struct example { int64_t synset; const char *at; size_t size; }; /* at: into a mapped file */

struct wordnet {
    const struct kb_sink *sink;
    const char *folder;
    struct mem_map maps[FILES];
    uint32_t *offsets[FILES]; /* of every synset, ascending */
    size_t counts[FILES];
    struct example *examples;
    size_t example_count, example_room;
    struct text lemmas, definition, properties, all;
    struct tally tally;
};

/* A line being read: fields are cut by single spaces. */
struct line {
    const char *at, *end, *start;
    int part;
};

static int bad_line(const struct wordnet *w, const struct line *l, const char *what, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s/%s: offset %zu: %s (wndb(5))", w->folder, parts[l->part].file,
                (size_t)(l->start - (const char *)w->maps[l->part].at), what);
}

static size_t field(struct line *l, const char **at)
{
    const char *space = memchr(l->at, ' ', (size_t)(l->end - l->at));
    const size_t size = (size_t)((space ? space : l->end) - l->at);
    *at = l->at;
    l->at = space ? space + 1 : l->end;
    return size;
}

/* A field of `digits` digits of base 10 or 16; 0 when it is not one. */
static int number(struct line *l, size_t digits, unsigned base, uint32_t *out)
{
    const char *at;
    const size_t size = field(l, &at);
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        const int c = tolower((unsigned char)at[i]);
        const unsigned digit = (unsigned)(isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99);
        if (digit >= base) return 0;
        value = value * base + digit;
    }
    *out = value;
    return size == digits;
}

/* The next line that is not of the licence; 0 at the end. */
static int next_line(const struct wordnet *w, int part, const char **at, struct line *l)
{
    const char *end = (const char *)w->maps[part].at + w->maps[part].size;
    while (*at < end) {
        const char *stop = memchr(*at, '\n', (size_t)(end - *at));
        *l = (struct line){ *at, stop ? stop : end, *at, part };
        *at = stop ? stop + 1 : end;
        if (l->end - l->at > 2 && memcmp(l->at, "  ", 2) != 0) return 1;
    }
    return 0;
}

/* Notes where every synset starts, so that pointers can be resolved. */
static int find_synsets(struct wordnet *w, int part, struct err *e)
{
    const char *at = (const char *)w->maps[part].at;
    struct line l;
    size_t room = w->maps[part].size / 32 + 1; /* no synset is shorter than its numbers */
    w->offsets[part] = mem_alloc(room, sizeof **w->offsets);
    if (!w->offsets[part]) return FAIL(e, ERR_MEM, "wordnet: no memory for %zu synsets", room);
    while (next_line(w, part, &at, &l)) {
        uint32_t offset;
        if (!number(&l, OFFSET_DIGITS, 10, &offset) || offset != (size_t)(l.start - (const char *)w->maps[part].at) ||
            w->counts[part] == room)
            return bad_line(w, &l, "a synset does not begin with its own offset", e);
        w->offsets[part][w->counts[part]++] = offset;
    }
    return w->counts[part] ? ERR_OK : FAIL(e, ERR_FORMAT, "%s/%s: no synsets", w->folder, parts[part].file);
}

/* The entity at an offset of a part; 0 when none starts there. */
static int64_t entity_at(const struct wordnet *w, int part, uint32_t offset)
{
    int64_t before = 1;
    for (int i = 0; i < part; i++) before += (int64_t)w->counts[i];
    size_t low = 0, high = w->counts[part];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (w->offsets[part][middle] < offset) low = middle + 1;
        else high = middle;
    }
    return low < w->counts[part] && w->offsets[part][low] == offset ? before + (int64_t)low : 0;
}

static int part_of(char pos)
{
    for (int i = 0; i < FILES; i++)
        if (parts[i].pos == pos || (pos == 's' && parts[i].pos == 'a')) return i;
    return -1;
}

/* A word as read: underscores are spaces, and an adjective's place "(p)" is dropped. */
static void add_word(struct text *out, const char *at, size_t size)
{
    const char *bracket = memchr(at, '(', size);
    if (bracket && at[size - 1] == ')') size = (size_t)(bracket - at);
    for (size_t i = 0; i < size; i++) text_add_bytes(out, at[i] == '_' ? " " : at + i, 1);
}

/* Splits a gloss: what stands in quotes are examples, the rest is the definition but for what
 * starts with '-', the name of the person quoted.  A quote that is never closed ends with the gloss. */
static int read_gloss(struct wordnet *w, const struct line *l, int64_t synset, struct err *e)
{
    const char *at = l->at;
    text_clear(&w->definition);
    while (at < l->end) {
        const char *quote = memchr(at, '"', (size_t)(l->end - at)), *stop = quote ? quote : l->end;
        while (at < stop && strchr("; ,:", *at)) at++;
        const char *last = stop;
        while (last > at && strchr("; ,:", last[-1])) last--;
        if (last > at && *at != '-')
            text_add(&w->definition, "%s%.*s", w->definition.size ? "; " : "", (int)(last - at), at);
        if (!quote) break;
        const char *close = memchr(quote + 1, '"', (size_t)(l->end - quote - 1));
        if (!close) close = l->end;
        at = close < l->end ? close + 1 : close;
        const char *from = quote + 1;
        while (from < close && *from == ' ') from++;
        while (close > from && close[-1] == ' ') close--;
        if (close == from) continue;
        if (!mem_one_more(&w->examples, w->example_count, &w->example_room, sizeof *w->examples))
            return FAIL(e, ERR_MEM, "wordnet: no memory for %zu examples", w->example_count + 1);
        w->examples[w->example_count++] = (struct example){ synset, from, (size_t)(close - from) };
    }
    return ERR_OK;
}

struct head { uint32_t offset, lexfile, words; char pos; const char *name; };

/* Offset to words: leaves the lemmas, one a '\n', in w->lemmas. */
static int read_head(struct wordnet *w, struct line *l, struct head *h, struct err *e)
{
    const char *at;
    uint32_t ignored;
    if (!number(l, OFFSET_DIGITS, 10, &h->offset) || !number(l, 2, 10, &h->lexfile)) return bad_line(w, l, "no offset", e);
    if (h->lexfile >= sizeof lexfiles / sizeof *lexfiles) return bad_line(w, l, "unknown lexical file", e);
    if (field(l, &at) != 1 || part_of(*at) != l->part) return bad_line(w, l, "a synset of another part of speech", e);
    h->pos = *at;
    if (!number(l, 2, 16, &h->words) || h->words == 0) return bad_line(w, l, "no words", e);
    text_clear(&w->lemmas);
    for (uint32_t i = 0; i < h->words; i++) {
        const size_t size = field(l, &at);
        if (size == 0 || !number(l, 1, 16, &ignored)) return bad_line(w, l, "too few words", e);
        add_word(&w->lemmas, at, size);
        text_add(&w->lemmas, "\n");
    }
    return ERR_OK;
}

/* The i-th lemma (from 1) of w->lemmas. */
static const char *lemma(const struct text *lemmas, uint32_t i, int *size)
{
    const char *at = text_of(lemmas);
    while (--i > 0 && *at) at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != 0);
    *size = (int)strcspn(at, "\n");
    return at;
}

static void add_lemma_json(struct wordnet *w, uint32_t i)
{
    int size;
    const char *at = lemma(&w->lemmas, i, &size);
    struct text one = { 0 };
    text_add(&one, "%.*s", size, at);
    text_add_json(&w->properties, text_of(&one));
    w->properties.failed |= one.failed;
    text_free(&one);
}

static int send_entity(struct wordnet *w, const struct line *l, const struct head *h, int64_t id, struct err *e)
{
    int size;
    const char *first = lemma(&w->lemmas, 1, &size);
    text_clear(&w->all);
    text_add(&w->all, "%.*s", size, first);
    const size_t name_size = w->all.size + 1;
    text_add_bytes(&w->all, "", 1);
    for (const char *at = text_of(&w->lemmas); *at; at++) text_add_bytes(&w->all, *at == '\n' ? ", " : at, *at == '\n' ? 2 : 1);
    text_add(&w->all, "%s", text_of(&w->definition));
    text_clear(&w->properties);
    text_add(&w->properties, "{\"lemmas\":[");
    for (uint32_t i = 1; i <= h->words; i++) {
        if (i > 1) text_add(&w->properties, ",");
        add_lemma_json(w, i);
    }
    text_add(&w->properties, "],\"pos\":\"%c\",\"lexfile\":\"%s\",\"offset\":%u,\"definition\":", h->pos,
             lexfiles[h->lexfile], h->offset);
    text_add_json(&w->properties, text_of(&w->definition));
    text_add(&w->properties, "}");
    if (w->all.failed || w->properties.failed || w->definition.failed || w->lemmas.failed)
        return FAIL(e, ERR_MEM, "wordnet: no memory for a synset");
    if (!w->sink->entity) return ERR_OK;
    return w->sink->entity(w->sink->context, id, parts[l->part].type, text_of(&w->all), text_of(&w->properties),
                           text_of(&w->all) + name_size, e);
}

static int send_entities(struct wordnet *w, int part, int64_t *id, struct err *e)
{
    const char *at = (const char *)w->maps[part].at;
    struct line l;
    int status = ERR_OK;
    while (status == ERR_OK && next_line(w, part, &at, &l)) {
        struct head h;
        const char *bar;
        status = read_head(w, &l, &h, e);
        if (status != ERR_OK) return status;
        bar = memchr(l.at, '|', (size_t)(l.end - l.at));
        if (!bar) return bad_line(w, &l, "no gloss", e);
        l.at = bar + 1;
        status = read_gloss(w, &l, *id, e);
        if (status == ERR_OK) status = send_entity(w, &l, &h, *id, e);
        (*id)++;
    }
    return status;
}

static const char *pointer_type(const char *at, size_t size, char pos)
{
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
        if (strlen(pointers[i].sign) == size && memcmp(pointers[i].sign, at, size) == 0 &&
            (!pointers[i].pos || strchr(pointers[i].pos, pos == 's' ? 'a' : pos)))
            return pointers[i].type;
    return NULL;
}

/* One pointer: sign, offset, part of speech, and the two words that it joins (0000: the synsets). */
static int send_pointer(struct wordnet *w, struct line *l, const struct head *h, int64_t source, struct err *e)
{
    const char *sign, *pos;
    uint32_t offset, words;
    char properties[64];
    const size_t size = field(l, &sign);
    char own[16], what[80];
    const char *type = pointer_type(sign, size, h->pos);
    if (size == 0 || size >= sizeof own) return bad_line(w, l, "no sign of a pointer", e);
    if (!type) {
        snprintf(own, sizeof own, "%.*s", (int)size, sign);
        snprintf(what, sizeof what, "pointers of the unknown sign %s, which is their type", own);
        const int status = tally_add(&w->tally, what, 1, NULL, e);
        if (status != ERR_OK) return status;
        type = own;
    }
    if (!number(l, OFFSET_DIGITS, 10, &offset) || field(l, &pos) != 1 || part_of(*pos) < 0 || !number(l, 4, 16, &words))
        return bad_line(w, l, "a pointer is cut short", e);
    const int64_t target = entity_at(w, part_of(*pos), offset);
    if (!target) return bad_line(w, l, "a pointer to no synset", e);
    snprintf(properties, sizeof properties, "{\"source_word\":%u,\"target_word\":%u}", words >> 8, words & 255);
    return w->sink->relation(w->sink->context, source, target, type, 1, words ? properties : NULL, e);
}

static int send_relations(struct wordnet *w, int part, int64_t *id, struct err *e)
{
    const char *at = (const char *)w->maps[part].at;
    struct line l;
    int status = ERR_OK;
    while (status == ERR_OK && next_line(w, part, &at, &l)) {
        struct head h;
        uint32_t count = 0;
        status = read_head(w, &l, &h, e);
        if (status == ERR_OK && !number(&l, 3, 10, &count)) status = bad_line(w, &l, "no count of pointers", e);
        for (uint32_t i = 0; status == ERR_OK && i < count; i++) status = send_pointer(w, &l, &h, *id, e);
        (*id)++;
    }
    return status;
}

static int send_queries(struct wordnet *w, struct err *e)
{
    uint32_t *order = mem_alloc(w->example_count, sizeof *order);
    struct text text = { 0 };
    struct rng r;
    int status = order ? ERR_OK : FAIL(e, ERR_MEM, "wordnet: no memory for %zu examples", w->example_count);
    rng_seed(&r, 3, 0); /* any fixed number */
    if (order) rng_shuffle(&r, order, w->example_count);
    for (size_t i = 0; status == ERR_OK && i < w->example_count; i++) {
        const struct example *x = &w->examples[order[i]];
        const int tune = hash64(0, &x->synset, sizeof x->synset) & 1;
        const struct kb_label own = { .id = x->synset, .grade = 1 };
        text_clear(&text);
        text_add_bytes(&text, x->at, x->size);
        if (text.failed) status = FAIL(e, ERR_MEM, "wordnet: no memory for an example");
        else status = w->sink->query(w->sink->context, (int64_t)order[i] + 1, tune ? "tune" : "report", text_of(&text),
                                     NULL, 0, &own, 1, e);
    }
    text_free(&text);
    mem_free(order);
    return status;
}

static int open_files(struct wordnet *w, struct err *e)
{
    int status = ERR_OK;
    for (int part = 0; status == ERR_OK && part < FILES; part++) {
        struct text path = { 0 };
        text_add(&path, "%s/%s", w->folder, parts[part].file);
        status = path.failed ? FAIL(e, ERR_MEM, "wordnet: no memory") : mem_map_open(&w->maps[part], text_of(&path), e);
        if (status == ERR_OK) status = find_synsets(w, part, e);
        text_free(&path);
    }
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct wordnet w = { .sink = sink, .folder = path };
    int64_t id = 1;
    int status = open_files(&w, e);
    for (int part = 0; status == ERR_OK && part < FILES; part++) status = send_entities(&w, part, &id, e);
    id = 1;
    for (int part = 0; status == ERR_OK && part < FILES && sink->relation; part++)
        status = send_relations(&w, part, &id, e);
    if (status == ERR_OK && sink->query) status = send_queries(&w, e);
    if (status == ERR_OK) status = sink_tally(sink, &w.tally, e);
    tally_free(&w.tally);
    for (int part = 0; part < FILES; part++) {
        mem_map_close(&w.maps[part]);
        mem_free(w.offsets[part]);
    }
    mem_free(w.examples);
    text_free(&w.lemmas);
    text_free(&w.definition);
    text_free(&w.properties);
    text_free(&w.all);
    return status;
}

const struct importer_ops import_wordnet = {
    .name = "wordnet",
    .summary = "WordNet 3.0 and 3.1: synsets, typed pointers, usage examples as labelled queries",
    .from = "/usr/share/wordnet",
    .get = "apt-get install wordnet-base",
    .run = run,
};
