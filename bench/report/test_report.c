/* SPDX-License-Identifier: MIT
 * test_report.c - what a report says of planted results: which point is best, which to use, what changed. */
#include "bench/report/answer.h"
#include "bench/report/changes.h"
#include "bench/report/figures.h"
#include "bench/report/html.h"
#include "bench/report/saved.h"
#include "bench/report/verdicts.h"
#include "kernels/base/test.h"
#include <math.h>
#include <sys/stat.h>

static char folder[] = P_tmpdir "/assay_report.XXXXXX";
enum { QUERIES = 200 };

static const char *path_of(const char *dir, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", folder, dir, name);
    return path;
}

static void put(const char *dir, const char *name, const char *bytes)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s/%s", folder, dir);
    if (mkdir(whole, 0777) != 0 && access(whole, W_OK) != 0) abort();
    FILE *f = fopen(path_of(dir, name), "w");
    if (!f || fputs(bytes, f) < 0 || fclose(f) != 0) abort();
}

/* Query q has recall `level`, and of every `period`-th .1 more; each takes us microseconds, some more. */
static void put_queries(const char *dir, const char *id, double level, int period, double us)
{
    struct text out = { 0 };
    char name[64];
    text_add(&out, "query\tcalls\tlat_us\tlat_min_us\trecall_strict\n");
    for (int q = 0; q < QUERIES; q++)
        text_add(&out, "q%d\t1\t%g\t\t%g\n", q, us * (1 + q % 7 * .01), level + (q % period == 0 ? .1 : 0));
    snprintf(name, sizeof name, "%s.pq.tsv", id);
    put(dir, name, text_of(&out));
    text_free(&out);
}

#define HEADER "point_id,rep,status,machine,dataset,data,queries,k,seed,index,threads,recall_strict,recall_strict_lo," \
               "recall_strict_hi,lat_p50_us,bytes_per_vector,steal_ms,rerank\n"
/* The best; one as good and faster; one faster still, and worse; one that failed; a row of other data. */
static const char rows[] = HEADER "a,0,ok,m,d/x,1,200,10,1,turboquant:bits=8,1,.96,.95,.97,100,200,,0\n"
                                  "a2,0,ok,m,d/x,1,200,10,2,turboquant:bits=8,1,.96,.95,.97,100,200,,0\n"
                                  "b,0,ok,m,d/x,1,200,10,1,turboquant:bits=4,1,.955,.945,.965,50,100,,0\n"
                                  "c,0,ok,m,d/x,1,200,10,1,rabitq:bits=4,1,.952,.942,.962,80,100,,0\n"
                                  "e,0,ok,m,d/x,1,200,10,1,rabitq:bits=2,1,.7,.69,.71,20,50,,0\n"
                                  "f,0,\"error: x\",m,d/x,1,200,10,1,flat,1,,,,,,,0\n"
                                  "g,0,ok,m,d/x,2,200,10,1,flat,1,1,1,1,300,,,0\n";

static void put_rows(const char *dir)
{
    put(dir, "rows.csv", rows);
    put_queries(dir, "a", .95, 10, 100);
    put_queries(dir, "a2", .95, 10, 100);
    put_queries(dir, "b", .945, 9, 50);  /* now better, now worse: not resolved */
    put_queries(dir, "c", .94, 10, 80);  /* .01 below, always */
    put_queries(dir, "e", .69, 10, 20);
}

static struct folder opened(const char *dir)
{
    struct folder f = { 0 };
    struct err e = { 0 };
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, dir);
    CHECK(folder_open(&f, path, &e) == ERR_OK, "%s", e.text);
    return f;
}

static void says(const struct result_group *g, const struct result_point *p, const char *want)
{
    struct text name = { 0 };
    if (p) result_name(g, p, &name);
    CHECK(strcmp(text_of(&name), want) == 0, "%s, not %s", text_of(&name), want);
    text_free(&name);
}

static void cells_are_escaped_and_rounded(void)
{
    static const struct { const char *cell, *want; } cases[] = {
        { "0.92855", "0.9286" }, { "20.125", "20.13" }, { "1234.5", "1235" }, { "-2.00005", "-2" }, { "117659", "117659" },
        { "1e-7", "1e-07" }, { "0x10", "0x10" }, { "inf", "inf" }, { "", "" }, { "0.5", "0.5" },
        { "<b a=\"x\">&", "&lt;b a=&quot;x&quot;&gt;&amp;" }, { "1.5.2", "1.5.2" },
    };
    struct text out = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_clear(&out);
        text_add(&out, "|");
        html_cell(&out, cases[i].cell);
        CHECK(strcmp(text_of(&out) + 1, cases[i].want) == 0, "%s: %s", cases[i].cell, text_of(&out) + 1);
    }
    text_clear(&out);
    html_json(&out, "</script>\"<!--");
    CHECK(strcmp(text_of(&out), "\"\\u003c/script>\\\"\\u003c!--\"") == 0, "%s", text_of(&out));
    text_clear(&out);
    html_count(&out, "1234567");
    CHECK(strcmp(text_of(&out), "1,234,567") == 0, "%s", text_of(&out));
    text_free(&out);
}

