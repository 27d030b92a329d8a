/* SPDX-License-Identifier: MIT
 * rag_row.h - a pipeline point as a row: its columns, its id, what was asked and what came out. */
#ifndef ASSAY_RAG_ROW_H
#define ASSAY_RAG_ROW_H
#include "bench/points/rag_arm.h"
#include "bench/rows/run.h"

int rag_layout(struct layout *l, struct err *e); /* adds every pipeline parameter */
/* Hash of settings, data and schema; utility_file counts by its content. */
int rag_point_id(char out[17], const struct rag_set *s, const struct rag_point *p, struct err *e);
/* What is known before measuring, and all of it after. */
void rag_identity(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_point *p, int rep);
int rag_row(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_arm *a, int rep,
            struct err *e);
#endif
