/* SPDX-License-Identifier: MIT
 * cmd_kb.c - one's own knowledge base: made from files, added to, counted, checked. */
#include "bench/command.h"
#include "bench/kb/kb_build.h"
#include "bench/kb/kb_cost.h"
#include "kernels/base/option.h"
#include "kernels/base/parallel.h"
#include "kernels/base/text.h"
#include "pipeline/lexicon.h"
#include "pipeline/store.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#ifndef ASSAY_WORKER
#include "datasets/jsonl.h"
#endif

/* --- create, import --------------------------------------------------------------------------- */
#ifndef ASSAY_WORKER
static int find_entity(void *store, const char *id, int64_t *number, struct err *e)
{
    return store_find_id(store, id, number, e);
}

static int add_files(const struct kb_build_options *build, struct jsonl_files *files, struct err *e)
{
    struct kb_build *b = NULL;
    struct kb_build_counts n = { 0 };
    int64_t *ids = NULL;
    size_t count = 0;
    int status = kb_build_open(&b, build, e);
    if (status != ERR_OK) return status;
    if (build->existing) status = store_entity_ids(kb_build_store(b), &ids, &count, e);
    if (status == ERR_OK && build->existing) status = store_has_ids(kb_build_store(b), &files->named, e);
    files->first_id = count && ids[count - 1] < INT64_MAX ? ids[count - 1] + 1 : 1;
    mem_free(ids);
    files->base = kb_build_store(b);
    if (build->existing) files->find = find_entity;
    const struct kb_sink sink = kb_build_sink(b);
    if (status == ERR_OK) status = jsonl_read(files, &sink, e);
    if (status == ERR_OK) status = kb_build_commit(b, &n, e);
    if (status == ERR_OK) command_notes(build->db, kb_build_notes(b));
    kb_build_close(b);
    if (status != ERR_OK) return status;
    printf("%s: %s %llu entities, %llu vectors, %llu relations", build->db, build->existing ? "added" : "made of",
           (unsigned long long)n.entities, (unsigned long long)n.vectors, (unsigned long long)n.relations);
    if (n.words) printf("; embedded over %llu words", (unsigned long long)n.words);
    if (n.queries) printf("; %llu queries beside it", (unsigned long long)n.queries);
    printf("\n");
    return ERR_OK;
}

/* The folder of a path: query files go beside the base. */
static int folder_of(struct text *out, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    text_add(out, "%.*s", slash ? (int)(slash - path + (slash == path)) : 1, slash ? path : ".");
    return out->failed ? FAIL(e, ERR_MEM, "%s: no memory", path) : ERR_OK;
}

static int kb_add(int argc, char **argv, int existing, struct err *e)
{
    struct option_list rest = { 0 };
    struct jsonl_files files = { 0 };
    const char *embed = NULL, *embed_url = NULL, *embed_model = NULL;
    int drop = 0;
    int64_t dim = 0, seed = 1, threads = parallel_cpus();
    int trust = 0;
    const struct option options[] = {
        { "--entities", OPTION_TEXT, &files.entities, 0, 0 }, { "--relations", OPTION_TEXT, &files.relations, 0, 0 },
        { "--vectors", OPTION_TEXT, &files.vectors, 0, 0 },   { "--queries", OPTION_TEXT, &files.queries, 0, 0 },
        { "--dim", OPTION_INT, &dim, 2, LEXICON_DIM_MAX },    { "--embed", OPTION_TEXT, &embed, 0, 0 },
        { "--seed", OPTION_INT, &seed, 0, 9e15 },             { "--threads", OPTION_INT, &threads, 1, 256 },
        { "--embed-url", OPTION_TEXT, &embed_url, 0, 0 },     { "--embed-model", OPTION_TEXT, &embed_model, 0, 0 },
        { "--trust", OPTION_FLAG, &trust, 0, 0 },
        { "--drop-unjudgeable", OPTION_FLAG, &drop, 0, 0 },
        { 0 }
    };
    int status = options_parse(argc, argv, options, &rest, e);
    if (status != ERR_OK) return status;
    if (rest.count != 1) return FAIL(e, ERR_ARG, "%s needs one DB", argv[0]);
    if (existing && !files.entities && !files.relations)
        return FAIL(e, ERR_ARG, "import needs --entities or --relations");
    if (files.vectors && !files.entities) return FAIL(e, ERR_ARG, "--vectors needs the --entities that they belong to");
    if (files.queries && dataset_reads(files.queries))
        return FAIL(e, ERR_ARG, "--queries %s holds vectors, and takes JSON lines of texts: a question that is a vector goes to assay "
                    "rag --query %s --query-ids FILE", files.queries, files.queries);
    struct text folder = { 0 };
    status = folder_of(&folder, rest.at[0], e);
    const struct kb_build_options build = {
        .folder = text_of(&folder), .db = rest.at[0], .existing = existing, .what = "rows", .embed = embed,
        .embed_url = embed_url, .embed_model = embed_model, .trust = trust, .drop_unjudgeable = drop,
        .dim = (size_t)dim, .seed = (uint64_t)seed, .threads = (int)threads,
    };
    if (status == ERR_OK) status = add_files(&build, &files, e);
    text_free(&folder);
    return status;
}

