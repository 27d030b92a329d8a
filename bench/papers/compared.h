/* SPDX-License-Identifier: MIT
 * compared.h - of rows that set two methods against each other (key "versus"): in how many cells the first is ahead. */
#ifndef ASSAY_PAPERS_COMPARED_H
#define ASSAY_PAPERS_COMPARED_H
#include "bench/rows/table.h"

struct compared {
    size_t ahead, behind, open; /* cells by where the interval lies: above 0, below, on both sides */
    double least, most;         /* of the differences; inf and -inf where there are none */
};
/* Over the measured rows whose cell has versus=`versus` and every key=value of `part` ("": all); a cell counts once,
 * however many lines of the paper it meets. */
struct compared compared_of(const struct table *t, const char *versus, const char *part);
static inline size_t compared_count(const struct compared *c) { return c->ahead + c->behind + c->open; }
/* 1 for the first row with its value of a key of the cell; the value is then in out. */
int cell_first(const struct table *t, size_t row, const char *key, char *out, size_t size);
#endif
