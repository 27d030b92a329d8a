/* SPDX-License-Identifier: MIT
 * page.c - puts the page of a folder together. */
#include "bench/report/page.h"
#include "bench/report/answer.h"
#include "bench/report/grid.h"
#include "bench/report/history.h"
#include "bench/report/html.h"
#include "bench/report/verdicts.h"
#include <string.h>

static const char *cell(const struct table *t, size_t row, const char *column)
{
    return table_text(t, row, table_column(t, column));
}

/* --- title -------------------------------------------------------------------------------------- */

enum { NAMED = 4, CARDS = 6 }; /* data sets in a title; answers at once, the others behind a click */

/* The group at position `at` of those that answers are given of; NULL past the last. */
static const struct result_group *group_at(const struct folder *f, size_t at)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->results[i].is_parts) continue;
        if (at < f->results[i].count) return &f->results[i].groups[at];
        at -= f->results[i].count;
    }
    return NULL;
}

static int is_named_before(const struct folder *f, size_t at)
{
    struct text name = { 0 }, other = { 0 };
    int found = 0;
    result_data(group_at(f, at), &name);
    for (size_t i = 0; i < at && !found; i++) {
        text_clear(&other);
        result_data(group_at(f, i), &other);
        found = strcmp(text_of(&name), text_of(&other)) == 0;
    }
    text_free(&name);
    text_free(&other);
    return found;
}

/* "wordnet, clustered and twohop" */
static void add_data_names(struct text *out, const struct folder *f)
{
    size_t total = 0, said = 0;
    for (size_t i = 0; group_at(f, i); i++) total += !is_named_before(f, i);
    const size_t named = total > NAMED ? NAMED - 1 : total;
    for (size_t i = 0; group_at(f, i) && said < named; i++) {
        if (is_named_before(f, i)) continue;
        text_add(out, said == 0 ? "" : said + 1 == total ? " and " : ", ");
        result_data(group_at(f, i), out);
        said++;
    }
    if (named < total) text_add(out, " and %zu more", total - named);
}

static void add_title(struct text *out, const struct folder *f)
{
    int pipelines = 0, indexes = 0;
    for (size_t i = 0; group_at(f, i); i++) {
        pipelines |= group_at(f, i)->is_pipeline;
        indexes |= !group_at(f, i)->is_pipeline;
    }
    if (pipelines || indexes) {
        text_add(out, pipelines && indexes ? "Indexes and pipelines" : pipelines ? "Retrieval pipelines" : "Indexes");
        text_add(out, " measured on ");
        add_data_names(out, f);
        return;
    }
    for (size_t i = 0; i < f->count; i++)
        if (verdicts_title(out, &f->tables[i].table)) return;
    text_add(out, "Results");
}

void page_about(struct text *out, const struct table *t)
{
    const char *const cpu = table_note(t, "cpu"), *const time = table_note(t, "time"), *const version = table_note(t, "assay");
    html_add(out, cpu);
    text_add(out, *cpu && *time ? ", " : "");
    if (strlen(time) == strlen("2026-11-28T23:02:56Z") && time[10] == 'T') {
        struct text day = { 0 };
        text_add(&day, "%.10s %.5s UTC", time, time + 11);
        html_add(out, text_of(&day));
        text_free(&day);
    } else {
        html_add(out, time);
    }
    text_add(out, *version ? ", assay " : "");
    html_add(out, version);
}

/* --- answer ------------------------------------------------------------------------------------- */

static void add_data(struct text *out, const struct result_group *g)
{
    const size_t row = g->points[0].rows[0];
    text_add(out, "<h3>");
    struct text name = { 0 };
    result_data(g, &name);
    html_add(out, text_of(&name));
    text_free(&name);
    text_add(out, " <span class=\"data\">");
    html_count(out, cell(g->t, row, "n"));
    text_add(out, " vectors &times; ");
    html_add(out, cell(g->t, row, "dim"));
    text_add(out, ", ");
    html_count(out, cell(g->t, row, "queries"));
    text_add(out, g->is_pipeline ? " questions, k = " : " queries, k = ");
    html_add(out, cell(g->t, row, "k"));
    text_add(out, ", %zu points</span></h3>\n", g->count);
}

