/* SPDX-License-Identifier: MIT
 * screen.h - the rows of an item for a person at a terminal. */
#ifndef ASSAY_PAPERS_SCREEN_H
#define ASSAY_PAPERS_SCREEN_H
#include "bench/rows/table.h"
#include "kernels/base/text.h"

/* What all cells have in common stands once, columns that are empty are left out, and what explains a verdict stands below
 * the table, each reason once.  Where a line would be longer than `width` (0: any length will do), cells stand above their
 * numbers. */
void paper_screen(const struct table *rows, size_t width, struct text *out);
size_t screen_width(void); /* columns of the terminal that stdout is; 0: it is none */
#endif
