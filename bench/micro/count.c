/* SPDX-License-Identifier: MIT
 * count.c - steps a child through one call of a kernel and counts what it executes. */
#define _GNU_SOURCE
#include "bench/micro/count.h"
#include "bench/micro/code.h"
#include "kernels/base/mem.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <stddef.h>
#include <sys/user.h>
#endif

enum { SLOTS = 1 << 16 }; /* distinct instructions of a call, a power of two */

/* How often each address was executed. */
struct tally { uint64_t at[SLOTS], times[SLOTS]; size_t count; };

static int tally_add(struct tally *t, uint64_t at)
{
    size_t slot = (size_t)(at * 0x9e3779b97f4a7c15ull >> 48);
    while (t->times[slot] && t->at[slot] != at) slot = (slot + 1) % SLOTS;
    if (!t->times[slot]) {
        if (t->count == SLOTS / 2) return 0;
        t->count++;
        t->at[slot] = at;
    }
    t->times[slot]++;
    return 1;
}

#if defined(__x86_64__)
static uint64_t peek_register(pid_t child, size_t offset)
{
    return (uint64_t)ptrace(PTRACE_PEEKUSER, child, (void *)offset, NULL);
}
#define RIP offsetof(struct user_regs_struct, rip)
#define RSP offsetof(struct user_regs_struct, rsp)

/* The child: once to bind and warm, then between two stops for the parent. */
static void be_stepped(struct workload_arm *arm)
{
    workload_run(arm, 1);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) _exit(2);
    raise(SIGSTOP);
    workload_run(arm, 1);
    raise(SIGSTOP);
    _exit(0);
}

/* A stop that the child asked for. */
static int is_own(pid_t child, int status)
{
    siginfo_t from;
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && !ptrace(PTRACE_GETSIGINFO, child, NULL, &from) &&
           from.si_pid == child;
}

/* Lets the child run, one instruction or until it stops; 1: stepped, 0: it stopped itself, -1: it died or may not be run so.
 * Signals from elsewhere (a shell's, or whoever suspends all that runs) reach the child before its next instruction: they
 * are this process's, too, and are not passed on, or a count would end where one came. */
static int run(pid_t child, int how)
{
    static const int faults[] = { SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGSYS };
    for (;;) {
        int status;
        if (ptrace(how, child, NULL, NULL) || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return -1;
        if (WSTOPSIG(status) == SIGTRAP) return 1;
        if (is_own(child, status)) return 0;
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            if (WSTOPSIG(status) == faults[i]) return -1;
    }
}

/* Of all that the child does, what lies between the kernel's first instruction and its return. */
static int follow(pid_t child, uint64_t entry, struct tally *t, struct err *e)
{
    uint64_t back = 0, stack = 0;
    int inside = 0, more;
    while ((more = run(child, PTRACE_SINGLESTEP)) > 0) {
        const uint64_t at = peek_register(child, RIP);
        if (!inside && at == entry) {
            inside = 1;
            stack = peek_register(child, RSP);
            back = (uint64_t)ptrace(PTRACE_PEEKDATA, child, (void *)(uintptr_t)stack, NULL);
        } else if (inside && at == back && peek_register(child, RSP) == stack + 8) {
            inside = 0;
        }
        if (inside && !tally_add(t, at)) return FAIL(e, ERR_MEM, "more than %d distinct instructions", SLOTS / 2);
    }
    if (more < 0) return FAIL(e, ERR_UNSUPPORTED, "the kernel could not be stepped to its end");
    return t->count ? ERR_OK : FAIL(e, ERR_FORMAT, "the call never reached the kernel");
}

static int step_child(struct workload_arm *arm, uint64_t entry, struct tally *t, struct err *e)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) be_stepped(arm);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return FAIL(e, ERR_IO, "no child to step");
    const int is_traced = WIFSTOPPED(status);
    if (is_traced) ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(uintptr_t)PTRACE_O_EXITKILL);
    if (!is_traced || (!is_own(child, status) && run(child, PTRACE_CONT) != 0))
        return FAIL(e, ERR_UNSUPPORTED, "ptrace is refused here: no instruction can be counted");
    const int result = follow(child, entry, t, e);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return result;
}
#else
static int step_child(struct workload_arm *arm, uint64_t entry, struct tally *t, struct err *e)
{
    (void)arm, (void)entry, (void)t, (void)tally_add;
    return FAIL(e, ERR_UNSUPPORTED, "instructions are counted on x86-64 only");
}
#endif

static int by_address(const void *a, const void *b)
{
    const struct count_line *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* The kernel's own instructions, in order; the rest is the library's. */
static int sort_tally(const struct tally *t, const struct code_place *place, struct count *c, struct err *e)
{
    c->lines = mem_zero(t->count, sizeof *c->lines);
    if (!c->lines) return FAIL(e, ERR_MEM, "no memory for %zu instructions", t->count);
    for (size_t s = 0; s < SLOTS; s++) {
        if (!t->times[s]) continue;
        if (t->at[s] < place->from || t->at[s] >= place->to) {
            c->library += t->times[s];
            continue;
        }
        c->lines[c->line_count++] = (struct count_line){ .at = t->at[s] - place->shift, .times = t->times[s] };
        c->instructions += t->times[s];
    }
    qsort(c->lines, c->line_count, sizeof *c->lines, by_address);
    return ERR_OK;
}

static void name_line(void *counted, uint64_t at, const char *text)
{
    struct count *c = counted;
    const struct count_line key = { .at = at };
    struct count_line *line = bsearch(&key, c->lines, c->line_count, sizeof key, by_address);
    if (!text || !line) return;
    snprintf(line->text, sizeof line->text, "%.111s", text);
    const unsigned classes = count_classes_of(text);
    for (int i = 0; i < COUNT_CLASSES; i++)
        if (classes >> i & 1) c->of[i] += line->times;
}

/* What objdump calls them, a stretch of code at a time; without it they stay nameless. */
static void name_lines(const struct code_place *place, struct count *c)
{
    enum { GAP = 4096 };
    for (size_t from = 0, to; from < c->line_count; from = to) {
        for (to = from + 1; to < c->line_count && c->lines[to].at - c->lines[to - 1].at < GAP; to++) {}
        if (code_read(place, c->lines[from].at, c->lines[to - 1].at + 1, name_line, c, NULL) != ERR_OK) return;
    }
}

int count_kernel(const struct kernel *k, const struct workload_shape *shape, struct count *out, struct err *e)
{
    struct code_place place;
    struct workload *w = NULL;
    struct tally *t = mem_zero(1, sizeof *t);
    struct count c = { 0 };
    int status = t ? code_find(k, &place, e) : FAIL(e, ERR_MEM, "no memory for a tally");
    if (status == ERR_OK) status = workload_create(&w, shape, e);
    if (status == ERR_OK) {
        c.facts = *workload_facts(w);
        status = step_child(&(struct workload_arm){ w, k }, place.at + place.shift, t, e);
    }
    if (status == ERR_OK) status = sort_tally(t, &place, &c, e);
    if (status == ERR_OK) name_lines(&place, &c);
    workload_destroy(w);
    mem_free(t);
    if (status == ERR_OK) *out = c;
    return status;
}

void count_free(struct count *c)
{
    mem_free(c->lines);
    *c = (struct count){ 0 };
}
