/* SPDX-License-Identifier: MIT
 * test_archive.c - rows of runs in SQLite: each once, and what is said of them. */
#include "bench/rows/archive.h"
#include "bench/rows/output.h"
#include "kernels/base/test.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD "schema,run_id,point_id,rep,status,machine,binary,dataset,data,metric,n,k,index,batch,threads,rerank,nprobe,recall_strict,qps,lat_p50_us,bytes_per_vector\n"
#define ROW(run, point, rep, machine, index, nprobe, recall, qps, us) \
    "3," run "," point "," rep ",ok," machine ",b1,set,d1,cosine,100,10,\"" index "\",1,1,0," nprobe "," recall "," qps "," us ",8\n"

static char folder[] = "/tmp/assay_archive_XXXXXX";

static const char *in(const char *name)
{
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *content)
{
    struct text t = { 0 };
    struct err e = { 0 };
    text_add(&t, "%s", content);
    CHECK(output_write(in(name), &t, &e) == ERR_OK, "%s", e.text);
    text_free(&t);
}

/* Imports into all.sqlite; new rows, rows that were there. */
static struct archive_added add(const char *name, struct err *e)
{
    struct archive *a = NULL;
    struct archive_added n = { 0 };
    const char *path = in(name);
    int status = archive_open(&a, in("all.sqlite"), 1, e);
    if (status == ERR_OK) status = archive_import(a, &path, 1, &n, e);
    archive_close(a);
    if (status == ERR_OK) e->text[0] = 0;
    return n;
}

static const char *ask(const char *sql)
{
    static struct text said;
    struct archive *a = NULL;
    struct err e = { 0 };
    text_clear(&said);
    if (archive_open(&a, in("all.sqlite"), 0, &e) != ERR_OK || archive_query(a, sql, 0, &said, &e) != ERR_OK) text_add(&said, "%s", e.text);
    archive_close(a);
    return text_of(&said);
}

#define SAYS(got, words) do { const char *g_ = (got); CHECK(strstr(g_, words), "%s: %s", words, g_); } while (0)

static const char first[] = "# assay: x\n# run_id: r1\n" HEAD
    ROW("r1aaaaaa", "p1", "0", "m1", "ivf:nlist=8", "1", "0.90", "4000", "100")
    ROW("r1aaaaaa", "p1", "1", "m1", "ivf:nlist=8", "1", "0.90", "4400", "100")
    ROW("r1aaaaaa", "p2", "0", "m1", "ivf:nlist=8,nprobe=4", "4", "1.00", "1000", "300")
    ROW("r1aaaaaa", "p3", "0", "m1", "flat", "", "1.00", "500", "900");

static void rows_once(void)
{
    struct err e = { 0 };
    put("a/sweep.csv", first);
    struct archive_added n = add("a", &e);
    CHECK(n.rows == 4 && n.files == 1 && n.rows_before == 0, "%s %zu rows", e.text, n.rows);
    n = add("a", &e);
    CHECK(n.rows == 0 && n.files_before == 1 && n.rows_before == 4, "twice: %zu", n.rows);
    /* A grown file, a torn end, another order of columns. */
    struct text grown = { 0 };
    text_add(&grown, "%s%s3,torn", first, ROW("r1aaaaaa", "p4", "0", "m1", "flat:type=f16", "", "0.99", "700", "600"));
    put("a/sweep.csv", text_of(&grown));
    text_free(&grown);
    n = add("a/sweep.csv", &e);
    CHECK(n.rows == 1 && n.rows_before == 4, "grown: %s %zu", e.text, n.rows);
    put("other.csv", "point_id,status,run_id,rep,schema,machine,binary,dataset,data,metric,n,k,index,batch,threads,rerank,nprobe,"
                     "recall_strict,qps,lat_p50_us,bytes_per_vector,new\np3,ok,r1aaaaaa,0,3,m1,b1,set,d1,cosine,100,10,flat,1,1,0,,1.00,500,900,8,\n");
    n = add("other.csv", &e);
    CHECK(n.rows == 0 && n.rows_before == 1, "another order: %s %zu", e.text, n.rows);
    SAYS(ask("SELECT count(*) || ' of ' || count(nprobe) || ' ' || typeof(min(recall_strict)) || typeof(max(run_id)) FROM rows"),
         "5 of 3 realtext");
    SAYS(ask("SELECT notes FROM files WHERE id = 1"), "run_id: r1");
}

