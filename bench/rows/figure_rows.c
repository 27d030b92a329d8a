/* SPDX-License-Identifier: MIT
 * figure_rows.c - lays out figures with a row a series: marks along an axis, bars of parts, a map. */
#include "bench/rows/figure_frame.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what lies along the axis ---------------------------------------------------------------------------------------- */
static struct value along(const struct frame *r, const struct figure_point *p) { return r->f->kind->of_y ? p->y[0] : p->x; }

static size_t collect(const struct frame *r, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < r->f->count; i++)
        for (size_t p = 0; p < r->f->series[i].count; p++) {
            const struct value v = along(r, &r->f->series[i].points[p]);
            out[count++] = v.at;
            out[count++] = v.lo;
            out[count++] = v.hi;
        }
    if (r->f->kind->layout == LAYOUT_STAGES || r->f->kind->zero_line) out[count++] = 0;
    if (r->f->kind->reference != 0) out[count++] = r->f->kind->reference;
    return count;
}

static const char *axis_name(const struct frame *r)
{
    const struct figure *f = r->f;
    return f->kind->of_y ? f->y[0] : f->x ? f->x : f->kind->total;
}

static enum axis_scale scale_of(const struct frame *r, const double *values, size_t count)
{
    const enum axis_scale scale = axis_scale_of(axis_name(r), values, count);
    if (r->f->kind->layout == LAYOUT_STAGES) return AXIS_LINEAR;
    return r->f->kind->reference == 1 ? AXIS_LOG : scale == AXIS_WHOLE ? AXIS_LINEAR : scale;
}

/* --- legend ------------------------------------------------------------------------------------------------------------- */
static const char *stage_name(const char *column, char *out, size_t size)
{
    const size_t used = strlen(column);
    if (strncmp(column, "t_", 2) == 0 && used > 5) snprintf(out, size, "%.*s", (int)(used - 5), column + 2);
    else snprintf(out, size, "%s", column);
    return out;
}

/* A stage has its colour in every figure. */
static unsigned char stage_style(const struct figure *f, size_t y)
{
    unsigned char at = 0;
    while (f->kind->y[at] && strcmp(f->kind->y[at], f->y[y]) != 0) at++;
    return (unsigned char)(at + 1);
}

static const double levels[] = { .9, .95, .99, .999 };

static void add_legend(struct frame_legend *l, const struct frame *r, char names[FIGURE_PANELS][24])
{
    static const int full[] = { 7, 5, 9 };
    const struct figure_kind *k = r->f->kind;
    const double none = (double)NAN;
    for (int i = 0; k->marks && k->marks[i]; i++)
        legend_add(l, r, (struct entry){ k->marks[i], 0, k->hollow ? 3 : 3 - i > 0 ? (int[]){ 3, 6, 4 }[i] : 4,
                                         k->hollow ? (i ? 6 : 7) : full[i % 3], none });
    for (size_t y = 0; k->layout == LAYOUT_STAGES && y < r->f->y_count; y++)
        legend_add(l, r, (struct entry){ stage_name(r->f->y[y], names[y], sizeof names[y]), 0, r->styles[y], 5, none });
    for (int i = 0; k->layout == LAYOUT_GRID && i < 4; i++) {
        snprintf(names[i], sizeof names[i], "at least %g", levels[i]);
        legend_add(l, r, (struct entry){ names[i], 12 + i, 0, 0, none });
    }
    legend_wrap(l, r);
}

/* --- map ------------------------------------------------------------------------------------------------------------------ */
static double cell(const struct frame *r, size_t row, double x)
{
    const struct series *s = &r->f->series[row];
    for (size_t p = 0; p < s->count; p++)
        if (s->points[p].x.at == x) return s->points[p].y[0].at;
    return (double)NAN;
}

/* Where neighbours lie on both sides of a level, the edge between them; levels beside each other, not over. */
static void contour(struct frame *r, const double *xs, size_t columns)
{
    const struct canvas_box b = r->panel[0];
    const double wide = (b.right - b.left) / (double)columns, high = (b.top - b.bottom) / (double)r->f->count;
    for (int l = 0; l < 4; l++)
        for (size_t row = 0; row < r->f->count; row++)
            for (size_t c = 0; c < columns; c++) {
                const double here = cell(r, row, xs[c]), aside = (l - 1.5) * 0.16 * r->canvas.size->font;
                const double right = c + 1 < columns ? cell(r, row, xs[c + 1]) : (double)NAN;
                const double below = row + 1 < r->f->count ? cell(r, row + 1, xs[c]) : (double)NAN;
                const double x = b.left + (double)(c + 1) * wide + aside, y = b.top - (double)(row + 1) * high + aside;
                if (isfinite(here) && isfinite(right) && (here >= levels[l]) != (right >= levels[l]))
                    canvas_rule(&r->canvas, x, y, x, y + high, 12 + l);
                if (isfinite(here) && isfinite(below) && (here >= levels[l]) != (below >= levels[l]))
                    canvas_rule(&r->canvas, x - wide, y, x, y, 12 + l);
            }
}

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The columns of the map, ascending; their numbers become the ticks of x. */
static size_t grid_columns(struct frame *r, double *xs)
{
    size_t count = 0;
    for (size_t i = 0; i < r->f->count; i++)
        for (size_t p = 0; p < r->f->series[i].count; p++) {
            size_t known = 0;
            while (known < count && xs[known] != r->f->series[i].points[p].x.at) known++;
            if (known == count) xs[count++] = r->f->series[i].points[p].x.at;
        }
    qsort(xs, count, sizeof *xs, by_value);
    r->x = (struct axis){ .scale = AXIS_LINEAR, .low = 0, .high = (double)count };
    for (size_t c = 0; c < count && c < AXIS_TICKS; c++) {
        r->x.ticks[r->x.count].value = (double)c + 0.5;
        axis_number(r->x.ticks[r->x.count++].text, sizeof r->x.ticks[0].text, xs[c], 6);
    }
    return count;
}

