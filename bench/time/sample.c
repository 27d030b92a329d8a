/* SPDX-License-Identifier: MIT
 * sample.c - the timing loop.
 *
 * Iterations: doubled until a sample is long enough, then fitted and confirmed by a second
 * measurement.  Ratios use one shared count, the largest any arm asks for: with counts of their own,
 * fixed costs (call, clock, branch history) are amortised differently and appear as a difference of
 * about a percent where there is none (nanobench measured 1.2 %). */
#define _GNU_SOURCE
#include "bench/time/sample.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const double LEAST_SAMPLE_NS = 50e3, RESOLUTIONS_A_SAMPLE = 1000;
/* Wide units and clock frequency settle within some tens of microseconds; caches within one pass. */
static const double WARM_UP_NS = 1e6;
/* A shared count may stretch the sample of the slowest arm to this many times the target. */
static const double MOST_STRETCH = 64;

static double timed(const struct sample_arm *arm, uint64_t iterations, const struct clock_source *clock)
{
    const uint64_t start = clock_read(clock);
    const double own = arm->run(arm->context, iterations);
    const uint64_t end = clock_read(clock);
    return own >= 0 ? own : (double)(end - start);
}

static uint64_t calibrate(const struct sample_arm *arm, double target_ns, const struct clock_source *clock)
{
    uint64_t iterations = 1;
    double ns = timed(arm, iterations, clock), warm = ns;
    while (ns < target_ns && iterations < UINT64_C(1) << 40) {
        iterations *= 2;
        ns = timed(arm, iterations, clock);
        warm += ns;
    }
    while (warm < WARM_UP_NS) warm += fmax(timed(arm, iterations, clock), 1);
    /* Warm now, and faster than when the count was found: confirm, and grow where it is short. */
    for (int i = 0; i < 4; i++) {
        ns = timed(arm, iterations, clock);
        if (ns >= target_ns || ns <= 0) break;
        iterations = (uint64_t)ceil((double)iterations * fmin(1.05 * target_ns / ns, 2));
    }
    return iterations;
}

static void share_count(const struct sample_arm *arms, size_t count, const struct clock_source *clock,
                        double target_ns, uint64_t *iterations)
{
    uint64_t most = 0;
    for (size_t a = 0; a < count; a++) most = iterations[a] > most ? iterations[a] : most;
    double slowest = 0;
    for (size_t a = 0; a < count; a++)
        slowest = fmax(slowest, timed(&arms[a], iterations[a], clock) / (double)iterations[a]);
    const double cap = MOST_STRETCH * target_ns / fmax(slowest, 1e-3);
    if ((double)most > cap) most = (uint64_t)fmax(cap, 1);
    for (size_t a = 0; a < count; a++) iterations[a] = most;
}

void sample_order(const uint32_t *perm, size_t count, size_t round, uint32_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = perm[(i + round) % count];
}

