/* SPDX-License-Identifier: MIT
 * test_http.c - embed=http against a server in a child process, embed=file against files. */
#include <curl/curl.h> /* as embed_http.c does: without the library there is nothing to test */
#include "pipeline/check_kb.h"
#include "pipeline/check_http.h"
#include <signal.h>
#include <time.h>

static int port;

static pid_t serve(const char *const *answers) { return http_serve(answers, kb_path("log"), NULL, &port); }

static int ask(const char *more, int64_t *best)
{
    char url[256];
    snprintf(url, sizeof url, "embed=http embed_url=http://127.0.0.1:%d/v1/embeddings index=flat %s", port, more);
    struct pipeline *p = kb_pipeline("http.db", url);
    struct answer a = { 0 };
    const struct question q = { .text = "a \"cat\"\n" };
    const int status = p ? pipeline_query(p, &q, 1, &a, &kb_err) : kb_err.code;
    *best = a.count ? a.results[0].id : 0;
    pipeline_close(p);
    return status;
}

static const char GOOD[] = "200 {\"data\":[{\"embedding\":[0.0,1]}]}";

static void tries(const char *const *answers, const char *settings, int want, const char *says)
{
    int64_t best = 0;
    const pid_t pid = serve(answers);
    kb_err.text[0] = 0;
    const int status = ask(settings, &best);
    CHECK(status == want && (status == ERR_OK ? best == 2 : strstr(kb_err.text, says) != NULL), "%s: %d %s",
          answers[0], status,
          kb_err.text);
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
}

static void http(void)
{
    setenv("ASSAY_EMBED_KEY", "secret", 1);
    tries((const char *const[]){ GOOD, NULL }, "embed_model=m1", ERR_OK, "");
    char request[4096] = { 0 };
    FILE *log = fopen(kb_path("log"), "r");
    CHECK(log && fread(request, 1, sizeof request - 1, log) > 0, "the request");
    if (log) fclose(log);
    CHECK(strstr(request, "{\"model\":\"m1\",\"input\":\"a \\\"cat\\\"\\n\"}"), "%s", request);
    CHECK(strstr(request, "Authorization: Bearer secret"), "%s", request);
    tries((const char *const[]){ GOOD, NULL }, "embed_dimensions=2 embed_encoding=base64 embed_key_header=api-key", ERR_OK, "");
    log = fopen(kb_path("log"), "r");
    memset(request, 0, sizeof request);
    CHECK(log && fread(request, 1, sizeof request - 1, log) > 0, "the request");
    if (log) fclose(log);
    CHECK(strstr(request, ",\"dimensions\":2,\"encoding_format\":\"base64\",\"input\"") && strstr(request, "api-key: secret") &&
          !strstr(request, "Bearer"), "%s", request);
    tries((const char *const[]){ "429 slow down", "503 busy", GOOD, NULL }, "", ERR_OK, "");
    const time_t began = time(NULL);
    tries((const char *const[]){ "503r busy", "503r busy", GOOD, NULL }, "", ERR_OK, "");
    CHECK(time(NULL) > began, "two times Retry-After: 1 in less than a second");
    tries((const char *const[]){ "500 x", "500 x", NULL }, "embed_retries=1", ERR_IO, "status 500");
    tries((const char *const[]){ "401 no key", GOOD, NULL }, "", ERR_IO, "status 401");
    tries((const char *const[]){ "hang", GOOD, NULL }, "embed_timeout=0.2 embed_retries=0", ERR_BUSY, "imeout");
    tries((const char *const[]){ "200 {\"data\":[]}", NULL }, "", ERR_FORMAT, "embedding");
    tries((const char *const[]){ "200 <html>", NULL }, "", ERR_FORMAT, "embedding");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":[1]}]}", NULL }, "", ERR_FORMAT, "1 numbers");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":[1,\"x\"]}]}", NULL }, "", ERR_FORMAT, "number 1");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":\"AAAAAAAAgD8=\"}]}", NULL }, "embed_encoding=base64", ERR_OK, "");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":\"AAAAAAAAgD9=\"}]}", NULL }, "", ERR_OK, "");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":\"AAAAAA!AgD8=\"}]}", NULL }, "", ERR_FORMAT, "base64");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":\"AAAAAAAAgD\"}]}", NULL }, "", ERR_FORMAT, "base64");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":\"AADAfwAAgD8=\"}]}", NULL }, "", ERR_FORMAT, "number 0");
    static const char *const places[] = { "\"0\"", "0.0", "1", "-1", "null", "18446744073709551616" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char one[96];
        snprintf(one, sizeof one, "200 {\"data\":[{\"index\":%s,\"embedding\":[0,1]}]}", places[i]);
        tries((const char *const[]){ one, NULL }, "", ERR_FORMAT, i < 5 ? "\"index\" is" : "embedding");
    }
    static const unsigned char packed[] = { /* the good reply, by gzip -9 */
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x49, 0x2c, 0x49,
        0x54, 0xb2, 0x8a, 0xae, 0x56, 0x4a, 0xcd, 0x4d, 0x4a, 0x4d, 0x49, 0xc9, 0xcc, 0x4b, 0x07, 0xf2,
        0x0c, 0xf4, 0x0c, 0x74, 0x0c, 0x63, 0x6b, 0x63, 0x6b, 0x01, 0x4e, 0x56, 0x3b, 0x76, 0x20, 0x00,
        0x00, 0x00
    };
    http_packed = packed;
    http_packed_size = sizeof packed;
    tries((const char *const[]){ "200z", NULL }, "", ERR_OK, "");
    tries((const char *const[]){ "307l moved", GOOD, NULL }, "", ERR_IO, "moved to http://127.0.0.1/new: give that as embed_url");
    tries((const char *const[]){ "200 {\"data\":[{\"embedding\":[1,1e99]}]}", NULL }, "", ERR_FORMAT, "number 1");
    int64_t best;
    port = 1; /* nobody listens there */
    CHECK(ask("embed_retries=0", &best) == ERR_IO, "%s", kb_err.text);
    struct pipeline *p = kb_pipeline("http.db", "embed=http embed_url=file:///etc/passwd index=flat embed_retries=0");
    struct answer a;
    CHECK(p && pipeline_query(p, &(struct question){ .text = "x" }, 1, &a, &kb_err) == ERR_IO, "only http: %s",
          kb_err.text);
    pipeline_close(p);
}

