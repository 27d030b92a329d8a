/* SPDX-License-Identifier: MIT
 * eden_page.c - EDEN, RaBitQ and TurboQuant: which of the two disputants is right, and on what.  Every sentence that says so
 * is chosen by counts of cells whose interval lies on one side of 0; no number and no verdict is written here. */
#include "bench/papers/eden_page.h"
#include "bench/papers/compared.h"
#include "bench/papers/published.h"
#include "bench/papers/show.h"
#include "bench/rows/gnuplot.h"
#include "bench/rows/output.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { VALUES_MOST = 8, AXES = 3 };
static const char *const axes[AXES] = { "data", "dim", "bits" };

/* What the dispute says, as a difference of recall@10 that should lie above 0. */
static const struct claim { const char *who, *says, *versus, *first; } claims[] = {
    { "Pull request 5278", "EDEN is ahead of RaBitQ, as FAISS fits it", "rescaled - rabitq faiss", "EDEN" },
    { "Pull request 5278", "EDEN is ahead of RaBitQ, as its authors fit it", "rescaled - rabitq authors", "EDEN" },
    { "Pull request 5278", "EDEN is ahead of RaBitQ, were every row fitted as well as its format allows", "rescaled - rabitq sweep", "EDEN" },
    { "Issue 5170", "RaBitQ is ahead of TurboQuant, taken as its Q_prod", "rabitq sweep - prod", "RaBitQ" },
    { "Issue 5170", "RaBitQ is ahead of TurboQuant, taken as its Q_mse", "rabitq sweep - mse", "RaBitQ" },
    { "Issue 5170", "RaBitQ, as its authors fit it, is ahead of TurboQuant's Q_mse", "rabitq authors - mse", "RaBitQ" },
};
enum { CLAIMS = sizeof claims / sizeof *claims, BY_FAISS = 0, BY_AUTHORS, BY_SWEEP, OVER_PROD, OVER_MSE };

enum holds { HOLDS_NOT, HOLDS_EVERYWHERE, HOLDS_RESOLVED, HOLDS_REVERSED, HOLDS_DEPENDS };
static const char *const holds_names[] = { "not resolved in any cell", "holds in every cell", "holds wherever it is resolved",
                                           "the reverse, wherever it is resolved", "depends on the data" };

static enum holds holds_of(const struct compared *c)
{
    if (c->ahead && c->behind) return HOLDS_DEPENDS;
    if (c->behind) return HOLDS_REVERSED;
    return !c->ahead ? HOLDS_NOT : c->open ? HOLDS_RESOLVED : HOLDS_EVERYWHERE;
}

static int is_right(const struct compared *c) { return c->ahead > 0 && c->behind == 0; }

/* --- on what ------------------------------------------------------------------------------------------ */

static size_t values_of(const struct table *t, const char *key, char out[VALUES_MOST][32])
{
    size_t count = 0;
    for (size_t row = 0; row < t->count && count < VALUES_MOST; row++) count += (size_t)cell_first(t, row, key, out[count], sizeof *out);
    return count;
}

/* "ahead on dim=1024, bits=1; behind on ...": values of an axis where all that is resolved is on one side. */
static void add_sides(const struct table *t, const char *versus, struct text *out)
{
    for (int side = 0; side < 2; side++) {
        int said = 0;
        for (size_t a = 0; a < AXES; a++) {
            char values[VALUES_MOST][32], part[64];
            const size_t count = values_of(t, axes[a], values);
            for (size_t v = 0; v < count; v++) {
                snprintf(part, sizeof part, "%s=%.31s", axes[a], values[v]);
                const struct compared c = compared_of(t, versus, part);
                const size_t on = side ? c.behind : c.ahead, against = side ? c.ahead : c.behind;
                if (on == 0 || against > 0) continue;
                text_add(out, "%s`%s` (%zu of %zu)", said ? ", " : side ? " Behind alone on " : " Ahead alone on ", part, on, compared_count(&c));
                said = 1;
            }
        }
        if (said) text_add(out, ".");
    }
}

static void add_claim(const struct table *t, const struct claim *claim, struct text *out)
{
    const struct compared c = compared_of(t, claim->versus, "");
    const enum holds holds = holds_of(&c);
    if (compared_count(&c) == 0) return; /* of rows of older runs */
    text_add(out, "* **%s: %s.** %c%s", claim->who, claim->says, holds_names[holds][0] - 'a' + 'A', holds_names[holds] + 1);
    text_add(out, ": %s is ahead in %zu of %zu cells, behind in %zu, and in %zu the interval has 0 in it; recall@10 %+.4f to %+.4f.",
             claim->first, c.ahead, compared_count(&c), c.behind, c.open, c.least, c.most);
    if (holds == HOLDS_DEPENDS) add_sides(t, claim->versus, out);
    text_add(out, "\n");
}

