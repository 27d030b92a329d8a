/* SPDX-License-Identifier: MIT
 * graph.c - reads relations and hyperedges into neighbour lists, and walks them. */
#include "pipeline/graph.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "pipeline/store.h"
#include <stdio.h>
#include <string.h>

struct collected {
    struct graph *graph;
    const struct graph_options *options;
    struct rng rng;
    uint32_t *source, *target;
    size_t count, room;
};

/* 1 when type is one of "a,b,c". */
static int listed(const char *types, const char *type)
{
    const size_t size = strlen(type);
    for (const char *at = types; at;) {
        const char *comma = strchr(at, ',');
        const size_t n = comma ? (size_t)(comma - at) : strlen(at);
        if (n == size && memcmp(at, type, n) == 0) return 1;
        at = comma ? comma + 1 : NULL;
    }
    return 0;
}

static int wanted(const struct graph_options *o, const char *type, double weight)
{
    if (o->types && *o->types && !listed(o->types, type)) return 0;
    return o->least_weight <= 0 || weight >= o->least_weight;
}

static int collect(void *context, int64_t id, int64_t source, int64_t target, const char *type, double weight)
{
    struct collected *c = context;
    struct graph *g = c->graph;
    const uint32_t from = graph_entity(g, source);
    uint32_t to = graph_entity(g, target);
    if (from == GRAPH_NONE || to == GRAPH_NONE) return g->dangling++, 0;
    if (!wanted(c->options, type, weight)) return g->filtered++, 0;
    if (c->options->rewire > 0 && rng_uniform(&c->rng) < c->options->rewire)
        to = (uint32_t)rng_below(&c->rng, g->count);
    if (from == to) return g->loops++, 0;
    if (g->absent && g->absent[to]) return g->dangling++, 0; /* by chance, as a new target */
    if (c->count == c->room) {
        const size_t room = c->room * 2 + 1024;
        if (!mem_extend(&c->source, c->count, room, sizeof *c->source) ||
            !mem_extend(&c->target, c->count, room, sizeof *c->target) ||
            !mem_extend(&g->relation_ids, c->count, room, sizeof *g->relation_ids))
            return ERR_MEM;
        c->room = room;
    }
    c->source[c->count] = from;
    c->target[c->count] = to;
    g->relation_ids[c->count++] = id;
    return 0;
}

/* Gathers the members of one hyperedge, then joins each two. */
struct gathered {
    struct collected *to;
    int64_t hyperedge, members[GRAPH_ARITY_MAX];
    size_t count; /* beyond GRAPH_ARITY_MAX: only counted */
    char type[64];
    double weight;
};

static int join_members(struct gathered *m)
{
    int status = 0;
    const size_t n = m->count;
    if (n > GRAPH_ARITY_MAX) m->to->graph->oversize++;
    for (size_t a = 0; n <= GRAPH_ARITY_MAX && a < n; a++)
        for (size_t b = a + 1; b < n && status == 0; b++)
            status = collect(m->to, -m->hyperedge, m->members[a], m->members[b], m->type, m->weight);
    m->count = 0;
    return status;
}

static int gather_member(void *context, int64_t hyperedge, int64_t entity, const char *type, double weight)
{
    struct gathered *m = context;
    int status = 0;
    if (m->count && hyperedge != m->hyperedge) status = join_members(m);
    m->hyperedge = hyperedge;
    m->weight = weight;
    snprintf(m->type, sizeof m->type, "%s", type);
    if (m->count < GRAPH_ARITY_MAX) m->members[m->count] = entity;
    m->count++;
    return status;
}

static int collect_hyperedges(struct collected *c, struct store *s, struct err *e)
{
    struct gathered m = { .to = c };
    const int status = store_members(s, gather_member, &m, e);
    return status == ERR_OK ? join_members(&m) : status;
}

/* The ends of every relation that may be left: own relations first, each list by relation id. */
static void place_edges(struct graph *g, const struct collected *c, size_t *cursor)
{
    const int leave_source = c->options->direction != GRAPH_IN, leave_target = c->options->direction != GRAPH_OUT;
    for (size_t r = 0; r < c->count; r++) {
        if (leave_source) g->start[c->source[r] + 1]++;
        if (leave_target) g->start[c->target[r] + 1]++;
    }
    for (size_t x = 0; x < g->count; x++) g->start[x + 1] += g->start[x];
    memcpy(cursor, g->start, g->count * sizeof *cursor);
    for (size_t r = 0; leave_source && r < c->count; r++) {
        const size_t at = cursor[c->source[r]]++;
        g->other[at] = c->target[r];
        g->relation[at] = (uint32_t)r;
    }
    for (size_t r = 0; leave_target && r < c->count; r++) {
        const size_t at = cursor[c->target[r]]++;
        g->other[at] = c->source[r];
        g->relation[at] = (uint32_t)r;
    }
}

