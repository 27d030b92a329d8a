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
#include <stdlib.h>
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

size_t paper_sheet_fill(const struct table *t, enum paper_rows which, struct sheet *g)
{
    size_t left_out = 0;
    static const char *const heading[PAPER_SHEET_COLUMNS] = { "cell", "paper", "theory", "ours", "+-", "wins/ties/losses", "p", "class", "verdict", "why" };
    g->columns = PAPER_SHEET_COLUMNS;
    for (size_t i = 0; i < g->columns; i++) sheet_add(g, SHEET_NONE, "%s", heading[i]);
    for (size_t row = 0; row < t->count; row++) {
        const char *verdict = cell_of(t, row, "verdict");
        left_out += !is_shown(t, row, which);
        if (!is_shown(t, row, which)) continue;
        sheet_add(g, SHEET_NONE, "%s", cell_of(t, row, "cell"));
        add_published(g, t, row);
        add_number(g, number_of(t, row, "theory"));
        add_number(g, number_of(t, row, "ours"));
        add_number(g, (number_of(t, row, "ours_hi") - number_of(t, row, "ours_lo")) / 2);
        add_counts(g, t, row);
        sheet_add(g, SHEET_NONE, "%.6s%s%.6s", cell_of(t, row, "p"), *cell_of(t, row, "shape_p") ? " shape " : "",
                  cell_of(t, row, "shape_p"));
        sheet_add(g, SHEET_NONE, "%s", cell_of(t, row, "class"));
        sheet_add(g, SHEET_NONE, "%s", *verdict ? verdict : "-");
        sheet_add(g, SHEET_NONE, "%s", is_explained(t, row) ? cell_of(t, row, "why") : "");
    }
    return left_out;
}

size_t paper_sheet(const struct table *t, enum sheet_format format, enum paper_rows which, struct text *out)
{
    struct sheet g = { .columns = 0 };
    const size_t left_out = paper_sheet_fill(t, which, &g);
    if (left_out < t->count) sheet_print(&g, format, out);
    out->failed |= g.failed;
    sheet_free(&g);
    return left_out;
}

/* --- as figures ------------------------------------------------------------------------------------- */

enum {
    SERIES_MOST = 32, SERIES_READABLE = 6, POINTS_MOST = 128, KEY_MOST = PAPER_CELL_MAX, TICKS_MOST = 12, SOURCE_MOST = 256,
    SOURCE_READABLE = 70
};

struct point { double x, ours, lo, hi, theory, published, band, at_least, at_most; };
/* Where hollow points come from: `how`, a bit each of origins, and what their sources begin with alike. */
struct origin { char source[SOURCE_MOST]; unsigned how; };
static const struct { const char *how, *whose; } origins[] = {
    { "printed", "the paper" }, { "figure", "the paper" }, { "code", "its code" }, { "secondary", "others (secondary)" },
};
enum { ORIGINS = sizeof origins / sizeof *origins };
struct series {
    char key[KEY_MOST];
    struct point points[POINTS_MOST];
    size_t count;
    int has_published;
    struct origin origin;
    size_t place; /* among all lines of the figure, where these are a part of them */
};
struct panel {
    struct series series[SERIES_MOST];
    size_t count;
    int has_residuals, has_theory, has_bounds, has_published;
    struct origin origin;
};
/* Keys that make a figure, and one that its rows have. */
struct panel_keys { char names[4][64], needs[64]; size_t count; };

static struct panel_keys keys_of(const struct paper_figure *f)
{
    struct panel_keys k = { .count = 0 };
    const char *at = f->panel ? f->panel : "";
    while (*at && *at != ';' && k.count < 4) {
        const size_t size = strcspn(at, "+;");
        if (size) snprintf(k.names[k.count++], sizeof k.names[0], "%.*s", (int)size, at);
        at += size + (at[size] == '+');
    }
    if (*at == ';') snprintf(k.needs, sizeof k.needs, "%s", at + 1);
    return k;
}

