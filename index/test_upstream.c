/* SPDX-License-Identifier: MIT
 * test_upstream.c - the engine's answers on its own database, and its levels by its own procedure. */
#include <jansson.h> /* so that WORKER=1, which has no such index, leaves this test out */
#include <math.h>
#include <sqlite3.h>
#include <unistd.h>
#include "index/index.h"
#include "index/persist.h"
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

static char exported[64];

static void export_to_file(const struct index *ix)
{
    struct err e = { 0 };
    FILE *out = fopen(exported, "w");
    CHECK(out && index_export_upstream(ix, exported, out, &e) == ERR_OK, "%s", e.text);
    if (out) fclose(out);
}

/* Numbers as the floats that the engine keeps. */
static int same_json(json_t *a, json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) return (float)json_number_value(a) == (float)json_number_value(b);
    if (json_typeof(a) != json_typeof(b)) return 0;
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_object(a)) {
        json_object_foreach(a, key, value)
            if (!json_object_get(b, key) || !same_json(value, json_object_get(b, key))) return 0;
        return json_object_size(a) == json_object_size(b);
    }
    json_array_foreach(a, i, value)
        if (i >= json_array_size(b) || !same_json(value, json_array_get(b, i))) return 0;
    return json_is_array(a) && json_array_size(a) == json_array_size(b);
}

static void exports_the_engines_row(void)
{
    char path[512];
    struct index *ix = NULL;
    struct err e = { 0 };
    FILE *f = open_fixture("fixture_v0111.db", path, sizeof path);
    if (!f) SKIP("no fixture: set ASSAY_SHARED");
    fclose(f);
    CHECK(make(&ix, path, D, &e) == ERR_OK, "%s", e.text);
    if (!ix) return;
    export_to_file(ix);
    index_destroy(ix);
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_prepare_v2(db, "SELECT index_blob FROM kg_turboquant_cache", -1, &row, NULL);
    CHECK(sqlite3_step(row) == SQLITE_ROW, "%s", path);
    json_error_t error;
    json_t *theirs = json_loadb(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0), 0, &error),
           *ours = json_load_file(exported, 0, &error);
    CHECK(theirs && ours && same_json(theirs, ours) && same_json(ours, theirs), "%s", error.text);
    json_decref(theirs), json_decref(ours);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* What was built here, by the engine's rules or as the paper says, read again as the engine would. */
static void exports_and_reads(void)
{
    enum { N = 300, DIM = 40 }; /* not whole groups of 32 */
    static const char *const specs[] = { "upstream:bits=2", "turboquant:bits=1", "turboquant:bits=4",
                                         "turboquant:bits=3,rotation=dense,layout=blocked",
                                         "turboquant:bits=5,estimator=mse" };
    static float x[N * DIM];
    struct rng r;
    rng_seed(&r, 5, 0);
    rng_normal(&r, x, N * DIM);
    int64_t ids[N];
    for (int i = 0; i < N; i++) ids[i] = 3 * i - 100;
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
        struct index *ix = NULL, *back = NULL;
        struct err e = { 0 };
        const struct index_config c = { .dim = DIM, .metric = METRIC_COSINE, .seed = 42, .threads = 1 };
        CHECK(index_create(&ix, specs[s], &c, &e) == ERR_OK, "%s", e.text);
        CHECK(index_add(ix, (struct rows){ x, N, DIM, DIM }, ids, &e) == ERR_OK, "%s", e.text);
        export_to_file(ix);
        CHECK(make(&back, exported, DIM, &e) == ERR_OK, "%s: %s", specs[s], e.text);
        if (!back) return;
        struct hit f[10], g[10];
        size_t count;
        for (int q = 0; q < 20 && s == 0; q++) {
            const struct rows query = { x + q * DIM, 1, DIM, DIM };
            CHECK(index_search(ix, query, 10, 1, 1, f, &count, &e) == ERR_OK && count == 10, "%s", e.text);
            CHECK(index_search(back, query, 10, 1, 1, g, &count, &e) == ERR_OK && count == 10, "%s", e.text);
            for (int i = 0; i < 10; i++)
                CHECK(f[i].id == g[i].id && f[i].score == g[i].score, "%s: query %d rank %d", specs[s], q, i);
        }
        for (int n = 0; n < N; n++) { /* decoded vectors of one direction: what a cosine sees */
            float a[DIM], b[DIM];
            double ab = 0, aa = 0, bb = 0;
            CHECK(index_decode(ix, ids[n], a, &e) == ERR_OK, "%s", e.text);
            CHECK(index_decode(back, ids[n], b, &e) == ERR_OK, "%s", e.text);
            for (int i = 0; i < DIM; i++) {
                ab += (double)a[i] * (double)b[i];
                aa += (double)a[i] * (double)a[i];
                bb += (double)b[i] * (double)b[i];
            }
            CHECK(ab > (1 - 1e-6) * sqrt(aa * bb), "%s: row %d: cosine %.9g", specs[s], n, ab / sqrt(aa * bb));
        }
        index_destroy(ix), index_destroy(back);
    }
}

