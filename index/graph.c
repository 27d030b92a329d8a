/* SPDX-License-Identifier: MIT */
#include "index/graph.h"
#include <string.h>
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"

int pruner_init(struct pruner *p, const struct graph_rule *rule, size_t dim, struct err *e)
{
    *p = (struct pruner){ .rule = rule };
    const int status = points_init(&p->local, GRAPH_POOL, dim, e);
    p->dots = mem_alloc(GRAPH_POOL, sizeof *p->dots);
    p->is_dropped = mem_alloc(GRAPH_POOL, 1);
    if (status == ERR_OK && p->dots && p->is_dropped) return ERR_OK;
    pruner_fini(p);
    return status == ERR_OK ? FAIL(e, ERR_MEM, "no memory to prune") : status;
}

void pruner_fini(struct pruner *p)
{
    points_fini(&p->local);
    mem_free(p->dots), mem_free(p->is_dropped);
    p->dots = NULL, p->is_dropped = NULL;
}

static void gather(struct points *to, const struct points *from, const struct near *rows, size_t count)
{
    to->lift = from->lift;
    for (size_t i = 0; i < count; i++) __builtin_prefetch(from->codes + rows[i].row * from->padded);
    for (size_t i = 0; i < count; i++) {
        const size_t row = rows[i].row;
        memcpy(to->codes + i * to->padded, from->codes + row * from->padded, to->padded);
        to->steps[i] = from->steps[row];
        to->terms[i] = from->terms[row];
    }
}

size_t prune(struct pruner *p, const struct points *points, struct near *candidates, size_t count)
{
    const struct points *x = &p->local;
    const float alpha = p->rule->alpha;
    struct near rest[GRAPH_POOL];
    size_t kept = 0, left = 0;
    if (points) gather(&p->local, points, candidates, count);
    memset(p->is_dropped, 0, count);
    for (size_t c = 0; c < count; c++) {
        if (p->is_dropped[c] || kept == p->rule->degree) {
            rest[left++] = candidates[c];
            continue;
        }
        candidates[kept++] = candidates[c];
        if (kept == p->rule->degree) continue;
        const size_t behind = count - c - 1;
        p->rule->kernels->of[OP_dot_i8]->fn.dot_i8(x->codes + c * x->padded, x->codes + (c + 1) * x->padded, x->padded,
                                                   NULL, behind, x->padded, p->dots);
        for (size_t j = 0; j < behind; j++)
            p->is_dropped[c + 1 + j] |= alpha * points_apart(x, c, c + 1 + j, p->dots[j]) < candidates[c + 1 + j].apart;
    }
    memcpy(candidates + kept, rest, left * sizeof *rest);
    return kept;
}

/* --- all rows at once -------------------------------------------------------------------------------- */

struct build {
    const struct graph_rule *rule;
    const struct points *points;
    const struct near *lists;
    size_t k;
    uint32_t *edges;
    struct near *own;    /* degree a row: what pruning left */
    uint32_t *own_count;
    size_t *starts;      /* of what comes in, count + 1 */
    struct near *coming;
    struct pruner *pruners; /* a thread */
};

static void prune_some(void *context, int thread, size_t from, size_t to)
{
    struct build *b = context;
    struct near candidates[GRAPH_POOL];
    for (size_t i = from; i < to; i++) {
        memcpy(candidates, b->lists + i * b->k, b->k * sizeof *candidates);
        b->own_count[i] = (uint32_t)prune(&b->pruners[thread], b->points, candidates, b->k);
        memcpy(b->own + i * b->rule->degree, candidates, b->own_count[i] * sizeof *candidates);
    }
}

/* What row i gives to j, j gets from i. */
static int turn_around(struct build *b, struct err *e)
{
    const size_t n = b->points->count, degree = b->rule->degree;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < b->own_count[i]; j++) b->starts[b->own[i * degree + j].row + 1]++;
    for (size_t i = 0; i < n; i++) b->starts[i + 1] += b->starts[i];
    b->coming = mem_alloc(b->starts[n], sizeof *b->coming);
    if (!b->coming) return FAIL(e, ERR_MEM, "no memory for %zu edges", b->starts[n]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < b->own_count[i]; j++) {
            const struct near edge = b->own[i * degree + j];
            b->coming[b->starts[edge.row]++] = (struct near){ edge.apart, (uint32_t)i };
        }
    for (size_t i = n; i > 0; i--) b->starts[i] = b->starts[i - 1];
    b->starts[0] = 0;
    return ERR_OK;
}

static int has_row(const uint32_t *rows, size_t count, uint32_t row)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i] == row) return 1;
    return 0;
}

/* Own edges and those that come in, each once, nearest first. */
static size_t both_ways(struct build *b, size_t i, struct near *candidates)
{
    const size_t degree = b->rule->degree, own = b->own_count[i], all = b->starts[i + 1] - b->starts[i];
    struct near *coming = b->coming + b->starts[i];
    size_t count = own;
    memcpy(candidates, b->own + i * degree, own * sizeof *candidates);
    near_sort(coming, all);
    for (size_t c = 0; c < all && count < GRAPH_POOL; c++) {
        size_t j = 0;
        while (j < own && b->own[i * degree + j].row != coming[c].row) j++;
        if (j == own) candidates[count++] = coming[c];
    }
    near_sort(candidates, count);
    return count;
}

