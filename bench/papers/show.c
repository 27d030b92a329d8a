/* SPDX-License-Identifier: MIT
 * show.c - rows of a paper as a table of text, and as figures: the paper's points hollow over ours, and below how far
 * ours lie from them. */
#include "bench/papers/show.h"
#include "bench/papers/published.h"
#include "bench/rows/gnuplot.h"
#include "bench/rows/output.h"
#include "kernels/base/mem.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void paper_stem(const char *paper, const char *item, char *out, size_t size) { snprintf(out, size, "%s_%s", paper, item); }

const struct paper_item *paper_item_find(const struct paper_ops *p, const char *name)
{
    for (const struct paper_item *item = p->items; item->name; item++)
        if (strcmp(item->name, name) == 0) return item;
    return NULL;
}

static const char *cell_of(const struct table *t, size_t row, const char *column) { return table_text(t, row, table_column(t, column)); }
static double number_of(const struct table *t, size_t row, const char *column) { return table_number(t, row, table_column(t, column)); }

/* --- as text ---------------------------------------------------------------------------------------- */

static void add_number(struct sheet *g, double value)
{
    if (isfinite(value)) sheet_add(g, SHEET_NONE, "%.4g", value);
    else sheet_add(g, SHEET_NONE, "-");
}

/* The paper's number as it was printed, a bound with its sign. */
static void add_published(struct sheet *g, const struct table *t, size_t row)
{
    const char *rule = cell_of(t, row, "rule"), *value = cell_of(t, row, "published");
    const char *before = strcmp(rule, "at_most") == 0 ? "<= " : strcmp(rule, "at_least") == 0 ? ">= " : "";
    sheet_add(g, SHEET_NONE, "%s%s", before, *value ? value : "-");
}

/* Over questions, and whose they are set against where the row itself does not say. */
static void add_counts(struct sheet *g, const struct table *t, size_t row)
{
    const char *against = cell_of(t, row, "against");
    if (!*cell_of(t, row, "wins")) sheet_add(g, SHEET_NONE, "%s", "");
    else
        sheet_add(g, SHEET_NONE, "%s/%s/%s%s%s", cell_of(t, row, "wins"), cell_of(t, row, "ties"), cell_of(t, row, "losses"),
                  *against ? " to " : "", against);
}

/* What explains a deviation belongs to one. */
static int is_explained(const struct table *t, size_t row)
{
    const char *verdict = cell_of(t, row, "verdict");
    if (strcmp(verdict, "agrees with theory") == 0) return *cell_of(t, row, "published") != 0;
    return *verdict && strcmp(verdict, "agrees") != 0 && strcmp(verdict, "shape agrees") != 0;
}

/* Where there are many, what is only drawn between a paper's points stays in the CSV. */
static int is_shown(const struct table *t, size_t row, enum paper_rows which)
{
    return which == PAPER_ROWS_ALL || *cell_of(t, row, "published") || strcmp(cell_of(t, row, "verdict"), "deviates") == 0 ||
           strcmp(cell_of(t, row, "class"), "X") == 0;
}

size_t paper_sheet(const struct table *t, enum sheet_format format, enum paper_rows which, struct text *out)
{
    size_t left_out = 0;
    static const char *const heading[] = { "cell", "paper", "theory", "ours", "+-", "wins/ties/losses", "p", "class", "verdict", "why" };
    struct sheet g = { .columns = sizeof heading / sizeof *heading };
    for (size_t i = 0; i < g.columns; i++) sheet_add(&g, SHEET_NONE, "%s", heading[i]);
    for (size_t row = 0; row < t->count; row++) {
        const char *verdict = cell_of(t, row, "verdict");
        left_out += !is_shown(t, row, which);
        if (!is_shown(t, row, which)) continue;
        sheet_add(&g, SHEET_NONE, "%s", cell_of(t, row, "cell"));
        add_published(&g, t, row);
        add_number(&g, number_of(t, row, "theory"));
        add_number(&g, number_of(t, row, "ours"));
        add_number(&g, (number_of(t, row, "ours_hi") - number_of(t, row, "ours_lo")) / 2);
        add_counts(&g, t, row);
        sheet_add(&g, SHEET_NONE, "%.6s%s%.6s", cell_of(t, row, "p"), *cell_of(t, row, "shape_p") ? " shape " : "",
                  cell_of(t, row, "shape_p"));
        sheet_add(&g, SHEET_NONE, "%s", cell_of(t, row, "class"));
        sheet_add(&g, SHEET_NONE, "%s", *verdict ? verdict : "-");
        sheet_add(&g, SHEET_NONE, "%s", is_explained(t, row) ? cell_of(t, row, "why") : "");
    }
    if (left_out < t->count) sheet_print(&g, format, out);
    out->failed |= g.failed;
    sheet_free(&g);
    return left_out;
}

