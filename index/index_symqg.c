/* SPDX-License-Identifier: MIT
 * index_symqg.c - a navigable graph with codes on its edges (SymphonyQG, arXiv 2411.12229): a walk reads one run of
 * bytes a node, and knows from it the node's own score and an estimate of all its neighbours'.
 *
 * Edges come from lists of nearest rows (knn.h) by the rule of relative neighbourhoods, both ways (graph.h); a search
 * starts at the middles of the parts that those lists were made from, whose codes stand in a root.  What differs from
 * the paper: the estimator (nodes.h), that no walk builds the graph, entries, rows of 8 bits, and fetching ahead.
 *
 * Up to SCAN_ROWS rows there is no graph but a flat index, and so it is for the rows that are added later, until
 * MERGE_ROWS of them are taken into the graph together: each gets edges to what a walk finds for it and to the nearest
 * of those that come with it, and is one more candidate to where they lead.  A removed row stays as a node that leads
 * on but is no answer, until a quarter of all are such: then the graph is made anew without them.  After every change
 * all nodes are reached from the root.  So beyond SCAN_ROWS answers depend on the order in which rows came.
 *
 * Hard set (data gen --latent 64 --spread 1.0 --noise 0.8 --seed 7, 100k x 384), Zen 4, one thread, one query a call,
 * medians of seven quiet repetitions of one run, with hnswlib M=16, ef_build=200 in it (results/winners):
 *     rescore=f32     3,460 B a vector   ef 32: R@10 .922, 19.6 us   ef 80: .972, 37.0 us
 *     rescore=8bit    2,372 B            ef 32: .919, 21.5 us        ef 80: .966, 39.8 us
 *     layout=once     580 B              ef 24: .931, 45.6 us        ef 48: .958, 75.5 us
 *     hnswlib         1,676 B            ef 20: .903, 120.6 us       ef 50: .962, 242.7 us
 * At R .90 that is 6.5 times as fast as hnswlib [6.1, 7.0] with f32 rows and 6.0 [5.7, 6.4] with 8 bits, at .96 8.0
 * [7.4, 8.7] and 6.4 [5.8, 7.0] (assay ann --at-recall; hnswlib against itself: 1.004 and 1.008).  A visit takes .37 us.
 * Built in 12.9 s on one thread and 6.2 on two, the same file, of 3,461, 2,373 or 581 B a vector; hnswlib takes 77.
 * Of what ef 64 misses, .037, edges lose .025 and codes .012 (assay index info).
 * A million rows of that set, f32: ef 64 .917, 34.8 us; ef 160 .960, 76.4; built in 144 s on two threads that others
 * used too, within 8.2 GB: 8.2 KB a row, of which 3.5 stay.
 * Starting from the 16 nearest of a part's middles for every 64 rows, not for every 192, took R from .888 to .911 at
 * ef 32, and on compact clusters (data gen --seed 1) from .947 to .978. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "index/graph.h"
#include "index/idset.h"
#include "index/index.h"
#include "index/look.h"
#include "index/nodes.h"
#include "index/persist.h"
#include "index/walk.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"

static const struct param table[] = {
    { "degree", PARAM_INT, 16, 128, "32", "", NULL, "edges of a node, a multiple of 16" },
    { "ef", PARAM_INT, 1, 100000, "64", "", NULL, "candidates of a search, at least k" },
    { "ef_build", PARAM_INT, 16, 256, "96", "", NULL, "nearest rows that edges are chosen from, at least the degree" },
    { "alpha", PARAM_REAL, 0.5, 4, "1.1", "", NULL, "edges fall that lie alpha times nearer, squared, to one kept" },
    { "bits", PARAM_INT, 1, 4, "1", "bits", NULL, "code width of a coordinate" },
    { "estimator", PARAM_CHOICE, 0, 0, "projected", "", "projected|centred",
      "codes of what a neighbour has across the node, or of what it differs by" },
    { "rescore", PARAM_CHOICE, 0, 0, "8bit", "", "none|8bit|f32", "rows that score the nodes visited" },
    { "layout", PARAM_CHOICE, 0, 0, "edges", "", "edges|once", "codes on edges, or rows of 8 bits fetched by number" },
    { 0 }
};

enum {
    SCAN_ROWS = 512,  /* without a graph */
    MERGE_ROWS = 256, /* beside it */
    SEEN_ROWS = 8192, /* that a row is held against to find its nearest */
    CHUNK = 64,       /* rows that a thread takes at a time */
};
#define YOUNG UINT32_MAX /* the place of a row that is not in the graph */
#define DEAD UINT32_MAX  /* the row of a node that is no answer */

struct symqg {
    struct index base;
    struct index *young; /* flat: rows that are not in the graph */
    struct idset ids;    /* of all rows */
    uint32_t *place_of;  /* a row: its node, or YOUNG */
    uint32_t *row_of;    /* a node: its row, or DEAD */
    size_t rows_room, nodes_room, dead;
    struct nodes nodes;
    size_t ef;
};

