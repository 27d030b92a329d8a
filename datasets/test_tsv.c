/* SPDX-License-Identifier: MIT
 * test_tsv.c - the importer of tables: corpora, triples with and without a table of entities, vectors,
 * labels; and what it says of bad ones. */
#include "datasets/dataset.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"

static char folder[] = "/tmp/assay-test-XXXXXX";
static struct text seen;

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "E %lld|%s|%s|%s|%s\n", (long long)id, type, name, properties ? properties : "-", text ? text : "-");
    return ERR_OK;
}

static int see_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "V %lld %zu %g\n", (long long)id, dim, x[0]);
    return ERR_OK;
}

static int see_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                        const char *properties, struct err *e)
{
    (void)context;
    (void)properties;
    text_add(&seen, "R %lld %s %lld %g\n", (long long)source, type, (long long)target, weight);
    return weight > 1 ? FAIL(e, ERR_ARG, "weight outside 0..1") : ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "Q %lld %s %s %zu", (long long)id, split ? split : "-", text, x ? dim : 0);
    for (size_t i = 0; i < relevant_count; i++) text_add(&seen, " %lld:%d", (long long)relevant[i].id, relevant[i].grade);
    text_add(&seen, "\n");
    return ERR_OK;
}

static void put(const char *name, const void *content, size_t size)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(content, 1, size, f) != size || fclose(f) != 0) abort();
}

static void put_text(const char *name, const char *content) { put(name, content, strlen(content)); }

static void clear(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    if (system(command) != 0) abort();
    text_clear(&seen);
}

static int import(struct err *e)
{
    const struct kb_sink sink = { NULL, see_entity, see_vector, see_relation, see_query };
    text_clear(&seen);
    return importer_find("tsv")->run(folder, &sink, e);
}

static void expect(const char *wanted)
{
    struct err e = { 0 };
    CHECK(import(&e) == ERR_OK, "%s", e.text);
    CHECK(strcmp(text_of(&seen), wanted) == 0, "wanted\n%sgot\n%s", wanted, text_of(&seen));
}

struct vec { int32_t dim; float x[2]; };

static void corpus_is_read(void)
{
    const struct vec rows[2] = { { 2, { 1, 0 } }, { 2, { 2, 0 } } }, query[3] = { { 2, { 3, 0 } }, { 2, { 4, 0 } }, { 2, { 5, 0 } } };
    clear();
    put_text("corpus.tsv", "pid\ttitle\ttext\r\np9\tNine\tthe \"ninth\"\r\n\np7\t\tthe seventh\n");
    put_text("some_edges.tsv", "src\tdst\tcount\np9\tp7\t3\n");
    put_text("queries.tsv", "qid\tquestion\tanswer\na\twhich?\tx\nb\twhat?\ty\nc\tnone?\tz\n");
    put_text("qrels.tsv", "qid\tpid\trel\nb\tp7\t1\nunknown\tp7\t1\na\tp9\t0\nb\tp9\t2\na\tp7\t1\n");
    put("x_corpus.fvecs", rows, sizeof rows);
    put("x_queries.fvecs", query, sizeof query);
    expect("E 1|document|Nine|{\"pid\":\"p9\",\"text\":\"the \\\"ninth\\\"\"}|Nine. the \"ninth\"\n"
           "E 2|document|p7|{\"pid\":\"p7\",\"text\":\"the seventh\"}|p7. the seventh\n"
           "V 1 2 1\nV 2 2 2\nR 1 related 2 1\n"
           "Q 0 - which? 2 2:1\nQ 1 - what? 2 1:2 2:1\nQ 2 - none? 2\n");
}

