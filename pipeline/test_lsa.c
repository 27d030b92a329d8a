/* SPDX-License-Identifier: MIT
 * test_lsa.c - against what the singular vectors must do: with all dimensions every tf-idf cosine is
 * kept; with few, they hold what a dense SVD says the best ones hold. */
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include "pipeline/lsa.h"
#include <errno.h>
#include <lapacke.h>
#include <math.h>

enum { TEXTS = 60, WORDS = 40, LENGTH = 12 };
static char bodies[TEXTS][LENGTH * 8];
static const char *texts[TEXTS];
static double tfidf[TEXTS][WORDS]; /* unit rows */

/* Texts of three topics, so that the spectrum falls. */
static struct lexicon *make_texts(void)
{
    struct lexicon *l = NULL;
    if (lexicon_create(&l, NULL) != ERR_OK) abort();
    for (int i = 0; i < TEXTS; i++) {
        bodies[i][0] = 0;
        for (int w = 0; w < LENGTH; w++) {
            const int topic = test_rand() % 5 ? i % 3 * 13 : 0;
            char word[8];
            snprintf(word, sizeof word, "w%d ", (int)(topic + (int)(test_rand() % 14)));
            strcat(bodies[i], word);
        }
        texts[i] = bodies[i];
        if (lexicon_add(l, texts[i], NULL) != ERR_OK) abort();
    }
    memset(tfidf, 0, sizeof tfidf);
    for (int i = 0; i < TEXTS; i++) {
        char word[WORD_ROOM];
        double square = 0;
        for (const char *at = texts[i]; word_next(&at, word) > 0;) {
            const int64_t number = lexicon_number(l, word);
            tfidf[i][number] += word_idf(TEXTS, lexicon_find(l, word));
        }
        for (int w = 0; w < WORDS; w++) square += tfidf[i][w] * tfidf[i][w];
        for (int w = 0; w < WORDS; w++) tfidf[i][w] /= sqrt(square);
    }
    return l;
}

static double dot(const float *x, const float *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
    return sum;
}

static void all_dimensions_keep_cosines(void)
{
    struct lexicon *words = make_texts();
    struct lsa l = { 0 };
    struct err e = { 0 };
    CHECK(lsa_fit(&l, words, texts, TEXTS, 500, 1, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(l.dim == lexicon_words(words) && l.dim <= WORDS, "%zu dimensions of %zu words", l.dim, lexicon_words(words));
    static float x[TEXTS][WORDS];
    for (int i = 0; i < TEXTS; i++) lsa_embed(&l, texts[i], x[i]);
    for (int i = 0; i < TEXTS; i++)
        for (int j = 0; j <= i; j++) {
            double exact = 0;
            for (int w = 0; w < WORDS; w++) exact += tfidf[i][w] * tfidf[j][w];
            CHECK(fabs(dot(x[i], x[j], l.dim) - exact) < 1e-4, "cosine %d, %d: %.6f, exact %.6f", i, j,
                  dot(x[i], x[j], l.dim), exact);
        }
    for (size_t i = 0; i < lexicon_words(words) * l.dim; i++) CHECK(isfinite(l.rows[i]), "row %zu", i / l.dim);
    lsa_embed(&l, "unheard of", x[0]);
    CHECK(dot(x[0], x[0], l.dim) == 0, "no known word: zero");
    lsa_free(&l);
    lexicon_destroy(words);
}

/* Energy of the texts within the rows: sum |A V|^2, against the sum of the first squared singular values. */
static void few_dimensions_hold_the_most(void)
{
    enum { DIM = 5 };
    struct lexicon *words = make_texts();
    struct lsa l = { 0 };
    struct err e = { 0 };
    CHECK(lsa_fit(&l, words, texts, TEXTS, DIM, 1, 2, &e) == ERR_OK && l.dim == DIM, "%s", e.text);
    static double a[TEXTS * WORDS];
    double values[WORDS], unused[WORDS], best = 0, held = 0;
    memcpy(a, tfidf, sizeof a);
    CHECK(LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', TEXTS, WORDS, a, WORDS, values, NULL, 1, NULL, 1, unused) == 0, "svd");
    for (int i = 0; i < DIM; i++) best += values[i] * values[i];
    for (int i = 0; i < TEXTS; i++)
        for (int c = 0; c < DIM; c++) {
            double sum = 0;
            for (size_t w = 0; w < lexicon_words(words); w++) {
                uint32_t with_word;
                (void)lexicon_word(words, w, &with_word);
                sum += tfidf[i][w] * l.rows[w * DIM + (size_t)c] / word_idf(TEXTS, with_word);
            }
            held += sum * sum;
        }
    CHECK(held > 0.98 * best && held < 1.0001 * best, "held %.4f of %.4f", held, best);
    lsa_free(&l);
    lexicon_destroy(words);
}

static void bad_input_is_refused(void)
{
    struct lexicon *words = make_texts(), *none = NULL;
    struct lsa l = { 0 };
    struct err e = { 0 };
    CHECK(lexicon_create(&none, &e) == ERR_OK, "%s", e.text);
    CHECK(lsa_fit(&l, none, texts, 0, 5, 1, 1, &e) == ERR_ARG, "%s", e.text);
    for (long n = 1; n <= 12; n++) {
        fault_after(FAULT_MEMORY, n, ENOMEM);
        CHECK(lsa_fit(&l, words, texts, TEXTS, 5, 1, 1, &e) == ERR_MEM && !l.rows, "allocation %ld", n);
        fault_after(FAULT_NONE, 0, 0);
    }
    lexicon_destroy(none);
    lexicon_destroy(words);
}

int main(void)
{
    test_case("all dimensions keep every tf-idf cosine", all_dimensions_keep_cosines);
    test_case("few dimensions hold what the best ones hold", few_dimensions_hold_the_most);
    test_case("no words and no memory are errors", bad_input_is_refused);
    return test_end();
}
