/* SPDX-License-Identifier: MIT
 * test_eden_page.c - do the sentences of the dispute's page follow from its rows, and is the committed page what its rows
 * say? */
#include "bench/papers/eden_page.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const pairs[] = { "rescaled - rabitq authors", "rescaled - rabitq sweep", "rabitq sweep - prod", "rabitq sweep - mse",
                                     "rabitq authors - mse", "rescaled - rabitq faiss" };

/* A page of four cells a pair: signs[p] says of each whether the interval is above 0, below, or on both sides; NULL: the pair
 * was not measured. */
static void page_of(const char *const signs[6], struct text *out)
{
    char folder[] = "/tmp/assay-eden-XXXXXX", path[64];
    struct err e = { 0 };
    CHECK(mkdtemp(folder), "%s", folder);
    snprintf(path, sizeof path, "%s/eden_who.csv", folder);
    FILE *f = fopen(path, "w");
    CHECK(f, "%s", path);
    fprintf(f, "# assay: test\npaper,item,class,cell,ours,ours_lo,ours_hi\n");
    for (int p = 0; p < 6; p++)
        for (int i = 0; signs[p] && i < 4; i++) {
            const double ours = signs[p][i] == '+' ? 0.0123 : signs[p][i] == '-' ? -0.0456 : 0.001;
            for (int twice = 0; twice < 1 + (i == 0); twice++) /* a cell that meets two lines of the paper is one cell */
                fprintf(f, "eden,who,T,data=%s;dim=%d;bits=2;versus=%s,%g,%g,%g\n", i & 1 ? "laplace" : "gaussian", i & 2 ? 384 : 64, pairs[p],
                        ours, ours - 0.01, ours + 0.01);
        }
    fprintf(f, "eden,who,T,data=gaussian;dim=64;bits=2;method=rabitq sweep,0.6,0.6,0.6\n"
               "eden,who,T,data=gaussian;dim=64;bits=2;method=prod,0.5,0.5,0.5\n"
               "eden,who,T,data=laplace;dim=64;bits=2;method=prod,0.1,0.1,0.1\n");
    fclose(f);
    CHECK(eden_text(folder, out, &e) == ERR_OK, "%s", e.text);
    (void)unlink(path);
    (void)rmdir(folder);
}

#define SAYS(page, what) CHECK(strstr(text_of(&(page)), (what)), "the page does not say '%s'", (what))

static void test_both_right(void)
{
    static const char *const signs[] = { "++.+", "....", "++++", "+-.-", "+-.-", NULL };
    struct text page = { 0 };
    page_of(signs, &page);
    SAYS(page, "**Both are right about what they measured.**");
    SAYS(page, "the gain is the fit's, not the code's");
    SAYS(page, "with the fit of RaBitQ's authors, 3 of 4 cells are EDEN's and 0 RaBitQ's");
    SAYS(page, "the gain is over Q_prod, not over Q_mse");
    SAYS(page, "Holds wherever it is resolved: EDEN is ahead in 3 of 4 cells, behind in 0, and in 1 the interval has 0 in it; "
               "recall@10 +0.0010 to +0.0123.");
    SAYS(page, "Not resolved in any cell");
    SAYS(page, "Holds in every cell");
    SAYS(page, "Ahead alone on `data=gaussian` (1 of 2). Behind alone on `data=laplace` (2 of 2), `dim=384` (1 of 2).");
    SAYS(page, "RaBitQ is +20.0 to +20.0 % on Q_prod");
    SAYS(page, "| gaussian, d = 64 | **+0.0123** |");
    SAYS(page, "| gaussian, d = 384 | +0.0010 |");
    text_free(&page);
}

/* The same rows with other signs say something else. */
static void test_planted(void)
{
    static const char *const reversed[] = { "---.", "----", "----", "++++", "....", NULL };
    static const char *const alike[] = { "++++", "++++", "+++.", "+.++", "....", NULL };
    static const char *const faiss[] = { "....", "....", "++++", "....", "....", "++++" };
    struct text page = { 0 };
    page_of(reversed, &page);
    SAYS(page, "**Neither is right about what it measured.**");
    SAYS(page, "The reverse, wherever it is resolved: EDEN is ahead in 0 of 4 cells, behind in 3");
    SAYS(page, "there is no gain throughout");
    text_clear(&page);
    page_of(alike, &page);
    SAYS(page, "the gain is there whatever the fit");
    SAYS(page, "the gain is over Q_prod and Q_mse alike");
    CHECK(!strstr(text_of(&page), "as FAISS fits it"), "what was not measured is claimed");
    text_clear(&page);
    page_of(faiss, &page);
    SAYS(page, "with the fit of FAISS, 4 of 4 cells are EDEN's and 0 RaBitQ's");
    SAYS(page, "EDEN is ahead of RaBitQ, as FAISS fits it.** Holds in every cell");
    text_free(&page);
}

static void test_committed(void)
{
    struct text page = { 0 };
    struct err e = { 0 };
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (access("results/papers/eden.md", R_OK) != 0) SKIP("no results/papers yet");
    CHECK(eden_text("results/papers", &page, &e) == ERR_OK, "%s", e.text);
    CHECK(mem_read_file(&bytes, &size, "results/papers/eden.md", &e) == ERR_OK, "%s", e.text);
    CHECK(size == page.size && memcmp(bytes, page.at, size) == 0, "results/papers/eden.md is not what its rows say");
    mem_free(bytes);
    text_free(&page);
}

static void test_absent(void)
{
    struct text page = { 0 };
    struct err e = { 0 };
    CHECK(eden_text("/nowhere", &page, &e) == ERR_NOT_FOUND && strstr(e.text, "/nowhere/eden_who.csv"), "%s", e.text);
    CHECK(eden_page("/nowhere", &e) == ERR_OK, "%s", e.text);
    text_free(&page);
}

int main(void)
{
    test_case("both right, each about something else", test_both_right);
    test_case("planted signs turn the sentences", test_planted);
    test_case("the committed page is what its rows say", test_committed);
    test_case("without rows there is no page", test_absent);
    return test_end();
}
