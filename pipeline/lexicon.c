/* SPDX-License-Identifier: MIT */
#include "pipeline/lexicon.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"
#include <math.h>
#include <sleef.h>
#include <sqlite3.h>
#include <string.h>

struct entry {
    uint64_t hash;
    uint32_t at;        /* of the word in `words` */
    uint32_t documents;
    uint64_t last;      /* the last document that had it, counted from 1 */
};

struct lexicon {
    struct entry *entries; /* in order of first appearance */
    size_t count, room;
    uint32_t *table; /* open addressing: entry + 1, 0 is free; slots a power of two */
    size_t slots;
    struct text words; /* each ends with a 0 */
    uint64_t documents;
};

size_t word_next(const char **text, char word[WORD_ROOM])
{
    const unsigned char *at = (const unsigned char *)*text;
    for (;;) {
        size_t size = 0, kept = 0;
        while (*at) {
            const unsigned char c = *at;
            if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) break;
            at++;
        }
        for (; *at; at++, size++) {
            unsigned char c = *at;
            if (c >= 'A' && c <= 'Z') c = (unsigned char)(c | 0x20);
            else if (!(c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) break;
            if (kept < WORD_ROOM - 1) word[kept++] = (char)c;
        }
        word[kept] = 0;
        *text = (const char *)at;
        if (size != 1) return kept;
    }
}

double word_idf(uint64_t documents, uint64_t with_word)
{
    return Sleef_cinz_logd1_u10purec((1 + (double)documents) / (1 + (double)with_word)) + 1;
}

int lexicon_create(struct lexicon **out, struct err *e)
{
    enum { SLOTS = 1 << 12 };
    struct lexicon *l = mem_zero(1, sizeof *l);
    if (l) l->table = mem_zero(l->slots = SLOTS, sizeof *l->table);
    if (!l || !l->table) {
        mem_free(l);
        return FAIL(e, ERR_MEM, "lexicon: no memory");
    }
    *out = l;
    return ERR_OK;
}

void lexicon_destroy(struct lexicon *l)
{
    if (!l) return;
    mem_free(l->entries);
    mem_free(l->table);
    text_free(&l->words);
    mem_free(l);
}

/* The slot of a word, or the free one where it would go. */
static size_t slot_of(const struct lexicon *l, uint64_t hash, const char *word)
{
    size_t slot = hash & (l->slots - 1);
    while (l->table[slot]) {
        const struct entry *x = &l->entries[l->table[slot] - 1];
        if (x->hash == hash && strcmp(text_of(&l->words) + x->at, word) == 0) break;
        slot = (slot + 1) & (l->slots - 1);
    }
    return slot;
}

/* Room for one more word: entries, and at most half of the slots taken. */
static int reserve(struct lexicon *l)
{
    if (l->count == l->room) {
        struct entry *more = mem_grow(l->entries, l->count, l->room * 2 + 1024, sizeof *more);
        if (!more) return 0;
        l->entries = more;
        l->room = l->room * 2 + 1024;
    }
    if (2 * (l->count + 1) < l->slots) return 1;
    uint32_t *table = mem_zero(2 * l->slots, sizeof *table);
    if (!table) return 0;
    mem_free(l->table);
    l->table = table;
    l->slots *= 2;
    for (size_t i = 0; i < l->count; i++) {
        size_t slot = l->entries[i].hash & (l->slots - 1);
        while (table[slot]) slot = (slot + 1) & (l->slots - 1);
        table[slot] = (uint32_t)i + 1;
    }
    return 1;
}

