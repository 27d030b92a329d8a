/* SPDX-License-Identifier: MIT
 * ann_row.h - an index point as a row: its columns, its id, what was asked and what came out. */
#ifndef ASSAY_ANN_ROW_H
#define ASSAY_ANN_ROW_H
#include "bench/points/ann.h"
#include "bench/rows/run.h"

/* Parameters that a row of this index has beside the core: rerank, and the index's own. */
int ann_layout(struct layout *l, const struct index_ops *ops, struct err *e);
/* Canonical parameters, and the id made of them. */
int ann_canonical(const struct ann_point *p, struct text *out, struct err *e);
int ann_point_id(char out[17], const struct ann_set *s, const struct ann_point *p, struct err *e);
/* What is known of a point before it is measured: for a row whose status is no "ok". */
void ann_identity(struct row *row, const struct run *run, const struct ann_set *s, const struct ann_point *p, int rep);
/* Fills the row of a measured arm, status "ok". */
int ann_row(struct row *row, const struct run *run, const struct ann_set *s, const struct ann_arm *a, int rep,
            struct err *e);
#endif
