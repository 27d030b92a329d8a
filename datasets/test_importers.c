/* SPDX-License-Identifier: MIT
 * test_importers.c - one small source of each kind: what is delivered, what is counted as left out, and the file, line,
 * field and value of what is refused; the published sets by their counts, where they are at hand. */
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "kernels/base/test.h"
#include <jansson.h> /* a build without it lacks two of these importers, and this test */
#include <sqlite3.h>

static char folder[] = "/tmp/assay-test-XXXXXX";

/* All that was delivered, a line each. */
struct heard { struct text said; size_t entities, vectors, relations, queries, labels, noted; };

static int hear_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                       const char *text, struct err *e)
{
    struct heard *h = context;
    (void)e;
    h->entities++;
    if (h->entities < 40)
        text_add(&h->said, "E %lld %s|%s|%s|%s\n", (long long)id, type, name, properties ? properties : "",
                 text ? text : "-");
    return ERR_OK;
}

static int hear_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    struct heard *h = context;
    (void)e;
    if (h->vectors++ < 20) text_add(&h->said, "V %lld %zu %g\n", (long long)id, dim, x[0]);
    return ERR_OK;
}

static int hear_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                         const char *properties, struct err *e)
{
    struct heard *h = context;
    (void)properties;
    (void)e;
    if (h->relations++ < 40) text_add(&h->said, "R %lld %lld %s %g\n", (long long)source, (long long)target, type,
                                      weight);
    return ERR_OK;
}

static int hear_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                      const struct kb_label *relevant, size_t count, struct err *e)
{
    struct heard *h = context;
    (void)dim;
    (void)e;
    h->labels += count;
    if (h->queries++ >= 20) return ERR_OK;
    text_add(&h->said, "Q %lld %s|%s|%s", (long long)id, split ? split : "", text ? text : "-", x ? "x" : "-");
    for (size_t i = 0; i < count; i++) text_add(&h->said, " %lld", (long long)relevant[i].id);
    text_add(&h->said, "\n");
    return ERR_OK;
}

static int hear_id(void *context, int64_t id, const char *external, struct err *e)
{
    struct heard *h = context;
    (void)e;
    if (h->entities < 40 && h->queries < 20) text_add(&h->said, "I %lld %s\n", (long long)id, external);
    return ERR_OK;
}

static int hear_note(void *context, const char *what, uint64_t count, const char *first, struct err *e)
{
    struct heard *h = context;
    (void)e;
    h->noted += count;
    text_add(&h->said, "N %llu %s (%s)\n", (unsigned long long)count, what, first ? first : "");
    return ERR_OK;
}

static int hear(const char *importer, const char *path, struct heard *h, struct err *e)
{
    const struct kb_sink sink = { .context = h, .entity = hear_entity, .vector = hear_vector, .relation = hear_relation,
                                  .query = hear_query, .entity_id = hear_id, .query_id = hear_id, .note = hear_note };
    text_free(&h->said);
    *h = (struct heard){ 0 };
    return importer_find(importer)->run(path, &sink, e);
}

static void put(const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fputs(content, f) < 0 || fclose(f) != 0) abort();
}

static void empty_folder(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    CHECK(system(command) == 0, "%s", command);
}

static struct heard heard;
static void expect(const char *importer, const char *path, const char *said)
{
    struct err e = { 0 };
    const int status = hear(importer, path, &heard, &e);
    CHECK(status == ERR_OK && strstr(text_of(&heard.said), said), "%s: %d %s, wanted '%s' in:\n%s", importer, status,
          e.text,
          said, text_of(&heard.said));
}

static void refused(const char *importer, const char *path, const char *words)
{
    struct err e = { 0 };
    const int status = hear(importer, path, &heard, &e);
    CHECK(status == ERR_FORMAT && strstr(e.text, words), "%s: %d '%s', wanted '%s'", importer, status, e.text, words);
}

