/* SPDX-License-Identifier: MIT */
#include "index/look.h"
#include <stdlib.h>
#include <string.h>
#include "index/walk.h"

enum { LOOKED = 200, /* of its own rows, where no queries are given */ K = 10 };

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
    for (; parent[i] != i; i = parent[i]) parent[i] = parent[parent[i]];
    return i;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Edges that come in, parts that no edge connects, and what cannot be reached from the root.  room: 2 a node. */
static void look_at_edges(const struct nodes *n, uint32_t *room, index_fact *fact, void *context)
{
    uint32_t *parent = room, *queue = room + n->count, *coming = queue;
    size_t components = n->count, reached = 0, distinct = 0;
    for (size_t i = 0; i < n->count; i++) parent[i] = (uint32_t)i, coming[i] = 0;
    for (size_t i = 0; i < n->count; i++)
        for (size_t e = 0; e < n->degree; e++) {
            const uint32_t to = nodes_edges(n, i)[e], a = root_of(parent, (uint32_t)i), b = root_of(parent, to);
            size_t same = 0;
            while (same < e && nodes_edges(n, i)[same] != to) same++;
            distinct += same == e;
            coming[to]++;
            components -= a != b;
            parent[a] = b;
        }
    qsort(coming, n->count, sizeof *coming, ascending);
    fact(context, "nodes", (double)n->count, "of the graph");
    fact(context, "entries", (double)n->entry_count, "that the root leads to");
    fact(context, "degree_mean", (double)distinct / (double)n->count, "different edges of a node");
    fact(context, "degree_in_min", coming[0], "edges that lead to a node");
    fact(context, "degree_in_p50", coming[n->count / 2], "");
    fact(context, "degree_in_p99", coming[n->count - 1 - n->count / 100], "");
    fact(context, "degree_in_max", coming[n->count - 1], "");
    fact(context, "components", (double)components, "parts of the graph, whichever way its edges lead");
    memset(parent, 0, n->count * sizeof *parent);
    for (size_t i = 0; i < n->entry_count; i++)
        if (!parent[n->entries[i]]) parent[n->entries[i]] = 1, queue[reached++] = n->entries[i];
    for (size_t done = 0; done < reached; done++)
        for (size_t e = 0; e < n->degree; e++) {
            const uint32_t to = nodes_edges(n, queue[done])[e];
            if (!parent[to]) parent[to] = 1, queue[reached++] = to;
        }
    fact(context, "unreached", (double)(n->count - reached), "nodes that the root does not lead to");
}

struct trial { struct topk best; int64_t own; };

static void offer(void *context, uint32_t node, float score)
{
    struct trial *t = context;
    if (node != t->own) topk_push(&t->best, node, score);
}

static size_t common(const struct hit *a, size_t a_count, const struct hit *b, size_t b_count)
{
    size_t same = 0;
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++) same += a[i].id == b[j].id;
    return same;
}

/* The best K of a walk as it is, or with scores for estimates. */
static size_t try_walk(struct walk *w, const float *x, int64_t own, int is_exact, struct hit *hits)
{
    struct trial t = { .own = own };
    topk_init(&t.best, hits, K);
    w->is_exact = is_exact;
    walk(w, x, offer, &t);
    return topk_finish(&t.best);
}

int nodes_look(const struct nodes *n, size_t ef, struct rows queries, index_fact *fact, void *context, struct err *e)
{
    struct walk w;
    struct hit truth[K], hits[K];
    const size_t own = n->count < LOOKED ? n->count : LOOKED, asked = queries.count ? queries.count : own;
    const size_t pool = ef > K ? ef : K;
    if (n->count == 0) return ERR_OK;
    uint32_t *room = mem_alloc(2 * n->count, sizeof *room);
    float *x = mem_alloc(2 * n->dim, sizeof *x);
    void *scratch = mem_alloc(1, walk_lay_out(&w, n, pool, NULL));
    if (!room || !x || !scratch) {
        mem_free(room), mem_free(x), mem_free(scratch);
        return FAIL(e, ERR_MEM, "no memory to look at %zu nodes", n->count);
    }
    look_at_edges(n, room, fact, context);
    walk_lay_out(&w, n, pool, scratch);
    *w.counts = (struct walk_counts){ 0 };
    size_t wanted = 0, found = 0, exact = 0;
    for (size_t q = 0; q < asked; q++) {
        const int64_t node = queries.count ? -1 : (int64_t)(q * n->count / own);
        if (node < 0) memcpy(x, rows_at(queries, q), n->dim * sizeof *x);
        else nodes_row(n, (size_t)node, x, x + n->dim);
        size_t count = try_walk(&w, x, node, 0, hits);
        struct trial t = { .own = node };
        topk_init(&t.best, truth, K);
        for (size_t i = 0; i < n->count; i++) offer(&t, (uint32_t)i, walk_score(&w, i));
        const size_t all = topk_finish(&t.best);
        wanted += all;
        found += common(truth, all, hits, count);
        count = try_walk(&w, x, node, 1, hits);
        exact += common(truth, all, hits, count);
    }
    const double most = wanted ? (double)wanted : 1;
    fact(context, "recall_at_10", (double)found / most,
         queries.count ? "of the queries" : "of its own rows' neighbours");
    fact(context, "recall_exact_walk", (double)exact / most, "the same search with scores in place of estimates");
    fact(context, "lost_to_graph", 1 - (double)exact / most, "");
    fact(context, "lost_to_codes", (double)exact / most - (double)found / most, "");
    mem_free(room), mem_free(x), mem_free(scratch);
    return ERR_OK;
}
