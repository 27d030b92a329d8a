/* SPDX-License-Identifier: MIT
 * test_truth.c - exact neighbours against a sort of scores in long double, on random, tied, scaled
 * and zero vectors; the cache; refusals. */
#include "bench/quality/truth.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
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

/* What single precision cannot order: rows that differ from one of ten in one place, by a few units in the last. */
static void fill_near_ties(void)
{
    fill(0);
    for (size_t row = 10; row < N; row++) {
        float *x = base_at + row * D;
        memcpy(x, base_at + (row % 10) * D, D * sizeof *x);
        const size_t place = test_rand() % D;
        for (size_t steps = test_rand() % 4; steps > 0; steps--) x[place] = nextafterf(x[place], 10);
    }
}

static long double unit_of(const float *q, enum metric metric)
{
    long double qq = 0, longest = 0;
    for (size_t i = 0; i < D; i++) qq += (long double)q[i] * q[i];
    for (size_t row = 0; row < N; row++) {
        long double xx = 0;
        for (size_t i = 0; i < D; i++) xx += (long double)base_at[row * D + i] * base_at[row * D + i];
        longest = fmaxl(longest, xx);
    }
    const long double reach = sqrtl(qq) + sqrtl(longest);
    return metric == METRIC_COSINE ? 1 : metric == METRIC_DOT ? sqrtl(qq) * sqrtl(longest) : reach * reach;
}

/* The order is that of exact arithmetic; what differs by less than 2^-43 of the terms comes by row. */
static void check_order(enum metric metric, int kind)
{
    const struct rows base = { base_at, N, D, D }, query = { query_at, Q, D, D };
    struct truth t = { 0 };
    struct err e = { 0 };
    static long double s[N];
    CHECK(truth_compute(&t, base, query, 100, metric, 2, NULL, &e) == ERR_OK, "%s", e.text);
    for (size_t q = 0; q < t.count; q++) {
        const long double width = 0x1p-43L * unit_of(query_at + q * D, metric);
        static char given[N];
        memset(given, 0, sizeof given);
        for (size_t row = 0; row < N; row++) s[row] = oracle(query_at + q * D, base_at + row * D, metric);
        for (size_t i = 0; i < t.k; i++) {
            const int32_t id = t.ids[q * t.k + i], last = i ? t.ids[q * t.k + i - 1] : id;
            given[id] = 1;
            CHECK(s[id] <= s[last] + width, "%s kind %d query %zu place %zu: %.17Lg after %.17Lg", metric_name(metric),
                  kind,
                  q, i, s[id], s[last]);
            if (i && s[id] >= s[last]) CHECK(id > last, "%s kind %d query %zu place %zu: ties come by row",
                                             metric_name(metric), kind, q, i);
        }
        for (size_t row = 0; row < N; row++) {
            const int32_t last = t.ids[q * t.k + t.k - 1];
            CHECK(given[row] || s[row] <= s[last] + width, "%s kind %d query %zu misses row %zu", metric_name(metric),
                  kind, q, row);
            if (!given[row] && s[row] == s[last]) CHECK((int32_t)row > last, "a tie over the last place: row %zu", row);
        }
    }
    if (kind == 1) CHECK(t.tied == Q, "%zu of %d queries have a tie over the last place", t.tied, Q);
    if (kind == 0) CHECK(t.tied == 0 && t.scanned == 0, "%zu ties, %zu scanned whole", t.tied, t.scanned);
    truth_free(&t);
}

static void order_is_exact(void)
{
    for (int kind = 0; kind < 5; kind++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            if (kind < 4) fill(kind);
            else fill_near_ties();
            check_order((enum metric)m, kind);
        }
}

