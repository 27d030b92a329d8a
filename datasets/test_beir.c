/* SPDX-License-Identifier: MIT
 * test_beir.c - the importer of BEIR folders on one written here, and on bad ones. */
#include "datasets/dataset.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include <jansson.h> /* as the importer does: a build without it leaves both out */
#include <sys/stat.h>

static char folder[] = "/tmp/assay-test-XXXXXX";
static struct text seen;

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "E %lld|%s|%s|%s|%s\n", (long long)id, type, name, properties, text);
    return ERR_OK;
}

static int see_id(void *context, int64_t id, const char *external, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "= %lld %s\n", (long long)id, external);
    return ERR_OK;
}

static int see_note(void *context, const char *what, uint64_t count, const char *first, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "N %llu %s (%s)\n", (unsigned long long)count, what, first ? first : "");
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    (void)context;
    (void)e;
    CHECK(!x && dim == 0, "no vectors");
    text_add(&seen, "Q %lld %s %s", (long long)id, split, text);
    for (size_t i = 0; i < relevant_count; i++) {
        if (relevant[i].absent) text_add(&seen, " %s", relevant[i].absent);
        else text_add(&seen, " %lld", (long long)relevant[i].id);
        text_add(&seen, ":%d", relevant[i].grade);
    }
    text_add(&seen, "\n");
    return ERR_OK;
}

static void put(const char *name, const char *content)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fputs(content, f) < 0 || fclose(f) != 0) abort();
}

static void put_good(void)
{
    put("corpus.jsonl", "{\"_id\": \"d1\", \"title\": \"One\", \"text\": \"the first\", \"metadata\": {}}\n"
                        "{\"_id\": \"d2\", \"title\": \"\", \"text\": \"a \\\"second\\\"\"}\n");
    put("queries.jsonl", "{\"_id\": \"31\", \"text\": \"both?\"}\n{\"_id\": \"4\", \"text\": \"unlabelled\"}\n"
                         "{\"_id\": \"5\", \"text\": \"only train\"}\n");
    put("qrels/test.tsv", "query-id\tcorpus-id\tscore\n31\td2\t2\n31\td1\t1\n5\td1\t0\n");
    put("qrels/train.tsv", "query-id\tcorpus-id\tscore\r\n5\td1\t1\r\n31\td1\t1\r\n");
}

static int import(struct err *e)
{
    const struct kb_sink sink = { .entity = see_entity, .query = see_query, .entity_id = see_id, .query_id = see_id,
                                  .note = see_note };
    text_clear(&seen);
    return importer_find("beir")->run(folder, &sink, e);
}

static void expect(const char *wanted)
{
    struct err e = { 0 };
    CHECK(import(&e) == ERR_OK, "%s", e.text);
    CHECK(strcmp(text_of(&seen), wanted) == 0, "wanted\n%sgot\n%s", wanted, text_of(&seen));
}

static void a_set_is_read(void)
{
    put_good();
    expect("= 1 d1\nE 1|document|One|{\"text\":\"the first\"}|One. the first\n"
           "= 2 d2\nE 2|document|d2|{\"text\":\"a \\\"second\\\"\"}|a \"second\"\n"
           "Q 31 tune both? 1:1\nQ 31 report both? 1:1 2:2\nQ 5 tune only train 1:1\nQ 5 report only train 1:0\n");
    put("corpus.jsonl", "\xef\xbb\xbf{\"_id\": \"300\", \"text\": \"x\", \"metadata\": {\"url\": \"u\"}, \"lang\": null}\r\n"
                        "{\"_id\": 2, \"text\": \"y\"}\r\n");
    put("queries.jsonl", "{\"_id\": \"q31\", \"text\": \"x\"}\n");
    put("qrels/test.tsv", "q31 0 2 1\nq31 0 2 1\n");
    put("qrels/train.tsv", "");
    expect("E 300|document|300|{\"url\":\"u\",\"lang\":null,\"text\":\"x\"}|x\nE 2|document|2|{\"text\":\"y\"}|y\n"
           "= 0 q31\nQ 0 report x 2:1\nN 1 fields \"lang\", kept as properties ()\n"
           "N 1 judgements that came before, passed over ()\n");
}

