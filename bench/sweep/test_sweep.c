/* SPDX-License-Identifier: MIT
 * test_sweep.c - plans, runs that crash or are killed, shards, merging, the best row. */
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <math.h>
#include <signal.h>
#include <yaml.h> /* not used here: a bare worker leaves this test out with the parser */

static char folder[] = P_tmpdir "/assay_sweep.XXXXXX";

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn = (turn + 1) % 4];
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *bytes)
{
    FILE *f = fopen(in_folder(name), "w");
    CHECK(f && fwrite(bytes, 1, strlen(bytes), f) == strlen(bytes) && fclose(f) == 0, "%s", name);
}

static char *get(const char *name)
{
    struct mem_map map;
    struct err e = { 0 };
    if (mem_map_open(&map, in_folder(name), &e) != ERR_OK) return strdup("");
    char *bytes = strndup((const char *)map.at, map.size);
    mem_map_close(&map);
    return bytes;
}

static void empty(const char *name)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", in_folder(name));
    CHECK(system(command) == 0, "%s", command);
}

enum { BASE = 200, QUERIES = 12, DIM = 16 };

static void make_vectors(const char *name, size_t count)
{
    float *at = mem_alloc(count * DIM, sizeof *at);
    struct err e = { 0 };
    for (size_t i = 0; i < count * DIM; i++) at[i] = (float)(test_rand() >> 40) / (float)(1 << 24) - 0.5f;
    CHECK(dataset_write_fvecs(in_folder(name), (struct rows){ at, count, DIM, DIM }, &e) == ERR_OK, "%s", e.text);
    mem_free(at);
}

/* A config over the vectors, `rest` after its dataset. */
static void config(const char *rest)
{
    struct text yaml = { 0 };
    text_add(&yaml, "dataset: {base: %s, query: %s, metric: l2}\nmin_calls: 20\n%s", in_folder("base.fvecs"),
             in_folder("query.fvecs"), rest);
    put("sweep.yaml", text_of(&yaml));
    text_free(&yaml);
}

struct loaded {
    struct sweep sweep;
    struct plan plan;
};

