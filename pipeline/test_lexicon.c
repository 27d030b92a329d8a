/* SPDX-License-Identifier: MIT
 * test_lexicon.c - words, document counts, and the projection: against its definition, recorded
 * bits, and the inner products that it must keep. */
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include "pipeline/lexicon.h"
#include <errno.h>
#include <math.h>

static void words_are_cut(void)
{
    static const struct { const char *text, *words; } cases[] = {
        { "", "" }, { "  ,;. ", "" }, { "A big Cat's 2nd tail-end", "big|cat|2nd|tail|end|" },
        { "caf\xc3\xa9 NA\xc3\x8fVE x", "caf\xc3\xa9|na\xc3\x8fve|" }, { "a b c dd", "dd|" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text got = { 0 };
        char word[WORD_ROOM];
        const char *at = cases[i].text;
        for (size_t size; (size = word_next(&at, word)) > 0;) {
            CHECK(size == strlen(word), "size of '%s'", word);
            text_add(&got, "%s|", word);
        }
        CHECK(strcmp(text_of(&got), cases[i].words) == 0, "'%s' gives %s", cases[i].text, text_of(&got));
        text_free(&got);
    }
    char longest[500], word[WORD_ROOM];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    const char *at = longest;
    CHECK(word_next(&at, word) == WORD_ROOM - 1 && *at == 0, "a long word is cut and passed over whole");
}

static void documents_are_counted(void)
{
    struct lexicon *l = NULL;
    struct err e = { 0 };
    char text[64];
    CHECK(lexicon_create(&l, &e) == ERR_OK, "%s", e.text);
    /* Word number w is in every document that it divides: 6000 words make the table grow. */
    for (int d = 1; d <= 200; d++) {
        struct text document = { 0 };
        for (int w = 1; w <= 6000; w++)
            if (d % w == 0 || w > 200) text_add(&document, "%sw%d W%d", w > 1 ? " " : "", w, w);
        CHECK(lexicon_add(l, text_of(&document), &e) == ERR_OK, "%s", e.text);
        text_free(&document);
    }
    CHECK(lexicon_documents(l) == 200 && lexicon_words(l) == 6000, "%zu words", lexicon_words(l));
    for (int w = 1; w <= 6000; w++) {
        snprintf(text, sizeof text, "w%d", w);
        CHECK(lexicon_find(l, text) == (w > 200 ? 200u : 200u / (unsigned)w), "%s: %u", text, lexicon_find(l, text));
    }
    CHECK(lexicon_find(l, "w6001") == 0, "unknown");
    uint32_t documents;
    CHECK(strcmp(lexicon_word(l, 0, &documents), "w1") == 0 && documents == 200, "in order of appearance");
    lexicon_destroy(l);
    lexicon_destroy(NULL);
    CHECK(lexicon_create(&l, &e) == ERR_OK, "%s", e.text);
    static const long fails[] = { 1, 2, 3, 2 }; /* the two lists of names, their table; then the counts */
    for (int i = 0; i < 4; i++) {
        fault_after(FAULT_MEMORY, fails[i], ENOMEM);
        CHECK(lexicon_add(l, "some words", &e) == ERR_MEM, "failure %d", i);
        fault_after(FAULT_NONE, 0, 0);
    }
    CHECK(lexicon_add(l, "some words", &e) == ERR_OK && lexicon_words(l) == 2, "and then it works");
    lexicon_destroy(l);
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    CHECK(lexicon_create(&l, &e) == ERR_MEM, "no memory at all");
    fault_after(FAULT_NONE, 0, 0);
}

static uint64_t count_of(void *context, const char *word, int *status)
{
    if (strcmp(word, "broken") == 0) *status = ERR_IO;
    (void)context;
    return strcmp(word, "cat") == 0 ? 3 : strcmp(word, "dog") == 0 ? 30 : strcmp(word, "the") == 0 ? 150 : 0;
}

enum { D = 4096 };
static float scratch[D], x[D], y[D], z[D];

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < D; i++) sum += (double)a[i] * b[i];
    return sum;
}

static int project(const char *text, float *out)
{
    return text_project(text, D, 7, 300, count_of, NULL, scratch, out);
}

static void projection_keeps_cosines(void)
{
    CHECK(fabs(word_idf(300, 3) - log(301.0 / 4)) < 1e-12, "idf %.15g", word_idf(300, 3));
    CHECK(project("the cat", x) == ERR_OK && project("the dog", y) == ERR_OK, "known words");
    CHECK(project("Cat, unheard-of, THE!", z) == ERR_OK, "order, case and unknown words");
    CHECK(fabs(dot(x, x) - 1) < 1e-6, "unit length");
    CHECK(dot(x, z) > 1 - 1e-6, "the same words are the same vector");
    /* tf-idf by hand; the projection's error has deviation about 1 / sqrt(D) = .016 */
    const double the = word_idf(300, 150), cat = word_idf(300, 3), dog = word_idf(300, 30);
    const double exact = the * the / sqrt((the * the + cat * cat) * (the * the + dog * dog));
    CHECK(fabs(dot(x, y) - exact) < 4.0 / 64, "cosine %.4f, exact %.4f", dot(x, y), exact);
    CHECK(project("cat cat dog", z) == ERR_OK && project("dog cat", y) == ERR_OK, "counts");
    const double both = (2 * cat * cat + dog * dog) / sqrt((4 * cat * cat + dog * dog) * (cat * cat + dog * dog));
    CHECK(fabs(dot(y, z) - both) < 4.0 / 64, "a word that comes twice counts twice: %.4f, %.4f", dot(y, z), both);
    CHECK(project("nothing known", x) == ERR_OK && dot(x, x) == 0, "no known word: zero");
    CHECK(project("cat broken cat", x) == ERR_IO, "a failed look-up is passed on");
}

static void projection_is_recorded(void)
{
    CHECK(project("the cat and the dog", x) == ERR_OK, "known words");
    const uint64_t hash = hash64(0, x, sizeof x);
    CHECK(hash == 0x1d7cac3007c2bf60, "%#llx", (unsigned long long)hash);
}

int main(void)
{
    test_case("words: cut, lowered, short ones passed over", words_are_cut);
    test_case("documents are counted, once a document", documents_are_counted);
    test_case("projection keeps tf-idf cosines", projection_keeps_cosines);
    test_case("projection gives recorded bits", projection_is_recorded);
    return test_end();
}
