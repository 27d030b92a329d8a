/* SPDX-License-Identifier: MIT
 * test_gen_bytes.c - every generator that is registered gives recorded bytes, on every machine; small, so that it runs
 * under qemu too. */
#include "datasets/dataset.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"

/* Recorded on x86-64, gcc 12; the same under clang, and on aarch64 and old x86 under qemu. */
static const struct { const char *kind, *args; uint64_t hash; } records[] = {
    { "clustered", "n=70,dim=37,queries=5", 0xa37f791adebfeb9e },
    { "isotropic", "n=70,dim=37,queries=5", 0x207b4a9a5cfe6f8b },
    { "laplace", "n=70,dim=37,queries=5", 0xed5bf251da10d6fa },
    { "student", "n=70,dim=37,queries=5", 0x3975b7871aab0a53 },
    { "student", "n=70,dim=37,queries=5,freedom=1", 0x6fac0348d9640a20 },
    { "anisotropic", "n=70,dim=37,queries=5", 0xfe234d64110c09f4 },
    { "anisotropic", "n=70,dim=37,queries=5,spectrum=exponential,decay=2,rotate=false", 0xc4daf2b94db844e8 },
    { "sparse", "n=70,dim=37,queries=5,density=0.2", 0x58e4b9d6c390e768 },
    { "planted", "n=70,dim=37,queries=5", 0x3098f32b24afb85a },
    { "ood", "n=70,dim=37,queries=5,latent=8", 0x28201da64ca12a87 },
    { "filters", "base_file=b.fvecs,query_file=q.fvecs,selectivity=0.2,correlation=0.5", 0x7c0c8132d02fcd8d },
    { "kg", "n=70,dim=37,queries=5,relations=200", 0xa74c10e53f1d2db1 },
    { "twohop", "n=70,dim=37,queries=5,rewire=0.5", 0x47ad4c6b6d40464f },
    { "rewards", "n=70,dim=37,queries=9,situations=10,options=5", 0x5dd890e93769d4f4 },
};
enum { RECORDS = sizeof records / sizeof *records };

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    uint64_t *h = context;
    const char *const parts[] = { type, name, properties, text ? text : "" };
    (void)e;
    *h = hash64(*h, &id, sizeof id);
    for (int i = 0; i < 4; i++) *h = hash64(*h, parts[i], strlen(parts[i]));
    return ERR_OK;
}

static int see_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    uint64_t *h = context;
    (void)e;
    *h = hash64(hash64(*h, &id, sizeof id), x, dim * sizeof *x);
    return ERR_OK;
}

static int see_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                        const char *properties, struct err *e)
{
    uint64_t *h = context;
    const int64_t ends[2] = { source, target };
    (void)properties;
    (void)e;
    *h = hash64(hash64(hash64(*h, ends, sizeof ends), type, strlen(type)), &weight, sizeof weight);
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    uint64_t *h = context;
    (void)e;
    (void)text;
    *h = hash64(*h, &id, sizeof id);
    if (split) *h = hash64(*h, split, strlen(split));
    *h = hash64(*h, x, dim * sizeof *x);
    for (size_t i = 0; i < relevant_count; i++) {
        const int64_t label[2] = { relevant[i].id, relevant[i].grade };
        *h = hash64(*h, label, sizeof label);
    }
    return ERR_OK;
}

static int hash_of(const struct generator_ops *g, const char *args, uint64_t *h, struct err *e)
{
    struct params *p = NULL;
    int status = params_create(&p, g->params, g->name, args, e);
    if (status == ERR_OK && g->graph) {
        const struct kb_sink sink = { .context = h, .entity = see_entity, .vector = see_vector,
                                      .relation = see_relation, .query = see_query };
        status = g->graph(p, &sink, e);
    } else if (status == ERR_OK && g->filters) {
        struct tags base = { 0 }, query = { 0 };
        status = g->filters(p, &base, &query, e);
        if (status == ERR_OK) {
            *h = hash64(*h, base.start, (base.rows + 1) * sizeof *base.start);
            *h = hash64(*h, base.tag, (size_t)base.start[base.rows] * sizeof *base.tag);
            *h = hash64(*h, query.tag, (size_t)query.start[query.rows] * sizeof *query.tag);
        }
        tags_free(&base);
        tags_free(&query);
    } else if (status == ERR_OK) {
        struct rows base = { 0 }, query = { 0 };
        status = g->vectors(p, &base, &query, e);
        if (status == ERR_OK) {
            *h = hash64(*h, base.at, base.count * base.dim * sizeof *base.at);
            *h = hash64(*h, query.at, query.count * query.dim * sizeof *query.at);
        }
        mem_free((void *)(uintptr_t)base.at);
        mem_free((void *)(uintptr_t)query.at);
    }
    params_destroy(p);
    return status;
}

