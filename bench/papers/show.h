/* SPDX-License-Identifier: MIT
 * show.h - the rows of a paper's item, read back from their CSV: as a table, as figures, on the page. */
#ifndef ASSAY_PAPERS_SHOW_H
#define ASSAY_PAPERS_SHOW_H
#include "bench/papers/paper.h"
#include "bench/rows/sheet.h"
#include "bench/rows/table.h"

/* cell | paper | theory | ours | half of the interval | wins/ties/losses | p | class | verdict | why, of all rows, or of those that a paper speaks
 * of or that deviate; returns how many were left out. */
enum paper_rows { PAPER_ROWS_ALL, PAPER_ROWS_SAID };
enum { PAPER_SHEET_COLUMNS = 10 };
size_t paper_sheet_fill(const struct table *rows, enum paper_rows which, struct sheet *g); /* g zeroed; sheet_free */
size_t paper_sheet(const struct table *rows, enum sheet_format format, enum paper_rows which, struct text *out);
/* <dir>/<name>[_<panel value>].{dat,png,svg,pdf} for every panel that has points. */
int paper_figures(const struct table *rows, const struct paper_item *item, const char *dir, const char *name, struct err *e);
/* <dir>/README.md of all <paper>_<item>.csv in dir: counts of verdicts, what did not reproduce and why, then every table
 * and figure. */
int paper_page(const char *dir, struct err *e);
/* "turboquant_distortion" */
void paper_stem(const char *paper, const char *item, char *out, size_t size);
/* The item of a paper by name; NULL: it stands in the table alone (class X). */
const struct paper_item *paper_item_find(const struct paper_ops *p, const char *name);
#endif
