/* SPDX-License-Identifier: MIT
 * test_strata.c - rows folded by quintile against means by hand; which of many points are kept. */
#include "bench/rows/strata.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <math.h>

static char folder[] = P_tmpdir "/assay_strata.XXXXXX";
enum { QUERIES = 50 };

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *bytes)
{
    FILE *f = fopen(path_of(name), "w");
    if (!f || fputs(bytes, f) < 0 || fclose(f) != 0) abort();
}

/* Query q is of quintile 1 + q % 5 by local dimension and of 5 - q % 5 by contrast, but the last, which is of none;
 * recall falls by .1 a quintile, every other query .02 above and below. */
static void put_queries(const char *id, double level, int with_quintiles)
{
    struct text out = { 0 };
    char name[64];
    text_add(&out, "query\tcalls\tlat_us%s\trecall_strict\n", with_quintiles ? "\tlid_quintile\tcontrast_quintile" : "");
    for (int q = 0; q < QUERIES; q++) {
        text_add(&out, "q%d\t1\t%d", q, 10 * (1 + q % 5));
        if (with_quintiles && q + 1 == QUERIES) text_add(&out, "\t0\t0");
        else if (with_quintiles) text_add(&out, "\t%d\t%d", 1 + q % 5, 5 - q % 5);
        text_add(&out, "\t%.9g\n", level - .1 * (q % 5) + (q / 5 % 2 ? .02 : -.02));
    }
    snprintf(name, sizeof name, "%s.pq.tsv", id);
    put(name, text_of(&out));
    text_free(&out);
}

#define HEAD "point_id,rep,status,machine,dataset,data,queries,k,seed,index,bits,recall_strict,label_mrr,lat_p50_us,steal_ms,rerank\n"

static size_t write_strata(struct table *out, const char *rows, const char *only)
{
    struct contrast c = { 0 };
    struct err e = { 0 };
    size_t count = 0;
    put("rows.csv", rows);
    CHECK(contrast_add(&c, path_of("rows.csv"), &e) == ERR_OK, "%s", e.text);
    (void)unlink(path_of("strata.csv"));
    CHECK(strata_write(&c, path_of("strata.csv"), only, &count, &e) == ERR_OK, "%s", e.text);
    contrast_free(&c);
    *out = (struct table){ 0 };
    if (count) CHECK(table_append(out, path_of("strata.csv"), &e) == ERR_OK && out->count == count, "%s", e.text);
    return count;
}

static double at(const struct table *t, size_t row, const char *column)
{
    return table_number(t, row, table_column(t, column));
}

static void quintiles_are_means(void)
{
    struct table t;
    put_queries("a", .9, 1);
    put_queries("b", .8, 0);
    const size_t count = write_strata(&t, "# seed: 7\n" HEAD "a,0,ok,m,d,x,50,10,1,turboquant,3,.7,,30,0,0\n"
                                          "a,1,ok,m,d,x,50,10,1,turboquant,3,.7,,30,0,0\n"
                                          "b,0,ok,m,d,x,50,10,1,flat,,.7,,30,0,0\n"
                                          "c,0,ok,m,d,x,50,10,1,sq,,.7,,30,0,0\n"
                                          "e,0,error: x,m,d,x,50,10,1,pq,,,,,,0\n", NULL);
    CHECK(count == 10, "%zu rows of one point with quintiles, one without, one without a file, one failed", count);
    for (size_t r = 0; r < count; r++) {
        const int by_lid = r < 5, number = 1 + (int)r % 5, level = by_lid ? number - 1 : 5 - number;
        /* The fifth of them lost its last query, which was of .02 above. */
        const int lost = level == 4;
        const double want = .9 - .1 * level - (lost ? .02 / 9 : 0);
        CHECK(fabs(at(&t, r, "recall_strict") - want) < 1e-8, "row %zu: %g, not %g", r, at(&t, r, "recall_strict"), want);
        CHECK(at(&t, r, "recall_strict_lo") != at(&t, r, "recall_strict_lo"), "the rows had no such column");
        CHECK(at(&t, r, "queries") == 10 - lost && at(&t, r, "lat_p50_us") == 10 * (level + 1), "row %zu: %g queries, %g us", r,
              at(&t, r, "queries"), at(&t, r, "lat_p50_us"));
        CHECK(at(&t, r, by_lid ? "lid_quintile" : "contrast_quintile") == number &&
                  isnan(at(&t, r, by_lid ? "contrast_quintile" : "lid_quintile")), "row %zu: which quintile", r);
        CHECK(!strcmp(table_text(&t, r, table_column(&t, "index")), "turboquant") && at(&t, r, "bits") == 3, "settings");
    }
    CHECK(table_column(&t, "label_mrr") < 0, "a column without values is left out");
    CHECK(!strcmp(table_note(&t, "seed"), "7"), "notes are kept");
    table_free(&t);
    CHECK(write_strata(&t, HEAD "b,0,ok,m,d,x,50,10,1,flat,,.7,,30,0,0\n", NULL) == 0 && access(path_of("strata.csv"), F_OK) != 0,
          "no quintiles, no file");
}