static long preemptions(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static double thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void take_sample(const struct sample_arm *arm, size_t at, uint64_t iterations, const struct sample_plan *plan,
                        double overhead_ns, struct samples *s)
{
    if (arm->place) arm->place(arm->context, at % s->rounds * iterations);
    const long before = preemptions();
    const double cpu_before = thread_cpu_ns();
    const struct counts first = plan->counters ? counters_read(plan->counters) : (struct counts){ 0 };
    const uint64_t start = clock_read(plan->clock);
    const double own = arm->run(arm->context, iterations);
    const uint64_t end = clock_read(plan->clock);
    if (plan->counters) {
        const struct counts last = counters_read(plan->counters);
        s->counts[at] = (struct counts){ last.cycles - first.cycles, last.instructions - first.instructions };
    }
    s->cpu_ns[at] = (thread_cpu_ns() - cpu_before) / (double)iterations;
    s->disturbed[at] = preemptions() != before;
    s->preempted += s->disturbed[at];
    const double ns = own >= 0 ? own : fmax((double)(end - start) - overhead_ns, 0);
    s->ns[at] = ns / (double)iterations;
}

static int allocate(struct samples *s, size_t count, size_t rounds)
{
    *s = (struct samples){ .arms = count, .rounds = rounds };
    s->iterations = mem_zero(count, sizeof *s->iterations);
    s->ns = mem_zero(count * rounds, sizeof *s->ns);
    s->cpu_ns = mem_zero(count * rounds, sizeof *s->cpu_ns);
    s->disturbed = mem_zero(count * rounds, 1);
    s->counts = mem_zero(count * rounds, sizeof *s->counts);
    return s->iterations && s->ns && s->cpu_ns && s->disturbed && s->counts;
}

/* Cuts the rounds to those that were run: rows move together. */
static void shorten(struct samples *s, size_t rounds)
{
    for (size_t a = 1; a < s->arms; a++) {
        memmove(s->ns + a * rounds, s->ns + a * s->rounds, rounds * sizeof *s->ns);
        memmove(s->cpu_ns + a * rounds, s->cpu_ns + a * s->rounds, rounds * sizeof *s->cpu_ns);
        memmove(s->disturbed + a * rounds, s->disturbed + a * s->rounds, rounds);
        memmove(s->counts + a * rounds, s->counts + a * s->rounds, rounds * sizeof *s->counts);
    }
    s->rounds = rounds;
}

static void run_rounds(const struct sample_arm *arms, const struct sample_plan *plan, uint32_t *perm,
                       struct samples *s)
{
    const size_t count = s->arms;
    const uint64_t start = clock_read(plan->clock);
    struct rng rng;
    rng_seed(&rng, plan->seed, 0);
    double overhead_sum = 0;
    size_t done = 0;
    while (done < s->rounds) {
        const double spent = (double)(clock_read(plan->clock) - start);
        if (plan->budget_ns > 0 && spent > plan->budget_ns && done >= plan->least_rounds) break;
        const struct clock_cost cost = clock_measure(plan->clock);
        overhead_sum += cost.overhead_ns * (double)count;
        rng_shuffle(&rng, perm, count);
        for (size_t round = 0; round < count; round++, done++) {
            uint32_t *order = perm + count;
            sample_order(perm, count, round, order);
            for (size_t i = 0; i < count; i++)
                take_sample(&arms[order[i]], order[i] * s->rounds + done, s->iterations[order[i]], plan,
                            cost.overhead_ns, s);
        }
    }
    s->overhead_ns = overhead_sum / (double)done;
    if (done < s->rounds) shorten(s, done);
}

int sample_run(const struct sample_arm *arms, size_t count, const struct sample_plan *plan, struct samples *out,
               struct err *e)
{
    if (count == 0 || plan->rounds == 0) return FAIL(e, ERR_ARG, "sampling needs an arm and a round");
    struct samples s;
    uint32_t *perm = mem_alloc(2 * count, sizeof *perm);
    if (!allocate(&s, count, (plan->rounds + count - 1) / count * count) || !perm) {
        samples_free(&s);
        mem_free(perm);
        return FAIL(e, ERR_MEM, "no memory for %zu samples of %zu arms", plan->rounds, count);
    }
    s.resolution_ns = clock_measure(plan->clock).resolution_ns;
    const double target = fmax(fmax(plan->sample_ns, LEAST_SAMPLE_NS), RESOLUTIONS_A_SAMPLE * s.resolution_ns);
    for (size_t a = 0; a < count; a++) s.iterations[a] = calibrate(&arms[a], target, plan->clock);
    if (plan->shared) share_count(arms, count, plan->clock, target, s.iterations);
    s.before = machine_load();
    run_rounds(arms, plan, perm, &s);
    s.after = machine_load();
    mem_free(perm);
    *out = s;
    return ERR_OK;
}

void samples_free(struct samples *s)
{
    mem_free(s->iterations);
    mem_free(s->ns);
    mem_free(s->cpu_ns);
    mem_free(s->disturbed);
    mem_free(s->counts);
    *s = (struct samples){ 0 };
}

size_t samples_log_ratios(const struct samples *s, size_t base, size_t arm, double *out, size_t *ties)
{
    assert(base < s->arms && arm < s->arms);
    const double *b = samples_of(s, base), *a = samples_of(s, arm);
    size_t n = 0, equal = 0;
    for (size_t i = 0; i < s->rounds; i++) {
        if (a[i] <= 0 || b[i] <= 0) continue;
        equal += a[i] == b[i];
        out[n++] = log(b[i] / a[i]);
    }
    if (ties) *ties = equal;
    return n;
}
