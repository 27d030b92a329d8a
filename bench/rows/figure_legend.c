/* SPDX-License-Identifier: MIT
 * figure_legend.c - names of series at the ends of their lines, and numbers at points, none over another. */
#include "bench/rows/figure_frame.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double sample_ems = 3.6; /* of a sample, its gaps included */

void legend_add(struct frame_legend *l, const struct frame *r, struct entry made)
{
    const double width = canvas_width(r->canvas.size, made.text) + sample_ems * r->canvas.size->font;
    l->width = fmax(l->width, width);
    l->at[l->count++] = made;
}

void legend_collect(struct frame_legend *l, const struct frame *r)
{
    const struct figure *f = r->f;
    const double none = (double)NAN;
    *l = (struct frame_legend){ 0 };
    for (size_t i = 0; i < f->count; i++) {
        const struct series *s = &f->series[i];
        const int style = r->styles[i];
        if (s->mark == SERIES_FRONT) continue;
        if (style > FRAME_STYLES) l->others++;
        else legend_add(l, r, (struct entry){ text_of(&s->label), s->mark == SERIES_FOREIGN ? 0 : style, style, 0, none });
    }
    for (size_t i = 0; i < f->count; i++)
        if (f->series[i].mark == SERIES_FRONT) legend_add(l, r, (struct entry){ text_of(&f->series[i].label), 10, 0, 0, none });
    if (f->kind->ceiling && f->y_count > 1) legend_add(l, r, (struct entry){ f->kind->ceiling_label, 11, 0, 0, none });
    snprintf(l->others_text, sizeof l->others_text, "%zu others", l->others);
    if (l->others) legend_add(l, r, (struct entry){ l->others_text, FRAME_STYLES + 1, FRAME_STYLES + 1, 0, none });
    if (l->width > 0.36 * r->canvas.size->width) legend_wrap(l, r);
}

void legend_wrap(struct frame_legend *l, const struct frame *r)
{
    double used = 0;
    l->below = 1;
    l->rows = l->count > 0;
    for (size_t i = 0; i < l->count; i++) {
        const double width = canvas_width(r->canvas.size, l->at[i].text) + sample_ems * r->canvas.size->font;
        if (i && used + width > r->canvas.size->width - r->canvas.size->font) used = 0, l->rows++;
        used += width;
    }
}

static void put(struct frame *r, const struct entry *n, double x, double y)
{
    const double font = r->canvas.size->font;
    canvas_sample(&r->canvas, x + 1.5 * font, y, n->line, n->mark ? 0 : n->point);
    if (n->mark) canvas_mark(&r->canvas, x + 1.5 * font, y, n->mark, n->point);
    char text[200];
    canvas_cut(r->canvas.size, n->text, r->canvas.size->width - x - 3.4 * font, text, sizeof text);
    canvas_add(&r->canvas, text, x + 3.1 * font, y, HOLD_LEFT, INK_TEXT);
}

/* Higher first; those that end nowhere last. */
static int by_wish(const void *a, const void *b)
{
    const double p = ((const struct entry *)a)->wish, q = ((const struct entry *)b)->wish;
    if (isnan(p) || isnan(q)) return isnan(p) - isnan(q);
    return (p < q) - (p > q);
}

static void put_beside(struct frame_legend *l, struct frame *r, const struct canvas_box *panel)
{
    const double line = 1.35 * r->canvas.size->font;
    double y[FRAME_STYLES + 4], next = INFINITY;
    const double top = r->panels > 1 ? r->canvas.height - line : panel->top;
    for (size_t i = 0; i < l->count; i++) { /* from the top, none above its wish by more than it must */
        const double wish = isnan(l->at[i].wish) ? panel->bottom + line : l->at[i].wish;
        y[i] = fmin(fmin(wish, next - line), top - line / 2);
        next = y[i];
    }
    double floor_y = (r->panels > 1 ? r->panel[r->panels - 1].bottom : panel->bottom) + line / 2;
    for (size_t i = l->count; i-- > 0;) { /* and from the bottom, what fell out of the panel */
        y[i] = fmax(y[i], floor_y);
        floor_y = y[i] + line;
    }
    for (size_t i = 0; i < l->count; i++) put(r, &l->at[i], panel->right + 0.2 * r->canvas.size->font, y[i]);
}

