/* SPDX-License-Identifier: MIT
 * test_generators.c - generators give recorded bytes on every machine, keep their recipe, and name
 * what they refuse. */
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <math.h>

/* Recorded on x86-64, gcc 12; the same on aarch64 under qemu. */
static const uint64_t clustered_base = 0xa9be69918e6e57da, clustered_query = 0xe016b70c73085cf8;
static const uint64_t clustered_hard = 0xaf1e0f203fbad83f;

static const uint64_t kg_hashes[4] = {
    0x1d848c528a7929eb, 0xad8832d88376d11d, 0x0d82feecd3c824c0, 0x3ac707d8f78dc36c,
};
static const uint64_t twohop_hashes[3] = { 0xdaf0e43a88400649, 0xabed30a47c00830b, 0x1a3dc323aa2daf8b };

struct made { struct rows base, query; };

static int make_vectors(const char *args, struct made *m, struct err *e)
{
    const struct generator_ops *g = generator_find("clustered");
    struct params *p = NULL;
    int status = params_create(&p, g->params, g->name, args, e);
    if (status == ERR_OK) status = g->vectors(p, &m->base, &m->query, e);
    params_destroy(p);
    return status;
}

static void made_free(struct made *m)
{
    mem_free((void *)(uintptr_t)m->base.at);
    mem_free((void *)(uintptr_t)m->query.at);
}

static uint64_t rows_hash(struct rows r, size_t count) { return hash64(0, r.at, count * r.dim * sizeof *r.at); }

static void clustered_is_reproducible(void)
{
    struct made m = { 0 };
    struct err e = { 0 };
    CHECK(make_vectors("n=2500,dim=384,queries=10,seed=1", &m, &e) == ERR_OK, "%s", e.text);
    CHECK(rows_hash(m.base, 10) == clustered_base, "base: %#llx", (unsigned long long)rows_hash(m.base, 10));
    CHECK(rows_hash(m.query, 10) == clustered_query, "query: %#llx", (unsigned long long)rows_hash(m.query, 10));
    struct made few = { 0 };
    CHECK(make_vectors("n=100,dim=384,queries=3,seed=1", &few, &e) == ERR_OK, "%s", e.text);
    CHECK(rows_hash(few.base, 100) == rows_hash(m.base, 100), "a smaller set is the start of a larger one");
    made_free(&few);
    made_free(&m);
    CHECK(make_vectors("n=10,dim=37,queries=10,seed=2,latent=64,spread=1.0,noise=.8", &m, &e) == ERR_OK, "%s", e.text);
    CHECK(rows_hash(m.base, 10) == clustered_hard, "hard: %#llx", (unsigned long long)rows_hash(m.base, 10));
    made_free(&m);
}

/* The mean cosine of the nearest neighbour grows with n: .784 at 5,000 rows where this code gives
 * the recipe's published figure at 100,000 (gen_clustered.c). */
static void clustered_keeps_its_recipe(void)
{
    struct made m = { 0 };
    struct err e = { 0 };
    CHECK(make_vectors("n=5000,dim=384,queries=200", &m, &e) == ERR_OK, "%s", e.text);
    double nearest = 0, mean = 0;
    for (size_t q = 0; q < m.query.count; q++) {
        double best = -1;
        for (size_t row = 0; row < m.base.count; row++) {
            const double s = fixed_dot(rows_at(m.query, q), rows_at(m.base, row), 384);
            best = s > best ? s : best;
            mean += s;
        }
        nearest += best;
        CHECK(fabs(fixed_dot(rows_at(m.query, q), rows_at(m.query, q), 384) - 1) < 1e-6, "unit length");
    }
    nearest /= (double)m.query.count;
    mean /= (double)(m.query.count * m.base.count);
    CHECK(fabs(nearest - .784) < .002, "nearest %.4f", nearest);
    CHECK(fabs(mean) < .05, "mean cosine %.4f", mean);
    made_free(&m);
}