/* Recall of one method over another's, cell by cell, in per cent: least and most. */
static int relative(const struct table *t, const char *first, const char *second, double *least, double *most)
{
    static const char *const method[] = { "method" };
    char name[64], key[256], other[256];
    *least = (double)INFINITY, *most = -(double)INFINITY;
    for (size_t i = 0; i < t->count; i++) {
        const char *cell = table_text(t, i, table_column(t, "cell"));
        if (!cell_get(cell, "method", name, sizeof name) || strcmp(name, first) != 0) continue;
        cell_without(cell, method, 1, key, sizeof key);
        for (size_t k = 0; k < t->count; k++) {
            const char *cell_k = table_text(t, k, table_column(t, "cell"));
            if (!cell_get(cell_k, "method", name, sizeof name) || strcmp(name, second) != 0) continue;
            cell_without(cell_k, method, 1, other, sizeof other);
            if (strcmp(key, other) != 0) continue;
            const double gain = 100 * (table_number(t, i, table_column(t, "ours")) / table_number(t, k, table_column(t, "ours")) - 1);
            *least = fmin(*least, gain), *most = fmax(*most, gain);
        }
    }
    return *least <= *most;
}

/* --- the answer --------------------------------------------------------------------------------------- */

static void add_answer(const struct table *t, struct text *out)
{
    struct compared c[CLAIMS];
    double least, most;
    for (size_t i = 0; i < CLAIMS; i++) c[i] = compared_of(t, claims[i].versus, "");
    /* FAISS's is the fit that the pull request measured. */
    const size_t fit = compared_count(&c[BY_FAISS]) ? BY_FAISS : BY_AUTHORS;
    const int eden = is_right(&c[fit]), rabitq = is_right(&c[OVER_PROD]);
    text_add(out, "**%s.**\n\n", eden && rabitq ? "Both are right about what they measured"
                                 : eden ? "The pull request is right about what it measured, the issue is not"
                                 : rabitq ? "The issue is right about what it measured, the pull request is not"
                                          : "Neither is right about what it measured");
    text_add(out, "* EDEN against RaBitQ: %s: with the fit of %s, %zu of %zu cells are EDEN's and %zu RaBitQ's; with a fit that\n"
                  "  tries every step of every row, %zu of %zu and %zu.\n",
             eden && 2 * c[BY_SWEEP].open > compared_count(&c[BY_SWEEP]) ? "the gain is the fit's, not the code's" :
             eden && is_right(&c[BY_SWEEP]) ? "the gain is there whatever the fit" : "the gain depends on the fit",
             fit == BY_FAISS ? "FAISS" : "RaBitQ's authors", c[fit].ahead, compared_count(&c[fit]), c[fit].behind, c[BY_SWEEP].ahead, compared_count(&c[BY_SWEEP]),
             c[BY_SWEEP].behind);
    text_add(out, "* RaBitQ against TurboQuant: %s: against Q_prod, %zu of %zu cells are RaBitQ's and %zu TurboQuant's; against Q_mse, %zu of %zu\n"
                  "  and %zu.\n",
             rabitq && !is_right(&c[OVER_MSE]) ? "the gain is over Q_prod, not over Q_mse" :
             rabitq ? "the gain is over Q_prod and Q_mse alike" : "there is no gain throughout",
             c[OVER_PROD].ahead, compared_count(&c[OVER_PROD]), c[OVER_PROD].behind, c[OVER_MSE].ahead, compared_count(&c[OVER_MSE]),
             c[OVER_MSE].behind);
    if (relative(t, "rabitq sweep", "prod", &least, &most))
        text_add(out, "* As a share of recall@10, RaBitQ is %+.1f to %+.1f %% on Q_prod", least, most);
    if (relative(t, "rabitq sweep", "mse", &least, &most)) text_add(out, ", and %+.1f to %+.1f %% on Q_mse", least, most);
    text_add(out, ".\n\n");
}

/* --- the tables ---------------------------------------------------------------------------------------- */

