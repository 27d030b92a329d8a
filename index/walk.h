/* SPDX-License-Identifier: MIT
 * walk.h - searching a graph: from the nearest entries, always on to the best node known and not yet visited.
 *
 * The pool holds the `ef` best nodes known.  A visit takes the score of the node itself from its row (which is how
 * answers are scored) and estimates of all of its edges from their codes, in one scan.  While a node is worked through
 * the one to be visited next is on its way from memory: it is chosen first, so what the visit finds can be visited the
 * time after at the earliest.  A walk ends when all of the pool has been visited.
 *
 * A node counts with the first estimate that it was given, whether or not that was good enough for the pool.  So what is
 * known depends on the nodes visited so far and not on ef, and a walk with a smaller pool is the beginning of a longer
 * one: where answers are scored exactly, none is lost as ef grows.  (With the first that was good enough, 48 of 1,000
 * queries of the hard set found less at ef 24 than at 16, and recall was .002 lower.  With the best of all it is .008
 * higher at ef 32, but a hop takes 25 % longer.) */
#ifndef ASSAY_WALK_H
#define ASSAY_WALK_H
#include "index/nodes.h"
#include "kernels/base/topk.h"

struct walk_counts { uint64_t hops, scored, rescored, bytes; };


/* The scratch of one walk. */
struct walk {
    const struct nodes *nodes;
    size_t ef;               /* of the pool */
    int is_exact;            /* neighbours are scored by their rows, to see what codes cost */
    float *row, *turned;     /* the query, nodes_prepare */
    int8_t *steps;           /* of 8 bits */
    uint8_t *tables;
    int32_t *sums;
    float *scores;
    uint32_t *kept;
    uint32_t *pool;          /* nodes, best first; upper bit: visited */
    float *pool_scores;
    uint64_t *seen;          /* a bit a node: it has an estimate */
    struct walk_counts *counts;
    void *rest;
    size_t known;            /* in the pool */
    float step, table_step, square;
    int32_t start;
};

/* Lays out the scratch, which may be NULL, and returns its bytes; what follows it is at w->rest. */
size_t walk_lay_out(struct walk *w, const struct nodes *nodes, size_t ef, void *scratch);
/* Called for every node that is scored as answers are. */
typedef void visit_fn(void *context, uint32_t node, float score);
/* Leaves the pool full of the nodes nearest to x, best first as they were estimated.  visit may be NULL. */
void walk(struct walk *w, const float *x, visit_fn *visit, void *context);
static inline uint32_t walk_node(const struct walk *w, size_t place) { return w->pool[place] & 0x7fffffff; }
/* The score of a node from its row. */
float walk_score(const struct walk *w, size_t node);
#endif
