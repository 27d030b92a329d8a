/* SPDX-License-Identifier: MIT
 * test_adapt.c - what center and calibrate are for, and that they cost nothing where there is nothing to learn. */
#define _GNU_SOURCE /* memmem */
#include <math.h>
#include <unistd.h>
#include "index/index.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { D = 96, N = 1800, Q = 120, K = 10 };
static float base[N * D], queries[Q * D];

/* Gaussian rows whose coordinate i deviates by decay^i, around a common mean of length `offset`. */
static void draw(double decay, double offset)
{
    struct rng r;
    rng_seed(&r, 5, 0);
    rng_normal(&r, base, N * D);
    rng_normal(&r, queries, Q * D);
    float mean[D];
    rng_normal(&r, mean, D);
    for (size_t i = 0; i < (N + Q) * D; i++) {
        float *x = i < N * D ? base + i : queries + (i - N * D);
        *x = (float)(*x * pow(decay, (double)(i % D)) + offset * (double)mean[i % D] / sqrt(D));
    }
}

static struct index *make(const char *spec, enum metric metric)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = D, .metric = metric, .seed = 3, .threads = 1 };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_add(ix, (struct rows){ base, N, D, D }, NULL, &e) == ERR_OK, "%s: %s", spec, e.text);
    return ix;
}

struct outcome {
    double recall, error; /* error: root mean square of what found scores are off by */
};

static struct outcome try(const char *spec, enum metric metric)
{
    static struct hit truth[Q * K], hits[Q * K], all[N];
    static size_t counts[Q];
    struct index *exact = make("flat", metric), *ix = make(spec, metric);
    struct err e = { 0 };
    const struct rows q = { queries, Q, D, D };
    CHECK(index_search(exact, q, K, 1, 1, truth, counts, &e) == ERR_OK, "%s", e.text);
    CHECK(index_search(ix, q, K, 8, 2, hits, counts, &e) == ERR_OK, "%s", e.text);
    struct outcome o = { 0 };
    for (size_t i = 0; i < Q; i++) {
        float by_id[N];
        size_t count;
        CHECK(index_search(exact, (struct rows){ queries + i * D, 1, D, D }, N, 1, 1, all, &count, &e) == ERR_OK, "%s",
              e.text);
        for (size_t r = 0; r < N; r++) by_id[all[r].id] = all[r].score;
        for (size_t a = 0; a < K; a++) {
            const double off = (double)hits[i * K + a].score - (double)by_id[hits[i * K + a].id];
            o.error += off * off / (Q * K);
            for (size_t b = 0; b < K; b++) o.recall += (hits[i * K + a].id == truth[i * K + b].id) / (double)(Q * K);
        }
    }
    o.error = sqrt(o.error);
    index_destroy(exact), index_destroy(ix);
    return o;
}

/* Rows whose common mean is four times as long as what tells them apart.  A standard error of recall is .01. */
static void centring_finds_more(void)
{
    static const struct { const char *plain, *centred; } pairs[] = {
        { "turboquant:bits=2", "turboquant:bits=2,center=true" },
        { "turboquant:bits=2,layout=blocked", "turboquant:bits=2,layout=blocked,center=true" },
        { "turboquant:bits=3,estimator=prod_orth", "turboquant:bits=3,estimator=prod_orth,center=true" },
        { "rabitq:bits=2", "rabitq:bits=2,center=true" },
        { "sq:bits=2,rotation=fht", "sq:bits=2,rotation=fht,center=true" } };
    draw(1, 4 * sqrt(D));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            const struct outcome plain = try(pairs[i].plain, (enum metric)m),
                                 centred = try(pairs[i].centred, (enum metric)m);
            CHECK(centred.recall > plain.recall + 0.15, "%s, %s: recall %.3f, centred %.3f", pairs[i].plain,
                  metric_name((enum metric)m), plain.recall, centred.recall);
            CHECK(centred.error < plain.error / 2, "%s, %s: off by %g, centred %g", pairs[i].plain,
                  metric_name((enum metric)m), plain.error, centred.error);
        }
}

/* A spectrum that decays leaves rotated coordinates of unequal spread; without a rotation they are most unequal. */
static void calibration_finds_more(void)
{
    draw(.95, 0);
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct outcome plain = try("turboquant:bits=4,rotation=none", (enum metric)m),
                             fitted = try("turboquant:bits=4,rotation=none,calibrate=true", (enum metric)m);
        CHECK(fitted.recall > plain.recall + 0.1, "%s: recall %.3f, calibrated %.3f", metric_name((enum metric)m),
              plain.recall, fitted.recall);
    }
}

/* Where there is nothing to learn, learning loses nothing: a paired standard error of the recall is .007. */
static void plain_rows_keep_their_recall(void)
{
    draw(1, 0);
    for (int m = 0; m < METRIC_COUNT; m++) {
        const double plain = try("turboquant:bits=3", (enum metric)m).recall;
        static const char *const ways[] = { "turboquant:bits=3,center=true", "turboquant:bits=3,calibrate=true",
                                            "turboquant:bits=3,center=true,calibrate=true" };
        for (size_t w = 0; w < 3; w++) {
            const double recall = try(ways[w], (enum metric)m).recall;
            CHECK(recall > plain - 0.02, "%s, %s: %.3f, plain %.3f", ways[w], metric_name((enum metric)m), recall,
                  plain);
        }
    }
}