static void load(struct loaded *l)
{
    struct err e = { 0 };
    CHECK(sweep_load(&l->sweep, in_folder("sweep.yaml"), &e) == ERR_OK, "%s", e.text);
    CHECK(plan_make(&l->plan, &l->sweep, &e) == ERR_OK, "%s", e.text);
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

static const struct shard whole;

/* --- bad configs ---------------------------------------------------------------------------------- */
static void refuse(const char *yaml, const char *where, const char *says)
{
    struct sweep s;
    struct plan p;
    struct err e = { 0 };
    put("bad.yaml", yaml);
    int status = sweep_load(&s, in_folder("bad.yaml"), &e);
    if (status == ERR_OK) {
        status = plan_make(&p, &s, &e);
        if (status == ERR_OK) plan_free(&p);
        sweep_free(&s);
    }
    CHECK(status == ERR_ARG && strstr(e.text, where) && strstr(e.text, says), "status %d: %s", status, e.text);
}

static void bad_configs(void)
{
    refuse("kb: a\nqueries: b\naxes:\n  graph_dept: [1]\n", "bad.yaml:4", "'graph_depth'");
    refuse("kb: a\nqueries: b\naxes:\n  graph_depth: [1,\n   deep]\n", "bad.yaml:4", "deep");
    refuse("kb: a\nqueries: b\naxes:\n  bit_width: [9]\n", "bad.yaml:4", "outside 1..8");
    refuse("kb: a\nqueries: b\nqrel: c\n", "bad.yaml:3", "'qrels'");
    refuse("kb: a\nqueries: b\naxes:\n - x\n", "bad.yaml:4", "axes");
    refuse("kb: a\nqueries: b\nbase: {k: [1, 2]}\n", "bad.yaml:3", "one value");
    refuse("kb: a\nqueries: b\naxes: {k: []}\n", "bad.yaml:3", "no values");
    refuse("kb: a\nqueries: b\naxes: {k: 9..1}\n", "bad.yaml:3", "9..1");
    refuse("kb: a\nqueries: b\naxes: {k: 0}\n", "bad.yaml:3", "k=0");
    refuse("kb: a\nqueries: b\nbudget_s: soon\n", "bad.yaml:3", "number");
    refuse("kb: a\nqueries: b\none_at_a_time: maybe\n", "bad.yaml:3", "true or false");
    refuse("kb: a\n", "bad.yaml:1", "queries");
    refuse("kb: a\nqueries: b\nreps: 2\nreps: 3\n", "bad.yaml:4", "reps comes twice: in line 3");
    refuse("dataset: {base: a, query: b,\n base: c}\n", "bad.yaml:2", "base comes twice: in line 1");
    refuse("kb: a\nqueries: b\naxes: {k: 1,\n k: 2}\n", "bad.yaml:4", "k comes twice: in line 3");
    refuse("kb: a\nqueries: b\n---\nkb: c\n", "bad.yaml:3", "second document");
    refuse("kb: a\nqueries: b\nqrels:\n", "bad.yaml:3", "qrels: it has no value");
    refuse("kb: a\nqueries: b\nqrels: ~\n", "bad.yaml:3", "qrels: it has no value");
    refuse("kb: a\nqueries: ''\n", "bad.yaml:2", "queries: it has no value");
    refuse("kb: a\nqueries: b\naxes:\n  k: [1,\n   null]\n", "bad.yaml:5", "k: it has no value");
    refuse("kb: a\nqueries: b\nbase: {k: }\n", "bad.yaml:3", "k: it has no value");
    refuse("dataset: {base: a, query: }\n", "bad.yaml:1", "it has no value");
    static const char *const reps[] = { "0", "-1", "1.5", "two", "1e9", "[1]", "nan", "99999999999999999999" };
    for (size_t i = 0; i < sizeof reps / sizeof *reps; i++) {
        char yaml[80];
        for (int calls = 0; calls < 2; calls++) {
            snprintf(yaml, sizeof yaml, "kb: a\nqueries: b\n%s: %s\n", calls ? "min_calls" : "reps",
                     calls && i == 4 ? "1e10" : reps[i]);
            refuse(yaml, "bad.yaml:3", "a whole number from 1");
        }
    }
    refuse("axes: {k: 1}\n", "bad.yaml:1", "dataset");
    refuse("- a\n- b\n", "bad.yaml:1", "mapping");
    refuse("kb: [\n", "bad.yaml:", "did not find");
    refuse("dataset: {base: a, query: b, metrics: l2}\n", "bad.yaml:1", "'metric'");
    refuse("dataset: {base: a, query: b}\naxes: {index: [flatt]}\n", "bad.yaml:2", "'flat'");
    refuse("dataset: {base: a, query: b}\naxes: {index: [flat], bitz: [1]}\n", "bad.yaml:2", "'bitz'");
    refuse("dataset: {base: a, query: b}\naxes: {k: [1]}\n", "bad.yaml", "no index");
    refuse("dataset: {base: a, query: b}\naxes: {index: ['turboquant:bits=1..4'],\n bits: [2]}\n", "bad.yaml:3",
           "bits is given twice: here, and in 'turboquant:bits=1' of line 2");
    refuse("dataset: {base: a, query: b}\nbase: {bits: 2}\naxes: {index: [flat, 'turboquant:bits=4']}\n", "bad.yaml:2",
           "of line 3");
    refuse("dataset: {base: a, query: b}\nbase: {index: flat, k: 5}\naxes:\n  rerank: [0, 5]\n  k: [5, 10]\n", "bad.yaml:5",
           "k is given twice: here, and under base in line 2");
    refuse("kb: a\nqueries: b\naxes: {expand: [none, bfs]}\nbase: {expand: none}\n", "bad.yaml:3", "under base in line 4");
    refuse("kb: a\nqueries: b\naxes: {index: 'ivf:inner=(turboquant:bits=2)',\n bit_width: [2]}\n", "bad.yaml:4",
           "bit_width is given twice");
    refuse("dataset: {base: a, query: b}\naxes: {index: 'turboquant:bits=1..100,rounds=1..101'}\n", "bad.yaml:2", "10000");
    refuse("dataset: {base: a, query: b}\naxes: {index: 'turboquant:bits=1..99999999999999999999'}\n", "bad.yaml:2", "10000");
    refuse("kb: a\nqueries: b\naxes: {k: -9223372036854775808..9223372036854775807}\n", "bad.yaml:3", "longer");
    refuse("kb: a\nqueries: b\naxes: {k: 1..100001}\n", "bad.yaml:3", "longer");
    struct text deep = { 0 };
    text_add(&deep, "kb: a\naxes: ");
    for (int i = 0; i < 100000; i++) text_add(&deep, "[");
    refuse(text_of(&deep), "bad.yaml:2", "nested deeper");
    text_free(&deep);
    config("axes: {index: flat, k: 1..10000, rerank: 1..101}\n");
    char *many = get("sweep.yaml");
    refuse(many, "bad.yaml:3", "more than 1000000 combinations");
    free(many);
    config("axes: {index: flat}\nconstraints: ['bats >= 1']\n");
    char *yaml = get("sweep.yaml");
    refuse(yaml, "bad.yaml:4", "'bats'");
    free(yaml);
    config("axes: {index: flat}\nconstraints: ['k > 10']\n");
    yaml = get("sweep.yaml");
    refuse(yaml, "bad.yaml", "leave no point");
    free(yaml);
}

/* --- plans -------------------------------------------------------------------------------------------- */
static size_t planned(const char *rest)
{
    struct loaded l;
    config(rest);
    load(&l);
    const size_t count = l.plan.count;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(l.plan.points[i].id, l.plan.points[j].id) != 0, "%s twice",
                  l.plan.points[i].id);
    unload(&l);
    return count;
}

