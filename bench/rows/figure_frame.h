/* SPDX-License-Identifier: MIT
 * figure_frame.h - where everything of one figure stands: panels, axes, names of series, numbers at points. */
#ifndef ASSAY_FIGURE_FRAME_H
#define ASSAY_FIGURE_FRAME_H
#include "bench/rows/axis.h"
#include "bench/rows/canvas.h"
#include "bench/rows/figure.h"

enum { FRAME_STYLES = 8 }; /* lines that can be told apart, by colour and in grey; 9 is that of all others */

struct frame {
    const struct figure *f;
    struct canvas canvas;
    struct axis x, y[FIGURE_PANELS];
    struct canvas_box panel[FIGURE_PANELS];
    size_t panels;
    unsigned char *styles; /* of each series: 1 .. FRAME_STYLES + 1 */
    double *values;        /* scratch */
    struct text vars;      /* gnuplot statements: what scripts/plots/canvas.gp says it wants */
};
/* Lays the figure out for a size; gnuplot's variables begin with PREFIX_: wide, narrow, tex (for LaTeX).  ERR_MEM. */
int frame_init(struct frame *r, const struct figure *f, const struct canvas_size *size, const char *prefix, struct err *e);
void frame_fini(struct frame *r);

/* --- figure_legend.c --- */
struct frame_legend {
    struct entry {
        const char *text;
        int line, point, mark; /* styles; a point's type, 0: that of its style */
        double wish;           /* height, units; NaN: none */
    } at[FRAME_STYLES + 4];
    size_t count, others;
    char others_text[32];
    double width; /* of the widest with its sample */
    int below;    /* in rows under the figure, not in a column beside it */
    size_t rows;
};
void legend_collect(struct frame_legend *l, const struct frame *r);
void legend_add(struct frame_legend *l, const struct frame *r, struct entry made);
void legend_wrap(struct frame_legend *l, const struct frame *r); /* into rows under the figure */
/* Puts it down: beside `panel` each as near to its line's end as the others let it, or under it from `y` down. */
void legend_put(struct frame_legend *l, struct frame *r, const struct canvas_box *panel, double y);
/* The title in as many lines as it needs; returns the height below them. */
double frame_put_title(struct frame *r, const char *title, double y, enum canvas_ink ink);
size_t frame_title_lines(const struct canvas_size *size, const char *title);
void frame_put_x(struct frame *r, const char *label, double footer); /* the numbers and the name of the axis of x */
void frame_say(struct frame *r, const char *prefix, const char *more); /* fills vars; `more` are statements without quotes */
/* --- figure_rows.c --- */
int frame_rows(struct frame *r, const char *prefix, struct err *e); /* the other layouts */

/* Numbers of bits beside the points, where there is room. */
void frame_number_points(struct frame *r);
#endif
