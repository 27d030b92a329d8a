/* SPDX-License-Identifier: MIT
 * changes_page.c - the page of two runs side by side. */
#include "bench/report/changes.h"
#include "bench/report/grid.h"
#include "bench/report/html.h"
#include "bench/report/page.h"
#include "bench/report/saved.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t count_of(const struct changes *c, enum change_verdict v, int is_time)
{
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) count += (is_time ? c->at[i].time : c->at[i].quality) == v;
    return count;
}

/* "3 better, 1 worse, 4 the same, 32 not resolved" */
static void add_counts(struct text *out, const struct changes *c, int is_time)
{
    static const enum change_verdict order[] = { CHANGE_BETTER, CHANGE_WORSE, CHANGE_NONE, CHANGE_OPEN, CHANGE_UNJUDGED };
    size_t parts = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const size_t count = count_of(c, order[i], is_time);
        if (count) text_add(out, "%s%zu %s", parts++ ? ", " : "", count, change_word(order[i], is_time));
    }
}

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of all points together, how far time moved: a machine that became slower moves them all. */
static void add_drift(struct text *out, const struct changes *c)
{
    double *ratios = mem_alloc(c->count, sizeof *ratios);
    size_t n = 0;
    for (size_t i = 0; ratios && i < c->count; i++)
        if (isfinite(c->at[i].faster.at)) ratios[n++] = c->at[i].faster.at;
    if (n) {
        qsort(ratios, n, sizeof *ratios, by_number);
        text_add(out, " Over %zu points A takes &times;%.3f the time of B (median; &times;%.3f to &times;%.3f).", n, ratios[n / 2],
                 ratios[0], ratios[n - 1]);
    } else {
        text_add(out, " Times are not compared: the runs are of different machines.");
    }
    mem_free(ratios);
}

static void add_moved(struct text *out, const struct changes *c)
{
    size_t listed = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct change *one = &c->at[i];
        if (one->quality != CHANGE_BETTER && one->quality != CHANGE_WORSE) continue;
        if (listed++ >= 10) continue;
        struct text name = { 0 };
        result_name(one->group_b, one->b, &name);
        text_add(out, listed == 1 ? "<ul>\n<li class=\"%s\"><code>" : "<li class=\"%s\"><code>", change_word(one->quality, 0));
        html_add(out, text_of(&name));
        text_add(out, "</code> %s: %.4f &rarr; %.4f, %+.4f [%+.4f, %+.4f]</li>\n", change_word(one->quality, 0), one->by_a.at,
                 one->by_b.at, one->apart.at, one->apart.lo, one->apart.hi);
        text_free(&name);
    }
    if (listed > 10) text_add(out, "<li>and %zu more: the table has all.</li>\n", listed - 10);
    if (listed) text_add(out, "</ul>\n");
}

static void add_answer(struct text *out, const struct changes *c)
{
    if (!c->count) return;
    text_add(out, "<div class=\"card\"><p class=\"lead\">Of %zu points that both runs have, ", c->count);
    if (c->at[0].group_b->by)
        html_phrase(out, c->at[0].group_b->by, table_text(c->at[0].group_b->t, c->at[0].b->rows[0], table_column(c->at[0].group_b->t, "k")));
    text_add(out, ": ");
    add_counts(out, c, 0);
    text_add(out, ". Time: ");
    add_counts(out, c, 1);
    text_add(out, ".");
    add_drift(out, c);
    text_add(out, "</p>\n");
    add_moved(out, c);
    text_add(out, "<p class=\"how\">Quality: paired by question, 95 %% for all %zu points together. Time: nothing is paired over hours, "
                  "so it is judged where both runs have enough repetitions, for so many points %zu; <code>assay compare</code> "
                  "interleaves.", c->count, changes_repetitions(c->count));
    if (c->only_a + c->only_b) text_add(out, " Only in A: %zu points; only in B: %zu.", c->only_a, c->only_b);
    text_add(out, "</p></div>\n");
}

/* --- tables ------------------------------------------------------------------------------------- */

/* All points are judged by the same column. */
static int one_quality(const struct changes *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (!c->at[i].group_b->by || c->at[i].group_b->by != c->at[0].group_b->by) return 0;
    return 1;
}

