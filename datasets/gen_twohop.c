/* SPDX-License-Identifier: MIT
 * gen_twohop.c - planted two-hop queries: does following a link repair what the codes lost?
 *
 * For each query q: an anchor a with cos(q, a) = .7, which any index finds, and its evidence b with
 * cos(q, b) = hidden, linked to a.  Everything else is a uniformly random unit vector, and every
 * entity has `noise_edges` links to random others.  Only the evidence is relevant: the anchor is the
 * way, not the answer.
 *
 * What to expect.  Cosines of q with the background have deviation s = 1 / sqrt(dim), so the j-th
 * best of n is near c_j = s z(1 - j/n), z the normal quantile.  The exact answer holds b among the
 * first k when hidden > c_k.  b-bit codes of distortion D add noise s sqrt(D / (1 - D)) to every score
 * (D = .3634 .1175 .0345 .0095 for 1..4 bits), so b stays out of the m candidates with probability
 *     Phi((c_m sqrt(1 + D/(1-D)) - hidden) / (s sqrt(D/(1-D)))).
 * With the defaults (n=20000, dim=128, hidden=.31: c_10 = .291, m = 50): lost .50 .07 .000 .000.
 * Expansion over the link brings b back whenever a is among the candidates, and scores it exactly;
 * so depth 1 is level in bits where depth 0 falls.  Below hidden = c_k neither finds it.  Measured
 * (500 queries, turboquant, pipeline defaults), share of evidence in the first 10 at 1..4 bits:
 * no expansion .540 .932 1.000 1.000, depth 1 .986 .952 .988 .988, depth 2 1.000 .996 .994 .994.
 * (The last percent: pool_fraction spreads a larger pool's credit over the background.)
 * `rewire` redirects that share of the links a - b to random entities: the gain must go with them. */
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>

static const double anchor_cosine = 0.7;
enum { STREAM_RELATIONS = 1 };
static const uint64_t stream_query = 1ull << 40, stream_entity = 2ull << 40;

struct twohop {
    size_t n, dim, queries, noise_edges;
    double hidden, rewire;
    uint64_t seed;
    const struct kb_sink *sink;
    float *q, *x;
};

/* Entity 2i is the anchor of query i, 2i + 1 its evidence, for i < queries. */
static size_t anchor_of(size_t query) { return 2 * query; }
static size_t evidence_of(size_t query) { return 2 * query + 1; }

static void draw_entity(struct twohop *t, size_t i)
{
    unit_random(t->x, t->dim, t->seed, stream_entity + i);
    if (i >= 2 * t->queries) return;
    unit_random(t->q, t->dim, t->seed, stream_query + i / 2);
    unit_tilt(t->x, t->q, t->dim, i == anchor_of(i / 2) ? anchor_cosine : t->hidden);
}

static int send_entities(struct twohop *t, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < t->n && t->sink->entity; i++) {
        const char *type = i >= 2 * t->queries ? "background" : i == anchor_of(i / 2) ? "anchor" : "evidence";
        char name[48];
        snprintf(name, sizeof name, "%s %zu", type, i >= 2 * t->queries ? i : i / 2);
        status = t->sink->entity(t->sink->context, (int64_t)i + 1, type, name, "{}", NULL, e);
    }
    for (size_t i = 0; status == ERR_OK && i < t->n && t->sink->vector; i++) {
        draw_entity(t, i);
        status = t->sink->vector(t->sink->context, (int64_t)i + 1, t->x, t->dim, e);
    }
    return status;
}

static size_t other_than(struct rng *r, size_t n, size_t i)
{
    const size_t drawn = (size_t)rng_below(r, n - 1);
    return drawn + (drawn >= i);
}

static int send_relations(struct twohop *t, struct err *e)
{
    struct rng r;
    int status = ERR_OK;
    if (!t->sink->relation) return ERR_OK;
    rng_seed(&r, t->seed, STREAM_RELATIONS);
    for (size_t i = 0; status == ERR_OK && i < t->queries; i++) {
        const int moved = rng_uniform(&r) < t->rewire;
        const size_t target = moved ? other_than(&r, t->n, anchor_of(i)) : evidence_of(i);
        status = t->sink->relation(t->sink->context, (int64_t)anchor_of(i) + 1, (int64_t)target + 1, "supports", 1,
                                   NULL, e);
    }
    for (size_t i = 0; status == ERR_OK && i < t->n * t->noise_edges; i++) {
        const size_t source = i / t->noise_edges;
        status = t->sink->relation(t->sink->context, (int64_t)source + 1, (int64_t)other_than(&r, t->n, source) + 1,
                                   "noise", 1, NULL, e);
    }
    return status;
}

static int send_queries(struct twohop *t, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < t->queries && t->sink->query; i++) {
        const struct kb_label relevant = { .id = (int64_t)evidence_of(i) + 1, .grade = 1 };
        unit_random(t->q, t->dim, t->seed, stream_query + i);
        status = t->sink->query(t->sink->context, (int64_t)i, NULL, NULL, t->q, t->dim, &relevant, 1, e);
    }
    return status;
}

static int graph(const struct params *p, const struct kb_sink *sink, struct err *e)
{
    struct twohop t = {
        .n = (size_t)params_int(p, "n"), .dim = (size_t)params_int(p, "dim"),
        .queries = (size_t)params_int(p, "queries"), .noise_edges = (size_t)params_int(p, "noise_edges"),
        .hidden = params_real(p, "hidden"), .rewire = params_real(p, "rewire"),
        .seed = (uint64_t)params_int(p, "seed"), .sink = sink,
    };
    if (t.n < 2 * t.queries + 1)
        return FAIL(e, ERR_ARG, "twohop: n=%zu cannot hold %zu anchors and as many evidences", t.n, t.queries);
    int status = ERR_OK;
    t.q = mem_alloc(t.dim, sizeof *t.q);
    t.x = mem_alloc(t.dim, sizeof *t.x);
    if (!t.q || !t.x) status = FAIL(e, ERR_MEM, "twohop: no memory for dim=%zu", t.dim);
    if (status == ERR_OK) status = send_entities(&t, e);
    if (status == ERR_OK) status = send_relations(&t, e);
    if (status == ERR_OK) status = send_queries(&t, e);
    mem_free(t.q);
    mem_free(t.x);
    return status;
}

static const struct param params[] = {
    { "n", PARAM_INT, 3, 1e9, "20000", "vectors", NULL, "entities" },
    { "dim", PARAM_INT, 2, DATASET_DIM_MAX, "128", "", NULL, "dimension" },
    { "queries", PARAM_INT, 1, 1e8, "500", "queries", NULL, "query vectors, each with an anchor and an evidence" },
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" },
    { "hidden", PARAM_REAL, -1, 1, "0.31", "", NULL, "cosine of query and evidence" },
    { "noise_edges", PARAM_INT, 0, 1000, "2", "", NULL, "links of every entity to random others" },
    { "rewire", PARAM_REAL, 0, 1, "0", "", NULL, "share of the planted links that go elsewhere instead" },
    { 0 }
};

const struct generator_ops gen_twohop = {
    .name = "twohop",
    .summary = "planted two-hop queries: a link leads to evidence that the codes may lose",
    .params = params,
    .graph = graph,
};
