/* SPDX-License-Identifier: MIT
 * test_truth.c - exact neighbours against a sort of scores in long double, on random, tied, scaled
 * and zero vectors; the cache; refusals. */
#include "bench/quality/truth.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include "kernels/base/topk.h"
#include <errno.h>
#include <math.h>

enum { N = 3000, Q = 37, D = 45 };
static float base_at[N * D], query_at[Q * D];

/* Fills with one of several kinds of data that have broken such code: near ties, exact ties by
 * duplication, lengths over six decades, zero rows and a zero query. */
static void fill(int kind)
{
    for (size_t i = 0; i < N * D; i++) base_at[i] = (float)(test_rand() % 2001) / 1000 - 1;
    for (size_t i = 0; i < Q * D; i++) query_at[i] = (float)(test_rand() % 2001) / 1000 - 1;
    for (size_t row = 0; row < N && kind > 0; row++) {
        float *x = base_at + row * D;
        if (kind == 1 && row >= 10) memcpy(x, base_at + (row % 10) * D, D * sizeof *x);
        const float scale = powf(10, (float)(row % 7) - 3);
        for (size_t i = 0; kind == 2 && i < D; i++) x[i] *= scale;
        if (kind == 3 && row % 3 == 0) memset(x, 0, D * sizeof *x);
    }
    if (kind == 3) memset(query_at + 5 * D, 0, D * sizeof *query_at);
}

static long double oracle(const float *q, const float *x, enum metric metric)
{
    long double dot = 0, qq = 0, xx = 0;
    for (size_t i = 0; i < D; i++) {
        dot += (long double)q[i] * x[i];
        qq += (long double)q[i] * q[i];
        xx += (long double)x[i] * x[i];
    }
    if (metric == METRIC_DOT) return dot;
    if (metric == METRIC_L2) return 2 * dot - qq - xx;
    return qq * xx > 0 ? dot / sqrtl(qq * xx) : 0;
}

static void check_against_oracle(enum metric metric, int kind, int threads, size_t k)
{
    const struct rows base = { base_at, N, D, D }, query = { query_at, Q, D, D };
    struct truth t = { 0 };
    struct err e = { 0 };
    CHECK(truth_compute(&t, base, query, k, metric, threads, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(t.count == Q && t.k == (k < N ? k : N), "shape %zu x %zu", t.count, t.k);
    for (size_t q = 0; q < t.count; q++) {
        long double worst_given = INFINITY, sizes = 1e-6L;
        char given[N] = { 0 };
        for (size_t i = 0; i < t.k; i++) {
            const int32_t id = t.ids[q * t.k + i];
            CHECK(id >= 0 && id < N && !given[id], "query %zu place %zu: id %d", q, i, id);
            given[id] = 1;
            const long double s = oracle(query_at + q * D, base_at + (size_t)id * D, metric);
            sizes = fmaxl(sizes, 3e-6L * fabsl(s));
            /* Ties of exact scores come by row; what rounding cannot tell apart may swap. */
            CHECK(s <= worst_given + sizes, "%s kind %d query %zu place %zu", metric_name(metric), kind, q, i);
            if (kind == 1 && i > 0 && t.ids[q * t.k + i - 1] % 10 == id % 10)
                CHECK(id > t.ids[q * t.k + i - 1], "duplicates come by row");
            worst_given = fminl(worst_given, s);
        }
        for (size_t row = 0; row < N; row++) {
            const long double s = oracle(query_at + q * D, base_at + row * D, metric);
            CHECK(given[row] || s <= worst_given + sizes + 3e-6L * fabsl(s), "%s kind %d query %zu misses row %zu",
                  metric_name(metric), kind, q, row);
        }
    }
    truth_free(&t);
}

/* The order is that of the kernels of one query, to the last bit and tie. */
static void truth_is_canonical(void)
{
    struct kernel_set kernels;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&kernels, NULL, &e) == ERR_OK, "%s", e.text);
    const struct rows base = { base_at, N, D, D }, query = { query_at, Q, D, D };
    static struct hit hits[N];
    static float scores[N], inverses[N];
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct truth t = { 0 };
        fill(m);
        CHECK(truth_compute(&t, base, query, 100, (enum metric)m, 2, NULL, &e) == ERR_OK, "%s", e.text);
        kernels.of[OP_norms_f32]->fn.norms_f32(base_at, D, N, D, inverses);
        for (size_t q = 0; q < t.count; q++) {
            const float *x = query_at + q * D;
            if (m == METRIC_DOT) kernels.of[OP_dot_f32]->fn.dot_f32(x, base_at, D, NULL, N, D, scores);
            if (m == METRIC_L2) kernels.of[OP_l2_f32]->fn.l2_f32(x, base_at, D, NULL, N, D, scores);
            if (m == METRIC_COSINE) kernels.of[OP_cosine_f32]->fn.cosine_f32(x, base_at, D, NULL, N, D, inverses, scores);
            for (size_t i = 0; i < N; i++) hits[i] = (struct hit){ (int64_t)i, m == METRIC_L2 ? -scores[i] : scores[i] };
            hits_sort(hits, N);
            for (size_t i = 0; i < t.k; i++)
                CHECK(t.ids[q * t.k + i] == hits[i].id, "%s query %zu place %zu: %d, not %lld", metric_name((enum metric)m),
                      q, i, t.ids[q * t.k + i], (long long)hits[i].id);
        }
        truth_free(&t);
    }
}

