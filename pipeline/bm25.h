/* SPDX-License-Identifier: MIT
 * bm25.h - which entities hold which word, and how much each counts: an inverted index for BM25.
 *
 * The text of an entity is its name and the strings in its properties, but for its id (the properties "id" and "_id",
 * and a name that is only the id of a document with a text), cut and stemmed by SQLite FTS5's
 * tokenizer "porter unicode61".  A document d scores, for a word w of the question,
 *     idf(w) tf (k1 + 1) / (tf + k1 (1 - b + b |d| / mean |d|)),   k1 = 1.2, b = 0.75,
 *     idf(w) = ln((N - n + 0.5) / (n + 0.5)), 1e-6 where that is not positive,
 * as FTS5's bm25() has it (Robertson & Zaragoza 2009; its oracle in test_bm25.c).  FTS5 itself took 43 ms a
 * question on WordNet: it looks up every document's length in a tree.  Here all but idf is one float a posting.
 *
 * Kept beside the base as <db>.assay-words, mapped, good while a hash of all texts is the same; where that
 * cannot be written, in memory.  It is checked when it is mapped, as far as side.h says; what questions get when another
 * program writes into it afterwards is undefined.  This one only ever puts a new file in its place. */
#ifndef ASSAY_BM25_H
#define ASSAY_BM25_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/mem.h"
#include "pipeline/store.h"

struct bm25 {
    uint64_t fingerprint;     /* of the texts */
    size_t documents, terms;  /* documents are entities, numbered in the order of their ids */
    const uint64_t *postings; /* of term t: postings[t] .. postings[t + 1] - 1 of the next two */
    const uint32_t *document;
    const float *impact;
    const uint32_t *sizes;    /* tokens of each document */
    const uint32_t *name_at;  /* of each term in names, ascending by bytes */
    const char *names;
    struct mem_map map;       /* all of it; or the block */
    void *block;
};

/* A hash of every id, name and properties. */
int bm25_fingerprint(struct store *s, uint64_t *out, struct err *e);
/* Inside a read transaction, with that hash, and the entities that the caller knows: they are the documents.  ERR_MEM, ERR_IO, ERR_BUSY; ERR_FORMAT: the base gives another number of texts. */
int bm25_open(struct bm25 *out, struct store *s, uint64_t fingerprint, const int64_t *ids, size_t documents, struct err *e);
void bm25_close(struct bm25 *w); /* a zeroed one is allowed */

/* Cuts a text as the index was: calls each(context, token, size) for every token; a non-zero return stops
 * and is passed on.  ERR_MEM, ERR_UNSUPPORTED: a SQLite without FTS5. */
typedef int word_token_fn(void *context, const char *token, size_t size);
struct word_cutter;
int word_cutter_create(struct word_cutter **out, struct store *s, struct err *e); /* lives as long as s at most */
void word_cutter_destroy(struct word_cutter *c);
int word_cutter_run(struct word_cutter *c, const char *text, size_t size, word_token_fn *each, void *context);

/* Adds what one word of a question is worth to scores[documents]. */
void bm25_add(const struct bm25 *w, const char *token, size_t size, float *scores);
#endif
