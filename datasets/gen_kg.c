/* SPDX-License-Identifier: MIT
 * gen_kg.c - a knowledge graph in which what is near is also linked: the data that the Rust engine
 * was measured on.
 *
 * 200 random unit centres; an entity's vector is normalize(centre + 0.9 x a random unit vector),
 * so two of one cluster have cosine 1 / 1.81 = .55 on average.  80 % of the relations ("near") join
 * two of one cluster, 20 % ("far") any two; weights are uniform in [0.5, 1].  Queries are drawn as
 * entities are. */
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/rng.h"
#include <stdio.h>
#include <string.h>

enum { CENTRES = 200, FAR_IN = 5 /* one relation in 5 is far */ };
enum { STREAM_CLUSTERS = 1, STREAM_RELATIONS = 2 };
static const uint64_t stream_centre = 1ull << 40, stream_entity = 2ull << 40, stream_query = 3ull << 40;

struct kg {
    size_t n, dim;
    uint64_t seed;
    const struct kb_sink *sink;
    float *centres; /* CENTRES x dim */
    float *x;       /* dim */
    uint8_t *cluster;  /* of each entity */
    uint32_t *members; /* entities sorted by cluster */
    size_t first[CENTRES + 1];
};

static void draw_clusters(struct kg *g)
{
    struct rng r;
    rng_seed(&r, g->seed, STREAM_CLUSTERS);
    for (size_t i = 0; i < g->n; i++) {
        g->cluster[i] = (uint8_t)rng_below(&r, CENTRES);
        g->first[g->cluster[i] + 1]++;
    }
    for (int c = 0; c < CENTRES; c++) g->first[c + 1] += g->first[c];
    size_t next[CENTRES];
    memcpy(next, g->first, sizeof next);
    for (size_t i = 0; i < g->n; i++) g->members[next[g->cluster[i]]++] = (uint32_t)i;
    for (int c = 0; c < CENTRES; c++)
        unit_random(g->centres + (size_t)c * g->dim, g->dim, g->seed, stream_centre + (uint64_t)c);
}

static void draw_near(struct kg *g, int cluster, uint64_t stream)
{
    const float *centre = g->centres + (size_t)cluster * g->dim;
    unit_random(g->x, g->dim, g->seed, stream);
    for (size_t i = 0; i < g->dim; i++) g->x[i] = centre[i] + 0.9f * g->x[i];
    unit_make(g->x, g->dim);
}

static int send_entities(struct kg *g, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < g->n && g->sink->entity; i++) {
        char name[48], properties[48];
        snprintf(name, sizeof name, "entity %zu of cluster %d", i + 1, g->cluster[i]);
        snprintf(properties, sizeof properties, "{\"cluster\":%d}", g->cluster[i]);
        status = g->sink->entity(g->sink->context, (int64_t)i + 1, "entity", name, properties, NULL, e);
    }
    for (size_t i = 0; status == ERR_OK && i < g->n && g->sink->vector; i++) {
        draw_near(g, g->cluster[i], stream_entity + i);
        status = g->sink->vector(g->sink->context, (int64_t)i + 1, g->x, g->dim, e);
    }
    return status;
}

static int send_relations(struct kg *g, size_t count, struct err *e)
{
    struct rng r;
    int status = ERR_OK;
    rng_seed(&r, g->seed, STREAM_RELATIONS);
    for (size_t i = 0; status == ERR_OK && i < count && g->sink->relation; i++) {
        const size_t source = (size_t)rng_below(&r, g->n);
        const int c = g->cluster[source];
        const size_t size = g->first[c + 1] - g->first[c];
        const int far = rng_below(&r, FAR_IN) == 0 || size == 1;
        size_t target;
        do target = far ? (size_t)rng_below(&r, g->n) : g->members[g->first[c] + (size_t)rng_below(&r, size)];
        while (target == source);
        const double weight = 0.5 + 0.5 * rng_uniform(&r);
        status = g->sink->relation(g->sink->context, (int64_t)source + 1, (int64_t)target + 1, far ? "far" : "near",
                                   weight, NULL, e);
    }
    return status;
}

static int send_queries(struct kg *g, size_t count, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count && g->sink->query; i++) {
        struct rng r;
        rng_seed(&r, g->seed, stream_query + 2 * i);
        draw_near(g, (int)rng_below(&r, CENTRES), stream_query + 2 * i + 1);
        status = g->sink->query(g->sink->context, (int64_t)i, NULL, NULL, g->x, g->dim, NULL, 0, e);
    }
    return status;
}

static int graph(const struct params *p, const struct kb_sink *sink, struct err *e)
{
    struct kg g = { .n = (size_t)params_int(p, "n"), .dim = (size_t)params_int(p, "dim"),
                    .seed = (uint64_t)params_int(p, "seed"), .sink = sink };
    int status = ERR_OK;
    g.centres = mem_alloc(CENTRES * g.dim, sizeof *g.centres);
    g.x = mem_alloc(g.dim, sizeof *g.x);
    g.cluster = mem_alloc(g.n, sizeof *g.cluster);
    g.members = mem_alloc(g.n, sizeof *g.members);
    if (!g.centres || !g.x || !g.cluster || !g.members) {
        status = FAIL(e, ERR_MEM, "kg: no memory for n=%zu", g.n);
    } else {
        draw_clusters(&g);
        status = send_entities(&g, e);
    }
    if (status == ERR_OK) status = send_relations(&g, (size_t)params_int(p, "relations"), e);
    if (status == ERR_OK) status = send_queries(&g, (size_t)params_int(p, "queries"), e);
    mem_free(g.centres);
    mem_free(g.x);
    mem_free(g.cluster);
    mem_free(g.members);
    return status;
}

static const struct param params[] = {
    { "n", PARAM_INT, 2, 1e9, "20000", "vectors", NULL, "entities" },
    { "dim", PARAM_INT, 1, DATASET_DIM_MAX, "384", "", NULL, "dimension" },
    { "relations", PARAM_INT, 0, 1e10, "100000", "rows", NULL, "relations, 80 % within a cluster" },
    { "queries", PARAM_INT, 0, 1e9, "200", "queries", NULL, "query vectors" },
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" },
    { 0 }
};

const struct generator_ops gen_kg = {
    .name = "kg",
    .summary = "a knowledge graph in which what is near is also linked",
    .params = params,
    .graph = graph,
};
