/* SPDX-License-Identifier: MIT
 * figure_frame.c - lays out a figure of lines: title, panels under each other, axes, legend. */
#include "bench/rows/figure_frame.h"
#include "bench/rows/figure_inside.h"
#include "bench/rows/gnuplot.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void frame_fini(struct frame *r)
{
    canvas_fini(&r->canvas);
    text_free(&r->vars);
    mem_free(r->styles);
    mem_free(r->values);
}

/* --- styles -------------------------------------------------------------------------------------------------------- */
/* How much a series has to say: its points on the front of all, then whether it is ours, then all its points. */
static size_t weight(const struct figure *f, size_t i)
{
    const struct series *s = &f->series[i], *front = f->count ? &f->series[f->count - 1] : NULL;
    size_t on_front = 0;
    for (size_t p = 0; front && front->mark == SERIES_FRONT && p < s->count; p++)
        for (size_t q = 0; q < front->count; q++) on_front += front->points[q].id == s->points[p].id;
    return 1000 * on_front + 500 * (s->mark == SERIES_OURS) + s->count;
}

/* A style each for the eight, less what else is in the legend, that say most; the ninth for all others. */
static void choose_styles(struct frame *r)
{
    const struct figure *f = r->f;
    size_t drawn = 0, extra = f->kind->ceiling && f->y_count > 1;
    for (size_t i = 0; i < f->count; i++) {
        drawn += f->series[i].mark != SERIES_FRONT;
        extra += f->series[i].mark == SERIES_FRONT;
    }
    const size_t room = drawn + extra <= FRAME_STYLES ? drawn : FRAME_STYLES - extra - 1;
    int next = 1;
    for (size_t i = 0; i < f->count; i++) {
        size_t before = 0;
        for (size_t j = 0; j < f->count; j++) {
            if (f->series[j].mark == SERIES_FRONT || j == i) continue;
            const size_t mine = weight(f, i), other = weight(f, j);
            before += other > mine || (other == mine && j < i);
        }
        r->styles[i] = (unsigned char)(f->series[i].mark == SERIES_FRONT ? 10 : before < room ? next++ : FRAME_STYLES + 1);
    }
}

/* --- axes ------------------------------------------------------------------------------------------------------------ */
/* All that the axis of x (y: FIGURE_PANELS) or of a y must hold, ends of intervals too. */
static size_t values_of(const struct frame *r, size_t y, double *out)
{
    const size_t last = y < FIGURE_PANELS && r->f->kind->ceiling ? r->f->y_count - 1 : y;
    size_t count = 0;
    for (size_t i = 0; i < r->f->count; i++)
        for (size_t p = 0; p < r->f->series[i].count + r->f->series[i].off_count; p++)
            for (size_t c = y; c <= last; c++) {
                const struct figure_point *point = &r->f->series[i].points[p];
                const struct value v = c < FIGURE_PANELS ? point->y[c] : point->x;
                out[count++] = v.at;
                out[count++] = v.lo;
                out[count++] = v.hi;
            }
    return count;
}

static size_t points_of(const struct figure *f)
{
    size_t count = 1;
    for (size_t i = 0; i < f->count; i++) count += f->series[i].count + f->series[i].off_count;
    return count;
}

static void fit_y(struct frame *r, size_t p)
{
    const double font = r->canvas.size->font;
    const size_t count = values_of(r, p, r->values);
    const struct axis_room room = { r->panel[p].top - r->panel[p].bottom, 0.55 * font, 2.2 * font, 0 };
    axis_fit(&r->y[p], axis_scale_of(r->f->y[p], r->values, count), r->values, count, 0, &room);
}

static void fit_x(struct frame *r)
{
    const double font = r->canvas.size->font;
    const size_t count = values_of(r, FIGURE_PANELS, r->values);
    const struct axis_room room = { r->panel[0].right - r->panel[0].left, 0.7 * font, 1.4 * font, 0.62 * font };
    const int is_setting = !r->f->kind->front && strstr(r->f->x, "bytes") == NULL && !r->f->kind->steps;
    axis_fit(&r->x, axis_scale_of(r->f->x, r->values, count), r->values, count, is_setting, &room);
}

/* --- page ---------------------------------------------------------------------------------------------------------- */
/* How much of a text the page has room for in one line, cut before a word. */
static size_t one_line(const struct canvas_size *size, const char *text)
{
    size_t used = 0;
    char line[400];
    while (text[used]) {
        const size_t next = used + strspn(text + used, " ") + strcspn(text + used + strspn(text + used, " "), " ");
        snprintf(line, sizeof line, "%.*s", (int)next, text);
        if (used && canvas_width(size, line) > size->width - 1.2 * size->font) break;
        used = next;
    }
    return used;
}

