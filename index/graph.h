/* SPDX-License-Identifier: MIT
 * graph.h - what graphs over rows share: which edges, and that they lead everywhere.
 *
 * Edges of a row: of its nearest rows, nearest first, those that no edge already taken leads towards,
 *     drop j where alpha * apart(k, j) < apart(i, j) for an edge k of i
 * (the rule of relative neighbourhoods: NSG, arXiv 1707.00143; alpha: Vamana, NeurIPS 2019; here of squared
 * distances), then the same among those edges and the ones that come in, and the nearest that were dropped until the
 * degree is full: a place in a block of codes costs the same, used or not. */
#ifndef ASSAY_GRAPH_H
#define ASSAY_GRAPH_H
#include "index/knn.h"

enum { GRAPH_POOL = 512 /* candidates of one row, at most */ };

struct graph_rule {
    size_t degree;
    float alpha;
    int threads;
    const struct kernel_set *kernels;
};

/* Room of one thread that prunes. */
struct pruner {
    const struct graph_rule *rule;
    struct points local; /* GRAPH_POOL rows */
    int32_t *dots;
    uint8_t *is_dropped;
};
int pruner_init(struct pruner *p, const struct graph_rule *rule, size_t dim, struct err *e);
void pruner_fini(struct pruner *p);
/* Sorts those of `count` candidates (nearest first, distinct, at most GRAPH_POOL) that become edges to the front, in
 * order, and returns how many, at most the degree; the others follow in order.  Candidate c is row c.row of points,
 * or, where `points` is NULL, row c of p->local, which the caller has filled. */
size_t prune(struct pruner *p, const struct points *points, struct near *candidates, size_t count);

/* edges: points->count x degree, from lists of k >= degree nearest rows (knn.h), all distinct and none the row itself.
 * ERR_MEM. */
int graph_edges(const struct graph_rule *rule, const struct points *points, const struct near *lists, size_t k,
                uint32_t *edges, struct err *e);
/* Leads to every row from the entries, at least one, by replacing edges that nothing else needs: *mended of them.
 * ERR_MEM. */
int graph_connect(size_t degree, const struct points *points, const struct kernel_set *kernels, uint32_t *edges,
                  const uint32_t *entries, size_t entry_count, size_t *mended, struct err *e);
#endif
