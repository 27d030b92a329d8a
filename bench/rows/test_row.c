/* SPDX-License-Identifier: MIT
 * test_row.c - rows in CSV and JSON, appended whole, read again after a kill. */
#include "bench/quality/metric.h"
#include "bench/rows/row.h"
#include "bench/rows/table.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

static char folder[] = P_tmpdir "/assay_row.XXXXXX";

static const char *file_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *bytes)
{
    FILE *f = fopen(file_path(name), "w");
    CHECK(f && fwrite(bytes, 1, strlen(bytes), f) == strlen(bytes) && fclose(f) == 0, "%s", name);
}

static char *get(const char *name)
{
    static char bytes[65536];
    FILE *f = fopen(file_path(name), "r");
    if (!f) return NULL;
    bytes[fread(bytes, 1, sizeof bytes - 1, f)] = 0;
    fclose(f);
    return bytes;
}

/* The names that results/README.md, plots and scripts rely on. */
static const char *const names[] = {
    "schema",
    "run_id",
    "point_id",
    "rep",
    "status",
    "machine",
    "binary",
    "dataset",
    "data",
    "metric",
    "n",
    "dim",
    "queries",
    "k",
    "seed",
    "index",
    "bits",
    "layout",
    "threads",
    "batch",
    "kernel_asked",
    "kernel_used",
    "recall_strict",
    "recall_tie",
    "recall_p5",
    "candidate_recall",
    "code_ceiling",
    "agree_at_10",
    "churn_at_10",
    "label_recall_at_10",
    "label_mrr",
    "label_ndcg_at_10",
    "lat_n",
    "lat_mean_us",
    "lat_mean_lo_us",
    "lat_mean_hi_us",
    "lat_p50_us",
    "lat_p50_lo_us",
    "lat_p50_hi_us",
    "lat_p95_us",
    "lat_p99_us",
    "lat_p99_lo_us",
    "lat_p99_hi_us",
    "qps",
    "qps_lo",
    "qps_hi",
    "ns_per_vector",
    "t_embed_us",
    "t_retrieve_us",
    "t_rerank_us",
    "t_expand_us",
    "t_score_us",
    "t_filter_us",
    "t_context_us",
    "t_fetch_us",
    "t_other_us",
    "hop_edges",
    "hop_relevant",
    "yield_per_edge",
    "yield_per_us",
    "survivors_mean",
    "hops_mean",
    "scored_mean",
    "rescored_mean",
    "bytes_touched_per_query",
    "bytes_per_vector",
    "bytes_total",
    "index_bytes",
    "peak_rss_bytes",
    "t_add_us",
    "t_remove_us",
    "t_replace_us",
    "build_s",
    "steal_ms",
};

static void columns(void)
{
    struct layout l;
    CHECK(layout_init(&l, NULL) == ERR_OK, "layout");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(layout_find(&l, names[i]) >= 0, "no column %s", names[i]);
    size_t metrics = 0; /* those that come from bench/metric_*.c; there may be more */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t m = 0; metric_at(m); m++) metrics += strcmp(metric_at(m)->name, names[i]) == 0;
    CHECK(l.count == sizeof names / sizeof *names - metrics + 3 * metric_count(), "%zu columns", l.count);
    for (size_t i = 0; i < l.count; i++) {
        CHECK(l.columns[i].meaning && *l.columns[i].meaning && l.columns[i].unit, "%s says nothing",
              l.columns[i].name);
        CHECK(layout_find(&l, l.columns[i].name) == (int)i, "%s twice", l.columns[i].name);
    }
    layout_fini(&l);
}

static const struct param extra[] = {
    { "k", PARAM_INT, 1, 10, "1", "", NULL, "a core column" },
    { "eps0", PARAM_REAL, -INFINITY, INFINITY, "1.9", "", NULL, "a real" },
    { "estimator", PARAM_CHOICE, 0, 0, "mse", "", "mse|prod", "a choice" },
    { 0 },
};

