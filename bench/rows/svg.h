/* SPDX-License-Identifier: MIT
 * svg.h - a figure as it may stand in a page: shapes and texts, and nothing that runs or fetches. */
#ifndef ASSAY_SVG_H
#define ASSAY_SVG_H
#include <stddef.h>
#include "kernels/base/text.h"

/* Appends the first <svg> element of the bytes, of elements and attributes on a list: no scripts, no styles, no
 * handlers, no comments, and references within the figure only.  0 when there is none that ends. */
int svg_add(struct text *out, const char *bytes, size_t size);

/* The same for a page that holds many: every id and reference gets `prefix`, the <svg> the size of its viewBox as width
 * and height, and `attributes` as they are; titles, descriptions and empty groups are left out.  gnuplot's hypertext
 * calls mark() with its text, which may add attributes to the mark (" class=\"x\"") and gives its tooltip, both
 * escaped: a <title>. */
struct svg_place {
    const char *prefix, *attributes;
    void (*mark)(void *context, const char *text, struct text *attributes, struct text *title);
    void *context;
};
int svg_place(struct text *out, const char *bytes, size_t size, const struct svg_place *place);
#endif
