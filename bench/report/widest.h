/* SPDX-License-Identifier: MIT
 * widest.h - a saved run of assay bench as a page: of every operation which row is best on that machine, and whether that is
 * the widest, the default of the strongest instruction set that has one.
 *
 * Compared are rows that may stand for each other (the same bits) with vectors.  Rows are paired by round; each process gives
 * one number, the median of its log ratios; the interval is the sign test's, exact, over processes, 95 % for all rows of an
 * operation and shape together (Bonferroni), and as much wider as the default was off from itself (A/A). */
#ifndef ASSAY_WIDEST_H
#define ASSAY_WIDEST_H
#include "bench/rows/sheet.h"
#include "bench/rows/table.h"

/* Whether t is a saved run: samples by kernel, process and round. */
int widest_is(const struct table *t);
/* Adds where the run is from, and a table of its operations.  ERR_FORMAT, naming the file: no saved run, or one without its
 * A/A arms; ERR_MEM; as table_append. */
int widest_print(const char *path, enum sheet_format format, struct text *out, struct err *e);
#endif