static void the_best_and_the_one_to_use(void)
{
    struct err e = { 0 };
    struct answer a;
    put_rows("run");
    struct folder f = opened("run");
    CHECK(f.count == 1 && f.results[0].count == 2 && f.results[0].groups[0].count == 4, "%zu groups", f.results[0].count);
    const struct result_group *g = &f.results[0].groups[0];
    CHECK(g->points[0].count == 2, "%zu rows of a point with two seeds", g->points[0].count);
    CHECK(answer_find(g, &a, &e) == ERR_OK && a.is_paired && a.queries == QUERIES && a.contenders == 4, "%d %zu", a.is_paired, a.queries);
    says(g, a.best, "turboquant:bits=8");
    says(g, a.use, "turboquant:bits=4");
    CHECK(a.unresolved == 1, "%zu unresolved", a.unresolved);
    CHECK(fabs(a.faster.at - 2) < .01 && a.faster.lo > 1.9, "faster %g", a.faster.at);
    says(g, a.fast, "turboquant:bits=4");
    says(g, a.rival, "rabitq:bits=4");
    CHECK(a.level > .94 && fabs(a.behind.at - 1.6) < .01, "at %g behind %g", a.level, a.behind.at);
    CHECK(fabs(a.gain.at - .005) < 1e-9 && a.gain.lo < 0 && a.gain.hi > 0, "gain %g [%g, %g]", a.gain.at, a.gain.lo, a.gain.hi);
    folder_free(&f);
}

/* By intervals c is not resolved either, and of the three b is the fastest. */
static void without_questions_intervals_decide(void)
{
    struct err e = { 0 };
    struct answer a;
    put("bare", "rows.csv", rows);
    struct folder f = opened("bare");
    const struct result_group *g = &f.results[0].groups[0];
    CHECK(answer_find(g, &a, &e) == ERR_OK && !a.is_paired && a.unresolved == 2, "%d %zu", a.is_paired, a.unresolved);
    says(g, a.use, "turboquant:bits=4");
    CHECK(a.faster.at == 2, "%g", a.faster.at);
    folder_free(&f);
}

static void what_changed_is_judged(void)
{
    struct err e = { 0 };
    struct changes c;
    struct text four = { 0 };
    put_rows("run");
    put("later", "rows.csv", HEADER "a,0,ok,m,d/x,1,200,10,1,turboquant:bits=8,1,.96,.95,.97,100,200,,0\n"
                                    "b,0,ok,m,d/x,1,200,10,1,turboquant:bits=4,1,.955,.945,.965,50,100,,0\n"
                                    "c,0,ok,m,d/x,1,200,10,1,rabitq:bits=4,1,.952,.942,.962,80,100,,0\n"
                                    "z,0,ok,m,d/x,1,200,10,1,sq,1,.952,.942,.962,80,100,,0\n");
    put_queries("later", "a", .95, 10, 100);
    put_queries("later", "b", .955, 9, 50);
    put_queries("later", "c", .93, 10, 80);
    struct folder was = opened("run"), is = opened("later");
    CHECK(changes_find(&c, &was, &is, &e) == ERR_OK && c.count == 3 && c.only_a == 2 && c.only_b == 1, "%s %zu %zu %zu", e.text,
          c.count, c.only_a, c.only_b);
    const enum change_verdict want[] = { CHANGE_NONE, CHANGE_BETTER, CHANGE_WORSE };
    for (size_t i = 0; i < 3; i++)
        CHECK(c.at[i].quality == want[i] && c.at[i].time == CHANGE_UNJUDGED, "%zu: %s", i, change_word(c.at[i].quality, 0));
    changes_free(&c);
    folder_free(&was);
    folder_free(&is);
    for (int run = 0; run < 2; run++) { /* repetitions: time is judged */
        text_clear(&four);
        text_add(&four, HEADER);
        for (int r = 0; r < 5; r++)
            text_add(&four, "a,%d,ok,m,d/x,1,200,10,1,sq,1,.96,.95,.97,%g,200,,0\n", r, (run ? 80 : 100) + .5 * r);
        put(run ? "five" : "fast", "rows.csv", text_of(&four));
    }
    was = opened("fast"), is = opened("five");
    CHECK(changes_find(&c, &was, &is, &e) == ERR_OK && c.count == 1 && c.at[0].time == CHANGE_BETTER &&
              fabs(c.at[0].faster.at - 1.25) < .01 && c.at[0].quality == CHANGE_UNJUDGED, "%s: %g", change_word(c.at[0].time, 1), c.at[0].faster.at);
    changes_free(&c);
    folder_free(&was);
    folder_free(&is);
    text_free(&four);
}