static void plans(void)
{
    const size_t product = planned("axes: {index: [flat, 'turboquant:bits=1..3'], k: [5, 10]}\n");
    CHECK(product == 8, "%zu points", product);
    /* bits means nothing to flat: its points fall together. */
    const size_t collapsed = planned("axes: {index: [flat, turboquant], bits: 1..4, k: [5, 10]}\n");
    CHECK(collapsed == 10, "%zu points", collapsed);
    /* bits=3 and k=10 are the defaults: one point, not three. */
    const size_t star = planned(
        "base: {index: turboquant}\none_at_a_time: true\naxes: {bits: 1..4, k: [5, 10, 20]}\n");
    CHECK(star == 1 + 3 + 2, "%zu points", star);
    /* An axis alone is varied around the value under base. */
    const size_t around = planned("base: {index: flat, k: 7}\none_at_a_time: true\naxes: {k: [5, 7], rerank: [0, 30]}\n");
    CHECK(around == 3, "%zu points", around);
    const size_t grids = planned("base: {index: turboquant}\none_at_a_time: true\naxes: {bits: 1..4}\n"
                                 "grids: [{bits: [1, 2], k: [10, 20]}]\n");
    CHECK(grids == 4 + 2, "%zu points", grids);
    const size_t constrained = planned("axes: {index: turboquant, bits: 1..4, rerank: [0, 20]}\n"
                                       "constraints: ['bits >= 3 or rerank > 0']\n");
    CHECK(constrained == 6, "%zu points", constrained);
    /* A bit_width beside a spec that says its bits, in a grid where they do not meet. */
    struct sweep apart;
    struct err e = { 0 };
    CHECK(sweep_parse(&apart, "apart", "kb: a\nqueries: b\none_at_a_time: true\naxes: {index: ['rabitq:bits=3']}\n"
                                       "grids: [{bit_width: 1..3}]\n", &e) == ERR_OK, "%s", e.text);
    sweep_free(&apart);
    const size_t spelled = planned("axes: {index: ['turboquant:bits=3', turboquant]}\n");
    CHECK(spelled == 1, "%zu points", spelled);
}

/* --- runs --------------------------------------------------------------------------------------------- */
static size_t rows_with(const char *csv, const char *column, const char *value)
{
    struct table t = { 0 };
    struct err e = { 0 };
    size_t count = 0;
    CHECK(table_append(&t, in_folder(csv), &e) == ERR_OK, "%s", e.text);
    const int at = table_column(&t, column);
    for (size_t i = 0; i < t.count; i++) count += strcmp(table_text(&t, i, at), value) == 0;
    table_free(&t);
    return count;
}

static const char six[] = "axes: {index: [flat, 'turboquant:bits=2..3'], rerank: [0, 30]}\n";

