/* SPDX-License-Identifier: MIT
 * sheet.c - lays out text cells. */
#include "bench/rows/sheet.h"
#include "kernels/base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sheet_add(struct sheet *g, enum sheet_mark mark, const char *fmt, ...)
{
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (!mem_extend(&g->cells, g->count, g->count + 1, sizeof *g->cells) ||
        !mem_extend(&g->marks, g->count, g->count + 1, sizeof *g->marks)) {
        g->failed = 1;
        return;
    }
    text_add(&g->cells[g->count], "%s", value);
    g->failed |= g->cells[g->count].failed;
    g->marks[g->count++] = (unsigned char)mark;
}

void sheet_free(struct sheet *g)
{
    for (size_t i = 0; i < g->count; i++) text_free(&g->cells[i]);
    mem_free(g->cells);
    mem_free(g->marks);
    *g = (struct sheet){ 0 };
}

static const char *at(const struct sheet *g, size_t cell) { return text_of(&g->cells[cell]); }

static void plain(const struct sheet *g, struct text *out)
{
    for (size_t cell = 0; cell < g->count; cell++) {
        const size_t column = cell % g->columns;
        size_t width = 0;
        for (size_t i = column; i < g->count; i += g->columns) {
            const size_t size = strlen(at(g, i));
            width = size > width ? size : width;
        }
        const char mark = " *="[g->marks[cell]];
        const int last = column + 1 == g->columns;
        text_add(out, column ? "  %*s" : "%-*s", (int)width, at(g, cell));
        if (!last || mark != ' ') text_add(out, "%c", mark);
        if (last) text_add(out, "\n");
    }
}

/* `special` characters get a backslash; < and > of LaTeX text fonts are others' glyphs. */
static void escaped(struct text *out, const char *value, enum sheet_format format)
{
    const char *special = format == SHEET_LATEX ? "_&%#${}" : "|";
    for (; *value; value++) text_add(out, strchr(special, *value) ? "\\%c" : "%c", *value);
}

static void marked(const struct sheet *g, size_t cell, enum sheet_format format, struct text *out)
{
    static const char *const before[2][3] = { { "", "**", "" }, { "", "\\textbf{", "" } };
    static const char *const after[2][3] = { { "", "**", " =" }, { "", "}", "$^{=}$" } };
    text_add(out, "%s", before[format == SHEET_LATEX][g->marks[cell]]);
    escaped(out, at(g, cell), format);
    text_add(out, "%s", after[format == SHEET_LATEX][g->marks[cell]]);
}

static void markdown(const struct sheet *g, struct text *out)
{
    for (size_t cell = 0; cell < g->count; cell++) {
        text_add(out, cell % g->columns ? " " : "| ");
        marked(g, cell, SHEET_MARKDOWN, out);
        text_add(out, " |");
        if ((cell + 1) % g->columns) continue;
        text_add(out, "\n");
        if (cell + 1 != g->columns) continue;
        for (size_t c = 0; c < g->columns; c++) text_add(out, c ? " ---: |" : "| :--- |");
        text_add(out, "\n");
    }
}

static void latex(const struct sheet *g, struct text *out)
{
    text_add(out, "\\begin{tabular}{l");
    for (size_t c = 1; c < g->columns; c++) text_add(out, "r");
    text_add(out, "}\n\\toprule\n");
    for (size_t cell = 0; cell < g->count; cell++) {
        if (cell % g->columns) text_add(out, " & ");
        marked(g, cell, SHEET_LATEX, out);
        if ((cell + 1) % g->columns == 0) text_add(out, cell + 1 == g->columns ? " \\\\\n\\midrule\n" : " \\\\\n");
    }
    text_add(out, "\\bottomrule\n\\end{tabular}\n");
}

void sheet_print(const struct sheet *g, enum sheet_format format, struct text *out)
{
    if (format == SHEET_PLAIN) plain(g, out);
    if (format == SHEET_MARKDOWN) markdown(g, out);
    if (format == SHEET_LATEX) latex(g, out);
}