static void exports_no_others(void)
{
    static const struct { const char *spec, *says; enum metric metric; } bad[] = {
        { "flat", "no codes", METRIC_COSINE },
        { "turboquant:bits=4", "cosine alone", METRIC_DOT },
        { "turboquant:bits=4,estimator=prod", "two kinds", METRIC_COSINE } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = NULL;
        struct err e = { 0 };
        const struct index_config c = { .dim = 8, .metric = bad[i].metric, .threads = 1 };
        CHECK(index_create(&ix, bad[i].spec, &c, &e) == ERR_OK, "%s", e.text);
        CHECK(index_export_upstream(ix, "out", stdout, &e) == ERR_UNSUPPORTED, "%s", e.text);
        CHECK(strstr(e.text, bad[i].says), "%s", e.text);
        index_destroy(ix);
    }
}

/* In one dimension the rotation is +-1, so that decoded rows show the levels: the live ones of spec 4.3. */
static void live_levels(void)
{
    enum { N = 2000 };
    static const struct { int count; float level[5]; } live[] = {
        { 2, { -.0416f, .0400f } }, { 2, { -.0416f, .0400f } }, { 3, { -.063f, 0, .062f } },
        { 5, { -.0898f, -.0405f, -.0012f, .0376f, .0868f } } };
    static float x[N];
    struct rng r;
    struct err e = { 0 };
    rng_seed(&r, 5, 0);
    rng_normal(&r, x, N);
    for (int i = 0; i < N; i++) x[i] /= sqrtf(384);
    for (int bits = 1; bits <= 4; bits++) {
        char spec[32];
        struct index *ix = NULL;
        const struct index_config c = { .dim = 1, .metric = METRIC_COSINE, .seed = 42, .threads = 1 };
        snprintf(spec, sizeof spec, "upstream:bits=%d", bits);
        CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s", e.text);
        CHECK(index_add(ix, (struct rows){ x, N, 1, 1 }, NULL, &e) == ERR_OK, "%s", e.text);
        float seen[256];
        int count = 0;
        for (int n = 0; n < N; n++) {
            float y;
            int old = 0;
            CHECK(index_decode(ix, n, &y, &e) == ERR_OK, "%s", e.text);
            for (int i = 0; i < count; i++) old |= seen[i] == y;
            if (old) continue;
            int near = 0;
            for (int i = 0; i < live[bits - 1].count; i++)
                near |= fabsf(fabsf(y) - fabsf(live[bits - 1].level[i])) < 0.0015f;
            CHECK(near, "%d bits: level %g", bits, (double)y);
            if (count < 256) seen[count++] = y;
        }
        CHECK(count == live[bits - 1].count, "%d bits: %d live levels", bits, count);
        index_destroy(ix);
    }
}

/* Nothing is normalised: rows a tenth as long all fall on the innermost level, and cannot be told apart.  The query is
 * quantised as rows are: one that is a row scores 1. */
static void short_rows_are_lost(void)
{
    enum { N = 50, DIM = 384 };
    static float x[N * DIM];
    struct rng r;
    struct err e = { 0 };
    rng_seed(&r, 6, 0);
    rng_normal(&r, x, N * DIM);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < N * DIM; i++) x[i] *= pass == 0 ? 1 / sqrtf(DIM) : 0.1f;
        struct index *ix = NULL;
        CHECK(make(&ix, "", DIM, &e) == ERR_OK, "%s", e.text);
        CHECK(index_add(ix, (struct rows){ x, N, DIM, DIM }, NULL, &e) == ERR_OK, "%s", e.text);
        struct hit hits[N];
        size_t count;
        CHECK(index_search(ix, (struct rows){ x + 7 * DIM, 1, DIM, DIM }, N, 1, 1, hits, &count, &e) == ERR_OK, "%s",
              e.text);
        const float spread = hits[0].score - hits[N - 1].score;
        CHECK(fabsf(hits[0].score - 1) < 1e-5f && hits[0].id == (pass == 0 ? 7 : 0), "best %lld %g",
              (long long)hits[0].id, (double)hits[0].score);
        CHECK(pass == 0 ? spread > 0.5f : spread < 1e-5f, "pass %d: scores spread over %g", pass, (double)spread);
        index_destroy(ix);
    }
}

int main(void)
{
    snprintf(exported, sizeof exported, "/tmp/assay_test_upstream_%ld", (long)getpid());
    test_case("equal ids and scores to the engine's top 50", equals_the_engine);
    test_case("bad databases are refused by name", refuses);
    test_case("levels by the engine's procedure", has_its_dead_levels);
    test_case("its own row is exported field for field", exports_the_engines_row);
    test_case("what is exported is read back", exports_and_reads);
    test_case("what it could not read is refused", exports_no_others);
    unlink(exported);
    test_case("as many live levels as the engine has, 1 to 4 bits", live_levels);
    test_case("rows and queries as they are: short ones are lost", short_rows_are_lost);
    return test_end();
}
