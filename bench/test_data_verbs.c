/* SPDX-License-Identifier: MIT
 * test_data_verbs.c - `assay data` and `assay kb` as a user types them: what they write, and what they
 * say and return when it cannot be. */
#include "datasets/dataset.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"

static char folder[] = "/tmp/assay-test-XXXXXX";
static struct text said; /* both streams of the last command */

/* Runs the program with these arguments in the test's folder; its exit status, 128 + signal for a fault. */
static int assay(const char *arguments)
{
    struct text command = { 0 };
    char buffer[4096];
    text_add(&command, "cd %s && '%s' %s 2>&1", folder, getenv("ASSAY"), arguments);
    FILE *pipe = popen(text_of(&command), "r");
    text_free(&command);
    text_clear(&said);
    if (!pipe) return -1;
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text_add_bytes(&said, buffer, size);
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void expect(const char *arguments, int status, const char *words)
{
    const int got = assay(arguments);
    CHECK(got == status && strstr(text_of(&said), words), "assay %s: exit %d, wanted %d and '%s' in:\n%s", arguments, got,
          status, words, text_of(&said));
}

static void put(const char *name, const char *content)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fputs(content, f) < 0 || fclose(f) != 0) abort();
}

/* A file of rows, each a second time. */
static void put_twice(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cd %s && cat %s %s >%s", folder, from, from, to);
    if (system(command) != 0) abort();
}

static int exists(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void generate_split_truth(void)
{
    expect("data gen --kind clustered --n 500 --dim 16 --queries 20 --seed 3 --out gen", 0, "500 x 16");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs -k 10 --metric l2 --out t.ivecs", 0, "20 x 10 ids, l2");
    expect("data gen --kind filters --base_file gen/base.fvecs --query_file gen/query.fvecs --selectivity .02 --out gen", 0,
           "500 base rows, 20 tags, 200 entries");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs -k 10 --base-tags gen/base.metadata.spmat "
           "--query-tags gen/query.metadata.spmat --out f.ivecs", 0, "20 x 10 ids, cosine");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs --base-tags gen/base.metadata.spmat --out f", 2,
           "both --base-tags and --query-tags");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs -k 5 --shard 0/2 --out s.ivecs", 0,
           "shard 0 of 2: 10 x 5");
    expect("data truth --merge 2 --out s.ivecs", 1, "s.ivecs.shard-1-of-2");
    expect("ann --base gen/base.fvecs --query gen/base.fvecs --index flat --min-calls 1", 0,
           "500 queries that are base rows, bit for bit: each finds itself (the first: 0)");
    expect("ann --base gen/base.fvecs --query gen/base.fvecs --index flat --min-calls 1", 0, "recall_strict by contrast");
    put_twice("gen/base.fvecs", "twice.fvecs");
    expect("data split --base twice.fvecs --queries 1 --out halves", 0, "1 of the 1 queries equal a row of the base");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs -k 5 --shard 1/2 --out s.ivecs", 0,
           "shard 1 of 2");
    expect("data truth --merge 2 --out s.ivecs", 0, "20 x 5 ids, of 2 shards");
    expect("data truth --merge 2 --base gen/base.fvecs --out s.ivecs", 2, "--out alone");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs --shard 2/2 --out s.ivecs", 2, "--shard 2/2");
    expect("data gen --kind filters --query_file gen/query.fvecs --out gen", 2, "needs base_file=FILE");
    expect("data gen --kind filters --base_file gen/base.fvecs --query_file t.ivecs --out gen", 2, "holds ids");
    expect("data info gen/base.fvecs t.ivecs", 0, "min 1, mean 1, max 1");
    expect("data info gen/base.fvecs --query gen/query.fvecs --plot page", 0, "likeness");
    CHECK(exists("page/gen_base.dat") && exists("page/gen_base.png"), "a page of figures");
    expect("data info gen/base.fvecs --query gen/base.fvecs --metric l2 --json", 0, "\"queries_in_base\":500");
    expect("data info gen/base.fvecs --query gen/base.fvecs", 0, "warning: 500 queries are in the base");
    expect("data info gen/base.fvecs t.ivecs --query gen/query.fvecs", 2, "needs one file");
    expect("data split --base gen/base.fvecs --queries 50 --seed 1 --out split", 0, "450 x 16");
    struct dataset all = { 0 }, base = { 0 }, rows = { 0 };
    struct err e = { 0 };
    char path[160];
    snprintf(path, sizeof path, "%s/gen/base.fvecs", folder);
    CHECK(dataset_open(&all, path, &e) == ERR_OK, "%s", e.text);
    snprintf(path, sizeof path, "%s/split/base.fvecs", folder);
    CHECK(dataset_open(&base, path, &e) == ERR_OK, "%s", e.text);
    snprintf(path, sizeof path, "%s/split/base_rows.ivecs", folder);
    CHECK(dataset_open(&rows, path, &e) == ERR_OK && rows.rows.count == base.rows.count, "%s", e.text);
    for (size_t i = 0; i < base.rows.count; i++)
        CHECK(memcmp(rows_at(base.rows, i), rows_at(all.rows, (size_t)rows.ids[i]), 16 * 4) == 0 &&
                  (i == 0 || rows.ids[i] > rows.ids[i - 1]), "base row %zu is row %lld of the original", i, (long long)rows.ids[i]);
    dataset_close(&all);
    dataset_close(&base);
    dataset_close(&rows);
}