/* Nine points of two methods: of turboquant the one whose rerank most others have, too; of pq its first. */
static void many_points_are_methods(void)
{
    struct text rows = { 0 };
    struct table t;
    text_add(&rows, HEAD);
    for (int i = 0; i < 9; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        put_queries(id, .9, 1);
        text_add(&rows, "%s,0,ok,m,d,x,50,10,1,%s:bits=%d,%d,.7,,30,0,%d\n", id, i < 6 ? "turboquant" : "pq", i, i,
                 i == 0 || i == 5 ? 100 : 0);
    }
    const size_t count = write_strata(&t, text_of(&rows), NULL);
    CHECK(count == 20, "%zu rows of two methods", count);
    if (count == 20) {
        CHECK(!strcmp(table_text(&t, 0, table_column(&t, "point_id")), "p1"), "the usual rerank");
        CHECK(!strcmp(table_text(&t, 10, table_column(&t, "point_id")), "p6"), "of equals the first");
    }
    table_free(&t);
    const size_t hard = write_strata(&t, text_of(&rows), "lid=5");
    CHECK(hard == 9, "%zu rows of one fifth: every point", hard);
    for (size_t r = 0; r < hard; r++) {
        CHECK(!strcmp(table_text(&t, r, table_column(&t, "dataset")), "d, lid quintile 5"), "it says so");
        CHECK(fabs(at(&t, r, "recall_strict") - (.5 - .02 / 9)) < 1e-8 && at(&t, r, "bits") == (double)r, "row %zu", r);
    }
    CHECK(table_column(&t, "lid_quintile") < 0, "rows as others are");
    table_free(&t);
    struct contrast c = { 0 };
    struct err e = { 0 };
    size_t none;
    CHECK(strata_write(&c, path_of("x"), "lid=6", &none, &e) == ERR_ARG && strstr(e.text, "'lid=6'"), "%s", e.text);
    CHECK(strata_write(&c, path_of("x"), "hard=1", &none, &e) == ERR_ARG, "%s", e.text);
    text_free(&rows);
}

static void lines_for_people(void)
{
    struct quality q = { 0 };
    struct difficulties hard = { .count = QUERIES };
    struct err e = { 0 };
    struct text out = { 0 };
    int strata[QUERIES];
    CHECK(quality_init(&q, QUERIES, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < metric_count() * QUERIES; i++) q.values[i] = NAN;
    strata_lines(&out, &q, "recall_strict");
    CHECK(out.size == 0, "without quintiles nothing");
    q.hard = &hard;
    hard.lid_stratum = hard.contrast_stratum = strata;
    for (int i = 0; i < QUERIES; i++) strata[i] = 1 + i / 10;
    strata_lines(&out, &q, "recall_strict");
    CHECK(out.size == 0, "without values nothing");
    for (size_t m = 0; m < metric_count(); m++)
        for (size_t i = 0; !strcmp(metric_at(m)->name, "recall_strict") && i < QUERIES; i++)
            q.values[m * QUERIES + i] = 1 - .1 * (double)(i / 10);
    strata_lines(&out, &q, "recall_strict");
    CHECK(strstr(text_of(&out), "by local dimension   1.0000 [1.000, 1.000]  0.9000 [0.900, 0.900]") &&
              strstr(text_of(&out), "0.6000 [0.600, 0.600]\n  recall_strict by contrast"), "%s", text_of(&out));
    text_free(&out);
    quality_fini(&q);
}

int main(void)
{
    if (!mkdtemp(folder)) abort();
    test_case("a row a quintile, of its queries alone", quintiles_are_means);
    test_case("of many points those that stand for a method", many_points_are_methods);
    test_case("lines for people", lines_for_people);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
    return test_end();
}
