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
    text_add(&seen, "R %lld %s %lld %g%s\n", (long long)source, type, (long long)target, weight,
             strcmp(properties, "{}") == 0 ? "" : properties);
    return weight > 1 ? FAIL(e, ERR_ARG, "weight outside 0..1") : ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    (void)context;
    (void)e;
    text_add(&seen, "Q %lld %s %s %zu", (long long)id, split ? split : "-", text, x ? dim : 0);
    for (size_t i = 0; i < relevant_count; i++) {
        if (relevant[i].absent) text_add(&seen, " %s", relevant[i].absent);
        else text_add(&seen, " %lld", (long long)relevant[i].id);
        text_add(&seen, ":%d", relevant[i].grade);
    }
    text_add(&seen, "\n");
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

static const char *columns[4];
static size_t column_count;

static int import(struct err *e)
{
    const struct kb_wishes wishes = { columns, column_count };
    const struct kb_sink sink = { NULL, see_entity, see_vector, see_relation, see_query, see_id, see_id, see_note, &wishes };
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
    put_text("qrels.tsv", "qid\tpid\trel\nb\tp7\t1\nunknown\tp7\t1\na\tp9\t0\nb\tp9\t2\na\tp7\t1\nb\tgone\t1\n");
    put("x_corpus.fvecs", rows, sizeof rows);
    put("x_queries.fvecs", query, sizeof query);
    expect("= 1 p9\nE 1|document|Nine|{\"text\":\"the \\\"ninth\\\"\"}|Nine. the \"ninth\"\n"
           "= 2 p7\nE 2|document|p7|{\"text\":\"the seventh\"}|p7. the seventh\n"
           "V 1 2 1\nV 2 2 2\nR 1 related 2 1{\"count\":\"3\"}\n"
           "= 0 a\nQ 0 - which? 2 1:0 2:1\n= 1 b\nQ 1 - what? 2 gone:1 1:2 2:1\n= 2 c\nQ 2 - none? 2\n"
           "= 3 unknown\nQ 3 -  0 2:1\n"
           "N 1 column \"count\" of some_edges.tsv, kept as a property ()\n");
}

/* Ids that are numbers stay; a table without names is read as the caller, or whoever published it, says. */
static void columns_are_said(void)
{
    clear();
    put_text("corpus.tsv", "\xef\xbb\xbf" "300\tOven\tloaves are baked\r\n2\tBoat\twind in sails\r\n");
    put_text("edges.tsv", "2\t300\tnear\t0.5\n");
    put_text("queries.tsv", "text\tqid\nbread\t7\n");
    put_text("qrels.tsv", "1\t300\t7\n");
    columns[0] = "corpus.tsv=id,title,text", columns[1] = "edges.tsv=source,target,type,weight";
    columns[2] = "qrels.tsv=score,corpus-id,query-id", column_count = 3;
    expect("E 300|document|Oven|{\"text\":\"loaves are baked\"}|Oven. loaves are baked\n"
           "E 2|document|Boat|{\"text\":\"wind in sails\"}|Boat. wind in sails\n"
           "R 2 near 300 0.5\nQ 7 - bread 0 300:1\n");
    struct err e = { 0 };
    columns[3] = "other.tsv=id", column_count = 4;
    CHECK(import(&e) == ERR_ARG && strstr(e.text, "other.tsv=id: no such table"), "%s", e.text);
    columns[3] = "queries.tsv=text,qid";
    CHECK(import(&e) == ERR_ARG && strstr(e.text, "queries.tsv: line 1 holds the names that --columns gives"), "%s", e.text);
    columns[0] = "corpus.tsv=title,text", column_count = 3;
    CHECK(import(&e) == ERR_ARG && strstr(e.text, "corpus.tsv=title,text: no column for 'id"), "%s", e.text);
    column_count = 0;
    CHECK(import(&e) == ERR_FORMAT && strstr(e.text, "corpus.tsv: line 1: '300\tOven\tloaves are baked' does not name"), "%s", e.text);
    clear();
    put_text("collection.tsv", "d1\ta text\n# d2\tnone\n");
    put_text("train.txt", "d1\tis\td1\n");
    expect("= 1 d1\nE 1|document|d1|{\"text\":\"a text\"}|d1. a text\nR 1 is 1 1\n"
           "N 1 lines that begin with #, passed over as comments (collection.tsv)\n");
}

