/* SPDX-License-Identifier: MIT
 * latency.c - calls in a closed loop, or as an open one has them due, and keeps how long each took. */
#define _GNU_SOURCE
#include "bench/time/latency.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <time.h>

/* Sleeping overshoots by some 60 us, so the last stretch is spun; a simulated clock only moves when
 * it is read. */
static uint64_t wait_until(const struct clock_source *clock, uint64_t due)
{
    const uint64_t spun_ns = 200000;
    uint64_t now = clock_read(clock);
    while (now < due) {
        if (!clock && due - now > 2 * spun_ns) {
            const uint64_t nap = due - now - spun_ns;
            const struct timespec t = { (time_t)(nap / 1000000000u), (long)(nap % 1000000000u) };
            nanosleep(&t, NULL);
        }
        now = clock_read(clock);
    }
    return now;
}

static int is_over(const struct latency_plan *p, uint64_t start)
{
    return p->budget_ns > 0 && (double)(clock_read(p->clock) - start) > p->budget_ns;
}

static void run_closed(struct latency *l, const struct latency_plan *p)
{
    const uint64_t first = clock_read(p->clock);
    for (size_t i = 0; i < p->calls && !is_over(p, first); i++) {
        const uint64_t start = clock_read(p->clock);
        p->call(p->context, i);
        const uint64_t end = clock_read(p->clock);
        l->ns[l->count++] = (double)(end - start);
    }
}

static void run_open(struct latency *l, const struct latency_plan *p)
{
    struct rng rng;
    rng_seed(&rng, p->seed, 0);
    const double gap = 1e9 / p->rate;
    const uint64_t start = clock_read(p->clock);
    double due = 0; /* after start, in ns: a sum of doubles does not drift at these lengths */
    for (size_t i = 0; i < p->calls && !is_over(p, start); i++) {
        const uint64_t now = wait_until(p->clock, start + (uint64_t)due);
        const double late = (double)(now - start) - due;
        if (late > gap * (double)p->waiting) l->skipped++;
        else {
            p->call(p->context, i);
            l->ns[l->count++] = (double)(clock_read(p->clock) - start) - due;
        }
        due += p->poisson ? -gap * log(1 - rng_uniform(&rng)) : gap;
    }
}

int latency_run(struct latency *out, const struct latency_plan *plan, struct err *e)
{
    if (plan->calls == 0) return FAIL(e, ERR_ARG, "latency of no calls");
    struct latency l = { .ns = mem_alloc(plan->calls, sizeof *l.ns) };
    if (!l.ns) return FAIL(e, ERR_MEM, "no memory for %zu calls", plan->calls);
    const uint64_t start = clock_read(plan->clock);
    if (plan->rate > 0) run_open(&l, plan);
    else run_closed(&l, plan);
    l.served = 1e9 * (double)l.count / (double)(clock_read(plan->clock) - start);
    stats_sort(l.ns, l.count);
    *out = l;
    return ERR_OK;
}

void latency_free(struct latency *l)
{
    mem_free(l->ns);
    *l = (struct latency){ 0 };
}

struct percentile latency_percentile(const struct latency *l, double q)
{
    struct percentile p = { 0 };
    const size_t least = q >= 0.999 ? 10000 : q >= 0.99 ? 500 : (size_t)ceil(10 / (1 - q));
    if (l->count < least) return p;
    size_t rank = (size_t)ceil(q * (double)l->count);
    p.ns = l->ns[(rank ? rank : 1) - 1];
    const struct ranks r = stats_quantile_ranks(l->count, q, 0.95);
    p.interval.lo = r.lo >= 1 ? l->ns[r.lo - 1] : 0;
    p.interval.hi = r.hi <= l->count ? l->ns[r.hi - 1] : INFINITY;
    return p;
}

void latency_hgrm(const struct latency *l, struct text *out)
{
    enum { TICKS = 5 };
    text_add(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    const size_t n = l->count;
    double percent = 0, sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) sum += l->ns[i];
    const double mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++) square += (l->ns[i] - mean) * (l->ns[i] - mean);
    for (size_t seen = 0; n && seen < n;) {
        size_t rank = (size_t)ceil(percent / 100 * (double)n);
        if (rank == 0) rank = 1;
        const double value = l->ns[rank - 1];
        for (seen = rank; seen < n && l->ns[seen] == value;) seen++;
        if (seen == n) break;
        text_add(out, "%12.3f %14.12f %10zu %14.2f\n", value / 1e3, percent / 100, seen, 1 / (1 - percent / 100));
        const double half = pow(2, floor(log2(100 / (100 - percent))) + 1);
        percent += 100 / (half * TICKS);
    }
    if (n) text_add(out, "%12.3f %14.12f %10zu\n", l->ns[n - 1] / 1e3, 1.0, n);
    text_add(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / 1e3, n ? sqrt(square / (double)n) / 1e3 : 0);
    text_add(out, "#[Max     = %12.3f, Total count    = %12zu]\n", n ? l->ns[n - 1] / 1e3 : 0, n);
    text_add(out, "#[Buckets = %12zu, SubBuckets     = %12d]\n", n, 1); /* raw samples: none were merged */
}