/* Points that failed are named: what is not measured is no result. */
static void add_failures(struct text *out, const struct folder *f)
{
    size_t failed = 0;
    struct text list = { 0 };
    for (size_t i = 0; i < f->count; i++) {
        const struct table *t = &f->tables[i].table;
        if (table_column(t, "status") < 0) continue;
        for (size_t r = 0; r < t->count; r++) {
            if (strcmp(cell(t, r, "status"), "ok") == 0 || failed++ >= 10) continue;
            text_add(&list, "<li>");
            html_add(&list, *cell(t, r, "index") ? cell(t, r, "index") : cell(t, r, "op"));
            text_add(&list, ": ");
            html_add(&list, cell(t, r, "status"));
            text_add(&list, "</li>\n");
        }
    }
    if (failed) text_add(out, "<div class=\"card warn\"><h3>%zu failed</h3><ul>%s</ul>%s</div>\n", failed, text_of(&list),
                         failed > 10 ? "<p>and more: the tables have all.</p>" : "");
    text_free(&list);
}

static int add_card(struct text *out, const struct result_group *group, struct err *e)
{
    struct answer answer;
    struct text usual = { 0 };
    const int status = answer_find(group, &answer, e);
    if (status != ERR_OK || !answer.best) return status;
    text_add(out, "<div class=\"card\">\n");
    add_data(out, group);
    answer_write(group, &answer, out);
    result_usual(group, &usual);
    if (group->is_pipeline && group->has_usual && group->varying > 3) {
        text_add(out, "<p class=\"how\">Usual settings: <code>");
        html_add(out, text_of(&usual));
        text_add(out, "</code></p>\n");
    }
    text_add(out, "</div>\n");
    text_free(&usual);
    return ERR_OK;
}

static int add_answers(struct text *out, const struct folder *f, struct err *e)
{
    int status = ERR_OK;
    size_t at = 0;
    text_add(out, "<div class=\"cards\">\n");
    for (; status == ERR_OK && at < CARDS && group_at(f, at); at++) status = add_card(out, group_at(f, at), e);
    for (size_t i = 0; i < f->count; i++) verdicts_write(out, &f->tables[i].table);
    add_failures(out, f);
    text_add(out, "</div>\n");
    if (status != ERR_OK || !group_at(f, at)) return status;
    text_add(out, "<details><summary>Answers of other data sets</summary><div class=\"cards\">\n");
    for (; status == ERR_OK && group_at(f, at); at++) status = add_card(out, group_at(f, at), e);
    text_add(out, "</div></details>\n");
    return status;
}

/* --- sections ----------------------------------------------------------------------------------- */

/* flat.txt: what would be a figure of straight lines is a sentence. */
static void add_flat(struct text *out, const struct folder *f)
{
    const char *end;
    if (!f->flat.size) return;
    text_add(out, "<section id=\"flat\"><h2>What changes nothing</h2>\n<p>No figure: these lines are flat within their intervals."
                  "</p>\n<ul>\n");
    for (const char *at = text_of(&f->flat); *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        struct text name = { 0 }, rest = { 0 };
        text_add_bytes(&name, at, (size_t)((tab ? tab : end) - at));
        if (tab) text_add_bytes(&rest, tab + 1, (size_t)(end - tab - 1));
        text_add(out, "<li><code>");
        html_add(out, text_of(&name));
        text_add(out, "</code> ");
        html_add(out, text_of(&rest));
        text_add(out, "</li>\n");
        text_free(&name);
        text_free(&rest);
    }
    text_add(out, "</ul></section>\n");
}

