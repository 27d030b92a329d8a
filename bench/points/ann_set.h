/* SPDX-License-Identifier: MIT
 * ann_set.h - what index points are measured on: base vectors, queries and truth; base rows are known by their number. */
#ifndef ASSAY_ANN_SET_H
#define ASSAY_ANN_SET_H
#include <stddef.h>
#include <stdint.h>
#include "datasets/dataset.h"
#include "bench/quality/difficulty.h"
#include "datasets/intake.h"
#include "index/index.h"

enum { ANN_ROWS_MAX = 2147483647 }; /* truth, ours and of files, numbers base rows in 32 bits with a sign */

struct ann_set {
    struct dataset base, query;
    enum metric metric;
    int32_t *truth; /* query.rows.count x truth_k base rows, best first; owned */
    size_t truth_k;
    struct difficulties hard; /* of every query, from the truth */
    float *side;    /* exact re-scoring: cosine 1 / |x|, l2 |x|^2, dot NULL; owned */
    uint64_t hash;  /* of base, queries and metric */
    char name[128]; /* "siftsmall/base.fvecs" */
    struct tally notes; /* what of truth and metric is odd */
};
/* Opens the files.  metric NULL: the one that the base's file names (an ann-benchmarks `distance`), else cosine.  ERR_ARG: dimensions differ, no vectors, no queries, more than ANN_ROWS_MAX. */
int ann_set_open(struct ann_set *s, const char *base, const char *query, const char *metric, struct err *e);
/* Truth of at least k neighbours: from an ivecs file (given_truth.h), or (path NULL) computed and cached.  ERR_ARG: more than
 * ANN_ROWS_MAX base rows. */
int ann_set_truth(struct ann_set *s, const char *path, size_t k, int threads, struct err *e);
void ann_set_close(struct ann_set *s);
#endif