/* "data=x;dim=64": in which figure a row is; 0: in none. */
static int panel_of(const char *cell, const struct panel_keys *k, char *out, size_t size)
{
    char value[KEY_MOST];
    size_t used = 0;
    out[0] = 0;
    if (*k->needs && !cell_get(cell, k->needs, value, sizeof value)) return 0;
    for (size_t i = 0; i < k->count; i++) {
        if (!cell_get(cell, k->names[i], value, sizeof value)) return 0;
        used += (size_t)snprintf(out + used, used < size ? size - used : 0, "%s%s=%s", used ? ";" : "", k->names[i], value);
    }
    return used < size;
}

static struct point *point_at(struct panel *p, const char *key, double x, struct series **of)
{
    size_t s = 0, i = 0;
    while (s < p->count && strcmp(p->series[s].key, key) != 0) s++;
    if (s == SERIES_MOST) return NULL;
    if (s == p->count) {
        snprintf(p->series[s].key, KEY_MOST, "%s", key);
        p->series[s].place = ++p->count;
    }
    struct series *one = *of = &p->series[s];
    while (i < one->count && one->points[i].x != x) i++;
    if (i == POINTS_MOST) return NULL;
    const double none = (double)NAN;
    if (i == one->count) one->points[one->count++] = (struct point){ x, none, none, none, none, none, none, none, none };
    return &one->points[i];
}

/* Sources have parts: "table 2, GloVe" and "table 2, SIFT" both come from "table 2". */
static int ends_part(const char *at) { return !*at || (strchr(",:;", *at) && at[1] == ' '); }

static void add_origin(struct origin *to, const struct origin *from)
{
    size_t cut = 0;
    if (!to->how) *to = *from;
    to->how |= from->how;
    for (size_t i = 0; strncmp(to->source, from->source, i) == 0; i++) {
        if (ends_part(to->source + i) && ends_part(from->source + i)) cut = i;
        if (!to->source[i] || !from->source[i]) break;
    }
    to->source[cut] = 0;
}

static void add_row(struct panel *p, const struct table *t, size_t row, const struct paper_figure *figure, const struct panel_keys *k)
{
    const char *const keys[] = { figure->x, k->names[0], k->names[1], k->names[2], k->names[3] };
    char key[KEY_MOST], x_text[64];
    struct series *of;
    double x;
    const char *cell = cell_of(t, row, "cell"), *rule = cell_of(t, row, "rule");
    if (!cell_get(cell, figure->x, x_text, sizeof x_text) || !text_to_f64(x_text, &x) || !isfinite(number_of(t, row, "ours")))
        return;
    cell_without(cell, keys, 1 + k->count, key, sizeof key);
    struct point *at = point_at(p, key, x, &of);
    if (!at) return;
    at->ours = number_of(t, row, "ours");
    at->lo = number_of(t, row, "ours_lo");
    at->hi = number_of(t, row, "ours_hi");
    at->theory = number_of(t, row, "theory");
    const double published = number_of(t, row, "published");
    if (strcmp(rule, "at_least") == 0) at->at_least = published;
    if (strcmp(rule, "at_most") == 0) at->at_most = published;
    if (strcmp(rule, "within") == 0 || strcmp(rule, "shape") == 0) {
        at->published = published;
        of->has_published = 1;
        struct origin from = { .how = 0 };
        for (unsigned i = 0; i < ORIGINS; i++) from.how |= (unsigned)(strcmp(cell_of(t, row, "how"), origins[i].how) == 0) << i;
        snprintf(from.source, sizeof from.source, "%s", cell_of(t, row, "source"));
        add_origin(&of->origin, &from);
    }
    if (strcmp(rule, "within") == 0) at->band = number_of(t, row, "digit") / 2 + number_of(t, row, "tolerance");
}