static void formats(void)
{
    struct layout l;
    struct row r;
    struct text out = { 0 };
    CHECK(layout_init(&l, NULL) == ERR_OK && layout_add(&l, extra, NULL) == ERR_OK, "layout");
    const size_t core = l.count - 2;
    CHECK(strcmp(l.columns[core].name, "eps0") == 0, "parameters come last");
    CHECK(strcmp(l.columns[core + 1].name, "estimator") == 0, "in the order of their table");
    l.columns += core - 1; /* a narrow view: steal_ms, eps0, estimator */
    l.count = 3;
    CHECK(row_init(&r, &l, NULL) == ERR_OK, "row");
    row_csv(&r, &out);
    row_json(&r, &out);
    CHECK(strcmp(text_of(&out), ",,\n{\"steal_ms\":null,\"eps0\":null,\"estimator\":null}\n") == 0,
          "%s", text_of(&out));
    text_clear(&out);
    row_real(&r, "steal_ms", 1.0 / 3);
    row_text(&r, "eps0", "inf");
    row_text(&r, "estimator", "say \"a,b\"\n");
    row_try(&r, "no_such_column", "x");
    row_csv(&r, &out);
    row_json(&r, &out);
    CHECK(strcmp(text_of(&out), "0.333333333,inf,\"say \"\"a,b\"\" \"\n"
                                "{\"steal_ms\":0.333333333,\"eps0\":\"inf\","
                                "\"estimator\":\"say \\\"a,b\\\" \"}\n") == 0,
          "%s", text_of(&out));
    row_real(&r, "steal_ms", NAN);
    CHECK(*row_get(&r, "steal_ms") == 0, "NaN is empty");
    row_fini(&r);
    text_free(&out);
    l.columns -= core - 1;
    layout_fini(&l);
}

/* A value that finds no memory must not become an empty cell, which says "not applicable". */
static void fails_without_memory(void)
{
    struct column narrow[] = { { "a", "", "", COLUMN_NUMBER, 0 }, { "b", "", "", COLUMN_TEXT, 0 } };
    const struct layout l = { narrow, 2 };
    struct text csv = { 0 }, json = { 0 };
    struct row r;
    struct err e = { 0 };
    CHECK(row_init(&r, &l, NULL) == ERR_OK, "row");
    row_text(&r, "b", "");
    row_int(&r, "a", 1);
    CHECK(!r.failed, "an empty value needs no memory");
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    row_text(&r, "b", "x");
    fault_after(FAULT_NONE, 0, 0);
    row_csv(&r, &csv), row_json(&r, &json);
    CHECK(csv.failed && json.failed, "written all the same: %s%s", text_of(&csv), text_of(&json));
    CHECK(row_append(STDOUT_FILENO, &csv, "t.csv", &e) == ERR_MEM && strstr(e.text, "t.csv"), "%s", e.text);
    row_fini(&r), text_free(&csv), text_free(&json);
}

static void appends(void)
{
    struct column narrow[] = { { "a", "", "", COLUMN_NUMBER, 0 }, { "b", "", "", COLUMN_TEXT, 0 } };
    const struct layout l = { narrow, 2 };
    struct text line = { 0 };
    struct err e = { 0 };
    int fd = -1;
    text_add(&line, "1,x\n");
    CHECK(row_open(&fd, file_path("t.csv"), &l, "# seed: 1\n", &e) == ERR_OK, "%s", e.text);
    CHECK(row_append(fd, &line, "t.csv", &e) == ERR_OK, "%s", e.text);
    int second = -1;
    CHECK(row_open(&second, file_path("t.csv"), &l, "", &e) == ERR_BUSY && second == -1, "two writers: %s", e.text);
    close(fd);
    CHECK(strcmp(get("t.csv"), "# seed: 1\na,b\n1,x\n") == 0, "%s", get("t.csv"));
    /* Killed in the middle of a row: the tail is kept aside, the next row starts a line. */
    put("t.csv", "# seed: 1\na,b\n1,x\n2,tor");
    CHECK(row_open(&fd, file_path("t.csv"), &l, "# seed: 2\n", &e) == ERR_OK, "%s", e.text);
    CHECK(row_append(fd, &line, "t.csv", &e) == ERR_OK, "%s", e.text);
    close(fd);
    CHECK(strcmp(get("t.csv"), "# seed: 1\na,b\n1,x\n1,x\n") == 0, "%s", get("t.csv"));
    CHECK(get("t.csv.torn") && strcmp(get("t.csv.torn"), "2,tor\n") == 0, "the torn tail");
    /* Killed before the header was whole. */
    put("h.csv", "# seed: 1\na,");
    CHECK(row_open(&fd, file_path("h.csv"), &l, "# seed: 3\n", &e) == ERR_OK, "%s", e.text);
    close(fd);
    CHECK(strcmp(get("h.csv"), "# seed: 3\na,b\n") == 0, "%s", get("h.csv"));
    put("o.csv", "a,c\n1,2\n");
    CHECK(row_open(&fd, file_path("o.csv"), &l, "", &e) == ERR_FORMAT && strstr(e.text, "o.csv"), "%s", e.text);
    CHECK(strcmp(get("o.csv"), "a,c\n1,2\n") == 0, "a foreign file is left alone");
    CHECK(row_open(&fd, "no/such/folder/t.csv", &l, "", &e) == ERR_IO, "no such folder");
    CHECK(strstr(e.text, "no/such/folder/t.csv"), "%s", e.text);
    text_free(&line);
}