/* What is judged and not there stays judged, as trec_eval has it. */
static void what_is_absent_is_kept(void)
{
    put_good();
    put("qrels/train.tsv", "");
    put("qrels/test.tsv", "query-id\tcorpus-id\tscore\n31\tgone\t2\n31\td1\t1\n99\td1\t1\n31\tgone2\t0\n4\td2\t1\n");
    put("queries.jsonl", "{\"_id\": \"31\", \"text\": \"both?\"}\n{\"_id\": 4, \"text\": null}\n");
    expect("= 1 d1\nE 1|document|One|{\"text\":\"the first\"}|One. the first\n"
           "= 2 d2\nE 2|document|d2|{\"text\":\"a \\\"second\\\"\"}|a \"second\"\n"
           "Q 31 report both? gone2:0 gone:2 1:1\nQ 4 report  2:1\nQ 99 report  1:1\n");
}

static void bad_ones_are_refused(void)
{
    static const struct { const char *file, *content, *words; } cases[] = {
        { "corpus.jsonl", "{\"_id\": \"d1\"}\n", "corpus.jsonl: line 1: \"text\" is missing" },
        { "corpus.jsonl", "{\"text\": \"x\"}\n", "\"_id\" is missing" },
        { "corpus.jsonl", "{\"_id\": 1.5, \"text\": \"x\"}\n", "\"_id\" is '1.5': an id is a whole number or a text" },
        { "corpus.jsonl", "{\"_id\": \"d1\", \"text\": [\"x\"]}\n", "\"text\" is '[\"x\"]': not a text" },
        { "corpus.jsonl", "{\"_id\": \"d1\", \"text\": \"x\", \"Title\": \"y\"}\n", "\"Title\" is no field; nearest is \"title\"" },
        { "corpus.jsonl", "{\"_id\": \"d1\", \"text\": \"x\\u0000y\"}\n", "corpus.jsonl: line 1: " },
        { "corpus.jsonl", "{\"_id\": \"d1\", \"text\": \"x\"}\n{\"_id\": \"d1\", \"text\": \"x\"}\n", "line 2: \"_id\" is 'd1': an id that came before" },
        { "corpus.jsonl", "{\"_id\": \"d1\", ", "corpus.jsonl: line 1: " },
        { "queries.jsonl", "{\"_id\": \"5\", \"text\": \"x\"}\n{\"_id\": \"31\", \"text\": 3}\n", "line 2: \"text\" is '3': not a text" },
        { "queries.jsonl", "{\"text\": \"31\"}\n", "\"_id\" is missing" },
        { "qrels/test.tsv", "query-id\tcorpus-id\tscore\n31 d2 2 3 4\n", "test.tsv: line 2: " },
        { "qrels/test.tsv", "query-id\tcorpus-id\tscore\n31\td1\tmuch\n", "line 2: \"grade\" is 'much': not a whole number" },
        { "qrels/test.tsv", "31\td1\t1.0\n", "line 1: \"grade\" is '1.0': not a whole number" },
        { "qrels/test.tsv", "topic\titem\tmark\n31\td1\t1\n", "line 1: 'topic | item | mark' is neither" },
        { "qrels/test.tsv", "31\td1\t1\n31\td1\t0\n", "lines 1 and 2: query '31' and document 'd1' are judged 1 and 0" },
    };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_good();
        put("qrels/train.tsv", "");
        put(cases[i].file, cases[i].content);
        const int status = import(&e);
        CHECK(status == ERR_FORMAT && strstr(e.text, cases[i].words), "case %zu: %d '%s', wanted '%s'", i, status, e.text,
              cases[i].words);
    }
    CHECK(importer_find("beir")->run("/nonexistent", &(struct kb_sink){ 0 }, &e) == ERR_NOT_FOUND, "%s", e.text);
}

int main(void)
{
    char path[160];
    if (!mkdtemp(folder)) return TEST_FAIL;
    snprintf(path, sizeof path, "%s/qrels", folder);
    if (mkdir(path, 0777) != 0) return TEST_FAIL;
    test_case("a set is read: titles, texts, splits, grades", a_set_is_read);
    test_case("labels of what is absent are kept", what_is_absent_is_kept);
    test_case("bad sets are refused by file, line and reason", bad_ones_are_refused);
    text_free(&seen);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