static void graphs_and_queries(void)
{
    expect("data gen --kind kg --n 300 --dim 8 --relations 900 --queries 7 --out kg", 0, "300 entities, 300 vectors, 900 relations; 7 queries");
    expect("data gen --kind kg --n 300 --dim 8 --out kg", 2, "kg/kb.sqlite");
    expect("kb stats kg/kb.sqlite --json", 0, "\"rows_relations\":900");
    expect("kb check kg/kb.sqlite", 0, "ok    vectors of zeros");
    expect("kb cost kg/kb.sqlite --query kg/query.fvecs --passes 2 --set index=flat --json", 0, "\"was_cached\":0,\"p50_ms\":");
    expect("kb cost kg/kb.sqlite --query kg/query.fvecs --passes 2 --set index=flat", 0, "was_cached              1");
    expect("kb cost kg/kb.sqlite", 2, "--query");
    expect("kb cost kg/kb.sqlite --query kg/query.fvecs --set index=flatt", 2, "flat");
    expect("data queries kg/kb.sqlite --n 5 --noise 0 --seed 2 --out syn", 0, "5 x 8");
    expect("rag --kb kg/kb.sqlite --query syn/synthetic.query.fvecs --qrels syn/synthetic.qrels.txt -k 1 --min-calls 5 "
           "--set enable_graph_expansion=false --set graph_weight=0 --set bit_width=8", 0, "labels");
    expect("data gen --kind twohop --n 100 --queries 10 --dim 8 --out th", 0, "100 entities");
    CHECK(exists("th/qrels.txt") && exists("th/query.fvecs"), "query files");
}

static const char entities[] =
    "{\"id\": \"ada\", \"type\": \"person\", \"name\": \"Ada\", \"text\": \"wrote the first program\"}\n\n"
    "{\"_id\": \"eng\", \"title\": \"engine\", \"properties\": {\"made\": 1837}}\n{\"id\": 3, \"name\": \"only a name\"}\n";