/* Differences by data and dimension, a column a width; bold where the interval has no 0 in it. */
static void add_grid(const struct table *t, const char *versus, struct text *out)
{
    char data[VALUES_MOST][32], dims[VALUES_MOST][32], bits[VALUES_MOST][32], part[320];
    const size_t data_count = values_of(t, "data", data), dim_count = values_of(t, "dim", dims), bit_count = values_of(t, "bits", bits);
    struct sheet g = { .columns = 1 + bit_count };
    const struct compared any = compared_of(t, versus, "");
    if (compared_count(&any) == 0) return;
    sheet_add(&g, SHEET_NONE, "%s", versus);
    for (size_t b = 0; b < bit_count; b++) sheet_add(&g, SHEET_NONE, "%s bit%s", bits[b], strcmp(bits[b], "1") == 0 ? "" : "s");
    for (size_t k = 0; k < data_count; k++)
        for (size_t d = 0; d < dim_count; d++) {
            sheet_add(&g, SHEET_NONE, "%.31s, d = %.31s", data[k], dims[d]);
            for (size_t b = 0; b < bit_count; b++) {
                snprintf(part, sizeof part, "data=%s;dim=%s;bits=%s", data[k], dims[d], bits[b]);
                const struct compared c = compared_of(t, versus, part);
                if (compared_count(&c) == 0) sheet_add(&g, SHEET_NONE, "-");
                else sheet_add(&g, c.open ? SHEET_NONE : SHEET_BEST, "%+.4f", c.least);
            }
        }
    sheet_print(&g, SHEET_MARKDOWN, out);
    text_add(out, "\n");
    out->failed |= g.failed;
    sheet_free(&g);
}

/* The rows of another item that the paper, or the pull request, prints. */
static int add_item(const char *dir, const char *file, struct text *out, struct err *e)
{
    struct table t = { 0 };
    struct text path = { 0 };
    text_add(&path, "%s/%s", dir, file);
    const int status = access(text_of(&path), R_OK) == 0 ? table_append(&t, text_of(&path), e) : ERR_OK;
    if (status == ERR_OK && t.count) {
        (void)paper_sheet(&t, SHEET_MARKDOWN, PAPER_ROWS_SAID, out);
        text_add(out, "\n");
    }
    table_free(&t);
    text_free(&path);
    return status;
}

static int read_who(const char *dir, struct table *t, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s/eden_who.csv", dir);
    const int status = table_append(t, text_of(&path), e);
    text_free(&path);
    return status;
}

static void add_head(const struct table *t, struct text *out)
{
    text_add(out, "# EDEN, RaBitQ, TurboQuant: which is right, and on what\n\n"
                  "Written by `assay paper` from [eden_who.csv](eden_who.csv), [eden_pull_request.csv](eden_pull_request.csv) and\n"
                  "[eden_claims.csv](eden_claims.csv); its sentences are chosen by counts of their rows. %s, %s; build %s; %s.\n\n"
                  "## The question\n\n"
                  "Two threads of FAISS disagree about which quantiser is ahead at equal bits. Pull request 5278 (EDEN, arXiv 2604.18555) has\n"
                  "EDEN ahead of RaBitQ; issue 5170 has RaBitQ 4 to 53 %% ahead of TurboQuant, and EDEN and TurboQuant share their codes. Here\n"
                  "all answer the same questions on the same vectors: recall@10 by squared distance, the mean taken off, the kinds of data\n"
                  "of the pull request's own benchmark.\n\n"
                  "* EDEN: TurboQuant's Lloyd-Max levels, and a scale of each row's own that makes its inner product right (`rescaled`).\n"
                  "* RaBitQ: even steps. `authors` starts its search for a row's step where RaBitQ-Library starts it, which is late; `faiss` is\n"
                  "  FAISS's form of that, which the pull request measured; `sweep` tries every step that changes a code.\n"
                  "* TurboQuant: `mse`, and `prod`, which spends a bit of each dimension on being unbiased.\n\n"
                  "A cell is a kind of data, a dimension and a width. It is *ahead* or *behind* when the 99.9 %% interval of the paired\n"
                  "difference over the questions has no 0 in it, and counts for nobody when it has.\n\n"
                  "## The answer\n\n",
             table_note(t, "assay"), table_note(t, "time"), table_note(t, "build"), table_note(t, "cpu"));
}

int eden_text(const char *dir, struct text *out, struct err *e)
{
    struct table t = { 0 };
    int status = read_who(dir, &t, e);
    if (status != ERR_OK) return status;
    add_head(&t, out);
    add_answer(&t, out);
    text_add(out, "![difference of recall@10 by data, dimension and bits](eden.svg)\n\n## What was claimed, and what holds\n\n");
    for (size_t i = 0; i < CLAIMS; i++) add_claim(&t, &claims[i], out);
    text_add(out, "\n## By data, dimension and bits\n\nDifferences of recall@10; bold where the interval has no 0 in it.\n\n");
    for (size_t i = 0; i < CLAIMS; i++) add_grid(&t, claims[i].versus, out);
    text_add(out, "## The pull request's own table\n\nBy how much EDEN's squared error is below RaBitQ's, and recall@10 of each, as printed and here.\n\n");
    status = add_item(dir, "eden_pull_request.csv", out, e);
    text_add(out, "## The note's claims on squared error\n\n");
    if (status == ERR_OK) status = add_item(dir, "eden_claims.csv", out, e);
    while (out->size > 1 && out->at[out->size - 1] == '\n' && out->at[out->size - 2] == '\n') out->at[--out->size] = 0;
    table_free(&t);
    return status;
}