/* Of QUERIES questions as many in each quintile, and the easiest below the hardest. */
static void check_quintiles(const char *lines)
{
    double low = -1, high = 1e9;
    int held[6] = { 0 };
    static const char head[] = "query\tcalls\tlat_us\tlat_min_us\tlid\tlid_quintile\tcontrast\tcontrast_quintile\t";
    CHECK(strncmp(lines, head, sizeof head - 1) == 0, "%.90s", lines);
    for (const char *line = strchr(lines, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        double lid, contrast;
        int quintile, other;
        if (sscanf(line + 1, "%*s %*s %*s %*s %lf %d %lf %d", &lid, &quintile, &contrast, &other) != 4) continue;
        held[quintile < 0 || quintile > 5 ? 0 : quintile]++;
        if (quintile == 1) low = lid > low ? lid : low;
        if (quintile == 5) high = lid < high ? lid : high;
        CHECK(contrast > 1 && other >= 1 && other <= 5, "contrast %g in %d", contrast, other);
    }
    for (int q = 1; q <= 5; q++)
        CHECK(held[q] == QUERIES / 5 || held[q] == QUERIES / 5 + 1, "quintile %d holds %d", q, held[q]);
    CHECK(low <= high, "the easiest reach %g, the hardest begin at %g", low, high);
}

static void runs_and_resumes(void)
{
    struct loaded l;
    config(six);
    load(&l);
    struct run_result r = run(&l, "out", whole);
    CHECK(r.wanted == 6 && r.measured == 6 && r.skipped == 0 && r.failed == 0, "%zu measured", r.measured);
    CHECK(rows_with("out/sweep.csv", "status", "ok") == 6, "%zu rows", rows_with("out/sweep.csv", "status", "ok"));
    CHECK(rows_with("out/sweep.csv", "recall_strict", "1") >= 2, "flat is exact");
    CHECK(rows_with("out/sweep.csv", "lat_n", "20") == 6, "20 calls a point");
    char name[64];
    snprintf(name, sizeof name, "out/%s.pq.tsv", l.plan.points[0].id);
    char *lines = get(name);
    size_t count = 0;
    for (char *c = lines; *c; c++) count += *c == '\n';
    CHECK(count == QUERIES + 1, "%zu lines", count);
    check_quintiles(lines);
    free(lines);
    r = run(&l, "out", whole);
    CHECK(r.measured == 0 && r.skipped == 6, "%zu measured again", r.measured);
    /* Killed within a row: that point, and only that, is measured again. */
    char *rows = get("out/sweep.csv");
    rows[strlen(rows) - 7] = 0;
    put("out/sweep.csv", rows);
    free(rows);
    struct sweep_status at;
    struct err e = { 0 };
    CHECK(sweep_status(&l.plan, 1, in_folder("out"), &at, &e) == ERR_OK && at.done == 5 &&
              at.missing == 1,
          "%s", e.text);
    r = run(&l, "out", whole);
    CHECK(r.measured == 1 && rows_with("out/sweep.csv", "status", "ok") == 6, "%zu measured", r.measured);
    unload(&l);
    /* Another grid has other columns: the file is not mixed. */
    config("axes: {index: flat}\n");
    load(&l);
    struct run run_of;
    char verb[] = "sweep", *const argv[] = { verb, NULL };
    CHECK(run_init(&run_of, 1, argv, &e) == ERR_OK, "%s", e.text);
    CHECK(sweep_run(&l.sweep, &l.plan, in_folder("out"), whole, &run_of, &r, &e) == ERR_FORMAT, "%s", e.text);
    run_fini(&run_of);
    unload(&l);
    empty("out");
}

/* Half of the repetitions are gone, in every pattern: each comes back once, and no other. */
static void repetitions_are_counted_by_key(void)
{
    enum { REPS = 3, POINTS = 2 };
    struct loaded l;
    config("reps: 3\naxes: {index: flat, rerank: [0, 30]}\n");
    load(&l);
    struct run_result r = run(&l, "reps", whole);
    CHECK(r.measured == POINTS && rows_with("reps/sweep.csv", "status", "ok") == POINTS * REPS, "%zu measured", r.measured);
    char *rows = get("reps/sweep.csv");
    const char *first = strstr(strstr(rows, "\nschema,") + 1, "\n") + 1;
    for (unsigned lost = 1; lost < 1 << (POINTS * REPS); lost += 7) {
        struct text kept = { 0 };
        text_add_bytes(&kept, rows, (size_t)(first - rows));
        const char *line = first;
        for (unsigned i = 0; *line; line = strchr(line, '\n') + 1, i++)
            if (!(lost >> i & 1)) text_add_bytes(&kept, line, (size_t)(strchr(line, '\n') + 1 - line));
        put("reps/sweep.csv", text_of(&kept));
        text_free(&kept);
        struct sweep_status at;
        CHECK(sweep_status(&l.plan, REPS, in_folder("reps"), &at, NULL) == ERR_OK &&
                  at.rows == (size_t)(POINTS * REPS - __builtin_popcount(lost)), "%zu rows", at.rows);
        r = run(&l, "reps", whole);
        CHECK(r.measured + r.skipped == POINTS, "%zu measured, %zu skipped", r.measured, r.skipped);
        for (int rep = 0; rep < REPS; rep++) {
            char number[12];
            snprintf(number, sizeof number, "%d", rep);
            CHECK(rows_with("reps/sweep.csv", "rep", number) == POINTS, "lost %x: repetition %d", lost, rep);
        }
        for (size_t i = 0; i < POINTS; i++)
            CHECK(rows_with("reps/sweep.csv", "point_id", l.plan.points[i].id) == REPS, "lost %x: point %zu", lost, i);
    }
    free(rows);
    unload(&l);
    empty("reps");
}

/* The vectors change under a sweep: its rows are kept, but apart. */
static void changed_data(void)
{
    struct loaded l;
    struct run run = { .id = "r", .machine = "m", .binary = "b" };
    struct run_result done;
    struct err e = { 0 };
    char first[17], out[256];
    snprintf(out, sizeof out, "%s", in_folder("changed"));
    empty("changed");
    for (int version = 0; version < 3; version++) {
        if (version) make_vectors("base.fvecs", BASE);
        config("axes: {index: ['turboquant:bits=1', 'turboquant:bits=2']}\n");
        load(&l);
        if (version == 0) snprintf(first, sizeof first, "%016llx", (unsigned long long)l.plan.ann.hash);
        CHECK(sweep_run(&l.sweep, &l.plan, out, (struct shard){ 0 }, &run, &done, &e) == ERR_OK, "%s", e.text);
        CHECK(done.measured == 2 && done.set_aside == (version ? 2u : 0u), "version %d: %zu measured, %zu set aside",
              version, done.measured, done.set_aside);
        CHECK(sweep_run(&l.sweep, &l.plan, out, (struct shard){ 0 }, &run, &done, &e) == ERR_OK && done.skipped == 2 &&
                  done.set_aside == 0, "a second time there is nothing to do: %s", e.text);
        struct table t = { 0 };
        CHECK(table_append(&t, in_folder("changed/sweep.csv"), &e) == ERR_OK && t.count == 2, "%zu rows", t.count);
        for (size_t i = 0; i < t.count; i++)
            CHECK((strcmp(table_text(&t, i, table_column(&t, "data")), first) == 0) == (version == 0), "row %zu", i);
        table_free(&t);
        unload(&l);
    }
    char *earlier = get("changed/sweep.csv.earlier");
    size_t rows = 0, of_first = 0;
    for (const char *line = earlier; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *hash = strstr(line, first);
        rows += *line != '#' && strncmp(line, "schema", 6) != 0;
        of_first += *line != '#' && hash && hash < end;
    }
    CHECK(rows == 4 && of_first == 2, "%zu rows kept, %zu of the first version", rows, of_first);
    free(earlier);
    run_fini(&run);
}

/* Twice the points take twice as long, by rows that are a part of both plans; rows of others say nothing. */
static void costs(void)
{
    struct loaded l;
    struct sweep_cost one, two, none;
    struct err e = { 0 };
    config("axes: {index: flat, k: 1..4}\n");
    load(&l);
    run(&l, "cost", whole);
    CHECK(sweep_cost(&l.plan, 1, 0, in_folder("cost"), &one, &e) == ERR_OK && one.rows == 4, "%zu rows: %s", one.rows, e.text);
    CHECK(sweep_cost(&l.plan, 3, 0, in_folder("cost"), &two, &e) == ERR_OK, "%s", e.text);
    CHECK(one.calls_s > 0 && one.core_s == one.calls_s && fabs(two.calls_s / one.calls_s - 3) < 1e-9, "%g and %g",
          one.calls_s, two.calls_s);
    CHECK(sweep_cost(&l.plan, 1, 1, in_folder("cost"), &two, &e) == ERR_OK && two.core_s > one.core_s, "builds count");
    unload(&l);
    config("axes: {index: flat, k: 1..8}\n");
    load(&l);
    CHECK(sweep_cost(&l.plan, 1, 0, in_folder("cost"), &two, &e) == ERR_OK && fabs(two.calls_s / one.calls_s - 2) < 1e-9,
          "%g and %g", one.calls_s, two.calls_s);
    unload(&l);
    config("axes: {index: flat, k: 9..12}\n");
    load(&l);
    CHECK(sweep_cost(&l.plan, 1, 0, in_folder("cost"), &none, &e) == ERR_OK && none.rows == 0, "%zu rows", none.rows);
    unload(&l);
    empty("cost");
}

static void die_at_3_bits(const struct plan *p, const struct point *point)
{
    (void)p;
    if (strcmp(point->spec, "turboquant") == 0) raise(SIGKILL);
}

static void crash_is_a_row(void)
{
    struct loaded l;
    config(six);
    load(&l);
    l.sweep.before_point = die_at_3_bits;
    struct run_result r = run(&l, "out", whole);
    CHECK(r.measured == 6 && r.failed == 2, "%zu measured, %zu failed", r.measured, r.failed);
    CHECK(rows_with("out/sweep.csv", "status", "signal:9") == 2, "%zu rows of a signal",
          rows_with("out/sweep.csv", "status", "signal:9"));
    CHECK(rows_with("out/sweep.csv", "status", "ok") == 4, "the others are measured");
    r = run(&l, "out", whole);
    CHECK(r.measured == 2 && r.skipped == 4, "failures are tried again: %zu", r.measured);
    r = run(&l, "out", whole);
    r = run(&l, "out", whole);
    CHECK(r.measured == 0 && r.skipped == 6, "but three times at most: %zu", r.measured);
    struct sweep_status at;
    CHECK(sweep_status(&l.plan, 1, in_folder("out"), &at, NULL) == ERR_OK && at.failed == 2 &&
              at.done == 4,
          "status");
    unload(&l);
    empty("out");
}

/* A group that cannot load is an error in the row of each of its points. */
static void failure_is_a_row(void)
{
    struct loaded l;
    config("axes: {index: flat, kernel: ['', 'dot_f32=scalar/none'], k: [5, 10]}\n");
    load(&l);
    const struct run_result r = run(&l, "out", whole);
    CHECK(r.measured == 4 && r.failed == 2, "%zu measured, %zu failed", r.measured, r.failed);
    char *rows = get("out/sweep.csv");
    CHECK(strstr(rows, "error: ") && strstr(rows, "none"), "%s", rows);
    free(rows);
    unload(&l);
    empty("out");
}

static pid_t coordinator;
static void kill_the_coordinator(const struct plan *p, const struct point *point)
{
    if (strcmp(point->id, p->points[3].id) != 0) return;
    kill(coordinator, SIGKILL);
    sleep(10); /* the group dies with it, and we with the group */
}

static void killed_in_the_middle(void)
{
    struct loaded l;
    int status;
    config(six);
    load(&l);
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        coordinator = getpid();
        l.sweep.before_point = kill_the_coordinator;
        run(&l, "out", whole);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "was to be killed");
    CHECK(rows_with("out/sweep.csv", "status", "ok") == 3, "three points before");
    const struct run_result r = run(&l, "out", whole);
    CHECK(r.skipped == 3 && r.measured == 3, "%zu skipped, %zu measured", r.skipped, r.measured);
    CHECK(rows_with("out/sweep.csv", "status", "ok") == 6, "every point once");
    unload(&l);
    empty("out");
}

