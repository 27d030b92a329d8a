/* SPDX-License-Identifier: MIT
 * remote.c - both ends of the pipe to a process that is timed: the server of its subjects, and who asks it. */
#define _GNU_SOURCE
#include "bench/contest/remote.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- server ------------------------------------------------------------------------------------ */

struct server {
    struct subject *const *subjects;
    struct sample_arm *arms;
    size_t count;
    struct text reply;
};

static int server_look(struct server *v, const char *args, struct err *e)
{
    size_t arm = SIZE_MAX;
    const struct subject_facts *f;
    if (sscanf(args, "%zu", &arm) != 1 || arm >= v->count) return FAIL(e, ERR_ARG, "look: no such arm");
    const int status = subject_look(v->subjects[arm], &f, e);
    if (status != ERR_OK) return status;
    text_add(&v->reply, "ok %.17g %zu %" PRIx64 " %.17g %zu %zu %d %s", f->vectors, f->bytes, f->result,
             f->retrieve_share, f->queries, f->k, f->quality != NULL, f->kernels.size ? text_of(&f->kernels) : "-");
    for (size_t i = 0; i < f->queries * f->k; i++) text_add(&v->reply, " %" PRId64, f->ids[i]);
    for (size_t i = 0; f->quality && i < f->queries; i++) text_add(&v->reply, " %.17g", f->quality[i]);
    return ERR_OK;
}

static int server_failed(const struct server *v, struct err *e)
{
    for (size_t i = 0; i < v->count; i++)
        if (subject_failed(v->subjects[i], e) != ERR_OK) return subject_failed(v->subjects[i], e);
    return ERR_OK;
}

static int server_sample(struct server *v, const char *args, struct err *e)
{
    struct sample_plan plan = { .shared = 1 };
    if (sscanf(args, "%zu %lf %lf %" SCNu64, &plan.rounds, &plan.sample_ns, &plan.budget_ns, &plan.seed) != 4)
        return FAIL(e, ERR_ARG, "sample: not understood");
    plan.least_rounds = v->count;
    struct samples s;
    int status = sample_run(v->arms, v->count, &plan, &s, e);
    if (status != ERR_OK) return status;
    text_add(&v->reply, "ok %zu %.17g %zu", s.rounds, s.overhead_ns, s.preempted);
    for (size_t i = 0; i < s.arms * s.rounds; i++) text_add(&v->reply, " %.9g", s.ns[i]);
    samples_free(&s);
    return server_failed(v, e);
}

/* This process slept in read(2) until now: one iteration that does not count wakes it. */
static int server_run(struct server *v, const char *args, struct err *e)
{
    size_t arm;
    uint64_t iterations, first;
    if (sscanf(args, "%zu %" SCNu64 " %" SCNu64, &arm, &iterations, &first) != 3 || arm >= v->count)
        return FAIL(e, ERR_ARG, "run: not understood");
    const struct sample_arm *a = &v->arms[arm];
    a->place(a->context, first);
    a->run(a->context, 1);
    a->place(a->context, first);
    const uint64_t start = clock_ns();
    a->run(a->context, iterations);
    text_add(&v->reply, "ok %" PRIu64, clock_ns() - start);
    return server_failed(v, e);
}

static int answer(struct server *v, const char *line)
{
    static const struct { const char *word; int (*fn)(struct server *, const char *, struct err *); } commands[] = {
        { "look ", server_look }, { "sample ", server_sample }, { "run ", server_run },
    };
    struct err e = { 0 };
    int status = FAIL(&e, ERR_ARG, "unknown command");
    text_clear(&v->reply);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strncmp(line, commands[i].word, strlen(commands[i].word)) == 0)
            status = commands[i].fn(v, line + strlen(commands[i].word), &e);
    if (status != ERR_OK) {
        text_clear(&v->reply);
        text_add(&v->reply, "error %d %s", status, e.text);
    }
    return !v->reply.failed && printf("%s\n", text_of(&v->reply)) > 0 && fflush(stdout) == 0;
}