static int add_points(struct text *out, const struct changes *c, struct err *e)
{
    static const char *const quality[] = { "quality of A", "quality of B" };
    struct text label[2] = { 0 };
    const char *names[] = { "point", quality[0], quality[1], "B - A", "B - A_lo", "B - A_hi", "verdict", "p50 of A (us)",
                            "p50 of B (us)", "time A / B", "time A / B_lo", "time A / B_hi", "verdict on time" };
    for (int k = 0; k < 2 && one_quality(c); k++) {
        text_add(&label[k], "%s of %c", figure_label(c->at[0].group_b->by), "AB"[k]);
        names[1 + k] = text_of(&label[k]);
    }
    struct made m = { .names = names, .columns = sizeof names / sizeof *names };
    uint64_t *ids = mem_alloc(c->count, sizeof *ids);
    for (size_t i = 0; ids && i < c->count; i++) {
        const struct change *one = &c->at[i];
        struct text name = { 0 };
        result_data(one->group_b, &name);
        text_add(&name, ": ");
        result_name(one->group_b, one->b, &name);
        made_cell(&m, "%s", text_of(&name));
        text_free(&name);
        made_number(&m, one->by_a.at);
        made_number(&m, one->by_b.at);
        made_number(&m, one->apart.at);
        made_number(&m, one->apart.lo);
        made_number(&m, one->apart.hi);
        made_cell(&m, "%s", change_word(one->quality, 0));
        made_number(&m, one->us_a);
        made_number(&m, one->us_b);
        made_number(&m, one->faster.at);
        made_number(&m, one->faster.lo);
        made_number(&m, one->faster.hi);
        made_cell(&m, "%s", change_word(one->time, 1));
        ids[i] = one->b->id;
    }
    const int status = ids ? made_finish(&m, e) : FAIL(e, ERR_MEM, "no memory for a table");
    const struct grid_plan plan = { .number = 1, .caption = "points of both runs", .ids = ids, .is_whole = 1 };
    if (status == ERR_OK) {
        text_add(out, "<section id=\"points\"><h2>Points</h2>\n");
        grid_add(out, &plan, &m.table);
        text_add(out, "</section>\n");
    }
    made_free(&m);
    mem_free(ids);
    text_free(&label[0]);
    text_free(&label[1]);
    return status;
}

/* The first saved run of a folder; "" where it has none. */
static void first_saved(const struct folder *f, char *path, size_t size)
{
    const char *lines = text_of(&f->saved);
    snprintf(path, size, "%.*s", (int)strcspn(lines, "\n"), lines);
}

static int add_kernels(struct text *out, const struct folder *a, const struct folder *b, size_t *compared, struct err *e)
{
    char paths[2][1024];
    struct saved then, now = { 0 };
    struct made m = { 0 };
    first_saved(a, paths[0], sizeof paths[0]);
    first_saved(b, paths[1], sizeof paths[1]);
    if (!*paths[0] || !*paths[1]) return ERR_OK;
    int status = saved_open(&then, paths[0], e);
    if (status == ERR_OK) status = saved_open(&now, paths[1], e);
    if (status == ERR_OK) status = saved_compare(&m, &then, &now, e);
    if (status == ERR_OK) status = made_finish(&m, e);
    const struct grid_plan plan = { .number = 2, .caption = "kernels of both runs", .is_whole = 1 };
    *compared = status == ERR_OK ? m.table.count : 0;
    if (*compared) {
        size_t moved[2] = { 0 };
        for (size_t r = 0; r < m.table.count; r++)
            for (int v = 0; v < 2; v++) moved[v] += strcmp(table_text(&m.table, r, 6), v ? "slower" : "faster") == 0;
        text_add(out, "<section id=\"kernels\"><h2>Kernels</h2>\n<p class=\"lead\">Of %zu kernels timed in both runs %zu are faster in B and "
                      "%zu slower. A, %s; B, %s.</p>\n", m.table.count, moved[0], moved[1], text_of(&then.time), text_of(&now.time));
        grid_add(out, &plan, &m.table);
        text_add(out, "</section>\n");
    }
    made_free(&m);
    saved_free(&then);
    saved_free(&now);
    return status;
}

/* --- figures ------------------------------------------------------------------------------------ */

