/* SPDX-License-Identifier: MIT
 * svg.h - a figure as it may stand in a page: shapes and texts, and nothing that runs or fetches. */
#ifndef ASSAY_SVG_H
#define ASSAY_SVG_H
#include <stddef.h>
#include "kernels/base/text.h"

/* Appends the first <svg> element of the bytes, of elements and attributes on a list: no scripts, no styles, no
 * handlers, no comments, and references within the figure only.  0 when there is none that ends. */
int svg_add(struct text *out, const char *bytes, size_t size);
#endif