static size_t young_count(const struct symqg *v) { return v->ids.count + v->dead - v->nodes.count; }

static void destroy(struct index *ix)
{
    struct symqg *v = (struct symqg *)ix;
    if (!v || ix->model) {
        mem_free(v);
        return;
    }
    index_destroy(v->young);
    idset_fini(&v->ids);
    mem_free(v->place_of), mem_free(v->row_of);
    nodes_fini(&v->nodes, ix->is_mapped);
    mem_free(v);
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    const struct params *p = base->params;
    const size_t degree = (size_t)params_int(p, "degree");
    const enum rescore rescore = (enum rescore)params_int(p, "rescore");
    const int has_codes = params_int(p, "layout") == 0;
    if (degree % CODES_ROWS) return FAIL(e, ERR_ARG, "symqg: degree=%zu is no multiple of %d", degree, CODES_ROWS);
    if (!has_codes && rescore != RESCORE_8BIT)
        return FAIL(e, ERR_ARG, "symqg: layout=once scores rows of 8 bits, not rescore=%s", params_text(p, "rescore"));
    struct symqg *v = mem_zero(1, sizeof *v);
    if (!v) return FAIL(e, ERR_MEM, "symqg: no memory");
    v->base = *base;
    v->ef = (size_t)params_int(p, "ef");
    struct index_config c = base->config;
    c.kernels = &v->base.kernels;
    int status = index_create(&v->young, "flat", &c, e);
    if (status == ERR_OK)
        status = nodes_init(&v->nodes, &base->config, &v->base.kernels, degree, (int)params_int(p, "bits"), rescore,
                            has_codes, params_int(p, "estimator") == 0, e);
    if (status == ERR_OK) *out = &v->base;
    else destroy(&v->base);
    return status;
}

/* --- the graph -------------------------------------------------------------------------------------- */

/* All that a change of the graph works with: nodes `old`.. are new. */
struct change {
    struct symqg *v;
    struct nodes *nodes;
    size_t old, count;
    struct points points;
    uint32_t *edges;
    struct graph_rule rule;
    size_t k; /* candidates of a row */
    float *spare;           /* a thread: 3 dim */
    struct coder *coders;   /* a thread */
    struct pruner *pruners; /* a thread */
    struct near *lists;     /* of all rows where the graph is made anew, else of the new ones */
    /* Taking new rows in. */
    size_t walk_bytes, list_k;
    char *walks;            /* a thread */
    struct near *own;       /* of each new row: degree edges */
    struct link { uint32_t to, from; float apart; } *links;
    size_t *starts, targets; /* links of one target */
};

static void change_fini(struct change *c)
{
    const size_t threads = (size_t)c->rule.threads;
    for (size_t t = 0; c->coders && t < threads; t++) coder_fini(&c->coders[t]);
    for (size_t t = 0; c->pruners && t < threads; t++) pruner_fini(&c->pruners[t]);
    points_fini(&c->points);
    mem_free(c->edges), mem_free(c->spare), mem_free(c->coders), mem_free(c->pruners), mem_free(c->lists);
    mem_free(c->walks), mem_free(c->own), mem_free(c->links), mem_free(c->starts);
}

static int change_init(struct change *c, struct symqg *v, size_t count, struct err *e)
{
    const struct params *p = v->base.params;
    const int threads = v->base.config.threads < PARALLEL_THREADS_MAX ? v->base.config.threads : PARALLEL_THREADS_MAX;
    *c = (struct change){ .v = v, .nodes = &v->nodes, .old = v->nodes.count, .count = count };
    c->rule = (struct graph_rule){ v->nodes.degree, (float)params_real(p, "alpha"), threads, &v->base.kernels };
    c->k = (size_t)params_int(p, "ef_build");
    if (c->k < v->nodes.degree) c->k = v->nodes.degree;
    int status = points_init(&c->points, count, v->nodes.dim, e);
    c->edges = mem_alloc(count * v->nodes.degree, sizeof *c->edges);
    c->spare = mem_alloc((size_t)threads, 3 * v->nodes.dim * sizeof *c->spare);
    c->coders = mem_zero((size_t)threads, sizeof *c->coders);
    c->pruners = mem_zero((size_t)threads, sizeof *c->pruners);
    if (status == ERR_OK && !(c->edges && c->spare && c->coders && c->pruners))
        status = FAIL(e, ERR_MEM, "symqg: no memory for %zu rows", count);
    for (int t = 0; t < threads && status == ERR_OK; t++) status = coder_init(&c->coders[t], &v->nodes, e);
    for (int t = 0; t < threads && status == ERR_OK; t++)
        status = pruner_init(&c->pruners[t], &c->rule, v->nodes.dim, e);
    return status;
}

static float *spare_of(const struct change *c, int thread) { return c->spare + (size_t)thread * 3 * c->nodes->dim; }

/* Rows that are in the graph already, as points. */
static void point_old(void *context, int thread, size_t from, size_t to)
{
    struct change *c = context;
    for (size_t i = from; i < to; i++) nodes_point(c->nodes, i, &c->points, i, spare_of(c, thread));
}