static int kb_create(int argc, char **argv, struct err *e) { return kb_add(argc, argv, 0, e); }
static int kb_import(int argc, char **argv, struct err *e) { return kb_add(argc, argv, 1, e); }
#endif

/* --- stats ------------------------------------------------------------------------------------ */
/* Every row of `sql` is printed: a name and a number, or as one JSON member each. */
static int print_rows(struct store *s, const char *group, const char *sql, struct text *json, struct err *e)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = store_handle(s);
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL), first = 1;
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0);
        struct text key = { 0 };
        struct text plain = { 0 };
        text_add(&key, "%s%s%s", group, *group ? "_" : "", name ? name : "(null)");
        text_add_plain(&plain, name ? name : "(null)");
        if (json) {
            text_add(json, "%s", json->size > 1 ? "," : "");
            text_add_json(json, text_of(&key));
            text_add(json, ":%.10g", sqlite3_column_double(st, 1));
        } else {
            printf("%-12s %-28s %12.10g\n", first ? group : "", text_of(&plain), sqlite3_column_double(st, 1));
        }
        text_free(&key);
        text_free(&plain);
        first = 0;
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? ERR_OK : FAIL(e, ERR_IO, "%s: %s", store_path(s), sqlite3_errmsg(db));
}

static const struct { const char *group, *sql; } statistics[] = {
    { "rows", "SELECT 'entities', count(*) FROM kg_entities UNION ALL SELECT 'relations', count(*) FROM kg_relations "
              "UNION ALL SELECT 'vectors', count(*) FROM kg_vectors" },
    { "dimension", "SELECT dimension, count(*) FROM kg_vectors GROUP BY 1 ORDER BY 2 DESC LIMIT 5" },
    { "degree", "WITH d AS (SELECT e.id, (SELECT count(*) FROM kg_relations WHERE source_id = e.id) + "
                "(SELECT count(*) FROM kg_relations WHERE target_id = e.id) AS n FROM kg_entities e) "
                "SELECT 'mean', avg(n) FROM d UNION ALL SELECT 'most', max(n) FROM d "
                "UNION ALL SELECT 'without relations', count(*) FROM d WHERE n = 0" },
    { "entities", "SELECT entity_type, count(*) FROM kg_entities GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12" },
    { "relations", "SELECT rel_type, count(*) FROM kg_relations GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12" },
};

static int note_service(void *context, const char *key, const char *value)
{
    if (strncmp(key, "embed_", 6) == 0) text_add(context, " %s=%s", key, value);
    return ERR_OK;
}

/* "lsa", "http embed_url=... embed_model=..."; "" where the base does not say. */
static int how_embedded(struct store *s, struct text *out, struct err *e)
{
    const char *by = store_embedder(s);
    if (by) text_add(out, "%s", by);
    return by && strcmp(by, "http") == 0 ? store_settings(s, note_service, out, e) : ERR_OK;
}

