/* SPDX-License-Identifier: MIT
 * pivot_out.c - a pivot as text, Markdown, or LaTeX with its headline numbers and a paragraph on methods. */
#include "bench/rows/pivot.h"
#include "bench/rows/pivot_inside.h"
#include "bench/rows/contrast_inside.h"
#include "bench/rows/figure.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

static const char *cell(const struct pivot *p, const char *column) { return contrast_cell(p->c, p->rows[0], column); }
static const struct pivot_cell *at(const struct pivot *p, size_t row, size_t column) { return &p->cells[row * p->col_count + column]; }

/* As many decimals as the first two digits of the widest interval need; of numbers without one four digits. */
static int decimals_of(const struct pivot *p)
{
    double half = 0, most = 0;
    for (size_t i = 0; i < p->name_count * p->col_count; i++) {
        const double mine = (p->cells[i].hi - p->cells[i].lo) / 2;
        if (isfinite(mine)) half = fmax(half, mine);
        if (isfinite(p->cells[i].value)) most = fmax(most, fabs(p->cells[i].value));
    }
    const int digits = half > 0 ? 1 - (int)floor(log10(half)) : most > 0 ? 3 - (int)floor(log10(most)) : 0;
    return digits < 0 ? 0 : digits > 6 ? 6 : digits;
}

static void escape(struct text *out, const char *s)
{
    for (; *s; s++)
        if (*s == '~' || *s == '^' || *s == '\\') text_add(out, "\\char`\\%c{}", *s);
        else text_add(out, strchr("_&%#${}", *s) ? "\\%c" : "%c", *s);
}

/* --- text and Markdown ----------------------------------------------------------------------------------------------- */
static void add_sheet(const struct pivot *p, struct text *out)
{
    struct sheet sheet = { .columns = p->col_count + 1 };
    const int decimals = decimals_of(p), is_markdown = p->plan->format == SHEET_MARKDOWN;
    sheet_add(&sheet, SHEET_NONE, "%s", p->plan->rows);
    for (size_t c = 0; c < p->col_count; c++) sheet_add(&sheet, SHEET_NONE, "%s=%s", p->plan->cols, text_of(&p->cols[c]));
    for (size_t i = 0; i < p->name_count; i++) {
        sheet_add(&sheet, SHEET_NONE, "%s", text_of(&p->names[i]));
        for (size_t c = 0; c < p->col_count; c++) {
            const struct pivot_cell *v = at(p, i, c);
            if (!isfinite(v->value)) sheet_add(&sheet, SHEET_NONE, "%s", "");
            else if (!isfinite(v->hi - v->lo)) sheet_add(&sheet, v->mark, "%.*f", decimals, v->value);
            else sheet_add(&sheet, v->mark, "%.*f %s %.*f", decimals, v->value, is_markdown ? "\xc2\xb1" : "+-", decimals, (v->hi - v->lo) / 2);
        }
    }
    sheet_print(&sheet, p->plan->format, out);
    sheet_free(&sheet);
}

/* --- LaTeX ---------------------------------------------------------------------------------------------------------------- */
static const char *const words[] = { "Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine" };

/* A name of letters alone: "recall_strict" is RecallStrict, "4" is Four. */
static void add_name(struct text *out, const char *s)
{
    int upper = 1;
    for (; *s; s++) {
        if (isdigit((unsigned char)*s)) text_add(out, "%s", words[*s - '0']);
        else if (isalpha((unsigned char)*s)) text_add(out, "%c", upper ? toupper((unsigned char)*s) : *s);
        upper = !isalpha((unsigned char)*s);
    }
}

/* 0.9248(45): what siunitx takes for 0.9248 +- 0.0045. */
static void add_number(struct text *out, const struct pivot_cell *v, int decimals)
{
    const double half = (v->hi - v->lo) / 2;
    text_add(out, "%.*f", decimals, v->value);
    if (isfinite(half)) text_add(out, "(%.0f)", half * pow(10, decimals));
}

/* \newcommand{\assayRecallStrictBestBitsFour}{: of several data sets, with the name of its own. */
static void begin_command(struct text *out, const struct pivot *p, const char *name)
{
    text_add(out, "\\newcommand{\\assay");
    add_name(out, name);
    if (p->is_one_of_many) add_name(out, text_of(&p->dataset));
    text_add(out, "}{");
}

static void command(struct text *out, const struct pivot *p, const char *name, const char *value)
{
    begin_command(out, p, name);
    escape(out, value);
    text_add(out, "}\n");
}

/* The best of each column with its name, and what was measured. */
static void add_commands(const struct pivot *p, int decimals, struct text *out)
{
    command(out, p, "dataset", text_of(&p->dataset));
    command(out, p, "vectors", cell(p, "n"));
    command(out, p, "dimensions", cell(p, "dim"));
    command(out, p, "queries", cell(p, "queries"));
    command(out, p, "results", cell(p, "k"));
    for (size_t c = 0; c < p->col_count; c++)
        for (size_t i = 0; i < p->name_count; i++) {
            char name[160];
            if (at(p, i, c)->mark != SHEET_BEST) continue;
            snprintf(name, sizeof name, "best %.60s %.30s", p->plan->cols, text_of(&p->cols[c]));
            command(out, p, name, text_of(&p->names[i]));
            snprintf(name, sizeof name, "%.60s best %.60s %.30s", p->plan->value, p->plan->cols, text_of(&p->cols[c]));
            begin_command(out, p, name);
            text_add(out, "\\num{");
            add_number(out, at(p, i, c), decimals);
            text_add(out, "}}\n");
        }
}

