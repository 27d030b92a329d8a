/* SPDX-License-Identifier: MIT
 * sweep_run.c - the processes of a sweep.
 *
 *   coordinator   knows the plan, counts; measures nothing
 *   warmer        computes truth into its cache and ends: BLAS and threads live and die here
 *   group         one a load key: loads, builds (an index sweep), then forks
 *   worker        one a point: measures, writes its row and ends
 *
 * A worker that dies is a row with its signal; a group that dies is that for the points it had left.
 * Children die with their parent, so that a killed sweep leaves nobody behind who still writes.  What an
 * index's training itself does with threads or BLAS ends before the group forks (threads are joined;
 * OpenBLAS stops its own in its fork handler). */
#define _GNU_SOURCE
#include "bench/points/ann_kept.h"
#include "bench/points/ann_row.h"
#include "bench/points/rag_judge.h"
#include "bench/points/rag_row.h"
#include "bench/rows/output.h"
#include "bench/sweep/sweep.h"
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 3, WORKER_FAILED = 9, WORKERS_MOST = 256, FIRST_ROUND = 64 };

/* Seen by all processes; but for points without clocks only one of them runs at a time. */
struct shared {
    size_t finished;    /* points of all groups that have a row */
    size_t next;        /* in the work list: the first point of the group that is not done */
    size_t rep[WORKERS_MOST]; /* the repetition that each worker is at */
    size_t failed, unwritten; /* of those that failed, by rows that could not be written */
    struct err why_unwritten; /* the first of them */
    double overhead_s;  /* sum over finished points of what was not timed calls */
    uint64_t built_key; /* of the index that a pipeline's worker built last, */
    double built_s;     /* and how long that took */
};

/* A point of which some repetition is to be measured: those that are not done yet. */
struct task {
    const struct point *point;
    const unsigned char *done; /* by repetition */
};

struct job {
    const struct sweep *sweep;
    const struct plan *plan;
    const char *folder, *csv;
    struct run *run;
    struct layout layout;
    struct task *work; /* equal keys side by side */
    unsigned char *done; /* plan's points x repetitions */
    size_t count;
    int fd;
    size_t slot; /* of this worker */
    uint64_t start_ns;
    struct shared *shared;
    struct progress progress;
};

/* --- what is done already --------------------------------------------------------------------------- */
struct seen {
    char id[17];
    double rep;
    int ok, tries;
};

static int by_key(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    const int c = strcmp(x->id, y->id);
    return c ? c : (x->rep > y->rep) - (x->rep < y->rep);
}

/* Every (point, repetition) in the folder, sorted: whether it has a good row, and how many failures. */
static int read_seen(const char *folder, struct seen **out, size_t *count, struct err *e)
{
    struct table t = { 0 };
    int status = sweep_read(&t, &folder, 1, e);
    struct seen *all = status == ERR_OK ? mem_zero(t.count, sizeof *all) : NULL;
    if (status == ERR_OK && !all) status = FAIL(e, ERR_MEM, "%s: no memory for %zu rows", folder, t.count);
    const int id = table_column(&t, "point_id"), rep = table_column(&t, "rep"), ok = table_column(&t, "status");
    size_t kept = 0;
    for (size_t i = 0; status == ERR_OK && i < t.count; i++) {
        struct seen *s = &all[kept];
        s->rep = table_number(&t, i, rep);
        if (!(s->rep >= 0)) continue; /* of no repetition: nothing is done by it */
        snprintf(s->id, sizeof s->id, "%s", table_text(&t, i, id));
        s->ok = strcmp(table_text(&t, i, ok), "ok") == 0;
        s->tries = !s->ok;
        kept++;
    }
    const size_t rows = kept;
    kept = 0;
    if (status == ERR_OK) qsort(all, rows, sizeof *all, by_key);
    for (size_t i = 0; status == ERR_OK && i < rows; i++) {
        if (kept && by_key(&all[kept - 1], &all[i]) == 0) {
            all[kept - 1].ok += all[i].ok;
            all[kept - 1].tries += all[i].tries;
        } else {
            all[kept++] = all[i];
        }
    }
    table_free(&t);
    if (status != ERR_OK) return status;
    *out = all;
    *count = kept;
    return ERR_OK;
}

struct progress_of { size_t done, failed; int given_up; };

