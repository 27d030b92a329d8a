/* SPDX-License-Identifier: MIT
 * test_peer.c - other libraries behind the contract, where their adaptors were built; refusals everywhere. */
#include "index/index.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/topk.h"

enum { D = 24, N = 500, Q = 20, K = 10 };

static int make(struct index **ix, const char *spec, enum metric metric, struct err *e)
{
    const struct index_config c = { .dim = D, .metric = metric, .seed = 1, .threads = 1 };
    return index_create(ix, spec, &c, e);
}

static void refusals(void)
{
    static const struct { const char *spec; int code; const char *says; } bad[] = {
        { "peer", ERR_ARG, "peer" }, { "peer:nothing", ERR_UNSUPPORTED, "peer_nothing.so" },
        { "peer:../../x:(a=1)", ERR_ARG, "not the name of an adaptor" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = NULL;
        struct err e = { 0 };
        CHECK(make(&ix, bad[i].spec, METRIC_L2, &e) == bad[i].code && strstr(e.text, bad[i].says),
              "%s: %s", bad[i].spec, e.text);
    }
}

/* Where a search is exact: flat's ids, and its scores but for rounding. */
static void equals_flat(const char *spec)
{
    static float x[N * D], q[Q * D];
    struct rng r;
    rng_seed(&r, 3, 0);
    rng_normal(&r, x, N * D), rng_normal(&r, q, Q * D);
    const struct rows rows = { x, N, D, D }, queries = { q, Q, D, D };
    struct err e = { 0 };
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *peer = NULL, *flat = NULL;
        if (make(&peer, spec, (enum metric)m, &e) == ERR_UNSUPPORTED) SKIP("no adaptor was built");
        CHECK(peer && make(&flat, "flat", (enum metric)m, &e) == ERR_OK, "%s", e.text);
        CHECK(index_add(peer, rows, NULL, &e) == ERR_OK && index_add(flat, rows, NULL, &e) == ERR_OK, "%s", e.text);
        struct hit a[Q * K], b[Q * K];
        size_t counts[Q];
        CHECK(index_search(peer, queries, K, 4, 2, a, counts, &e) == ERR_OK, "%s", e.text);
        CHECK(index_search(flat, queries, K, 4, 2, b, counts, &e) == ERR_OK, "%s", e.text);
        int equal = 0;
        for (int i = 0; i < Q * K; i++)
            equal += a[i].id == b[i].id && a[i].score - b[i].score < 1e-3f &&
                     b[i].score - a[i].score < 1e-3f;
        CHECK(equal >= Q * K * 99 / 100, "%s: metric %d: %d of %d", spec, m, equal, Q * K);
        const int64_t used = 7;
        CHECK(index_add(peer, (struct rows){ x, 1, D, D }, &used, &e) == ERR_ARG && strstr(e.text, "7"), "%s", e.text);
        struct text canonical = { 0 }, kernels = { 0 };
        index_spec(peer, &canonical);
        CHECK(!strncmp(text_of(&canonical), "peer:lib=", 9) && !strcmp(text_of(&canonical) + 9, spec + 5), "%s",
              text_of(&canonical));
        peer->ops->kernels(peer, &kernels);
        CHECK(strstr(text_of(&kernels), "peer_isa=") && strstr(text_of(&kernels), "peer_version=") &&
                  strstr(text_of(&kernels), "peer_flags="),
              "%s", text_of(&kernels));
        struct index_stats stats;
        peer->ops->stats(peer, &stats);
        CHECK(stats.rows == N && stats.code_bytes + stats.side_bytes >= N * D * sizeof(float), "%s: bytes", spec);
        text_free(&canonical), text_free(&kernels);
        index_destroy(peer), index_destroy(flat);
    }
}

static int equal(const struct hit *a, const struct hit *b)
{
    for (int i = 0; i < Q * K; i++)
        if (a[i].id != b[i].id || memcmp(&a[i].score, &b[i].score, sizeof a->score) != 0) return 0;
    return 1;
}