/* Keeps the first of the edges between the same two entities, and no more than fanout of one entity. */
static void drop_repeats(struct graph *g, uint32_t fanout, uint32_t *seen)
{
    const size_t most = fanout ? fanout : SIZE_MAX;
    memset(seen, 0xff, g->count * sizeof *seen);
    size_t kept = 0;
    for (size_t x = 0; x < g->count; x++) {
        const size_t from = g->start[x], to = g->start[x + 1];
        g->start[x] = kept;
        for (size_t i = from; i < to && kept - g->start[x] < most; i++) {
            if (seen[g->other[i]] == x) continue;
            seen[g->other[i]] = (uint32_t)x;
            g->other[kept] = g->other[i];
            g->relation[kept++] = g->relation[i];
        }
    }
    g->start[g->count] = kept;
    g->edge_count = kept;
}

/* A table from id to number, where the ids leave few gaps; else graph_find halves its way. */
static int make_window(struct graph *g)
{
    if (g->count == 0) return ERR_OK;
    const uint64_t span = (uint64_t)g->ids[g->count - 1] - (uint64_t)g->ids[0];
    if (span / 4 >= g->count) return ERR_OK;
    g->window = mem_alloc(span + 1, sizeof *g->window);
    if (!g->window) return ERR_MEM;
    memset(g->window, 0xff, (span + 1) * sizeof *g->window);
    for (size_t x = 0; x < g->count; x++) g->window[(uint64_t)g->ids[x] - (uint64_t)g->ids[0]] = (uint32_t)x;
    return ERR_OK;
}

/* Puts the ids of `also` that no entity has in their places among those of entities, and marks them. */
static int number_absent(struct graph *g, const int64_t *also, size_t also_count)
{
    size_t more = 0;
    for (size_t i = 0, x = 0; i < also_count; i++) {
        while (x < g->count && g->ids[x] < also[i]) x++;
        more += x == g->count || g->ids[x] != also[i];
    }
    if (more == 0) return ERR_OK;
    const size_t count = g->count + more;
    int64_t *ids = mem_alloc(count, sizeof *ids);
    g->absent = mem_zero(count, 1);
    if (!ids || !g->absent) return mem_free(ids), ERR_MEM;
    for (size_t n = 0, x = 0, i = 0; n < count; n++) {
        g->absent[n] = x == g->count || (i < also_count && also[i] < g->ids[x]);
        ids[n] = g->absent[n] ? also[i] : g->ids[x];
        i += i < also_count && also[i] == ids[n];
        x += !g->absent[n];
    }
    mem_free(g->ids);
    g->ids = ids;
    g->count = count;
    g->absent_count = more;
    return ERR_OK;
}

int graph_load(struct graph *out, struct store *s, const struct graph_options *options, struct err *e)
{
    static const struct graph_options none = { 0 };
    struct graph g = { 0 };
    struct collected c = { .graph = &g, .options = options ? options : &none };
    const int described = (c.options->types && *c.options->types) || c.options->least_weight > 0;
    rng_seed(&c.rng, c.options->seed, 0);
    size_t *cursor = NULL;
    int status = store_entity_ids(s, &g.ids, &g.count, e);
    if (status == ERR_OK && g.count + c.options->also_count >= GRAPH_NONE)
        status = FAIL(e, ERR_UNSUPPORTED, "%s: %zu entities; at most %u", store_path(s), g.count, GRAPH_NONE - 1);
    if (status != ERR_OK) goto out;
    status = number_absent(&g, c.options->also, c.options->also_count);
    if (status == ERR_OK) status = make_window(&g);
    if (status == ERR_OK) status = store_relations(s, described, collect, &c, e);
    if (status == ERR_OK && c.options->hyperedges) status = collect_hyperedges(&c, s, e);
    if (status == ERR_MEM) goto out_of_memory;
    if (status != ERR_OK) goto out;
    g.relation_count = c.count;
    g.start = mem_zero(g.count + 1, sizeof *g.start);
    cursor = mem_alloc(g.count + 1, sizeof *cursor);
    g.other = mem_alloc(c.count, 2 * sizeof *g.other);
    g.relation = mem_alloc(c.count, 2 * sizeof *g.relation);
    if (!g.start || !cursor || !g.other || !g.relation) goto out_of_memory;
    place_edges(&g, &c, cursor);
    drop_repeats(&g, c.options->fanout, (uint32_t *)cursor);
    goto out;
out_of_memory:
    status = FAIL(e, ERR_MEM, "%s: no memory for a graph of %zu entities and %zu relations", store_path(s), g.count,
                  c.count);
out:
    mem_free(cursor);
    mem_free(c.source);
    mem_free(c.target);
    if (status == ERR_OK) *out = g;
    else graph_free(&g);
    return status;
}