/* How far a point has come: done[rep] (may be NULL) is set for every repetition with a good row. */
static struct progress_of look_up(const struct seen *seen, size_t count, const char *id, size_t reps,
                                  unsigned char *done)
{
    struct progress_of at = { 0 };
    struct seen key = { .rep = 0 };
    snprintf(key.id, sizeof key.id, "%s", id);
    for (size_t rep = 0; rep < reps; rep++) {
        key.rep = (double)rep;
        const struct seen *s = bsearch(&key, seen, count, sizeof *seen, by_key);
        const int ok = s && s->ok;
        if (done) done[rep] = (unsigned char)ok;
        at.done += (size_t)ok;
        at.failed += s && !ok;
        at.given_up |= s && !ok && s->tries >= TRIES;
    }
    return at;
}

int sweep_status(const struct plan *p, size_t reps, const char *folder, struct sweep_status *out, struct err *e)
{
    struct seen *seen;
    size_t count;
    const int status = read_seen(folder, &seen, &count, e);
    if (status != ERR_OK) return status;
    *out = (struct sweep_status){ .points = p->count };
    for (size_t i = 0; i < p->count; i++) {
        const struct progress_of at = look_up(seen, count, p->points[i].id, reps, NULL);
        out->rows += at.done;
        if (at.done == reps) out->done++;
        else if (at.failed) out->failed++;
        else out->missing++;
    }
    mem_free(seen);
    return ERR_OK;
}

/* --- rows ------------------------------------------------------------------------------------------------ */
static int write_row(const struct job *j, const struct row *row, struct err *e)
{
    struct text line = { 0 };
    row_csv(row, &line);
    const int status = row_append(j->fd, &line, j->csv, e);
    text_free(&line);
    return status;
}

static size_t first_missing(const struct task *task)
{
    size_t rep = 0;
    while (task->done[rep]) rep++;
    return rep;
}

/* A repetition that gave nothing: its row says why, where there is room on the disk for one. */
static void write_failure(const struct job *j, const struct point *point, size_t rep, const char *why)
{
    struct row row;
    if (row_init(&row, &j->layout, NULL) != ERR_OK) return;
    if (j->plan->rag.db) {
        const struct rag_point p = plan_rag(j->plan, point);
        rag_identity(&row, j->run, &j->plan->rag, &p, (int)rep);
    } else {
        const struct ann_point p = plan_ann(j->plan, point);
        ann_identity(&row, j->run, &j->plan->ann, &p, (int)rep);
    }
    row_text(&row, "status", why);
    struct err e = { 0 };
    if (write_row(j, &row, &e) != ERR_OK && __atomic_fetch_add(&j->shared->unwritten, 1, __ATOMIC_RELAXED) == 0)
        j->shared->why_unwritten = e;
    row_fini(&row);
    __atomic_add_fetch(&j->shared->failed, 1, __ATOMIC_RELAXED);
}

/* The same for a point that was not even begun. */
static void give_up(const struct job *j, const struct task *task, const char *why)
{
    write_failure(j, task->point, first_missing(task), why);
}

/* --- workers ------------------------------------------------------------------------------------------------ */
/* What the timed calls of the next point may take so that the points that are left fit the budget. */
static double calls_budget(const struct job *j)
{
    if (j->sweep->budget_s <= 0) return 0;
    const double spent = clock_since_s(j->start_ns), left = j->sweep->budget_s - spent;
    const size_t done = j->shared->finished, points = j->count - done;
    const double overhead = done ? j->shared->overhead_s / (double)done : 0;
    const double share = left / (double)(points ? points : 1) - overhead;
    return share > 0.02 ? share : 0.02;
}

static int budget_spent(const struct job *j)
{
    return j->sweep->budget_s > 0 && clock_since_s(j->start_ns) > j->sweep->budget_s;
}

/* Repetitions that are still to be measured; the shared one follows. */
static int next_missing(const struct job *j, const struct task *task, size_t *rep)
{
    while (*rep < j->sweep->reps && task->done[*rep]) ++*rep;
    if (*rep < j->sweep->reps) j->shared->rep[j->slot] = *rep;
    return *rep < j->sweep->reps;
}

