/* SPDX-License-Identifier: MIT
 * embed_subprocess.c - the engine's line protocol: a text goes to a program as one line (line feeds become
 * blanks), its vector comes back as one line of decimal numbers.
 *
 * What the engine lacks: a deadline for the whole exchange, the checks of length and finiteness, and a
 * way back.  After anything odd - no answer in time, the end of the output, a line that is no vector,
 * output that nobody asked for - the program and all that it started is killed and reaped, and the next
 * text starts a new one, so that question and answer cannot get out of step. */
#define _GNU_SOURCE /* pipe2 */
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct param params[] = {
    { "embed_command", PARAM_TEXT, 0, 0, "", "", NULL, "a shell command: texts on its input, vectors on its output" },
    { "embed_timeout", PARAM_REAL, 0.001, 86400, "30", "s", NULL, "longest wait for one vector" },
    { 0 },
};

struct self {
    char *command;
    double timeout_s;
    pid_t pid; /* 0: not running */
    int to, from;
    struct text line; /* the request, then the reply */
    size_t line_most; /* 32 bytes a number will do */
};

static void stop(struct self *self)
{
    if (!self->pid) return;
    close(self->to);
    close(self->from);
    kill(-self->pid, SIGKILL); /* its group: a shell's children too */
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR) {}
    self->pid = 0;
}

static void destroy(void *self_)
{
    struct self *self = self_;
    stop(self);
    text_free(&self->line);
    free(self->command);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *command = params_text(env->params, "embed_command");
    if (!*command) return FAIL(e, ERR_ARG, "embed=subprocess needs embed_command");
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "embed=subprocess: no memory");
    self->command = strdup(command);
    self->timeout_s = params_real(env->params, "embed_timeout");
    if (!self->command) return destroy(self), FAIL(e, ERR_MEM, "embed=subprocess: no memory");
    *self_ = self;
    return ERR_OK;
}

