/* SPDX-License-Identifier: MIT
 * page.c - README.md of a folder of papers: what reproduced, what did not, and why; made of the CSV files alone. */
#include "bench/papers/compared.h"
#include "bench/papers/item.h"
#include "bench/papers/judge.h"
#include "bench/papers/show.h"
#include "bench/rows/output.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 3 };

struct page {
    const char *dir;
    size_t counts[CLASSES][VERDICT_COUNT];
    struct text provenance, odd, body; /* odd: what did not reproduce */
};

static void count_row(struct page *p, const struct table *t, size_t row)
{
    const char *class = table_text(t, row, table_column(t, "class")), *verdict = table_text(t, row, table_column(t, "verdict"));
    for (int c = 0; c < CLASSES; c++)
        for (int v = 0; v < VERDICT_COUNT; v++)
            p->counts[c][v] += strcmp(class, paper_class_name((enum paper_class)c)) == 0 &&
                               strcmp(verdict, verdict_name((enum verdict)v)) == 0;
}

static void add_odd(struct page *p, const struct paper_ops *paper, const char *item, const struct table *t, size_t row)
{
    const char *verdict = table_text(t, row, table_column(t, "verdict")), *why = table_text(t, row, table_column(t, "why"));
    const char *published = table_text(t, row, table_column(t, "published")), *rule = table_text(t, row, table_column(t, "rule"));
    if (strcmp(verdict, "deviates") != 0 && strcmp(verdict, "shape differs") != 0 && strcmp(verdict, "void") != 0) return;
    text_add(&p->odd, "* **%s/%s** `%s`: %s. ", paper->name, item, table_text(t, row, table_column(t, "cell")), verdict);
    if (*published)
        text_add(&p->odd, "Paper %s%s, ours %.4g. ", strcmp(rule, "direction") == 0 ? "(difference) " : "", published,
                 table_number(t, row, table_column(t, "ours")));
    else
        text_add(&p->odd, "Theory %.4g, ours %.4g. ", table_number(t, row, table_column(t, "theory")),
                 table_number(t, row, table_column(t, "ours")));
    text_add(&p->odd, "%s\n", *why ? why : "Not explained.");
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

/* Figures of an item: <stem>.svg and <stem>_<panel>.svg, but for those of an item whose name goes on. */
static void add_figures(struct page *p, const struct paper_plan *plan, const char *stem)
{
    struct dirent **names = NULL;
    const int count = scandir(p->dir, &names, NULL, by_name);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name, *end = strrchr(name, '.');
        size_t longest = 0;
        for (size_t k = 0; k < plan->count; k++) {
            char other[128];
            paper_stem(plan->paper->name, plan->items[k], other, sizeof other);
            const size_t size = strlen(other);
            if (strncmp(name, other, size) == 0 && (name[size] == '_' || name[size] == '.') && size > longest) longest = size;
        }
        if (end && strcmp(end, ".svg") == 0 && longest == strlen(stem) && strncmp(name, stem, longest) == 0)
            text_add(&p->body, "![%.*s](%s)\n\n", (int)(end - name), name, name);
        free(names[i]);
    }
    free(names);
}

/* Of an item with comparisons (key "versus"): in how many cells the first is ahead, behind, or neither is resolved. */
static void add_comparisons(struct page *p, const struct table *t)
{
    struct sheet g = { .columns = 6 };
    static const char *const heading[] = { "first - second", "ahead", "behind", "not resolved", "least", "most" };
    char versus[128];
    for (size_t i = 0; i < 6; i++) sheet_add(&g, SHEET_NONE, "%s", heading[i]);
    for (size_t row = 0; row < t->count; row++) {
        if (!cell_first(t, row, "versus", versus, sizeof versus)) continue;
        const struct compared c = compared_of(t, versus, "");
        if (compared_count(&c) == 0) continue;
        sheet_add(&g, SHEET_NONE, "%s", versus);
        sheet_add(&g, SHEET_NONE, "%zu", c.ahead);
        sheet_add(&g, SHEET_NONE, "%zu", c.behind);
        sheet_add(&g, SHEET_NONE, "%zu", c.open);
        sheet_add(&g, SHEET_NONE, "%+.4f", c.least);
        sheet_add(&g, SHEET_NONE, "%+.4f", c.most);
    }
    if (g.count > 6) {
        text_add(&p->body, "Of its comparisons, cells by where the interval lies:\n\n");
        sheet_print(&g, SHEET_MARKDOWN, &p->body);
        text_add(&p->body, "\n");
    }
    p->body.failed |= g.failed;
    sheet_free(&g);
}