static int measure_ann(const struct job *j, struct ann_set *set, const struct ann_index *built,
                       const struct task *task, double budget_s, double *timed_s, struct err *e)
{
    const struct point *point = task->point;
    struct ann_arm arm = { .point = plan_ann(j->plan, point), .built = built };
    const struct ann_plan plan = { j->sweep->untimed ? 1 : j->sweep->least_calls, budget_s / (double)j->sweep->reps, 0 };
    int status = ERR_OK;
    for (size_t rep = 0; status == ERR_OK && next_missing(j, task, &rep); rep++) {
        struct row row;
        status = ann_measure(set, &arm, 1, &plan, e);
        *timed_s += arm.calls.wall_s;
        if (status == ERR_OK) status = row_init(&row, &j->layout, e);
        if (status != ERR_OK) break;
        if (j->sweep->untimed) arm.calls.count = 0, arm.retrieve_us = arm.rerank_us = NAN;
        status = ann_row(&row, j->run, set, &arm, (int)rep, e);
        if (status == ERR_OK)
            status = point_queries(j->folder, point->id, NULL, &arm.quality, &arm.calls, arm.point.batch, e);
        if (status == ERR_OK) status = write_row(j, &row, e);
        row_fini(&row);
        ann_arm_fini(&arm);
    }
    ann_arm_fini(&arm);
    return status;
}

/* Several ran at a time: what they took says nothing. */
static void forget_times(struct rag_arm *arm)
{
    arm->calls.count = 0;
    arm->fetch_us = NAN;
    for (int slot = 0; slot < SLOT_COUNT; slot++) arm->stage_us[slot] = NAN;
    for (int depth = 0; depth <= GRAPH_DEPTH_MAX; depth++) arm->hops[depth].us = NAN;
}

static int measure_rag(const struct job *j, const struct rag_set *set, const struct task *task, double budget_s,
                       double *timed_s, struct err *e)
{
    const struct point *point = task->point;
    const struct rag_point asked = plan_rag(j->plan, point);
    struct rag_arm arm;
    int status = rag_open(&arm, set, &asked, RAG_USUAL, e);
    if (status != ERR_OK) return status;
    /* The first worker of a key builds; the others find the index beside the database. */
    if (arm.build_s > 0) {
        j->shared->built_key = point->build_key;
        j->shared->built_s = arm.build_s;
    } else if (j->shared->built_key == point->build_key) {
        arm.build_s = j->shared->built_s;
    }
    for (size_t rep = 0; status == ERR_OK && next_missing(j, task, &rep); rep++) {
        struct row row;
        status = rag_time(&arm, set, j->sweep->untimed ? 1 : j->sweep->least_calls ? j->sweep->least_calls : 2000,
                          budget_s / (double)j->sweep->reps, e);
        *timed_s += arm.calls.wall_s;
        if (status == ERR_OK) status = row_init(&row, &j->layout, e);
        if (status != ERR_OK) break;
        if (j->sweep->untimed) forget_times(&arm);
        status = rag_row(&row, j->run, set, &arm, (int)rep, e);
        if (status == ERR_OK)
            status = point_queries(j->folder, point->id, set->queries.names, &arm.quality, &arm.calls, 1, e);
        if (status == ERR_OK) status = write_row(j, &row, e);
        row_fini(&row);
    }
    rag_close(&arm);
    return status;
}

/* What is loaded once for all points of one load key: workers are forked with it in memory. */
struct loaded {
    struct ann_set ann;
    struct ann_index built;
    struct rag_set rag;
};

/* --- being stopped: SIGINT and SIGTERM end what runs, not the file of rows ----------------------------------- */
static volatile sig_atomic_t stopped;         /* by which signal */
static volatile pid_t coordinator, its_child; /* 0: none */

/* In every process of a sweep, as Ctrl-C reaches all of them.  Only the coordinator acts: its child dies at once, and what
 * that one forked dies with it. */
static void stop(int number)
{
    if (getpid() != coordinator) return;
    stopped = number;
    if (its_child > 0) kill(its_child, SIGKILL);
}

static void watch_signals(struct sigaction old[2], int on)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    struct sigaction ours = { .sa_handler = stop, .sa_flags = SA_RESTART };
    if (on) stopped = 0, its_child = 0, coordinator = getpid();
    for (int i = 0; i < 2; i++) {
        if (on) sigaction(numbers[i], NULL, &old[i]);
        /* What the caller ignores (nohup, a job in the background) stays ignored. */
        if (old[i].sa_handler != SIG_IGN) sigaction(numbers[i], on ? &ours : &old[i], NULL);
    }
    if (!on) coordinator = 0;
}

