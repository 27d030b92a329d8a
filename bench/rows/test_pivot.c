/* SPDX-License-Identifier: MIT
 * test_pivot.c - tables of one number: which rows make a cell, what is best, and what LaTeX gets. */
#include "bench/rows/pivot.h"
#include "kernels/base/test.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64] = "/tmp/assay-test-pivot-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) abort();
}

static const char head[] = "point_id,status,machine,dataset,data,metric,n,dim,queries,k,seed,index,bits,recall_strict,recall_strict_lo,"
                           "recall_strict_hi,lat_p50_us,steal_ms,rerank\n";
static const char rows[] =
    "1,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,1,a:bits=1,1,.5,.4,.6,9,,0\n"
    "1,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,2,a:bits=1,1,.7,.6,.8,9,,0\n" /* another seed: one point, .6 */
    "2,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,1,a:bits=2,2,.9,.88,.92,9,,0\n"
    "3,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,1,b_x:bits=1,1,.2,.1,.3,9,,0\n"
    "4,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,1,b_x:bits=2,2,.89,.87,.91,9,,0\n"
    "5,ok,m,c/base.fvecs,d,cosine,1000,8,4,10,1,a:bits=2,2,.99,.98,1,9,,50\n" /* re-ranked, which is unusual here */
    "6,signal:9,m,c/base.fvecs,d,cosine,1000,8,4,10,1,a:bits=2,2,.1,0,1,9,,0\n";

static const char *print(enum sheet_format format, const char *value)
{
    static struct text out;
    struct contrast c = { 0 };
    struct err e = { 0 };
    char path[160];
    text_clear(&out);
    snprintf(path, sizeof path, "%s/rows.csv", dir);
    int status = contrast_add(&c, path, &e);
    const struct pivot_plan plan = { "index", "bits", value, format, NULL };
    if (status == ERR_OK) status = pivot_print(&c, &plan, &out, &e);
    contrast_free(&c);
    if (status != ERR_OK) text_clear(&out), text_add(&out, "%s", e.text);
    return text_of(&out);
}

static void says(const char *text, const char *want) { CHECK(strstr(text, want) != NULL, "'%s' is not in\n%s", want, text); }

static void cells_are_points(void)
{
    char both[4000];
    snprintf(both, sizeof both, "%s%s", head, rows);
    write_file("rows.csv", both);
    const char *out = print(SHEET_PLAIN, "recall_strict");
    says(out, "a       0.60 +- 0.10*  0.90 +- 0.02*");
    says(out, "b_x     0.20 +- 0.10   0.89 +- 0.02=");
    says(out, "recall_strict of c, 1000 x 8");
    says(out, "=: its interval overlaps that of the best");
    CHECK(!strstr(out, "0.99"), "the re-ranked point is another one:\n%s", out);
    says(print(SHEET_PLAIN, "recall_stric"), "nearest is 'recall_strict'");
}

/* A query's files decide where they are there: b_x is worse at every query, and not told from it at two. */
static void queries_decide(void)
{
    char name[32], text[2000];
    for (int point = 1; point <= 4; point++) {
        int size = snprintf(text, sizeof text, "query\trecall_strict\n");
        for (int q = 0; q < 40; q++)
            size += snprintf(text + size, sizeof text - (size_t)size, "q%d\t%g\n", q, point == 2 ? .9 : point == 4 ? (q % 2 ? .905 : .88) : .1 * point);
        snprintf(name, sizeof name, "%d.pq.tsv", point);
        write_file(name, text);
    }
    const char *out = print(SHEET_PLAIN, "recall_strict");
    says(out, "not significantly worse (paired");
    says(out, "0.89 +- 0.02\n"); /* 40 queries tell .9 from .8925 */
}

static void latex_is_whole(void)
{
    const char *out = print(SHEET_LATEX, "recall_strict");
    says(out, "\\newcommand{\\assayBestBitsTwo}{a}");
    says(out, "\\newcommand{\\assayRecallStrictBestBitsTwo}{\\num{0.90(2)}}");
    says(out, "\\toprule\nindex & {bits 1} & {bits 2} \\\\\n\\midrule");
    says(out, "b\\_x & 0.20(10) & 0.89(2){$^{=}$} \\\\");
    says(out, "\\bfseries 0.60(10)");
    says(out, "\\paragraph{Methods.}");
    says(out, "2 seeds");
    says(out, "no A/A arm was run");
    int depth = 0;
    for (const char *at = out; *at; at++) {
        if (*at == '\\' && at[1]) at++;
        else depth += (*at == '{') - (*at == '}');
        CHECK(depth >= 0, "a brace closes too early at %.20s", at);
    }
    CHECK(depth == 0, "%d braces are open", depth);
}

int main(void)
{
    char command[128];
    if (!mkdtemp(dir)) abort();
    test_case("cells are points", cells_are_points);
    test_case("LaTeX is whole", latex_is_whole);
    test_case("queries decide", queries_decide);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command) != 0) abort();
    return test_end();
}
