/* SPDX-License-Identifier: MIT
 * gnuplot.h - runs the committed gnuplot files. */
#ifndef ASSAY_GNUPLOT_H
#define ASSAY_GNUPLOT_H
#include <stddef.h>
#include "kernels/base/err.h"
#include "kernels/base/text.h"

/* Folder of the .gp files: ASSAY_PLOTS; else PREFIX/share/assay/plots or the source tree, whichever
 * this binary lies in.  ERR_NOT_FOUND. */
int gnuplot_folder(char *path, size_t size, struct err *e);
/* Appends name = 'value'; or name[at] = 'value'; for gnuplot -e, whose strings in single quotes know
 * no escape but ''.  at 0: no index. */
void gnuplot_set(struct text *script, const char *name, size_t at, const char *value);
/* Begins the script of figure scripts/plots/<figure>.gp over <dir>/<name>.dat; add what else it wants,
 * then gnuplot_render draws <dir>/<name>.{png,svg,pdf}, and <name>.narrow.svg for a narrow page: aside, and each gets its
 * name when all are whole. */
int gnuplot_figure(struct text *script, const char *figure, const char *dir, const char *name, const char *title,
                   const char *x_label, struct err *e);
int gnuplot_render(struct text *script, const char *dir, const char *name, struct err *e);
/* The same for other forms: "png svg pdf", of png, svg, narrow, pdf. */
int gnuplot_render_as(struct text *script, const char *terms, const char *dir, const char *name, struct err *e);
/* Draws <dir>/<name>_tex.tex and the <name>_tex.pdf that it wants beside it, for \input; texts are of `font` points. */
int gnuplot_render_latex(struct text *script, const char *dir, const char *name, double font, struct err *e);
/* ERR_NOT_FOUND: gnuplot is not installed; ERR_IO with the end of what it said. */
int gnuplot_run(const char *script, struct err *e);
#endif
