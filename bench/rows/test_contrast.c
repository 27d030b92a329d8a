/* SPDX-License-Identifier: MIT
 * test_contrast.c - points side by side: what is marked, what an ablation says, in which format. */
#include "bench/quality/metric.h"
#include "bench/rows/contrast.h"
#include "bench/rows/pq.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <math.h>

static char folder[] = P_tmpdir "/assay_contrast.XXXXXX";
enum { QUERIES = 60 };

static const char *put(const char *name, const char *bytes)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f || fputs(bytes, f) < 0 || fclose(f) != 0) abort();
    return path;
}

/* A per-query file: recall of query q is `level`, of every `period`-th .1 more. */
static void put_queries(const char *id, double level, int period)
{
    struct text out = { 0 };
    char name[64];
    text_add(&out, "query\tcalls\tlat_us\tlat_min_us\trecall_strict\n");
    for (int q = 0; q < QUERIES; q++)
        text_add(&out, "q%d\t1\t2\t\t%g\n", q, level + (q % period == 0 ? .1 : 0));
    snprintf(name, sizeof name, "%s.pq.tsv", id);
    put(name, text_of(&out));
    text_free(&out);
}

#define HEADER                                                                                     \
    "point_id,rep,status,machine,dataset,data,queries,k,seed,index,threads,recall_strict,recall_"  \
    "strict_lo,"                                                                                   \
    "recall_strict_hi,lat_p50_us,steal_ms,rerank\n"

/* Two seeds of the default, and each change alone: one that is far worse, one that hardly differs,
 * one of both. */
static const char rows[] = HEADER "a1,0,ok,m,d,x,60,10,1,turboquant,1,.81,.8,.82,100,,0\na2,0,ok,m,"
                                  "d,x,60,10,2,turboquant,1,.83,.82,.84,102,,0\n"
                                  "b1,0,ok,m,d,x,60,10,1,turboquant:bits=1,1,.515,.5,.53,40,,0\nc1,"
                                  "0,ok,m,d,x,60,10,1,turboquant,1,.8317,.81,.84,130,,"
                                  "20\n"
                                  "d1,0,ok,m,d,x,60,10,1,turboquant:bits=1,1,.6,.59,.61,70,,20\ne1,"
                                  "0,\"error: x\",m,d,x,60,10,1,flat,1,,,,,,0\n";

static void put_rows(void)
{
    put_queries("a1", .8, 10);
    put_queries("a2", .82, 10);
    put_queries("b1", .5, 7);
    put_queries("c1", .82, 9);
    put_queries("d1", .6, 5);
    put("rows.csv", rows);
}

static void want(const char *got, const char *part)
{
    CHECK(strstr(got, part), "no '%s' in\n%s", part, got);
}