static void refused(void)
{
    struct err e = { 0 };
    put("bad.csv", HEAD "3,r1\n");
    (void)add("bad.csv", &e);
    CHECK(strstr(e.text, "bad.csv") && strstr(e.text, "line 2"), "%s", e.text);
    put("words.csv", "a,b\n1,2\n");
    (void)add("words.csv", &e);
    CHECK(strstr(e.text, "no rows of points"), "%s", e.text);
    put("none/words.csv", "a,b\n1,2\n");
    (void)add("none", &e);
    CHECK(strstr(e.text, "no CSV file there holds rows of points"), "%s", e.text);
    (void)add("absent.csv", &e);
    CHECK(strstr(e.text, "absent.csv: No such file"), "%s", e.text);
    put("text.sqlite", "no database at all, but some text that is long enough to be one, if only it were one, which it is not\n");
    struct archive *a = NULL;
    CHECK(archive_open(&a, in("text.sqlite"), 0, &e) == ERR_FORMAT, "%s", e.text);
    CHECK(archive_open(&a, in("nowhere.sqlite"), 0, &e) == ERR_NOT_FOUND && access(in("nowhere.sqlite"), F_OK) != 0, "%s", e.text);
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(in("else.sqlite"), &db) == SQLITE_OK && sqlite3_exec(db, "CREATE TABLE t(x)", 0, 0, 0) == SQLITE_OK, "sqlite");
    sqlite3_close(db);
    CHECK(archive_open(&a, in("else.sqlite"), 1, &e) == ERR_FORMAT && strstr(e.text, "something else"), "%s", e.text);
    SAYS(ask("DELETE FROM rows"), "would change");
    SAYS(ask("SELECT 1; SELECT 2"), "one statement");
    SAYS(ask("SELECT nonsense FROM rows"), "no such column: nonsense");
}

static const char *level(double at, const struct archive_wish *w, int interpolate)
{
    static struct text said;
    struct archive *a = NULL;
    struct err e = { 0 };
    text_clear(&said);
    if (archive_open(&a, in("all.sqlite"), 0, &e) != ERR_OK ||
        archive_at_recall(a, w, "recall_strict", at, interpolate, &said, &e) != ERR_OK)
        text_add(&said, "%s", e.text);
    archive_close(a);
    return text_of(&said);
}

/* By hand: between (.90, 4200) and (1.00, 1000) at .95 lies sqrt(4200 x 1000) = 2049. */
static void at_recall(void)
{
    const struct archive_wish plain = { 0 }, json = { .json = 1 }, where = { .where = "\"index\" LIKE 'flat%'" };
    const char *said = level(0.95, &json, 1);
    SAYS(said, "\"method\":\"ivf\",\"recall_column\":\"recall_strict\",\"level\":0.95,\"index\":\"ivf:nlist=8,nprobe=4\",\"recall\":1,\"qps\":1000,"
               "\"points\":1,\"interpolated_qps\":2049.39015,\"below\":\"ivf:nlist=8\",\"above\":\"ivf:nlist=8,nprobe=4\"");
    SAYS(said, "\"method\":\"flat\",\"recall_column\":\"recall_strict\",\"level\":0.95,\"index\":\"flat:type=f16\",\"recall\":0.99,\"qps\":700");
    CHECK(!strstr(level(0.95, &json, 0), "interpolated"), "only on demand");
    SAYS(level(0.9, &json, 1), "\"index\":\"ivf:nlist=8\",\"recall\":0.9,\"qps\":4200,\"points\":2}");
    said = level(0.995, &plain, 1);
    SAYS(said, "set (d1), cosine, k=10, batch 1, threads 1, machine m1, binary b1\n");
    SAYS(said, "interpolated, not measured");
    CHECK(!strstr(level(0.9, &where, 0), "ivf"), "where");
    SAYS(level(0.9, &(struct archive_wish){ .where = "nonsense > 1" }, 0), "no such column: nonsense");
    SAYS(level(0.9, &(struct archive_wish){ .where = "n > 1000" }, 0), "no row is ok and has both");
}