/* Nodes whose edges are others than before get them, and their codes. */
static void code_some(void *context, int thread, size_t from, size_t to)
{
    struct change *c = context;
    struct nodes *n = c->nodes;
    for (size_t i = from; i < to; i++) {
        const uint32_t *edges = c->edges + i * n->degree;
        uint8_t *at = nodes_at(n, i);
        if (i < c->old && memcmp(nodes_edges(n, i), edges, n->degree * sizeof *edges) == 0) continue;
        memcpy(nodes_edges(n, i), edges, n->degree * sizeof *edges);
        if (n->has_codes)
            nodes_code(n, &c->coders[thread], &c->points, i, edges, n->degree, at + n->at_codes,
                       (float *)(void *)(at + n->at_scale), (float *)(void *)(at + n->at_error));
    }
}

/* Edges of all points, made anew, and the root. */
static int make_edges(struct change *c, struct err *e)
{
    struct nodes *n = c->nodes;
    const struct knn how = { c->k, SEEN_ROWS, c->v->base.config.seed, c->rule.threads, n->kernels };
    uint32_t *entries = NULL;
    size_t count = 0, mended;
    c->lists = mem_alloc(c->count * c->k, sizeof *c->lists);
    if (!c->lists) return FAIL(e, ERR_MEM, "symqg: no memory for %zu lists", c->count);
    int status = knn_lists(&how, &c->points, c->lists, &entries, &count, e);
    if (status == ERR_OK) status = graph_edges(&c->rule, &c->points, c->lists, c->k, c->edges, e);
    mem_free(c->lists);
    c->lists = NULL;
    if (status == ERR_OK)
        status = graph_connect(n->degree, &c->points, n->kernels, c->edges, entries, count, &mended, e);
    if (status == ERR_OK) status = nodes_set_root(n, &c->coders[0], &c->points, entries, count, e);
    else mem_free(entries);
    c->old = 0; /* all are coded anew */
    return status;
}

/* The row of a young one, by cosine of unit length. */
static int young_row(const struct symqg *v, size_t row, float *x, struct err *e)
{
    return index_decode(v->young, idset_id(&v->ids, row), x, e);
}

/* --- rows that come later ----------------------------------------------------------------------------- */

static size_t add_candidate(struct near *list, size_t count, float apart, uint32_t row)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].row == row) return count;
    if (count < GRAPH_POOL) list[count++] = (struct near){ apart, row };
    return count;
}

static float apart_of(const struct change *c, size_t i, size_t j)
{
    const struct points *x = &c->points;
    int32_t dot;
    c->nodes->kernels->of[OP_dot_i8]->fn.dot_i8(x->codes + i * x->padded, x->codes + j * x->padded, x->padded, NULL, 1,
                                                x->padded, &dot);
    return points_apart(x, i, j, dot);
}

/* What a walk from the root finds for a new row, and the nearest of the rows that came with it. */
static void find_own(void *context, int thread, size_t from, size_t to)
{
    struct change *c = context;
    struct nodes *n = c->nodes;
    struct near candidates[GRAPH_POOL];
    struct walk w;
    for (size_t i = from; i < to; i++) {
        const size_t node = c->old + i;
        size_t count = 0;
        walk_lay_out(&w, n, c->k, c->walks + (size_t)thread * c->walk_bytes);
        nodes_row(n, node, spare_of(c, thread), spare_of(c, thread) + n->dim);
        walk(&w, spare_of(c, thread), NULL, NULL);
        for (size_t p = 0; p < w.known; p++) {
            const uint32_t found = walk_node(&w, p);
            if (c->v->row_of[found] != DEAD) count = add_candidate(candidates, count, apart_of(c, node, found), found);
        }
        for (size_t j = 0; j < c->list_k; j++) {
            const struct near other = c->lists[i * c->list_k + j];
            count = add_candidate(candidates, count, other.apart, (uint32_t)(c->old + other.row));
        }
        near_sort(candidates, count);
        size_t kept = prune(&c->pruners[thread], &c->points, candidates, count);
        if (kept < n->degree) kept = count < n->degree ? count : n->degree;
        /* Where there are too few the nearest stands again. */
        for (size_t j = 0; j < n->degree; j++) {
            const struct near edge = j < kept ? candidates[j]
                                     : count  ? candidates[0]
                                              : (struct near){ 0, (uint32_t)node };
            c->own[i * n->degree + j] = edge;
            c->edges[node * n->degree + j] = edge.row;
        }
    }
}

/* What comes in to a row competes with what it has. */
static void take_links(void *context, int thread, size_t from, size_t to)
{
    struct change *c = context;
    const size_t degree = c->nodes->degree;
    struct near candidates[GRAPH_POOL];
    for (size_t t = from; t < to; t++) {
        const uint32_t node = c->links[c->starts[t]].to;
        uint32_t *edges = c->edges + node * degree;
        size_t count = 0;
        for (size_t j = 0; j < degree; j++)
            count = add_candidate(candidates, count, apart_of(c, node, edges[j]), edges[j]);
        for (size_t l = c->starts[t]; l < c->starts[t + 1]; l++)
            count = add_candidate(candidates, count, c->links[l].apart, c->links[l].from);
        near_sort(candidates, count);
        if (count > degree) prune(&c->pruners[thread], &c->points, candidates, count);
        for (size_t j = 0; j < degree; j++) edges[j] = candidates[j < count ? j : 0].row;
    }
}