static pid_t fork_child(void)
{
    const pid_t parent = getpid();
    sigset_t both, before;
    fflush(NULL);
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, &before); /* none between the fork and knowing whom to kill */
    const pid_t pid = stopped ? -1 : fork();
    if (pid > 0 && parent == coordinator) its_child = pid;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
    }
    return pid;
}

/* Waits for a child: "" when it ended well, else why not ("written": its row says so). */
static void wait_child(pid_t pid, char *why, size_t size)
{
    int status = 0;
    why[0] = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (getpid() == coordinator) its_child = 0;
    if (WIFSIGNALED(status)) snprintf(why, size, "signal:%d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == WORKER_FAILED) snprintf(why, size, "written");
    else if (WEXITSTATUS(status)) snprintf(why, size, "error: a process ended with %d", WEXITSTATUS(status));
}

static void work(const struct job *j, struct loaded *l, const struct task *task)
{
    const struct point *point = task->point;
    const uint64_t start = clock_ns();
    double timed_s = 0;
    struct err e = { 0 };
    if (j->sweep->before_point) j->sweep->before_point(j->plan, point);
    const double budget_s = calls_budget(j);
    const int status = j->plan->rag.db ? measure_rag(j, &l->rag, task, budget_s, &timed_s, &e)
                                       : measure_ann(j, &l->ann, &l->built, task, budget_s, &timed_s, &e);
    j->shared->overhead_s += clock_since_s(start) - timed_s;
    if (status == ERR_OK) _exit(0);
    char why[600];
    snprintf(why, sizeof why, "error: %s", e.text);
    write_failure(j, point, j->shared->rep[j->slot], why);
    _exit(WORKER_FAILED);
}

/* --- groups ---------------------------------------------------------------------------------------------------- */
/* From <folder>/indexes/<binary>, where an earlier group, shard or run of this very program has left it.  Read, not mapped: a
 * map has small pages, and would be slower to search than what was built. */
static int obtain(const struct job *j, struct loaded *l, const struct ann_point *p, struct err *e)
{
    struct text folder = { 0 };
    text_add(&folder, "%s/indexes/%s", j->folder, j->run->binary);
    const struct ann_store store = { text_of(&folder), j->sweep->keep_from_s };
    int status = folder.failed ? FAIL(e, ERR_MEM, "no memory for a path") : ERR_OK;
    if (status == ERR_OK) status = ann_obtain(&l->built, &l->ann, p, NULL, 0, &store, e);
    if (status == ERR_OK && l->built.rebuilt) fprintf(stderr, "sweep: the index of %s kept in %s was damaged, and is built anew\n", p->spec, text_of(&folder));
    text_free(&folder);
    return status;
}

static int load(const struct job *j, struct loaded *l, const struct point *first, struct err *e)
{
    if (j->plan->rag.db) {
        const struct rag_point p = plan_rag(j->plan, first);
        const size_t depth = j->plan->depth < 100 ? 100 : j->plan->depth;
        l->rag = j->plan->rag; /* questions and labels are the coordinator's; the rest is made here */
        return rag_prepare(&l->rag, &p, depth, 1, e);
    }
    const struct ann_point p = plan_ann(j->plan, first);
    l->ann = j->plan->ann;
    const int status = ann_set_truth(&l->ann, j->sweep->truth, j->plan->depth, 1, e);
    return status == ERR_OK ? obtain(j, l, &p, e) : status;
}

/* Workers that run, by slot. */
struct crew {
    struct { pid_t pid; size_t at; } of[WORKERS_MOST];
    size_t most, count;
};

static void begin(struct job *j, struct loaded *l, struct crew *c, size_t at)
{
    j->slot = 0;
    while (c->of[j->slot].pid) j->slot++;
    j->shared->rep[j->slot] = first_missing(&j->work[at]);
    const pid_t pid = fork_child();
    if (pid == 0) work(j, l, &j->work[at]);
    if (pid > 0) {
        c->of[j->slot].pid = pid;
        c->of[j->slot].at = at;
        c->count++;
        return;
    }
    write_failure(j, j->work[at].point, j->shared->rep[j->slot], "error: no process could be started");
    j->shared->finished++;
}

/* Waits for one; what comes before the first that still runs is done. */
static void end(struct job *j, struct crew *c, size_t claimed)
{
    int status = 0;
    size_t slot = 0, first = claimed;
    char why[64] = "";
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno == EINTR) return;
    while (slot < WORKERS_MOST && c->of[slot].pid != pid) slot++;
    if (slot == WORKERS_MOST) return;
    if (WIFSIGNALED(status)) snprintf(why, sizeof why, "signal:%d", WTERMSIG(status));
    else if (WEXITSTATUS(status) && WEXITSTATUS(status) != WORKER_FAILED) snprintf(why, sizeof why, "error: a process ended with %d", WEXITSTATUS(status));
    if (*why) write_failure(j, j->work[c->of[slot].at].point, j->shared->rep[slot], why);
    c->of[slot].pid = 0;
    c->count--;
    for (size_t i = 0; i < WORKERS_MOST; i++)
        if (c->of[i].pid && c->of[i].at < first) first = c->of[i].at;
    j->shared->next = first;
    progress_step(&j->progress, ++j->shared->finished);
}