static int add_item(struct page *p, const struct paper_plan *plan, const char *item, struct err *e)
{
    char stem[128], classes[4];
    struct text path = { 0 };
    struct table t = { 0 };
    paper_stem(plan->paper->name, item, stem, sizeof stem);
    text_add(&path, "%s/%s.csv", p->dir, stem);
    int status = access(text_of(&path), R_OK) == 0 ? table_append(&t, text_of(&path), e) : ERR_OK;
    if (status == ERR_OK && t.count > 0) {
        const struct paper_item *known = paper_item_find(plan->paper, item);
        paper_plan_classes(plan, item, classes);
        text_add(&p->body, "### %s/%s (%s)\n\n%s%s", plan->paper->name, item, classes, known ? known->summary : "", known ? ".\n\n" : "");
        add_figures(p, plan, stem);
        add_comparisons(p, &t);
        const size_t more = paper_sheet(&t, SHEET_MARKDOWN, PAPER_ROWS_SAID, &p->body);
        if (more) text_add(&p->body, "%s%zu rows without a number of the paper: [%s.csv](%s.csv).\n", more < t.count ? "\n" : "", more, stem, stem);
        text_add(&p->body, "\n");
        for (size_t row = 0; row < t.count; row++) {
            count_row(p, &t, row);
            add_odd(p, plan->paper, item, &t, row);
        }
        if (!p->provenance.size)
            text_add(&p->provenance, "%s, %s; build %s; %s.", table_note(&t, "assay"), table_note(&t, "time"), table_note(&t, "build"),
                     table_note(&t, "cpu"));
    }
    table_free(&t);
    text_free(&path);
    return status;
}

static void add_counts(const struct page *p, struct text *out)
{
    struct sheet g = { .columns = CLASSES + 1 };
    sheet_add(&g, SHEET_NONE, "verdict");
    for (int c = 0; c < CLASSES; c++) sheet_add(&g, SHEET_NONE, "%s", paper_class_name((enum paper_class)c));
    for (int v = 0; v < VERDICT_COUNT; v++) {
        sheet_add(&g, SHEET_NONE, "%s", v == VERDICT_NONE ? "(no number, no theory)" : verdict_name((enum verdict)v));
        for (int c = 0; c < CLASSES; c++) sheet_add(&g, SHEET_NONE, "%zu", p->counts[c][v]);
    }
    sheet_print(&g, SHEET_MARKDOWN, out);
    out->failed |= g.failed;
    sheet_free(&g);
}

int paper_page(const char *dir, struct err *e)
{
    struct page p = { .dir = dir };
    struct text out = { 0 }, file = { 0 };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && paper_at(i); i++) {
        struct paper_plan plan;
        status = paper_plan_init(&plan, paper_at(i), e);
        if (status != ERR_OK) break;
        text_add(&p.body, "## %s: %s\n\n%s.\n\n", paper_at(i)->name, paper_at(i)->reference, paper_at(i)->summary);
        if (paper_at(i)->page) status = paper_at(i)->page(dir, e);
        text_add(&file, "%s/%s.md", dir, paper_at(i)->name);
        if (paper_at(i)->page && access(text_of(&file), R_OK) == 0)
            text_add(&p.body, "The answer, on one page: [%s.md](%s.md).\n\n", paper_at(i)->name, paper_at(i)->name);
        text_clear(&file);
        for (size_t k = 0; status == ERR_OK && k < plan.count; k++) status = add_item(&p, &plan, plan.items[k], e);
        paper_plan_fini(&plan);
    }
    text_add(&out, "# Papers, recomputed\n\nWritten by `assay paper` from the CSV files beside it, which hold every digit. %s\n\n"
                   "Classes: R, the paper's own quantity on data that it defines; T, the same mechanism on other data, of which\n"
                   "direction and shape are compared; X, impossible here, with the reason. +- is half of the interval that the\n"
                   "verdict was taken from. What the verdicts mean: `bench/papers/README.md`.\n\n"
                   "Wins, ties, losses and p, of a paired randomization test, are over the questions that a mean is over, against what the\n"
                   "cell names; where it names none, others of its item are set against it. What is no mean over questions has none:\n"
                   "squared errors and biases are over rows or pairs, times over rounds, and of kernels it is the share of questions whose\n"
                   "answers are the same set, which no other share stands beside.\n\n"
                   "Items that ask labelled questions leave the answers of every arm and the labels in `trec/`, as trec_eval reads\n"
                   "them (`trec_eval -c -m recall.10 X.qrels X_ARM.run`). Tens of megabytes, they are not committed: run the item with\n"
                   "`--out`.\n\n## Verdicts\n\n",
             text_of(&p.provenance));
    add_counts(&p, &out);
    text_add(&out, "\n## What did not reproduce\n\n%s\n%s", p.odd.size ? text_of(&p.odd) : "Nothing.\n", text_of(&p.body));
    out.failed |= p.odd.failed | p.body.failed;
    if (out.size && out.at[out.size - 1] == '\n' && out.size > 1 && out.at[out.size - 2] == '\n') out.at[--out.size] = 0;
    if (status == ERR_OK) status = output_write_in(dir, "README.md", &out, e);
    text_free(&p.provenance);
    text_free(&p.odd);
    text_free(&p.body);
    text_free(&out);
    text_free(&file);
    return status;
}