/* The child in its own process group, with default signals, the pipes' other ends and nothing else of ours. */
static int spawn(struct self *self, const int in[2], const int out[2])
{
    char *const argv[] = { (char *)"sh", (char *)"-c", self->command, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int status = posix_spawn_file_actions_init(&files);
    if (status) return status;
    status = posix_spawnattr_init(&how);
    if (!status) status = posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    if (!status) status = posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    if (!status) status = posix_spawnattr_setpgroup(&how, 0);
    if (!status) status = posix_spawnattr_setsigdefault(&how, &all);
    if (!status) status = posix_spawnattr_setsigmask(&how, &none);
    if (!status)
        status = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!status) status = posix_spawn(&self->pid, "/bin/sh", &files, &how, argv, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return status;
}

static int start(struct self *self, struct err *e)
{
    int in[2], out[2];
    if (self->pid) return ERR_OK;
    if (pipe2(in, O_CLOEXEC) != 0) return FAIL(e, ERR_IO, "embed=subprocess: pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return FAIL(e, ERR_IO, "embed=subprocess: pipe: %s", strerror(errno));
    }
    const int why = spawn(self, in, out);
    close(in[0]);
    close(out[1]);
    self->to = in[1];
    self->from = out[0];
    if (!why && fcntl(self->to, F_SETFL, O_NONBLOCK) == 0 && fcntl(self->from, F_SETFL, O_NONBLOCK) == 0) return ERR_OK;
    if (why) {
        self->pid = 0;
        close(in[1]);
        close(out[0]);
    }
    stop(self);
    return FAIL(e, ERR_IO, "embed=subprocess: %s: %s", self->command, strerror(why ? why : errno));
}

/* Waits until fd is ready; ERR_BUSY timeout_s after `started`. */
static int wait_for(const struct self *self, int fd, short events, uint64_t started, struct err *e)
{
    for (;;) {
        const double left = self->timeout_s - clock_since_s(started);
        struct pollfd p = { fd, events, 0 };
        const int ready = left <= 0 ? 0 : poll(&p, 1, (int)ceil(left * 1000));
        if (ready > 0) return ERR_OK;
        if (ready < 0 && errno != EINTR) return FAIL(e, ERR_IO, "embed=subprocess: poll: %s", strerror(errno));
        if (left <= 0)
            return FAIL(e, ERR_BUSY, "embed=subprocess: %s: no vector within %g s", self->command, self->timeout_s);
    }
}

/* write(2) that gives EPIPE and no signal, whatever the program's handlers are. */
static ssize_t write_quietly(int fd, const void *bytes, size_t size)
{
    sigset_t pipe, old, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    const int was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    const ssize_t n = write(fd, bytes, size);
    const int why = errno;
    if (n < 0 && why == EPIPE && !was_pending) (void)sigtimedwait(&pipe, NULL, &(struct timespec){ 0 });
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = why;
    return n;
}

static int send_text(struct self *self, const char *text, uint64_t started, struct err *e)
{
    text_clear(&self->line);
    text_add(&self->line, "%s\n", text);
    if (self->line.failed) return FAIL(e, ERR_MEM, "embed=subprocess: no memory for a text");
    for (size_t i = 0; i + 1 < self->line.size; i++)
        if (self->line.at[i] == '\n') self->line.at[i] = ' ';
    for (size_t sent = 0; sent < self->line.size;) {
        const ssize_t n = write_quietly(self->to, self->line.at + sent, self->line.size - sent);
        if (n > 0) sent += (size_t)n;
        if (n >= 0 || errno == EINTR) continue;
        if (errno == EPIPE) return FAIL(e, ERR_IO, "embed=subprocess: %s: it ended early", self->command);
        if (errno != EAGAIN) return FAIL(e, ERR_IO, "embed=subprocess: %s: %s", self->command, strerror(errno));
        const int status = wait_for(self, self->to, POLLOUT, started, e);
        if (status != ERR_OK) return status;
    }
    return ERR_OK;
}

/* One line into self->line; *more is 1 when something came after it. */
static int receive_line(struct self *self, uint64_t started, int *more, struct err *e)
{
    text_clear(&self->line);
    for (;;) {
        char block[65536];
        const ssize_t n = read(self->from, block, sizeof block);
        if (n == 0) return FAIL(e, ERR_IO, "embed=subprocess: %s: it ended early", self->command);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return FAIL(e, ERR_IO, "embed=subprocess: %s: %s", self->command, strerror(errno));
        if (n > 0) {
            const char *end = memchr(block, '\n', (size_t)n);
            text_add_bytes(&self->line, block, end ? (size_t)(end - block) : (size_t)n);
            if (self->line.failed) return FAIL(e, ERR_MEM, "embed=subprocess: no memory for a vector");
            if (self->line.size > self->line_most)
                return FAIL(e, ERR_FORMAT, "embed=subprocess: %s: a line of more than %zu bytes", self->command, self->line_most);
            *more = end && end + 1 < block + n;
            if (end) return ERR_OK;
        } else {
            const int status = wait_for(self, self->from, POLLIN, started, e);
            if (status != ERR_OK) return status;
        }
    }
}

static int parse_line(const struct self *self, float *out, size_t dim, struct err *e)
{
    const char *at = text_of(&self->line), *const blanks = " \t\r";
    size_t count = 0;
    for (at += strspn(at, blanks); *at; count++) {
        char *end;
        const locale_t host = text_c_locale();
        const float value = strtof(at, &end);
        text_host_locale(host);
        if (end == at || !(*end == 0 || strchr(blanks, *end)) || !isfinite(value))
            return FAIL(e, ERR_FORMAT, "embed=subprocess: %s: '%.20s' is no finite number", self->command, at);
        if (count < dim) out[count] = value;
        at = end + strspn(end, blanks);
    }
    if (count == dim) return ERR_OK;
    return FAIL(e, ERR_FORMAT, "embed=subprocess: %s: a vector of %zu numbers, the base has %zu dimensions",
                self->command,
                count, dim);
}

static int run(void *self_, struct query *q, struct err *e)
{
    struct self *self = self_;
    if (!q->text) return FAIL(e, ERR_ARG, "embed=subprocess: a question without text");
    struct pollfd unasked = { self->from, POLLIN, 0 };
    if (self->pid && poll(&unasked, 1, 0) != 0) stop(self); /* more than was asked for, or it has ended */
    int status = start(self, e), more = 0;
    if (status != ERR_OK) return status;
    const uint64_t started = clock_ns();
    status = send_text(self, q->text, started, e);
    self->line_most = q->kb->vectors.rows.dim * 32 + 65536;
    if (status == ERR_OK) status = receive_line(self, started, &more, e);
    if (status == ERR_OK) status = parse_line(self, q->vector, q->kb->vectors.rows.dim, e);
    if (status != ERR_OK || more) stop(self);
    return status;
}

const struct stage_ops embed_subprocess = {
    .name = "subprocess", .slot = SLOT_EMBED, .summary = "a program that reads texts and writes vectors, line by line",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