/* --- as figures ------------------------------------------------------------------------------------- */

enum { SERIES_MOST = 24, POINTS_MOST = 128, KEY_MOST = PAPER_CELL_MAX };

struct point { double x, ours, lo, hi, theory, published, band, at_least, at_most; };
struct series {
    char key[KEY_MOST];
    struct point points[POINTS_MOST];
    size_t count;
};
struct panel {
    struct series series[SERIES_MOST];
    size_t count;
    int has_residuals, has_theory, has_bounds, has_published;
};

static struct point *point_at(struct panel *p, const char *key, double x)
{
    size_t s = 0, i = 0;
    while (s < p->count && strcmp(p->series[s].key, key) != 0) s++;
    if (s == SERIES_MOST) return NULL;
    if (s == p->count) snprintf(p->series[p->count++].key, KEY_MOST, "%s", key);
    struct series *one = &p->series[s];
    while (i < one->count && one->points[i].x != x) i++;
    if (i == POINTS_MOST) return NULL;
    const double none = (double)NAN;
    if (i == one->count) one->points[one->count++] = (struct point){ x, none, none, none, none, none, none, none, none };
    return &one->points[i];
}

/* The first of the keys "a|b" that the cell has, with its value; "" where there is none, or no panels. */
static void panel_of(const char *cell, const struct paper_figure *f, char *key, char *value, size_t size)
{
    value[0] = key[0] = 0;
    for (const char *at = f->panel; at && *at && !*value; at += strcspn(at, "|"), at += *at == '|') {
        snprintf(key, size, "%.*s", (int)strcspn(at, "|"), at);
        if (!cell_get(cell, key, value, size)) key[0] = 0;
    }
}

static void add_row(struct panel *p, const struct table *t, size_t row, const struct paper_figure *figure, const char *panel_key)
{
    const char *const keys[] = { figure->x, panel_key };
    char key[KEY_MOST], x_text[64];
    double x;
    const char *cell = cell_of(t, row, "cell"), *rule = cell_of(t, row, "rule");
    if (!cell_get(cell, figure->x, x_text, sizeof x_text) || !text_to_f64(x_text, &x) || !isfinite(number_of(t, row, "ours")))
        return;
    cell_without(cell, keys, 2, key, sizeof key);
    struct point *at = point_at(p, key, x);
    if (!at) return;
    at->ours = number_of(t, row, "ours");
    at->lo = number_of(t, row, "ours_lo");
    at->hi = number_of(t, row, "ours_hi");
    at->theory = number_of(t, row, "theory");
    const double published = number_of(t, row, "published");
    if (strcmp(rule, "at_least") == 0) at->at_least = published;
    if (strcmp(rule, "at_most") == 0) at->at_most = published;
    if (strcmp(rule, "within") == 0 || strcmp(rule, "shape") == 0) at->published = published;
    p->has_theory |= isfinite(at->theory);
    p->has_bounds |= isfinite(at->at_least) || isfinite(at->at_most);
    p->has_published |= isfinite(at->published);
    if (strcmp(rule, "within") == 0) {
        at->band = number_of(t, row, "digit") / 2 + number_of(t, row, "tolerance");
        p->has_residuals = 1;
    }
}

static void add_value(struct text *out, double value)
{
    if (isfinite(value)) text_add(out, " %.9g", value);
    else text_add(out, " NaN");
}

/* x ours lo hi theory published residual lo hi at_least at_most; residuals in bands of the printed number */
static void add_points(const struct series *s, struct text *data)
{
    text_add(data, "# %s\n", s->key);
    for (size_t i = 0; i < s->count; i++) {
        const struct point *p = &s->points[i];
        text_add(data, "%.9g", p->x);
        const double columns[] = { p->ours, p->lo, p->hi, p->theory, p->published, (p->ours - p->published) / p->band,
                                   (p->lo - p->published) / p->band, (p->hi - p->published) / p->band, p->at_least, p->at_most };
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) add_value(data, columns[c]);
        text_add(data, "\n");
    }
    text_add(data, "\n\n");
}

