/* SPDX-License-Identifier: MIT
 * canvas.h - the page of one figure: its size, its texts, and what room they take.
 *
 * A unit is a pixel of the SVG and a point of the PDF.  Texts are placed here, not by gnuplot, so that none lies over
 * another or off the page on any terminal.  Widths are those of DejaVu Sans, rounded up: what a reader's machine may draw
 * instead (Helvetica, Arial, Computer Modern) is narrower. */
#ifndef ASSAY_CANVAS_H
#define ASSAY_CANVAS_H
#include <stddef.h>
#include "kernels/base/err.h"
#include "kernels/base/text.h"

struct canvas_size {
    const char *name, *summary;
    double width, font; /* units */
    double ratio;       /* height of a figure of one panel over its width */
    double png;         /* pixels of the PNG a unit */
    int is_paper;       /* a LaTeX picture is written, too */
};
extern const struct canvas_size canvas_sizes[]; /* the first is the usual one; a NULL name ends them */
/* ERR_ARG names those there are. */
const struct canvas_size *canvas_size_find(const char *name, struct err *e);

struct canvas_box { double left, right, bottom, top; }; /* units, from the lower left corner */
enum canvas_hold { HOLD_LEFT, HOLD_CENTRE, HOLD_RIGHT }; /* which part of a text stands at its x */
enum canvas_ink { INK_TEXT, INK_SOFT, INK_STYLE /* and up: the colour of style 1, 2 ... */ };

/* Zero-initialise but for size and latex; canvas_fini. */
struct canvas {
    const struct canvas_size *size;
    int latex; /* texts are escaped for LaTeX */
    double height;
    struct text script; /* gnuplot statements that put down all texts and samples */
    struct canvas_box *boxes; /* of texts and whatever else no text may cover */
    size_t box_count;
    int failed; /* no memory: what was added is not whole */
};
void canvas_fini(struct canvas *c);

double canvas_width(const struct canvas_size *s, const char *text); /* of one line in units */
double canvas_line(const struct canvas_size *s);                    /* height of one line */
/* As much of a text as fits into `room` units, with ".." where some is left out. */
void canvas_cut(const struct canvas_size *s, const char *text, double room, char *out, size_t size);
struct canvas_box canvas_text_box(const struct canvas_size *s, const char *text, double x, double y, enum canvas_hold hold);
/* Puts down a line of text, its middle at height y.  The box is taken. */
void canvas_add(struct canvas *c, const char *text, double x, double y, enum canvas_hold hold, enum canvas_ink ink);
void canvas_take(struct canvas *c, struct canvas_box box);
/* 1: within the page and over nothing that is taken. */
int canvas_is_free(const struct canvas *c, struct canvas_box box);
/* The sample of a line style (0: none) and a point style (0: none) around x, y. */
void canvas_sample(struct canvas *c, double x, double y, int line, int point);
/* A point of gnuplot's type in the colour of a style. */
void canvas_mark(struct canvas *c, double x, double y, int type, int style);
/* A line of a style; 0: thin and grey. */
void canvas_rule(struct canvas *c, double x1, double y1, double x2, double y2, int style);
/* Appends text as a gnuplot string in double quotes: single ones do not nest. */
void canvas_quote(struct text *out, const char *text, int latex);
#endif