/* --- the figure ----------------------------------------------------------------------------------------- */

static const size_t drawn[] = { BY_SWEEP, BY_FAISS, BY_AUTHORS, OVER_MSE };
enum { DRAWN = sizeof drawn / sizeof *drawn };

/* Of these claims those that were measured. */
static size_t drawn_of(const struct table *t, const char *versus[DRAWN])
{
    size_t count = 0;
    for (size_t i = 0; i < DRAWN; i++) {
        const struct compared c = compared_of(t, claims[drawn[i]].versus, "");
        if (compared_count(&c)) versus[count++] = claims[drawn[i]].versus;
    }
    return count;
}

static void add_line(const struct table *t, const char *versus, const char *part, struct text *data)
{
    char name[128], bits[16];
    text_add(data, "# %s;versus=%s\n", part, versus);
    for (size_t i = 0; i < t->count; i++) {
        const char *cell = table_text(t, i, table_column(t, "cell"));
        if (!cell_get(cell, "versus", name, sizeof name) || strcmp(name, versus) != 0 || !cell_in(part, cell)) continue;
        if (!cell_get(cell, "bits", bits, sizeof bits) || !isfinite(table_number(t, i, table_column(t, "ours")))) continue;
        text_add(data, "%s %.9g %.9g %.9g\n", bits, table_number(t, i, table_column(t, "ours")), table_number(t, i, table_column(t, "ours_lo")),
                 table_number(t, i, table_column(t, "ours_hi")));
    }
    text_add(data, "\n\n");
}

int eden_figure(const char *dir, struct err *e)
{
    struct table t = { 0 };
    struct text script = { 0 }, lines = { 0 };
    char data[VALUES_MOST][32], dims[VALUES_MOST][32], part[320];
    int status = read_who(dir, &t, e);
    if (status != ERR_OK) return status;
    const char *versus[DRAWN];
    const size_t lines_drawn = drawn_of(&t, versus);
    const size_t data_count = values_of(&t, "data", data), dim_count = values_of(&t, "dim", dims);
    status = gnuplot_figure(&script, "facets", dir, "eden", "who is ahead in recall@10 at equal bits, by data and dimension", "bits per dimension", e);
    text_add(&script, "rows_ = %zu; columns_ = %zu; n = %zu; array label[%zu]; array panel_title[%zu]; array y_label[1]; ", dim_count, data_count,
             lines_drawn, lines_drawn, dim_count * data_count);
    gnuplot_set(&script, "y_label", 1, "difference of recall@10");
    for (size_t i = 0; i < lines_drawn; i++) gnuplot_set(&script, "label", i + 1, versus[i]);
    for (size_t d = 0; d < dim_count; d++)
        for (size_t k = 0; k < data_count; k++) {
            snprintf(part, sizeof part, "%.31s, d = %.31s", data[k], dims[d]);
            gnuplot_set(&script, "panel_title", d * data_count + k + 1, part);
            snprintf(part, sizeof part, "data=%.31s;dim=%.31s", data[k], dims[d]);
            for (size_t i = 0; i < lines_drawn; i++) add_line(&t, versus[i], part, &lines);
        }
    if (status == ERR_OK) status = output_write_in(dir, "eden.dat", &lines, e);
    if (status == ERR_OK) status = gnuplot_render_as(&script, "png svg pdf", dir, "eden", e);
    table_free(&t);
    text_free(&script);
    text_free(&lines);
    return status;
}

int eden_page(const char *dir, struct err *e)
{
    struct text page = { 0 }, path = { 0 };
    text_add(&path, "%s/eden_who.csv", dir);
    const int is_there = access(text_of(&path), R_OK) == 0;
    int status = is_there ? eden_text(dir, &page, e) : ERR_OK;
    if (status == ERR_OK && is_there) status = eden_figure(dir, e);
    if (status == ERR_OK && is_there) status = output_write_in(dir, "eden.md", &page, e);
    text_free(&page);
    text_free(&path);
    return status;
}