/* What a graph generator delivered, folded into hashes and counts. */
struct seen {
    uint64_t entities, vectors, relations, queries; /* hashes */
    size_t entity_count, vector_count, relation_count, query_count, near, self_loops, out_of_range;
    size_t n, dim;
    float *rows;          /* n x dim */
    int64_t first_target; /* of the first relation */
    double query_cosine;  /* with the relevant entity, summed */
    int stop_at;          /* fail at this entity; 0: never */
};

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    struct seen *s = context;
    (void)text;
    if (id == s->stop_at) return FAIL(e, ERR_IO, "the sink is full");
    CHECK(id == (int64_t)++s->entity_count, "entity %lld out of order", (long long)id);
    s->entities = hash64(hash64(hash64(s->entities, type, strlen(type)), name, strlen(name)), properties, strlen(properties));
    return ERR_OK;
}

static int see_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    struct seen *s = context;
    (void)e;
    CHECK(fabs(fixed_dot(x, x, dim) - 1) < 1e-6, "entity %lld: unit length", (long long)id);
    memcpy(s->rows + (size_t)(id - 1) * dim, x, dim * sizeof *x);
    s->vector_count++;
    s->vectors = hash64(s->vectors, x, dim * sizeof *x);
    return ERR_OK;
}

static int see_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                        const char *properties, struct err *e)
{
    struct seen *s = context;
    const double row[3] = { (double)source, (double)target, weight };
    (void)properties;
    (void)e;
    if (s->relation_count++ == 0) s->first_target = target;
    s->near += strcmp(type, "near") == 0;
    s->self_loops += source == target;
    s->out_of_range += source < 1 || source > (int64_t)s->n || target < 1 || target > (int64_t)s->n || !(weight <= 1 && weight > 0);
    s->relations = hash64(s->relations, row, sizeof row);
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    struct seen *s = context;
    (void)e;
    CHECK(id == (int64_t)s->query_count++ && !split && !text, "query %lld", (long long)id);
    for (size_t i = 0; i < relevant_count; i++)
        s->query_cosine += fixed_dot(x, s->rows + (size_t)(relevant[i].id - 1) * dim, dim);
    s->queries = hash64(s->queries, x, dim * sizeof *x);
    return ERR_OK;
}

static int see(const char *kind, const char *args, struct seen *s, struct err *e)
{
    const struct generator_ops *g = generator_find(kind);
    const struct kb_sink sink = { .context = s, .entity = see_entity, .vector = see_vector, .relation = see_relation,
                                  .query = see_query };
    struct params *p = NULL;
    if (params_create(&p, g->params, g->name, args, e) != ERR_OK) return ERR_ARG;
    s->n = (size_t)params_int(p, "n");
    s->dim = (size_t)params_int(p, "dim");
    s->rows = mem_alloc(s->n * s->dim, sizeof *s->rows);
    const int status = g->graph(p, &sink, e);
    params_destroy(p);
    return status;
}

static void kg_keeps_its_recipe(void)
{
    struct seen s = { 0 };
    struct err e = { 0 };
    CHECK(see("kg", "n=3000,dim=64,relations=9000,queries=50", &s, &e) == ERR_OK, "%s", e.text);
    CHECK(s.entity_count == 3000 && s.vector_count == 3000 && s.relation_count == 9000 && s.query_count == 50, "counts");
    CHECK(s.self_loops == 0 && s.out_of_range == 0, "%zu loops, %zu out of range", s.self_loops, s.out_of_range);
    /* 7200 expected, deviation sqrt(9000 .8 .2) = 38 */
    CHECK(s.near > 7200 - 4 * 38 && s.near < 7200 + 4 * 38, "%zu near", s.near);
    CHECK(s.entities == kg_hashes[0] && s.vectors == kg_hashes[1] && s.relations == kg_hashes[2] && s.queries == kg_hashes[3],
          "%#llx %#llx %#llx %#llx", (unsigned long long)s.entities, (unsigned long long)s.vectors,
          (unsigned long long)s.relations, (unsigned long long)s.queries);
    mem_free(s.rows);
    /* More clusters than entities: a lonely one may not look for a partner at home for ever. */
    s = (struct seen){ 0 };
    CHECK(see("kg", "n=2,dim=1,relations=20,queries=1", &s, &e) == ERR_OK && s.self_loops == 0, "%s", e.text);
    mem_free(s.rows);
}