static int kb_stats(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 };
    struct store *s = NULL;
    struct stat st;
    int json = 0;
    const struct option options[] = { { "--json", OPTION_FLAG, &json, 0, 0 }, { 0 } };
    int status = options_parse(argc, argv, options, &rest, e);
    if (status == ERR_OK && rest.count != 1) status = FAIL(e, ERR_ARG, "stats needs one DB");
    if (status == ERR_OK) status = store_open(&s, rest.at[0], STORE_READ, e);
    if (status != ERR_OK) return status;
    struct text object = { 0 };
    const struct lexicon_meta words = lexicon_meta_of(s);
    const double bytes = stat(rest.at[0], &st) == 0 ? (double)st.st_size : 0;
    text_add(&object, "{\"schema\":%d,\"bytes\":%.0f,\"rp_documents\":%llu", store_schema_version(s), bytes,
             (unsigned long long)words.documents);
    if (!json) printf("%-12s %s, schema version %d, %.1f MB\n", "base", rest.at[0], store_schema_version(s), bytes / 1e6);
    struct text notes = { 0 }, by = { 0 }, plain = { 0 };
    status = store_meta(s, "notes", &notes, e);
    if (status == ERR_OK) status = how_embedded(s, &by, e);
    text_add(&object, ",\"embedded_by\":");
    text_add_json(&object, text_of(&by));
    text_add(&object, ",\"notes\":");
    text_add_json(&object, text_of(&notes));
    if (!json && notes.size) printf("%-12s %s\n", "notes", text_plain(&plain, text_of(&notes)));
    if (!json && by.size && !words.dim) printf("%-12s %s\n", "embedded by", text_plain(&plain, text_of(&by)));
    text_free(&plain);
    text_free(&notes);
    text_free(&by);
    if (!json && words.dim)
        printf("%-12s rp: tf-idf x Gaussian projection to %zu, seed %llu\n", "embedded by", words.dim,
               (unsigned long long)words.seed);
    for (size_t i = 0; status == ERR_OK && i < sizeof statistics / sizeof *statistics; i++)
        status = print_rows(s, statistics[i].group, statistics[i].sql, json ? &object : NULL, e);
    if (status == ERR_OK && json) printf("%s}\n", text_of(&object));
    text_free(&object);
    store_close(s);
    return status;
}

/* --- check ------------------------------------------------------------------------------------ */
/* Faults of a base: each query counts the rows that have one, and names the first.  One that asks for a column that the
 * base lacks is left out. */
#define IS_ENTITY(x) "EXISTS (SELECT 1 FROM kg_entities WHERE typeof(id) = 'integer' AND id = " x ")"
#define COUNT_OF(first, table) "SELECT count(*), quote(min(" first ")) FROM " table " WHERE "
static const struct { const char *what, *sql; int fatal; } checks[] = {
    { "entities whose id is no integer", COUNT_OF("id", "kg_entities") "typeof(id) <> 'integer'", 1 },
    { "entities with the id of another",
      "SELECT count(*), quote(min(id)) FROM (SELECT id, row_number() OVER (PARTITION BY id) AS n FROM kg_entities) WHERE n > 1", 1 },
    { "relations of ids that are no integers",
      COUNT_OF("id", "kg_relations") "typeof(id) <> 'integer' OR typeof(source_id) <> 'integer' OR "
      "typeof(target_id) <> 'integer'", 1 },
    { "relations from or to no entity",
      COUNT_OF("id", "kg_relations") "NOT " IS_ENTITY("source_id") " OR NOT " IS_ENTITY("target_id"), 1 },
    { "vectors of ids that are no integers", COUNT_OF("entity_id", "kg_vectors") "typeof(entity_id) <> 'integer'", 1 },
    { "vectors with the id of another",
      "SELECT count(*), quote(min(entity_id)) FROM (SELECT entity_id, row_number() OVER (PARTITION BY entity_id) AS n "
      "FROM kg_vectors) WHERE n > 1", 1 },
    { "vectors that are no blobs", COUNT_OF("entity_id", "kg_vectors") "typeof(vector) <> 'blob'", 1 },
    { "vectors of no entity", COUNT_OF("entity_id", "kg_vectors") "NOT " IS_ENTITY("entity_id"), 1 },
    { "vectors of another dimension than most",
      COUNT_OF("entity_id", "kg_vectors") "length(vector) / 4 <> "
      "(SELECT length(vector) / 4 FROM kg_vectors GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)", 1 },
    { "vectors whose size is not their dimension", COUNT_OF("entity_id", "kg_vectors") "length(vector) <> 4 * dimension", 1 },
    { "weights outside 0..1 or not numbers",
      COUNT_OF("id", "kg_relations") "typeof(weight) IN ('integer', 'real') AND "
      "(weight < 0 OR weight > 1) OR typeof(weight) = 'text'", 1 },
    { "properties that are not a JSON object",
      COUNT_OF("id", "kg_entities") "properties IS NOT NULL AND "
      "CASE WHEN json_valid(properties) THEN json_type(properties) <> 'object' ELSE 1 END", 1 },
    { "relations from an entity to itself", COUNT_OF("id", "kg_relations") "source_id = target_id", 0 },
    { "entities without a vector",
      COUNT_OF("id", "kg_entities") "NOT EXISTS (SELECT 1 FROM kg_vectors WHERE entity_id = id)", 0 },
};

