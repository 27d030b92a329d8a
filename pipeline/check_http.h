/* SPDX-License-Identifier: MIT
 * check_http.h - a service of vectors for tests, in a child process. */
#ifndef ASSAY_CHECK_HTTP_H
#define ASSAY_CHECK_HTTP_H
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const unsigned char *http_packed;
static size_t http_packed_size;

/* A socket that listens on loopback, and its port; negative: none. */
static inline int http_listen(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 5) != 0) return -1;
    getsockname(listener, (struct sockaddr *)&at, &size);
    *port = ntohs(at.sin_port);
    fflush(NULL); /* before whoever forks */
    return listener;
}

/* A process that answers every connection to *port with the next of the answers, "STATUS BODY" each ("STATUSr":
 * with Retry-After: 1, "STATUSl": with a Location, "STATUSz": gzip, http_packed), then closes it.  An answer that
 * starts with "HTTP/" is sent as it is, and the next request expected on the same connection.  Writes what came to the
 * file `log`; calls meanwhile, unless NULL, before it answers. */
static inline pid_t http_serve(const char *const *answers, const char *log_path, void (*meanwhile)(void), int *port)
{
    const int listener = http_listen(port);
    if (listener < 0) return -1;
    const pid_t pid = fork();
    if (pid != 0) return close(listener), pid;
    FILE *log = fopen(log_path, "w");
    for (int peer = -1; *answers; answers++) {
        if (peer < 0) peer = accept(listener, NULL, NULL);
        char request[4096];
        size_t got = 0;
        for (;;) { /* headers and body: the body ends with the object's brace */
            const ssize_t n = read(peer, request + got, sizeof request - 1 - got);
            if (n <= 0) break;
            request[got += (size_t)n] = 0;
            if (strstr(request, "\r\n\r\n") && request[got - 1] == '}') break;
        }
        if (log) fprintf(log, "%s\n", request), fflush(log);
        if (meanwhile) meanwhile();
        if (strncmp(*answers, "HTTP/", 5) == 0) {
            if (write(peer, *answers, strlen(*answers)) < 0) _exit(1);
            continue;
        }
        const char *body = strchr(*answers, ' ');
        if (strncmp(*answers, "hang", 4) == 0) usleep(1500000);
        else if ((*answers)[3] == 'z') {
            dprintf(peer, "HTTP/1.1 %.3s X\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                    *answers, http_packed_size);
            if (write(peer, http_packed, http_packed_size) < 0) _exit(1);
        } else
            dprintf(peer, "HTTP/1.1 %.3s X\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n%s", *answers,
                    strlen(body + 1), (*answers)[3] == 'r' ? "Retry-After: 1\r\n"
                                      : (*answers)[3] == 'l' ? "Location: http://127.0.0.1/new\r\n" : "", body + 1);
        close(peer);
        peer = -1;
    }
    _exit(0);
}
#endif