/* Why not the kernels of single precision, canonical as their bits are: they put some near ties the other way round. */
static void kernels_order_less(void)
{
    struct kernel_set kernels;
    struct truth t = { 0 };
    struct err e = { 0 };
    size_t swapped = 0;
    fill_near_ties();
    CHECK(kernel_set_resolve(&kernels, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(truth_compute(&t, (struct rows){ base_at, N, D, D }, (struct rows){ query_at, Q, D, D }, 100, METRIC_DOT, 2, NULL,
                        &e) == ERR_OK, "%s", e.text);
    for (size_t q = 0; q < t.count; q++) {
        float last = INFINITY, score;
        for (size_t i = 0; i < t.k; i++, last = score) {
            kernels.of[OP_dot_f32]->fn.dot_f32(query_at + q * D, base_at + (size_t)t.ids[q * t.k + i] * D, D, NULL, 1, D,
                                               &score);
            swapped += score > last;
        }
    }
    CHECK(swapped > 0, "no pair of near ties that float32 orders the other way: the data test nothing");
    truth_free(&t);
}

static void filters_are_kept(void)
{
    static int64_t base_start[N + 1], query_start[Q + 1];
    static int32_t base_tag[2 * N], query_tag[2 * Q];
    fill(0);
    /* Row r has tags r mod 3 and 3 + r mod 5; query 0 asks nothing, others one or both; tag 8 nobody has. */
    for (int32_t r = 0; r < N; r++) {
        base_tag[2 * r] = r % 3;
        base_tag[2 * r + 1] = 3 + r % 5;
        base_start[r + 1] = 2 * r + 2;
    }
    for (int32_t q = 1; q < Q; q++) {
        int64_t at = query_start[q];
        if (q % 2) query_tag[at++] = q % 3;
        if (q % 4 != 1) query_tag[at++] = q == 8 ? 8 : 3 + q % 5;
        query_start[q + 1] = at;
    }
    const struct tags base_tags = { N, 9, base_start, base_tag }, query_tags = { Q, 9, query_start, query_tag };
    struct tags by_tag = { 0 };
    struct truth t = { 0 };
    struct err e = { 0 };
    CHECK(tags_transpose(&by_tag, &base_tags, &e) == ERR_OK, "%s", e.text);
    struct truth_job job = { .base = { base_at, N, D, D }, .query = { query_at, Q, D, D }, .k = 300,
                            .metric = METRIC_L2,
                             .threads = 3, .rows_by_tag = &by_tag, .query_tags = &query_tags };
    CHECK(truth_run(&t, &job, &e) == ERR_OK, "%s", e.text);
    for (int32_t q = 0; q < Q; q++) {
        const int third = q % 2 ? q % 3 : -1, fifth = q && q % 4 != 1 ? (q == 8 ? 9 : q % 5) : -1;
        size_t passing = 0, given = 0;
        for (int32_t r = 0; r < N; r++) passing += (third < 0 || r % 3 == third) && (fifth < 0 || r % 5 == fifth);
        long double last = INFINITY;
        for (size_t i = 0; i < t.k; i++) {
            const int32_t id = t.ids[(size_t)q * t.k + i];
            CHECK(i < passing ? id >= 0 : id == -1, "query %d place %zu: %d of %zu that pass", q, i, id, passing);
            if (id < 0) continue;
            CHECK((third < 0 || id % 3 == third) && (fifth < 0 || id % 5 == fifth), "query %d: row %d does not pass",
                  q, id);
            const long double s = oracle(query_at + (size_t)q * D, base_at + (size_t)id * D, METRIC_L2);
            CHECK(s <= last, "query %d place %zu", q, i);
            last = s;
            given++;
        }
        size_t nearer = 0;
        for (int32_t r = 0; r < N; r++)
            if ((third < 0 || r % 3 == third) && (fifth < 0 || r % 5 == fifth))
                nearer += oracle(query_at + (size_t)q * D, base_at + (size_t)r * D, METRIC_L2) >= last;
        CHECK(nearer == given, "query %d: %zu rows are as near as the last of %zu", q, nearer, given);
    }
    truth_free(&t);
    job.query.count = Q - 1;
    CHECK(truth_run(&t, &job, &e) == ERR_ARG && strstr(e.text, "tags of 37"), "%s", e.text);
    tags_free(&by_tag);
}

/* What others computed in float64 for real vectors, to the id; of integers only up to ties. */
static void shipped_truths(void)
{
    static const char *const sets[][5] = {
        { "siftsmall", "siftsmall_base", "siftsmall_query", "siftsmall_groundtruth", "l2" },
        { "bge_base_beir768", "ann_base", "ann_query", "ann_gt_cos_top100", "cosine" },
        { "cap_docs_minilm384", "ann_base", "ann_query", "ann_gt_cos_top100", "cosine" },
        { "glove10k_100", "ann_base", "ann_query", "ann_gt_cos_top100", "cosine" },
    };
    const char *shared = getenv("ASSAY_SHARED");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct dataset d[3] = { 0 };
        struct truth t = { 0 };
        struct err e = { 0 };
        enum metric metric = METRIC_L2;
        for (int f = 0; f < 3; f++) {
            char path[400];
            snprintf(path, sizeof path, "%s/data/%s/%s.%s", shared ? shared : "../shared", sets[i][0], sets[i][f + 1],
                     f == 2 ? "ivecs" : "fvecs");
            const int status = dataset_open(&d[f], path, &e);
            if (status == ERR_NOT_FOUND) SKIP("needs ../shared/data");
            CHECK(status == ERR_OK, "%s", e.text);
        }
        CHECK(metric_parse(sets[i][4], &metric, &e) == ERR_OK, "%s", e.text);
        CHECK(truth_compute(&t, d[0].rows, d[1].rows, d[2].rows.dim, metric, 2, NULL, &e) == ERR_OK, "%s", e.text);
        size_t other = 0;
        for (size_t at = 0; at < t.count * t.k; at++) {
            const size_t q = at / t.k, mine = (size_t)t.ids[at], theirs = (size_t)d[2].ids[at], dim = d[0].rows.dim;
            if (mine == theirs) continue;
            other++;
            double a = 0, b = 0;
            for (size_t c = 0; c < dim; c++) {
                a += pow(rows_at(d[1].rows, q)[c] - rows_at(d[0].rows, mine)[c], 2);
                b += pow(rows_at(d[1].rows, q)[c] - rows_at(d[0].rows, theirs)[c], 2);
            }
            CHECK(metric == METRIC_L2 && a == b && mine != theirs, "%s query %zu place %zu: %zu, not %zu", sets[i][0],
                  q, at % t.k, mine, theirs);
        }
        CHECK(metric == METRIC_L2 || other == 0, "%s: %zu ids differ", sets[i][0], other);
        truth_free(&t);
        for (int f = 0; f < 3; f++) dataset_close(&d[f]);
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

/* Neighbours among the rows: what asking for one more gives, without the row itself. */
static void check_self(enum metric metric, size_t n, size_t k)
{
    const struct rows base = { base_at, n, D, D };
    const struct truth_job job = { .base = base, .query = base, .k = k, .self = 1, .metric = metric, .threads = 2 };
    const size_t width = k < n - 1 ? k : n - 1;
    struct truth own = { 0 }, all = { 0 };
    struct err e = { 0 };
    CHECK(truth_run(&own, &job, &e) == ERR_OK, "%s", e.text);
    CHECK(truth_compute(&all, base, base, width + 1, metric, 1, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(own.k == width && own.count == n, "shape %zu x %zu", own.count, own.k);
    for (size_t q = 0; q < n; q++)
        for (size_t i = 0, at = 0; i < width; i++, at++) {
            at += all.ids[q * all.k + at] == (int32_t)q;
            CHECK(own.ids[q * width + i] == all.ids[q * all.k + at], "row %zu place %zu", q, i);
        }
    truth_free(&own);
    truth_free(&all);
}

static void rows_among_themselves(void)
{
    for (int kind = 0; kind < 4; kind++)
        for (int metric = METRIC_COSINE; metric <= METRIC_L2; metric++) {
            fill(kind);
            check_self((enum metric)metric, 300, 7);
            check_self((enum metric)metric, 5, 100);
        }
    struct truth t = { 0 };
    const struct rows one = { base_at, 1, D, D };
    const struct truth_job job = { .base = one, .query = one, .k = 1, .self = 1, .threads = 1 };
    CHECK(truth_run(&t, &job, NULL) == ERR_ARG, "one row has no neighbour");
}

int main(void)
{
    test_case("truth is exact for every metric and kind of data", truth_is_exact);
    test_case("the order is that of exact arithmetic, ties by row", order_is_exact);
    test_case("single precision would order some of them otherwise", kernels_order_less);
    test_case("filters: only what passes, and all of the best of it", filters_are_kept);
    test_case("shipped truths of real sets", shipped_truths);
    test_case("truth does not depend on threads", truth_ignores_threads);
    test_case("cache: kept by content, damaged ones computed anew", cache_keeps_and_forgets);
    test_case("rows among themselves, none its own neighbour", rows_among_themselves);
    test_case("bad input is refused", truth_refuses);
    return test_end();
}
