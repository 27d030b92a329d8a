/* SPDX-License-Identifier: MIT
 * ann.h - measures index points: build, timed search (interleaved over several), quality.
 *
 * A set is base vectors, queries and truth; base rows are known by their number.  An arm is one
 * point on one built index.  Arms are timed in blocks of calls that rotate over all arms, so that
 * what changes with time hits all alike; the first call of a block only warms the caches. */
#ifndef ASSAY_ANN_H
#define ASSAY_ANN_H
#include "bench/point.h"
#include "bench/run.h"
#include "datasets/dataset.h"
#include "index/index.h"

struct ann_set {
    struct dataset base, query;
    enum metric metric;
    int32_t *truth; /* query.rows.count x truth_k base rows, best first; owned */
    size_t truth_k;
    float *side;    /* exact re-scoring: cosine 1 / |x|, l2 |x|^2, dot NULL; owned */
    uint64_t hash;  /* of base, queries and metric */
    char name[128]; /* "siftsmall/base.fvecs" */
};
/* Opens the files.  ERR_ARG: dimensions differ, no vectors, no queries. */
int ann_set_open(struct ann_set *s, const char *base, const char *query, enum metric metric, struct err *e);
/* Truth of at least k neighbours: from an ivecs file, or (path NULL) computed and cached. */
int ann_set_truth(struct ann_set *s, const char *path, size_t k, int threads, struct err *e);
void ann_set_close(struct ann_set *s);

/* What is asked. */
struct ann_point {
    const char *spec, *kernel; /* kernel "": best defaults */
    size_t k, rerank, batch;   /* rerank 0: none; else the top max(rerank, k) are scored exactly */
    int threads;
    uint64_t seed;
};

/* An index that was built, or loaded, and what that took. */
struct ann_index {
    struct index *index;
    struct kernel_set kernels;
    double build_s; /* NaN: loaded from a file */
};
/* Trains and adds all base rows on `threads` threads. */
int ann_build(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, struct err *e);
void ann_index_fini(struct ann_index *x);

struct ann_arm {
    struct ann_point point;
    const struct ann_index *built;
    /* Filled by ann_measure; freed by ann_arm_fini. */
    struct calls calls;
    struct quality quality;
    double retrieve_us, rerank_us; /* means over the timed calls; NaN without re-scoring */
    double survivors, bytes_touched; /* a query, of stage one; NaN: not counted */
    uint64_t steal_ms;
    struct ann_work *work; /* while measuring */
};

struct ann_plan {
    size_t least_calls; /* timed calls an arm, raised until every query was asked; 0: 2,000, or of
                           batches as many as ask 2,000 queries and at least 30 */
    double budget_s;    /* no new block after this long, once every query was asked; 0: none */
    int ceiling;        /* measure code_ceiling, which searches all decoded vectors exactly */
};
int ann_measure(struct ann_set *s, struct ann_arm *arms, size_t count, const struct ann_plan *plan, struct err *e);
void ann_arm_fini(struct ann_arm *a);
/* Exact search over what the codes of `ids` (NULL: 0 .. count - 1) stand for, by the index's own metric: k hits and
 * a count a query.  The index must be able to decode.  ERR_MEM. */
int ann_decoded(const struct index *ix, const int64_t *ids, size_t count, struct rows queries, size_t k, int threads,
                struct hit *hits, size_t *counts, struct err *e);

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
