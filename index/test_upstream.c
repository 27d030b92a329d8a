/* SPDX-License-Identifier: MIT
 * test_upstream.c - the engine's answers on its own database, and its levels by its own procedure. */
#include <jansson.h> /* so that WORKER=1, which has no such index, leaves this test out */
#include <math.h>
#include "index/index.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { D = 64, Q = 20, K = 50 };

static FILE *open_fixture(const char *file, char *path, size_t size)
{
    const char *shared = getenv("ASSAY_SHARED");
    snprintf(path, size, "%s/fixtures/sqlite_kg_v0111/%s", shared ? shared : "../shared", file);
    return fopen(path, "rb");
}

static int make(struct index **ix, const char *db, size_t dim, struct err *e)
{
    char spec[600];
    const struct index_config c = { .dim = dim, .metric = METRIC_COSINE, .seed = 42, .threads = 1 };
    snprintf(spec, sizeof spec, "upstream:db=%s", db);
    return index_create(ix, spec, &c, e);
}

static void equals_the_engine(void)
{
    char path[512];
    FILE *f = open_fixture("queries_f32le.bin", path, sizeof path);
    if (!f) SKIP("no fixture: set ASSAY_SHARED");
    static float queries[Q * D];
    CHECK(fread(queries, sizeof *queries, Q * D, f) == Q * D, "%s", path);
    fclose(f);
    struct index *ix = NULL;
    struct err e = { 0 };
    f = open_fixture("fixture_v0111.db", path, sizeof path);
    if (f) fclose(f);
    CHECK(make(&ix, path, D, &e) == ERR_OK, "%s", e.text);
    if (!ix) return;
    static struct hit hits[Q * K];
    static size_t counts[Q];
    CHECK(index_search(ix, (struct rows){ queries, Q, D, D }, K, 1, 1, hits, counts, &e) == ERR_OK, "%s", e.text);
    f = open_fixture("stage1_expected.tsv", path, sizeof path);
    char line[256];
    int checked = 0;
    while (f && fgets(line, sizeof line, f)) {
        int q, rank;
        long long id;
        double score;
        if (sscanf(line, "turboquant_top50\t%d\t%d\t%lld\t%lf", &q, &rank, &id, &score) != 4) continue;
        const struct hit *h = &hits[q * K + rank];
        CHECK(h->id == id && fabs((double)h->score - score) <= 1e-6,
              "query %d rank %d: %lld %.9g, the engine %lld %.9g", q, rank, (long long)h->id,
              (double)h->score, id, score);
        checked++;
    }
    if (f) fclose(f);
    CHECK(checked == Q * K, "%d lines", checked);
    /* Its rows are in already; adding them again changes nothing, new ones are quantised its way. */
    const int64_t ids[2] = { hits[0].id, 999999 };
    CHECK(index_add(ix, (struct rows){ queries, 2, D, D }, ids, &e) == ERR_OK, "%s", e.text);
    struct index_stats s;
    ix->ops->stats(ix, &s);
    CHECK(s.rows == 1951, "%llu rows", (unsigned long long)s.rows);
    CHECK(index_search(ix, (struct rows){ queries + D, 1, D, D }, 1, 1, 1, hits, counts, &e) == ERR_OK, "%s", e.text);
    CHECK(hits[0].id == 999999 && fabsf(hits[0].score - 1) < 1e-6f, "a row finds itself");
    index_destroy(ix);
}

static void refuses(void)
{
    char path[512];
    struct index *ix = NULL;
    struct err e = { 0 };
    CHECK(make(&ix, "/nonexistent.db", D, &e) == ERR_NOT_FOUND && strstr(e.text, "/nonexistent.db"), "%s", e.text);
    FILE *f = open_fixture("queries_f32le.bin", path, sizeof path);
    if (!f) SKIP("no fixture: set ASSAY_SHARED");
    fclose(f);
    CHECK(make(&ix, path, D, &e) == ERR_NOT_FOUND && strstr(e.text, "not a database"), "%s", e.text);
    f = open_fixture("fixture_v0111.db", path, sizeof path);
    if (f) fclose(f);
    CHECK(make(&ix, path, 65, &e) == ERR_ARG && strstr(e.text, "64 dimensions, not 65"), "%s", e.text);
}

/* Three of eight levels are alive, about -.063 0 .062: of rows like the samples they keep what three levels
 * at best keep, all but .190 of the square, where two would lose .363 and eight .035. */
static void has_its_dead_levels(void)
{
    enum { N = 300 };
    struct index *ix = NULL;
    struct err e = { 0 };
    CHECK(make(&ix, "", D, &e) == ERR_OK, "%s", e.text);
    static float x[N * D];
    float y[D];
    struct rng r;
    rng_seed(&r, 1, 0);
    rng_normal(&r, x, N * D);
    for (int i = 0; i < N * D; i++) x[i] /= sqrtf(384);
    CHECK(index_add(ix, (struct rows){ x, N, D, D }, NULL, &e) == ERR_OK, "%s", e.text);
    double lost = 0, all = 0;
    for (int n = 0; n < N; n++) {
        CHECK(index_decode(ix, n, y, &e) == ERR_OK, "%s", e.text);
        for (int i = 0; i < D; i++) {
            const double d = x[n * D + i] - y[i];
            lost += d * d;
            all += (double)x[n * D + i] * x[n * D + i];
        }
    }
    CHECK(fabs(lost / all - 0.190) < 0.01, "distortion %g", lost / all);
    index_destroy(ix);
}

int main(void)
{
    test_case("equal ids and scores to the engine's top 50", equals_the_engine);
    test_case("bad databases are refused by name", refuses);
    test_case("levels by the engine's procedure", has_its_dead_levels);
    return test_end();
}