/* Nothing goes to an address that only the base brings along; nor from a twin. */
static void address_of_base(void)
{
    const char *const answers[] = { GOOD, GOOD, GOOD, NULL };
    char sql[400], request[16384] = { 0 };
    struct answer a;
    struct pipeline *p = NULL, *twin = NULL;
    const struct question q = { .text = "private" }, vector = { .text = "private", .vector = (const float[2]){ 0, 1 }, .dim = 2 };
    kb_make("own.db", 2, 2, (const float[4]){ 1, 0, 0, 1 }, NULL);
    const pid_t pid = serve(answers);
    snprintf(sql, sizeof sql, "CREATE TABLE assay_settings (key TEXT, value TEXT); INSERT INTO assay_settings VALUES "
             "('embed', 'http'), ('embed_url', 'http://127.0.0.1:%d/own'), ('index', 'flat')", port);
    kb_sql("own.db", sql);
    CHECK((p = kb_pipeline("own.db", "")) != NULL && pipeline_share(&twin, p, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_ARG && strstr(kb_err.text, "/own") &&
          strstr(kb_err.text, "--trust"), "%s", kb_err.text);
    CHECK(twin && pipeline_query(twin, &q, 1, &a, &kb_err) == ERR_ARG, "%s", kb_err.text);
    CHECK(p && pipeline_query(p, &vector, 1, &a, &kb_err) == ERR_OK && a.results[0].id == 2, "%s", kb_err.text);
    pipeline_close(twin);
    pipeline_close(p);
    p = kb_pipeline("own.db", "embed=http"); /* the stage, but not the address */
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_ARG, "%s", kb_err.text);
    pipeline_close(p);
    FILE *log = fopen(kb_path("log"), "r");
    CHECK(log && fread(request, 1, sizeof request - 1, log) == 0, "%s", request);
    if (log) fclose(log);
    p = kb_pipeline("own.db", SETTINGS_TRUST);
    CHECK(p && pipeline_share(&twin, p, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_OK && a.results[0].id == 2, "%s", kb_err.text);
    CHECK(twin && pipeline_query(twin, &q, 1, &a, &kb_err) == ERR_OK && a.results[0].id == 2, "%s", kb_err.text);
    pipeline_close(twin);
    pipeline_close(p);
    snprintf(sql, sizeof sql, "embed_url=http://127.0.0.1:%d/own", port);
    p = kb_pipeline("own.db", sql);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_OK, "%s", kb_err.text);
    pipeline_close(p);
    kb_sql("own.db", "DELETE FROM assay_settings WHERE key = 'embed_url'"); /* then the usual address would be asked */
    p = kb_pipeline("own.db", "");
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_ARG && strstr(kb_err.text, "--trust"), "%s", kb_err.text);
    pipeline_close(p);
    kb_sql("own.db", "INSERT INTO assay_settings VALUES ('embed_retries', '20')");
    CHECK(!kb_pipeline("own.db", "") && strstr(kb_err.text, "embed_retries"), "our limits: %s", kb_err.text);
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
}

