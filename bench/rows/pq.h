/* SPDX-License-Identifier: MIT
 * pq.h - reads <point_id>.pq.tsv back: what every query of a point came to (written by point.c). */
#ifndef ASSAY_PQ_H
#define ASSAY_PQ_H
#include <stddef.h>
#include "kernels/base/err.h"

/* Zero-initialise; owns what it points to. */
struct pq {
    char *bytes;
    const char **columns; /* from the second on, the first being the query's name */
    size_t column_count;
    const char **queries;
    size_t query_count;
    double *values; /* column_count x query_count, row after row of one column; NaN: empty */
};
/* ERR_NOT_FOUND; ERR_FORMAT names the line. */
int pq_read(struct pq *out, const char *folder, const char *point_id, struct err *e);
/* The same of bytes in memory; `name` stands for the path in messages. */
int pq_parse(struct pq *out, const char *bytes, size_t size, const char *name, struct err *e);
void pq_free(struct pq *p);
const double *pq_column(const struct pq *p, const char *name); /* NULL: no such column */
#endif