static int link_before(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    if (x->apart != y->apart) return x->apart < y->apart ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static size_t collect_links(struct change *c)
{
    const size_t degree = c->nodes->degree, fresh = c->count - c->old;
    size_t links = 0;
    for (size_t i = 0; i < fresh; i++)
        for (size_t j = 0; j < degree; j++) {
            const struct near edge = c->own[i * degree + j];
            if (edge.row == c->old + i) continue;
            c->links[links++] = (struct link){ edge.row, (uint32_t)(c->old + i), edge.apart };
        }
    qsort(c->links, links, sizeof *c->links, link_before);
    c->targets = 0;
    for (size_t l = 0; l < links; l++)
        if (l == 0 || c->links[l].to != c->links[l - 1].to) c->starts[c->targets++] = l;
    c->starts[c->targets] = links;
    return links;
}

/* The nearest of the new rows among themselves. */
static int list_fresh(struct change *c, struct err *e)
{
    const size_t fresh = c->count - c->old, padded = c->points.padded;
    const struct points among = { fresh, padded, c->points.codes + c->old * padded, c->points.steps + c->old,
                                  c->points.terms + c->old, c->points.lift };
    c->list_k = fresh - 1 < c->nodes->degree ? fresh - 1 : c->nodes->degree;
    c->lists = mem_alloc(fresh * c->list_k, sizeof *c->lists);
    if (!c->lists) return FAIL(e, ERR_MEM, "symqg: no memory for %zu lists", fresh);
    const struct knn how = { c->list_k, SEEN_ROWS, c->v->base.config.seed, c->rule.threads, c->nodes->kernels };
    return c->list_k ? knn_lists(&how, &among, c->lists, NULL, NULL, e) : ERR_OK;
}

static int take_in(struct change *c, struct err *e)
{
    struct nodes *n = c->nodes;
    struct walk w;
    const size_t fresh = c->count - c->old;
    size_t mended;
    for (size_t i = 0; i < c->old; i++)
        memcpy(c->edges + i * n->degree, nodes_edges(n, i), n->degree * sizeof *c->edges);
    c->walk_bytes = walk_lay_out(&w, n, c->k, NULL);
    c->walks = mem_alloc((size_t)c->rule.threads, c->walk_bytes);
    c->own = mem_alloc(fresh * n->degree, sizeof *c->own);
    c->links = mem_alloc(fresh * n->degree, sizeof *c->links);
    c->starts = mem_alloc(fresh * n->degree + 1, sizeof *c->starts);
    if (!c->walks || !c->own || !c->links || !c->starts)
        return FAIL(e, ERR_MEM, "symqg: no memory for %zu rows", fresh);
    int status = list_fresh(c, e);
    if (status != ERR_OK) return status;
    parallel_for(c->rule.threads, fresh, 8, find_own, c);
    collect_links(c);
    parallel_for(c->rule.threads, c->targets, CHUNK, take_links, c);
    return graph_connect(n->degree, &c->points, n->kernels, c->edges, n->entries, n->entry_count, &mended, e);
}

/* --- from young rows to nodes -------------------------------------------------------------------------- */

struct arrival {
    struct change change;
    struct nodes nodes; /* what becomes of v->nodes */
    uint32_t *fresh;    /* rows that are young, as new nodes in this order */
    size_t fresh_count;
    struct index *young; /* empty */
    double *sums;       /* l2: of the rows */
    int *status;        /* a thread */
};

static void arrival_fini(struct arrival *a)
{
    change_fini(&a->change);
    index_destroy(a->young);
    mem_free(a->fresh), mem_free(a->sums), mem_free(a->status);
}

static void set_fresh(void *context, int thread, size_t from, size_t to)
{
    struct arrival *a = context;
    struct change *c = &a->change;
    float *x = spare_of(c, thread);
    for (size_t i = from; i < to; i++) {
        const size_t node = c->count - a->fresh_count + i;
        const int status = young_row(c->v, a->fresh[i], x, NULL);
        if (status != ERR_OK) a->status[thread] = status;
        else nodes_set(&a->nodes, node, x, &c->points, node, x + c->nodes->dim);
    }
}

/* What all rows are moved or lifted by, once: the mean by l2, the largest square by dot. */
static int learn(struct arrival *a, struct err *e)
{
    struct nodes *n = &a->nodes;
    float *x = a->change.spare;
    int status = ERR_OK;
    if (n->metric == METRIC_COSINE || (n->metric == METRIC_L2 && a->change.old)) return ERR_OK;
    memset(a->sums, 0, n->dim * sizeof *a->sums);
    for (size_t i = 0; i < a->fresh_count && status == ERR_OK; i++) {
        status = young_row(a->change.v, a->fresh[i], x, e);
        for (size_t d = 0; n->metric == METRIC_L2 && d < n->dim; d++) a->sums[d] += (double)x[d];
        if (n->metric == METRIC_L2) continue;
        float square;
        n->rotation.dot(x, x, 0, NULL, 1, n->dim, &square);
        n->lift = 2 * square > n->lift ? 2 * square : n->lift;
    }
    for (size_t d = 0; n->metric == METRIC_L2 && d < n->dim; d++)
        n->mean[d] = (float)(a->sums[d] / (double)a->fresh_count);
    return status;
}

static int set_rows(struct arrival *a, struct err *e)
{
    struct change *c = &a->change;
    int status = learn(a, e);
    c->points.lift = a->nodes.metric == METRIC_DOT ? a->nodes.lift : 0;
    if (status != ERR_OK) return status;
    parallel_for(c->rule.threads, c->count - a->fresh_count, CHUNK, point_old, c);
    parallel_for(c->rule.threads, a->fresh_count, CHUNK, set_fresh, a);
    for (int t = 0; t < c->rule.threads; t++)
        if (a->status[t] != ERR_OK) return FAIL(e, a->status[t], "symqg: a row cannot be read");
    return ERR_OK;
}

/* All rows in a new array without the dead, and its edges. */
static int make_anew(struct arrival *a, struct err *e)
{
    struct symqg *v = a->change.v;
    struct nodes *n = &a->nodes;
    n->entries = NULL, n->root = NULL, n->entry_count = 0;
    n->count = n->room = a->change.count;
    n->at = mem_alloc(n->room, n->stride);
    if (!n->at) return FAIL(e, ERR_MEM, "symqg: no memory for %zu nodes of %zu bytes", n->room, n->stride);
    size_t live = 0;
    for (size_t i = 0; i < v->nodes.count; i++)
        if (v->row_of[i] != DEAD) memcpy(nodes_at(n, live++), nodes_at(&v->nodes, i), n->stride);
    int status = set_rows(a, e);
    if (status == ERR_OK) status = make_edges(&a->change, e);
    if (status == ERR_OK) parallel_for(a->change.rule.threads, n->count, CHUNK, code_some, &a->change);
    if (status == ERR_OK) return ERR_OK;
    mem_free(n->at), mem_free(n->entries), mem_free(n->root);
    return status;
}

/* The new rows behind those that are there. */
static int add_behind(struct arrival *a, struct err *e)
{
    struct symqg *v = a->change.v;
    struct nodes *n = &a->nodes;
    if (a->change.count > n->room) {
        const size_t room = a->change.count + n->count / 4;
        uint8_t *at = mem_grow(n->at, n->count, room, n->stride);
        if (!at) return FAIL(e, ERR_MEM, "symqg: no memory for %zu nodes of %zu bytes", room, n->stride);
        v->nodes.at = n->at = at;
        v->nodes.room = n->room = room;
    }
    int status = set_rows(a, e);
    if (status == ERR_OK) status = take_in(&a->change, e);
    if (status != ERR_OK) return status;
    n->count = a->change.count;
    parallel_for(a->change.rule.threads, n->count, CHUNK, code_some, &a->change);
    return ERR_OK;
}

/* Takes all young rows into the graph. */
static int merge(struct symqg *v, int anew, struct err *e)
{
    const size_t young = young_count(v), live = v->nodes.count - v->dead;
    struct arrival a = { .nodes = v->nodes };
    struct index_config config = v->base.config;
    config.kernels = &v->base.kernels;
    anew = anew || v->nodes.count == 0 || young >= live / 2;
    const size_t nodes = anew ? live + young : v->nodes.count + young;
    if (nodes > NODES_MOST) return FAIL(e, ERR_ARG, "symqg: %zu rows, at most %d", nodes, NODES_MOST);
    int status = change_init(&a.change, v, nodes, e);
    a.change.nodes = &a.nodes;
    if (status == ERR_OK) status = index_create(&a.young, "flat", &config, e);
    a.fresh = mem_alloc(young, sizeof *a.fresh);
    a.sums = mem_alloc(v->nodes.dim, sizeof *a.sums);
    a.status = mem_zero((size_t)a.change.rule.threads, sizeof *a.status);
    uint32_t *row_of = mem_alloc(a.change.count, sizeof *row_of);
    if (status == ERR_OK && !(a.fresh && a.sums && a.status && row_of))
        status = FAIL(e, ERR_MEM, "symqg: no memory for %zu rows", young);
    for (size_t row = 0; status == ERR_OK && row < v->ids.count; row++)
        if (v->place_of[row] == YOUNG) a.fresh[a.fresh_count++] = (uint32_t)row;
    if (status == ERR_OK) status = (anew ? make_anew : add_behind)(&a, e);
    if (status != ERR_OK) {
        mem_free(row_of);
        arrival_fini(&a);
        return status;
    }
    size_t count = 0;
    for (size_t i = 0; i < v->nodes.count; i++)
        if (!anew || v->row_of[i] != DEAD) row_of[count++] = v->row_of[i];
    for (size_t i = 0; i < a.fresh_count; i++) row_of[count++] = a.fresh[i];
    for (size_t i = 0; i < count; i++)
        if (row_of[i] != DEAD) v->place_of[row_of[i]] = (uint32_t)i;
    if (anew) {
        mem_free(v->nodes.at), mem_free(v->nodes.entries), mem_free(v->nodes.root);
        v->dead = 0;
    }
    v->nodes = a.nodes;
    mem_free(v->row_of);
    v->row_of = row_of;
    struct index *old = v->young;
    v->young = a.young, a.young = old;
    arrival_fini(&a);
    return ERR_OK;
}

/* Few rows need no graph: all become young. */
static int dissolve(struct symqg *v, struct err *e)
{
    struct index_config config = v->base.config;
    config.kernels = &v->base.kernels;
    struct index *young = NULL;
    const size_t dim = v->nodes.dim;
    float *x = mem_alloc(2 * dim, sizeof *x);
    int status = x ? index_create(&young, "flat", &config, e) : FAIL(e, ERR_MEM, "symqg: no memory");
    for (size_t row = 0; row < v->ids.count && status == ERR_OK; row++) {
        const int64_t id = idset_id(&v->ids, row);
        if (v->place_of[row] == YOUNG) status = young_row(v, row, x, e);
        else nodes_row(&v->nodes, v->place_of[row], x, x + dim);
        if (status == ERR_OK) status = young->ops->add(young, (struct rows){ x, 1, dim, dim }, &id, e);
    }
    mem_free(x);
    if (status != ERR_OK) {
        index_destroy(young);
        return status;
    }
    index_destroy(v->young);
    v->young = young;
    nodes_clear(&v->nodes);
    mem_free(v->row_of);
    v->row_of = NULL;
    v->dead = 0;
    for (size_t row = 0; row < v->ids.count; row++) v->place_of[row] = YOUNG;
    return ERR_OK;
}

/* Keeps what is scanned small and what is dead few. */
static int settle(struct symqg *v, struct err *e)
{
    const size_t live = v->nodes.count - v->dead;
    if (v->nodes.count && v->ids.count <= SCAN_ROWS / 2) return dissolve(v, e);
    if (v->dead * 4 > live) return merge(v, 1, e);
    return young_count(v) > (v->nodes.count ? MERGE_ROWS : SCAN_ROWS) ? merge(v, 0, e) : ERR_OK;
}

/* --- adding and removing ------------------------------------------------------------------------------- */

static int reserve(struct symqg *v, size_t rows, struct err *e)
{
    if (rows <= v->rows_room) return ERR_OK;
    const size_t room = rows < 2 * v->rows_room ? 2 * v->rows_room : rows;
    uint32_t *place_of = mem_grow(v->place_of, v->ids.count, room, sizeof *place_of);
    if (!place_of) return FAIL(e, ERR_MEM, "symqg: no memory for %zu rows", room);
    v->place_of = place_of;
    v->rows_room = room;
    return ERR_OK;
}

/* Young rows are given their ids, which in the flat index may be others than its next numbers. */
static int add_young(struct symqg *v, struct rows rows, size_t first, struct err *e)
{
    int64_t *ids = mem_alloc(rows.count, sizeof *ids);
    if (!ids) return FAIL(e, ERR_MEM, "symqg: no memory for %zu rows", rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        ids[i] = idset_id(&v->ids, first + i);
        v->place_of[first + i] = YOUNG;
    }
    const int status = v->young->ops->add(v->young, rows, ids, e);
    mem_free(ids);
    return status;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct symqg *v = (struct symqg *)ix;
    const size_t first = v->ids.count;
    int status = reserve(v, first + rows.count, e);
    if (status == ERR_OK) status = idset_add(&v->ids, ids, rows.count, "symqg", e);
    if (status != ERR_OK) return status;
    status = add_young(v, rows, first, e);
    const int is_young = status == ERR_OK;
    if (status == ERR_OK) status = settle(v, e);
    while (status != ERR_OK && v->ids.count > first) {
        size_t row;
        const int64_t id = idset_id(&v->ids, v->ids.count - 1);
        if (is_young) v->young->ops->remove(v->young, id, NULL);
        idset_remove(&v->ids, id, &row, "symqg", NULL);
    }
    return status;
}

static void bury(struct symqg *v, size_t row)
{
    v->row_of[v->place_of[row]] = DEAD;
    v->dead++;
}

static int remove_id(struct index *ix, int64_t id, struct err *e)
{
    struct symqg *v = (struct symqg *)ix;
    const int64_t at = idset_row(&v->ids, id);
    if (at == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "symqg: no id %lld", (long long)id);
    const uint32_t place = v->place_of[at];
    size_t row;
    int status = place == YOUNG ? v->young->ops->remove(v->young, id, e) : ERR_OK;
    if (status == ERR_OK) status = idset_remove(&v->ids, id, &row, "symqg", e);
    if (status != ERR_OK) return status;
    if (place != YOUNG) bury(v, (size_t)at);
    const uint32_t moved = v->place_of[v->ids.count];
    v->place_of[row] = moved;
    if (row < v->ids.count && moved != YOUNG) v->row_of[moved] = (uint32_t)row;
    settle(v, NULL); /* without memory for that the dead stay for now */
    return ERR_OK;
}

/* 1 when the row of that node is what the young row of id would become. */
static int is_same(const struct symqg *v, size_t node, int64_t id)
{
    struct nodes one = v->nodes;
    struct points points;
    const size_t size = one.rescore == RESCORE_F32 ? one.dim * sizeof(float) : NODE_SIDE + one.padded;
    float *x = mem_alloc(3 * one.dim, sizeof *x);
    int same = 0;
    one.at = mem_alloc(1, one.stride);
    if (points_init(&points, 1, one.dim, NULL) == ERR_OK && one.at && x &&
        index_decode(v->young, id, x, NULL) == ERR_OK) {
        nodes_set(&one, 0, x, &points, 0, x + one.dim);
        same = memcmp(one.at, nodes_at(&v->nodes, node), size) == 0;
    }
    points_fini(&points);
    mem_free(one.at), mem_free(x);
    return same;
}

/* What is there already keeps its node and its edges: a file is checked by writing rows again (pipeline/cache.c). */
static int replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    struct symqg *v = (struct symqg *)ix;
    const int64_t row = idset_row(&v->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "symqg: no id %lld", (long long)id);
    if (v->place_of[row] == YOUNG) return v->young->ops->replace(v->young, id, x, e);
    const int status = v->young->ops->add(v->young, (struct rows){ x, 1, ix->config.dim, ix->config.dim }, &id, e);
    if (status != ERR_OK) return status;
    if (is_same(v, v->place_of[row], id)) return v->young->ops->remove(v->young, id, e);
    bury(v, (size_t)row);
    v->place_of[row] = YOUNG;
    settle(v, NULL);
    return ERR_OK;
}

