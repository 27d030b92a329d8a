/* SPDX-License-Identifier: MIT
 * test_cluster.c - what long sweeps on many machines need: points worth measuring again, the order in which a budget is
 * spent, indexes that are kept, points without clocks side by side, anchors. */
#include "bench/points/ann_kept.h"
#include "bench/rows/output.h"
#include "bench/sweep/sweep.h"
#include "datasets/dataset.h"
#include "kernels/base/parallel.h"
#include "kernels/base/test.h"
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h> /* not used here: a bare worker leaves this test out with the parser */

enum { BASE = 300, QUERIES = 12, DIM = 16 };
static char folder[] = P_tmpdir "/assay_cluster.XXXXXX";

static const char *in_folder(const char *name)
{
    static char paths[4][200];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *bytes)
{
    struct text t = { 0 };
    struct err e = { 0 };
    text_add(&t, "%s", bytes);
    CHECK(output_write(in_folder(name), &t, &e) == ERR_OK, "%s", e.text);
    text_free(&t);
}

static void make_vectors(const char *name, size_t count)
{
    float *at = mem_alloc(count * DIM, sizeof *at);
    struct err e = { 0 };
    for (size_t i = 0; i < count * DIM; i++) at[i] = (float)(test_rand() >> 40) / (float)(1 << 24) - 0.5f;
    CHECK(dataset_write_fvecs(in_folder(name), (struct rows){ at, count, DIM, DIM }, &e) == ERR_OK, "%s", e.text);
    mem_free(at);
}

struct loaded { struct sweep sweep; struct plan plan; };

static void load(struct loaded *l, const char *rest)
{
    struct err e = { 0 };
    struct text yaml = { 0 };
    text_add(&yaml, "dataset: {base: %s, query: %s}\n%s", in_folder("base.fvecs"), in_folder("query.fvecs"), rest);
    put("sweep.yaml", text_of(&yaml));
    text_free(&yaml);
    CHECK(sweep_load(&l->sweep, in_folder("sweep.yaml"), &e) == ERR_OK && plan_make(&l->plan, &l->sweep, &e) == ERR_OK, "%s", e.text);
}

static void unload(struct loaded *l)
{
    plan_free(&l->plan);
    sweep_free(&l->sweep);
}

static struct run_result run(struct loaded *l, const char *out, struct shard shard)
{
    struct run_result result = { 0 };
    struct run r;
    struct err e = { 0 };
    char verb[] = "sweep", *const argv[] = { verb, NULL };
    CHECK(run_init(&r, 1, argv, &e) == ERR_OK, "%s", e.text);
    CHECK(sweep_run(&l->sweep, &l->plan, in_folder(out), shard, &r, &result, &e) == ERR_OK, "%s", e.text);
    run_fini(&r);
    return result;
}

