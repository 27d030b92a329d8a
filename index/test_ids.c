/* SPDX-License-Identifier: MIT
 * test_ids.c - answers read from a file: right by place, refused when damaged or out of range. */
#include <stdlib.h>
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

static const char *put_text(const char *name, const char *text)
{
    static char paths[4][80];
    static int next;
    char *to = paths[next++ % 4];
    snprintf(to, sizeof paths[0], "%s.%s", path, name);
    FILE *f = fopen(to, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", to);
    return to;
}

/* ids:FILE of text, its rows and queries called as names say ("": numbers); the answer of every query as "2 0|5||1 ". */
static const char *asked_text(const char *text, const char *rows, const char *names)
{
    static char said[300];
    char spec[400];
    struct index *ix = NULL;
    struct err e = { 0 };
    struct hit hits[Q * 5];
    size_t counts[Q], used = 0;
    const struct index_config c = { .dim = D, .metric = METRIC_COSINE, .threads = 1 };
    size_t at = (size_t)snprintf(spec, sizeof spec, "ids:%s", put_text("run", text));
    if (*rows) at += (size_t)snprintf(spec + at, sizeof spec - at, ",row_ids=%s", put_text("rows", rows));
    if (*names) snprintf(spec + at, sizeof spec - at, ",query_ids=%s", put_text("queries", names));
    int status = index_create(&ix, spec, &c, &e);
    if (status == ERR_OK) status = index_add(ix, base, NULL, &e);
    if (status == ERR_OK) status = index_bind(ix, queries, &e);
    if (status == ERR_OK) status = index_search(ix, queries, 5, 1, 1, hits, counts, &e);
    index_destroy(ix);
    if (status != ERR_OK) return strrchr(e.text, '/') ? strcpy(said, strrchr(e.text, '/') + 1) : strcpy(said, e.text);
    said[0] = 0;
    for (size_t q = 0; q < Q; q++) {
        for (size_t i = 0; i < counts[q]; i++) used += (size_t)snprintf(said + used, sizeof said - used, "%d ", (int)hits[q * 5 + i].id);
        used += (size_t)snprintf(said + used, sizeof said - used, "|");
    }
    return said;
}

/* Lines by number or by the user's ids; a run in the order of its scores. */
static void answers_of_text(void)
{
    static const char rows[] = "\xef\xbb\xbf" "a\nb\r\nc\nd d\n5\n0\n", queries_of[] = "q1\nq2\nq3\nq4\n";
    static const struct { const char *text, *rows, *queries, *says; } cases[] = {
        { "0 2 0.5\n0 0 0.9\n# a remark\n\n3 5 1\n", "", "", "2 0 |||5 |" }, /* best first, whatever the scores say */
        { "0 Q0 2 1 0.5 x\n0 Q0 0 2 0.9 x\r\n3 Q0 5 1 1 x\n", "", "", "0 2 |||5 |" },
        { "q1\td d\t0.5\nq4\t5\t1\nq4\ta\t0.5", rows, queries_of, "3 |||4 0 |" },
        { "1 b 1\n", rows, "", "|1 |||" },
        { "1 bb 1\n", rows, "", "line 1: row 'bb' is not among row_ids" },
        { "1 6 1\n", "", "", "line 1: row '6' is no row number of the base" },
        { "1 1 1\n4 1 1\n", "", "", "line 2: query '4' is no query number" },
        { "q9 1 1\n", "", queries_of, "line 1: query 'q9' is not among query_ids" },
        { "1 1 1\n2 1 1\n1 1 0.5\n", "", "", "lines 1 and 3 give one row twice" },
        { "1 1\n", "", "", "line 1 is neither" },
        { "# nothing\n", "", "", "no answers" },
        { "1 1 1\n", "a\nb\n", "", "2 ids for 6 rows" },
        { "1 1 1\n", "", "a\nb\n", "2 ids for 4 queries" },
        { "1 1 1\n", "a\nb\na\n", "", "lines 1 and 3 are both 'a'" },
        { "1 1 1\n", "a\n\n", "", "line 2 is empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = asked_text(cases[i].text, cases[i].rows, cases[i].queries);
        CHECK(strstr(said, cases[i].says), "%zu: %s", i, said);
    }
    char clean[200];
    snprintf(clean, sizeof clean, "rm -f %s.*", path);
    CHECK(system(clean) == 0, "%s", clean);
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
    test_case("answers as lines of text, by numbers or by names", answers_of_text);
    test_case("its times are read by place", latencies_by_place);
    test_case("bad files are refused by name", bad_files);
    unlink(path);
    return test_end();
}