/* The title in as many lines as it needs; returns the height below them. */
double frame_put_title(struct frame *r, const char *title, double y, enum canvas_ink ink)
{
    const struct canvas_size *size = r->canvas.size;
    for (char line[400]; *title; title += strspn(title, " ")) {
        const size_t used = one_line(size, title);
        snprintf(line, sizeof line, "%.*s", (int)used, title);
        canvas_add(&r->canvas, line, 0.5 * size->font, y - canvas_line(size) / 2, HOLD_LEFT, ink);
        y -= canvas_line(size);
        title += used;
    }
    return y;
}

size_t frame_title_lines(const struct canvas_size *size, const char *title)
{
    size_t lines = 0;
    for (; *title; lines++) {
        title += one_line(size, title);
        title += strspn(title, " ");
    }
    return lines;
}

/* What the reader must know and no axis says. */
static void subtitle(const struct frame *r, struct text *out)
{
    const struct figure_kind *k = r->f->kind;
    if (k->front && (figure_in_list(k->along, "bits") || figure_in_list(k->along, "bit_width")))
        text_add(out, "numbers: bits per dimension, small marks: settings that another of the line beats");
    else if (k->along && figure_in_list(k->along, "bits"))
        text_add(out, "numbers: bits per dimension");
}

static void lay_panels(struct frame *r, const struct frame_legend *l, double top, double footer)
{
    const double font = r->canvas.size->font, line = canvas_line(r->canvas.size), width = r->canvas.size->width;
    const double room = top - footer, step = room / (double)r->panels;
    double widest = 0;
    for (size_t p = 0; p < r->panels; p++) {
        struct canvas_box *panel = &r->panel[p];
        panel->top = top - (double)p * step - line - 0.2 * font;
        panel->bottom = top - (double)(p + 1) * step + (p + 1 < r->panels ? 0.9 * font : 0);
        fit_y(r, p);
        for (size_t i = 0; i < r->y[p].count; i++) widest = fmax(widest, canvas_width(r->canvas.size, r->y[p].ticks[i].text));
    }
    for (size_t p = 0; p < r->panels; p++) {
        r->panel[p].left = widest + 1.5 * font;
        r->panel[p].right = width - (l->below || !l->count ? 0.9 * font : l->width + 0.5 * font);
    }
    fit_x(r);
}

static void put_axes(struct frame *r, double footer)
{
    const struct canvas_size *size = r->canvas.size;
    const double font = size->font;
    struct canvas *c = &r->canvas;
    for (size_t p = 0; p < r->panels; p++) {
        const struct canvas_box b = r->panel[p];
        char label[160];
        canvas_cut(size, figure_label(r->f->y[p]), size->width - font, label, sizeof label);
        canvas_add(c, label, 0.5 * font, b.top + 0.85 * font, HOLD_LEFT, INK_SOFT);
        for (size_t i = 0; i < r->y[p].count; i++)
            canvas_add(c, r->y[p].ticks[i].text, b.left - 0.6 * font,
                       b.bottom + axis_at(&r->y[p], r->y[p].ticks[i].value) * (b.top - b.bottom), HOLD_RIGHT, INK_TEXT);
    }
    frame_put_x(r, figure_label(r->f->x), footer);
}

void frame_put_x(struct frame *r, const char *label, double footer)
{
    const struct canvas_size *size = r->canvas.size;
    const double font = size->font;
    struct canvas *c = &r->canvas;
    const struct canvas_box last = r->panel[r->panels - 1];
    for (size_t i = 0; i < r->x.count; i++)
        canvas_add(c, r->x.ticks[i].text, last.left + axis_at(&r->x, r->x.ticks[i].value) * (last.right - last.left),
                   last.bottom - 1.15 * font, HOLD_CENTRE, INK_TEXT);
    char cut[160];
    canvas_cut(size, label, size->width - font, cut, sizeof cut);
    const double half = canvas_width(size, cut) / 2, middle = (last.left + last.right) / 2;
    const double x = fmax(fmin(middle, size->width - 0.5 * font - half), half + 0.5 * font);
    canvas_add(c, cut, x, footer - 2.6 * font, HOLD_CENTRE, INK_SOFT);
}