/* Points work[from] .. work[to - 1], all of one load key. */
static void run_group(struct job *j, size_t from, size_t to)
{
    struct loaded l = { 0 };
    struct err e = { 0 };
    const int cpus = parallel_cpus();
    struct crew crew = { .most = !j->sweep->untimed ? 1 : cpus < WORKERS_MOST ? (size_t)cpus : WORKERS_MOST };
    const uint64_t start = clock_ns();
    if (load(j, &l, j->work[from].point, &e) != ERR_OK) {
        char why[600];
        snprintf(why, sizeof why, "error: %s", e.text);
        for (; j->shared->next < to; j->shared->next++, j->shared->finished++)
            give_up(j, &j->work[j->shared->next], why);
        _exit(0);
    }
    j->shared->overhead_s += clock_since_s(start);
    for (size_t claimed = from; crew.count || (claimed < to && !budget_spent(j));) {
        if (crew.count < crew.most && claimed < to && !budget_spent(j)) begin(j, &l, &crew, claimed++);
        else end(j, &crew, claimed);
    }
    _exit(0);
}

static void run_groups(struct job *j)
{
    for (size_t from = 0, to; from < j->count && !budget_spent(j) && !stopped; from = to) {
        for (to = from + 1; to < j->count && j->work[to].point->load_key == j->work[from].point->load_key; to++) {}
        char why[64] = "error: no process could be started";
        j->shared->next = from;
        const pid_t pid = fork_child();
        if (pid == 0) run_group(j, from, to);
        if (pid > 0) wait_child(pid, why, sizeof why);
        for (; *why && !stopped && j->shared->next < to; j->shared->next++, j->shared->finished++)
            give_up(j, &j->work[j->shared->next], why);
        j->progress.shown |= isatty(STDERR_FILENO); /* the group drew it */
    }
}

/* Truth into its cache, in a process that ends: afterwards nobody who forks needs BLAS. */
static void warm_truth(const struct job *j)
{
    if (j->plan->rag.db || j->sweep->truth) return;
    char why[64];
    const pid_t pid = fork_child();
    if (pid == 0) {
        struct ann_set set = j->plan->ann;
        const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        _exit(ann_set_truth(&set, NULL, j->plan->depth, cpus > 0 ? (int)cpus : 1, NULL) == ERR_OK ? 0 : 1);
    }
    if (pid > 0) wait_child(pid, why, sizeof why);
}

/* --- the coordinator
 * ---------------------------------------------------------------------------------------------- */
/* Of order[from .. to - 1], points of one group side by side, in the order of their first. */
static size_t group_some(const struct job *j, const size_t *order, size_t from, size_t to, unsigned char *taken, struct task *out)
{
    size_t put = 0;
    for (size_t i = from; i < to; i++) {
        if (taken[order[i]]) continue;
        const uint64_t key = j->work[order[i]].point->load_key;
        for (size_t n = i; n < to; n++) {
            if (taken[order[n]] || j->work[order[n]].point->load_key != key) continue;
            taken[order[n]] = 1;
            out[put++] = j->work[order[n]];
        }
    }
    return put;
}