static void triples_are_read(void)
{
    clear();
    put_text("entities.tsv", "id\tname\ttype\n0\tAda\tperson\n1\tengine\tmachine\n");
    put_text("relations.tsv", "id\tname\n0\twrote for\n1\tdrew\n");
    put_text("train.tsv", "head\trel\ttail\n0\t0\t1\n1\t7\t0\n");
    put_text("valid.tsv", "head\trel\ttail\n0\t1\t1\n");
    expect("E 1|person|Ada|{\"id\":\"0\"}|Ada\nE 2|machine|engine|{\"id\":\"1\"}|engine\nR 1 wrote for 2 1\nR 2 7 1 1\n");
    clear();
    put_text("triples.tsv", "subject\tpredicate\tobject\tweight\na cat\tis\tan animal\t0.5\nan animal\tis\t12\t1\n");
    expect("E 1|entity|a cat|-|a cat\nE 2|entity|an animal|-|an animal\nE 3|entity|12|-|-\nR 1 is 2 0.5\nR 2 is 3 1\n");
}

static void bad_ones_are_refused(void)
{
    static const struct { const char *file, *content, *words; int code; } cases[] = {
        { "train.tsv", "head\trel\ttail\n0\t0\n", "train.tsv: line 2: 2 columns, the header has 3", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\n0\t0\t5\n", "train.tsv: line 2: no entity '5'", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\tweight\n0\t0\t1\theavy\n", "line 2: weight is not a number", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\tweight\n0\t0\t1\t7\n", "train.tsv: line 2: weight outside", ERR_ARG },
        { "train.tsv", "", "train.tsv: empty", ERR_FORMAT },
        { "entities.tsv", "id\tname\n0\ta\n0\tb\n", "line 3: an id that came before", ERR_FORMAT },
        { "queries.tsv", "qid\twords\n0\ta\n", "no column 'text'", ERR_FORMAT },
        { "queries.tsv", "qid\ttext\n0\ta\n0\tb\n", "a query that came before", ERR_FORMAT },
        { "relations.tsv", "id\tname\n0\ta\n0\tb\n", "a relation that came before", ERR_FORMAT },
        { "qrels.tsv", "qid\tpid\tscore\n0\t0\tmuch\n", "the grade is not a number", ERR_FORMAT },
        { "qrels.tsv", "qid\tpid\n0\t99\n", "no entity '99'", ERR_FORMAT },
        { "vectors.fvecs", "\2\0\0\0abcdefgh", "1 rows, the table has 2", ERR_FORMAT },
    };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clear();
        put_text("entities.tsv", "id\tname\n0\ta\n1\tb\n");
        put_text("train.tsv", "head\trel\ttail\n0\t0\t1\n");
        put(cases[i].file, cases[i].content, strstr(cases[i].file, "fvecs") ? 12 : strlen(cases[i].content));
        const int status = import(&e);
        CHECK(status == cases[i].code && strstr(e.text, cases[i].words), "case %zu: %d '%s', wanted '%s'", i, status, e.text,
              cases[i].words);
    }
    clear();
    CHECK(import(&e) == ERR_NOT_FOUND && strstr(e.text, folder), "%s", e.text);
}

static void damage_never_faults(void)
{
    static const char whole[] = "head\trel\ttail\tweight\n0\t0\t1\t1\n1\t0\t0\t0.5\n0\t1\t1\t.25\n";
    struct err e = { 0 };
    for (int trial = 0; trial < 300; trial++) {
        char copy[sizeof whole];
        memcpy(copy, whole, sizeof whole);
        copy[test_rand() % (sizeof whole - 1)] = "\t\n\r 9#"[test_rand() % 6];
        clear();
        put("triples.tsv", copy, trial % 2 ? sizeof whole - 1 : test_rand() % sizeof whole);
        const int status = import(&e);
        CHECK(status == ERR_OK || status == ERR_FORMAT || status == ERR_ARG, "%d %s", status, e.text);
    }
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("a corpus: texts, vectors, edges, queries, labels", corpus_is_read);
    test_case("triples: named relations, ends as entities, held-out ones left out", triples_are_read);
    test_case("bad tables are refused by file, line and reason", bad_ones_are_refused);
    test_case("damaged tables never fault", damage_never_faults);
    text_free(&seen);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