static void own_base(void)
{
    put("e.jsonl", entities);
    put("r.jsonl", "{\"source\": \"ada\", \"target\": \"eng\", \"type\": \"uses\", \"weight\": 0.5, \"properties\": {\"a\": []}}\n");
    put("q.jsonl", "{\"id\": 9, \"text\": \"who wrote the program\", \"relevant\": [\"ada\"]}\n");
    expect("kb create my.sqlite --entities e.jsonl --relations r.jsonl --queries q.jsonl --dim 64", 0,
           "3 entities, 3 vectors, 1 relations; embedded over");
    expect("query my.sqlite 'the first program' -k 1", 0, "Ada");
    expect("rag --kb my.sqlite --query queries.jsonl --qrels qrels.txt -k 3 --min-calls 1", 0, "MRR 1.0000");
    put("e2.jsonl", "{\"name\": \"Babbage\", \"text\": \"drew the engine\"}\n");
    expect("kb import my.sqlite --entities e2.jsonl", 0, "added 1 entities, 1 vectors");
    expect("query my.sqlite 'an engine' -k 3", 0, "#4"); /* the base's words embed what is added */
    expect("kb check my.sqlite", 0, "ok");
    if (assay("kb create empty.sqlite --embed lsa") == 0) { /* a build with LAPACK */
        expect("kb create l.sqlite --entities e.jsonl --embed lsa --dim 64", 0, "3 entities, 3 vectors");
        expect("query l.sqlite 'the first program' -k 1 --set embed=lsa", 0, "Ada");
        expect("query l.sqlite 'the first program' -k 1 --set embed=rp", 1, "was not embedded by rp");
        expect("query my.sqlite 'the first program' -k 1 --set embed=lsa", 1, "was not embedded by lsa");
        expect("kb import l.sqlite --entities e2.jsonl", 2, "were not made from words by rp");
    }
    expect("kb create l2.sqlite --entities e.jsonl --embed lsi", 2, "embed=lsi is none of rp|lsa");
    /* Vectors of the caller's. */
    expect("data gen --kind clustered --n 3 --dim 4 --queries 1 --clusters 2 --out v", 0, "3 x 4");
    expect("kb create v.sqlite --entities e.jsonl --vectors v/base.fvecs", 0, "3 entities, 3 vectors, 0 relations\n");
    expect("kb import v.sqlite --entities e2.jsonl", 2, "were not made from words by rp");
    expect("kb import v.sqlite --relations r.jsonl", 0, "1 relations"); /* by the ids that the base keeps */
    put("r2.jsonl", "{\"source\": 1, \"target\": 3}\n");
    expect("kb import v.sqlite --relations r2.jsonl", 1, "line 1: \"source\" is '1': no entity has this id");
    expect("kb import v.sqlite --entities e.jsonl --vectors v/base.fvecs", 1, "line 1: \"id\" is 'ada': the base has an entity");
    expect("kb create v2.sqlite --entities e2.jsonl --vectors v/base.fvecs", 1, "3 rows for 1 entities");
    CHECK(!exists("v2.sqlite"), "a failure leaves no base");
}