/* Where the line of a series ends, in units. */
static double line_end(const struct frame *r, const struct series *s, const struct canvas_box *panel)
{
    double at_x = -INFINITY, end = (double)NAN;
    for (size_t i = 0; i < s->count; i++) {
        const double x = axis_at(&r->x, s->points[i].x.at), y = axis_at(&r->y[0], s->points[i].y[0].at);
        if (isfinite(x) && isfinite(y) && x >= at_x) at_x = x, end = panel->bottom + y * (panel->top - panel->bottom);
    }
    return end;
}

void legend_put(struct frame_legend *l, struct frame *r, const struct canvas_box *panel, double y)
{
    const double font = r->canvas.size->font;
    for (size_t e = 0; e < l->count; e++)
        for (size_t i = 0; i < r->f->count; i++)
            if (l->at[e].text == text_of(&r->f->series[i].label) && r->f->series[i].mark != SERIES_FOREIGN)
                l->at[e].wish = line_end(r, &r->f->series[i], panel);
    if (!l->below) {
        qsort(l->at, l->count, sizeof *l->at, by_wish);
        put_beside(l, r, panel);
        return;
    }
    double x = 0.5 * font;
    for (size_t i = 0; i < l->count; i++) {
        const double width = canvas_width(r->canvas.size, l->at[i].text) + sample_ems * font;
        if (i && x - 0.5 * font + width > r->canvas.size->width - font) x = 0.5 * font, y -= canvas_line(r->canvas.size);
        put(r, &l->at[i], x, y);
        x += width;
    }
}

/* --- numbers at points ------------------------------------------------------------------------------------------- */
static struct canvas_box around(double x, double y, double half)
{
    return (struct canvas_box){ x - half, x + half, y - half, y + half };
}

static void place_of(const struct frame *r, const struct figure_point *p, double *x, double *y)
{
    const struct canvas_box *panel = &r->panel[0];
    *x = panel->left + axis_at(&r->x, p->x.at) * (panel->right - panel->left);
    *y = panel->bottom + axis_at(&r->y[0], p->y[0].at) * (panel->top - panel->bottom);
}

static void number_point(struct frame *r, const struct figure_point *p, int style)
{
    static const double ways[][2] = { { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 }, { .8, .8 }, { -.8, .8 }, { .8, -.8 }, { -.8, -.8 } };
    const struct canvas_size *size = r->canvas.size;
    double x, y;
    char text[24];
    axis_number(text, sizeof text, p->bits, 3);
    place_of(r, p, &x, &y);
    const double width = canvas_width(size, text);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        const double at_x = x + ways[w][0] * (0.55 * size->font + width / 2), at_y = y + ways[w][1] * 1.05 * size->font;
        const struct canvas_box box = canvas_text_box(size, text, at_x, at_y, HOLD_CENTRE);
        if (box.left < r->panel[0].left || box.right > r->panel[0].right || box.bottom < r->panel[0].bottom ||
            box.top > r->panel[0].top || !canvas_is_free(&r->canvas, box))
            continue;
        canvas_add(&r->canvas, text, at_x, at_y, HOLD_CENTRE, (enum canvas_ink)(INK_STYLE + style - 1));
        return;
    }
}

void frame_number_points(struct frame *r)
{
    double x, y;
    for (size_t i = 0; i < r->f->count; i++) {
        const struct series *s = &r->f->series[i];
        if (r->styles[i] > FRAME_STYLES || s->mark == SERIES_FRONT) continue;
        for (size_t p = 0; p < s->count; p++) {
            place_of(r, &s->points[p], &x, &y);
            if (isfinite(x) && isfinite(y)) canvas_take(&r->canvas, around(x, y, 0.3 * r->canvas.size->font));
        }
    }
    for (size_t i = 0; i < r->f->count; i++)
        for (size_t p = 0; r->styles[i] <= FRAME_STYLES && r->f->series[i].mark == SERIES_OURS && p < r->f->series[i].count; p++)
            if (isfinite(r->f->series[i].points[p].bits)) number_point(r, &r->f->series[i].points[p], r->styles[i]);
}