/* A service that does not stop: no more is kept than vectors of the base can take. */
static void flood(void)
{
    static char much[300000];
    snprintf(much, sizeof much, "200 {\"data\":[{\"embedding\":[0,1]}],\"x\":\"");
    memset(much + strlen(much), 'x', sizeof much - 1 - strlen(much));
    tries((const char *const[]){ much, NULL }, "embed_retries=0", ERR_FORMAT, "a reply of more than 65");
}

/* Many texts: batches of embed_batch, answers in any order, one try again in between. */
static void batches(void)
{
    static const char *const texts[5] = { "a", "b", "c", "d", "e" };
    static const int64_t ids[5] = { 0, 1, 2, 3, 4 };
    const char *const answers[] = { "200 {\"data\":[{\"index\":1,\"embedding\":[2,2]},{\"index\":0,\"embedding\":[1,1]}]}",
                                    "503 busy", "200 {\"data\":[{\"index\":0,\"embedding\":\"AABAQAAAQEA=\"},{\"index\":1,\"embedding\":[4,4]}]}",
                                    "200 {\"data\":[{\"index\":0,\"embedding\":[5,5]}]}",
                                    "200 {\"data\":[{\"index\":1,\"embedding\":[2,2]},{\"index\":1,\"embedding\":[1,1]}]}",
                                    "200 {\"data\":[{\"embedding\":[3,3]},{\"embedding\":[3,3]}]}",
                                    "200 {\"data\":[{\"embedding\":[3,3]}]}", NULL };
    float out[5][2] = { { 0 } };
    char settings[200], request[16384] = { 0 };
    const pid_t pid = serve(answers);
    snprintf(settings, sizeof settings, "embed=http embed_url=http://127.0.0.1:%d/v1/embeddings index=flat embed_batch=2",
             port);
    struct pipeline *p = kb_pipeline("http.db", settings);
    CHECK(p && pipeline_embed(p, texts, ids, NULL, 5, out[0], &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 0; i < 5; i++) CHECK(out[i][0] == (float)(i + 1) && out[i][1] == out[i][0], "%d: %g", i, (double)out[i][0]);
    FILE *log = fopen(kb_path("log"), "r");
    CHECK(log && fread(request, 1, sizeof request - 1, log) > 0, "the requests");
    if (log) fclose(log);
    CHECK(strstr(request, "\"input\":[\"a\",\"b\"]}") && strstr(request, "\"input\":[\"c\",\"d\"]}") &&
          strstr(request, "\"input\":\"e\"}"), "%s", request);
    CHECK(p && pipeline_embed(p, texts, ids, NULL, 2, out[0], &kb_err) == ERR_FORMAT && strstr(kb_err.text, "index 1"), "%s",
          kb_err.text);
    CHECK(p && pipeline_embed(p, texts, ids, NULL, 2, out[0], &kb_err) == ERR_FORMAT && strstr(kb_err.text, "index\" is missing"),
          "%s", kb_err.text);
    CHECK(p && pipeline_embed(p, texts, ids, NULL, 2, out[0], &kb_err) == ERR_FORMAT && strstr(kb_err.text, "data[] of 2"), "%s",
          kb_err.text);
    pipeline_close(p);
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
}

/* One connection for all, and nothing of a reply is there when the next one is read: not even for a header that begins
 * as the continuation of one. */
static void replies_apart(void)
{
    const char *const answers[] = { "HTTP/1.1 200 OK\r\nContent-Length: 35\r\nX-One: 1\r\n\r\n{\"data\":[{\"embedding\":[0.0, 1.0]}]}",
                                    "HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\n{\"data\":[{\"embedding\":[1.0, 0.0]}]}",
                                    "HTTP/1.1 302h\n 3cation: fw\nContent-Length: 0\r\n\r\n", NULL };
    char settings[200];
    struct answer a;
    const struct question q = { .text = "x" };
    const pid_t pid = serve(answers);
    snprintf(settings, sizeof settings, "embed=http embed_url=http://127.0.0.1:%d/ index=flat embed_retries=0 embed_timeout=20", port);
    struct pipeline *p = kb_pipeline("http.db", settings);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_OK && a.results[0].id == 2, "%s", kb_err.text);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_OK && a.results[0].id == 1, "the same connection: %s", kb_err.text);
    CHECK(p && pipeline_query(p, &q, 1, &a, &kb_err) == ERR_IO, "%s", kb_err.text);
    pipeline_close(p);
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
}