/* Of one graph with few candidates and with many: as two that were built so. */
static void hnswlib_views(void)
{
    static float x[N * D], q[Q * D];
    struct rng r;
    rng_seed(&r, 4, 0);
    rng_normal(&r, x, N * D), rng_normal(&r, q, Q * D);
    const struct rows rows = { x, N, D, D }, queries = { q, Q, D, D };
    struct index *few = NULL, *many = NULL, *view = NULL, *none = NULL;
    struct err e = { 0 };
    struct hit a[Q * K], b[Q * K], c[Q * K];
    size_t counts[Q];
    if (make(&few, "peer:hnswlib:(M=8,ef=10)", METRIC_L2, &e) == ERR_UNSUPPORTED) SKIP("no adaptor was built");
    CHECK(few && make(&many, "peer:hnswlib:(M=8,ef=300)", METRIC_L2, &e) == ERR_OK, "%s", e.text);
    CHECK(index_add(few, rows, NULL, &e) == ERR_OK && index_add(many, rows, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(index_view(&view, few, "peer:hnswlib:(M=8,ef=300)", &e) == ERR_OK, "%s", e.text);
    CHECK(index_view(&none, few, "peer:hnswlib:(M=9,ef=300)", &e) == ERR_UNSUPPORTED && !none, "%s", e.text);
    CHECK(index_view(&none, few, "symqg:ef=20", &e) == ERR_UNSUPPORTED && !none, "%s", e.text);
    CHECK(index_search(few, queries, K, 4, 1, a, counts, &e) == ERR_OK, "%s", e.text);
    CHECK(index_search(many, queries, K, 4, 1, b, counts, &e) == ERR_OK, "%s", e.text);
    CHECK(!equal(a, b), "ten candidates find what 300 do");
    CHECK(index_search(view, queries, K, 4, 1, c, counts, &e) == ERR_OK && equal(b, c), "of 300");
    CHECK(index_search(few, queries, K, 4, 1, c, counts, &e) == ERR_OK && equal(a, c), "of ten");
    index_destroy(view), index_destroy(few), index_destroy(many);
}

/* With as many candidates as rows a graph search is exact. */
static void hnswlib(void) { equals_flat("peer:hnswlib:(M=32,ef=500)"); }
static void faiss(void) { equals_flat("peer:faiss:(IVF4,Flat;nprobe=4)"); }

static void faiss_refusals(void)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    int status = make(&ix, "peer:faiss:(IVF4,Nonsense)", METRIC_COSINE, &e);
    if (status == ERR_UNSUPPORTED) SKIP("no adaptor was built");
    CHECK(status == ERR_ARG && strstr(e.text, "IVF4,Nonsense") && !strchr(e.text, '\n'), "%s", e.text);
    status = make(&ix, "peer:faiss:(Flat;nprobes=4)", METRIC_COSINE, &e);
    CHECK(status == ERR_ARG && strstr(e.text, "nprobes"), "%s", e.text);
    float few[2 * D] = { 1 };
    CHECK(make(&ix, "peer:faiss:(IVF4,Flat)", METRIC_L2, &e) == ERR_OK, "%s", e.text);
    CHECK(index_add(ix, (struct rows){ few, 2, D, D }, NULL, &e) == ERR_ARG && strstr(e.text, "faiss"), "%s", e.text);
    struct hit hit;
    size_t count = 1;
    CHECK(index_search(ix, (struct rows){ few, 1, D, D }, 1, 1, 1, &hit, &count, &e) == ERR_OK && count == 0, "empty");
    index_destroy(ix);
}

int main(void)
{
    test_case("what cannot be opened is refused by name", refusals);
    test_case("hnswlib with all candidates equals flat", hnswlib);
    test_case("a view of hnswlib's graph has candidates of its own", hnswlib_views);
    test_case("faiss through all lists equals flat", faiss);
    test_case("what faiss refuses is said in one line", faiss_refusals);
    return test_end();
}