/* A budget may end early: what it reaches first should cover the grid.  In rounds, each as large as all before it, so that a
 * group is loaded once a round: a few times in all. */
static int spread(struct job *j, struct err *e)
{
    const struct point **points = mem_alloc(j->count, sizeof *points);
    size_t *order = mem_alloc(j->count, sizeof *order), put = 0;
    struct task *work = mem_alloc(j->count, sizeof *work);
    unsigned char *taken = mem_zero(j->count, 1);
    int status = points && order && work && taken ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu points", j->count);
    for (size_t i = 0; status == ERR_OK && i < j->count; i++) points[i] = j->work[i].point;
    if (status == ERR_OK) status = sweep_order(j->plan, points, j->count, order, e);
    for (size_t from = 0, to = FIRST_ROUND; status == ERR_OK && from < j->count; from = to, to *= 2)
        put += group_some(j, order, from, to < j->count ? to : j->count, taken, work + put);
    if (status == ERR_OK && put) memcpy(j->work, work, put * sizeof *work);
    mem_free(points);
    mem_free(order);
    mem_free(work);
    mem_free(taken);
    return status;
}

/* Fills j->work with the points of this shard that are not done and have not failed TRIES times. */
static int find_work(struct job *j, struct shard shard, struct run_result *out, struct err *e)
{
    struct seen *seen;
    size_t count;
    const int status = read_seen(j->folder, &seen, &count, e);
    if (status != ERR_OK) return status;
    const size_t reps = j->sweep->reps;
    j->work = mem_alloc(j->plan->count, sizeof *j->work);
    j->done = mem_alloc(j->plan->count, reps);
    if (!j->work || !j->done) {
        mem_free(seen);
        return FAIL(e, ERR_MEM, "no memory for %zu points", j->plan->count);
    }
    for (size_t i = 0; i < j->plan->count; i++) {
        const struct point *p = &j->plan->points[i];
        if (!shard_has(shard, p->id) || (j->sweep->only && !j->sweep->only[i])) continue;
        const struct progress_of at = look_up(seen, count, p->id, reps, j->done + i * reps);
        out->wanted++;
        if (at.done == reps || at.given_up) out->skipped++;
        else j->work[j->count++] = (struct task){ p, j->done + i * reps };
    }
    mem_free(seen);
    return j->sweep->budget_s > 0 ? spread(j, e) : ERR_OK;
}

/* What index_doubt says of the plan's indexes, once each. */
static void note_doubts(struct run *run, const struct plan *p)
{
    const size_t rows = p->rag.db ? p->rag.base_count : p->ann.base.rows.count;
    struct text all = { 0 }, one = { 0 };
    const char *last = "";
    const int at = vocabulary_find(&p->names, "index");
    for (size_t i = 0; i < p->count; i++) {
        const struct point *point = &p->points[i];
        const char *spec = point->spec ? point->spec : at < 0 ? NULL : point->values[at];
        if (!spec || strcmp(spec, last) == 0) continue;
        last = spec;
        text_clear(&one);
        index_doubt(spec, rows, &one);
        if (one.size && !strstr(text_of(&all), text_of(&one))) text_add(&all, "%s%s", all.size ? "; " : "", text_of(&one));
    }
    if (all.size) run_note(run, "doubt", "%s", text_of(&all));
    text_free(&all);
    text_free(&one);
}

static void note_data(struct run *run, const struct sweep *s, const struct plan *p)
{
    char name[128];
    path_short(s->path, name, sizeof name);
    run_note(run, "config", "%s", name);
    if (s->one_at_a_time) run_note(run, "one_at_a_time", "true");
    if (p->rag.db)
        run_note(run, "dataset", "%s, with questions and labels %016llx", p->rag.name,
                 (unsigned long long)p->rag.hash);
    else
        run_note(run, "dataset", "%s, %zu x %zu, with queries %016llx", p->ann.name, p->ann.base.rows.count,
                 p->ann.base.rows.dim, (unsigned long long)p->ann.hash);
    struct text left = { 0 };
    if (p->rag.db) rag_set_note(&p->rag, run);
    else tally_text(&p->ann.notes, "; ", &left);
    if (left.size) run_note(run, "left_out", "%s", text_of(&left));
    text_free(&left);
    note_doubts(run, p);
    if (s->untimed) run_note(run, "points", "%zu, quality alone, reps %zu", p->count, s->reps);
    else if (s->least_calls) run_note(run, "points", "%zu, min_calls %zu, reps %zu", p->count, s->least_calls, s->reps);
    else run_note(run, "points", "%zu, min_calls as usual, reps %zu", p->count, s->reps);
}

