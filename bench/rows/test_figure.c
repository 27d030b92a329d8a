/* SPDX-License-Identifier: MIT
 * test_figure.c - reading results back, and which points make a series. */
#include "bench/rows/figure.h"
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <errno.h>
#include <math.h>

static char path[64] = "/tmp/assay-test-figure-XXXXXX";

static const char *file_of(const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) abort();
    return path;
}

static void reads_what_csv_allows(void)
{
    struct table t = { 0 };
    struct err e = { 0 };
    CHECK(table_append(
              &t, file_of("# cpu: a, b\n# seed: 7\nname,x\n\"a,\"\"b\"\"\nc\",1.5\r\nplain,\n"),
              &e) == ERR_OK,
          "%s", e.text);
    CHECK(t.count == 2 && t.columns == 2, "%zu rows, %zu columns", t.count, t.columns);
    CHECK(!strcmp(table_text(&t, 0, 0), "a,\"b\"\nc"), "%s", table_text(&t, 0, 0));
    CHECK(table_number(&t, 0, 1) == 1.5, "%g", table_number(&t, 0, 1));
    CHECK(isnan(table_number(&t, 1, 1)), "an empty cell is no number");
    CHECK(!strcmp(table_note(&t, "seed"), "7") && !strcmp(table_note(&t, "see"), ""), "%s",
          table_note(&t, "seed"));
    CHECK(table_append(&t, file_of("y,name\n2,other"), &e) == ERR_OK, "%s", e.text);
    CHECK(t.count == 3 && t.columns == 3 && !strcmp(table_text(&t, 2, 0), "other"),
          "columns are matched by name");
    CHECK(table_number(&t, 2, 2) == 2 && !strcmp(table_text(&t, 0, 2), ""),
          "a later column is empty before");
    table_free(&t);
}