int lexicon_add(struct lexicon *l, const char *text, struct err *e)
{
    char word[WORD_ROOM];
    l->documents++;
    for (size_t size; (size = word_next(&text, word)) > 0;) {
        const uint64_t hash = hash64(0, word, size);
        size_t slot = slot_of(l, hash, word);
        if (!l->table[slot]) {
            if (!reserve(l) || l->words.size + size >= UINT32_MAX)
                return FAIL(e, ERR_MEM, "lexicon: no memory for %zu words", l->count);
            slot = slot_of(l, hash, word);
            l->entries[l->count] = (struct entry){ hash, (uint32_t)l->words.size, 0, 0 };
            text_add_bytes(&l->words, word, size + 1);
            if (l->words.failed) return FAIL(e, ERR_MEM, "lexicon: no memory for %zu words", l->count);
            l->table[slot] = (uint32_t)++l->count;
        }
        struct entry *x = &l->entries[l->table[slot] - 1];
        x->documents += x->last != l->documents;
        x->last = l->documents;
    }
    return ERR_OK;
}

uint64_t lexicon_documents(const struct lexicon *l) { return l->documents; }
size_t lexicon_words(const struct lexicon *l) { return l->count; }

const char *lexicon_word(const struct lexicon *l, size_t i, uint32_t *documents)
{
    *documents = l->entries[i].documents;
    return text_of(&l->words) + l->entries[i].at;
}

uint32_t lexicon_find(const struct lexicon *l, const char *word)
{
    const size_t slot = slot_of(l, hash64(0, word, strlen(word)), word);
    return l->table[slot] ? l->entries[l->table[slot] - 1].documents : 0;
}

static const char create_tables[] =
    "CREATE TABLE IF NOT EXISTS assay_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS assay_terms(term TEXT PRIMARY KEY, documents INTEGER NOT NULL) WITHOUT ROWID;"
    "DELETE FROM assay_terms;";

static int save_words(const struct lexicon *l, sqlite3 *db)
{
    sqlite3_stmt *add = NULL;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO assay_terms VALUES (?, ?)", -1, &add, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < l->count; i++) {
        uint32_t documents;
        sqlite3_bind_text(add, 1, lexicon_word(l, i, &documents), -1, SQLITE_STATIC);
        sqlite3_bind_int64(add, 2, documents);
        sqlite3_step(add);
        rc = sqlite3_reset(add);
    }
    sqlite3_finalize(add);
    return rc;
}

int lexicon_save(const struct lexicon *l, struct store *to, size_t dim, uint64_t seed, struct err *e)
{
    int status = store_begin(to, e);
    if (status != ERR_OK) return status;
    sqlite3 *db = store_handle(to);
    char meta[256];
    snprintf(meta, sizeof meta,
             "INSERT OR REPLACE INTO assay_meta VALUES ('rp_dim', '%zu'), ('rp_seed', '%llu'), ('rp_documents', '%llu')",
             dim, (unsigned long long)seed, (unsigned long long)l->documents);
    if (sqlite3_exec(db, create_tables, NULL, NULL, NULL) != SQLITE_OK || save_words(l, db) != SQLITE_OK ||
        sqlite3_exec(db, meta, NULL, NULL, NULL) != SQLITE_OK)
        return FAIL(e, ERR_IO, "%s: words: %s", store_path(to), sqlite3_errmsg(db));
    return ERR_OK;
}

/* A word that comes twice is drawn twice: texts are short, and so nothing need be remembered. */
int text_project(const char *text, size_t dim, uint64_t seed, uint64_t documents, word_count_fn *count, void *context,
                 float *scratch, float *out)
{
    char word[WORD_ROOM];
    int status = ERR_OK;
    memset(out, 0, dim * sizeof *out);
    for (size_t size; status == ERR_OK && (size = word_next(&text, word)) > 0;) {
        const uint64_t with_word = count(context, word, &status);
        if (with_word == 0) continue;
        struct rng r;
        const float weight = (float)word_idf(documents, with_word);
        rng_seed(&r, seed, hash64(0, word, size));
        rng_normal(&r, scratch, dim);
        for (size_t i = 0; i < dim; i++) out[i] += weight * scratch[i];
    }
    double square = 0; /* in order, so the same everywhere */
    for (size_t i = 0; i < dim; i++) square += (double)out[i] * out[i];
    const double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < dim; i++) out[i] = (float)(out[i] * scale);
    return status;
}