static void lay_grid(struct frame *r, struct text *more)
{
    double *const xs = r->values; /* with room for more than that */
    const size_t columns = grid_columns(r, xs);
    text_add(more, "columns_ = %zu; column_of(v) = ", columns);
    for (size_t c = 0; c < columns; c++) text_add(more, "v == %.9g ? %zu : ", xs[c], c);
    text_add(more, "NaN; ");
    contour(r, xs, columns);
    double *const values = xs + columns;
    size_t count = 0;
    for (size_t i = 0; i < r->f->count; i++)
        for (size_t p = 0; p < r->f->series[i].count; p++) values[count++] = r->f->series[i].points[p].y[0].at;
    const struct axis_room room = { 400, 0, 20, 0 };
    axis_fit(&r->y[0], axis_scale_of(r->f->y[0], values, count), values, count, 0, &room);
}

/* --- page ------------------------------------------------------------------------------------------------------------------- */
static void put_labels(struct frame *r, double step, int stacked)
{
    const double font = r->canvas.size->font;
    for (size_t i = 0; i < r->f->count; i++) {
        const double middle = r->panel[0].top - ((double)i + 0.5) * step;
        char label[200];
        canvas_cut(r->canvas.size, text_of(&r->f->series[i].label), r->canvas.size->width - font, label, sizeof label);
        if (stacked) canvas_add(&r->canvas, label, 0.5 * font, middle + 0.25 * step, HOLD_LEFT, INK_TEXT);
        else canvas_add(&r->canvas, label, r->panel[0].left - 0.6 * font, middle, HOLD_RIGHT, INK_TEXT);
    }
}

static double row_step(const struct frame *r, int stacked)
{
    const double font = r->canvas.size->font;
    if (r->f->kind->layout == LAYOUT_GRID) return (stacked ? 4 : 3) * font;
    return (stacked ? 3.2 : 1.9) * font;
}

int frame_rows(struct frame *r, const char *prefix, struct err *e)
{
    const struct canvas_size *size = r->canvas.size;
    const struct figure *f = r->f;
    const double font = size->font, line = canvas_line(size);
    struct frame_legend legend = { 0 };
    struct text more = { 0 };
    char names[FIGURE_PANELS][24];
    double widest = 0;
    r->panels = 1;
    for (size_t i = 0; i < f->count; i++) {
        widest = fmax(widest, canvas_width(size, text_of(&f->series[i].label)));
        r->styles[i] = 1;
    }
    for (size_t y = 0; f->kind->layout == LAYOUT_STAGES && y < f->y_count; y++) r->styles[y] = stage_style(f, y);
    const int stacked = widest > 0.45 * size->width && f->kind->layout != LAYOUT_GRID;
    const double step = row_step(r, stacked);
    add_legend(&legend, r, names);
    const double header = 0.8 * font + line * (double)(frame_title_lines(size, text_of(&f->title)) +
                                                       frame_title_lines(size, text_of(&f->under)));
    const double footer = 3.7 * font + (double)legend.rows * line;
    r->canvas.height = ceil(header + step * (double)f->count + footer + (f->kind->layout == LAYOUT_GRID ? line : 0));
    double top = frame_put_title(r, text_of(&f->title), r->canvas.height - 0.3 * font, INK_TEXT);
    top = frame_put_title(r, text_of(&f->under), top, INK_SOFT);
    r->panel[0] = (struct canvas_box){ stacked ? 1.2 * font : widest + 1.4 * font, size->width - 1.3 * font, footer, footer + step * (double)f->count };
    if (f->kind->layout == LAYOUT_GRID) {
        canvas_add(&r->canvas, figure_label(f->kind->by), 0.5 * font, r->panel[0].top + 0.85 * font, HOLD_LEFT, INK_SOFT);
        lay_grid(r, &more);
        frame_put_x(r, figure_label(f->x), footer);
    } else {
        const size_t count = collect(r, r->values);
        const struct axis_room room = { r->panel[0].right - r->panel[0].left, 0.7 * font, 1.4 * font, 0.62 * font };
        axis_fit(&r->x, scale_of(r, r->values, count), r->values, count, 0, &room);
        frame_put_x(r, figure_label(axis_name(r)), footer);
    }
    text_add(&more, "row_shift_ = %g; has_line_ = %d; line_ = %g", stacked ? 0.2 : 0.0, f->kind->zero_line || f->kind->reference != 0,
             f->kind->reference);
    if (stacked) text_add(&more, "; set border 1"); /* the labels lie where the axis of y would be */
    put_labels(r, step, stacked);
    legend_put(&legend, r, &r->panel[0], footer - 4.1 * font);
    frame_say(r, prefix, text_of(&more));
    const int failed = more.failed || r->canvas.failed || r->vars.failed || r->canvas.script.failed;
    text_free(&more);
    return failed ? FAIL(e, ERR_MEM, "figure %s: out of memory", text_of(&f->name)) : ERR_OK;
}