static void refuses_what_is_no_table(void)
{
    static const char *const bad[][2] = {
        { "", "no header" },          { "# only: notes\n", "no header" },
        { "a,b\n1\n", "line 2" },     { "a,b\n1,2\n1,2,3\n", "line 3" },
        { "a,a\n1,2\n", "twice" },    { "a,\n1,2\n", "missing" },
        { "a,b\n\"1,2\n", "line 2" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct table t = { 0 };
        struct err e = { 0 };
        CHECK(table_append(&t, file_of(bad[i][0]), &e) == ERR_FORMAT && strstr(e.text, bad[i][1]),
              "%s: %s", bad[i][0], e.text);
        CHECK(t.count == 0, "rows of a refused file stay out");
        table_free(&t);
    }
    struct table t = { 0 };
    struct err e = { 0 };
    CHECK(table_append(&t, "/nonexistent.csv", &e) == ERR_NOT_FOUND, "%s", e.text);
    table_free(&t);
}

/* Everything that a figure holds, as text: "label: x/y x/y; ..." */
static int describe(struct figure *f, void *context, struct err *e)
{
    struct text *out = context;
    (void)e;
    text_add(out, "[%s] ", text_of(&f->name));
    for (size_t i = 0; i < f->count; i++) {
        text_add(out, "%s%s:", f->series[i].mark == SERIES_FOREIGN ? "*" : "",
                 text_of(&f->series[i].label));
        for (size_t p = 0; p < f->series[i].count; p++)
            text_add(out, " %g/%g", f->series[i].points[p].x.at,
                     f->series[i].points[p].y[0].at);
        text_add(out, "; ");
    }
    return ERR_OK;
}

static int count_dominated(struct figure *f, void *context, struct err *e)
{
    size_t *const dominated = context;
    (void)e;
    for (size_t i = 0; i < f->count; i++)
        for (size_t p = 0; p < f->series[i].count; p++)
            for (size_t o = 0; o < f->series[i].count; o++) {
                const struct figure_point a = f->series[i].points[p], b = f->series[i].points[o];
                *dominated += b.x.at >= a.x.at && b.y[0].at <= a.y[0].at &&
                              (b.x.at > a.x.at || b.y[0].at < a.y[0].at);
            }
    return ERR_OK;
}

static void expect(const struct figure_kind *kind, const char *csv, const char *want)
{
    struct table t = { 0 };
    struct err e = { 0 };
    struct text got = { 0 };
    CHECK(table_append(&t, file_of(csv), &e) == ERR_OK, "%s", e.text);
    CHECK(figures_each(&t, kind, describe, &got, &e) == ERR_OK, "%s", e.text);
    CHECK(!strcmp(text_of(&got), want), "\ngot  %s\nwant %s", text_of(&got), want);
    text_free(&got);
    table_free(&t);
}

static const struct figure_kind bits = {
    .name = "bits", .gp = "axis", .x = "bits", .y = { "recall_strict" }, .least = 2
};
static const struct figure_kind front = { .name = "front",
                                          .gp = "recall_latency",
                                          .x = "recall_strict",
                                          .y = { "lat_p50_us" },
                                          .along = "rerank",
                                          .least = 1,
                                          .timed = 1,
                                          .front = 1 };
static const struct figure_kind bars = {
    .name = "bars", .gp = "stages", .y = { "t_score_us" }, .least = 1, .timed = 1
};

static void series_are_build_keys(void)
{
    expect(
        &bits,
        "status,dataset,index,bits,recall_strict,steal_ms,rerank\n"
        "ok,d,turboquant:bits=2,2,.7,,0\nok,d,turboquant:bits=1,1,.5,,0\nok,d,turboquant:bits=1,1,."
        "6,,0\n"
        "ok,d,turboquant:bits=2,2,.9,,50\nok,d,turboquant:bits=1,1,.8,,50\n"
        "ok,d,\"ivf:nlist=8,inner=(sq:bits=1)\",1,.3,,0\nok,d,\"ivf:nlist=8,inner=(sq:bits=2)\",2,."
        "4,,0\n"
        "ok,d,flat,32,1,,0\nsignal:11,d,turboquant:bits=3,3,.1,,0\n",
        "[bits] ivf:nlist=8,inner=(sq), rerank=0: 1/0.3 2/0.4; turboquant, rerank=0: 1/0.55 2/0.7; "
        "turboquant, rerank=50: 1/0.8 2/0.9; ");
    expect(&bits, "index,bits,recall_strict\na,1,.5\na,2,\n", ""); /* one point is no line */
}

static void machines_and_batches_stay_apart(void)
{
    static const char csv[] =
        "point_id,machine,threads,batch,index,recall_strict,lat_p50_us,steal_ms,rerank\n"
        "1,m1,1,1,a,.5,10,,0\n2,m1,1,1,a,.9,20,,50\n3,m1,1,1,b,.8,30,,0\n2,m1,1,1,a,.9,22,,50\n"
        "4,m1,1,64,a,.5,99,,0\n5,m2,1,1,a,.5,7,,0\n6,recorded,,,c,.7,,,\n";
    expect(&front, csv,
           "[front_machinem1_batch1] a: 0.5/10 0.9/21; b: 0.8/30; Pareto front: 0.5/10 0.9/21; "
           "[front_machinem1_batch64] a: 0.5/99; [front_machinem2_batch1] a: 0.5/7; ");
}

static void recorded_numbers_are_marked(void)
{
    expect(&bits, "machine,index,bits,recall_strict\nm1,a,1,.5\nm1,a,2,.7\nrecorded,peer,2,.8\n",
           "[bits] a: 1/0.5 2/0.7; *peer (recorded): 2/0.8; ");
    expect(&bits, "machine,index,bits,recall_strict\nrecorded,peer,2,.8\n",
           ""); /* nothing of ours */
}

static void generic_builds_are_off_the_front(void)
{
    expect(&front,
           "point_id,machine,index,recall_strict,lat_p50_us,kernel_used,steal_ms,rerank\n"
           "1,m,a,.5,10,dot_f32=avx2/rows3,,0\n2,m,a,.9,20,dot_f32=avx2/rows3,,50\n"
           "3,m,peer:x:(y),.99,5,peer_isa=generic,,0\n4,m,peer:z:(),.95,15,peer_isa=avx512,,0\n",
           "[front] a: 0.5/10 0.9/20; peer:z: 0.95/15; *peer:x:(y) (generic build): 0.99/5; "
           "Pareto front: 0.5/10 0.95/15; ");
}

static void equal_bytes_are_not_one_point(void)
{
    const struct figure_kind bytes = { .name = "bytes",
                                       .gp = "recall_bytes",
                                       .x = "bytes_per_vector",
                                       .y = { "recall_strict" },
                                       .along = "bits",
                                       .least = 1 };
    expect(&bytes,
           "machine,index,bits,bytes_per_vector,recall_strict\n"
           "m,a:bits=3,3,200,.8\nm,a:bits=4,4,200,.9\nm,a:bits=4,4,200,.9\n",
           "[bytes] a: 200/0.8 200/0.9; ");
}

static void methods_at_a_level(void)
{
    static const double levels[] = { .5, .9, 0 };
    const struct figure_kind kind = { .name = "levels", .gp = "qps_recall", .x = "recall_strict", .y = { "qps" },
                                      .levels = levels, .least = 1, .timed = 1 };
    expect(&kind,
           "point_id,machine,index,recall_strict,qps,kernel_used,steal_ms,rerank\n"
           "1,m,turboquant:bits=1,.6,100,,0,\n2,m,turboquant,.8,90,,0,0\n3,m,turboquant:bits=1,.95,40,,0,50\n"
           "4,m,\"ivf:nlist=9,inner=(rabitq:bits=8)\",.92,300,,0,0\n5,m,ivf:nprobe=1,.4,999,,0,0\n"
           "6,m,\"ivf:nlist=3\",.5,200,,0,0\n7,m,\"peer:lib=faiss:(IVF4,Flat;nprobe=2)\",.99,5,peer_isa=generic,0,0\n"
           "8,m,\"peer:lib=hnswlib:(M=4,ef=9)\",.3,9,,0,0\n",
           "[levels] ivf(rabitq): 0.5/300 0.9/300; ivf(turboquant): 0.5/200 0.9/nan; turboquant: 0.5/100 0.9/nan; "
           "turboquant + exact rerank: 0.5/40 0.9/40; *faiss:(IVF4,Flat) (generic build): 0.5/5 0.9/5; ");
}

/* Which wins on which set; of one set alone there is no such figure. */
static void methods_across_sets(void)
{
    static const double levels[] = { .5, .9, 0 };
    const struct figure_kind kind = { .name = "winners", .gp = "rows", .x = "recall_strict", .y = { "qps" },
                                      .across = "dataset,n", .levels = levels, .least = 1, .timed = 1 };
    expect(&kind,
           "point_id,machine,dataset,n,index,recall_strict,qps,steal_ms\n"
           "1,m,b_10k/x.fvecs,10,flat,1,5,0\n2,m,b_10k/x.fvecs,10,turboquant,.8,90,0\n3,m,a/x.fvecs,9,turboquant,.95,40,0\n"
           "4,m,b_9k/x.fvecs,9,flat,1,7,0\n",
           "[winners] a: turboquant: 0.5/40 0.9/40; b_9k: flat: 0.5/7 0.9/7; b_10k: turboquant: 0.5/90 0.9/nan; "
           "b_10k: flat: 0.5/5 0.9/5; ");
    expect(&kind, "point_id,machine,dataset,n,index,recall_strict,qps,steal_ms\n1,m,a/x,9,flat,1,7,0\n2,m,a/x,9,sq,1,7,0\n", "");
}

static void a_line_keeps_its_front(void)
{
    expect(&front,
           "point_id,machine,index,recall_strict,lat_p50_us,kernel_used,steal_ms,rerank\n"
           "1,m,a,.5,10,,,0\n2,m,a,.4,20,,,50\n3,m,a,.6,30,,,90\n",
           "[front] a: 0.5/10 0.6/30; Pareto front: 0.5/10 0.6/30; ");
}

/* "at [lo, hi]" of every point's first y. */
static int describe_intervals(struct figure *f, void *context, struct err *e)
{
    struct text *out = context;
    (void)e;
    for (size_t i = 0; i < f->count; i++)
        for (size_t p = 0; p < f->series[i].count; p++) {
            const struct value v = f->series[i].points[p].y[0];
            text_add(out, "%s: %g [%.3f, %.3f]; ", text_of(&f->series[i].label), v.at, v.lo, v.hi);
        }
    return ERR_OK;
}

static void expect_intervals(const struct figure_kind *kind, const char *csv, const char *want)
{
    struct table t = { 0 };
    struct err e = { 0 };
    struct text got = { 0 };
    CHECK(table_append(&t, file_of(csv), &e) == ERR_OK, "%s", e.text);
    CHECK(figures_each(&t, kind, describe_intervals, &got, &e) == ERR_OK, "%s", e.text);
    CHECK(!strcmp(text_of(&got), want), "\ngot  %s\nwant %s", text_of(&got), want);
    text_free(&got);
    table_free(&t);
}

/* A row's own ends; with them the spread over seeds, of repetitions within one seed none but where that is alone. */
static void points_carry_intervals(void)
{
    expect_intervals(&bits, "index,bits,recall_strict,recall_strict_lo,recall_strict_hi\na,1,.5,.4,.7\na,2,.7,,\n",
                     "a: 0.5 [0.400, 0.700]; a: 0.7 [nan, nan]; ");
    expect_intervals(&bits,
                     "index,bits,seed,rep,recall_strict,recall_strict_lo,recall_strict_hi\n"
                     "a,1,1,0,.5,.46,.53\na,1,2,0,.58,.54,.61\na,1,1,1,.5,.46,.53\na,1,1,2,.5,.46,.53\na,2,1,0,.7,.7,.7\n",
                     "a: 0.54 [0.483, 0.590]; a: 0.7 [0.700, 0.700]; "); /* .04 by seeds, .04 and .03 by queries */
    struct text ten = { 0 };
    text_add(&ten, "index,bits,seed,recall_strict\na,2,1,.9\n");
    for (int seed = 1; seed <= 10; seed++) text_add(&ten, "a,1,%d,%g\n", seed, 0.01 * seed);
    expect_intervals(&bits, text_of(&ten), "a: 0.055 [0.020, 0.090]; a: 0.9 [nan, nan]; "); /* the 2nd and the 9th */
    text_free(&ten);
    const struct figure_kind p50 = { .name = "p50", .gp = "axis", .x = "bits", .y = { "lat_p50_us" }, .least = 1 };
    expect_intervals(&p50, "index,bits,lat_p50_us,lat_p50_lo_us,lat_p50_hi_us\na,1,5,4,7\n", "a: 5 [4.000, 7.000]; ");
}

static void a_seed_is_neither_series_nor_axis(void)
{
    static const char csv[] =
        "point_id,machine,seed,index,recall_strict,lat_p50_us,steal_ms,rerank\n"
        "11,m,1,a,.5,10,,0\n12,m,2,a,.7,12,,0\n13,m,3,a,.6,11,,0\n21,m,1,a,.9,30,,50\n22,m,2,a,.8,20,,50\n";
    expect(&front, csv, "[front] a: 0.6/11 0.85/25; Pareto front: 0.6/11 0.85/25; ");
    struct table t = { 0 };
    struct err e = { 0 };
    const char *axes[8];
    CHECK(table_append(&t, file_of(csv), &e) == ERR_OK, "%s", e.text);
    const size_t count = figure_axes(&t, axes, 8);
    CHECK(count == 1 && !strcmp(axes[0], "rerank"), "%zu axes, %s", count, count ? axes[0] : "");
    table_free(&t);
}

/* Scaling: threads are x, and split no figure; base sets of other sizes are one line. */
static void scaling_axes(void)
{
    const struct figure_kind threads = { .name = "threads",
                                         .gp = "axis",
                                         .x = "threads",
                                         .across = "threads",
                                         .y = { "qps" },
                                         .least = 2,
                                         .timed = 1 };
    expect(&threads,
           "machine,dataset,k,threads,batch,index,qps\nm,d,10,1,1,a,5\nm,d,10,2,1,a,9\nm,d,10,1,8,"
           "a,7\nm,d,10,2,8,a,8\n",
           "[threads_batch1] a: 1/5 2/9; [threads_batch8] a: 1/7 2/8; ");
    const struct figure_kind n = { .name = "n",
                                   .gp = "axis",
                                   .x = "n",
                                   .across = "n,dataset,queries",
                                   .y = { "qps" },
                                   .least = 2,
                                   .timed = 1 };
    expect(&n,
           "machine,dataset,k,queries,n,index,qps\nm,d1,10,5,100,a,9\nm,d2,10,6,200,a,5\nm,d1,10,5,"
           "100,b,8\n",
           "[n] a: 100/9 200/5; ");
}

/* No point of a front is beaten in one way and not better in the other, whatever the order of the rows. */
static void a_front_holds_no_dominated_point(void)
{
    expect(&front,
           "point_id,machine,index,recall_strict,lat_p50_us,kernel_used,steal_ms,rerank\n"
           "1,m,a,1,784,,,0\n2,m,a,1,1900,,,50\n3,m,a,1,1310,,,90\n4,m,a,.5,784,,,91\n"
           "5,m,b,1,1310,,,0\n6,m,b,.9,700,,,1\n7,m,b,1,1900,,,2\n",
           "[front] a: 1/784; b: 0.9/700 1/1310; Pareto front: 0.9/700 1/784; ");
    static const char *const file = "results/reference/wordnet.csv";
    struct table t = { 0 };
    struct err e = { 0 };
    if (table_append(&t, file, &e) != ERR_OK) SKIP("not run from the top of the source tree");
    const struct figure_kind kind = { .name = "q", .gp = "recall_latency", .x = "agree_at_10", .y = { "lat_p50_us" },
                                      .along = "top_k_candidates,top_k_rerank", .least = 2, .timed = 1, .front = 1 };
    size_t dominated = 0;
    CHECK(figures_each(&t, &kind, count_dominated, &dominated, &e) == ERR_OK, "%s", e.text);
    CHECK(dominated == 0, "%zu points of fronts in %s are dominated", dominated, file);
    table_free(&t);
}

static void a_point_is_the_same_in_any_file(void)
{
    static const char *const files[] = { "point_id,machine,data,index,recall_strict,steal_ms,rerank\n1,m,d,a,.5,,20\n",
                                         "point_id,index,layout,machine,data,steal_ms,x,rerank,seed\n1,a,,m,d,,,20,7\n",
                                         "point_id,machine,data,index,recall_strict,steal_ms,top_k\n1,m,d,a,.5,,20\n" };
    uint64_t ids[3];
    for (size_t i = 0; i < 3; i++) {
        struct table t = { 0 };
        struct err e = { 0 };
        CHECK(table_append(&t, file_of(files[i]), &e) == ERR_OK, "%s", e.text);
        ids[i] = figure_point_id(&t, 0);
        table_free(&t);
    }
    CHECK(ids[0] == ids[1] && ids[0] != ids[2] && ids[0], "%d %d", ids[0] == ids[1], ids[0] == ids[2]);
}

static void bars_change_one_setting_at_a_time(void)
{
    expect(&bars,
           "machine,t_score_us,steal_ms,bit_width,top_k_candidates\n"
           "m,5,,3,50\nm,6,,3,100\nm,7,,4,50\nm,8,,4,100\nm,9,,3,50\n",
           "[bars] defaults: nan/7; 4 bits: nan/7; top_k_candidates=100: nan/6; ");
}

/* Every allocation in turn fails: an error, or the same figure, and nothing leaks (ASan). */
static void without_memory_there_is_an_error(void)
{
    static const char csv[] = "point_id,machine,index,recall_strict,lat_p50_us,steal_ms,rerank\n"
                              "1,m,a,.5,10,,0\n2,m,a,.9,20,,50\n3,m,b,.8,15,,0\n";
    const char *file = file_of(csv);
    int failed = 0;
    for (long n = 1; n < 60; n++) {
        struct table t = { 0 };
        struct err e = { 0 };
        struct text got = { 0 };
        fault_after(FAULT_MEMORY, n, ENOMEM);
        int status = table_append(&t, file, &e);
        if (status == ERR_OK) status = figures_each(&t, &front, describe, &got, &e);
        fault_after(FAULT_NONE, 0, 0);
        if (got.failed) status = ERR_MEM; /* our own */
        CHECK(status == ERR_MEM || !strcmp(text_of(&got), "[front] a: 0.5/10 0.9/20; b: 0.8/15; "
                                                          "Pareto front: 0.5/10 0.8/15 0.9/20; "),
              "allocation %ld: %d %s %s", n, status, e.text, text_of(&got));
        failed += status == ERR_MEM;
        text_free(&got);
        table_free(&t);
    }
    CHECK(failed > 20, "%d allocations failed", failed);
}

int main(void)
{
    const int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0) abort();
    test_case("reads what CSV allows", reads_what_csv_allows);
    test_case("refuses what is no table", refuses_what_is_no_table);
    test_case("series are build keys", series_are_build_keys);
    test_case("machines and batches stay apart", machines_and_batches_stay_apart);
    test_case("recorded numbers are marked", recorded_numbers_are_marked);
    test_case("generic builds are off the front", generic_builds_are_off_the_front);
    test_case("equal bytes are not one point", equal_bytes_are_not_one_point);
    test_case("methods by what a level of recall costs", methods_at_a_level);
    test_case("methods at a level, across data sets", methods_across_sets);
    test_case("a line keeps its own front", a_line_keeps_its_front);
    test_case("points carry intervals", points_carry_intervals);
    test_case("a seed is neither series nor axis", a_seed_is_neither_series_nor_axis);
    test_case("scaling axes", scaling_axes);
    test_case("a front holds no dominated point", a_front_holds_no_dominated_point);
    test_case("a point is the same in any file", a_point_is_the_same_in_any_file);
    test_case("bars change one setting at a time", bars_change_one_setting_at_a_time);
    test_case("without memory there is an error", without_memory_there_is_an_error);
    unlink(path);
    return test_end();
}
