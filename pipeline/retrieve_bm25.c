/* SPDX-License-Identifier: MIT
 * retrieve_bm25.c - candidates by their words: SQLite's FTS5, BM25 with k1 = 1.2 and b = 0.75, over the
 * names of entities and the texts in their properties.  Any word of the question counts.
 *
 * The full-text index holds no text, only words.  It is a database of its own beside the base,
 * <db>.assay-words, good as long as a hash of all names and properties is the same; where it cannot be
 * written it lives in memory until the pipeline closes. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct param params[] = {
    { "top_k_candidates", PARAM_INT, 1, 4294967295, "50", "", NULL, "candidates that stage one hands on" },
    { 0 },
};

struct self {
    struct store *store;
    char *path;
    sqlite3 *words;
    sqlite3_stmt *find;
    uint64_t fingerprint; /* of the texts in `words` */
    size_t candidates;
    struct text match;
};

static void drop_words(struct self *self)
{
    sqlite3_finalize(self->find);
    sqlite3_close(self->words);
    self->find = NULL;
    self->words = NULL;
}

static void destroy(void *self_)
{
    struct self *self = self_;
    drop_words(self);
    text_free(&self->match);
    free(self->path);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    struct text path = { 0 };
    text_add(&path, "%s.assay-words", store_path(env->store));
    if (!self || path.failed) {
        text_free(&path);
        mem_free(self);
        return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    }
    self->store = env->store;
    self->path = path.at;
    self->candidates = (size_t)params_int(env->params, "top_k_candidates");
    *self_ = self;
    return ERR_OK;
}

static int sql_failed(const struct self *self, sqlite3 *db, struct err *e)
{
    return FAIL(e, sqlite3_errcode(db) == SQLITE_NOMEM ? ERR_MEM : ERR_IO, "retrieve=bm25: %s: %s", self->path,
                sqlite3_errmsg(db));
}

/* A hash of every name and property of the base. */
static int hash_texts(const struct self *self, uint64_t *out, struct err *e)
{
    sqlite3 *db = store_handle(self->store);
    sqlite3_stmt *st = NULL;
    uint64_t h = 0;
    int rc = sqlite3_prepare_v2(db, "SELECT id, name, properties FROM kg_entities ORDER BY id", -1, &st, NULL);
    while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        const int64_t id = sqlite3_column_int64(st, 0);
        h = hash64(h, &id, sizeof id);
        for (int i = 1; i <= 2; i++) {
            const void *text = sqlite3_column_text(st, i);
            h = hash64(h, text, (size_t)sqlite3_column_bytes(st, i));
        }
    }
    rc = sqlite3_finalize(st);
    if (rc != SQLITE_OK) return sql_failed(self, db, e);
    *out = h;
    return ERR_OK;
}