/* Three kernels over seven processes: one slower by 10 %, one as it was, a control that moved by `drift`. */
static void put_saved(const char *dir, double slow, double drift)
{
    struct text out = { 0 };
    text_add(&out, "# machine: m\n# time: 2026-01-0%dT00:00:00Z\nname,process,sample,ns_per_vector\n", slow > 1 ? 2 : 1);
    for (int p = 0; p < 7; p++)
        for (int s = 0; s < 3; s++)
            text_add(&out, "dot/avx2/x/dim:8/l1,%d,%d,%g\ndot/avx2/y/dim:8/l1,%d,%d,%g\ndot/scalar/plain/dim:8/l1,%d,%d,%g\n", p, s,
                     10 * slow * (1 + p * .001), p, s, 10 * (1 + p * .001), p, s, 40 * drift * (1 + p * .001));
    put(dir, "raw.csv", text_of(&out));
    text_free(&out);
}

static void kernels_are_judged_beside_their_controls(void)
{
    static const char *const wants[][3] = { { "slower", "not resolved", "control" }, { "not resolved", "not resolved", "control" } };
    put_saved("then", 1, 1);
    for (int moved = 0; moved < 2; moved++) {
        struct saved then, now;
        struct made m = { 0 };
        struct err e = { 0 };
        put_saved("now", 1.1, moved ? 1.2 : 1);
        CHECK(saved_open(&then, path_of("then", "raw.csv"), &e) == ERR_OK && saved_open(&now, path_of("now", "raw.csv"), &e) == ERR_OK &&
                  saved_compare(&m, &then, &now, &e) == ERR_OK && made_finish(&m, &e) == ERR_OK && m.table.count == 3, "%s", e.text);
        for (size_t r = 0; r < m.table.count; r++)
            CHECK(strcmp(table_text(&m.table, r, 6), wants[moved][r]) == 0, "%d %zu: %s", moved, r, table_text(&m.table, r, 6));
        CHECK(fabs(table_number(&m.table, 0, 3) - 1 / 1.1) < 1e-3, "%g", table_number(&m.table, 0, 3));
        made_free(&m);
        saved_free(&then);
        saved_free(&now);
    }
}

static void figures_find_their_section(void)
{
    static const struct { const char *name; enum figure_section section; } cases[] = {
        { "b/dot_f32_dim_1.svg", SECTION_SPEED },         { "dot_f32_where_12.svg", SECTION_SPEED },
        { "dot_f32_density.svg", SECTION_SPEED },         { "recall_bits_d_dim_x.svg", SECTION_RECALL },
        { "clustered/recall_bits.svg", SECTION_RECALL },  { "my_dim_.svg", SECTION_OTHER },
    };
    struct report_figures f = { 0 };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(figures_add(&f, folder, cases[i].name, &e) == ERR_OK, "%s", e.text);
        CHECK(f.at[i].section == cases[i].section, "%s: %s", cases[i].name, figure_sections[f.at[i].section]);
    }
    figures_free(&f);
}

/* Six processes of two arms give no interval, and nothing that would have been found. */
static void a_control_says_what_it_has(void)
{
    for (int has = 0; has < 2; has++) {
        struct table t = { 0 };
        struct text csv = { 0 }, out = { 0 };
        struct err e = { 0 };
        text_add(&csv, "arm,base,ratio,verdict,detectable_pct,processes\nx,y,2,faster,,6\nA/A,y,1,not_resolved,%s,6\n", has ? "3" : "");
        put("compared", "compare.csv", text_of(&csv));
        CHECK(table_append(&t, path_of("compared", "compare.csv"), &e) == ERR_OK, "%s", e.text);
        verdicts_write(&out, &t);
        CHECK((strstr(text_of(&out), "a difference of") != NULL) == has && strstr(text_of(&out), ", over 6 processes"), "%s", text_of(&out));
        table_free(&t);
        text_free(&csv);
        text_free(&out);
    }
}

int main(void)
{
    if (!mkdtemp(folder)) abort();
    test_case("cells are escaped and rounded", cells_are_escaped_and_rounded);
    test_case("the best, and the one to use", the_best_and_the_one_to_use);
    test_case("without questions intervals decide", without_questions_intervals_decide);
    test_case("what changed is judged", what_changed_is_judged);
    test_case("kernels are judged beside their controls", kernels_are_judged_beside_their_controls);
    test_case("figures find their section", figures_find_their_section);
    test_case("a control says what it has", a_control_says_what_it_has);
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) abort();
    return test_end();
}