static int sent;
static void signal_the_coordinator(const struct plan *p, const struct point *point)
{
    if (strcmp(point->id, p->points[3].id) != 0) return;
    kill(coordinator, sent);
    if (sent == SIGINT) raise(sent); /* Ctrl-C reaches all of them */
    sleep(10); /* the group dies at once, and we with the group */
}

/* A signal stops the sweep between rows: no row of a failure, nobody who writes on, and the handlers are the old ones. */
static void stopped_by_a_signal(void)
{
    static const int signals[] = { SIGINT, SIGTERM };
    struct loaded l;
    config(six);
    load(&l);
    coordinator = getpid();
    for (size_t i = 0; i < 2; i++) {
        struct sigaction now;
        sent = signals[i];
        l.sweep.before_point = signal_the_coordinator;
        struct run_result r = run(&l, "out", whole);
        CHECK(r.stopped == sent && r.measured == 3 && r.failed == 0 && !r.budget_spent, "%d: %zu measured, %zu failed",
              r.stopped, r.measured, r.failed);
        CHECK(sigaction(sent, NULL, &now) == 0 && now.sa_handler == SIG_DFL, "the handler is left");
        CHECK(rows_with("out/sweep.csv", "status", "ok") == 3, "three points before");
        l.sweep.before_point = NULL;
        r = run(&l, "out", whole);
        CHECK(!r.stopped && r.skipped == 3 && r.measured == 3, "%zu skipped, %zu measured", r.skipped, r.measured);
        CHECK(rows_with("out/sweep.csv", "status", "ok") == 6, "every point once");
        empty("out");
    }
    unload(&l);
}

