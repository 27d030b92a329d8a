/* SPDX-License-Identifier: MIT
 * test_kb_import.c - what is added to a base gets vectors of the kind that it has, or none at all; a service that
 * makes them is waited for without a lock. */
#include <curl/curl.h> /* as embed_http.c does: without the library there is nothing to test */
#include "bench/kb/kb_build.h"
#include "datasets/intake.h"
#include "kernels/base/mem.h"
#include "pipeline/check_http.h"
#include "pipeline/check_kb.h"
#include <signal.h>
#include <sys/wait.h>

static const char GOOD[] = "200 {\"data\":[{\"index\":0,\"embedding\":[1,2,3]},{\"index\":1,\"embedding\":[4,5,6]}]}";
static char url[64];

/* Entities id, id + 1, and a relation between them or, `bad`, to nowhere. */
static int add(const struct kb_build_options *options, int64_t id, int bad)
{
    struct kb_build *b = NULL;
    struct kb_build_counts n;
    kb_err.text[0] = 0;
    int status = kb_build_open(&b, options, &kb_err);
    if (status != ERR_OK) return status;
    const struct kb_sink s = kb_build_sink(b);
    for (int i = 0; status == ERR_OK && i < 2; i++)
        status = s.entity(s.context, id + i, "t", "name", i ? NULL : "{\"a\":1}", "the text", &kb_err);
    if (status == ERR_OK) status = s.relation(s.context, id, bad ? 555 : id + 1, "r", 0.5, NULL, &kb_err);
    if (status == ERR_OK) status = kb_build_commit(b, &n, &kb_err);
    kb_build_close(b);
    return status;
}

static struct kb_build_options into(const char *db, int existing)
{
    return (struct kb_build_options){ .folder = kb_folder, .db = db, .existing = existing, .what = "rows", .seed = 1,
                                      .threads = 1 };
}

static void end(pid_t pid)
{
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
}

static void write_meanwhile(void)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(kb_path("h.db"), &db) == SQLITE_OK)
        sqlite3_exec(db, "INSERT INTO kg_entities (id, entity_type, name) SELECT 900 + count(*), 't', 'other' "
                         "FROM kg_entities", NULL, NULL, NULL);
    sqlite3_close(db);
}