/* A disk that is full for one write, and for all; what is left is whole rows, and the next append goes on. */
static void short_writes_are_taken_back(void)
{
    struct column narrow[] = { { "a", "", "", COLUMN_NUMBER, 0 }, { "b", "", "", COLUMN_TEXT, 0 } };
    const struct layout l = { narrow, 2 };
    static const struct { int from, n, why, status; const char *left; } cases[] = {
        { 0, 1, FAULT_SHORT, ERR_OK, "1,x\n" },    /* written at the second try */
        { 1, 1, FAULT_SHORT, ERR_IO, "" },         /* nothing can be written or cut: the half stays for a while */
        { 0, 1, ENOSPC, ERR_IO, "" },
    };
    struct text line = { 0 };
    struct err e = { 0 };
    text_add(&line, "1,x\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = -1;
        char want[64];
        (void)unlink(file_path("s.csv"));
        CHECK(row_open(&fd, file_path("s.csv"), &l, "", &e) == ERR_OK, "%s", e.text);
        if (cases[i].from) fault_from(FAULT_WRITE, cases[i].n, cases[i].why);
        else fault_after(FAULT_WRITE, cases[i].n, cases[i].why);
        CHECK(row_append(fd, &line, "s.csv", &e) == cases[i].status && fault_hit(), "%zu: %s", i, e.text);
        fault_after(FAULT_NONE, 0, 0);
        CHECK(cases[i].status == ERR_OK || strstr(e.text, "s.csv: "), "%s", e.text);
        CHECK(row_append(fd, &line, "s.csv", &e) == ERR_OK, "%zu: %s", i, e.text);
        snprintf(want, sizeof want, "a,b\n%s1,x\n", cases[i].left);
        CHECK(strcmp(get("s.csv"), want) == 0, "%zu: %s", i, get("s.csv"));
        close(fd);
    }
    text_free(&line);
}

/* A shard that was killed before its header: the other shards' rows are read all the same. */
static void files_only_begun(void)
{
    static const char *const begun[] = { "", "# a: 1\n", "# a: 1\nschema,poi" };
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        struct table t = { .whole_lines = 1 }, strict = { 0 };
        struct err e = { 0 };
        put("b.csv", begun[i]);
        CHECK(table_append(&t, file_path("b.csv"), &e) == ERR_OK && t.count == 0 && t.columns == 0, "%s", e.text);
        CHECK(i == 2 || table_append(&strict, file_path("b.csv"), &e) == ERR_FORMAT, "%s", begun[i]);
        table_free(&t);
        table_free(&strict);
    }
}

static void numbers_are_numbers(void)
{
    static const struct { const char *bytes, *says; } cases[] = {
        { "point_id,rep,recall_strict,index\np,0,0.9x,flat\n", "n.csv: line 2: recall_strict: '0.9x' is no number" },
        { "# a: 1\npoint_id,rep,recall_strict\np,0,1\np,first,1\n", "n.csv: line 4: rep: 'first' is no number" },
        { "point_id,recall_strict_lo\np,inf\n", "recall_strict_lo: 'inf'" },
        { "point_id,rep,recall_strict,index\np,0,,flat\n", NULL }, /* empty: not applicable */
        { "point_id,index,graph_depth\np,9x,deep\n", NULL },       /* text, and what is not of the core */
        { "bits,paper\ntwo,x\n", NULL },                          /* no rows of points */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table t = { 0 };
        struct err e = { 0 };
        put("n.csv", cases[i].bytes);
        const int status = table_append(&t, file_path("n.csv"), &e);
        CHECK(status == (cases[i].says ? ERR_FORMAT : ERR_OK) && (!cases[i].says || strstr(e.text, cases[i].says)), "%zu: %s", i, e.text);
        CHECK(t.count == !cases[i].says, "%zu: %zu rows", i, t.count);
        table_free(&t);
    }
}

static void roles(void)
{
    CHECK(column_role("threads") == COLUMN_SETTING, "threads are asked for");
    CHECK(column_role("lat_p50_us") == COLUMN_MEASUREMENT, "latency is measured");
    CHECK(column_role("recall_strict") == COLUMN_MEASUREMENT, "a metric is measured");
    CHECK(column_role("recall_strict_lo") == COLUMN_MEASUREMENT, "so is its interval");
    CHECK(column_role("graph_depth") == COLUMN_OTHER, "parameters are not in the core");
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("the columns have the agreed names", columns);
    test_case("settings and measurements are told apart", roles);
    test_case("one row in CSV and in JSON", formats);
    test_case("a value without memory fails its row", fails_without_memory);
    test_case("short writes are taken back", short_writes_are_taken_back);
    test_case("a number of a row that is none is refused by line and name", numbers_are_numbers);
    test_case("files that are only begun have no rows", files_only_begun);
    test_case("rows are appended whole, and a torn one is set aside", appends);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