static void write_rows(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(kb_path(name), "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "%s", name);
}

static int ask_file(const char *name, int64_t query, int64_t *best)
{
    char setting[400];
    snprintf(setting, sizeof setting, "embed=file index=flat embed_file=%s", kb_path(name));
    struct pipeline *p = kb_pipeline("http.db", setting);
    struct answer a = { 0 };
    const struct question q = { .id = query, .text = "any" };
    const int status = p ? pipeline_query(p, &q, 1, &a, &kb_err) : kb_err.code;
    *best = a.count ? a.results[0].id : 0;
    pipeline_close(p);
    return status;
}

static void file(void)
{
    const struct { int32_t dim; float x[2]; } rows[2] = { { 2, { 1, 0 } }, { 2, { 0, 1 } } }, ragged[2] = { { 2, { 1,
                                                                                                                   0 } }, { 3, { 0 } } };
    const struct { int32_t dim; float x[1]; } narrow[1] = { { 1, { 1 } } };
    int64_t best;
    write_rows("good.fvecs", rows, sizeof rows);
    write_rows("cut.fvecs", rows, sizeof rows - 1);
    write_rows("ragged.fvecs", ragged, sizeof ragged);
    write_rows("narrow.fvecs", narrow, sizeof narrow);
    write_rows("empty.fvecs", "", 0);
    CHECK(ask_file("good.fvecs", 0, &best) == ERR_OK && best == 1, "%s", kb_err.text);
    CHECK(ask_file("good.fvecs", 1, &best) == ERR_OK && best == 2, "%s", kb_err.text);
    CHECK(ask_file("good.fvecs", 2, &best) == ERR_NOT_FOUND && strstr(kb_err.text, "query 2"), "%s", kb_err.text);
    CHECK(ask_file("good.fvecs", -1, &best) == ERR_NOT_FOUND, "%s", kb_err.text);
    CHECK(ask_file("cut.fvecs", 0, &best) == ERR_FORMAT, "%s", kb_err.text);
    CHECK(ask_file("ragged.fvecs", 0, &best) == ERR_FORMAT && strstr(kb_err.text, "row 1"), "%s", kb_err.text);
    CHECK(ask_file("narrow.fvecs", 0, &best) == ERR_ARG && strstr(kb_err.text, "1 dimensions"), "%s", kb_err.text);
    CHECK(ask_file("empty.fvecs", 0, &best) == ERR_FORMAT, "%s", kb_err.text);
    CHECK(ask_file("none.fvecs", 0, &best) == ERR_NOT_FOUND, "%s", kb_err.text);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    signal(SIGPIPE, SIG_IGN);
    kb_make("http.db", 2, 2, (const float[4]){ 1, 0, 0, 1 }, NULL);
    test_case("embed=http", http);
    test_case("the base's own address", address_of_base);
    test_case("a flood", flood);
    test_case("replies apart", replies_apart);
    test_case("many texts, few requests", batches);
    test_case("embed=file", file);
    return kb_end();
}