static void add_tables(struct text *out, const struct folder *f)
{
    if (!f->count) return;
    text_add(out, "<section id=\"tables\"><h2>Tables</h2>\n<p>A heading sorts, a row's name opens all its columns; in "
                  "brackets 95 %% intervals. A row and its points in the figures light up together.</p>\n");
    for (size_t i = 0; i < f->count; i++) {
        const struct table *t = &f->tables[i].table;
        text_add(out, "<h3>");
        html_add(out, text_of(&f->tables[i].name));
        text_add(out, " <span class=\"data\">%zu rows</span></h3>\n", t->count);
        const struct grid_plan plan = { .number = i + 1, .caption = text_of(&f->tables[i].name), .results = &f->results[i] };
        if (t->count) grid_add(out, &plan, t);
    }
    text_add(out, "</section>\n");
}

void page_notes(struct text *out, const struct folder *f)
{
    text_add(out, "<section id=\"origin\"><h2>Where it comes from</h2>\n");
    for (size_t i = 0; i < f->count; i++) {
        const struct table *t = &f->tables[i].table;
        if (!t->note_count) continue;
        text_add(out, "<details><summary>");
        html_add(out, text_of(&f->tables[i].name));
        text_add(out, "</summary><pre>");
        for (size_t n = 0; n < t->note_count; n++) {
            html_add(out, t->notes[n]);
            text_add(out, "\n");
        }
        text_add(out, "</pre></details>\n");
    }
    if (f->summary.size) {
        text_add(out, "<details><summary>The closing screen</summary><pre>");
        html_add(out, text_of(&f->summary));
        text_add(out, "</pre></details>\n");
    }
    if (f->left.size) {
        text_add(out, "<p class=\"how\">Single samples are in ");
        html_add(out, text_of(&f->left));
        text_add(out, ".</p>\n");
    }
    text_add(out, "</section>\n");
}

static void add_contents(struct text *out, const struct folder *f)
{
    text_add(out, "<nav aria-label=\"sections\">");
    for (int s = 0; s < SECTIONS; s++)
        if (figures_in(&f->figures, (enum figure_section)s))
            text_add(out, "<a href=\"#s%d\">%s</a>", s, figure_sections[s]);
    if (f->flat.size) text_add(out, "<a href=\"#flat\">What changes nothing</a>");
    if (f->count) text_add(out, "<a href=\"#tables\">Tables</a>");
    text_add(out, "<a href=\"#origin\">Where it comes from</a></nav>\n");
}

int page_write(struct text *out, const struct folder *f, struct err *e)
{
    struct text title = { 0 };
    add_title(&title, f);
    html_open(out, text_of(&title));
    text_add(out, "<header><h1>");
    html_add(out, text_of(&title));
    text_add(out, "</h1>\n<p class=\"about\">");
    if (f->count) page_about(out, &f->tables[0].table);
    text_add(out, "</p>\n");
    add_contents(out, f);
    text_add(out, "</header>\n<main>\n<section id=\"answer\"><h2>Answer</h2>\n");
    int status = add_answers(out, f, e);
    if (status == ERR_OK) status = figures_write_carrying(out, &f->figures, e);
    text_add(out, "</section>\n");
    for (int s = 0; status == ERR_OK && s < SECTIONS; s++) {
        if (!figures_in(&f->figures, (enum figure_section)s)) continue;
        text_add(out, "<section id=\"s%d\"><h2>%s</h2>\n", s, figure_sections[s]);
        status = figures_write_section(out, &f->figures, (enum figure_section)s, e);
        text_add(out, "</section>\n");
    }
    add_flat(out, f);
    if (status == ERR_OK) status = history_write(out, f, f->count + 1, e);
    add_tables(out, f);
    page_notes(out, f);
    text_add(out, "</main>\n");
    html_close(out);
    text_free(&title);
    if (status == ERR_OK && out->failed) status = FAIL(e, ERR_MEM, "no memory for a page");
    return status;
}
