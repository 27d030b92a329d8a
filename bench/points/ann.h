/* SPDX-License-Identifier: MIT
 * ann.h - measures index points: build, timed search (interleaved over several), quality.
 *
 * An arm is one point on one built index.  Arms are timed in blocks of calls, in an order drawn anew every round, so that
 * what changes with time hits all alike; the first call of a block only warms the caches. */
#ifndef ASSAY_ANN_H
#define ASSAY_ANN_H
#include "bench/points/ann_set.h"
#include "bench/rows/point.h"
#include "index/index.h"

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
    int rebuilt;    /* a kept file was damaged, or of something else, and was built over */
};
/* Trains and adds all base rows on `threads` threads. */
int ann_build(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, struct err *e);
void ann_index_fini(struct ann_index *x);

/* What stage one read, a query; NaN: not counted, or no index of that kind. */
struct ann_read { double survivors, bytes, hops, scored, rescored; };
struct ann_read ann_read_of(const struct index_work *sum, size_t queries);
void ann_read_row(struct row *row, const struct ann_read *read);

struct ann_arm {
    struct ann_point point;
    const struct ann_index *built;
    /* Filled by ann_measure; freed by ann_arm_fini. */
    struct calls calls;
    struct quality quality;
    double retrieve_us, rerank_us; /* means over the timed calls; NaN without re-scoring */
    struct ann_read read;
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
/* 1 where the answers are another program's: nothing that we could time or weigh. */
int ann_is_external(const struct index *ix);
#endif