/* 8 bits give the rows themselves back: of what was moved nothing is left. */
static void decoded_rows_are_moved_back(void)
{
    draw(.97, 20);
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *ix = make("turboquant:bits=8,center=true,calibrate=true", (enum metric)m);
        struct err e = { 0 };
        float back[D];
        double off = 0, square = 0;
        CHECK(index_decode(ix, 17, back, &e) == ERR_OK, "%s", e.text);
        for (size_t i = 0; i < D; i++) square += (double)base[17 * D + i] * (double)base[17 * D + i];
        for (size_t i = 0; i < D; i++) {
            const double wanted = (double)base[17 * D + i] / (m == METRIC_COSINE ? sqrt(square) : 1);
            off += (wanted - (double)back[i]) * (wanted - (double)back[i]);
        }
        CHECK(off < 2e-4 * (m == METRIC_COSINE ? 1 : square), "%s: off by %g", metric_name((enum metric)m), off);
        index_destroy(ix);
    }
}

/* A file whose checksum holds, but whose spread no learning gives. */
static void wrong_numbers_are_refused(void)
{
    enum { ROOM = 1 << 20 };
    static unsigned char bytes[ROOM];
    char path[64];
    snprintf(path, sizeof path, "/tmp/assay_test_adapt_%ld", (long)getpid());
    draw(1, 3);
    struct index *ix = make("turboquant:bits=2,center=true,calibrate=true", METRIC_DOT);
    struct err e = { 0 };
    CHECK(index_save(ix, path, 1, &e) == ERR_OK, "%s", e.text);
    index_destroy(ix);
    FILE *f = fopen(path, "rb");
    const size_t size = fread(bytes, 1, ROOM, f);
    fclose(f);
    unsigned char *at = memmem(bytes, size, "spread\0", 8);
    CHECK(at && size < ROOM, "%zu bytes without a section spread", size);
    at = bytes + ((size_t)(at - bytes) + 16 + 63) / 64 * 64;
    static const float bad[] = { NAN, 0, -1, INFINITY, 1e9f };
    for (size_t i = 0; at && i < sizeof bad / sizeof *bad; i++) {
        memcpy(at + 4 * i, &bad[i], 4);
        const uint32_t crc = crc32_of(0, bytes, size - 4);
        memcpy(bytes + size - 4, &crc, 4);
        f = fopen(path, "wb");
        CHECK(fwrite(bytes, 1, size, f) == size, "%s", path);
        fclose(f);
        struct index *back = NULL;
        CHECK(index_load(&back, path, NULL, NULL, &e) == ERR_FORMAT && strstr(e.text, "spread"), "%g: %s",
              (double)bad[i], e.text);
        index_destroy(back);
        const float one = 1;
        memcpy(at + 4 * i, &one, 4);
    }
    unlink(path);
}

/* Taught from one sample, an index of rows added one by one is that of all at once. */
static void learning_comes_first(void)
{
    draw(.98, 10);
    struct index *ix = NULL, *whole = NULL;
    struct err e = { 0 };
    const char *spec = "turboquant:bits=4,center=true,calibrate=true";
    const struct index_config c = { .dim = D, .metric = METRIC_COSINE, .seed = 3, .threads = 3 };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK && index_create(&whole, spec, &c, &e) == ERR_OK, "%s", e.text);
    CHECK(index_train(ix, (struct rows){ base, N, D, D }, &e) == ERR_OK, "%s", e.text);
    CHECK(index_add(whole, (struct rows){ base, N, D, D }, NULL, &e) == ERR_OK, "%s", e.text);
    for (size_t r = 0; r < N; r += 3)
        CHECK(index_add(ix, (struct rows){ base + r * D, 3, D, D }, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(index_train(ix, (struct rows){ base, N, D, D }, &e) == ERR_ARG && strstr(e.text, "1800 rows"), "%s", e.text);
    static struct hit a[Q * K], b[Q * K];
    static size_t counts[Q];
    const struct rows q = { queries, Q, D, D };
    CHECK(index_search(ix, q, K, 1, 1, a, counts, &e) == ERR_OK, "%s", e.text);
    CHECK(index_search(whole, q, K, 7, 2, b, counts, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < Q * K; i++) CHECK(a[i].id == b[i].id && a[i].score == b[i].score, "hit %zu", i);
    index_destroy(ix), index_destroy(whole);
}

int main(void)
{
    test_case("centring finds more where rows share a mean", centring_finds_more);
    test_case("calibration finds more where coordinates spread unequally", calibration_finds_more);
    test_case("plain rows keep their recall", plain_rows_keep_their_recall);
    test_case("decoded rows are moved back", decoded_rows_are_moved_back);
    test_case("learning comes first, whatever the batches of adding", learning_comes_first);
    test_case("a spread that learning cannot give is refused", wrong_numbers_are_refused);
    return test_end();
}