static void triples(void)
{
    put("entities.tsv", "entity\tname\ttext\nrome\tRome\ta city\nitaly\tItaly\t\nsea_of\t\ta sea\n");
    put("relations.tsv", "rel\tlabel\tdescription\nP1\tcapital of\tof a state\n");
    put("train.tsv", "head\trel\ttail\nrome\tP1\titaly\nsea_of\ttouches\titaly\n");
    put("valid.tsv", "head\trel\ttail\nsea_of\ttouches\trome\n");
    put("test.tsv",
        "head\trel\ttail\nrome\ttouches\tsea_of\nrome\ttouches\titaly\nrome\ttouches\titaly\nmars\tP1\titaly\n");
    expect("triples", folder,
           "I 0 rome\nE 0 entity|Rome|{\"text\":\"a city\"}|Rome. a city\nI 1 italy\nE 1 entity|Italy|{}|Italy\n"
                              "I 2 sea_of\nE 2 entity|sea_of|{\"text\":\"a sea\"}|sea of. a sea\n"
                              "R 0 1 capital of 1\nR 2 1 touches 1\n"
                              "Q 0 tune|sea of: touches|- 0\nQ 0 report|Rome: touches|- 1 2\n"
                              "N 1 held-out triples whose head or tail is no entity (mars)\n");
    put("train.tsv", "head\trel\ttail\nrome\tP1\tathens\n");
    refused("triples", folder, "train.tsv: line 2: \"tail\" is 'athens': no entity has this id");
    put("train.tsv", "head\trel\ttail\trank\n");
    refused("triples", folder, "\"rank\" is a column that this layout does not have");
    put("train.tsv", "head\trel\n");
    refused("triples", folder, "\"tail\" is a column that is missing");
    put("train.tsv", "head\trel\ttail\nrome\tP1\n");
    refused("triples", folder, "line 2: 2 columns, the header has 3");
    put("entities.tsv", "entity\tname\na\tA\na\tB\n");
    refused("triples", folder, "entities.tsv: line 3: \"entity\" is 'a': an id that came before");
    empty_folder();
}

static void openie(void)
{
    put("corpus.tsv", "pid\ttitle\ttext\n0\tRome\tis in Italy\n7\tItaly\tlies in Europe\n");
    put("openie_entities.tsv", "pid\tentity\n0\tRome\n7\tItaly\n0\titaly\n");
    put("openie_triples.tsv",
        "pid\tsubject\tpredicate\tobject\n0\tRome\tis in\tItaly\n7\tITALY\tlies in\tEurope\n7\tItaly\tis\titaly\n");
    put("queries.tsv", "qid\tquestion\tanswer\n3\twhere is it\tEurope\n");
    put("qrels.tsv", "qid\tpid\n3\t7\n3\t0\n3\t7\n");
    expect("openie", folder, "I 1 0\nE 1 passage|Rome|{\"text\":\"is in Italy\"}|Rome. is in Italy\n"
                             "I 2 7\nE 2 passage|Italy|{\"text\":\"lies in Europe\"}|Italy. lies in Europe\n"
                             "I 3 phrase:rome\nE 3 phrase|rome|{}|-\nI 4 phrase:italy\nE 4 phrase|italy|{}|-\n"
                             "I 5 phrase:europe\nE 5 phrase|europe|{}|-\n"
                             "R 1 3 mentions 1\nR 1 4 mentions 1\nR 2 4 mentions 1\nR 2 5 mentions 1\n"
                             "R 3 4 is in 1\nR 4 5 lies in 1\nQ 3 |where is it|- 1 2\n"
                             "N 1 triples from a phrase to itself (Italy)\n");
    put("qrels.tsv", "qid\tpid\n3\t8\n");
    refused("openie", folder, "qrels.tsv: line 2: \"pid\" is '8': no passage has this id");
    empty_folder();
}

static void locomo(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/l.json", folder);
    put("l.json",
        "[{\"sample_id\":\"c1\",\"conversation\":{\"session_1_date_time\":\"noon\",\"session_1\":[{\"speaker\":\"A\","
        "\"dia_id\":\"D1:1\","
                  "\"text\":\"hi\"},{\"speaker\":\"B\",\"dia_id\":\"D1:2\",\"text\":\"look\",\"blip_caption\":\"a "
                  "dog\"}],\"session_2\":[{\"speaker\":"
                  "\"A\",\"dia_id\":\"D2:1\",\"text\":\"bye\"}]},\"qa\":[{\"question\":\"what dog\",\"evidence\":"
                  "[\"D1:2; D2:1\",\"D1:2\"],"
                  "\"category\":1},{\"question\":\"none\",\"evidence\":[\"D9:9\"]},{\"question\":\"nothing\"}]}]");
    expect("locomo", path, "I 1 c1/session_1\nE 1 session|c1, session_1|{\"date\":\"noon\"}|-\n"
                           "I 2 c1/D1:1\nE 2 turn|A D1:1|{\"speaker\":\"A\",\"text\":\"hi\"}|A: hi\n"
                           "I 3 c1/D1:2\nE 3 turn|B D1:2|{\"speaker\":\"B\",\"text\":\"look\",\"picture\":\"a dog\"}|"
                           "B: look [picture: a dog]\n"
                           "I 4 c1/session_2\nE 4 session|c1, session_2|{}|-\nI 5 c1/D2:1\n");
    CHECK(strstr(text_of(&heard.said), "R 2 1 part_of 1\nR 3 1 part_of 1\nR 2 3 next 1\nR 1 4 next 1\nR 5 4 part_of 1\n"
                                       "I 0 c1/q0\nQ 0 |what dog|- 3 5\n"), "%s", text_of(&heard.said));
    CHECK(strstr(text_of(&heard.said), "N 1 pieces of evidence that name no turn (D9:9)\n") &&
              strstr(text_of(&heard.said), "N 2 questions without a turn as evidence, left out (none)\n"), "%s",
                  text_of(&heard.said));
    put("l.json", "{\"a\":1}");
    refused("locomo", path, "no list of conversations");
    put("l.json", "[{\"sample_id\":\"c1\"}]");
    refused("locomo", path, "conversation 0 has no");
    put("l.json", "[{\"sample_id\":\n");
    refused("locomo", path, "l.json: line 2");
    empty_folder();
}