/* --- searching ------------------------------------------------------------------------------------------ */

/* Dead nodes take places in the pool. */
static size_t pool_of(const struct symqg *v, size_t k)
{
    const size_t least = k + v->dead < v->nodes.count ? k + v->dead : v->nodes.count, wanted = k > least ? k : least;
    return v->ef > wanted ? v->ef : wanted;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    const struct symqg *v = (const struct symqg *)ix;
    struct walk w;
    return walk_lay_out(&w, &v->nodes, pool_of(v, k), NULL) +
           v->young->ops->scratch_bytes(v->young, query_count, k);
}

struct answer {
    const struct symqg *v;
    struct topk best;
};

static void offer(void *context, uint32_t node, float score)
{
    struct answer *a = context;
    const uint32_t row = a->v->row_of[node];
    if (row != DEAD) topk_push(&a->best, idset_id(&a->v->ids, row), score);
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch, struct hit *hits,
                   size_t *counts)
{
    const struct symqg *v = (const struct symqg *)ix;
    struct walk w;
    walk_lay_out(&w, &v->nodes, pool_of(v, k), scratch);
    *w.counts = (struct walk_counts){ 0 };
    if (v->nodes.count == 0) {
        v->young->ops->search(v->young, queries, k, w.rest, hits, counts);
        return;
    }
    for (size_t q = 0; q < queries.count; q++) {
        const struct rows query = { rows_at(queries, q), 1, queries.dim, queries.dim };
        struct answer a = { .v = v };
        topk_init(&a.best, hits + q * k, k);
        if (young_count(v)) v->young->ops->search_into(v->young, query, &a.best, w.rest);
        walk(&w, query.at, offer, &a);
        counts[q] = topk_finish(&a.best);
    }
}