static void add_tabular(const struct pivot *p, int decimals, struct text *out)
{
    double most = 1;
    for (size_t i = 0; i < p->name_count * p->col_count; i++)
        if (isfinite(p->cells[i].value)) most = fmax(most, fabs(p->cells[i].value));
    const int whole = 1 + (int)floor(log10(most));
    text_add(out, "\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\caption{");
    escape(out, figure_label(p->plan->value));
    text_add(out, ", ");
    escape(out, text_of(&p->dataset));
    /* Five columns of 0.9248 +- 0.0045 are as wide as a page. */
    if (p->col_count > 5) text_add(out, "; in brackets half the 95\\,\\%% interval, in units of the last digits.}\n\\sisetup{separate-uncertainty=false}\n");
    else text_add(out, ", and half the 95\\,\\%% interval.}\n");
    text_add(out, "\\begin{tabular}{l *{%zu}{S[table-format=%d.%d(2), table-align-text-after=false]}}\n\\toprule\n", p->col_count, whole, decimals);
    escape(out, p->plan->rows);
    for (size_t c = 0; c < p->col_count; c++) {
        text_add(out, " & {");
        escape(out, p->plan->cols);
        text_add(out, " ");
        escape(out, text_of(&p->cols[c]));
        text_add(out, "}");
    }
    text_add(out, " \\\\\n\\midrule\n");
    for (size_t i = 0; i < p->name_count; i++) {
        escape(out, text_of(&p->names[i]));
        for (size_t c = 0; c < p->col_count; c++) {
            const struct pivot_cell *v = at(p, i, c);
            text_add(out, " & ");
            if (!isfinite(v->value)) text_add(out, "{--}");
            if (!isfinite(v->value)) continue;
            if (v->mark == SHEET_BEST) text_add(out, "\\bfseries ");
            add_number(out, v, decimals);
            if (v->mark == SHEET_TIE) text_add(out, "{$^{=}$}");
        }
        text_add(out, " \\\\\n");
    }
    text_add(out, "\\bottomrule\n\\end{tabular}\n\\end{table}\n");
}

static size_t seeds_of(const struct pivot *p)
{
    size_t seeds = 0;
    for (size_t i = 0; i < p->row_count; i++) {
        size_t j = 0;
        while (j < i && strcmp(contrast_cell(p->c, p->rows[j], "seed"), contrast_cell(p->c, p->rows[i], "seed")) != 0) j++;
        seeds += j == i;
    }
    return seeds;
}

static void add_note(struct text *out, const struct table *t, const char *key, const char *before)
{
    const char *value = table_note(t, key);
    if (!*value) return;
    text_add(out, "%s", before);
    escape(out, value);
}

static void add_methods(const struct pivot *p, struct text *out)
{
    const struct table *t = &p->c->table;
    const size_t seeds = seeds_of(p);
    text_add(out, "\n\\paragraph{Methods.} ");
    escape(out, figure_label(p->plan->value));
    text_add(out, " of ");
    escape(out, cell(p, "queries"));
    text_add(out, " queries over \\num{%s} vectors of %s dimensions (", cell(p, "n"), cell(p, "dim"));
    escape(out, text_of(&p->dataset));
    text_add(out, ", %s, $k = %s$), %zu seed%s.  Intervals are 95\\,\\%% and over queries (percentile bootstrap).  ", cell(p, "metric"),
             cell(p, "k"), seeds, seeds == 1 ? "" : "s");
    text_add(out, "Bold: best of its column; $^{=}$: %s.  ",
             p->untested ? "its interval overlaps that of the best" : "not significantly worse (paired randomization test over queries, Holm over the column, 0.05)");
    text_add(out, "Measured by assay");
    add_note(out, t, "assay", " ");
    add_note(out, t, "build", ", ");
    add_note(out, t, "cpu", ", on ");
    add_note(out, t, "caches", ", ");
    text_add(out, ", machine %s", cell(p, "machine"));
    if (p->plan->against_itself) text_add(out, "; the base against itself (A/A) was off by %s.\n", p->plan->against_itself);
    else text_add(out, "; no A/A arm was run, so that no two times here are claimed to differ.\n");
}

/* --- all -------------------------------------------------------------------------------------------------------------------- */
void pivot_out(const struct pivot *p, struct text *out)
{
    const int decimals = decimals_of(p), is_latex = p->plan->format == SHEET_LATEX;
    if (is_latex) {
        text_add(out, "%% for \\input at the top level; \\usepackage{booktabs,siunitx}\n"
                      "%% \\sisetup{separate-uncertainty=true, detect-weight=true, mode=text}\n");
        add_commands(p, decimals, out);
        add_tabular(p, decimals, out);
        add_methods(p, out);
        return;
    }
    text_add(out, "%s%s of %s, %s x %s, %s queries, k = %s, machine %s%s\n", p->plan->format == SHEET_MARKDOWN ? "**" : "", p->plan->value,
             text_of(&p->dataset), cell(p, "n"), cell(p, "dim"), cell(p, "queries"), cell(p, "k"), cell(p, "machine"),
             p->plan->format == SHEET_MARKDOWN ? "**\n" : "");
    add_sheet(p, out);
    text_add(out, "%s%s: best of its column; =: %s%s\n", p->plan->format == SHEET_MARKDOWN ? "\n" : "",
             p->plan->format == SHEET_MARKDOWN ? "Bold" : "*", p->untested ? "its interval overlaps that of the best"
             : "not significantly worse (paired randomization test over queries, Holm over the column, 0.05)",
             p->left_out ? "; of settings that vary besides, the usual values" : "");
}