static void mcp(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/m.jsonl", folder);
    put("m.jsonl", "{\"type\":\"relation\",\"from\":\"Ada\",\"to\":\"engine\",\"relationType\":\"writes_for\"}\n"
                   "{\"type\":\"entity\",\"name\":\"Ada\",\"entityType\":\"person\",\"observations\":[\"wrote\",\"a "
                   "\\\"program\\\"\"]}\n"
                   "{\"type\":\"entity\",\"name\":\"engine\",\"entityType\":\"machine\",\"observations\":[],"
                   "\"colour\":\"grey\"}\n");
    expect("mcp", path,
           "I 1 Ada\nE 1 person|Ada|{\"observations\":[\"wrote\",\"a \\\"program\\\"\"]}|Ada. wrote. a \"program\"\n"
                        "I 2 engine\nE 2 machine|engine|{\"observations\":[]}|engine\nR 1 2 writes_for 1\nN 1 ");
    CHECK(strstr(text_of(&heard.said), "colour"), "%s", text_of(&heard.said));
    put("m.jsonl", "{\"type\":\"entity\",\"name\":\"Ada\",\"entitytype\":\"person\"}\n");
    refused("mcp", path, "entitytype");
    put("m.jsonl",
        "{\"type\":\"entity\",\"name\":\"Ada\"}\n{\"type\":\"relation\",\"from\":\"Ada\",\"to\":\"Bob\","
        "\"relationType\":\"x\"}\n");
    refused("mcp", path, "m.jsonl: line 2: \"to\" is 'Bob': no entity has this name");
    put("m.jsonl", "{\"type\":\"thing\",\"name\":\"Ada\"}\n");
    refused("mcp", path, "\"type\" is 'thing': is neither entity nor relation");
    empty_folder();
}

static void engine(void)
{
    char path[100];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/e.db", folder);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db,
                           "create table kg_schema_version(version integer not null); insert into kg_schema_version "
                           "values (2);"
                               "create table kg_entities(id integer primary key, entity_type text, name text, "
                               "properties text);"
                               "create table kg_vectors(entity_id integer primary key, vector blob, dimension integer);"
                               "create table kg_relations(id integer primary key, source_id, target_id, rel_type, "
                               "weight, properties);"
                               "create table kg_hyperedges(id integer primary key);"
                               "insert into kg_entities values (4,'paper','On x','{\"year\":1}'),(9,'person','Ada',"
                               "null);"
                               "insert into kg_relations values (1,4,9,'by',null,null),(2,4,77,'cites',0.5,null);"
                               "insert into kg_hyperedges values (1)", NULL, NULL, NULL) == SQLITE_OK, "%s",
                                   sqlite3_errmsg(db));
    expect("engine", path, "E 4 paper|On x|{\"year\":1}|On x. {\"year\":1}\nE 9 person|Ada|{}|Ada\nR 4 9 by 1\n"
                           "N 1 relations of entities that are gone, left out ()\nN 1 hyperedges, left out ()\n");
    CHECK(sqlite3_exec(db, "insert into kg_vectors values (9, x'0000803f00000040', 2)", NULL, NULL, NULL) == SQLITE_OK,
          "insert");
    expect("engine", path,
           "E 4 paper|On x|{\"year\":1}|-\nE 9 person|Ada|{}|-\nV 9 2 1\nR 4 9 by 1\nN 1 entities without a vector "
           "()\n");
    CHECK(sqlite3_exec(db, "update kg_vectors set dimension = 3", NULL, NULL, NULL) == SQLITE_OK, "update");
    refused("engine", path, "the vector of entity 9 has 8 bytes and the dimension 3");
    CHECK(sqlite3_exec(db, "update kg_schema_version set version = 5", NULL, NULL, NULL) == SQLITE_OK, "update");
    refused("engine", path, "schema version 5");
    sqlite3_close(db);
    put("text.db", "this is no database, and it is longer than the sixteen bytes that begin one");
    snprintf(path, sizeof path, "%s/text.db", folder);
    refused("engine", path, "text.db");
    empty_folder();
}