static void budget(void)
{
    struct loaded l;
    config(six);
    load(&l);
    l.sweep.budget_s = 1e-9;
    struct run_result r = run(&l, "out", whole);
    CHECK(r.measured == 0 && r.budget_spent, "%zu measured without time", r.measured);
    l.sweep.budget_s = 1000;
    r = run(&l, "out", whole);
    CHECK(r.measured == 6 && !r.budget_spent, "%zu measured", r.measured);
    unload(&l);
    empty("out");
}

/* --- shards and merging --------------------------------------------------------------------------------- */
static void shards_merge(void)
{
    struct loaded l;
    struct err e = { 0 };
    size_t measured = 0;
    config(six);
    load(&l);
    for (size_t i = 0; i < 3; i++) measured += run(&l, "out", (struct shard){ i, 3 }).measured;
    CHECK(measured == 6, "%zu points in three shards", measured);
    const char *const parts[] = { in_folder("out/sweep.0-of-3.csv"), in_folder("out/sweep.1-of-3.csv"),
                                  in_folder("out/sweep.2-of-3.csv") };
    const char *const backwards[] = { parts[2], parts[0], parts[1], parts[0] };
    char a[256], b[256];
    snprintf(a, sizeof a, "%s/a.csv", folder);
    snprintf(b, sizeof b, "%s/b.csv", folder);
    /* in_folder turns over four buffers: the parts are still there. */
    CHECK(sweep_merge(parts, 3, a, &e) == ERR_OK, "%s", e.text);
    CHECK(sweep_merge(backwards, 4, b, &e) == ERR_OK, "%s", e.text);
    char *first = get("a.csv"), *second = get("b.csv");
    CHECK(*first && strcmp(first, second) == 0, "the order of shards shows");
    free(second);
    const char *const again[] = { a };
    CHECK(sweep_merge(again, 1, a, &e) == ERR_OK, "%s", e.text);
    second = get("a.csv");
    CHECK(strcmp(first, second) == 0, "merging the merged changes it");
    free(first);
    free(second);
    CHECK(rows_with("a.csv", "status", "ok") == 6, "every point once");
    const struct run_result r = run(&l, "out", whole);
    CHECK(r.measured == 0, "shards are seen by a whole run");
    const char *const missing[] = { "no/such.csv" };
    CHECK(sweep_merge(missing, 1, b, &e) == ERR_NOT_FOUND && strstr(e.text, "no/such.csv"), "%s", e.text);
    unload(&l);
    empty("out");
}

