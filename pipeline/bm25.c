/* SPDX-License-Identifier: MIT
 * bm25.c - builds, keeps and asks the inverted index: texts are cut into tokens, their postings sorted by token
 * into one block, which is written and mapped as it is. */
#include "pipeline/bm25.h"
#include "kernels/base/file.h"
#include "kernels/base/names.h"
#include "kernels/base/text.h"
#include "pipeline/side.h"
#include <sleef.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file: this, postings, document, impact, sizes, name_at, names. */
struct header {
    char magic[8];
    uint32_t version, crc; /* crc: of all that follows the header */
    uint64_t fingerprint, documents, terms, postings, name_bytes;
};
static const char MAGIC[8] = { 'A', 'S', 'S', 'A', 'Y', 'W', 'R', 'D' };
enum { VERSION = 3 }; /* 3: ids are no words */
static const double K1 = 1.2, PART = 0.75;

/* --- cutting ----------------------------------------------------------------------------------- */

struct word_cutter {
    fts5_tokenizer with;
    Fts5Tokenizer *tokenizer;
    word_token_fn *each;
    void *context;
};

int word_cutter_create(struct word_cutter **out, struct store *s, struct err *e)
{
    sqlite3_stmt *st = NULL;
    fts5_api *api = NULL;
    void *known = NULL;
    const char *base[] = { "unicode61" };
    struct word_cutter *c = mem_zero(1, sizeof *c);
    if (!c) return FAIL(e, ERR_MEM, "%s: no memory to cut words", store_path(s));
    if (sqlite3_prepare_v2(store_handle(s), "SELECT fts5(?1)", -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
        (void)sqlite3_step(st);
    }
    sqlite3_finalize(st);
    if (!api || api->xFindTokenizer(api, "porter", &known, &c->with) != SQLITE_OK ||
        c->with.xCreate(known, base, 1, &c->tokenizer) != SQLITE_OK) {
        mem_free(c);
        return FAIL(e, ERR_UNSUPPORTED, "%s: this SQLite has no FTS5, which cuts words", store_path(s));
    }
    *out = c;
    return ERR_OK;
}

void word_cutter_destroy(struct word_cutter *c)
{
    if (!c) return;
    c->with.xDelete(c->tokenizer);
    mem_free(c);
}

static int on_token(void *context, int flags, const char *token, int size, int start, int end)
{
    (void)flags, (void)start, (void)end;
    const struct word_cutter *c = context;
    return c->each(c->context, token, (size_t)size);
}

int word_cutter_run(struct word_cutter *c, const char *text, size_t size, word_token_fn *each, void *context)
{
    c->each = each;
    c->context = context;
    return size ? c->with.xTokenize(c->tokenizer, c, FTS5_TOKENIZE_DOCUMENT, text, (int)size, on_token) : 0;
}

/* --- building ---------------------------------------------------------------------------------- */

/* Postings in the order of documents; each term knows its last one. */
struct posting { uint32_t term, document, count; };
struct term { size_t last, postings; }; /* last: the number of its last posting + 1 */

struct building {
    struct names names;
    struct term *terms;
    struct posting *postings;
    uint32_t *sizes; /* tokens of each document */
    size_t term_room, count, room, documents, document_room;
};

static void building_free(struct building *b)
{
    names_free(&b->names);
    mem_free(b->terms);
    mem_free(b->postings);
    mem_free(b->sizes);
}

static int take_token(void *context, const char *token, size_t size)
{
    struct building *b = context;
    const size_t known = b->names.count;
    const uint32_t document = (uint32_t)b->documents;
    const int64_t number = names_add(&b->names, token, size);
    if (number == NAMES_NONE || !mem_one_more(&b->terms, (size_t)number, &b->term_room, sizeof *b->terms) ||
        !mem_one_more(&b->postings, b->count, &b->room, sizeof *b->postings))
        return ERR_MEM;
    struct term *t = &b->terms[number];
    if ((size_t)number == known) *t = (struct term){ 0 };
    b->sizes[document]++;
    if (t->last && b->postings[t->last - 1].document == document) return b->postings[t->last - 1].count++, 0;
    b->postings[b->count++] = (struct posting){ (uint32_t)number, document, 1 };
    t->last = b->count;
    t->postings++;
    return 0;
}

static int read_error(struct store *s, struct err *e)
{
    sqlite3 *db = store_handle(s);
    const int code = sqlite3_errcode(db) & 0xff;
    return FAIL(e, code == SQLITE_NOMEM ? ERR_MEM : code == SQLITE_BUSY ? ERR_BUSY : ERR_IO, "%s: words: %s",
                store_path(s), sqlite3_errmsg(db));
}

/* What cuts the text of an entity into the words of a document. */
struct reader {
    struct store *store;
    struct building *into;
    struct word_cutter *cutter;
    sqlite3_stmt *texts; /* of name ?1, properties ?2 and id ?3: one text */
    struct text own;     /* that id */
    struct err *e;
};

static int reader_init(struct reader *r, struct store *s, struct building *into, struct err *e)
{
    /* An id is no word: neither one among the properties, nor as the name of a document that has no other. */
    static const char sql[] =
        "SELECT CASE WHEN ?1 = '(no name)' OR (?1 = ?3 AND CASE WHEN json_valid(?2) THEN json_type(?2, '$.text') = 'text' "
        "END) THEN '' ELSE ?1 || ' ' END || CASE WHEN json_valid(?2) THEN coalesce((SELECT group_concat(atom, ' ') "
        "FROM json_tree(?2) WHERE type = 'text' AND NOT (path = '$' AND key IN ('id', '_id'))), '') ELSE '' END";
    *r = (struct reader){ .store = s, .into = into, .e = e };
    int status = word_cutter_create(&r->cutter, s, e);
    if (status == ERR_OK && sqlite3_prepare_v2(store_handle(s), sql, -1, &r->texts, NULL) != SQLITE_OK)
        status = read_error(s, e);
    return status;
}

static void reader_fini(struct reader *r)
{
    sqlite3_finalize(r->texts);
    text_free(&r->own);
    word_cutter_destroy(r->cutter);
}

static int read_text(void *context, int64_t id, const char *name, size_t name_size, const char *properties,
                     size_t properties_size)
{
    struct reader *r = context;
    struct building *b = r->into;
    text_clear(&r->own);
    int rc = sqlite3_bind_text(r->texts, 1, name, (int)name_size, SQLITE_STATIC);
    int status = store_id_of(r->store, id, &r->own, r->e);
    if (status != ERR_OK) return status;
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(r->texts, 3, text_of(&r->own), (int)r->own.size, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(r->texts, 2, properties, (int)properties_size, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(r->texts);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(r->texts, 0) : NULL;
    if (rc != SQLITE_ROW) {
        status = read_error(r->store, r->e);
    } else {
        int failed = !text || !mem_one_more(&b->sizes, b->documents, &b->document_room, sizeof *b->sizes);
        if (!failed) b->sizes[b->documents] = 0;
        if (!failed)
            failed = word_cutter_run(r->cutter, text, (size_t)sqlite3_column_bytes(r->texts, 0), take_token, b);
        if (failed) status = FAIL(r->e, ERR_MEM, "%s: no memory for its words", store_path(r->store));
        b->documents++;
    }
    sqlite3_reset(r->texts);
    return status;
}

static int read_texts(struct building *b, struct store *s, struct err *e)
{
    struct reader r;
    int status = reader_init(&r, s, b, e);
    if (status == ERR_OK) status = store_texts(s, read_text, &r, e);
    reader_fini(&r);
    return status;
}

struct named { const char *name; uint32_t number; };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The next `size` bytes of a block or file, counted in *bytes; over NULL they are only counted. */
static const void *part(const unsigned char *at, size_t *bytes, size_t size)
{
    const void *start = at ? at + *bytes : NULL;
    *bytes += size;
    return start;
}

/* Points w into a block or file of h, which may be NULL; the bytes that this takes. */
static size_t lay_out(struct bm25 *w, const struct header *h, const unsigned char *at)
{
    size_t bytes = sizeof *h;
    w->fingerprint = h->fingerprint;
    w->documents = (size_t)h->documents;
    w->terms = (size_t)h->terms;
    w->postings = part(at, &bytes, (h->terms + 1) * sizeof *w->postings);
    w->document = part(at, &bytes, h->postings * sizeof *w->document);
    w->impact = part(at, &bytes, h->postings * sizeof *w->impact);
    w->sizes = part(at, &bytes, h->documents * sizeof *w->sizes);
    w->name_at = part(at, &bytes, h->terms * sizeof *w->name_at);
    w->names = part(at, &bytes, h->name_bytes);
    return bytes;
}

static double mean_size(const uint32_t *sizes, size_t documents)
{
    double tokens = 0;
    for (size_t d = 0; d < documents; d++) tokens += sizes[d];
    return tokens > 0 ? tokens / (double)documents : 1;
}

static float impact_of(double count, double size, double mean)
{
    return (float)(count * (K1 + 1) / (count + K1 * (1 - PART + PART * size / mean)));
}

static void fill_postings(const struct building *b, const struct bm25 *w, const uint32_t *rank)
{
    const double mean = mean_size(b->sizes, b->documents);
    if (b->documents) memcpy((void *)(uintptr_t)w->sizes, b->sizes, b->documents * sizeof *b->sizes);
    uint64_t *next = (uint64_t *)(uintptr_t)w->postings + 1; /* ends as where the next term starts */
    uint32_t *document = (uint32_t *)(uintptr_t)w->document;
    float *impact = (float *)(uintptr_t)w->impact;
    for (size_t p = 0; p < b->count; p++) {
        const struct posting *from = &b->postings[p];
        const size_t to = (size_t)next[rank[from->term]]++;
        document[to] = from->document;
        impact[to] = impact_of(from->count, b->sizes[from->document], mean);
    }
}

/* One block in the shape of the file. */
static int arrange(struct bm25 *w, const struct building *b, uint64_t fingerprint, size_t *bytes)
{
    const size_t terms = b->names.count;
    struct header h = { .version = VERSION, .fingerprint = fingerprint, .documents = b->documents, .terms = terms,
                        .postings = b->count, .name_bytes = b->names.bytes.size };
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    *bytes = lay_out(w, &h, NULL);
    unsigned char *block = mem_zero(1, *bytes);
    struct named *sorted = mem_alloc(terms, sizeof *sorted);
    uint32_t *rank = mem_alloc(terms, sizeof *rank);
    if (block && sorted && rank && b->names.bytes.size <= UINT32_MAX) {
        (void)lay_out(w, &h, block);
        for (size_t t = 0; t < terms; t++) sorted[t] = (struct named){ names_at(&b->names, t), (uint32_t)t };
        qsort(sorted, terms, sizeof *sorted, by_name);
        uint64_t *next = (uint64_t *)(uintptr_t)w->postings + 1;
        uint32_t *name_at = (uint32_t *)(uintptr_t)w->name_at;
        char *names = (char *)(uintptr_t)w->names;
        uint64_t from = 0;
        for (size_t i = 0, at = 0; i < terms; i++) {
            const uint32_t t = sorted[i].number;
            rank[t] = (uint32_t)i;
            next[i] = from;
            from += b->terms[t].postings;
            name_at[i] = (uint32_t)at;
            at += (size_t)(stpcpy(names + at, sorted[i].name) - (names + at)) + 1;
        }
        fill_postings(b, w, rank);
        h.crc = crc32_of(0, block + sizeof h, *bytes - sizeof h);
        memcpy(block, &h, sizeof h);
        w->block = block;
    } else {
        mem_free(block);
    }
    mem_free(sorted);
    mem_free(rank);
    return w->block != NULL;
}

/* --- the file ---------------------------------------------------------------------------------- */

static int64_t find_term(const struct bm25 *w, const char *token, size_t size)
{
    size_t low = 0, high = w->terms;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const char *name = w->names + w->name_at[middle];
        const int order = strncmp(name, token, size);
        if (order == 0 && name[size] == 0) return (int64_t)middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return -1;
}

/* Every place that is named exists, and lists ascend. */
static int is_sound(const struct bm25 *w, const struct header *h)
{
    int bad = w->postings[0] != 0 || w->postings[h->terms] != h->postings;
    bad |= h->name_bytes ? w->names[h->name_bytes - 1] != 0 : h->terms != 0;
    for (size_t t = 0; t < h->terms && !bad; t++) {
        bad |= w->postings[t] > w->postings[t + 1] || w->postings[t + 1] > h->postings || w->name_at[t] >= h->name_bytes;
        bad |= !bad && t && strcmp(w->names + w->name_at[t - 1], w->names + w->name_at[t]) >= 0;
        for (size_t p = (size_t)w->postings[t]; p < (size_t)w->postings[t + 1] && !bad; p++)
            bad |= w->document[p] >= h->documents || (p > w->postings[t] && w->document[p] <= w->document[p - 1]) ||
                   !(w->impact[p] >= 0 && w->impact[p] <= (float)(K1 + 1));
    }
    return !bad;
}

/* Position of the document in the postings of the token, or -1. */
static int64_t find_posting(const struct bm25 *w, const char *token, uint32_t document)
{
    const int64_t t = find_term(w, token, strlen(token));
    size_t low = t < 0 ? 0 : (size_t)w->postings[t], high = t < 0 ? 0 : (size_t)w->postings[t + 1];
    const size_t end = high;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (w->document[middle] < document) low = middle + 1;
        else high = middle;
    }
    return low < end && w->document[low] == document ? (int64_t)low : -1;
}

/* 1 when one document is what its text says. */
static int is_document(const struct bm25 *w, struct reader *r, int64_t id, size_t document, double mean)
{
    struct entity entity;
    struct building *b = r->into;
    if (store_entity(r->store, id, &entity, NULL) != ERR_OK ||
        read_text(r, id, entity.name, strlen(entity.name), entity.properties, strlen(entity.properties)) != ERR_OK)
        return 0;
    int good = w->sizes[document] == b->sizes[0];
    for (size_t p = 0; good && p < b->count; p++) {
        const int64_t at = find_posting(w, names_at(&b->names, b->postings[p].term), (uint32_t)document);
        good = at >= 0 && w->impact[at] == impact_of(b->postings[p].count, b->sizes[0], mean);
    }
    return good;
}

/* 1 when a sample of the documents is as their texts say, and holds nothing else (side.h). */
static int is_true(const struct bm25 *w, struct store *s, const int64_t *ids, uint64_t postings)
{
    size_t sample[SIDE_SAMPLE], found[SIDE_SAMPLE] = { 0 };
    const size_t count = side_sample(w->documents, sample);
    const double mean = mean_size(w->sizes, w->documents);
    uint8_t *place = mem_zero(w->documents, 1); /* in the sample, + 1 */
    int good = place != NULL;
    for (size_t i = 0; good && i < count; i++) place[sample[i]] = (uint8_t)(i + 1);
    for (uint64_t p = 0; good && p < postings; p++)
        if (place[w->document[p]]) found[place[w->document[p]] - 1]++;
    struct building one = { 0 };
    struct reader r = { 0 };
    if (good) good = reader_init(&r, s, &one, NULL) == ERR_OK;
    for (size_t i = 0; good && i < count; i++) {
        good = is_document(w, &r, ids[sample[i]], sample[i], mean) && one.count == found[i];
        building_free(&one);
        one = (struct building){ 0 };
    }
    building_free(&one);
    reader_fini(&r);
    mem_free(place);
    return good;
}

/* 1 when the file is there, whole, and of these texts and entities. */
static int load(struct bm25 *w, const char *path, struct store *s, uint64_t fingerprint, const int64_t *ids, size_t documents)
{
    struct bm25 got = { 0 };
    struct header h;
    if (mem_map_open(&got.map, path, NULL) != ERR_OK) return 0;
    const size_t size = got.map.size;
    int good = size >= sizeof h;
    if (good) {
        memcpy(&h, got.map.at, sizeof h);
        good = memcmp(h.magic, MAGIC, sizeof MAGIC) == 0 && h.version == VERSION && h.fingerprint == fingerprint &&
               h.terms < size && h.postings < size && h.name_bytes < size && h.documents == documents &&
               lay_out(&got, &h, got.map.at) == size &&
               h.crc == crc32_of(0, got.map.at + sizeof h, size - sizeof h) && is_sound(&got, &h) &&
               is_true(&got, s, ids, h.postings);
    }
    if (good) *w = got;
    else mem_map_close(&got.map);
    return good;
}

/* Best effort: without room or permission the next open builds again. */
static int save(const struct bm25 *w, const char *path, size_t bytes)
{
    char *partial = NULL;
    int fd = -1;
    if (file_replaceable(path, NULL) != ERR_OK || file_partial(path, &partial, &fd, NULL) != ERR_OK) return 0;
    FILE *f = fdopen(fd, "wb");
    const int whole = f && fwrite(w->block, 1, bytes, f) == bytes && fflush(f) == 0;
    const int saved = whole && file_publish(partial, fd, path, FILE_REPLACE, NULL) == ERR_OK;
    if (!whole) (void)unlink(partial);
    if (f) (void)fclose(f);
    else close(fd);
    free(partial);
    return saved;
}

int bm25_open(struct bm25 *out, struct store *s, uint64_t fingerprint, const int64_t *ids, size_t documents, struct err *e)
{
    struct text path = { 0 };
    struct bm25 w = { 0 };
    text_add(&path, "%s.assay-words", store_path(s));
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory for its words", store_path(s)) : ERR_OK;
    if (status == ERR_OK && !load(&w, text_of(&path), s, fingerprint, ids, documents)) {
        struct building b = { 0 };
        size_t bytes = 0;
        status = read_texts(&b, s, e);
        if (status == ERR_OK && b.documents != documents)
            status = FAIL(e, ERR_FORMAT, "%s: %zu texts of %zu entities", store_path(s), b.documents, documents);
        if (status == ERR_OK && !arrange(&w, &b, fingerprint, &bytes))
            status = FAIL(e, ERR_MEM, "%s: no memory for %zu words", store_path(s), b.names.count);
        building_free(&b);
        struct bm25 mapped;
        if (status == ERR_OK && save(&w, text_of(&path), bytes) && load(&mapped, text_of(&path), s, fingerprint, ids, documents)) {
            mem_free(w.block); /* processes that use the base share the mapped one */
            w = mapped;
        }
    }
    text_free(&path);
    if (status == ERR_OK) *out = w;
    return status;
}

void bm25_close(struct bm25 *w)
{
    mem_free(w->block);
    if (w->map.at) mem_map_close(&w->map);
    *w = (struct bm25){ 0 };
}

static int hash_text(void *context, int64_t id, const char *name, size_t name_size, const char *properties,
                     size_t properties_size)
{
    uint64_t *h = context;
    *h = hash64(hash64(hash64(*h, &id, sizeof id), name, name_size), properties, properties_size);
    return ERR_OK;
}

int bm25_fingerprint(struct store *s, uint64_t *out, struct err *e)
{
    uint64_t h = 0;
    const int status = store_texts(s, hash_text, &h, e);
    if (status == ERR_OK) *out = h;
    return status;
}

/* --- asking ------------------------------------------------------------------------------------ */

void bm25_add(const struct bm25 *w, const char *token, size_t size, float *scores)
{
    const int64_t t = find_term(w, token, size);
    if (t < 0) return;
    const size_t from = (size_t)w->postings[t], to = (size_t)w->postings[t + 1];
    const double n = (double)(to - from), idf = Sleef_cinz_logd1_u10purec(((double)w->documents - n + 0.5) / (n + 0.5));
    const float weight = (float)(idf > 0 ? idf : 1e-6);
    for (size_t p = from; p < to; p++) scores[w->document[p]] += weight * w->impact[p];
}
