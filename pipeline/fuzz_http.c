/* SPDX-License-Identifier: MIT
 * fuzz_http.c - what a service answers to embed=http: any bytes, as a body or with headers of its own.
 *
 * reader: pipeline/embed_http.c
 * planted: pipeline/embed_http.c s/at >= 0 && (uint64_t)at < count : count == 1/1 : 1/ */
#include <curl/curl.h> /* as embed_http.c does: without the library there is nothing to fuzz */
#include "kernels/base/fuzz.h"
#include "pipeline/check_kb.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

static int listener = -1;
static char settings[200];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a client may be gone before its answer is */
static uint8_t reply[4096];
static size_t reply_size;

/* Answers one connection after the other with the input at work. */
static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        char request[4096];
        const int peer = accept(listener, NULL, NULL);
        if (peer < 0) continue;
        size_t got = 0;
        for (ssize_t n; got < sizeof request && (n = read(peer, request + got, sizeof request - got)) > 0;) {
            got += (size_t)n;
            if (request[got - 1] == '}') break;
        }
        uint8_t copy[sizeof reply];
        pthread_mutex_lock(&lock);
        const size_t size = reply_size;
        memcpy(copy, reply, size);
        pthread_mutex_unlock(&lock);
        const int bare = size < 5 || memcmp(copy, "HTTP/", 5) != 0;
        static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        if (bare) (void)!send(peer, head, sizeof head - 1, MSG_NOSIGNAL);
        (void)!send(peer, copy, size, MSG_NOSIGNAL);
        close(peer);
    }
    return NULL;
}

static void start(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof here;
    pthread_t thread;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 16) != 0) abort();
    getsockname(listener, (struct sockaddr *)&here, &size);
    snprintf(settings, sizeof settings, "index=flat embed=http embed_retries=0 embed_timeout=2 embed_url=http://127.0.0.1:%d/v1",
             ntohs(here.sin_port));
    kb_make("h.db", 2, 2, (const float[4]){ 1, 0, 0, 1 }, NULL);
    if (pthread_create(&thread, NULL, serve, NULL) != 0) abort();
}

static int run(const uint8_t *bytes, size_t size)
{
    static const char *const texts[3] = { "a", "b", "c" };
    static const int64_t ids[3] = { 0, 1, 2 };
    static struct pipeline *p;
    if (kb_memory_folder()) {
        start();
        p = kb_pipeline("h.db", settings);
        if (!p) abort();
    }
    if (size == 0) return -1;
    pthread_mutex_lock(&lock);
    reply_size = size < sizeof reply ? size : sizeof reply;
    memcpy(reply, bytes, reply_size);
    pthread_mutex_unlock(&lock);
    float out[3][2];
    kb_err.text[0] = 0;
    const size_t count = 1 + bytes[size - 1] % 3;
    const int status = pipeline_embed(p, texts, ids, texts, count, out[0], &kb_err);
    if (status != ERR_OK && !kb_err.text[0]) abort();
    for (size_t i = 0; status == ERR_OK && i < count; i++)
        if (!isfinite(out[i][0]) || !isfinite(out[i][1])) abort();
    return 0;
}

const struct fuzz_target fuzz_http = { .summary = "a reply to embed=http", .run = run, .longest = 2048 };