static void by_service(void)
{
    const char *const answers[] = { GOOD, GOOD, GOOD, "400 too long", NULL };
    int port = 0;
    const pid_t pid = http_serve(answers, kb_path("log"), NULL, &port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", port);
    char db[128], other[128];
    snprintf(db, sizeof db, "%s", kb_path("h.db"));
    struct kb_build_options o = into(db, 0);
    o.embed = "http", o.embed_url = url, o.embed_model = "m", o.dim = 3;
    setenv("ASSAY_EMBED_KEY", "secret", 1);
    CHECK(add(&o, 1, 0) == ERR_OK, "%s", kb_err.text);
    o = into(db, 1);
    CHECK(add(&o, 3, 0) == ERR_ARG && strstr(kb_err.text, "--trust"), "the base's address alone: %s", kb_err.text);
    o.trust = 1; /* everything else as the base has it */
    CHECK(add(&o, 3, 0) == ERR_OK, "%s", kb_err.text);
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_vectors WHERE length(vector) = 12") == 4, "vectors");
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_relations WHERE weight = 0.5") == 2, "relations");
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_entities WHERE properties = '{\"a\":1}'") == 2, "properties");
    char log[16384] = { 0 };
    FILE *f = fopen(kb_path("log"), "r");
    CHECK(f && fread(log, 1, sizeof log - 1, f) > 0, "the requests");
    if (f) fclose(f);
    const char *first = strstr(log, "Bearer secret");
    CHECK(first && strstr(first + 1, "Bearer") && strstr(first, "POST"), "the key goes where the user says: %s", log);

    snprintf(other, sizeof other, "%s/", url);
    const struct { const char *embed, *url, *model, *says; size_t dim; } refused[] = {
        { "rp", NULL, NULL, "made by http", 0 }, { "http", other, NULL, "came from", 0 },
        { NULL, NULL, "m2", "model m, not", 0 }, { NULL, NULL, NULL, "3 dimensions, not 4", 4 },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        o = into(db, 1);
        o.embed = refused[i].embed, o.dim = refused[i].dim;
        o.embed_url = refused[i].url, o.embed_model = refused[i].model;
        CHECK(add(&o, 5, 0) == ERR_ARG && strstr(kb_err.text, refused[i].says), "%s: %s", refused[i].says, kb_err.text);
    }
    o = into(db, 1);
    CHECK(add(&o, 5, 1) == ERR_ARG && strstr(kb_err.text, "555"), "a bad row, before anybody is asked: %s",
          kb_err.text);
    o.embed = "http", o.embed_url = url, o.embed_model = "m", o.dim = 3;
    CHECK(add(&o, 5, 0) == ERR_OK, "what it is may be said: %s", kb_err.text);
    o = into(db, 1);
    o.trust = 1;
    CHECK(add(&o, 7, 0) == ERR_IO && strstr(kb_err.text, "entities 7 .. 8"), "%s", kb_err.text);
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_entities") == 6, "all or nothing");
    end(pid);
}

/* Another process writes to the base while the service is asked. */
static void without_lock(void)
{
    const char *const answers[] = { GOOD, NULL };
    int port = 0;
    const pid_t pid = http_serve(answers, kb_path("log"), write_meanwhile, &port);
    char db[128], sql[200];
    snprintf(db, sizeof db, "%s", kb_path("h.db"));
    snprintf(sql, sizeof sql, "UPDATE assay_settings SET value = 'http://127.0.0.1:%d/v1' WHERE key = 'embed_url'",
             port);
    kb_sql("h.db", sql);
    struct kb_build_options o = into(db, 1);
    o.trust = 1;
    CHECK(add(&o, 7, 0) == ERR_OK, "%s", kb_err.text);
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_entities WHERE id = 906") == 1, "the other writer got in");
    CHECK(kb_number("h.db", "SELECT count(*) FROM kg_entities") == 9, "and so did the import");
    end(pid);
}

/* Without --dim the service says it: one text is asked for first. */
static void learns_dimension(void)
{
    static const char one[] = "200 {\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}";
    const char *const answers[] = { one, GOOD, NULL };
    int port = 0;
    const pid_t pid = http_serve(answers, kb_path("log"), NULL, &port);
    char db[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", port);
    snprintf(db, sizeof db, "%s", kb_path("learnt.db"));
    struct kb_build_options o = into(db, 0);
    o.embed = "http", o.embed_url = url, o.embed_model = "m";
    CHECK(add(&o, 1, 0) == ERR_OK, "%s", kb_err.text);
    CHECK(kb_number("learnt.db", "SELECT count(*) FROM kg_vectors WHERE dimension = 3 AND length(vector) = 12") == 2, "3 numbers");
    end(pid);
}

static void other_kinds(void)
{
    char db[128];
    snprintf(db, sizeof db, "%s", kb_path("rp.db"));
    struct kb_build_options o = into(db, 0);
    o.dim = 16;
    CHECK(add(&o, 1, 0) == ERR_OK, "%s", kb_err.text);
    o = into(db, 1);
    CHECK(add(&o, 3, 0) == ERR_OK, "by rp, as the base: %s", kb_err.text);
    CHECK(kb_number("rp.db", "SELECT count(*) FROM kg_vectors WHERE length(vector) = 64") == 4, "of 16 dimensions");
    o.embed = "http";
    CHECK(add(&o, 5, 0) == ERR_ARG && strstr(kb_err.text, "made by rp"), "%s", kb_err.text);
    kb_make("given.db", 1, 2, (const float[2]){ 1, 2 }, NULL);
    snprintf(db, sizeof db, "%s", kb_path("given.db"));
    CHECK(add(&o, 5, 0) == ERR_ARG && strstr(kb_err.text, "not made from words by rp, nor by http"), "%s", kb_err.text);
    CHECK(kb_number("given.db", "SELECT count(*) FROM kg_entities") == 1, "as it was");
}

/* Words that an rp base was made without are counted, here and in its notes, behind what was noted before. */
static void new_words(void)
{
    static const char *const texts[] = { "the text", "a wholly new text", "another newer text, wholly" };
    char db[128];
    struct store *s = NULL;
    struct text notes = { 0 };
    snprintf(db, sizeof db, "%s", kb_path("words.db"));
    for (int i = 0; i < 3; i++) {
        struct kb_build_options o = into(db, i != 0);
        struct kb_build *b = NULL;
        struct kb_build_counts n;
        CHECK(kb_build_open(&b, &o, &kb_err) == ERR_OK, "%s", kb_err.text);
        if (!b) return;
        const struct kb_sink sink = kb_build_sink(b);
        CHECK(sink.entity(sink.context, i + 1, "t", "name", NULL, texts[i], &kb_err) == ERR_OK &&
              kb_build_commit(b, &n, &kb_err) == ERR_OK, "%s", kb_err.text);
        text_clear(&notes);
        tally_text(kb_build_notes(b), "; ", &notes);
        const char *want = i == 0 ? "" : i == 1 ? "2 words that the base was made without: they count in no vector (the first: wholly)"
                                                : "3 words that the base was made without: they count in no vector (the first: another)";
        CHECK(strstr(text_of(&notes), want) && (i || !strstr(text_of(&notes), "made without")), "%s", text_of(&notes));
        kb_build_close(b);
    }
    text_clear(&notes);
    CHECK(store_open(&s, db, STORE_READ, &kb_err) == ERR_OK && store_meta(s, "notes", &notes, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(strstr(text_of(&notes), "2 words") && strstr(text_of(&notes), "; 3 words"), "%s", text_of(&notes));
    text_free(&notes);
    store_close(s);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    signal(SIGPIPE, SIG_IGN);
    test_case("by the service that the base came from", by_service);
    test_case("other writers are not kept waiting", without_lock);
    test_case("the dimension that a service answers with", learns_dimension);
    test_case("words that the base has not", new_words);
    test_case("by words, and by nobody knows what", other_kinds);
    return kb_end();
}
