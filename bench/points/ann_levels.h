/* SPDX-License-Identifier: MIT
 * ann_levels.h - measured index points as lines over recall (at_recall.h), and what that says: a table, JSON, CSV. */
#ifndef ASSAY_ANN_LEVELS_H
#define ASSAY_ANN_LEVELS_H
#include "bench/points/ann.h"
#include "bench/points/at_recall.h"
#include "kernels/base/text.h"

struct ann_levels {
    struct recall_line *lines; /* of points on one built index, in the order of their first; then the first again */
    struct text *names;        /* of each line: its first point's spec, and of more than one the last's */
    size_t count, queries, reps;
    /* Of all arms. */
    struct recall_point *points;
    double *room;
    size_t *place; /* where the point of an arm is */
    size_t arms, again;
};

/* Lines of `count` arms on indexes that are built: views of one are one line.  `again` arms more, those of the first line
 * in their order, are to be measured with them.  ERR_MEM. */
int ann_levels_init(struct ann_levels *l, const struct ann_arm *arms, size_t count, size_t queries, size_t reps, struct err *e);
void ann_levels_fini(struct ann_levels *l);
/* The arms that are measured a second time: arms[count ..], to be given room by the caller. */
void ann_levels_repeat(const struct ann_levels *l, struct ann_arm *arms);
/* What repetition `rep` measured, of all arms. */
int ann_levels_take(struct ann_levels *l, const struct ann_arm *arms, size_t rep, struct err *e);

enum ann_levels_form { ANN_LEVELS_TABLE, ANN_LEVELS_JSON, ANN_LEVELS_CSV };
/* Appends what the lines cost at a level of recall.  CSV: without a head. */
int ann_levels_tell(const struct ann_levels *l, double level, uint64_t seed, enum ann_levels_form form, struct text *out,
                    struct err *e);
void ann_levels_csv_head(struct text *out);
#endif