static void work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    const struct symqg *v = (const struct symqg *)ix;
    struct walk w;
    walk_lay_out(&w, &v->nodes, v->ef, (void *)(uintptr_t)scratch);
    *out = (struct index_work){ 0 };
    if (young_count(v)) {
        struct index_stats s;
        v->young->ops->stats(v->young, &s);
        out->bytes = query_count * (s.code_bytes + s.side_bytes);
    }
    out->bytes += w.counts->bytes;
    out->hops = w.counts->hops, out->scored = w.counts->scored, out->rescored = w.counts->rescored;
}

static void describe(const struct index *ix, struct text *out)
{
    const struct symqg *v = (const struct symqg *)ix;
    const struct nodes *n = &v->nodes;
    kernel_set_describe(&ix->kernels, n->bits == 3 ? OP_scan_pair : OP_scan_sign, out);
    if (n->rescore == RESCORE_8BIT) kernel_set_describe(&ix->kernels, OP_dot_i8, out);
    if (n->rescore == RESCORE_F32)
        kernel_set_describe(&ix->kernels, n->metric == METRIC_L2 ? OP_l2_f32 : OP_dot_f32, out);
}

/* --- the rest --------------------------------------------------------------------------------------------- */

static int save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct symqg *v = (const struct symqg *)ix;
    int status = idset_save(&v->ids, w, e);
    if (status == ERR_OK) status = index_write(w, "places", v->place_of, v->ids.count * sizeof *v->place_of, e);
    if (status == ERR_OK) status = nodes_save(&v->nodes, w, e);
    return status == ERR_OK ? v->young->ops->save(v->young, w, e) : status;
}

