/* SPDX-License-Identifier: MIT
 * split.h - codes kept in two parts, so that most rows cost one bit a coordinate (the layout of
 * RaBitQ-Library; the bound is section 3.2 of arXiv 2405.12497).
 *
 * The sign plane is scanned for every row.  With u the rotated unit row, c = |u|_1 / sqrt(d) and s its
 * signs, <q, s> / |u|_1 estimates <q, u> without bias and with deviation sqrt((1 - c^2) / (c^2 (d-1))), for
 * a unit q.  Where the estimate plus eps0 deviations reaches the k-th best score so far, the other bits
 * are read and the row gets its full score.
 *
 * A row's score is the lower of its full score and that upper bound.  Then a row that is not read can
 * be proven not to belong to the answer, so the answer does not depend on the order of rows or on
 * how they are cut into chunks; the price is a row whose full score breaks its bound (2.9 % of the
 * near ones at eps0 = 1.9), which ranks where the bound puts it. */
#ifndef ASSAY_SPLIT_H
#define ASSAY_SPLIT_H
#include "index/idset.h"
#include "kernels/base/topk.h"
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { SPLIT_ROWS = 2048 }; /* scanned at a time at most */

struct split {
    int bits; /* 2..8, sign included */
    size_t groups, rank_bytes;
    float eps0, step;
    int8_t table[256];      /* level of a split code (sign << (bits-1) | rank) in steps */
    uint8_t *signs, *ranks; /* blocks of 1-bit codes; rank_bytes a row */
    float *scales, *errors; /* of the first pass: length / |u|_1, length x deviation */
    float *weights;         /* of the second: what <q, levels> counts for */
    const float *terms;     /* rotated.h's, the owner's; NULL: none */
    float gain;             /* a score is gain * <q, x> + the row's term + the query's */
};

/* table: level of each ascending code, in steps. */
void split_init(struct split *s, size_t groups, int bits, double eps0, const int8_t *table, float step);
void split_fini(struct split *s);
int split_reserve(struct split *s, size_t had, size_t room); /* multiples of CODES_ROWS; 0: no memory */
/* codes: groups * 32 ascending codes.  l1: |u|_1 = <u, s>; length: 0 for a zero row.  Of a calibrated row (adapt.h) both
 * are taken against its probe p, which stands for the queries: l1 = <p, s>, length times <p, u>. */
void split_put(struct split *s, const struct kernel_set *kernels, size_t row, size_t dim, const uint8_t *codes,
               float l1, float length, float weight);
/* Ascending codes back. */
void split_get(const struct split *s, const struct kernel_set *kernels, size_t row, uint8_t *codes);
void split_move_row(struct split *s, size_t to, size_t from);

int split_save(const struct split *s, size_t rows, struct index_writer *w, struct err *e);
int split_load(struct split *s, size_t rows, struct index_reader *r, struct err *e); /* room is reserved, or r maps */

/* What a query brings; filled by split_prepare from the rotated query, `length` long. */
struct split_query {
    float coarse_step, fine_step, length, term, shift; /* shift: added to every score */
    int32_t start;
    float deviation;  /* of the coarse sum of a row that knows nothing of the query */
    float margin;     /* in such deviations: see first_look */
    size_t look;      /* groups of a block that are read before it may be left */
};
/* Quantised forms, for `count` queries: groups * 32 bytes of 8 bits, groups * 128 of tables, groups + 1 of `most`
 * (scan_keep). */
void split_prepare(const struct split *s, const struct kernel_set *kernels, const float *rotated,
                   size_t dim, float length, float term, struct split_query *q, int8_t *fine,
                   uint8_t *lut, int32_t *most);
/* Offers every row to best[i] of every query.  work: split_work_bytes.  Returns what was read: rows whole, and groups
 * of the signs of 16 rows.  A query alone leaves a block of 16 as soon as what is left of their signs cannot lift any
 * of their bounds to the k-th best score: nothing is lost by it, and where neighbours are near most of a block is not
 * read. */
struct split_read {
    size_t rows;
    uint64_t groups;
};
size_t split_work_bytes(const struct split *s);
struct split_read split_scan(const struct split *s, const struct kernel_set *kernels, const struct idset *ids,
                             struct split_query *queries, const int8_t *fine, const uint8_t *luts, const int32_t *most,
                             size_t count, struct topk *best, void *work);
#endif
