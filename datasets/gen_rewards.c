/* SPDX-License-Identifier: MIT
 * gen_rewards.c - memories that look alike and are worth different things: the case for learning from rewards.
 *
 * A situation is a random unit vector; it has `options` memories, all at the cosine `similarity` to it.  Option j of a
 * situation, in a random order, succeeds with probability worst + (best - worst) j / (options - 1).  A query is one
 * more vector at that cosine to a situation that is drawn uniformly; it finds relevant every option of the situation
 * that succeeds, each by a draw of its own: Bernoulli rewards.  So the share of labels is (worst + best) / 2, which is
 * what similarity alone can reach at its first answer, and `best` is what learning can.  The first half of the
 * queries is the split tune, the rest report, each numbered from 0.  Entities beyond the options are random
 * background. */
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/rng.h"
#include <stdio.h>

enum { STREAM_ORDER = 1, OPTIONS_MOST = 256 };
static const uint64_t stream_situation = 1ull << 40, stream_entity = 2ull << 40, stream_query = 3ull << 40;

struct bandit {
    size_t n, dim, situations, options, queries;
    double similarity, worst, best;
    uint64_t seed;
    const struct kb_sink *sink;
    float *centre, *x;
    uint32_t *rank; /* situations x options: 0 is the worst */
};

static double chance(const struct bandit *b, size_t entity)
{
    const double step = b->options > 1 ? (b->best - b->worst) / (double)(b->options - 1) : 0;
    return b->options > 1 ? b->worst + step * b->rank[entity] : b->best;
}

static int send_entities(struct bandit *b, struct err *e)
{
    const size_t placed = b->situations * b->options;
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < b->n && b->sink->entity; i++) {
        char name[64], properties[96] = "{}";
        if (i < placed) {
            snprintf(name, sizeof name, "option %zu of situation %zu", i % b->options, i / b->options);
            snprintf(properties, sizeof properties, "{\"situation\":%zu,\"chance\":%.6f}", i / b->options,
                     chance(b, i));
        } else {
            snprintf(name, sizeof name, "background %zu", i);
        }
        status = b->sink->entity(b->sink->context, (int64_t)i + 1, i < placed ? "option" : "background", name,
                                 properties,
                                 NULL, e);
    }
    for (size_t i = 0; status == ERR_OK && i < b->n && b->sink->vector; i++) {
        unit_random(b->x, b->dim, b->seed, stream_entity + i);
        if (i < placed) {
            unit_random(b->centre, b->dim, b->seed, stream_situation + i / b->options);
            unit_tilt(b->x, b->centre, b->dim, b->similarity);
        }
        status = b->sink->vector(b->sink->context, (int64_t)i + 1, b->x, b->dim, e);
    }
    return status;
}

static int send_query(struct bandit *b, size_t i, struct err *e)
{
    struct rng r;
    struct kb_label relevant[OPTIONS_MOST];
    size_t count = 0;
    rng_seed(&r, b->seed, stream_query + 2 * i);
    const size_t situation = (size_t)rng_below(&r, b->situations);
    for (size_t j = 0; j < b->options; j++) {
        const size_t entity = situation * b->options + j;
        if (rng_uniform(&r) < chance(b, entity))
            relevant[count++] = (struct kb_label){ .id = (int64_t)entity + 1, .grade = 1 };
    }
    unit_random(b->centre, b->dim, b->seed, stream_situation + situation);
    unit_random(b->x, b->dim, b->seed, stream_query + 2 * i + 1);
    unit_tilt(b->x, b->centre, b->dim, b->similarity);
    const size_t tune = b->queries / 2;
    const int64_t number = (int64_t)(i < tune ? i : i - tune);
    return b->sink->query(b->sink->context, number, i < tune ? "tune" : "report", NULL, b->x, b->dim, relevant, count, e);
}

static int send_all(struct bandit *b, struct err *e)
{
    struct rng r;
    rng_seed(&r, b->seed, STREAM_ORDER);
    for (size_t s = 0; s < b->situations; s++) rng_shuffle(&r, b->rank + s * b->options, b->options);
    int status = send_entities(b, e);
    for (size_t i = 0; status == ERR_OK && i < b->queries && b->sink->query; i++) status = send_query(b, i, e);
    return status;
}

static int graph(const struct params *p, const struct kb_sink *sink, struct err *e)
{
    struct bandit b = {
        .n = (size_t)params_int(p, "n"), .dim = (size_t)params_int(p, "dim"),
        .queries = (size_t)params_int(p, "queries"),
        .situations = (size_t)params_int(p, "situations"), .options = (size_t)params_int(p, "options"),
        .similarity = params_real(p, "similarity"), .worst = params_real(p, "worst"), .best = params_real(p, "best"),
        .seed = (uint64_t)params_int(p, "seed"), .sink = sink,
    };
    if (b.situations > b.n / b.options)
        return FAIL(e, ERR_ARG, "rewards: n=%zu cannot hold options=%zu of situations=%zu", b.n, b.options,
                    b.situations);
    if (b.best < b.worst)
        return FAIL(e, ERR_ARG, "rewards: best=%s is below worst=%s", params_text(p, "best"), params_text(p, "worst"));
    b.centre = mem_alloc(b.dim, sizeof *b.centre);
    b.x = mem_alloc(b.dim, sizeof *b.x);
    b.rank = mem_alloc(b.situations * b.options, sizeof *b.rank);
    const int status = b.centre && b.x && b.rank ? send_all(&b, e)
                                                 : FAIL(e, ERR_MEM, "rewards: no memory for n=%zu", b.n);
    mem_free(b.centre);
    mem_free(b.x);
    mem_free(b.rank);
    return status;
}

static const struct param params[] = {
    { "n", PARAM_INT, 1, 1e9, "20000", "vectors", NULL, "entities" },
    { "dim", PARAM_INT, 2, DATASET_DIM_MAX, "128", "", NULL, "dimension" },
    { "queries", PARAM_INT, 1, 1e9, "2000", "queries", NULL, "query vectors, half of them to learn from" },
    { "seed", PARAM_INT, 0, 9e15, "1", "", NULL, "same seed, same bytes, on every machine" },
    { "situations", PARAM_INT, 1, 1e8, "100", "", NULL, "what queries are about" },
    { "options", PARAM_INT, 1, OPTIONS_MOST, "5", "", NULL, "memories of each situation" },
    { "similarity", PARAM_REAL, -1, 1, "0.8", "", NULL, "cosine of what belongs together" },
    { "worst", PARAM_REAL, 0, 1, "0.1", "", NULL, "chance of reward of a situation's worst option" },
    { "best", PARAM_REAL, 0, 1, "0.9", "", NULL, "chance of reward of its best" },
    { 0 }
};

const struct generator_ops gen_rewards = {
    .name = "rewards",
    .summary = "memories alike in vector and unlike in worth, and queries that reward them by chance",
    .params = params,
    .graph = graph,
};