int remote_serve(struct subject *const *subjects, size_t count, struct err *e)
{
    struct server v = { .subjects = subjects, .arms = mem_zero(count, sizeof *v.arms), .count = count };
    if (!v.arms) return FAIL(e, ERR_MEM, "no memory for %zu arms", count);
    for (size_t i = 0; i < count; i++)
        v.arms[i] =
            (struct sample_arm){ .name = "", .run = subject_run, .context = subjects[i], .place = subject_place };
    char *line = NULL;
    size_t room = 0;
    int good = 1;
    while (good && getline(&line, &room, stdin) > 0) good = answer(&v, line);
    free(line);
    text_free(&v.reply);
    mem_free(v.arms);
    return good ? ERR_OK : FAIL(e, ERR_IO, "the answer could not be written");
}

/* --- client ------------------------------------------------------------------------------------ */

struct remote {
    pid_t pid;
    FILE *to, *from;
    struct text line;
    char program[64]; /* the end of its path, for messages */
};

int remote_open(struct remote **out, char *const *argv, struct err *e)
{
    struct remote *r = mem_zero(1, sizeof *r);
    int to[2] = { -1, -1 }, from[2] = { -1, -1 };
    if (!r) return FAIL(e, ERR_MEM, "no memory for a process");
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        if (to[0] >= 0) close(to[0]), close(to[1]);
        mem_free(r);
        return FAIL(e, ERR_IO, "pipe: %s", strerror(errno));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    const int failed = posix_spawn(&r->pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    r->to = fdopen(to[1], "w");
    r->from = fdopen(from[0], "r");
    const char *slash = strrchr(argv[0], '/');
    snprintf(r->program, sizeof r->program, "%s", slash ? slash + 1 : argv[0]);
    if (failed || !r->to || !r->from) {
        if (failed) r->pid = 0;
        remote_close(r);
        return FAIL(e, ERR_IO, "%s: %s", argv[0], strerror(failed ? failed : errno));
    }
    *out = r;
    return ERR_OK;
}

void remote_close(struct remote *r)
{
    if (!r) return;
    if (r->to) fclose(r->to);
    if (r->from) fclose(r->from);
    if (r->pid > 0) waitpid(r->pid, NULL, 0);
    text_free(&r->line);
    mem_free(r);
}

enum { LINE_MOST = 64 << 20 };

/* One line, without its end, into r->line. */
static int read_line(struct remote *r, struct err *e)
{
    text_clear(&r->line);
    for (;;) {
        char some[65536];
        if (!fgets(some, sizeof some, r->from)) return FAIL(e, ERR_IO, "%s: the measuring process ended early", r->program);
        const size_t size = strcspn(some, "\n");
        text_add_bytes(&r->line, some, size);
        if (r->line.failed) return FAIL(e, ERR_MEM, "%s: no memory for an answer", r->program);
        if (some[size] == '\n') return ERR_OK;
        if (r->line.size > LINE_MOST) return FAIL(e, ERR_FORMAT, "%s: an answer of more than %d bytes", r->program, LINE_MOST);
    }
}

/* Sends one line and leaves what follows "ok" in *reply, to be cut by the caller. */
static int request(struct remote *r, char **reply, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int request(struct remote *r, char **reply, struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(r->to, fmt, ap);
    va_end(ap);
    fputc('\n', r->to);
    if (fflush(r->to) != 0) return FAIL(e, ERR_IO, "%s: the measuring process ended early", r->program);
    const int status = read_line(r, e);
    if (status != ERR_OK) return status;
    const char *line = text_of(&r->line);
    int code = 0, at = 0;
    if (sscanf(line, "error %d %n", &code, &at) == 1 && code != ERR_OK) return FAIL(e, code, "%s", line + at);
    if (strncmp(line, "ok ", 3) != 0) return FAIL(e, ERR_FORMAT, "%s: answers '%.40s'", r->program, line);
    *reply = r->line.at + 3;
    return ERR_OK;
}

/* 1 when as many numbers as `first` x `second` + `more` can follow at `text`: each is a blank and a digit at least. */
static int can_follow(const char *text, size_t first, size_t second, size_t more, size_t *product)
{
    size_t all;
    return !__builtin_mul_overflow(first, second, product) && !__builtin_add_overflow(*product, more, &all) &&
           all <= strlen(text) / 2;
}

int remote_look(struct remote *r, size_t arm, struct subject_facts *out, struct err *e)
{
    char *reply;
    const int status = request(r, &reply, e, "look %zu", arm);
    if (status != ERR_OK) return status;
    struct subject_facts f = { 0 };
    char kernels[1024];
    int has_quality, at = 0;
    if (sscanf(reply, "%lf %zu %" SCNx64 " %lf %zu %zu %d %1023s%n", &f.vectors, &f.bytes, &f.result, &f.retrieve_share,
               &f.queries, &f.k, &has_quality, kernels, &at) != 8)
        return FAIL(e, ERR_FORMAT, "%s: facts not understood", r->program);
    size_t count;
    if (!can_follow(reply + at, f.queries, f.k, has_quality ? f.queries : 0, &count))
        return FAIL(e, ERR_FORMAT, "%s: fewer answers than it says", r->program);
    f.ids = mem_alloc(count, sizeof *f.ids);
    f.quality = has_quality ? mem_alloc(f.queries, sizeof *f.quality) : NULL;
    text_add(&f.kernels, "%s", kernels);
    if (!f.ids || (has_quality && !f.quality) || f.kernels.failed) {
        remote_facts_free(&f);
        return FAIL(e, ERR_MEM, "no memory for %zu answers", count);
    }
    char *p = reply + at;
    for (size_t i = 0; i < count; i++) f.ids[i] = strtoll(p, &p, 10);
    for (size_t i = 0; has_quality && i < f.queries; i++) f.quality[i] = strtod(p, &p);
    *out = f;
    return ERR_OK;
}

void remote_facts_free(struct subject_facts *f)
{
    mem_free(f->ids);
    mem_free(f->quality);
    text_free(&f->kernels);
    *f = (struct subject_facts){ 0 };
}

int remote_sample(struct remote *r, size_t arms, const struct sample_plan *plan, struct samples *out, struct err *e)
{
    char *reply;
    const int status = request(r, &reply, e, "sample %zu %.17g %.17g %" PRIu64, plan->rounds, plan->sample_ns,
                               plan->budget_ns, plan->seed);
    if (status != ERR_OK) return status;
    struct samples s = { .arms = arms };
    int at = 0;
    if (sscanf(reply, "%zu %lf %zu%n", &s.rounds, &s.overhead_ns, &s.preempted, &at) != 3)
        return FAIL(e, ERR_FORMAT, "%s: samples not understood", r->program);
    size_t count;
    if (!can_follow(reply + at, arms, s.rounds, 0, &count))
        return FAIL(e, ERR_FORMAT, "%s: fewer samples than it says", r->program);
    s.ns = mem_alloc(count, sizeof *s.ns);
    if (!s.ns) return FAIL(e, ERR_MEM, "no memory for %zu samples", count);
    char *p = reply + at;
    for (size_t i = 0; i < count; i++) s.ns[i] = strtod(p, &p);
    *out = s;
    return ERR_OK;
}

double remote_run(void *arm, uint64_t iterations)
{
    struct remote_arm *a = arm;
    char *reply;
    if (a->failed.code != ERR_OK) return 1; /* the caller looks at failed when the run is over */
    if (request(a->remote, &reply, &a->failed, "run %zu %" PRIu64 " %" PRIu64, a->arm, iterations, a->first) != ERR_OK)
        return 1;
    return strtod(reply, NULL);
}

void remote_place(void *arm, uint64_t first) { ((struct remote_arm *)arm)->first = first; }