static const struct report_figure *same_figure(const struct report_figures *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(text_of(&f->at[i].name), name) == 0) return &f->at[i];
    return NULL;
}

static int add_figures(struct text *out, const struct folder *a, const struct folder *b, struct err *e)
{
    int status = ERR_OK;
    size_t shown = 0;
    for (size_t i = 0; status == ERR_OK && i < b->figures.count; i++) {
        const struct report_figure *const of_b = &b->figures.at[i], *const of_a = same_figure(&a->figures, text_of(&of_b->name));
        char prefix[2][32];
        if (!of_a) continue;
        if (shown++ == 0) text_add(out, "<section id=\"figures\"><h2>Figures: left A, right B</h2>\n");
        for (int k = 0; k < 2; k++) snprintf(prefix[k], sizeof prefix[k], "%c%zu", "ab"[k], i);
        text_add(out, "<div class=\"two\">\n");
        status = figures_write_one(out, &a->figures, of_a, prefix[0], e);
        if (status == ERR_OK) status = figures_write_one(out, &b->figures, of_b, prefix[1], e);
        text_add(out, "</div>\n");
    }
    if (shown) text_add(out, "</section>\n");
    return status;
}

/* --- the page ----------------------------------------------------------------------------------- */

/* What is said on top of the files, where the two differ. */
static void add_origin(struct text *out, const struct folder *a, const struct folder *b)
{
    static const char *const keys[] = { "assay", "sources", "build", "time", "machine", "cpu", "kernel", "governor", "command" };
    size_t rows = 0;
    if (!a->count || !b->count) return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *of_a = table_note(&a->tables[0].table, keys[i]), *of_b = table_note(&b->tables[0].table, keys[i]);
        if (strcmp(of_a, of_b) == 0) continue;
        if (rows++ == 0)
            text_add(out, "<section id=\"differs\"><h2>What differs in origin</h2>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                          "aria-label=\"what differs in origin\"><table><thead><tr><th scope=\"col\" class=\"h\">what</th><th scope=\"col\" "
                          "class=\"h\">A</th><th scope=\"col\" class=\"h\">B</th></tr></thead><tbody>\n");
        text_add(out, "<tr><th scope=\"row\">%s</th><td class=\"t\" data-l=\"A\">", keys[i]);
        html_add(out, of_a);
        text_add(out, "</td><td class=\"t\" data-l=\"B\">");
        html_add(out, of_b);
        text_add(out, "</td></tr>\n");
    }
    if (rows) text_add(out, "</tbody></table></div></section>\n");
}

int changes_write(struct text *out, const struct folder *a, const struct folder *b, const char *name_a, const char *name_b,
                  struct err *e)
{
    struct changes c;
    struct text kernels = { 0 };
    size_t compared = 0;
    int status = changes_find(&c, a, b, e);
    if (status != ERR_OK) return status;
    status = add_kernels(&kernels, a, b, &compared, e);
    if (status == ERR_OK && !c.count && !compared)
        status = FAIL(e, ERR_NOT_FOUND, "%s and %s: no point and no kernel in common", name_a, name_b);
    html_open(out, "What changed between two runs");
    text_add(out, "<header><h1>What changed between two runs</h1>\n<p class=\"about\">A: <code>");
    html_add(out, name_a);
    text_add(out, "</code> ");
    if (a->count) page_about(out, &a->tables[0].table);
    text_add(out, "<br>B: <code>");
    html_add(out, name_b);
    text_add(out, "</code> ");
    if (b->count) page_about(out, &b->tables[0].table);
    text_add(out, "</p></header>\n<main>\n<section id=\"answer\"><h2>Answer</h2>\n");
    add_answer(out, &c);
    text_add(out, "</section>\n");
    text_add_bytes(out, text_of(&kernels), kernels.size);
    if (status == ERR_OK && c.count) status = add_points(out, &c, e);
    if (status == ERR_OK) status = add_figures(out, a, b, e);
    add_origin(out, a, b);
    text_add(out, "</main>\n");
    html_close(out);
    text_free(&kernels);
    changes_free(&c);
    if (status == ERR_OK && out->failed) status = FAIL(e, ERR_MEM, "no memory for a page");
    return status;
}