/* Twenty queries: us times the factor, recalls less the loss on all. */
static void put_queries(const char *name, double factor, double loss)
{
    struct text t = { 0 };
    text_add(&t, "query\tlat_us\trecall_strict\n");
    for (int q = 0; q < 20; q++) text_add(&t, "q%d\t%g\t%g\n", q, (100 + q) * factor, 0.9 - loss - 0.001 * q);
    put(name, text_of(&t));
    text_free(&t);
}

static const char *diff(const char *one, const char *two, int force, const char *columns)
{
    static struct text said;
    struct archive *a = NULL;
    struct err e = { 0 };
    const struct archive_wish w = { .force = force, .json = 1 };
    text_clear(&said);
    if (archive_open(&a, in("all.sqlite"), 0, &e) != ERR_OK || archive_diff(a, &w, one, two, columns, &said, &e) != ERR_OK)
        text_add(&said, "%s", e.text);
    archive_close(a);
    return text_of(&said);
}

static void runs_side_by_side(void)
{
    struct err e = { 0 };
    put("b/sweep.csv", HEAD ROW("r2bbbbbb", "p1", "0", "m1", "ivf:nlist=8", "1", "0.80", "2000", "200")
                           ROW("r2bbbbbb", "p2", "0", "m1", "ivf:nlist=8,nprobe=4", "4", "1.00", "990", "303")
                           ROW("r2bbbbbb", "p9", "0", "m1", "flat", "", "1.00", "500", "900"));
    put("c/sweep.csv", HEAD ROW("r3cccccc", "p1", "0", "m2", "ivf:nlist=8", "1", "0.90", "9000", "50"));
    put_queries("a/p1.pq.tsv", 1, 0);
    put_queries("a/p2.pq.tsv", 1, 0);
    put_queries("b/p1.pq.tsv", 2, 0.1);
    put_queries("b/p2.pq.tsv", 1.01, 0);
    CHECK(unlink(in("all.sqlite")) == 0, "a new one");
    CHECK(add("a", &e).per_query == 2 && add("b", &e).per_query == 2 && add("c", &e).rows == 1, "%s", e.text);
    const char *said = diff("r1aaaaaa", "r2bb", 0, NULL);
    SAYS(said, "{\"point_id\":\"p1\",\"point\":\"ivf:nlist=8\",\"column\":\"recall_strict\",\"a\":0.9,\"b\":0.8,\"difference\":-0.1,\"p\":0.0002,\"verdict\":\"worse\"}");
    SAYS(said, "\"column\":\"lat_p50_us\",\"a\":100,\"b\":200,\"difference\":100,\"ratio\":2,\"ratio_lo\":2,\"ratio_hi\":2,\"verdict\":\"slower\"}");
    SAYS(said, "\"a\":300,\"b\":303,\"difference\":3,\"ratio\":1.01,\"ratio_lo\":1.01,\"ratio_hi\":1.01,\"verdict\":\"not resolved\"}");
    CHECK(!strstr(said, "p9") && !strstr(said, "p3"), "of one run alone: %s", said);
    SAYS(diff(in("a"), in("b/sweep.csv"), 0, "qps"), "\"column\":\"qps\",\"a\":4200,\"b\":2000");
    SAYS(diff("run_id='r2bbbbbb'", in("a/"), 0, "recall_strict"), "\"verdict\":\"better\"");
    SAYS(diff("r1aaaaaa", "r3cc", 0, NULL), "of different machines (m1 and m2): times are not comparable; --force");
    SAYS(diff("r1aaaaaa", "r3cc", 1, NULL), "\"verdict\":\"\",\"forced\":\"machines m1 and m2\"}");
    SAYS(diff("r1aaaaaa", "zzzz", 0, NULL), "no good row of 'zzzz'");
    SAYS(diff("r1aaaaaa", "r2bb", 0, "recal"), "no column 'recal'");
    SAYS(diff("r1aaaaaa", "\"index\"='nothing'", 0, NULL), "no good row");
    SAYS(diff("point_id='p3'", "r2bb", 0, NULL), "no point was measured by both");
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("a row comes in once, in any file", rows_once);
    test_case("what is no archive, no rows, no question", refused);
    test_case("queries a second where enough is found", at_recall);
    test_case("two runs side by side", runs_side_by_side);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