static size_t rows_of(const char *csv, const char *column, const char *value)
{
    struct table t = { .whole_lines = 1 };
    struct err e = { 0 };
    size_t count = 0;
    CHECK(table_append(&t, in_folder(csv), &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < t.count; i++) count += strcmp(table_text(&t, i, table_column(&t, column)), value) == 0;
    table_free(&t);
    return count;
}

static const struct shard whole;

/* Quality and cost of six points, by hand: the front is 1 (.5, 10), 3 (.8, 20), 5 (.9, 100); 2 (.79, 20.5) is within 5 % of
 * it, 4 (.7, 30) and 6 (.9, 110) are not. */
static void refined(void)
{
    static const double quality[] = { 0.5, 0.79, 0.8, 0.7, 0.9, 0.9 }, cost[] = { 10, 20.5, 20, 30, 100, 110 };
    struct loaded l;
    struct text csv = { 0 };
    struct err e = { 0 };
    unsigned char only[6];
    load(&l, "axes: {index: flat, k: 1..6}\nmin_calls: 5\n");
    CHECK(l.plan.count == 6, "%zu points", l.plan.count);
    text_add(&csv, "point_id,rep,status,recall_strict,lat_p50_us,count\nffffffffffffffff,0,ok,1,1,1\n");
    for (int rep = 0; rep < 2; rep++) /* means of the two */
        for (size_t i = 0; i < 6; i++)
            text_add(&csv, "%s,%d,ok,%g,%g,\n", l.plan.points[i].id, rep, quality[i] + (rep ? 0.001 : -0.001), cost[i]);
    text_add(&csv, "%s,2,signal:9,,,\n", l.plan.points[3].id);
    put("hand.csv", text_of(&csv));
    text_free(&csv);
    struct refine_wish w = { .csv = in_folder("hand.csv"), .near = 0.05 };
    struct refine_found found;
    CHECK(sweep_refine(&l.plan, &w, only, &found, &e) == ERR_OK && found.measured == 6 && found.near == 4 && found.strangers == 1,
          "%s: %zu near, %zu strangers", e.text, found.near, found.strangers);
    CHECK(only[0] && only[1] && only[2] && !only[3] && only[4] && !only[5], "another front");
    CHECK(strcmp(w.quality, "recall_strict") == 0 && strcmp(w.cost, "lat_p50_us") == 0, "%s %s", w.quality, w.cost);
    w.near = 0;
    CHECK(sweep_refine(&l.plan, &w, only, &found, &e) == ERR_OK && found.near == 3 && !only[1], "%zu", found.near);
    w.quality = "recal";
    CHECK(sweep_refine(&l.plan, &w, only, &found, &e) == ERR_ARG && strstr(e.text, "no column 'recal'"), "%s", e.text);
    w.quality = "count", w.cost = "recall_strict";
    put("hand.csv", "point_id,rep,status,recall_strict,lat_p50_us\nffffffffffffffff,0,ok,1,1\n");
    w.quality = w.cost = NULL;
    CHECK(sweep_refine(&l.plan, &w, only, &found, &e) == ERR_NOT_FOUND && strstr(e.text, "none of its points is in this plan"), "%s", e.text);
    /* The chosen alone are measured, up to as many repetitions. */
    memset(only, 0, sizeof only);
    run(&l, "out", whole);
    only[2] = 1;
    l.sweep.only = only;
    l.sweep.reps = 3;
    const struct run_result r = run(&l, "out", whole);
    CHECK(r.wanted == 1 && r.measured == 1 && rows_of("out/sweep.csv", "point_id", l.plan.points[2].id) == 3 &&
          rows_of("out/sweep.csv", "status", "ok") == 8, "%zu", r.measured);
    CHECK(access(in_folder("out/config.yaml"), R_OK) == 0, "what was asked for is kept");
    unload(&l);
}

/* The largest distance from any point of a 9 x 9 grid to the nearest of the first `reached`. */
static double gap(const size_t *order, size_t reached)
{
    double most = 0;
    for (size_t i = 0; i < 81; i++) {
        double nearest = INFINITY;
        for (size_t n = 0; n < reached; n++)
            nearest = fmin(nearest, fabs((double)(i / 9) - (double)(order[n] / 9)) + fabs((double)(i % 9) - (double)(order[n] % 9)));
        most = fmax(most, nearest);
    }
    return most;
}

static void budgets_cover_the_grid(void)
{
    struct loaded l;
    struct err e = { 0 };
    const struct point *points[81];
    size_t order[81], sum = 0;
    load(&l, "axes: {index: flat, k: 2..10, rerank: [0, 10, 20, 30, 40, 50, 60, 70, 80]}\nmin_calls: 5\n");
    CHECK(l.plan.count == 81, "%zu points", l.plan.count);
    for (size_t i = 0; i < 81; i++) points[i] = &l.plan.points[i];
    CHECK(sweep_order(&l.plan, points, 81, order, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < 81; i++) sum += order[i];
    CHECK(sum == 80 * 81 / 2, "each once");
    const double four = gap(order, 4), nine = gap(order, 9);
    CHECK(order[0] == 72 && order[1] == 8 && four <= 8 && nine <= 5, "%zu %zu: %g after four, %g after nine", order[0], order[1], four, nine);
    unload(&l);
}

static struct watch { int now, most, began; } *watch;

/* Waits until another worker is there too, or has had its time. */
static void meet(const struct plan *p, const struct point *point)
{
    (void)p, (void)point;
    const int now = __atomic_add_fetch(&watch->now, 1, __ATOMIC_SEQ_CST);
    if (now > watch->most) watch->most = now;
    for (int i = 0; i < 100 && watch->most < 2; i++) usleep(2000);
    __atomic_add_fetch(&watch->began, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&watch->now, 1, __ATOMIC_SEQ_CST);
}

static void die_once(const struct plan *p, const struct point *point)
{
    if (point == &p->points[1]) abort();
}

static void without_clocks(void)
{
    struct loaded l;
    watch = mmap(NULL, sizeof *watch, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (watch == MAP_FAILED) return;
    for (int timed = 0; timed < 2; timed++) {
        const char *out = timed ? "timed" : "untimed";
        char csv[40];
        *watch = (struct watch){ 0 };
        snprintf(csv, sizeof csv, "%s/sweep.csv", out);
        load(&l, timed ? "axes: {index: flat, k: 1..4}\nmin_calls: 5\n" : "axes: {index: flat, k: 1..4}\ntimed: false\n");
        l.sweep.before_point = meet;
        const struct run_result r = run(&l, out, whole);
        CHECK(r.measured == 4 && r.failed == 0 && watch->began == 4, "%zu", r.measured);
        CHECK(watch->most == (timed || parallel_cpus() == 1 ? 1 : 2) || (!timed && watch->most > 2), "%d at a time", watch->most);
        CHECK(rows_of(csv, "recall_strict", "1") == 4 && rows_of(csv, "lat_p50_us", "") == (timed ? 0u : 4u) &&
              rows_of(csv, "t_retrieve_us", "") == (timed ? 0u : 4u), "times: %zu", rows_of(csv, "lat_p50_us", ""));
        unload(&l);
    }
    load(&l, "axes: {index: flat, k: 1..4}\ntimed: false\n");
    l.sweep.before_point = die_once;
    const struct run_result r = run(&l, "dead", whole);
    CHECK(r.measured == 4 && r.failed == 1 && rows_of("dead/sweep.csv", "status", "ok") == 3 &&
          rows_of("dead/sweep.csv", "status", "signal:6") == 1, "%zu failed", r.failed);
    unload(&l);
    struct sweep s;
    struct err e = { 0 };
    CHECK(sweep_parse(&s, "x.yaml", "dataset: {base: a, query: b}\naxes: {k: 1}\ntimed: false\nmin_calls: 5\n", &e) == ERR_ARG &&
          strstr(e.text, "min_calls is of timed points"), "%s", e.text);
    munmap(watch, sizeof *watch);
}

static size_t files_in(const char *name)
{
    char command[300], count[32] = "0";
    snprintf(command, sizeof command, "find %s -name '*.assay' | wc -l", in_folder(name));
    FILE *f = popen(command, "r");
    if (!f || !fgets(count, sizeof count, f) || pclose(f) != 0) return 0;
    return (size_t)atoi(count);
}

static void indexes_are_kept(void)
{
    struct loaded l;
    struct err e = { 0 };
    struct ann_index x = { 0 };
    load(&l, "axes: {index: ['turboquant', 'sq'], rerank: [0, 10]}\nmin_calls: 5\n");
    run(&l, "fast", whole);
    CHECK(files_in("fast") == 0, "built in no time: not kept");
    l.sweep.keep_from_s = 0;
    run(&l, "kept", (struct shard){ 0, 2 });
    run(&l, "kept", (struct shard){ 1, 2 });
    CHECK(files_in("kept") == 2, "%zu files of two indexes", files_in("kept"));
    unload(&l);
    /* Read back the same; built anew, and said, where it is damaged. */
    struct ann_set s;
    const struct ann_point p = { "turboquant", "", 10, 0, 1, 1, 42 };
    const struct ann_store store = { in_folder("store"), 0 }, slow = { in_folder("slow"), 1e9 };
    CHECK(ann_set_open(&s, in_folder("base.fvecs"), in_folder("query.fvecs"), "cosine", &e) == ERR_OK, "%s", e.text);
    for (int turn = 0; turn < 3; turn++) {
        CHECK(ann_obtain(&x, &s, &p, NULL, 0, &store, &e) == ERR_OK && x.rebuilt == (turn == 2), "%s: %d", e.text, x.rebuilt);
        index_destroy(x.index);
        char command[300];
        snprintf(command, sizeof command, "for f in %s/*.assay; do printf X | dd of=$f bs=1 seek=300 conv=notrunc 2>/dev/null; done", store.folder);
        if (turn == 1) CHECK(system(command) == 0, "%s", command);
    }
    CHECK(files_in("store") == 1, "one file");
    CHECK(ann_obtain(&x, &s, &p, NULL, 0, &slow, &e) == ERR_OK && !x.rebuilt && files_in("slow") == 0, "%s", e.text);
    index_destroy(x.index);
    ann_set_close(&s);
}

static void anchors(void)
{
    struct loaded l;
    struct sweep_anchors a;
    struct err e = { 0 };
    load(&l, "axes: {index: flat, k: 1..4}\nmin_calls: 5\n");
    run(&l, "none", whole);
    CHECK(sweep_anchors(in_folder("none"), &a, &e) == ERR_OK && a.count == 0, "%s", e.text);
    run(&l, "shards", (struct shard){ 0, 2 });
    run(&l, "shards", (struct shard){ 1, 2 });
    CHECK(sweep_anchors(in_folder("shards"), &a, &e) == ERR_OK && a.count == 4 && a.nodes == 1 && a.apart[0] == 1 && a.drift[0] >= 1,
          "%s: %zu anchors, %zu nodes", e.text, a.count, a.nodes);
    run(&l, "shards", (struct shard){ 0, 2 });
    CHECK(sweep_anchors(in_folder("shards"), &a, &e) == ERR_OK && a.count == 4, "nothing to do, nothing to anchor");
    unload(&l);
    /* Two nodes by hand: medians 100 and 120 in cache; the worst drift is 150 / 100. */
    mkdir(in_folder("hand"), 0777);
    put("hand/anchors.0-of-2.csv", "run_id,machine,node,shard,at,unix_s,cached_ns,memory_ns\n"
                                   "r1,m,aa,0/2,start,1,100,1000\nr1,m,aa,0/2,end,2,100,1010\ntorn");
    put("hand/anchors.1-of-2.csv", "run_id,machine,node,shard,at,unix_s,cached_ns,memory_ns\n"
                                   "r2,m,bb,1/2,start,1,100,1000\nr2,m,bb,1/2,end,2,150,1000\nr3,m,bb,1/2,start,3,120,1000\n");
    CHECK(sweep_anchors(in_folder("hand"), &a, &e) == ERR_OK && a.count == 5 && a.nodes == 2, "%s: %zu", e.text, a.count);
    CHECK(fabs(a.apart[0] - 1.2) < 1e-9 && fabs(a.drift[0] - 1.5) < 1e-9 && fabs(a.drift[1] - 1.01) < 1e-9, "%g %g %g", a.apart[0],
          a.drift[0], a.drift[1]);
}

int main(void)
{
    if (!mkdtemp(folder) || setenv("ASSAY_CACHE", folder, 1) != 0) return TEST_FAIL;
    make_vectors("base.fvecs", BASE);
    make_vectors("query.fvecs", QUERIES);
    test_case("points near the front are measured again", refined);
    test_case("what a budget reaches covers the grid", budgets_cover_the_grid);
    test_case("points without clocks run side by side", without_clocks);
    test_case("indexes are kept, and a damaged one is built anew", indexes_are_kept);
    test_case("anchors of shards", anchors);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
