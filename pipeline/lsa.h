/* SPDX-License-Identifier: MIT
 * lsa.h - latent semantic analysis (Deerwester et al. 1990): texts as tf-idf rows of unit length, times
 * the first right singular vectors of the matrix that they form.
 *
 * The vectors come from a randomised range finder with two power iterations (Halko, Martinsson, Tropp
 * 2011, algorithms 4.4 and 5.1).  They pass through BLAS and LAPACK: what is saved is what holds, the
 * same bits on another machine are not promised. */
#ifndef ASSAY_LSA_H
#define ASSAY_LSA_H
#include "pipeline/lexicon.h"

struct lsa {
    const struct lexicon *words; /* the caller's, must outlive this */
    size_t dim;   /* as asked, or fewer when there are fewer texts or words */
    float *rows;  /* of every word by number: idf x its row of V; lexicon_words(words) x dim */
};

/* texts: text_count strings that were given to lexicon_add in this order.  ERR_ARG: no words. */
int lsa_fit(struct lsa *out, const struct lexicon *words, const char *const *texts, size_t text_count, size_t dim,
            uint64_t seed, int threads, struct err *e);
void lsa_free(struct lsa *l);
/* The feature of a text into out[l->dim], unit length; zeros when no word is known. */
void lsa_embed(const struct lsa *l, const char *text, float *out);

/* Side tables of a base that we made: assay_lsa(term, row) with `row` as float32, assay_meta lsa_dim. */
struct store;
int lsa_save(const struct lsa *l, struct store *to, struct err *e);
#endif