static void triples_are_read(void)
{
    clear();
    put_text("entities.tsv", "id\tname\ttype\n0\tAda\tperson\n1\tengine\tmachine\n");
    put_text("relations.tsv", "id\tname\n0\twrote for\n1\tdrew\n");
    put_text("train.tsv", "head\trel\ttail\n0\t0\t1\n1\t7\t0\n");
    put_text("valid.tsv", "head\trel\ttail\n0\t1\t1\n");
    expect("E 0|person|Ada|{}|Ada\nE 1|machine|engine|{}|engine\nR 0 wrote for 1 1\nR 1 7 0 1\n");
    clear();
    put_text("triples.tsv", "subject\tpredicate\tobject\tweight\na cat\tis\tan animal\t0.5\nan animal\tis\t12\t1\n");
    expect("= 1 a cat\nE 1|entity|a cat|-|a cat\n= 2 an animal\nE 2|entity|an animal|-|an animal\n= 3 12\nE 3|entity|12|-|-\n"
           "R 1 is 2 0.5\nR 2 is 3 1\n");
}

static void bad_ones_are_refused(void)
{
    static const struct { const char *file, *content, *words; int code; } cases[] = {
        { "train.tsv", "head\trel\ttail\n0\t0\n", "train.tsv: line 2: 2 columns, the header has 3", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\n0\t0\t5\n", "train.tsv: line 2: \"tail\" is '5': no entity has this id", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\tweight\n0\t0\t1\theavy\n", "line 2: \"weight\" is 'heavy': not a number", ERR_FORMAT },
        { "train.tsv", "head\trel\ttail\tweight\n0\t0\t1\t7\n", "line 2: \"weight\" is '7': outside 0..1", ERR_FORMAT },
        { "train.tsv", "", "train.tsv: empty", ERR_FORMAT },
        { "entities.tsv", "id\tname\n0\ta\n0\tb\n", "line 3: \"id\" is '0': an id that came before", ERR_FORMAT },
        { "queries.tsv", "qid\twords\n0\ta\n", "line 1: 'qid\twords' does not name the columns qid,text", ERR_FORMAT },
        { "queries.tsv", "qid\ttext\n0\ta\n0\tb\n", "\"qid\" is '0': an id that came before", ERR_FORMAT },
        { "relations.tsv", "id\tname\n0\ta\n0\tb\n", "a relation that came before", ERR_FORMAT },
        { "qrels.tsv", "qid\tpid\tscore\n0\t0\tmuch\n", "\"grade\" is 'much': not a whole number", ERR_FORMAT },
        { "qrels.tsv", "qid\tpid\tmark\n0\t0\t1\n", "line 1: 'qid | pid | mark' is neither", ERR_FORMAT },
        { "train.tsv", "0\t0\t1\n", "line 1: '0\t0\t1' does not name the columns head,tail", ERR_FORMAT },
        { "train.tsv", "head\ttail\twieght\n0\t1\t1\n", "line 1: \"wieght\" is no column; nearest is \"weight\"", ERR_FORMAT },
        { "qrels.a.tsv", "qid\tpid\n", "2 files fit qrels*.tsv", ERR_ARG },
        { "vectors.fvecs", "\2\0\0\0abcdefgh", "1 rows, the table has 2", ERR_FORMAT },
    };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clear();
        put_text("entities.tsv", "id\tname\n0\ta\n1\tb\n");
        put_text("train.tsv", "head\trel\ttail\n0\t0\t1\n");
        if (strcmp(cases[i].file, "qrels.a.tsv") == 0) put_text("qrels.b.tsv", "qid\tpid\n");
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
    test_case("columns are said by the caller or by who published them", columns_are_said);
    test_case("bad tables are refused by file, line and reason", bad_ones_are_refused);
    test_case("damaged tables never fault", damage_never_faults);
    text_free(&seen);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