/* gnuplot's quotes do not nest: a variable for each string. */
static void add_string(struct text *out, const char *prefix, const char *name, const struct text *value)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s_%s", prefix, name);
    gnuplot_set(out, whole, 0, text_of(value));
}

static void say_numbers(struct frame *r, struct text *v)
{
    const struct canvas_size *size = r->canvas.size;
    text_add(v, "width_ = %g; height_ = %g; font_ = %g; png_ = %g; ", size->width, r->canvas.height, size->font, size->png);
    text_add(v, "panels_ = %zu; left_ = %.6f; right_ = %.6f; ", r->panels, r->panel[0].left / size->width,
             r->panel[0].right / size->width);
    axis_function(&r->x, "x_of", v);
    for (size_t p = 0; p < r->panels; p++) {
        char name[32];
        snprintf(name, sizeof name, "y%zu_of", p + 1);
        axis_function(&r->y[p], name, v);
    }
    text_add(v, "y_of(p, v) = ");
    for (size_t p = 0; p + 1 < r->panels; p++) text_add(v, "p == %zu ? y%zu_of(v) : ", p + 1, p + 1);
    text_add(v, "y%zu_of(v)", r->panels);
}

void frame_say(struct frame *r, const char *prefix, const char *more)
{
    struct text one = { 0 };
    say_numbers(r, &one);
    text_add(&one, "; %s", more);
    add_string(&r->vars, prefix, "numbers", &one);
    add_string(&r->vars, prefix, "decor", &r->canvas.script);
    text_clear(&one);
    axis_ticks(&r->x, &one);
    add_string(&r->vars, prefix, "x_ticks", &one);
    for (size_t p = 0; p < r->panels; p++) {
        char name[32];
        text_clear(&one);
        axis_ticks(&r->y[p], &one);
        snprintf(name, sizeof name, "y_ticks%zu", p + 1);
        add_string(&r->vars, prefix, name, &one);
    }
    text_clear(&one);
    for (size_t p = 0; p < r->panels; p++)
        text_add(&one, "%.6f %.6f ", r->panel[p].bottom / r->canvas.height, r->panel[p].top / r->canvas.height);
    add_string(&r->vars, prefix, "heights", &one);
    text_clear(&one);
    for (size_t i = 0; i < r->f->count || i < r->f->y_count; i++) text_add(&one, "%d ", r->styles[i]);
    add_string(&r->vars, prefix, "slots", &one);
    text_free(&one);
}

int frame_init(struct frame *r, const struct figure *f, const struct canvas_size *size, const char *prefix, struct err *e)
{
    *r = (struct frame){ .f = f, .canvas = { .size = size, .latex = strcmp(prefix, "tex") == 0 } };
    r->panels = f->kind->ceiling ? 1 : f->y_count;
    r->styles = mem_zero(f->count + FIGURE_PANELS, 1);
    r->values = mem_alloc(6 * points_of(f), sizeof *r->values);
    struct frame_legend legend;
    struct text under = { 0 };
    if (!r->styles || !r->values) return FAIL(e, ERR_MEM, "figure %s: out of memory", text_of(&f->name));
    if (f->kind->layout != LAYOUT_LINES) return frame_rows(r, prefix, e);
    choose_styles(r);
    legend_collect(&legend, r);
    subtitle(r, &under);
    const double font = size->font, line = canvas_line(size);
    const double header = 0.5 * font + line * (double)(frame_title_lines(size, text_of(&f->title)) + frame_title_lines(size, text_of(&under)));
    const double one = size->ratio * size->width, each = fmax(0.24 * size->width, 9 * font);
    const double body = r->panels == 1 ? one - 2 * line : (double)r->panels * (each + line);
    const double footer = 3.4 * font + (double)legend.rows * line + 0.3 * font;
    r->canvas.height = ceil(header + body + footer);
    double top = frame_put_title(r, text_of(&f->title), r->canvas.height - 0.3 * font, INK_TEXT);
    top = frame_put_title(r, text_of(&under), top, INK_SOFT);
    lay_panels(r, &legend, top, footer);
    put_axes(r, footer);
    legend_put(&legend, r, &r->panel[0], footer - 3.9 * font);
    if (under.size) frame_number_points(r);
    frame_say(r, prefix, "");
    text_free(&under);
    return r->canvas.failed || r->vars.failed || r->canvas.script.failed ? FAIL(e, ERR_MEM, "figure: out of memory") : ERR_OK;
}