static void per_query_files(void)
{
    struct pq p = { 0 };
    struct err e = { 0 };
    CHECK(pq_read(&p, folder, "a1", &e) == ERR_OK, "%s", e.text);
    CHECK(p.query_count == QUERIES && !strcmp(p.queries[59], "q59"), "%zu queries", p.query_count);
    const double *recall = pq_column(&p, "recall_strict"), *least = pq_column(&p, "lat_min_us");
    CHECK(recall && fabs(recall[10] - .9) < 1e-9 && fabs(recall[59] - .8) < 1e-9, "values");
    CHECK(least && isnan(least[0]) && !pq_column(&p, "query") && !pq_column(&p, "recall"),
          "columns");
    pq_free(&p);
    static const char *const bad[][2] = { { "query\ta\nq\t1\nr\n", "line 3" },
                                          { "query\ta\nq\t1\t2\n", "line 2" },
                                          { "query\ta\nq\t1", "torn" },
                                          { "", "torn" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("bad.pq.tsv", bad[i][0]);
        CHECK(pq_read(&p, folder, "bad", &e) == ERR_FORMAT && strstr(e.text, bad[i][1]), "%zu: %s",
              i, e.text);
    }
    CHECK(pq_read(&p, folder, "none", &e) == ERR_NOT_FOUND, "%s", e.text);
}

static void open_rows(struct contrast *c)
{
    char path[256];
    struct err e = { 0 };
    *c = (struct contrast){ 0 };
    snprintf(path, sizeof path, "%s/rows.csv", folder);
    CHECK(contrast_add(c, path, &e) == ERR_OK, "%s", e.text);
}

static void ablation(void)
{
    struct contrast c;
    struct text out = { 0 };
    struct err e = { 0 };
    const struct contrast_plan plan = { 0 };
    put_rows();
    open_rows(&c);
    CHECK(!contrast_is_star(&c), "one of three changes two settings");
    CHECK(contrast_ablation(&c, &plan, &out, &e) == ERR_OK, "%s", e.text);
    want(text_of(&out), "baseline: turboquant rerank=0");
    want(text_of(&out), "baseline            0.8200 [");
    want(text_of(&out),
         "turboquant:bits=1   0.5150 [0.5000, 0.5300]   -0.3050 [-0.31"); /* of the seeds' mean */
    want(text_of(&out), "]*    0.0002           40           x0.40"); /* twice the least, 1e-4; of a
                                                                         median of 101 */
    want(text_of(&out), "rerank=20           0.8317 [0.8100, 0.8400]   +0.0117 [");
    want(text_of(&out), "1 other points change more than one setting");
    CHECK(!strstr(text_of(&out), "error"), "rows that failed are no points");
    text_free(&out);
    contrast_free(&c);
}

static void stars(void)
{
    static const char three[] =
        "a,0,ok,m,d,x,60,10,1,turboquant,1,.8,,,1,,0\nb,0,ok,m,d,x,60,10,1,flat,1,.9,,,1,,0\n"
        "c,0,ok,m,d,x,60,10,1,turboquant,1,.9,,,1,,20\n",
                      both[] = "d,0,ok,m,d,x,60,10,1,flat,1,1,,,1,,20\n";
    struct contrast c;
    struct text out = { 0 };
    text_add(&out, HEADER "%s", three);
    put("rows.csv", text_of(&out));
    open_rows(&c);
    CHECK(contrast_is_star(&c), "every point is a change of the first");
    contrast_free(&c);
    text_add(&out, "%s", both);
    put("rows.csv", text_of(&out));
    open_rows(&c);
    CHECK(!contrast_is_star(&c), "a product of two axes");
    contrast_free(&c);
    text_clear(&out);
    text_add(&out, "# one_at_a_time: true\n" HEADER "%s%s", three, both);
    put("rows.csv", text_of(&out));
    open_rows(&c);
    CHECK(contrast_is_star(&c), "its note says so");
    contrast_free(&c);
    text_free(&out);
}

static void best_and_ties(void)
{
    struct contrast c;
    struct text out = { 0 };
    struct err e = { 0 };
    struct contrast_plan plan = { .columns = "recall_strict" };
    put_rows();
    put_queries("c1", .81, 10); /* now its difference from the mean of a1 and a2 is none */
    open_rows(&c);
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_OK, "%s", e.text);
    want(text_of(&out), "turboquant:bits=1 rerank=0    0.5150 [0.5000, 0.5300] ");
    want(text_of(&out), "0.8317 [0.8100, 0.8400]*");
    want(text_of(&out), "0.8200 [0.8100, 0.8300]=");
    text_clear(&out);
    plan.format = SHEET_MARKDOWN;
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_OK, "%s", e.text);
    want(text_of(&out), "| turboquant rerank=20 | **0.8317 [0.8100, 0.8400]** |");
    want(text_of(&out), "\n| :--- | ---: | ---: | ---: | ---: | ---: |\n");
    text_clear(&out);
    plan.format = SHEET_LATEX;
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_OK, "%s", e.text);
    want(text_of(&out), "point & recall\\_strict & lat\\_p50\\_us");
    want(text_of(&out), "\\textbf{0.8317 [0.8100, 0.8400]}");
    text_clear(&out);
    plan.columns = "recall_strictly";
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_ARG && strstr(e.text, "no such metric"), "%s",
          e.text);
    plan.columns = "label_mrr";
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_ARG && strstr(e.text, "no row has a value"),
          "%s", e.text);
    text_free(&out);
    contrast_free(&c);
}

static void what_cannot_be_tested_is_said(void)
{
    struct contrast c;
    struct text out = { 0 };
    struct err e = { 0 };
    char path[256];
    const struct contrast_plan plan = { 0 };
    put_rows();
    snprintf(path, sizeof path, "%s/b1.pq.tsv", folder);
    unlink(path);
    open_rows(&c);
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_OK, "%s", e.text);
    want(text_of(&out), "are missing or of other queries");
    want(text_of(&out), "0.5150 [0.5000, 0.5300]");
    contrast_free(&c);
    text_clear(&out);
    put("rows.csv", HEADER
        "a,0,ok,m,d,x,60,10,1,turboquant,1,.8,,,1,,0\nb,0,ok,m2,d,x,60,10,1,flat,1,1,,,2,,0\n");
    open_rows(&c);
    CHECK(contrast_ablation(&c, &plan, &out, &e) == ERR_NOT_FOUND,
          "of two machines none is a change: %s", text_of(&out));
    CHECK(!contrast_is_star(&c), "no star of one");
    contrast_free(&c);
    put("rows.csv", HEADER "a,0,error: x,m,d,x,60,10,1,turboquant,1,.8,,,1,,0\n");
    open_rows(&c);
    CHECK(contrast_table(&c, &plan, &out, &e) == ERR_NOT_FOUND && strstr(e.text, "no row is ok"),
          "%s", e.text);
    contrast_free(&c);
    c = (struct contrast){ 0 };
    CHECK(contrast_add(&c, put("other.csv", "a,b\n1,2\n"), &e) == ERR_FORMAT, "%s", e.text);
    contrast_free(&c);
    text_free(&out);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    put_rows();
    test_case("per-query files", per_query_files);
    test_case("an ablation", ablation);
    test_case("which results are changes one at a time", stars);
    test_case("the best of a column, and its ties", best_and_ties);
    test_case("what cannot be tested is said", what_cannot_be_tested_is_said);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
