/* SPDX-License-Identifier: MIT
 * graph.h - who is connected with whom, in memory: numbers only, no text.
 *
 * Entities are numbered 0..count-1 in the order of their ids.  The neighbours of an entity are kept in
 * the engine's order (spec 2.2): targets of its own relations by relation id, then sources of the
 * relations that point to it, by relation id.  A neighbour is kept once, with the relation by which it comes
 * first; self loops are dropped.  Neither can change a walk: it skips what it has seen. */
#ifndef ASSAY_GRAPH_H
#define ASSAY_GRAPH_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct store;

/* Larger hyperedges than GRAPH_ARITY_MAX say too little about each two of their members, and are passed over. */
enum { GRAPH_NONE = UINT32_MAX, GRAPH_DEPTH_MAX = 5, GRAPH_ARITY_MAX = 100 };

struct graph {
    size_t count;         /* entities */
    size_t edge_count;    /* entries of `other`, each relation at most once from either end */
    int64_t *ids;         /* of each entity, ascending */
    size_t *start;        /* neighbours of x: other[start[x]] .. other[start[x + 1] - 1] */
    uint32_t *other;
    uint32_t *relation;   /* of each edge: position in relation_ids */
    int64_t *relation_ids; /* minus the id where it is a hyperedge */
    size_t relation_count;
    size_t loops;         /* relations of an entity with itself, passed over */
    size_t dangling;      /* relations passed over, because one end does not exist */
    size_t filtered;      /* ... because of their type or weight */
    size_t oversize;      /* hyperedges passed over */
    uint32_t *window;     /* id - ids[0] -> number, when the ids lie close together; else NULL */
    unsigned char *absent; /* by number: 1 where no entity has the id (graph_options.also); NULL: all are entities */
    size_t absent_count;
};

/* Which relations count, and what is done to them; all zero: every one, in both directions. */
enum graph_direction { GRAPH_BOTH, GRAPH_OUT, GRAPH_IN }; /* OUT: from source to target only */
struct graph_options {
    const char *types;  /* "a,b": relations of these types only; NULL or "": all */
    double least_weight; /* 0 or less: any, even one that is no number */
    enum graph_direction direction;
    uint32_t fanout;    /* most neighbours kept of an entity, the first ones; 0: all */
    int hyperedges;     /* each two members of a hyperedge are neighbours too, after those by relations */
    double rewire;      /* share of relations whose target is replaced by a random entity */
    uint64_t seed;      /* of that */
    const int64_t *also; /* ids, ascending, that get a number too where no entity has them: without neighbours, and nobody's */
    size_t also_count;
};

/* One pass over the relations.  options may be NULL.  ERR_MEM, ERR_IO, ERR_BUSY, ERR_FORMAT. */
int graph_load(struct graph *out, struct store *s, const struct graph_options *options, struct err *e);
void graph_free(struct graph *g);
uint32_t graph_find(const struct graph *g, int64_t id); /* GRAPH_NONE: no number has this id */
uint32_t graph_entity(const struct graph *g, int64_t id); /* the same, and GRAPH_NONE where no entity has it */
size_t graph_bytes(const struct graph *g);

/* Storage of a breadth-first walk, one per thread; nothing is allocated while walking. */
struct walk {
    uint32_t *found; /* entities in the order in which they were first seen */
    uint32_t *edge;  /* the edge by which each was found */
    uint32_t *stamp; /* by entity: seen in walk number `epoch` */
    uint32_t epoch;
};
int walk_init(struct walk *w, const struct graph *g, struct err *e);
void walk_free(struct walk *w);
void walk_forget(struct walk *w, const struct graph *g); /* nothing is seen any more */

/* Those of the entities that a walk is really after: it may stop when `enough` of them, and `least`
 * entities in all, are found. */
struct walk_goal {
    const uint32_t *stamp; /* by entity: after it when stamp is epoch */
    uint32_t epoch;
    size_t enough, least;
};

/* Everything within `depth` steps of any of `from`, without those; depth 0 gives nothing.  From one entity
 * the order is the engine's get_neighbors.  Returns how many, in w->found and w->edge; stops when `most`
 * are found, or the goal (may be NULL) is reached. */
size_t graph_neighbors(const struct graph *g, struct walk *w, const uint32_t *from, size_t from_count, int depth,
                       size_t most, const struct walk_goal *goal);

#ifdef __cplusplus
}
#endif
#endif
