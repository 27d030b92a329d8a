/* SPDX-License-Identifier: MIT
 * screen.c - a paper's table as wide as a terminal. */
#include "bench/papers/screen.h"
#include "bench/papers/published.h"
#include "bench/papers/show.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = PAPER_SHEET_COLUMNS, VERDICT = COLUMNS - 2, WHY = COLUMNS - 1 };

size_t screen_width(void)
{
    struct winsize w = { 0 };
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

/* Keys that all cells have with one value: "dim=768;bits=2". */
static void common_of(const struct sheet *g, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    if (g->count < 3 * COLUMNS) return; /* of one row everything would be common */
    for (const char *at = text_of(&g->cells[COLUMNS]); *at; at += strcspn(at, ";"), at += *at == ';') {
        char pair[256];
        size_t row = 1;
        snprintf(pair, sizeof pair, "%.*s", (int)strcspn(at, ";"), at);
        while (row * COLUMNS < g->count && cell_in(pair, text_of(&g->cells[row * COLUMNS]))) row++;
        if (row * COLUMNS == g->count && used < size) used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ";" : "", pair);
    }
}

static int is_empty(const struct sheet *g, size_t column)
{
    for (size_t at = COLUMNS + column; at < g->count; at += COLUMNS)
        if (*text_of(&g->cells[at]) && strcmp(text_of(&g->cells[at]), "-") != 0) return 0;
    return 1;
}

static const char *why_of(const struct sheet *g, size_t row) { return text_of(&g->cells[row * COLUMNS + WHY]); }

static size_t first_with(const struct sheet *g, const char *why)
{
    size_t row = 1;
    while (strcmp(why, why_of(g, row)) != 0) row++;
    return row;
}

/* Reasons, each once, numbered from 1 in their order: that of a row; 0: it has none. */
static size_t reason_of(const struct sheet *g, size_t row)
{
    size_t number = 0;
    if (!*why_of(g, row)) return 0;
    for (size_t i = 1; i <= first_with(g, why_of(g, row)); i++) number += *why_of(g, i) && first_with(g, why_of(g, i)) == i;
    return number;
}

/* The numbers, and with_cells the cells before them, as a plain table. */
static void lay_out(const struct sheet *g, const char *common, int with_cells, struct text *out)
{
    struct sheet narrow = { .columns = 0 };
    size_t taken[COLUMNS];
    for (size_t c = with_cells ? 0 : 1; c < WHY; c++)
        if (c == 0 || c == VERDICT || !is_empty(g, c)) taken[narrow.columns++] = c;
    for (size_t row = 0; row * COLUMNS < g->count; row++)
        for (size_t c = 0; c < narrow.columns; c++) {
            const char *value = text_of(&g->cells[row * COLUMNS + taken[c]]);
            char cell[512];
            const size_t reason = taken[c] == VERDICT && row > 0 ? reason_of(g, row) : 0;
            if (taken[c] == 0 && row > 0) cell_beside(value, common, cell, sizeof cell);
            else if (reason) snprintf(cell, sizeof cell, "%s [%zu]", value, reason);
            else snprintf(cell, sizeof cell, "%s", value);
            sheet_add(&narrow, SHEET_NONE, "%s", cell);
        }
    sheet_print(&narrow, SHEET_PLAIN, out);
    out->failed |= narrow.failed;
    sheet_free(&narrow);
}

static size_t longest_line(const struct text *t)
{
    size_t longest = 0;
    for (const char *at = text_of(t); *at; at += strcspn(at, "\n"), at += *at == '\n') {
        const size_t size = strcspn(at, "\n");
        longest = size > longest ? size : longest;
    }
    return longest;
}

/* Every line of numbers under its cell. */
static void stack(const struct sheet *g, const char *common, struct text *out)
{
    struct text numbers = { 0 };
    size_t row = 0;
    lay_out(g, common, 0, &numbers);
    for (const char *at = text_of(&numbers); *at; at += strcspn(at, "\n"), at += *at == '\n', row++) {
        char cell[512];
        cell_beside(text_of(&g->cells[row * COLUMNS]), common, cell, sizeof cell);
        if (row > 0) text_add(out, "%s\n", cell);
        text_add(out, "    %.*s\n", (int)strcspn(at, "\n"), at);
    }
    out->failed |= numbers.failed;
    text_free(&numbers);
}

/* Words of a line, folded at width with an indent. */
static void fold(const char *words, size_t width, struct text *out)
{
    size_t used = 4;
    for (const char *at = words; *at;) {
        const size_t size = strcspn(at, " ");
        if (width && used + size + 1 > width && used > 4) {
            text_add(out, "\n    ");
            used = 4;
        }
        text_add(out, "%s%.*s", used > 4 ? " " : "", (int)size, at);
        used += size + (used > 4);
        at += size + (at[size] == ' ');
    }
    text_add(out, "\n");
}

void paper_screen(const struct table *rows, size_t width, struct text *out)
{
    struct sheet g = { 0 };
    struct text table = { 0 };
    char common[512];
    size_t reasons = 0;
    paper_sheet_fill(rows, PAPER_ROWS_ALL, &g);
    common_of(&g, common, sizeof common);
    if (*common) text_add(out, "of all: %s\n", common);
    if (g.count > COLUMNS) lay_out(&g, common, 1, &table);
    if (width && longest_line(&table) > width) stack(&g, common, out);
    else text_add(out, "%s", text_of(&table));
    for (size_t row = 1; row * COLUMNS < g.count; row++) {
        const size_t reason = reason_of(&g, row);
        if (reason <= reasons) continue;
        reasons = reason;
        text_add(out, "[%zu] ", reason);
        fold(text_of(&g.cells[row * COLUMNS + WHY]), width, out);
    }
    out->failed |= g.failed | table.failed;
    text_free(&table);
    sheet_free(&g);
}