static void bad_lines(void)
{
    static const struct { const char *line, *words; } cases[] = {
        { "{\"name\": \"x\"", "line 2" }, { "[1]", "line 2: not a JSON object" },
        { "{\"id\": 2, \"type\": \"x\", \"name\": null}", "line 2: \"name\" is missing, and so is \"text\"" },
        { "{\"id\": 2, \"name\": 7}", "line 2: \"name\" is '7': not a text" }, { "{\"name\": \"x\"}", "line 2: \"id\" is missing" },
        { "{\"id\": 2, \"name\": \"x\", \"properties\": [1]}", "line 2: \"properties\" is '[1]': not an object" },
        { "{\"name\": \"x\", \"id\": 1.5}", "line 2: \"id\" is '1.5': an id is a whole number or a text" },
        { "{\"name\": \"x\", \"id\": 2, \"Type\": \"y\"}", "line 2: \"Type\" is no field; nearest is \"type\"" },
        { "{\"name\": \"x\\u0000\", \"id\": 2}", "line 2" },
        { "{\"name\": \"x\", \"id\": \"same\"}", "an id that came before" },
        { "{\"name\": \"x\", \"name\": \"y\"}", "line 2" }, { "\xff\xfe", "line 2" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[256];
        snprintf(file, sizeof file, "{\"name\": \"first\", \"id\": \"same\"}\n%s\n", cases[i].line);
        put("bad.jsonl", file);
        expect("kb create bad.sqlite --entities bad.jsonl", 1, cases[i].words);
        CHECK(strstr(text_of(&said), "bad.jsonl") && !exists("bad.sqlite"), "%s", text_of(&said));
    }
    put("bad.jsonl", "{\"source\": \"ada\", \"target\": \"eng\", \"weight\": 1.5}\n");
    expect("kb create bad.sqlite --entities e.jsonl --relations bad.jsonl", 1, "bad.jsonl: line 1: \"weight\" is '1.5': outside 0..1");
    put("bad.jsonl", "{\"source\": \"ada\", \"target\": 77}\n");
    expect("kb create bad.sqlite --entities e.jsonl --relations bad.jsonl", 1, "line 1: \"target\" is '77': no entity has this id");
    CHECK(!exists("bad.sqlite"), "a failure leaves no base");
}

static void damage_is_reported(void)
{
    expect("kb check none.sqlite", 1, "none.sqlite");
    put("text.sqlite", "this is not a database, it is a text of more than a hundred bytes, which SQLite will not take for "
                       "one whatever happens to come next in it\n");
    expect("kb stats text.sqlite", 1, "text.sqlite");
    /* What another program may have written. */
    if (system("command -v sqlite3 >/dev/null") != 0) SKIP("sqlite3, the shell, is not installed");
    char command[256];
    snprintf(command, sizeof command,
             "cd %s && sqlite3 kg/kb.sqlite \"insert into kg_relations(source_id, target_id, rel_type) values (1, 9999, 'x'); "
             "update kg_entities set properties = '[]' where id = 5\"", folder);
    CHECK(system(command) == 0, "damage");
    expect("kb check kg/kb.sqlite", 1, "BAD   relations from or to no entity                        1   first 901");
    CHECK(strstr(text_of(&said), "BAD   properties that are not a JSON object"), "%s", text_of(&said));
}

static void wrong_usage(void)
{
    expect("data", 2, "list, get, import");
    expect("data trut", 2, "nearest is 'truth'");
    expect("data gen --out x", 2, "--kind");
    expect("data gen --kind clusterd --out x", 2, "nearest is 'clustered'");
    expect("data gen --kind clustered --dimm 3 --out x", 2, "nearest is '--dim'");
    expect("data gen --kind clustered --n 0 --out x", 2, "n=0");
    expect("data gen --kind twohop --n 10 --queries 500 --out x", 2, "n=10");
    expect("data truth --base gen/base.fvecs --query split/none.fvecs --out t2.ivecs", 1, "split/none.fvecs");
    expect("data truth --base gen/base.fvecs --query v/query.fvecs --out t2.ivecs", 2, "dimension 16, queries have 4");
    expect("data truth --base gen/base.fvecs --query t.ivecs --out t2.ivecs", 2, "holds ids");
    expect("data truth --base gen/base.fvecs --query gen/query.fvecs --metric cos --out t2.ivecs", 2, "cosine|dot|l2");
    expect("data split --base gen/base.fvecs --queries 500 --out x", 2, "leaves no base");
    expect("data import wordnt --out x", 2, "nearest is 'wordnet'");
    expect("data import wordnet --from /nonexistent --out x", 1, "wordnet-base");
    CHECK(!exists("x/kb.sqlite"), "a failed import leaves no base");
    expect("data get siftsmal", 2, "nearest is 'siftsmall'");
    expect("data get siftsmall", 0, "5160000 bytes");
    expect("data get siftsmall --from gen", 2, "both --from and --out");
    expect("data get siftsmall --from gen --out x", 1, "siftsmall_base.fvecs");
    put("siftsmall_base.fvecs", "wrong");
    expect("data get siftsmall --from . --out x", 1, "5 bytes, the manifest says 5160000");
    expect("data queries", 2, "one DB");
    expect("kb", 2, "create, import, stats, check");
    expect("kb import my.sqlite", 2, "--entities or --relations");
    expect("data info gen", 2, "no reader for this suffix");
    expect("data --help", 0, "assay data truth");
}

int main(void)
{
    if (!getenv("ASSAY") || !mkdtemp(folder)) {
        printf("ok 1 - data verbs # SKIP ASSAY names no program\n1..1\n");
        return TEST_PASS;
    }
    setenv("ASSAY_CACHE", folder, 1);
    test_case("gen, truth, info, split", generate_split_truth);
    test_case("graphs, stats, check, synthetic queries", graphs_and_queries);
    test_case("one's own base: create, import, ask", own_base);
    test_case("bad lines are named and leave nothing", bad_lines);
    test_case("wrong usage is 2, failure is 1, both say why", wrong_usage);
    test_case("damage is reported", damage_is_reported);
    text_free(&said);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