static void print_check(const char *what, int64_t count, const char *first, int fatal)
{
    const char *mark = count == 0 ? "ok" : fatal ? "BAD" : "note";
    struct text plain = { 0 };
    if (first) text_add_plain(&plain, first);
    printf("%-5s %-44s %10lld", mark, what, (long long)count);
    if (count && first) printf("   first %.40s", text_of(&plain));
    printf("\n");
    text_free(&plain);
}

static int run_check(struct store *s, size_t i, int64_t *count, struct err *e)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = store_handle(s);
    int rc = sqlite3_prepare_v2(db, checks[i].sql, -1, &st, NULL);
    *count = 0;
    if (rc == SQLITE_ERROR) {
        struct text why = { 0 };
        printf("-     %-44s     cannot be asked: %s\n", checks[i].what, text_plain(&why, sqlite3_errmsg(db)));
        text_free(&why);
        return ERR_OK;
    }
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        *count = sqlite3_column_int64(st, 0);
        print_check(checks[i].what, *count, (const char *)sqlite3_column_text(st, 1), checks[i].fatal);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? ERR_OK : FAIL(e, ERR_IO, "%s: %s", store_path(s), sqlite3_errmsg(db));
}

/* SQLite's own view of the file. */
static int check_pages(struct store *s, int64_t *bad, struct err *e)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = store_handle(s);
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW) {
        const int status = FAIL(e, ERR_IO, "%s: %s", store_path(s), sqlite3_errmsg(db));
        sqlite3_finalize(st);
        return status;
    }
    const char *said = (const char *)sqlite3_column_text(st, 0);
    *bad = !said || strcmp(said, "ok") != 0;
    print_check("pages that SQLite finds damaged", *bad, NULL, 1);
    struct text plain = { 0 };
    if (*bad) printf("      %s\n", text_plain(&plain, said ? said : ""));
    text_free(&plain);
    sqlite3_finalize(st);
    return ERR_OK;
}

static int check_numbers(struct store *s, int64_t *bad, struct err *e)
{
    struct vectors v = { 0 };
    int64_t zeros = 0, first = 0;
    const int status = store_vectors(s, &v, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; i < v.rows.count; i++) {
        size_t c = 0;
        while (c < v.rows.dim && rows_at(v.rows, i)[c] == 0) c++;
        if (c == v.rows.dim && zeros++ == 0) first = v.ids[i];
    }
    char zero[32];
    snprintf(zero, sizeof zero, "%lld", (long long)first);
    print_check("vectors that are not finite or too large", (int64_t)v.non_finite, NULL, 1);
    print_check("vectors of zeros", zeros, zero, 0);
    *bad = (int64_t)v.non_finite;
    vectors_free(&v);
    return ERR_OK;
}

static int kb_check(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 };
    struct store *s = NULL;
    const struct option options[] = { { 0 } };
    int64_t bad = 0, count = 0;
    int status = options_parse(argc, argv, options, &rest, e);
    if (status == ERR_OK && rest.count != 1) status = FAIL(e, ERR_ARG, "check needs one DB");
    if (status == ERR_OK) status = store_open(&s, rest.at[0], STORE_READ, e);
    if (status != ERR_OK) return status;
    status = check_pages(s, &bad, e);
    for (size_t i = 0; status == ERR_OK && i < sizeof checks / sizeof *checks; i++) {
        status = run_check(s, i, &count, e);
        if (checks[i].fatal) bad += count;
    }
    count = 0;
    if (status == ERR_OK) status = check_numbers(s, &count, e);
    bad += count;
    if (status == ERR_OK && bad) status = FAIL(e, ERR_FORMAT, "%s: %lld rows are bad", rest.at[0], (long long)bad);
    store_close(s);
    return status;
}