static void look_at(struct panel *p)
{
    p->origin = (struct origin){ .how = 0 };
    p->has_theory = p->has_bounds = p->has_published = p->has_residuals = 0;
    for (size_t s = 0; s < p->count; s++) {
        if (p->series[s].has_published) add_origin(&p->origin, &p->series[s].origin);
        for (size_t i = 0; i < p->series[s].count; i++) {
            const struct point *at = &p->series[s].points[i];
            p->has_theory |= isfinite(at->theory);
            p->has_bounds |= isfinite(at->at_least) || isfinite(at->at_most);
            p->has_published |= isfinite(at->published);
            p->has_residuals |= isfinite(at->published) && isfinite(at->band);
        }
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

/* --- what is written on them --- */

/* "dim=64;method=mse" as a reader has it: "dim 64, mse". */
static void add_pairs(struct text *out, const char *cell, const char *sign)
{
    for (int first = 1; *cell; first = 0) {
        const size_t size = strcspn(cell, ";"), key = strcspn(cell, "=");
        const int speaks = isalpha((unsigned char)cell[key + 1]) && strcmp(sign, " ") == 0;
        text_add(out, "%s", first ? "" : ", ");
        if (!speaks) text_add(out, "%.*s%s", (int)key, cell, sign);
        text_add(out, "%.*s", (int)(size - key - 1), cell + key + 1);
        cell += size + (cell[size] == ';');
    }
}

/* Keys and values that all lines have. */
static void common_of(const struct panel *p, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (const char *at = p->series[0].key; *at; at += strcspn(at, ";"), at += *at == ';') {
        char pair[KEY_MOST];
        size_t in = 0;
        snprintf(pair, sizeof pair, "%.*s", (int)strcspn(at, ";"), at);
        while (in < p->count && cell_in(pair, p->series[in].key)) in++;
        if (in == p->count && used < size) used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ";" : "", pair);
    }
}

static void label_of(const struct series *s, const char *common, struct text *out)
{
    char rest[KEY_MOST];
    cell_beside(s->key, common, rest, sizeof rest);
    if (*rest) add_pairs(out, rest, " ");
    else text_add(out, "ours");
}

/* Whose the hollow points are: "the paper: theorem 1". */
static void origin_of(const struct origin *o, struct text *out)
{
    size_t size = strlen(o->source);
    while (size > SOURCE_READABLE) { /* whole parts, or words */
        size_t cut = size - 1;
        while (cut > 0 && !strchr(",:; ", o->source[cut])) cut--;
        size = cut;
    }
    while (size > 0 && strchr(",:; ", o->source[size - 1])) size--;
    for (unsigned i = 0; i < ORIGINS; i++) {
        const int again = i > 0 && strcmp(origins[i].whose, origins[i - 1].whose) == 0 && o->how >> (i - 1) & 1;
        if (o->how >> i & 1 && !again) text_add(out, "%s%s", out->size ? ", " : "", origins[i].whose);
    }
    if (size) text_add(out, ": %.*s", (int)size, o->source);
}

/* Of "a|variance=b" b where the panel has that value, else a. */
static void y_label_of(const char *label, const char *panel, struct text *out)
{
    size_t size = strcspn(label, "|");
    const char *taken = label;
    for (const char *at = label + size; *at == '|'; at += strcspn(at + 1, "|") + 1) {
        char pair[KEY_MOST];
        const size_t value = strcspn(at + 1, "=|");
        snprintf(pair, sizeof pair, "quantity=%.*s", (int)value, at + 1);
        if (!cell_in(pair, panel)) continue;
        taken = at + 1 + value + 1;
        size = strcspn(taken, "|");
    }
    text_add(out, "%.*s", (int)size, taken);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ticks where points are, unless they are many, or lie anywhere on a plain axis. */
static void add_ticks(const struct panel *p, int log_x, struct text *out)
{
    double xs[SERIES_MOST * POINTS_MOST], kept[TICKS_MOST];
    size_t all = 0, count = 0;
    int whole = 1;
    for (size_t s = 0; s < p->count; s++)
        for (size_t i = 0; i < p->series[s].count; i++) xs[all++] = p->series[s].points[i].x;
    qsort(xs, all, sizeof *xs, by_value);
    const double span = log_x ? log(xs[all - 1] / xs[0]) : xs[all - 1] - xs[0];
    for (size_t i = 0; i < all; i++) {
        whole &= xs[i] == floor(xs[i]);
        const double step = count ? log_x ? log(xs[i] / kept[count - 1]) : xs[i] - kept[count - 1] : 1;
        if (count && step < 0.07 * span) continue;
        if (count == TICKS_MOST) return;
        kept[count++] = xs[i];
    }
    for (size_t i = 0; (log_x || whole) && i < count; i++) text_add(out, "%s%.4g", i ? ", " : "", kept[i]);
}

/* Ends of a plain axis that holds all of every line, of a share nothing above 1, of what is never below 0 nothing below. */
static void range_of(const struct panel *p, int y, double *low, double *high)
{
    double least = (double)INFINITY, most = -(double)INFINITY, ours_least = least, ours_most = most;
    *low = *high = 0;
    if (y == PAPER_LOG) return;
    for (size_t s = 0; s < p->count; s++)
        for (size_t i = 0; i < p->series[s].count; i++) {
            const struct point *at = &p->series[s].points[i];
            const double all[] = { at->ours, at->lo, at->hi, at->theory, at->published, at->at_least, at->at_most };
            for (size_t c = 0; c < sizeof all / sizeof *all; c++)
                if (isfinite(all[c])) least = fmin(least, all[c]), most = fmax(most, all[c]);
            ours_least = fmin(ours_least, at->ours), ours_most = fmax(ours_most, at->ours);
        }
    const double room = most > least ? 0.05 * (most - least) : 0.05 * fmax(fabs(most), 1);
    *low = ours_least >= 0 && least - room < 0 ? 0 : least - room;
    *high = y == PAPER_SHARE && ours_most <= 1 && most + room > 1 ? 1 + 0.02 * (1 - *low) : most + room;
}

static int draw(const struct panel *p, const struct paper_item *item, const char *dir, const char *name, const char *panel, double low,
                double high, struct err *e)
{
    const struct paper_figure *f = &item->figure;
    struct text data = { 0 }, script = { 0 }, text = { 0 };
    char common[KEY_MOST];
    int status = gnuplot_figure(&script, "paper", dir, name, item->summary, f->x_label, e);
    common_of(p, common, sizeof common);
    add_pairs(&text, panel, " = ");
    if (*panel && *common) text_add(&text, ", ");
    add_pairs(&text, common, " = ");
    text_add(&text, "%s%s: 99.9 %% intervals", *panel || *common ? "; " : "", p->count > 4 ? "bars" : "bands");
    gnuplot_set(&script, "sub", 0, text_of(&text));
    text_clear(&text);
    add_ticks(p, f->log_x, &text);
    gnuplot_set(&script, "x_ticks", 0, text_of(&text));
    text_add(&script, "n = %zu; log_x = %d; log_y = %d; residuals = %d; theory = %d; bounds = %d; published = %d; y_low = %.9g; "
             "y_high = %.9g; array y_label[1]; array label[%zu]; array place[%zu]; ", p->count, f->log_x, f->y == PAPER_LOG, p->has_residuals, p->has_theory,
             p->has_bounds, p->has_published, low, high, p->count + 1, p->count + 1);
    text_clear(&text);
    origin_of(&p->origin, &text);
    gnuplot_set(&script, "origin", 0, text_of(&text));
    text_clear(&text);
    y_label_of(f->y_label, panel, &text);
    gnuplot_set(&script, "y_label", 1, text_of(&text));
    for (size_t i = 0; i < p->count; i++) {
        text_clear(&text);
        label_of(&p->series[i], p->count > 1 ? common : p->series[i].key, &text);
        gnuplot_set(&script, "label", i + 1, text_of(&text));
        text_add(&script, "place[%zu] = %zu; ", i + 1, p->series[i].place);
        add_points(&p->series[i], &data);
    }
    text_clear(&text);
    text_add(&text, "%s.dat", name);
    if (status == ERR_OK && text.failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK) status = output_write_in(dir, text_of(&text), &data, e);
    if (status == ERR_OK) status = gnuplot_render_as(&script, "png svg pdf", dir, name, e);
    text_free(&data);
    text_free(&script);
    text_free(&text);
    return status;
}

/* Lines beyond what is readable go to figures of one scale, name_a, name_b ...; those with points of the paper to each. */
static int draw_parts(const struct panel *all, const struct paper_item *item, const char *dir, const char *name, const char *panel,
                      struct err *e)
{
    size_t marked = 0, plain = 0;
    double low, high;
    int status = ERR_OK;
    range_of(all, item->figure.y, &low, &high);
    for (size_t s = 0; s < all->count; s++) marked += all->series[s].has_published;
    if (all->count <= SERIES_READABLE || marked >= SERIES_READABLE) return draw(all, item, dir, name, panel, low, high, e);
    const size_t room = SERIES_READABLE - marked, parts = (all->count - marked + room - 1) / room;
    const size_t share = (all->count - marked + parts - 1) / parts;
    struct panel *part = mem_alloc(1, sizeof *part);
    if (!part) return FAIL(e, ERR_MEM, "no memory for a figure");
    for (size_t i = 0; status == ERR_OK && i < parts; i++) {
        struct text stem = { 0 };
        *part = (struct panel){ .count = 0 };
        plain = 0;
        for (size_t s = 0; s < all->count; s++) {
            const int is_marked = all->series[s].has_published;
            if (is_marked || plain / share == i) part->series[part->count++] = all->series[s];
            plain += !is_marked;
        }
        look_at(part);
        text_add(&stem, "%s_%c", name, (char)('a' + (int)i));
        status = draw(part, item, dir, text_of(&stem), panel, low, high, e);
        text_free(&stem);
    }
    mem_free(part);
    return status;
}

static int draw_panel(struct panel *p, const struct table *t, size_t first, const struct paper_item *item, const char *dir, const char *name,
                      const char *panel, struct err *e)
{
    const struct panel_keys k = keys_of(&item->figure);
    char other[KEY_MOST], value[KEY_MOST];
    struct text stem = { 0 };
    int status = ERR_OK;
    *p = (struct panel){ .count = 0 };
    for (size_t i = first; i < t->count; i++)
        if (panel_of(cell_of(t, i, "cell"), &k, other, sizeof other) && strcmp(panel, other) == 0) add_row(p, t, i, &item->figure, &k);
    text_add(&stem, "%s", name);
    for (size_t i = 0; i < k.count; i++)
        if (cell_get(panel, k.names[i], value, sizeof value)) text_add(&stem, "_%s", value);
    for (char *c = stem.at; c && *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '_';
    look_at(p);
    if (p->count > 0) status = draw_parts(p, item, dir, text_of(&stem), panel, e);
    text_free(&stem);
    return status;
}

int paper_figures(const struct table *t, const struct paper_item *item, const char *dir, const char *name, struct err *e)
{
    const struct panel_keys k = keys_of(&item->figure);
    struct panel *p = item->figure.x ? mem_alloc(1, sizeof *p) : NULL;
    if (!item->figure.x) return ERR_OK;
    int status = p ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a figure");
    for (size_t row = 0; status == ERR_OK && row < t->count; row++) {
        char panel[KEY_MOST], other[KEY_MOST];
        size_t first = 0;
        if (!panel_of(cell_of(t, row, "cell"), &k, panel, sizeof panel)) continue;
        while (!(panel_of(cell_of(t, first, "cell"), &k, other, sizeof other) && strcmp(panel, other) == 0)) first++;
        if (first == row) status = draw_panel(p, t, row, item, dir, name, panel, e);
    }
    mem_free(p);
    return status;
}