void graph_free(struct graph *g)
{
    mem_free(g->ids);
    mem_free(g->start);
    mem_free(g->other);
    mem_free(g->relation);
    mem_free(g->relation_ids);
    mem_free(g->window);
    mem_free(g->absent);
    *g = (struct graph){ 0 };
}

uint32_t graph_find(const struct graph *g, int64_t id)
{
    if (g->count == 0 || id < g->ids[0] || id > g->ids[g->count - 1]) return GRAPH_NONE;
    if (g->window) return g->window[(uint64_t)id - (uint64_t)g->ids[0]];
    size_t low = 0, high = g->count - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (g->ids[middle] < id) low = middle + 1;
        else high = middle;
    }
    return g->ids[low] == id ? (uint32_t)low : GRAPH_NONE;
}

uint32_t graph_entity(const struct graph *g, int64_t id)
{
    const uint32_t x = graph_find(g, id);
    return x != GRAPH_NONE && g->absent && g->absent[x] ? GRAPH_NONE : x;
}

size_t graph_bytes(const struct graph *g)
{
    const size_t span = g->window ? (size_t)(g->ids[g->count - 1] - g->ids[0]) + 1 : 0;
    return g->count * (sizeof *g->ids + sizeof *g->start) + g->edge_count * (sizeof *g->other + sizeof *g->relation) +
           g->relation_count * sizeof *g->relation_ids + span * sizeof *g->window;
}

int walk_init(struct walk *w, const struct graph *g, struct err *e)
{
    *w = (struct walk){ 0 };
    w->found = mem_alloc(g->count, sizeof *w->found);
    w->edge = mem_alloc(g->count, sizeof *w->edge);
    w->stamp = mem_zero(g->count, sizeof *w->stamp);
    if (w->found && w->edge && w->stamp) return ERR_OK;
    walk_free(w);
    return FAIL(e, ERR_MEM, "no memory to walk a graph of %zu entities", g->count);
}

void walk_free(struct walk *w)
{
    mem_free(w->found);
    mem_free(w->edge);
    mem_free(w->stamp);
    *w = (struct walk){ 0 };
}

void walk_forget(struct walk *w, const struct graph *g)
{
    if (++w->epoch != 0) return;
    memset(w->stamp, 0, g->count * sizeof *w->stamp); /* stamps of 2^32 walks ago would look fresh */
    w->epoch = 1;
}

/* How far a walk has come: entities found, and whether its goal is reached. */
struct reached {
    size_t count, most, reached;
    const struct walk_goal *goal;
    int done;
};

/* Appends what lies one step from x. */
static void step_from(const struct graph *g, struct walk *w, uint32_t x, struct reached *p)
{
    const struct walk_goal *goal = p->goal;
    for (size_t i = g->start[x]; i < g->start[x + 1]; i++) {
        const uint32_t y = g->other[i];
        if (w->stamp[y] == w->epoch) continue;
        w->stamp[y] = w->epoch;
        w->found[p->count] = y;
        w->edge[p->count++] = (uint32_t)i;
        if (p->count == p->most) p->done = 1;
        if (goal) {
            p->reached += goal->stamp[y] == goal->epoch;
            if (p->reached >= goal->enough && p->count >= goal->least) p->done = 1;
        }
        if (p->done) return;
    }
}

size_t graph_neighbors(const struct graph *g, struct walk *w, const uint32_t *from, size_t from_count, int depth,
                       size_t most, const struct walk_goal *goal)
{
    walk_forget(w, g);
    for (size_t i = 0; i < from_count; i++) w->stamp[from[i]] = w->epoch;
    struct reached p = { .most = most, .goal = goal, .done = most == 0 };
    size_t next = 0;
    for (int d = 0; d < depth && !p.done; d++) {
        const size_t end = p.count; /* found[next..end) lie d steps away */
        for (size_t i = 0; d == 0 && i < from_count && !p.done; i++) step_from(g, w, from[i], &p);
        for (; next < end && !p.done; next++) step_from(g, w, w->found[next], &p);
    }
    return p.count;
}