static int load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct symqg *v = (struct symqg *)ix;
    struct idset ids = { 0 };
    const uint64_t rows = r->rows;
    int status = idset_load(&ids, r, e);
    if (status == ERR_OK) status = reserve(v, ids.count, e);
    v->ids = ids;
    if (status == ERR_OK) status = index_read_into(r, "places", v->place_of, ids.count * sizeof *v->place_of, e);
    if (status == ERR_OK) status = nodes_load(&v->nodes, r, e);
    if (status != ERR_OK) return status;
    v->row_of = mem_alloc(v->nodes.count, sizeof *v->row_of);
    if (!v->row_of) return FAIL(e, ERR_MEM, "symqg: no memory for %zu nodes", v->nodes.count);
    for (size_t i = 0; i < v->nodes.count; i++) v->row_of[i] = DEAD;
    size_t young = 0;
    for (size_t row = 0; row < ids.count; row++) {
        const uint32_t place = v->place_of[row];
        if (place == YOUNG) young++;
        else if (place >= v->nodes.count || v->row_of[place] != DEAD)
            return FAIL(e, ERR_FORMAT, "%s: row %zu in no node of its own", r->path, row);
        else v->row_of[place] = (uint32_t)row;
    }
    v->dead = v->nodes.count - (ids.count - young);
    r->rows = young;
    v->young->is_mapped = r->maps;
    status = v->young->ops->load(v->young, r, e);
    r->rows = rows;
    return status;
}

