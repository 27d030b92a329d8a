/* SPDX-License-Identifier: MIT
 * figure_draw.c - writes the data of a figure and has gnuplot draw it. */
#include "bench/rows/figure_draw.h"
#include "bench/rows/figure_frame.h"
#include "bench/rows/gnuplot.h"
#include "datasets/whole_file.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void write_number(FILE *out, double value)
{
    if (isfinite(value)) fprintf(out, "%.9g ", value);
    else fputs("NaN ", out);
}

/* A coordinate without an interval has none: its ends are NaN. */
static void write_point(FILE *out, const struct figure_point *p, size_t y_count)
{
    write_number(out, p->x.at);
    for (size_t y = 0; y < y_count; y++) write_number(out, p->y[y].at);
    for (size_t y = 0; y <= y_count; y++) {
        const struct value *v = y ? &p->y[y - 1] : &p->x;
        write_number(out, v->lo);
        write_number(out, v->hi);
    }
    if (p->id) fprintf(out, "%016" PRIx64 "\n", p->id);
    else fputs("-\n", out);
}

static int write_data(const struct figure *f, const char *path, struct err *e)
{
    struct whole_file file;
    const int status = whole_file_open(&file, path, e);
    if (status != ERR_OK) return status;
    FILE *out = file.to;
    if (f->title.size) fprintf(out, "# %s\n", text_of(&f->title));
    fprintf(out, "# %s", f->x ? f->x : "-");
    for (size_t y = 0; y < f->y_count; y++) fprintf(out, " %s", f->y[y]);
    fputs("; x_lo x_hi, and lo hi of each; id of the settings; one block a series\n", out);
    for (size_t i = 0; i < f->count; i++) {
        const struct series *s = &f->series[i];
        fprintf(out, "%s# %s\n", i ? "\n\n" : "", text_of(&s->label));
        for (size_t p = 0; p < s->count + s->off_count; p++) {
            if (p == s->count) fputs("\n# off the front\n", out);
            write_point(out, &s->points[p], f->y_count);
        }
    }
    return whole_file_commit(&file, e);
}

static void say_series(const struct figure *f, struct text *script)
{
    size_t marked[SERIES_FRONT + 1] = { 0 }, intervals = 0;
    for (size_t i = 0; i < f->count; i++) {
        marked[f->series[i].mark]++;
        for (size_t p = 0; p < f->series[i].count; p++) intervals += isfinite(f->series[i].points[p].x.lo);
    }
    text_add(script, "ours = %zu; foreign = %zu; n = %zu; panels = %zu; ", marked[SERIES_OURS], marked[SERIES_FOREIGN],
             f->count, f->y_count);
    const int bars = intervals > 0 || f->kind->along != NULL;
    text_add(script, "bars = %d; ribbons = %d; steps_ = %d; marks_ = %d; ceiling_ = %d; ", bars, !bars,
             f->kind->steps, !f->kind->steps, f->kind->ceiling && f->y_count > 1);
    size_t marks = 0;
    while (f->kind->marks && f->kind->marks[marks]) marks++;
    if (f->kind->layout == LAYOUT_ROWS)
        text_add(script, "of_y_ = %d; hollow_ = %d; marks_ = %zu; ", f->kind->of_y, f->kind->hollow, marks);
    text_add(script, "array y_label[%zu]; array label[%zu]; ", f->y_count, f->count + 1);
    for (size_t y = 0; y < f->y_count; y++) gnuplot_set(script, "y_label", y + 1, figure_label(f->y[y]));
    text_add(script, "array is_foreign[%zu]; ", f->count + 1);
    for (size_t i = 0; i < f->count; i++) {
        gnuplot_set(script, "label", i + 1, text_of(&f->series[i].label));
        text_add(script, "is_foreign[%zu] = %d; ", i + 1, f->series[i].mark == SERIES_FOREIGN);
    }
}

static int add_frame(const struct figure *f, const struct canvas_size *size, const char *prefix, struct text *script,
                     struct err *e)
{
    struct frame r;
    const int status = frame_init(&r, f, size, prefix, e);
    if (status == ERR_OK) text_add(script, "%s", text_of(&r.vars));
    frame_fini(&r);
    return status;
}

static int begin(const struct figure *f, const char *dir, struct text *script, struct err *e)
{
    const int status = gnuplot_figure(script, f->kind->gp, dir, text_of(&f->name), text_of(&f->title),
                                      f->x ? figure_label(f->x) : "", e);
    say_series(f, script);
    return status;
}

int figure_draw_as(const struct figure *f, const struct canvas_size *size, const char *terms, const char *dir, struct err *e)
{
    struct text data = { 0 }, script = { 0 };
    int status = begin(f, dir, &script, e);
    text_add(&data, "%s/%s.dat", dir, text_of(&f->name));
    if (status == ERR_OK) status = write_data(f, text_of(&data), e);
    if (status == ERR_OK) status = add_frame(f, size, "wide", &script, e);
    if (status == ERR_OK && strstr(terms, "narrow")) status = add_frame(f, &canvas_sizes[1], "narrow", &script, e);
    if (status == ERR_OK) status = gnuplot_render_as(&script, terms, dir, text_of(&f->name), e);
    text_free(&data);
    text_free(&script);
    return status;
}

int figure_draw(const struct figure *f, const struct canvas_size *size, const char *dir, struct err *e)
{
    struct text script = { 0 };
    int status = figure_draw_as(f, size, size == canvas_sizes ? "png svg narrow pdf" : "png svg pdf", dir, e);
    if (status == ERR_OK && size->is_paper) {
        status = begin(f, dir, &script, e);
        if (status == ERR_OK) status = add_frame(f, size, "tex", &script, e);
        if (status == ERR_OK) status = gnuplot_render_latex(&script, dir, text_of(&f->name), size->font, e);
    }
    text_free(&script);
    return status;
}
