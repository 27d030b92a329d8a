/* SPDX-License-Identifier: MIT
 * lexicon.h - words, how many documents hold each, and the linear text features made of them.
 *
 * A text is the sum over its words of idf(word) g(word), scaled to unit length: tf-idf times a
 * Gaussian projection (Johnson & Lindenstrauss; each word's row g is drawn from rng_seed(seed,
 * hash of the word), so no matrix is stored and any machine draws the same).  Words: runs of ASCII
 * letters and digits and of bytes >= 0x80, letters in lower case, of two bytes or more.
 * idf = ln((1 + documents) / (1 + documents with the word)); a word of no document is passed over.
 * (The customary + 1 lets "the" outweigh what a text is about: on 2,000 WordNet examples R@10 .327
 * with it, .353 without.) */
#ifndef ASSAY_LEXICON_H
#define ASSAY_LEXICON_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"

enum { WORD_ROOM = 64, LEXICON_DIM_MAX = 4096 };

/* The next word of *text, which moves past it; 0 at the end.  Longer words are cut to 63 bytes. */
size_t word_next(const char **text, char word[WORD_ROOM]);
double word_idf(uint64_t documents, uint64_t with_word);

/* Words counted in memory while a knowledge base is built. */
struct lexicon;
int lexicon_create(struct lexicon **out, struct err *e);
void lexicon_destroy(struct lexicon *l); /* NULL is allowed */
int lexicon_add(struct lexicon *l, const char *text, struct err *e); /* one document */
uint64_t lexicon_documents(const struct lexicon *l);
size_t lexicon_words(const struct lexicon *l);
/* Word i in order of first appearance, and how many documents hold it. */
const char *lexicon_word(const struct lexicon *l, size_t i, uint32_t *documents);
int64_t lexicon_number(const struct lexicon *l, const char *word); /* its i; -1: unknown */
uint32_t lexicon_find(const struct lexicon *l, const char *word); /* documents with it; 0: unknown */

/* Writes the words into side tables of a knowledge base that we made, for embed_rp:
 *   assay_terms(term, documents), assay_meta(key, value) with rp_dim, rp_seed and rp_documents. */
struct store;
int lexicon_save(const struct lexicon *l, struct store *to, size_t dim, uint64_t seed, struct err *e);
/* What a base was embedded with; dim 0: not by rp. */
struct lexicon_meta { size_t dim; uint64_t seed, documents; };
struct lexicon_meta lexicon_meta_of(struct store *from);
int lexicon_load(struct lexicon **out, struct store *from, struct err *e); /* all words of a base */

/* The row of a word and its weight in *weight; NULL for a word to pass over.  May fail: then *status
 * is not ERR_OK. */
typedef const float *word_row_fn(void *context, const char *word, size_t size, float *weight, int *status);
/* Sum over the words of a text of weight x row, scaled to unit length: dim floats; all zeros when no
 * word is known.  A word that comes twice counts twice. */
int text_sum(const char *text, size_t dim, word_row_fn *row, void *context, float *out);

/* How many of `documents` hold the word; 0: unknown.  May fail: then *status is not ERR_OK. */
typedef uint64_t word_count_fn(void *context, const char *word, int *status);
/* The rp feature of a text into out[dim].  scratch: dim floats. */
int text_project(const char *text, size_t dim, uint64_t seed, uint64_t documents, word_count_fn *count, void *context,
                 float *scratch, float *out);
#endif
