/* SPDX-License-Identifier: MIT
 * bm25.c - builds, keeps and asks the inverted index: texts are cut into tokens, their postings sorted by token
 * into one block, which is written and mapped as it is. */
#include "pipeline/bm25.h"
#include "kernels/base/file.h"
#include "kernels/base/names.h"
#include "kernels/base/text.h"
#include <sleef.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file: this, postings, document, impact, name_at, names. */
struct header {
    char magic[8];
    uint32_t version, crc; /* crc: of all that follows the header */
    uint64_t fingerprint, documents, terms, postings, name_bytes;
};
static const char MAGIC[8] = { 'A', 'S', 'S', 'A', 'Y', 'W', 'R', 'D' };
enum { VERSION = 1 };

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

/* A column as text, "" for NULL; NULL: no memory. */
static const char *column_text(sqlite3_stmt *st, int i)
{
    if (sqlite3_column_type(st, i) == SQLITE_NULL) return "";
    return (const char *)sqlite3_column_text(st, i);
}

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

static int read_texts(struct building *b, struct store *s, struct err *e)
{
    static const char sql[] =
        "SELECT name || ' ' || CASE WHEN json_valid(properties) THEN coalesce((SELECT group_concat(atom, ' ') "
        "FROM json_tree(properties) WHERE type = 'text'), '') ELSE '' END FROM kg_entities ORDER BY id";
    struct word_cutter *cutter = NULL;
    sqlite3_stmt *st = NULL;
    int status = word_cutter_create(&cutter, s, e), rc = SQLITE_DONE;
    if (status != ERR_OK) return status;
    if (sqlite3_prepare_v2(store_handle(s), sql, -1, &st, NULL) != SQLITE_OK) status = read_error(s, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = column_text(st, 0); /* an empty one instead would stay in the file */
        const size_t size = (size_t)sqlite3_column_bytes(st, 0);
        int failed = !text || !mem_one_more(&b->sizes, b->documents, &b->document_room, sizeof *b->sizes);
        if (!failed) b->sizes[b->documents] = 0;
        if (!failed) failed = word_cutter_run(cutter, text, size, take_token, b);
        if (failed) status = FAIL(e, ERR_MEM, "%s: no memory for its words", store_path(s));
        b->documents++;
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = read_error(s, e);
    sqlite3_finalize(st);
    word_cutter_destroy(cutter);
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
    w->name_at = part(at, &bytes, h->terms * sizeof *w->name_at);
    w->names = part(at, &bytes, h->name_bytes);
    return bytes;
}

static void fill_postings(const struct building *b, const struct bm25 *w, const uint32_t *rank)
{
    const double k1 = 1.2, part = 0.75;
    double tokens = 0;
    for (size_t d = 0; d < b->documents; d++) tokens += b->sizes[d];
    const double mean = tokens > 0 ? tokens / (double)b->documents : 1;
    uint64_t *next = (uint64_t *)(uintptr_t)w->postings + 1; /* ends as where the next term starts */
    uint32_t *document = (uint32_t *)(uintptr_t)w->document;
    float *impact = (float *)(uintptr_t)w->impact;
    for (size_t p = 0; p < b->count; p++) {
        const struct posting *from = &b->postings[p];
        const double count = from->count, size = b->sizes[from->document];
        const size_t to = (size_t)next[rank[from->term]]++;
        document[to] = from->document;
        impact[to] = (float)(count * (k1 + 1) / (count + k1 * (1 - part + part * size / mean)));
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

static int is_sound(const struct bm25 *w, const struct header *h)
{
    int bad = w->postings[0] != 0 || w->postings[h->terms] != h->postings;
    for (size_t t = 0; t < h->terms; t++) {
        bad |= w->postings[t] > w->postings[t + 1] || w->name_at[t] >= h->name_bytes;
        bad |= t && w->name_at[t] <= w->name_at[t - 1];
    }
    for (size_t p = 0; p < h->postings; p++) bad |= w->document[p] >= h->documents;
    return !bad && (h->name_bytes == 0 || w->names[h->name_bytes - 1] == 0);
}

/* 1 when the file is there, whole, and of these texts and as many entities. */
static int load(struct bm25 *w, const char *path, uint64_t fingerprint, size_t documents)
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
               h.crc == crc32_of(0, got.map.at + sizeof h, size - sizeof h) && is_sound(&got, &h);
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

int bm25_open(struct bm25 *out, struct store *s, uint64_t fingerprint, size_t documents, struct err *e)
{
    struct text path = { 0 };
    struct bm25 w = { 0 };
    text_add(&path, "%s.assay-words", store_path(s));
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory for its words", store_path(s)) : ERR_OK;
    if (status == ERR_OK && !load(&w, text_of(&path), fingerprint, documents)) {
        struct building b = { 0 };
        size_t bytes = 0;
        status = read_texts(&b, s, e);
        if (status == ERR_OK && b.documents != documents)
            status = FAIL(e, ERR_FORMAT, "%s: %zu texts of %zu entities", store_path(s), b.documents, documents);
        if (status == ERR_OK && !arrange(&w, &b, fingerprint, &bytes))
            status = FAIL(e, ERR_MEM, "%s: no memory for %zu words", store_path(s), b.names.count);
        building_free(&b);
        struct bm25 mapped;
        if (status == ERR_OK && save(&w, text_of(&path), bytes) && load(&mapped, text_of(&path), fingerprint, documents)) {
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

int bm25_fingerprint(struct store *s, uint64_t *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    uint64_t h = 0;
    int status = ERR_OK;
    int rc = sqlite3_prepare_v2(store_handle(s), "SELECT id, name, properties FROM kg_entities ORDER BY id", -1, &st, NULL);
    if (rc != SQLITE_OK) return read_error(s, e);
    while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const int64_t id = sqlite3_column_int64(st, 0);
        h = hash64(h, &id, sizeof id);
        for (int i = 1; i <= 2; i++) {
            const char *text = column_text(st, i);
            if (text) h = hash64(h, text, (size_t)sqlite3_column_bytes(st, i));
            else status = FAIL(e, ERR_MEM, "%s: no memory for its words", store_path(s));
        }
    }
    if (status == ERR_OK && rc != SQLITE_DONE) status = read_error(s, e);
    sqlite3_finalize(st);
    if (status == ERR_OK) *out = h;
    return status;
}

/* --- asking ------------------------------------------------------------------------------------ */

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

void bm25_add(const struct bm25 *w, const char *token, size_t size, float *scores)
{
    const int64_t t = find_term(w, token, size);
    if (t < 0) return;
    const size_t from = (size_t)w->postings[t], to = (size_t)w->postings[t + 1];
    const double n = (double)(to - from), idf = Sleef_cinz_logd1_u10purec(((double)w->documents - n + 0.5) / (n + 0.5));
    const float weight = (float)(idf > 0 ? idf : 1e-6);
    for (size_t p = from; p < to; p++) scores[w->document[p]] += weight * w->impact[p];
}
