/* SPDX-License-Identifier: MIT
 * test_queries.c - query files and qrels, good and bad. */
#include "bench/quality/queries.h"
#include "kernels/base/test.h"

static char folder[] = P_tmpdir "/assay_queries.XXXXXX";
static char path[256];

static const char *put(const char *name, const char *bytes)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f && fwrite(bytes, 1, strlen(bytes), f) == strlen(bytes) && fclose(f) == 0, "%s", name);
    return path;
}

static void texts(void)
{
    struct queries q;
    struct err e = { 0 };
    CHECK(queries_open(&q, put("q.txt", "a small cat\n\n  \nthe dog\r\nlast"), &e) == ERR_OK, "%s", e.text);
    CHECK(q.count == 3 && q.vectors.rows.count == 0, "%zu questions", q.count);
    CHECK(strcmp(q.texts[0], "a small cat") == 0 && strcmp(q.texts[1], "the dog") == 0, "%s|%s",
          q.texts[0], q.texts[1]);
    CHECK(strcmp(q.texts[2], "last") == 0 && strcmp(q.names[2], "2") == 0 && q.ids[2] == 2, "%s", q.texts[2]);
    queries_close(&q);
    const char *lines = "{\"_id\":\"q7\",\"text\":\"say "
                        "\\\"hi\\\"\"}\n{\"_id\":12,\"text\":\"b\"}\n{\"text\":\"c\"}\n";
    CHECK(queries_open(&q, put("q.jsonl", lines), &e) == ERR_OK, "%s", e.text);
    CHECK(q.count == 3 && strcmp(q.texts[0], "say \"hi\"") == 0 && strcmp(q.names[0], "q7") == 0, "%s", q.texts[0]);
    CHECK(q.ids[0] == 0 && q.ids[1] == 12 && q.ids[2] == 2, "%d %d %d", (int)q.ids[0], (int)q.ids[1], (int)q.ids[2]);
    queries_close(&q);
}

static void labels(void)
{
    struct queries q;
    struct err e = { 0 };
    size_t n;
    CHECK(queries_open(&q, put("q.txt", "zero\none\ntwo\n"), &e) == ERR_OK, "%s", e.text);
    const uint64_t unlabelled = q.hash;
    CHECK(queries_label(&q, put("trec", "0 0 11 1\n0 0 12 2\n2 0 13 1\n2 0 13 0\n9 0 1 1\n"), &e) ==
              ERR_OK,
          "%s", e.text);
    const struct label *l = queries_labels(&q, 0, &n);
    CHECK(n == 2 && l[0].id == 12 && l[0].grade == 2 && l[1].id == 11, "highest grade first");
    CHECK(!queries_labels(&q, 1, &n) && n == 0, "no labels, no list");
    l = queries_labels(&q, 2, &n);
    CHECK(n == 1 && l[0].grade == 1, "the first of two equal lines counts");
    CHECK(q.unknown == 1 && q.hash != unlabelled, "%zu unknown", q.unknown);
    queries_close(&q);
    CHECK(queries_open(&q, put("q.txt", "zero\none\n"), &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, put("beir.tsv", "query-id\tcorpus-id\tscore\n1\t5\t1\n0\t6\t1\n"),
                        &e) == ERR_OK,
          "%s", e.text);
    l = queries_labels(&q, 1, &n);
    CHECK(n == 1 && l[0].id == 5, "BEIR");
    queries_close(&q);
}

static void refuse(const char *name, const char *bytes, int status, const char *says)
{
    struct queries q;
    struct err e = { 0 };
    const int got = queries_open(&q, put(name, bytes), &e);
    CHECK(got == status && strstr(e.text, says), "%s: %d %s", name, got, e.text);
}

static void bad(void)
{
    struct queries q;
    struct err e = { 0 };
    refuse("bad.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", ERR_FORMAT, "bad.jsonl:2");
    refuse("none.jsonl", "{\"_id\":\"x\"}\n", ERR_FORMAT, "\"text\"");
    refuse("twice.jsonl", "{\"_id\":\"x\",\"text\":\"a\"}\n{\"_id\":\"x\",\"text\":\"b\"}\n", ERR_ARG, "'x'");
    refuse("empty.txt", "", ERR_ARG, "no questions");
    CHECK(queries_open(&q, "no/such/file.txt", &e) == ERR_NOT_FOUND &&
              strstr(e.text, "no/such/file.txt"),
          "%s", e.text);
    CHECK(queries_open(&q, put("q.txt", "zero\n"), &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "0 0 1 1\n0 0 cat 1\n"), &e) == ERR_FORMAT &&
              strstr(e.text, "qrels:2"),
          "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "8 0 1 1\n"), &e) == ERR_ARG && strstr(e.text, "qrels"), "%s", e.text);
    queries_close(&q);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("text lines and JSONL", texts);
    test_case("qrels of TREC and BEIR", labels);
    test_case("bad files are named", bad);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