static void planetoid(void)
{
    struct text edges = { 0 };
    put("labels.tsv", "node\tlabel\na\t3\nb\t4\nc\t3\nd\t0\ne\t1\nf\t2\ng\t2\nh\t2\n");
    put("features_sparse.tsv", "# eight nodes\na\t1 5\nb\t2\nc\t5\nd\t\ne\t1\nf\t1\ng\t2\nh\t3\n");
    text_add(&edges, "src\tdst\na\ta\n");
    for (int i = 0; i < 8; i++)
        for (int j = i + 1; j < 8; j++) text_add(&edges, "%c\t%c\n", 'a' + i, 'a' + j);
    put("edges.tsv", text_of(&edges));
    text_free(&edges);
    expect("planetoid", folder, "I 0 a\nE 0 class 3|paper a|{\"words\":\"w1 w5\"}|w1 w5\n");
    CHECK(heard.entities == 8 && heard.relations + heard.labels / 2 == 28 && heard.labels > 0 && heard.relations > 15,
          "%zu relations, %zu labels", heard.relations, heard.labels);
    CHECK(strstr(text_of(&heard.said), "N 1 citations of a paper by itself, left out (a)\n") &&
              strstr(text_of(&heard.said), "citations held out for questions"), "%s", text_of(&heard.said));
    put("edges.tsv", "src\tdst\na\tz\n");
    refused("planetoid", folder, "edges.tsv: line 2: \"dst\" is 'z'");
    empty_folder();
}

/* The counts of reference/data.md. */
static void published_sets(void)
{
    static const struct { const char *importer, *path; size_t entities, vectors, relations, queries,
                         labels; } sets[] = {
        { "triples", "data/kg_umls", 135, 0, 5216, 731, 1313 },
        { "triples", "data/kg_codex_s", 2034, 0, 32888, 2875, 3655 },
        { "triples", "data/kg_fb15k237", 14541, 14541, 272115, 25816, 38001 },
        { "triples", "data/kg_wn18rr", 40943, 0, 86835, 5938, 6168 },
        { "openie", "data/musique_train100", 21030, 0, 42747, 100, 237 },
        { "locomo", "data/locomo/locomo10.json", 5882 + 272, 0, 5882 + 5872, 1981, 0 },
        { "planetoid", "data/planetoid_cora", 2708, 2708, 5278 - 539, 819, 2 * 539 },
        { "engine", "fixtures/sqlite_kg_v0111/fixture_v0111.db", 2000, 1950, 6000, 0, 0 },
        { "mcp", "cases/mcp_memory_style.jsonl", 2, 0, 1, 0, 0 },
    };
    const char *shared = getenv("ASSAY_SHARED");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char path[300];
        struct err e = { 0 };
        snprintf(path, sizeof path, "%s/%s", shared ? shared : "../shared", sets[i].path);
        if (access(path, F_OK) != 0) SKIP("needs ../shared");
        CHECK(hear(sets[i].importer, path, &heard, &e) == ERR_OK, "%s: %s", path, e.text);
        CHECK(heard.entities == sets[i].entities && heard.vectors == sets[i].vectors &&
                  heard.relations == sets[i].relations && heard.queries == sets[i].queries &&
                  (!sets[i].labels || heard.labels == sets[i].labels),
              "%s: %zu entities, %zu vectors, %zu relations, %zu queries, %zu labels", path, heard.entities,
                  heard.vectors,
              heard.relations, heard.queries, heard.labels);
    }
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("triples of link prediction", triples);
    test_case("passages and open information extraction", openie);
    test_case("LoCoMo", locomo);
    test_case("memory of the MCP server", mcp);
    test_case("a database of the Rust engine", engine);
    test_case("Planetoid", planetoid);
    test_case("published sets, by their counts", published_sets);
    text_free(&heard.said);
    return rmdir(folder) == 0 ? test_end() : TEST_FAIL;
}