/* The key of a line without what all lines have in common; a lone value without its name. */
static void label_of(const struct panel *p, size_t series, char *out, size_t size)
{
    const char *common[16] = { NULL };
    char names[16][64], rest[KEY_MOST];
    size_t count = 0;
    for (const char *at = p->series[series].key; *at && count < 16; at += strcspn(at, ";"), at += *at == ';') {
        char pair[KEY_MOST];
        size_t in = 0;
        snprintf(pair, sizeof pair, "%.*s", (int)strcspn(at, ";"), at);
        while (in < p->count && cell_in(pair, p->series[in].key)) in++;
        if (in < p->count || p->count == 1) continue;
        snprintf(names[count], sizeof names[count], "%.*s", (int)strcspn(pair, "="), pair);
        common[count] = names[count];
        count++;
    }
    cell_without(p->series[series].key, common, count, rest, sizeof rest);
    const char *value = strchr(rest, '=');
    const int speaks = value && !strchr(rest, ';') && isalpha((unsigned char)value[1]);
    snprintf(out, size, "%s", speaks ? value + 1 : *rest ? rest : "ours");
}

static int draw(const struct panel *p, const struct paper_item *item, const char *dir, const char *name, const char *title,
                struct err *e)
{
    const struct paper_figure *f = &item->figure;
    struct text data = { 0 }, script = { 0 }, file = { 0 };
    int status = gnuplot_figure(&script, "paper", dir, name, title, f->x_label, e);
    text_add(&script, "n = %zu; log_x = %d; log_y = %d; residuals = %d; theory = %d; bounds = %d; published = %d; "
             "array y_label[1]; array label[%zu]; ", p->count, f->log_x, f->log_y, p->has_residuals, p->has_theory, p->has_bounds,
             p->has_published, p->count + 1);
    gnuplot_set(&script, "y_label", 1, f->y_label);
    for (size_t i = 0; i < p->count; i++) {
        char label[KEY_MOST];
        label_of(p, i, label, sizeof label);
        gnuplot_set(&script, "label", i + 1, label);
        add_points(&p->series[i], &data);
    }
    text_add(&file, "%s.dat", name);
    if (status == ERR_OK) status = output_write_in(dir, text_of(&file), &data, e);
    if (status == ERR_OK) status = gnuplot_render_as(&script, "png svg pdf", dir, name, e);
    text_free(&data);
    text_free(&script);
    text_free(&file);
    return status;
}

int paper_figures(const struct table *t, const struct paper_item *item, const char *dir, const char *name, struct err *e)
{
    struct panel *p = item->figure.x ? mem_alloc(1, sizeof *p) : NULL;
    if (!item->figure.x) return ERR_OK;
    int status = p ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a figure");
    for (size_t row = 0; status == ERR_OK && row < t->count; row++) {
        char value[64], other[64], key[64], other_key[64];
        struct text stem = { 0 }, title = { 0 };
        size_t first = 0;
        panel_of(cell_of(t, row, "cell"), &item->figure, key, value, sizeof value);
        for (; first < row; first++) {
            panel_of(cell_of(t, first, "cell"), &item->figure, other_key, other, sizeof other);
            if (strcmp(value, other) == 0 && strcmp(key, other_key) == 0) break;
        }
        if (first < row) continue;
        *p = (struct panel){ .count = 0 };
        for (size_t i = row; i < t->count; i++) {
            panel_of(cell_of(t, i, "cell"), &item->figure, other_key, other, sizeof other);
            if (strcmp(value, other) == 0 && strcmp(key, other_key) == 0) add_row(p, t, i, &item->figure, *key ? key : NULL);
        }
        text_add(&stem, "%s%s%s", name, *value ? "_" : "", value);
        for (char *c = stem.at; c && *c; c++)
            if (!isalnum((unsigned char)*c)) *c = '_';
        text_add(&title, "%s%s%s%s%s", item->summary, *value ? ", " : "", key, *value ? " = " : "", value);
        if (p->count > 0) status = draw(p, item, dir, text_of(&stem), text_of(&title), e);
        text_free(&stem);
        text_free(&title);
    }
    mem_free(p);
    return status;
}
