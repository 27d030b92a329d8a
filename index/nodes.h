/* SPDX-License-Identifier: MIT
 * nodes.h - the nodes of a graph in memory: a row, its edges, and beside each edge a code of where it leads.
 *
 * A node c is one run of bytes, all that a search reads when it comes by:
 *     row      f32: dim floats (by cosine of unit length); 8 bits: a step, a square, then signed bytes, rotated
 *     codes    blocks of 16 edges (kernels/codes.h): the rotated remainder r of every neighbour x, `bits` a coordinate
 *     scale, error    of every edge, for kernel `survive`
 *     edges    node numbers
 * (SymphonyQG, arXiv 2411.12229, section 3.1: one read of memory and one lookup table a query serve all of a node's
 * edges, whichever their common origin).  With u~ what the code of r / |r| stands for and f = |r| / <r / |r|, u~>,
 *     projected   r = x - b c, b = <x, c> / <c, c>:      <q, x> = <q, c> (b - f <c, u~> / <c, c>) + f <q, u~>
 *     centred     r = x - c (SymphonyQG, and by l2):     <q, x> = <q, c> + <c, r> - f <c, u~> + f <q, u~>
 * where only the last term is estimated, of what q and x have apart from c.  Projection takes off both the share of c
 * that they have, which may be less than all: at cosines of 1/2 the error falls to 3/4.
 *
 * By l2 the mean of the rows is taken off first. */
#ifndef ASSAY_NODES_H
#define ASSAY_NODES_H
#include "index/codec.h"
#include "index/index.h"
#include "index/knn.h"
#include "index/rotation.h"

enum rescore { RESCORE_NONE, RESCORE_8BIT, RESCORE_F32 };
enum { NODES_MOST = 0x7fffffff };
enum { NODE_SIDE = 64 /* bytes before a row of 8 bits: its step and square, and room */ };

struct nodes {
    enum metric metric;
    size_t dim, groups, padded, degree;
    int bits;
    int has_codes; /* of edges; the root always has them */
    enum rescore rescore;
    int projects;
    size_t at_codes, at_scale, at_error, at_edges, stride; /* bytes from a node's start */
    struct codec codec;
    struct rotation rotation;
    const struct kernel_set *kernels;
    float *mean; /* l2 */
    float lift;  /* dot: knn.h */
    size_t count, room;
    uint8_t *at;
    /* The root: no row, and edges to entries. */
    size_t entry_count;
    uint32_t *entries; /* up to whole blocks of 16 */
    uint8_t *root; /* codes, scale, error */
};

int nodes_init(struct nodes *n, const struct index_config *config, const struct kernel_set *kernels, size_t degree,
               int bits, enum rescore rescore, int has_codes, int projects, struct err *e);
void nodes_fini(struct nodes *n, int is_mapped);
static inline uint8_t *nodes_at(const struct nodes *n, size_t node) { return n->at + node * n->stride; }
static inline uint32_t *nodes_edges(const struct nodes *n, size_t node)
{
    return (uint32_t *)(void *)(nodes_at(n, node) + n->at_edges);
}
static inline size_t nodes_blocks_bytes(const struct nodes *n, size_t edges)
{
    return codes_blocks(edges) * codes_block_bytes(n->groups, n->bits);
}
static inline size_t root_room(const struct nodes *n) { return codes_blocks(n->entry_count) * CODES_ROWS; }
size_t nodes_root_bytes(const struct nodes *n);

/* A row as searches and codes see it: unit length by cosine; `turned` is it rotated, by l2 less the mean. */
void nodes_prepare(const struct nodes *n, const float *x, float *row, float *turned);
/* Writes the row of a node and the same as point i (codes of 8 bits). */
void nodes_set(struct nodes *n, size_t node, const float *x, struct points *points, size_t i, float *spare);
/* The row of a node as point i.  spare: 2 dim floats. */
void nodes_point(const struct nodes *n, size_t node, struct points *points, size_t i, float *spare);
/* The row itself, but for what 8 bits lose; by cosine of unit length. */
void nodes_row(const struct nodes *n, size_t node, float *x, float *spare);

/* Room of one thread that codes edges. */
struct coder { float *centre, *x, *unit; uint8_t *codes; };
int coder_init(struct coder *c, const struct nodes *n, struct err *e);
void coder_fini(struct coder *c);
/* Codes of `count` points about point `centre` (SIZE_MAX: about the origin) to codes, scale, error; zero up to whole
 * blocks. */
void nodes_code(const struct nodes *n, struct coder *c, const struct points *points, size_t centre,
                const uint32_t *picked, size_t count, uint8_t *codes, float *scale, float *error);
/* Entries, which become the graph's, and their codes; points: of all nodes.  ERR_MEM, the entries freed. */
int nodes_set_root(struct nodes *n, struct coder *c, const struct points *points, uint32_t *entries, size_t count,
                   struct err *e);
void nodes_clear(struct nodes *n); /* back to no nodes */
/* As sections "graph", "mean", "nodes", "entries" and "root".  load: into empty nodes; ERR_FORMAT for edges that lead
 * nowhere. */
int nodes_save(const struct nodes *n, struct index_writer *w, struct err *e);
int nodes_load(struct nodes *n, struct index_reader *r, struct err *e);
#endif
