/* SPDX-License-Identifier: MIT
 * figure_draw.h - a figure as files: its data, and what gnuplot makes of them. */
#ifndef ASSAY_FIGURE_DRAW_H
#define ASSAY_FIGURE_DRAW_H
#include "bench/rows/canvas.h"
#include "bench/rows/figure.h"

/* Writes <dir>/<name>.dat, .png, .svg and .pdf; of the usual size .narrow.svg, for a narrow page; of paper sizes
 * _tex.tex, for \input, with the _tex.pdf that it wants.  Each gets its name when all are whole. */
int figure_draw(const struct figure *f, const struct canvas_size *size, const char *dir, struct err *e);
/* Of the files of the usual size .dat and those that `terms` says: "svg narrow". */
int figure_draw_as(const struct figure *f, const struct canvas_size *size, const char *terms, const char *dir, struct err *e);
/* Takes panels out whose lines do not move; `why` says which, with what was measured, and is empty where all do.  1: none
 * is left: such a figure is a sentence. */
int figure_is_flat(struct figure *f, struct text *why);
void figure_fold_stages(struct figure *f); /* what is too thin to be seen */
#endif
