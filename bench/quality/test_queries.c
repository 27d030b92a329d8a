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
                        "\\\"hi\\\"\"}\n{\"id\":12,\"text\":\"b\",\"_id\":\"12\"}\r\n{\"_id\":\"c\",\"text\":null,\"x\":1}\n";
    CHECK(queries_open(&q, put("q.jsonl", "\xef\xbb\xbf"), &e) == ERR_ARG, "a mark alone");
    char marked[256];
    snprintf(marked, sizeof marked, "\xef\xbb\xbf%s", lines);
    CHECK(queries_open(&q, put("q.jsonl", marked), &e) == ERR_OK, "%s", e.text);
    CHECK(q.count == 3 && strcmp(q.texts[0], "say \"hi\"") == 0 && strcmp(q.names[0], "q7") == 0, "%s", q.texts[0]);
    CHECK(q.ids[0] == 0 && q.ids[1] == 12 && q.ids[2] == 2, "%d %d %d", (int)q.ids[0], (int)q.ids[1], (int)q.ids[2]);
    CHECK(!*q.texts[2] && tally_of(&q.notes, "questions without a text, which are asked nothing") == 1 &&
          tally_of(&q.notes, "fields \"x\" of questions, not read") == 1, "what is odd is counted");
    queries_close(&q);
}