static void truth_is_exact(void)
{
    for (int kind = 0; kind < 4; kind++) {
        fill(kind);
        for (int m = 0; m < METRIC_COUNT; m++)
            check_against_oracle((enum metric)m, kind, 1 + kind % 3, kind == 3 ? N + 5 : kind == 2 ? 1 : 100);
    }
}

static void truth_ignores_threads(void)
{
    const struct rows base = { base_at, N, D, D }, query = { query_at, Q, D, D };
    struct truth a = { 0 }, b = { 0 };
    fill(0);
    CHECK(truth_compute(&a, base, query, 50, METRIC_COSINE, 1, NULL, NULL) == ERR_OK, "one thread");
    CHECK(truth_compute(&b, base, query, 50, METRIC_COSINE, 5, NULL, NULL) == ERR_OK, "five threads");
    CHECK(memcmp(a.ids, b.ids, sizeof *a.ids * Q * 50) == 0, "same ids");
    truth_free(&a);
    truth_free(&b);
}

static void cache_keeps_and_forgets(void)
{
    char folder[] = "/tmp/assay-test-XXXXXX", command[128];
    if (!mkdtemp(folder)) abort();
    setenv("ASSAY_CACHE", folder, 1);
    fill(0);
    struct dataset base = { .rows = { base_at, N, D, D }, .content_hash = 1 };
    struct dataset query = { .rows = { query_at, Q, D, D }, .content_hash = 2 };
    struct truth a = { 0 }, b = { 0 };
    struct err e = { 0 };
    CHECK(truth_cached(&a, &base, &query, 10, METRIC_DOT, 2, NULL, &e) == ERR_OK && !a.from_cache, "%s", e.text);
    CHECK(truth_cached(&b, &base, &query, 10, METRIC_DOT, 2, NULL, &e) == ERR_OK && b.from_cache, "%s", e.text);
    CHECK(memcmp(a.ids, b.ids, sizeof *a.ids * Q * 10) == 0, "same ids");
    truth_free(&b);
    CHECK(truth_cached(&b, &base, &query, 10, METRIC_L2, 2, NULL, &e) == ERR_OK && !b.from_cache, "another metric");
    truth_free(&b);
    query.content_hash = 3;
    CHECK(truth_cached(&b, &base, &query, 10, METRIC_DOT, 2, NULL, &e) == ERR_OK && !b.from_cache, "other queries");
    truth_free(&b);
    snprintf(command, sizeof command, "for f in %s/*; do printf damaged > $f; done", folder);
    CHECK(system(command) == 0, "damage");
    CHECK(truth_cached(&b, &base, &query, 10, METRIC_DOT, 2, NULL, &e) == ERR_OK && !b.from_cache, "damaged");
    CHECK(memcmp(a.ids, b.ids, sizeof *a.ids * Q * 10) == 0, "same ids");
    truth_free(&b);
    setenv("ASSAY_CACHE", "/dev/null/none", 1);
    CHECK(truth_cached(&b, &base, &query, 10, METRIC_DOT, 2, NULL, &e) == ERR_OK && !b.from_cache, "nowhere to write");
    truth_free(&b);
    truth_free(&a);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0, "clean up");
}

static void truth_refuses(void)
{
    const struct rows base = { base_at, N, D, D }, query = { query_at, Q, D, D }, other = { query_at, Q, D - 1, D };
    struct truth t = { 0 };
    struct err e = { 0 };
    CHECK(truth_compute(&t, base, query, 0, METRIC_DOT, 1, NULL, &e) == ERR_ARG && strstr(e.text, "k is 0"), "%s", e.text);
    CHECK(truth_compute(&t, base, other, 5, METRIC_DOT, 1, NULL, &e) == ERR_ARG && strstr(e.text, "45"), "%s", e.text);
    CHECK(truth_compute(&t, (struct rows){ base_at, 0, D, D }, query, 5, METRIC_DOT, 1, NULL, &e) == ERR_ARG, "empty");
    for (long n = 1; n < 6; n++) {
        fault_after(FAULT_MEMORY, n, ENOMEM);
        CHECK(truth_compute(&t, base, query, 5, METRIC_DOT, 1, NULL, &e) == ERR_MEM, "allocation %ld fails", n);
        fault_after(FAULT_NONE, 0, 0);
    }
    CHECK(!t.ids, "output untouched");
}

int main(void)
{
    test_case("truth is exact for every metric and kind of data", truth_is_exact);
    test_case("the order is that of the kernels of one query", truth_is_canonical);
    test_case("truth does not depend on threads", truth_ignores_threads);
    test_case("cache: kept by content, damaged ones computed anew", cache_keeps_and_forgets);
    test_case("bad input is refused", truth_refuses);
    return test_end();
}