static void stats(const struct index *ix, struct index_stats *out)
{
    const struct symqg *v = (const struct symqg *)ix;
    const struct nodes *n = &v->nodes;
    struct index_stats young;
    v->young->ops->stats(v->young, &young);
    *out = (struct index_stats){ .rows = v->ids.count, .code_bytes = young.code_bytes, .side_bytes = young.side_bytes };
    out->code_bytes += n->count * (n->at_scale - (n->rescore == RESCORE_F32 ? 0 : NODE_SIDE));
    out->side_bytes += n->count * (n->stride + sizeof *v->row_of) + idset_row_bytes(&v->ids) -
                       n->count * (n->at_scale - (n->rescore == RESCORE_F32 ? 0 : NODE_SIDE));
    out->other_bytes = sizeof *v + idset_other_bytes(&v->ids) + v->rows_room * sizeof *v->place_of +
                       n->dim * sizeof(float) + rotation_bytes(&n->rotation) + nodes_root_bytes(n) +
                       n->entry_count * sizeof(uint32_t) + young.other_bytes;
}

static int has(const struct index *ix, int64_t id)
{
    return idset_row(&((const struct symqg *)ix)->ids, id) != IDSET_NONE;
}

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct symqg *v = (const struct symqg *)ix;
    const int64_t row = idset_row(&v->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "symqg: no id %lld", (long long)id);
    if (v->place_of[row] == YOUNG) return index_decode(v->young, id, out, e);
    float *spare = mem_alloc(ix->config.dim, sizeof *spare);
    if (!spare) return FAIL(e, ERR_MEM, "symqg: no memory");
    nodes_row(&v->nodes, v->place_of[row], out, spare);
    mem_free(spare);
    return ERR_OK;
}

static int view(struct index **out, const struct index *model, const struct index *base, struct err *e)
{
    if (!params_equal_but(model->params, base->params, "ef"))
        return FAIL(e, ERR_UNSUPPORTED, "symqg: another graph");
    struct symqg *v = mem_alloc(1, sizeof *v);
    if (!v) return FAIL(e, ERR_MEM, "symqg: no memory");
    *v = *(const struct symqg *)model;
    v->base = *base;
    v->ef = (size_t)params_int(base->params, "ef");
    *out = &v->base;
    return ERR_OK;
}

static int look(const struct index *ix, struct rows queries, index_fact *fact, void *context, struct err *e)
{
    const struct symqg *v = (const struct symqg *)ix;
    fact(context, "scanned", (double)young_count(v), "rows beside the graph");
    fact(context, "dead", (double)v->dead, "nodes whose row was removed or replaced");
    return nodes_look(&v->nodes, v->ef, queries, fact, context, e);
}

const struct index_ops index_symqg = {
    .name = "symqg",
    .summary = "a navigable graph with codes on its edges (SymphonyQG)",
    .params = table,
    .create = create,
    .add = add,
    .remove = remove_id,
    .replace = replace,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .work = work,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .has = has,
    .decode = decode,
    .look = look,
    .view = view,
    .destroy = destroy,
};