/* A failure and a success of one point: the success stays. */
static void merge_prefers_ok(void)
{
    struct err e = { 0 };
    put("m.csv", "# seed: "
                 "2\nschema,point_id,rep,machine,status,qps\n1,aa,0,m,signal:9,\n1,aa,0,m,ok,5\n1,"
                 "aa,0,n,ok,6\n"
                 "1,ab,1,m,ok,7\n1,ab,0,m,error: x,\n1,ab,2,m,o");
    const char *const inputs[] = { in_folder("m.csv") };
    char out[256];
    snprintf(out, sizeof out, "%s/n.csv", folder);
    CHECK(sweep_merge(inputs, 1, out, &e) == ERR_OK, "%s", e.text);
    char *got = get("n.csv");
    CHECK(strcmp(got, "# seed: 2\nschema,point_id,rep,machine,status,qps\n1,aa,0,m,ok,5\n1,aa,0,n,ok,6\n"
                      "1,ab,0,m,error: x,\n1,ab,1,m,ok,7\n") == 0, "%s", got);
    free(got);
    put("o.csv", "schema,point_id,rep,machine,status,other\n1,aa,0,m,ok,5\n");
    const char *const mixed[] = { in_folder("m.csv"), in_folder("o.csv") };
    CHECK(sweep_merge(mixed, 2, out, &e) == ERR_FORMAT && strstr(e.text, "'other'"), "%s", e.text);
}

