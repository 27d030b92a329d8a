/* SPDX-License-Identifier: MIT
 * test_peer.c - hnswlib behind the contract, where its adaptor was built; refusals everywhere. */
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

/* With as many candidates as rows a graph search is exact: flat's ids, and its scores but for rounding. */
static void equals_flat(void)
{
    static float x[N * D], q[Q * D];
    struct rng r;
    rng_seed(&r, 3, 0);
    rng_normal(&r, x, N * D), rng_normal(&r, q, Q * D);
    const struct rows rows = { x, N, D, D }, queries = { q, Q, D, D };
    struct err e = { 0 };
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *peer = NULL, *flat = NULL;
        if (make(&peer, "peer:hnswlib:(M=32,ef=500)", (enum metric)m, &e) == ERR_UNSUPPORTED)
            SKIP("no adaptor was built");
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
        CHECK(equal >= Q * K * 99 / 100, "metric %d: %d of %d", m, equal, Q * K);
        const int64_t used = 7;
        CHECK(index_add(peer, (struct rows){ x, 1, D, D }, &used, &e) == ERR_ARG && strstr(e.text, "7"), "%s", e.text);
        struct text spec = { 0 };
        index_spec(peer, &spec);
        CHECK(!strcmp(text_of(&spec), "peer:lib=hnswlib:(M=32,ef=500)"), "%s", text_of(&spec));
        text_free(&spec);
        index_destroy(peer), index_destroy(flat);
    }
}

int main(void)
{
    test_case("what cannot be opened is refused by name", refusals);
    test_case("hnswlib with all candidates equals flat", equals_flat);
    return test_end();
}