static void measure_all(struct job *j, struct run_result *out)
{
    struct sigaction old[2];
    watch_signals(old, 1);
    progress_start(&j->progress, "points", j->count);
    warm_truth(j);
    run_groups(j);
    progress_end(&j->progress);
    out->stopped = stopped;
    watch_signals(old, 0);
    out->measured = j->shared->finished;
    out->failed = j->shared->failed;
    out->unwritten = j->shared->unwritten;
    out->why_unwritten = j->shared->why_unwritten;
    out->budget_spent = !out->stopped && j->shared->finished < j->count;
}

/* The file of rows, without those of data that has changed since. */
static int open_rows(struct job *j, const struct run *run, struct run_result *out, struct err *e)
{
    char data[17];
    const struct plan *p = j->plan;
    const uint64_t hash = p->rag.db ? p->rag.hash : p->ann.hash;
    snprintf(data, sizeof data, "%016llx", (unsigned long long)hash);
    int status = row_open(&j->fd, j->csv, &j->layout, text_of(&run->notes), e);
    if (status == ERR_OK)
        status = sweep_set_aside(j->csv, p->rag.db ? p->rag.name : p->ann.name, data, &out->set_aside, e);
    if (status != ERR_OK || !out->set_aside) return status;
    close(j->fd);
    j->fd = -1;
    return row_open(&j->fd, j->csv, &j->layout, text_of(&run->notes), e);
}

/* <folder>/config.yaml: what was asked for, for whoever goes on (sweep refine).  A config that is no file leaves none. */
static int keep_config(const struct sweep *s, const char *folder, struct err *e)
{
    unsigned char *bytes;
    size_t size;
    struct text all = { 0 };
    if (mem_read_file(&bytes, &size, s->path, NULL) != ERR_OK) return ERR_OK;
    text_add_bytes(&all, bytes, size);
    mem_free(bytes);
    const int status = output_write_in(folder, "config.yaml", &all, e);
    text_free(&all);
    return status;
}

int sweep_run(const struct sweep *s, const struct plan *p, const char *folder, struct shard shard, struct run *run,
              struct run_result *out, struct err *e)
{
    struct job j = { .sweep = s, .plan = p, .folder = folder, .run = run, .fd = -1, .start_ns = clock_ns() };
    struct text csv = { 0 };
    *out = (struct run_result){ 0 };
    if (shard.of) text_add(&csv, "%s/sweep.%zu-of-%zu.csv", folder, shard.at, shard.of);
    else text_add(&csv, "%s/sweep.csv", folder);
    j.csv = text_of(&csv);
    note_data(run, s, p);
    int status = folder_make(folder, e);
    if (status == ERR_OK) status = plan_layout(p, &j.layout, e);
    if (status == ERR_OK) status = open_rows(&j, run, out, e);
    if (status == ERR_OK) status = plan_write(p, folder, e);
    if (status == ERR_OK) status = keep_config(s, folder, e);
    if (status == ERR_OK) status = find_work(&j, shard, out, e);
    j.shared = mmap(NULL, sizeof *j.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (status == ERR_OK && j.shared == MAP_FAILED) status = FAIL(e, ERR_MEM, "no memory to share");
    const int anchored = shard.of > 0 && j.count > 0;
    if (status == ERR_OK && anchored) status = sweep_anchor(run, folder, shard, "start", e);
    if (status == ERR_OK && j.count) measure_all(&j, out);
    if (status == ERR_OK && anchored && !out->stopped) status = sweep_anchor(run, folder, shard, "end", e);
    if (j.shared != MAP_FAILED) munmap(j.shared, sizeof *j.shared);
    if (j.fd >= 0) close(j.fd);
    layout_fini(&j.layout);
    mem_free(j.work);
    mem_free(j.done);
    text_free(&csv);
    return status;
}