static void best(void)
{
    struct err e = { 0 };
    put("m.csv", "point_id,status,index,recall_strict,lat_p50_us\na,ok,flat,1,100\nb,ok,turboquant,0.9,10\n"
                 "c,signal:9,pq,2,1\nd,ok,turboquant,0.8,\n");
    char csv[256];
    snprintf(csv, sizeof csv, "%s", in_folder("m.csv"));
    const char *const fast[] = { "lat_p50_us<=50" }, *const none[] = { "lat_p50_us<=5" },
                      *const bad[] = { "lat_p50<=5" };
    const char *const odd[] = { "lat_p50_us" };
    fflush(stdout);
    char out[256];
    snprintf(out, sizeof out, "%s", in_folder("best.txt"));
    const int kept = dup(STDOUT_FILENO);
    CHECK(freopen(out, "w", stdout) != NULL, "redirect");
    const int status = sweep_best(csv, fast, 1, "recall_strict", 1, 1, &e);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    CHECK(status == ERR_OK, "%s", e.text);
    char *got = get("best.txt");
    CHECK(strstr(got, "\"point_id\":\"b\"") && strstr(got, "\"recall_strict\":0.9"), "%s", got);
    free(got);
    CHECK(sweep_best(csv, none, 1, "recall_strict", 1, 1, &e) == ERR_NOT_FOUND, "%s", e.text);
    CHECK(sweep_best(csv, bad, 1, "recall_strict", 1, 1, &e) == ERR_ARG &&
              strstr(e.text, "'lat_p50_us'"),
          "%s", e.text);
    CHECK(sweep_best(csv, odd, 1, "recall_strict", 1, 1, &e) == ERR_ARG, "%s", e.text);
    CHECK(sweep_best(csv, fast, 1, "recall_stric", 1, 1, &e) == ERR_ARG && strstr(e.text, "'recall_strict'"), "%s", e.text);
}

int main(void)
{
    signal(SIGINT, SIG_DFL); /* which a job in the background ignores */
    if (!mkdtemp(folder) || setenv("ASSAY_CACHE", folder, 1) != 0) return TEST_FAIL;
    make_vectors("base.fvecs", BASE);
    make_vectors("query.fvecs", QUERIES);
    test_case("bad configs are named with their line", bad_configs);
    test_case("plans hold every point once", plans);
    test_case("a run resumes where it was", runs_and_resumes);
    test_case("repetitions are counted by key", repetitions_are_counted_by_key);
    test_case("rows of changed data are set aside", changed_data);
    test_case("the core-hours of a plan", costs);
    test_case("a crash is a row", crash_is_a_row);
    test_case("a failure to load is a row", failure_is_a_row);
    test_case("killed in the middle, nobody writes on", killed_in_the_middle);
    test_case("a signal stops it between rows", stopped_by_a_signal);
    test_case("a budget is kept", budget);
    test_case("shards merge to the same bytes in any order", shards_merge);
    test_case("merging prefers what succeeded", merge_prefers_ok);
    test_case("the best row", best);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