/* --- cost ------------------------------------------------------------------------------------- */
static int kb_cost(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 }, set = { 0 };
    const char *questions = NULL;
    int64_t k = 10, passes = 20;
    int json = 0, trust = 0;
    const struct option options[] = {
        { "--query", OPTION_TEXT, &questions, 0, 0 }, { "-k", OPTION_INT, &k, 1, 1000000 },
        { "--passes", OPTION_INT, &passes, 1, 100000 }, { "--set", OPTION_LIST, &set, 0, 0 },
        { "--json", OPTION_FLAG, &json, 0, 0 }, { "--trust", OPTION_FLAG, &trust, 0, 0 }, { 0 }
    };
    struct kb_cost c;
    int status = options_parse(argc, argv, options, &rest, e);
    trust_base(&set, trust);
    if (status == ERR_OK && (rest.count != 1 || !questions)) status = FAIL(e, ERR_ARG, "cost needs one DB and --query FILE");
    const struct kb_cost_plan plan = { set.at, (size_t)set.count, (size_t)k, (int)passes };
    if (status == ERR_OK) status = kb_cost_measure(rest.at[0], questions, &plan, &c, e);
    if (status != ERR_OK) return status;
    const struct { const char *name, *unit; double value; } lines[] = {
        { "rows", "vectors", (double)c.rows }, { "first_s", "s from nothing to the first answer", c.first_s },
        { "build_s", "s of it, building the index", c.build_s }, { "was_cached", "1: the index was loaded", c.was_cached },
        { "p50_ms", "ms", c.p50_ms }, { "p99_ms", "ms", c.p99_ms }, { "mean_ms", "ms, all calls", c.mean_ms },
        { "cache_bytes", "bytes, the file beside the base", (double)c.cache_bytes },
        { "peak_bytes", "bytes, resident", (double)c.peak_bytes },
        { "data_bytes", "bytes of vectors, codes and graph", (double)c.data_bytes },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (json) printf("%s\"%s\":%.10g", i ? "," : "{", lines[i].name, lines[i].value);
        else printf("%-12s %12.10g %s\n", lines[i].name, lines[i].value, lines[i].unit);
    }
    if (json) printf("}\n");
    return ERR_OK;
}

static const struct subverb actions[] = {
#ifndef ASSAY_WORKER
    { "create", kb_create }, { "import", kb_import },
#endif
    { "stats", kb_stats },   { "check", kb_check },   { "cost", kb_cost },
    { 0 },
};

static int run(int argc, char **argv, struct err *e) { return command_action(actions, argc, argv, e); }

const struct command cmd_kb = {
    .name = "kb",
    .summary = "knowledge bases: create, import, stats, check, cost",
    .help =
        "usage: assay kb create DB [--entities F] [--relations F] [--vectors F] [--queries F]\n"
        "                [--embed rp|lsa|http] [--embed-url U] [--embed-model M] [--dim N] [--seed N]\n"
        "       assay kb import DB [the same]     adds to a base: everything, or nothing when a line is bad\n"
        "       assay kb stats DB [--json]        rows, dimensions, degrees, types\n"
        "       assay kb check DB                 what must not be; exit status 1 when something is\n"
        "       assay kb cost DB --query F [-k N] [--passes N] [--set KEY=VALUE ...] [--trust] [--json]\n"
        "                                         time to the first answer, then p50 and p99 over the questions of the\n"
        "                                         least time of each in all passes (default 20), cache, peak memory\n"
        "\n"
        "  --entities F   JSON lines: {\"id\": 7, \"type\": \"person\", \"name\": \"Ada\", \"properties\": {}, \"text\": \"...\"}\n"
        "                 only name or text is required; an id is a number or a text, and stays it; fields that are\n"
        "                 not known become properties, and are named\n"
        "  --relations F  JSON lines: {\"source\": 7, \"target\": 9, \"type\": \"knows\", \"weight\": 0.5, \"properties\": {}}\n"
        "                 weight in 0..1, default 1\n"
        "  --vectors F    fvecs or npy: row i belongs to line i of the entities.  Without it names and texts\n"
        "                 become vectors by --embed\n"
        "  --queries F    JSON lines: {\"id\": 1, \"text\": \"...\", \"relevant\": [7, 9]}; writes queries.jsonl and\n"
        "                 qrels.txt beside the base, where they must not exist yet\n"
        "  --drop-unjudgeable   leaves out labels of entities that are not there and questions without a text; else\n"
        "                 they are kept: relevant and never found\n"
        "  --embed NAME   rp (tf-idf x Gaussian projection), lsa (x singular vectors) or http (an OpenAI-compatible\n"
        "                 service, asked in batches; its key is in the environment, ASSAY_EMBED_KEY), default rp;\n"
        "                 import: as the base was, and nothing else\n"
        "  --embed-url U, --embed-model M   of http, default those of `assay query --settings`; the base keeps them.\n"
        "                 import: nothing is sent to an address that only the base names, unless --trust is given\n"
        "  --dim N        of those vectors, default 384, import: those of the base\n"
        "  --seed N       of the projection, default 1\n"
        "\n"
        "example: assay kb create my.sqlite --entities people.jsonl --relations knows.jsonl\n"
        "         assay query my.sqlite \"who wrote the first program\" -k 5 --explain\n",
    .run = run,
};
