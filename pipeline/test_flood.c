/* SPDX-License-Identifier: MIT
 * test_flood.c - services and programs that do not stop sending: what they make us hold is bounded, and said (a line "#"
 * of memory each). */
#include <curl/curl.h> /* as embed_http.c does: without the library there is nothing to test */
#include "pipeline/check_http.h"
#include "pipeline/check_kb.h"
#include <signal.h>
#include <sys/resource.h>

enum { BLOCK = 1 << 16, WIDE = 1024, MANY = 2048, MB = 1 << 20 };

static const struct flood { const char *name, *head, *again; size_t blocks; } floods[] = {
    { "a body without end", "HTTP/1.1 200 OK\r\n\r\n{\"data\":\"", "xxxxxxxx", SIZE_MAX },
    { "a chunk without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", "[1234567", SIZE_MAX },
    { "60 MB of values", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":[{\"embedding\":[0", ",0,0,0,0", 960 },
    { "60 MB of lists", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":[", "[],[],[],", 853 },
    { "headers without end", "HTTP/1.1 200 OK\r\n", "X-Y: 1\r\n", SIZE_MAX },
    { "one header without end", "HTTP/1.1 200 OK\r\nX: ", "yyyyyyyy", SIZE_MAX },
    { "interim answers without end", "", "HTTP/1.1 100 Continue\r\nX-Y: 123\r\n\r\n", SIZE_MAX },
    { "60 MB of an error", "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", "no, no, ", 960 },
};

/* A process that sends a flood to whoever asks; it ends when nobody listens any more. */
static pid_t serve(const struct flood *f, int *port)
{
    const int listener = http_listen(port);
    if (listener < 0) return -1;
    const pid_t pid = fork();
    if (pid != 0) return close(listener), pid;
    static char block[BLOCK];
    const size_t unit = strlen(f->again), whole = BLOCK / unit * unit;
    for (size_t i = 0; i < whole; i += unit) memcpy(block + i, f->again, unit);
    const int peer = accept(listener, NULL, NULL);
    char request[BLOCK];
    int good = read(peer, request, sizeof request) > 0 && write(peer, f->head, strlen(f->head)) >= 0;
    for (size_t i = 0; good && i < f->blocks; i++) {
        size_t sent = 0;
        for (ssize_t n = 1; sent < whole && n > 0; sent += n > 0 ? (size_t)n : 0) n = write(peer, block + sent, whole - sent);
        good = sent == whole;
    }
    close(peer);
    _exit(0);
}

static size_t peak_bytes(void)
{
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 ? (size_t)used.ru_maxrss * 1024 : 0;
}

/* In a child, whose memory is its own: asks for `count` vectors of `dim`. */
static void ask(const void *flood, void *settings, void *count_)
{
    const struct flood *f = flood;
    const size_t count = *(const size_t *)count_, dim = count > 1 ? WIDE : 2;
    const char **texts = calloc(count, sizeof *texts);
    int64_t *ids = calloc(count, sizeof *ids);
    float *out = calloc(count * dim, sizeof *out);
    for (size_t i = 0; i < count; i++) texts[i] = "text", ids[i] = (int64_t)i;
    memset(out, 1, count * dim * sizeof *out); /* it is there before */
    struct pipeline *p = kb_pipeline(count > 1 ? "wide.db" : "thin.db", settings);
    const size_t before = peak_bytes();
    const int status = p ? pipeline_embed(p, texts, ids, NULL, count, out, &kb_err) : ERR_OK;
    const size_t grown = (peak_bytes() - before) / MB;
    pipeline_close(p);
    free(texts), free(ids), free(out);
    printf("# %s, %zu vectors of %zu asked for: %zu MB more than before\n", f ? f->name : "a line without end", count, dim, grown);
    CHECK((status == ERR_FORMAT || status == ERR_IO) && kb_err.text[0], "%s: %d %s", f ? f->name : "a line", status, kb_err.text);
#ifndef __SANITIZE_THREAD__ /* which keeps more about memory than there is of it */
    /* the reply itself, and as much again while it grows; ASan keeps for a while what was freed */
    CHECK(grown <= (count > 1 ? 320 : 48), "%s: %zu MB", f ? f->name : "a line", grown);
#endif
}

static void services(void)
{
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        for (size_t count = 1; count <= MANY; count += MANY - 1) {
            char settings[200];
            int port = 0;
            const pid_t pid = serve(&floods[i], &port);
            snprintf(settings, sizeof settings, "index=flat embed=http embed_retries=0 embed_timeout=20 embed_batch=%d "
                     "embed_url=http://127.0.0.1:%d/", MANY, port);
            const char *said = test_child(ask, &floods[i], settings, &count);
            CHECK(said == TEST_SAID_OK, "%s, %zu vectors: %s", floods[i].name, count, said);
            if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
        }
}

static void programs(void)
{
    char settings[] = "index=flat embed=subprocess embed_timeout=20 embed_command=yes|tr\t-d\t'\\n'";
    size_t count = 1;
    const char *said = test_child(ask, NULL, settings, &count);
    CHECK(said == TEST_SAID_OK, "%s", said);
}

int main(void)
{
    static float x[WIDE] = { 1 };
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    signal(SIGPIPE, SIG_IGN);
    kb_make("thin.db", 1, 2, x, NULL);
    kb_make("wide.db", 1, WIDE, x, NULL);
    test_case("services that do not stop", services);
    test_case("programs that do not stop", programs);
    return kb_end();
}