/* The words file, when it is of exactly these texts. */
static int open_words(struct self *self, uint64_t fingerprint)
{
    sqlite3_stmt *st = NULL;
    int fits = sqlite3_open_v2(self->path, &self->words, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
               sqlite3_prepare_v2(self->words, "SELECT fingerprint FROM made_of", -1, &st, NULL) == SQLITE_OK &&
               sqlite3_step(st) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(st, 0) == fingerprint;
    sqlite3_finalize(st);
    if (!fits) drop_words(self);
    return fits;
}

/* Copies the texts of all entities into the table of words. */
static int fill_words(struct self *self, uint64_t fingerprint, struct err *e)
{
    static const char texts[] =
        "SELECT id, name || ' ' || CASE WHEN json_valid(properties) THEN coalesce((SELECT group_concat(atom, ' ') "
        "FROM json_tree(properties) WHERE type = 'text'), '') ELSE '' END FROM kg_entities";
    static const char made[] =
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN; CREATE TABLE made_of (fingerprint INTEGER);"
        "CREATE VIRTUAL TABLE words USING fts5(text, content = '', tokenize = 'porter unicode61')";
    sqlite3 *db = store_handle(self->store);
    sqlite3_stmt *from = NULL, *to = NULL, *mark = NULL;
    int rc = sqlite3_exec(self->words, made, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(self->words, "INSERT INTO words (rowid, text) VALUES (?1, ?2)", -1, &to, NULL);
    if (rc == SQLITE_OK && sqlite3_prepare_v2(db, texts, -1, &from, NULL) != SQLITE_OK) {
        sqlite3_finalize(to);
        return sql_failed(self, db, e);
    }
    while (rc == SQLITE_OK && sqlite3_step(from) == SQLITE_ROW) {
        sqlite3_bind_int64(to, 1, sqlite3_column_int64(from, 0));
        sqlite3_bind_value(to, 2, sqlite3_column_value(from, 1));
        rc = sqlite3_step(to) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
        sqlite3_reset(to);
    }
    sqlite3_finalize(to);
    if (sqlite3_finalize(from) != SQLITE_OK) return sql_failed(self, db, e);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(self->words, "INSERT INTO made_of VALUES (?1)", -1, &mark, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(mark, 1, (int64_t)fingerprint);
        rc = sqlite3_step(mark) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    }
    sqlite3_finalize(mark);
    if (rc == SQLITE_OK) rc = sqlite3_exec(self->words, "COMMIT", NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : sql_failed(self, self->words, e);
}

/* In a file that appears when it is whole, or else in memory. */
static int make_words(struct self *self, uint64_t fingerprint, struct err *e)
{
    struct text partial = { 0 };
    text_add(&partial, "%s.%ld.partial", self->path, (long)getpid());
    if (partial.failed) return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    (void)unlink(text_of(&partial));
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int status = ERR_IO;
    if (sqlite3_open_v2(text_of(&partial), &self->words, flags, NULL) == SQLITE_OK)
        status = fill_words(self, fingerprint, NULL);
    drop_words(self);
    const int published = status == ERR_OK && rename(text_of(&partial), self->path) == 0;
    if (!published) (void)unlink(text_of(&partial));
    text_free(&partial);
    if (published && open_words(self, fingerprint)) return ERR_OK;
    if (sqlite3_open_v2(":memory:", &self->words, flags, NULL) != SQLITE_OK)
        return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    return fill_words(self, fingerprint, e);
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    (void)kb;
    struct self *self = self_;
    uint64_t fingerprint = 0;
    int status = hash_texts(self, &fingerprint, e);
    if (status != ERR_OK || (self->words && fingerprint == self->fingerprint)) return status;
    drop_words(self);
    if (!open_words(self, fingerprint)) status = make_words(self, fingerprint, e);
    static const char find[] = "SELECT rowid, -rank FROM words WHERE words MATCH ?1 ORDER BY rank, rowid LIMIT ?2";
    if (status == ERR_OK && sqlite3_prepare_v3(self->words, find, -1, SQLITE_PREPARE_PERSISTENT, &self->find,
                                               NULL) != SQLITE_OK)
        status = sql_failed(self, self->words, e);
    if (status != ERR_OK) drop_words(self);
    self->fingerprint = fingerprint;
    return status;
}

/* "a" OR "small" OR ...: each word quoted, so that nothing in a question is syntax. */
static void make_match(struct text *out, const char *text)
{
    text_clear(out);
    while (*(text += strspn(text, " \t\r\n"))) {
        const size_t size = strcspn(text, " \t\r\n");
        text_add(out, "%s\"", out->size ? " OR " : "");
        for (size_t i = 0; i < size; i++)
            text_add_bytes(out, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
        text_add(out, "\"");
        text += size;
    }
}

static int run(void *self_, struct query *q, struct err *e)
{
    struct self *self = self_;
    if (!q->text) return FAIL(e, ERR_ARG, "retrieve=bm25: a question without text");
    make_match(&self->match, q->text);
    if (self->match.failed) return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    if (self->match.size == 0) return ERR_OK;
    const size_t n = q->kb->vectors.rows.count, most = self->candidates < n ? self->candidates : n;
    sqlite3_bind_text(self->find, 1, text_of(&self->match), -1, SQLITE_STATIC);
    sqlite3_bind_int64(self->find, 2, (int64_t)most);
    while (q->candidate_count < most && sqlite3_step(self->find) == SQLITE_ROW)
        q->candidates[q->candidate_count++] = (struct hit){ sqlite3_column_int64(self->find, 0),
                                                            (float)sqlite3_column_double(self->find, 1) };
    return sqlite3_reset(self->find) == SQLITE_OK ? ERR_OK : sql_failed(self, self->words, e);
}

const struct stage_ops retrieve_bm25 = {
    .name = "bm25", .slot = SLOT_RETRIEVE, .summary = "words of names and properties, by BM25 (SQLite FTS5)",
    .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
};
