/* SPDX-License-Identifier: MIT
 * verdicts.c - says what the verdicts in a table come to. */
#include "bench/report/verdicts.h"
#include "bench/report/html.h"
#include "bench/report/results.h"
#include <math.h>
#include <string.h>

static const char *cell(const struct table *t, size_t row, const char *column)
{
    return table_text(t, row, table_column(t, column));
}

static int is(const struct table *t, size_t row, const char *column, const char *value)
{
    return strcmp(cell(t, row, column), value) == 0;
}

enum which { NONE, BENCH, COMPARE, PAPER };
static enum which which_of(const struct table *t)
{
    if (!t->count) return NONE;
    if (table_column(t, "x_compiler") >= 0 && table_column(t, "op") >= 0) return BENCH;
    if (table_column(t, "arm") >= 0 && table_column(t, "verdict") >= 0) return COMPARE;
    return table_column(t, "published") >= 0 && table_column(t, "verdict") >= 0 ? PAPER : NONE;
}

static size_t count_of(const struct table *t, const char *column, const char *value)
{
    size_t count = 0;
    for (size_t r = 0; r < t->count; r++) count += (size_t)is(t, r, column, value);
    return count;
}

int verdicts_title(struct text *out, const struct table *t)
{
    switch (which_of(t)) {
    case BENCH: {
        size_t ops = 0;
        for (size_t r = 0; r < t->count; r++) {
            if (r && is(t, r, "op", cell(t, r - 1, "op"))) continue;
            if (ops++ < 3) text_add(out, "%s%s", ops == 1 ? "Kernels measured: " : ", ", cell(t, r, "op"));
        }
        if (ops > 3) text_add(out, " and %zu more", ops - 3);
        return 1;
    }
    case COMPARE: text_add(out, "Compared with %s", cell(t, 0, "base")); return 1;
    case PAPER: text_add(out, "%s: what the paper says, and what we measure", cell(t, 0, "paper")); return 1;
    default: return 0;
    }
}

static void add_code(struct text *out, const char *value)
{
    text_add(out, "<code>");
    html_add(out, value);
    text_add(out, "</code>");
}

static void add_ratio(struct text *out, struct value v)
{
    text_add(out, "&times;%.3g", v.at);
    if (isfinite(v.lo) && isfinite(v.hi)) text_add(out, " [%.3g, %.3g]", v.lo, v.hi);
}

/* "dot_f32 avx512/rows8, d = 384, l2" */
static void add_kernel(struct text *out, const struct table *t, size_t row)
{
    struct text name = { 0 };
    text_add(&name, "%s=%s/%s", cell(t, row, "op"), cell(t, row, "isa"), cell(t, row, "variant"));
    add_code(out, text_of(&name));
    text_add(out, " at d = ");
    html_add(out, cell(t, row, "dim"));
    text_add(out, ", ");
    html_add(out, cell(t, row, "where"));
    text_free(&name);
}

static int is_resolved(const struct table *t, size_t r) { return is(t, r, "since_saved", "slower") || is(t, r, "since_saved", "faster"); }

/* Against a saved run: counts, and each that moved. */
static void add_regression(struct text *out, const struct table *t)
{
    const size_t faster = count_of(t, "since_saved", "faster"), slower = count_of(t, "since_saved", "slower");
    const size_t open = count_of(t, "since_saved", "not_resolved"), controls = count_of(t, "since_saved", "control");
    if (!(faster + slower + open + controls)) return;
    text_add(out, "<p><b>Since the saved run:</b> %zu slower, %zu faster, %zu not resolved", slower, faster, open);
    text_add(out, controls ? "; %zu controls (scalar and compilers' rows) say how far the machine moved.</p>\n" : ".</p>\n", controls);
    if (faster + slower) text_add(out, "<ul>\n");
    for (size_t r = 0; r < t->count; r++) {
        if (!is_resolved(t, r)) continue;
        text_add(out, "<li class=\"%s\">", cell(t, r, "since_saved")[0] == 's' ? "worse" : "better");
        add_kernel(out, t, r);
        text_add(out, ": %s, ", cell(t, r, "since_saved")[0] == 's' ? "slower" : "faster");
        add_ratio(out, table_value(t, r, "x_saved"));
        text_add(out, "</li>\n");
    }
    if (faster + slower) text_add(out, "</ul>\n");
}

