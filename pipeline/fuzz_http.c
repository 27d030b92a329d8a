/* SPDX-License-Identifier: MIT
 * fuzz_http.c - what a service answers to embed=http: any bytes, as a body or with headers of its own.  The last byte says
 * what was asked for: the vectors of one, two or three texts, or how long vectors are.
 *
 * reader: pipeline/embed_http.c
 * planted: pipeline/embed_http.c s/at >= 0 && (uint64_t)at < count : count == 1/1 : 1/
 */
#include <curl/curl.h> /* as embed_http.c does: without the library there is nothing to fuzz */
#include "kernels/base/fuzz.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener = -1;
static char url[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a client may be gone before its answer is */
static uint8_t reply[8192];
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
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", ntohs(here.sin_port));
    setenv("ASSAY_EMBED_KEY", "key", 1);
    if (pthread_create(&thread, NULL, serve, NULL) != 0) abort();
}

static const struct stage_ops *ops;
static struct params *params;
static void *service; /* the same for some inputs, so that a reply can harm the next exchange */

static void renew(void)
{
    static unsigned used;
    if (used++ % 64) return;
    struct err e = { 0 };
    if (service) ops->destroy(service);
    if (!params && (params_create(&params, ops->params, ops->name, NULL, &e) != ERR_OK ||
                    params_set(params, "embed_url", url, &e) != ERR_OK || params_set(params, "embed_retries", "0", &e) != ERR_OK ||
                    params_set(params, "embed_timeout", "2", &e) != ERR_OK))
        abort();
    struct stage_env env = { .params = params, .threads = 1 };
    if (ops->create(&service, &env, &e) != ERR_OK) abort();
}

static int run(const uint8_t *bytes, size_t size)
{
    static const char *const texts[3] = { "a", "b", "c" };
    if (!ops) {
        start();
        ops = stage_find(SLOT_EMBED, "http");
    }
    if (size < 2) return -1;
    renew();
    pthread_mutex_lock(&lock);
    reply_size = size - 1 < sizeof reply ? size - 1 : sizeof reply;
    memcpy(reply, bytes, reply_size);
    pthread_mutex_unlock(&lock);
    float out[3][2];
    struct err e = { 0 };
    size_t dim = 0;
    const size_t count = 1 + bytes[size - 1] % 4;
    const int status = count < 4 ? ops->embed_many(service, texts, count, 2, out[0], &e) : ops->dimension(service, "a", &dim, &e);
    if (status != ERR_OK && !e.text[0]) abort();
    if (status == ERR_OK && count == 4 && (dim == 0 || dim > INDEX_DIM_MAX)) abort();
    for (size_t i = 0; status == ERR_OK && i < count && count < 4; i++)
        if (!isfinite(out[i][0]) || !isfinite(out[i][1])) abort();
    return 0;
}

const struct fuzz_target fuzz_http = { .summary = "a reply to embed=http", .run = run, .longest = 8192 };