static void twohop_plants(void)
{
    struct seen s = { 0 };
    struct err e = { 0 };
    CHECK(see("twohop", "n=2000,dim=64,queries=100,hidden=0.2", &s, &e) == ERR_OK, "%s", e.text);
    CHECK(s.relation_count == 100 + 2 * 2000 && s.self_loops == 0 && s.out_of_range == 0, "%zu", s.relation_count);
    CHECK(s.first_target == 2, "anchor 1 supports evidence 2, not %lld", (long long)s.first_target);
    CHECK(fabs(s.query_cosine / 100 - 0.2) < 1e-6, "cosine of query and evidence %.8f", s.query_cosine / 100);
    CHECK(s.vectors == twohop_hashes[0] && s.relations == twohop_hashes[1] && s.queries == twohop_hashes[2],
          "%#llx %#llx %#llx", (unsigned long long)s.vectors, (unsigned long long)s.relations,
          (unsigned long long)s.queries);
    mem_free(s.rows);
    s = (struct seen){ 0 };
    CHECK(see("twohop", "n=2000,dim=64,queries=100,rewire=1", &s, &e) == ERR_OK && s.first_target != 2, "rewired");
    mem_free(s.rows);
    s = (struct seen){ 0 };
    CHECK(see("twohop", "n=200,dim=64,queries=100", &s, &e) == ERR_ARG && strstr(e.text, "n=200"), "%s", e.text);
    mem_free(s.rows);
}

static void sinks_stop_generators(void)
{
    static const char *const kinds[] = { "kg", "twohop" };
    for (int i = 0; i < 2; i++) {
        struct seen s = { .stop_at = 3 };
        struct err e = { 0 };
        CHECK(see(kinds[i], "n=50,dim=8,queries=5", &s, &e) == ERR_IO && strstr(e.text, "full"), "%s: %s", kinds[i], e.text);
        CHECK(s.vector_count == 0, "nothing more is sent");
        mem_free(s.rows);
    }
}

static void generators_refuse(void)
{
    struct made m = { 0 };
    struct err e = { 0 };
    CHECK(make_vectors("n=0", &m, &e) == ERR_ARG && strstr(e.text, "n=0"), "%s", e.text);
    CHECK(make_vectors("dims=8", &m, &e) == ERR_ARG && strstr(e.text, "'dim'"), "%s", e.text);
    CHECK(make_vectors("noise=nan", &m, &e) == ERR_ARG, "%s", e.text);
    for (long n = 1; n <= 8; n++) {
        struct params *p = NULL;
        if (params_create(&p, generator_find("clustered")->params, "clustered", "n=50,queries=5", &e)) abort();
        fault_after(FAULT_MEMORY, n, ENOMEM);
        const int status = generator_find("clustered")->vectors(p, &m.base, &m.query, &e);
        fault_after(FAULT_NONE, 0, 0);
        params_destroy(p);
        CHECK(status == ERR_OK || (status == ERR_MEM && !m.base.at), "allocation %ld: %d", n, status);
        CHECK(status == ERR_MEM || n > 5, "allocation %ld fails unnoticed", n);
        if (status == ERR_OK) made_free(&m);
        m = (struct made){ 0 };
    }
}

int main(void)
{
    test_case("clustered: recorded bytes, prefixes", clustered_is_reproducible);
    test_case("clustered: the recipe's neighbour cosine", clustered_keeps_its_recipe);
    test_case("kg: recorded bytes, shares and bounds", kg_keeps_its_recipe);
    test_case("twohop: recorded bytes, planted cosines and links", twohop_plants);
    test_case("an error of the sink stops a generator", sinks_stop_generators);
    test_case("bad parameters and no memory are errors", generators_refuse);
    return test_end();
}