static void link_some(void *context, int thread, size_t from, size_t to)
{
    struct build *b = context;
    const size_t degree = b->rule->degree;
    struct near candidates[GRAPH_POOL];
    for (size_t i = from; i < to; i++) {
        const struct near *list = b->lists + i * b->k;
        const size_t count = both_ways(b, i, candidates);
        size_t used = count <= degree ? count : prune(&b->pruners[thread], b->points, candidates, count);
        uint32_t *edges = b->edges + i * degree;
        for (size_t j = 0; j < used; j++) edges[j] = candidates[j].row;
        for (size_t j = used; j < count && used < degree; j++) edges[used++] = candidates[j].row;
        for (size_t j = 0; j < b->k && used < degree; j++)
            if (!has_row(edges, used, list[j].row)) edges[used++] = list[j].row;
    }
}

int graph_edges(const struct graph_rule *rule, const struct points *points, const struct near *lists, size_t k,
                uint32_t *edges, struct err *e)
{
    const size_t n = points->count, threads = (size_t)rule->threads;
    struct build b = { .rule = rule, .points = points, .lists = lists, .k = k, .edges = edges };
    b.own = mem_alloc(n * rule->degree, sizeof *b.own);
    b.own_count = mem_alloc(n, sizeof *b.own_count);
    b.starts = mem_zero(n + 1, sizeof *b.starts);
    b.pruners = mem_zero(threads, sizeof *b.pruners);
    int status = b.own && b.own_count && b.starts && b.pruners ? ERR_OK
                                                               : FAIL(e, ERR_MEM, "no memory for %zu rows", n);
    for (size_t t = 0; t < threads && status == ERR_OK; t++)
        status = pruner_init(&b.pruners[t], rule, points->padded, e);
    if (status == ERR_OK) {
        parallel_for(rule->threads, n, 64, prune_some, &b);
        status = turn_around(&b, e);
    }
    if (status == ERR_OK) parallel_for(rule->threads, n, 64, link_some, &b);
    for (size_t t = 0; b.pruners && t < threads; t++) pruner_fini(&b.pruners[t]);
    mem_free(b.own), mem_free(b.own_count), mem_free(b.starts), mem_free(b.coming), mem_free(b.pruners);
    return status;
}

/* --- every row is reached ------------------------------------------------------------------------------ */

struct reach {
    const struct points *points;
    dot_i8_fn *dot;
    size_t degree;
    uint32_t *edges;
    uint32_t *parent; /* UINT32_MAX: not reached yet */
    uint32_t *queue;  /* what was reached, in order */
    size_t reached, done, spare; /* of the queue: known, followed, known to have no edge to give */
};

static float apart(const struct reach *r, size_t i, size_t j)
{
    const struct points *x = r->points;
    int32_t dot;
    r->dot(x->codes + i * x->padded, x->codes + j * x->padded, x->padded, NULL, 1, x->padded, &dot);
    return points_apart(x, i, j, dot);
}

static void reach_row(struct reach *r, uint32_t row, uint32_t parent)
{
    if (r->parent[row] != UINT32_MAX) return;
    r->parent[row] = parent;
    r->queue[r->reached++] = row;
}

static void follow(struct reach *r)
{
    for (; r->done < r->reached; r->done++) {
        const uint32_t row = r->queue[r->done];
        for (size_t e = 0; e < r->degree; e++) reach_row(r, r->edges[row * r->degree + e], row);
    }
}

/* The last edge of a row through which nothing was reached; the degree where there is none. */
static size_t spare_edge(const struct reach *r, uint32_t row)
{
    for (size_t e = r->degree; e-- > 0;)
        if (r->parent[r->edges[row * r->degree + e]] != row) return e;
    return r->degree;
}

/* Who is to lead to `row`: the nearest of its own edges that can, or the first row that can. */
static uint32_t choose_parent(struct reach *r, uint32_t row)
{
    uint32_t chosen = UINT32_MAX;
    float least = 0;
    for (size_t e = 0; e < r->degree; e++) {
        const uint32_t other = r->edges[row * r->degree + e];
        if (r->parent[other] == UINT32_MAX || spare_edge(r, other) == r->degree) continue;
        const float a = apart(r, row, other);
        if (chosen == UINT32_MAX || a < least) chosen = other, least = a;
    }
    if (chosen != UINT32_MAX) return chosen;
    while (spare_edge(r, r->queue[r->spare]) == r->degree) r->spare++; /* there are more edges than rows */
    return r->queue[r->spare];
}

int graph_connect(size_t degree, const struct points *points, const struct kernel_set *kernels, uint32_t *edges,
                  const uint32_t *entries, size_t entry_count, size_t *mended, struct err *e)
{
    const size_t n = points->count;
    struct reach r = { .points = points, .degree = degree, .edges = edges, .dot = kernels->of[OP_dot_i8]->fn.dot_i8 };
    r.parent = mem_alloc(n, sizeof *r.parent);
    r.queue = mem_alloc(n, sizeof *r.queue);
    const int status = r.parent && r.queue ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu rows", n);
    *mended = 0;
    for (size_t i = 0; status == ERR_OK && i < n; i++) r.parent[i] = UINT32_MAX;
    for (size_t i = 0; status == ERR_OK && i < entry_count; i++) reach_row(&r, entries[i], entries[i]);
    for (size_t i = 0; status == ERR_OK && i < n; i++) {
        follow(&r);
        if (r.parent[i] != UINT32_MAX) continue;
        const uint32_t parent = choose_parent(&r, (uint32_t)i);
        edges[parent * degree + spare_edge(&r, parent)] = (uint32_t)i;
        reach_row(&r, (uint32_t)i, parent);
        ++*mended;
    }
    mem_free(r.parent), mem_free(r.queue);
    return status;
}
