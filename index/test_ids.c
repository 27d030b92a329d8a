/* SPDX-License-Identifier: MIT
 * test_ids.c - answers read from a file: right by place, refused when damaged or out of range. */
#include <unistd.h>
#include "index/index.h"
#include "kernels/base/test.h"

enum { D = 3, N = 6, Q = 4, W = 3 };
static char path[64];
static const float zeros[N * D];
static const struct rows base = { zeros, N, D, D }, queries = { zeros, Q, D, D };

static void write_file(const int32_t *words, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(words, 1, bytes, f) == bytes, "%s", path);
    if (f) fclose(f);
}

static int make(struct index **ix, const struct rows *bound, struct err *e)
{
    char spec[80];
    const struct index_config c = { .dim = D, .metric = METRIC_COSINE, .threads = 1 };
    snprintf(spec, sizeof spec, "ids:%s", path);
    int status = index_create(ix, spec, &c, e);
    if (status != ERR_OK) return status;
    status = index_add(*ix, base, NULL, e);
    if (status == ERR_OK) status = index_bind(*ix, *bound, e);
    if (status != ERR_OK) index_destroy(*ix);
    return status;
}

static void answers_by_place(void)
{
    static const int32_t words[Q * (W + 1)] = { W, 5, 0, 1, W, 1, 2, -1, W, -1, -1, -1, W, 3, 4, 5 };
    static const size_t counts_wanted[Q] = { 3, 2, 0, 3 };
    write_file(words, sizeof words);
    struct index *ix = NULL;
    struct err e = { 0 };
    CHECK(make(&ix, &queries, &e) == ERR_OK, "%s", e.text);
    struct hit hits[Q * 5];
    size_t counts[Q];
    for (size_t batch = 1; batch <= Q; batch++) {
        CHECK(index_search(ix, queries, 5, batch, 2, hits, counts, &e) == ERR_OK, "%s", e.text);
        for (size_t q = 0; q < Q; q++) {
            CHECK(counts[q] == counts_wanted[q], "query %zu: %zu", q, counts[q]);
            for (size_t i = 0; i < counts[q]; i++)
                CHECK(hits[q * 5 + i].id == words[q * (W + 1) + 1 + i], "query %zu place %zu", q,
                      i);
        }
    }
    CHECK(index_search(ix, queries, 2, 1, 1, hits, counts, &e) == ERR_OK && counts[0] == 2, "cut to k");
    index_destroy(ix);
}

static void bad_files(void)
{
    static const struct { int32_t words[8]; size_t bytes; const char *says; } bad[] = {
        { { 0 }, 0, "not an .ivecs" },           { { 1, 5, 1 }, 12, "no whole lines" },
        { { 1, 5, 2, 3 }, 16, "another length" }, { { -1, 5 }, 8, "not an .ivecs" },
        { { 1, 6, 1, 0, 1, 0, 1, 0 }, 32, "row 6 of a base of 6" }, { { 1, 0, 1, 0 }, 16, "2 lines for 4 queries" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = NULL;
        struct err e = { 0 };
        write_file(bad[i].words, bad[i].bytes);
        CHECK(make(&ix, &queries, &e) != ERR_OK && strstr(e.text, bad[i].says), "%zu: %s", i, e.text);
    }
}

static void latencies_by_place(void)
{
    static const int32_t words[Q * 2] = { 1, 5, 1, 1, 1, 2, 1, 3 };
    static const struct { const char *text, *says; } bad[] = {
        { "1\n2\n3\n", "3 lines for 4 queries" }, { "1\n2\n3\n4\n5\n", "5 lines for 4 queries" },
        { "1\n2 us\n3\n4\n", "line 2: '2 us'" },  { "1\n2\n-3\n4\n", "line 3" },
        { "1\n2\n3\nnan\n", "line 4" },           { "1\n\n3\n4\n", "line 2" },
    };
    char spec[200], lat[80];
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = D, .metric = METRIC_COSINE, .threads = 1 };
    write_file(words, sizeof words);
    snprintf(lat, sizeof lat, "%s.lat", path);
    snprintf(spec, sizeof spec, "ids:%s,lat=%s", path, lat);
    CHECK(index_create(&ix, spec, &c, &e) == ERR_NOT_FOUND && strstr(e.text, lat), "%s", e.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad + 1; i++) {
        FILE *f = fopen(lat, "w");
        CHECK(f && fputs(i ? bad[i - 1].text : "1.5\n20\r\n3e2\n0.25", f) >= 0, "%s", lat);
        if (f) fclose(f);
        const int status = index_create(&ix, spec, &c, &e);
        if (i) CHECK(status == ERR_FORMAT && strstr(e.text, bad[i - 1].says), "%s", e.text);
        else CHECK(status == ERR_OK, "%s", e.text);
        if (i) continue;
        const double *us = ix->ops->latencies(ix);
        CHECK(us && us[0] == 1.5 && us[1] == 20 && us[2] == 300 && us[3] == .25, "in order");
        index_destroy(ix);
    }
    unlink(lat);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/assay_test_ids_%ld", (long)getpid());
    test_case("a line answers the query in its place", answers_by_place);
    test_case("its times are read by place", latencies_by_place);
    test_case("bad files are refused by name", bad_files);
    unlink(path);
    return test_end();
}