static void bytes_are_as_recorded(void)
{
    for (size_t i = 0; i < RECORDS; i++) {
        struct err e = { 0 };
        uint64_t h = 0;
        const struct generator_ops *g = generator_find(records[i].kind);
        CHECK(g && hash_of(g, records[i].args, &h, &e) == ERR_OK, "%s: %s", records[i].kind, e.text);
        CHECK(h == records[i].hash, "{ \"%s\", \"%s\", 0x%016llx },", records[i].kind, records[i].args,
              (unsigned long long)h);
    }
}

static void none_is_without_record(void)
{
    for (size_t i = 0; generator_at(i); i++) {
        int known = 0;
        for (size_t r = 0; r < RECORDS; r++) known |= strcmp(records[r].kind, generator_at(i)->name) == 0;
        CHECK(known, "%s: record its bytes here", generator_at(i)->name);
    }
}

/* Row i depends on the seed and i alone, so that a larger set begins with the smaller one. */
static void prefixes_and_seeds(void)
{
    static const char *const kinds[] = { "isotropic", "laplace", "student", "anisotropic", "sparse", "ood" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct generator_ops *g = generator_find(kinds[i]);
        static const char *const args[] = { "n=300,dim=100,queries=2", "n=40,dim=100,queries=2",
                                           "n=40,dim=100,queries=2,seed=2" };
        struct rows base[3] = { 0 }, query[3] = { 0 };
        for (int a = 0; a < 3; a++) {
            struct err e = { 0 };
            struct params *p = NULL;
            CHECK(params_create(&p, g->params, g->name, args[a], &e) == ERR_OK, "%s", e.text);
            CHECK(g->vectors(p, &base[a], &query[a], &e) == ERR_OK, "%s: %s", kinds[i], e.text);
            params_destroy(p);
        }
        CHECK(memcmp(base[0].at, base[1].at, 40 * 100 * sizeof(float)) == 0, "%s: the start of a larger set", kinds[i]);
        CHECK(memcmp(base[1].at, base[2].at, 100 * sizeof(float)) != 0, "%s: another seed", kinds[i]);
        CHECK(memcmp(base[1].at, query[1].at, 100 * sizeof(float)) != 0, "%s: queries are not the base", kinds[i]);
        for (int a = 0; a < 3; a++) {
            mem_free((void *)(uintptr_t)base[a].at);
            mem_free((void *)(uintptr_t)query[a].at);
        }
    }
}

/* What the filters are of. */
static void write_set(void)
{
    const struct generator_ops *g = generator_find("isotropic");
    struct params *p = NULL;
    struct rows base = { 0 }, query = { 0 };
    struct err e = { 0 };
    CHECK(params_create(&p, g->params, g->name, "n=70,dim=37,queries=5", &e) == ERR_OK, "%s", e.text);
    CHECK(g->vectors(p, &base, &query, &e) == ERR_OK, "%s", e.text);
    CHECK(dataset_write_fvecs("b.fvecs", base, &e) == ERR_OK && dataset_write_fvecs("q.fvecs", query, &e) == ERR_OK,
          "%s", e.text);
    params_destroy(p);
    mem_free((void *)(uintptr_t)base.at);
    mem_free((void *)(uintptr_t)query.at);
}

int main(void)
{
    char folder[] = "/tmp/assay-test-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return TEST_FAIL;
    write_set();
    test_case("every generator gives its recorded bytes", bytes_are_as_recorded);
    test_case("no generator is without a record", none_is_without_record);
    test_case("rows depend on seed and number alone", prefixes_and_seeds);
    return unlink("b.fvecs") == 0 && unlink("q.fvecs") == 0 && rmdir(folder) == 0 ? test_end() : TEST_FAIL;
}