static void labels(void)
{
    struct queries q;
    struct err e = { 0 };
    size_t n;
    CHECK(queries_open(&q, put("q.txt", "zero\none\ntwo\n"), &e) == ERR_OK, "%s", e.text);
    const uint64_t unlabelled = q.hash;
    CHECK(queries_label(&q, put("trec", "0 0 11 1\n0 0 12 2\n2 0 13 1\n2 0 13 1\n9 0 1 1\n"), NULL, 0, &e) ==
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
    CHECK(queries_label(&q, put("beir.tsv", "query-id\tcorpus-id\tscore\n1\t5\t1\n0\t6\t1\n"), NULL, 0, &e) == ERR_OK,
          "%s", e.text);
    l = queries_labels(&q, 1, &n);
    CHECK(n == 1 && l[0].id == 5, "BEIR");
    queries_close(&q);
}

static int find(void *context, const char *id, int64_t *number, struct err *e)
{
    (void)context;
    if (strcmp(id, "cat") != 0) return FAIL(e, ERR_NOT_FOUND, "no entity '%s'", id);
    *number = 5;
    return ERR_OK;
}

/* Documents by the ids that the user knows; what is not there is relevant and never found. */
static void documents(void)
{
    const struct documents known = { find, NULL };
    struct queries q;
    struct err e = { 0 };
    size_t n;
    for (int drop = 0; drop < 2; drop++) {
        CHECK(queries_open(&q, put("q.txt", "zero\none\n"), &e) == ERR_OK, "%s", e.text);
        CHECK(queries_label(&q, put("qrels", "0 0 cat 1\n0 0 gone 2\n1\t0\tGONE\t0\n"), &known, drop, &e) == ERR_OK, "%s", e.text);
        const struct label *l = queries_labels(&q, 0, &n);
        CHECK(n == (drop ? 1 : 2) && l[n - 1].id == 5, "%zu labels", n);
        const char *absent = drop ? NULL : queries_absent(&q, l[0].id);
        CHECK(drop || (absent && strcmp(absent, "gone") == 0 && !queries_absent(&q, 5)), "its id is kept");
        CHECK(tally_of(&q.notes, drop ? "labels of documents that are not there, dropped"
                                      : "labels of documents that are not there, kept: relevant and never found") == 1, "counted");
        queries_close(&q);
    }
}

/* Rows are not ids unless somebody says so. */
static void rows(void)
{
    static const struct { int32_t dim; float x[2]; } two[2] = { { 2, { 1, 0 } }, { 2, { 0, 1 } } };
    struct queries q;
    struct err e = { 0 };
    char file[256];
    size_t n;
    snprintf(file, sizeof file, "%s/q.fvecs", folder);
    FILE *f = fopen(file, "wb");
    CHECK(f && fwrite(two, sizeof two, 1, f) == 1 && fclose(f) == 0, "%s", file);
    CHECK(queries_open(&q, file, &e) == ERR_OK && q.by_row, "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "1 0 5 1\n2 0 6 1\n"), NULL, 0, &e) == ERR_ARG && strstr(e.text, "'2' is no row of 0..1"), "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "1 0 5 1\n"), NULL, 0, &e) == ERR_ARG && strstr(e.text, "counted from 1?"), "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "0 0 5 1\n"), NULL, 0, &e) == ERR_OK, "%s", e.text);
    queries_close(&q);
    CHECK(queries_open(&q, file, &e) == ERR_OK, "%s", e.text);
    CHECK(queries_name(&q, put("ids.txt", "a\n"), &e) == ERR_ARG && strstr(e.text, "1 ids for 2 questions"), "%s", e.text);
    CHECK(queries_name(&q, put("ids.txt", "a\na\n"), &e) == ERR_ARG && strstr(e.text, "'a' comes twice"), "%s", e.text);
    queries_close(&q);
    CHECK(queries_open(&q, file, &e) == ERR_OK, "%s", e.text);
    CHECK(queries_name(&q, put("ids.jsonl", "{\"_id\":2,\"text\":\"b\"}\n{\"_id\":\"1\",\"text\":\"a\"}\n"), &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "1 0 5 1\n2 0 6 1\n"), NULL, 0, &e) == ERR_OK, "%s", e.text);
    CHECK(queries_labels(&q, 0, &n) && n == 1 && queries_labels(&q, 0, &n)->id == 6, "row 0 is question 2");
    queries_close(&q);
    CHECK(queries_open(&q, file, &e) == ERR_OK && queries_name(&q, "rows", &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "1 0 5 1\n"), NULL, 0, &e) == ERR_OK, "as was said: %s", e.text);
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
    refuse("bad.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", ERR_FORMAT, "bad.jsonl: line 2: ");
    refuse("list.jsonl", "{\"_id\":\"x\",\"text\":[\"a\",\"b\"]}\n", ERR_FORMAT, "line 1: \"text\" is '[\"a\",\"b\"]': not a text");
    refuse("zero.jsonl", "{\"_id\":\"x\",\"text\":\"a\\u0000b\"}\n", ERR_FORMAT, "line 1: a text holds \\u0000");
    refuse("slip.jsonl", "{\"_id\":\"x\",\"txt\":\"a\"}\n", ERR_FORMAT, "line 1: \"txt\" is no field; nearest is \"text\"");
    refuse("real.jsonl", "{\"_id\":1.5,\"text\":\"a\"}\n", ERR_FORMAT, "\"_id\" is '1.5': an id is");
    refuse("mixed.jsonl", "{\"_id\":1,\"text\":\"a\"}\n{\"text\":\"b\"}\n", ERR_FORMAT, "line 2: \"_id\" is missing");
    refuse("both.jsonl", "{\"_id\":1,\"id\":2,\"text\":\"a\"}\n", ERR_FORMAT, "\"_id\" is '1': \"id\" is another");
    refuse("twice.jsonl", "{\"_id\":\"x\",\"text\":\"a\"}\n{\"_id\":\"x\",\"text\":\"b\"}\n", ERR_ARG, "questions 1 and 2: id 'x' comes twice");
    refuse("empty.txt", "", ERR_ARG, "no questions");
    CHECK(queries_open(&q, "no/such/file.txt", &e) == ERR_NOT_FOUND &&
              strstr(e.text, "no/such/file.txt"),
          "%s", e.text);
    CHECK(queries_open(&q, put("q.txt", "zero\n"), &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "0 0 1 1\n0 0 cat 1\n"), NULL, 0, &e) == ERR_FORMAT &&
              strstr(e.text, "qrels: line 2: \"document\" is 'cat'"),
          "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "0 0 1 1\n0 7 2\n"), NULL, 0, &e) == ERR_FORMAT &&
              strstr(e.text, "line 2: 3 fields, where the lines before have 4"), "%s", e.text);
    CHECK(queries_label(&q, put("qrels", "8 0 1 1\n"), NULL, 0, &e) == ERR_ARG && strstr(e.text, "qrels"), "%s", e.text);
    queries_close(&q);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("text lines and JSONL", texts);
    test_case("qrels of TREC and BEIR", labels);
    test_case("documents by the user's ids, and those that are not there", documents);
    test_case("questions that are vectors: whose rows they are", rows);
    test_case("bad files are named", bad);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
