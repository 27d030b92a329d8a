/* SPDX-License-Identifier: MIT
 * rag.c - measures pipeline points: opens a pipeline, has it judged, times its calls. */
#include "bench/points/rag.h"
#include "bench/points/rag_judge.h"
#include "bench/time/machine.h"
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include <stdatomic.h>

/* --- opening ------------------------------------------------------------------------------------------ */
static int look(struct rag_arm *a, const struct rag_set *s, int wanted, struct err *e)
{
    const int status = rag_judge(a, s, wanted, e);
    if (status != ERR_OK) rag_close(a);
    return status;
}

int rag_open(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e)
{
    *a = (struct rag_arm){ .point = *p };
    int status = kernel_set_resolve(&a->kernels, p->kernel, e);
    if (status == ERR_OK)
        status = pipeline_open(&a->pipeline, s->db, p->settings, p->setting_count, &a->kernels, e);
    if (status == ERR_OK) pipeline_hold(a->pipeline);
    if (status == ERR_OK && (status = rag_set_still(s, e)) != ERR_OK) rag_close(a);
    return status == ERR_OK ? look(a, s, wanted, e) : status;
}

static void forget(struct rag_arm *a)
{
    mem_free(a->calls.us);
    mem_free(a->answers);
    mem_free(a->scores);
    mem_free(a->answer_count);
    quality_fini(&a->quality);
}

int rag_reopen(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e)
{
    forget(a);
    *a = (struct rag_arm){ .point = *p, .kernels = a->kernels, .pipeline = a->pipeline };
    const int status = pipeline_change(a->pipeline, p->settings, p->setting_count, e);
    if (status == ERR_OK) return look(a, s, wanted, e);
    rag_close(a);
    return status;
}

void rag_close(struct rag_arm *a)
{
    pipeline_close(a->pipeline);
    forget(a);
    *a = (struct rag_arm){ 0 };
}

/* --- timing -------------------------------------------------------------------------------------- */
/* What one thread has to itself. */
struct lane {
    struct pipeline *pipeline;
    uint64_t stage_ns[SLOT_COUNT], out[SLOT_COUNT], fetch_ns;
    int status;
    struct err e;
};

struct timing {
    struct rag_arm *arm;
    const struct rag_set *set;
    struct lane *lanes;
    size_t first;
    atomic_int stop;
};

static void ask_some(void *context, int thread, size_t from, size_t to)
{
    struct timing *t = context;
    struct lane *l = &t->lanes[thread];
    for (size_t c = from; c < to && !atomic_load(&t->stop); c++) {
        struct answer a;
        const size_t call = t->first + c;
        const struct question q = rag_question(t->set, call % t->set->queries.count, 0);
        const uint64_t start = clock_ns();
        l->status = pipeline_query(l->pipeline, &q, t->arm->point.k, &a, &l->e);
        const uint64_t end = clock_ns();
        if (l->status != ERR_OK) {
            atomic_store(&t->stop, 1);
            return;
        }
        t->arm->calls.us[call] = (double)(end - start) * 1e-3;
        l->fetch_ns += a.fetch_ns;
        for (int s = 0; s < SLOT_COUNT; s++) {
            l->stage_ns[s] += a.trace[s].ns;
            l->out[s] += a.trace[s].out;
        }
    }
}

static int run_calls(struct timing *t, double budget_s, struct err *e)
{
    struct calls *calls = &t->arm->calls;
    const size_t once = t->set->queries.count;
    /* A stretch a thread start costs nothing against, and a budget is kept to. */
    enum { STRETCH = 250 };
    struct progress progress;
    progress_start(&progress, "timed questions", calls->room);
    const uint64_t start = clock_ns();
    int status = ERR_OK;
    while (status == ERR_OK && calls->count < calls->room) {
        const double spent = clock_since_s(start);
        if (budget_s > 0 && spent > budget_s && calls->count >= once) break;
        const size_t left = calls->room - calls->count, count = left < STRETCH ? left : STRETCH;
        t->first = calls->count;
        const uint64_t begun = clock_ns();
        parallel_for(t->arm->point.threads, count, 1, ask_some, t);
        calls->wall_s += clock_since_s(begun);
        calls->count += count;
        for (int i = 0; status == ERR_OK && i < t->arm->point.threads; i++)
            if (t->lanes[i].status != ERR_OK) status = FAIL(e, t->lanes[i].status, "%s", t->lanes[i].e.text);
        progress_step(&progress, calls->count);
    }
    progress_end(&progress);
    return status;
}

int rag_time(struct rag_arm *a, const struct rag_set *s, size_t least_calls, double budget_s, struct err *e)
{
    const size_t once = s->queries.count;
    const int threads = a->point.threads;
    struct timing t = { .arm = a, .set = s, .lanes = mem_zero((size_t)threads, sizeof *t.lanes) };
    mem_free(a->calls.us);
    a->calls = (struct calls){ .room = least_calls > once ? least_calls : once };
    a->calls.us = mem_alloc(a->calls.room, sizeof *a->calls.us);
    int status = t.lanes && a->calls.us ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu timings", a->calls.room);
    if (status == ERR_OK) t.lanes[0].pipeline = a->pipeline;
    for (int i = 1; status == ERR_OK && i < threads; i++)
        status = pipeline_share(&t.lanes[i].pipeline, a->pipeline, e);
    const uint64_t steal_ms = machine_load().steal_ms;
    if (status == ERR_OK) status = run_calls(&t, budget_s, e);
    a->steal_ms = machine_load().steal_ms - steal_ms;
    const double per_call = 1 / (double)(a->calls.count ? a->calls.count : 1);
    for (int slot = 0; slot < SLOT_COUNT; slot++) a->stage_us[slot] = a->out[slot] = 0;
    a->fetch_us = 0;
    for (int i = 0; t.lanes && i < threads; i++) {
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            a->stage_us[slot] += (double)t.lanes[i].stage_ns[slot] * 1e-3 * per_call;
            a->out[slot] += (double)t.lanes[i].out[slot] * per_call;
        }
        a->fetch_us += (double)t.lanes[i].fetch_ns * 1e-3 * per_call;
        if (i > 0) pipeline_close(t.lanes[i].pipeline);
    }
    mem_free(t.lanes);
    return status;
}