static void write_bench(struct text *out, const struct table *t)
{
    size_t best = t->count, hand = 0, ahead = 0;
    for (size_t r = 0; r < t->count; r++) {
        const struct value x = table_value(t, r, "x_compiler");
        if (!is(t, r, "kind", "default") || is(t, r, "isa", "scalar") || !isfinite(x.at)) continue;
        hand++;
        ahead += x.lo > 1;
        if (best == t->count || x.at > table_value(t, best, "x_compiler").at) best = r;
    }
    if (best < t->count) {
        text_add(out, "<p class=\"lead\">%zu of %zu default rows are faster than the faster compiler's code. Most of all ", ahead, hand);
        add_kernel(out, t, best);
        text_add(out, ": ");
        add_ratio(out, table_value(t, best, "x_compiler"));
        text_add(out, ", ");
        html_value(out, table_value(t, best, "ns_per_vector"), 0);
        text_add(out, " ns a vector, ");
        html_cell(out, cell(t, best, "pct_of_ceiling"));
        text_add(out, " %% of the ");
        html_add(out, cell(t, best, "ceiling"));
        text_add(out, " ceiling.</p>\n");
    }
    add_regression(out, t);
}

static void write_compare(struct text *out, const struct table *t)
{
    text_add(out, "<p class=\"lead\">");
    for (size_t r = 0; r < t->count; r++) {
        if (is(t, r, "arm", "A/A")) continue;
        const struct value ratio = table_value(t, r, "ratio");
        add_code(out, cell(t, r, "arm"));
        if (is(t, r, "verdict", "not_resolved")) text_add(out, " is not resolved from the base: ");
        else text_add(out, " is %s than ", is(t, r, "verdict", "faster") ? "faster" : "slower");
        if (!is(t, r, "verdict", "not_resolved")) {
            add_code(out, cell(t, r, "base"));
            text_add(out, ": ");
        }
        add_ratio(out, ratio);
        text_add(out, ". ");
    }
    text_add(out, "</p>\n");
    for (size_t r = 0; r < t->count; r++) {
        if (!is(t, r, "arm", "A/A")) continue;
        text_add(out, "<p class=\"how\">The base against itself (A/A): ");
        add_ratio(out, table_value(t, r, "ratio"));
        if (*cell(t, r, "detectable_pct")) { /* too few processes for an interval: empty */
            text_add(out, "; a difference of ");
            html_cell(out, cell(t, r, "detectable_pct"));
            text_add(out, " %% would have been found four times in five");
        }
        text_add(out, ", over ");
        html_add(out, cell(t, r, "processes"));
        text_add(out, " processes.</p>\n");
        break;
    }
}

static void write_paper(struct text *out, const struct table *t)
{
    size_t printed = 0;
    for (size_t r = 0; r < t->count; r++) printed += *cell(t, r, "published") != 0;
    text_add(out, "<p class=\"lead\"><b>");
    html_add(out, cell(t, 0, "paper"));
    text_add(out, ":</b> of %zu numbers %zu are printed in the paper. Verdicts:", t->count, printed);
    for (size_t r = 0, n = 0; r < t->count; r++) {
        size_t before = 0;
        while (before < r && !is(t, before, "verdict", cell(t, r, "verdict"))) before++;
        if (before < r || !*cell(t, r, "verdict")) continue;
        text_add(out, n++ ? ", " : " ");
        html_add(out, cell(t, r, "verdict"));
        text_add(out, " %zu", count_of(t, "verdict", cell(t, r, "verdict")));
    }
    text_add(out, ".</p>\n");
}

void verdicts_write(struct text *out, const struct table *t)
{
    const enum which which = which_of(t);
    if (which == NONE) return;
    text_add(out, "<div class=\"card\">\n");
    if (which == BENCH) write_bench(out, t);
    if (which == COMPARE) write_compare(out, t);
    if (which == PAPER) write_paper(out, t);
    text_add(out, "</div>\n");
}
