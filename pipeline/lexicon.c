/* SPDX-License-Identifier: MIT
 * lexicon.c - cuts words, counts documents, and sums word vectors into the vector of a text. */
#include "pipeline/lexicon.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"
#include <math.h>
#include <sleef.h>
#include <sqlite3.h>
#include <string.h>

struct word {
    uint32_t documents;
    uint64_t last; /* the last document that had it, counted from 1 */
};

struct lexicon {
    struct names names;
    struct word *words; /* by number */
    size_t room;
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
    return Sleef_cinz_logd1_u10purec((1 + (double)documents) / (1 + (double)with_word));
}

int lexicon_create(struct lexicon **out, struct err *e)
{
    struct lexicon *l = mem_zero(1, sizeof *l);
    if (!l) return FAIL(e, ERR_MEM, "lexicon: no memory");
    *out = l;
    return ERR_OK;
}

void lexicon_destroy(struct lexicon *l)
{
    if (!l) return;
    names_free(&l->names);
    mem_free(l->words);
    mem_free(l);
}

/* The word with its counts, new ones at zero; NULL without memory. */
static struct word *word_of(struct lexicon *l, const char *word, size_t size)
{
    const int64_t i = names_add(&l->names, word, size);
    if (i == NAMES_NONE) return NULL;
    return mem_one_more(&l->words, (size_t)i, &l->room, sizeof *l->words) ? &l->words[i] : NULL;
}

int lexicon_add(struct lexicon *l, const char *text, struct err *e)
{
    char word[WORD_ROOM];
    l->documents++;
    for (size_t size; (size = word_next(&text, word)) > 0;) {
        struct word *w = word_of(l, word, size);
        if (!w) return FAIL(e, ERR_MEM, "lexicon: no memory for %zu words", l->names.count);
        w->documents += w->last != l->documents;
        w->last = l->documents;
    }
    return ERR_OK;
}

uint64_t lexicon_documents(const struct lexicon *l) { return l->documents; }
size_t lexicon_words(const struct lexicon *l) { return l->names.count; }

const char *lexicon_word(const struct lexicon *l, size_t i, uint32_t *documents)
{
    *documents = l->words[i].documents;
    return names_at(&l->names, i);
}

int64_t lexicon_number(const struct lexicon *l, const char *word) { return names_find(&l->names, word, strlen(word)); }

uint32_t lexicon_find(const struct lexicon *l, const char *word)
{
    const int64_t i = lexicon_number(l, word);
    return i == NAMES_NONE ? 0 : l->words[i].documents;
}

static const char create_tables[] =
    "CREATE TABLE IF NOT EXISTS assay_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS assay_terms(term TEXT PRIMARY KEY, documents INTEGER NOT NULL) WITHOUT ROWID;"
    "DELETE FROM assay_terms;";

static int save_words(const struct lexicon *l, sqlite3 *db)
{
    sqlite3_stmt *add = NULL;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO assay_terms VALUES (?, ?)", -1, &add, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < l->names.count; i++) {
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

static int64_t read_meta(sqlite3 *db, const char *key)
{
    sqlite3_stmt *st = NULL;
    int64_t value = 0;
    if (sqlite3_prepare_v2(db, "SELECT value FROM assay_meta WHERE key = ?", -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        const int have = sqlite3_step(st) == SQLITE_ROW;
        const char *text = have ? (const char *)sqlite3_column_text(st, 0) : NULL;
        if (!text || !text_to_i64(text, &value) || value < 0) value = 0;
    }
    sqlite3_finalize(st);
    return value;
}

struct lexicon_meta lexicon_meta_of(struct store *from)
{
    sqlite3 *db = store_handle(from);
    const int64_t dim = read_meta(db, "rp_dim");
    if (dim < 1 || dim > LEXICON_DIM_MAX) return (struct lexicon_meta){ 0 };
    return (struct lexicon_meta){ (size_t)dim, (uint64_t)read_meta(db, "rp_seed"), (uint64_t)read_meta(db, "rp_documents") };
}

int lexicon_load(struct lexicon **out, struct store *from, struct err *e)
{
    struct lexicon *l = NULL;
    sqlite3_stmt *st = NULL;
    int status = lexicon_create(&l, e), rc = SQLITE_DONE;
    if (status != ERR_OK) return status;
    l->documents = lexicon_meta_of(from).documents;
    if (sqlite3_prepare_v2(store_handle(from), "SELECT term, documents FROM assay_terms", -1, &st, NULL) == SQLITE_OK)
        while (status == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
            const char *term = (const char *)sqlite3_column_text(st, 0);
            struct word *w = term ? word_of(l, term, strlen(term)) : NULL;
            if (w) w->documents = (uint32_t)sqlite3_column_int64(st, 1);
            else status = FAIL(e, ERR_MEM, "%s: no memory for its words", store_path(from));
        }
    if (status == ERR_OK && (!st || rc != SQLITE_DONE))
        status = FAIL(e, ERR_IO, "%s: assay_terms: %s", store_path(from), sqlite3_errmsg(store_handle(from)));
    sqlite3_finalize(st);
    if (status == ERR_OK) *out = l;
    else lexicon_destroy(l);
    return status;
}

int text_sum(const char *text, size_t dim, word_row_fn *row, void *context, float *out)
{
    char word[WORD_ROOM];
    int status = ERR_OK;
    memset(out, 0, dim * sizeof *out);
    for (size_t size; status == ERR_OK && (size = word_next(&text, word)) > 0;) {
        float weight = 0;
        const float *x = row(context, word, size, &weight, &status);
        for (size_t i = 0; x && i < dim; i++) out[i] += weight * x[i];
    }
    double square = 0; /* in order, so the same everywhere */
    for (size_t i = 0; i < dim; i++) square += (double)out[i] * out[i];
    const double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < dim; i++) out[i] = (float)(out[i] * scale);
    return status;
}

struct projection {
    size_t dim;
    uint64_t seed, documents;
    word_count_fn *count;
    void *context;
    float *scratch;
};

/* Drawn anew each time: 384 deviates take 2 us, and nothing need be remembered. */
static const float *draw_row(void *context, const char *word, size_t size, float *weight, int *status)
{
    const struct projection *p = context;
    const uint64_t with_word = p->count(p->context, word, status);
    if (with_word == 0) return NULL;
    struct rng r;
    *weight = (float)word_idf(p->documents, with_word);
    rng_seed(&r, p->seed, hash64(0, word, size));
    rng_normal(&r, p->scratch, p->dim);
    return p->scratch;
}

int text_project(const char *text, size_t dim, uint64_t seed, uint64_t documents, word_count_fn *count, void *context,
                 float *scratch, float *out)
{
    struct projection p = { dim, seed, documents, count, context, scratch };
    return text_sum(text, dim, draw_row, &p, out);
}
