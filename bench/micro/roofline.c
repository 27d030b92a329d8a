/* SPDX-License-Identifier: MIT
 * roofline.c - measures this machine's ceilings: instructions at their peak, and bytes read from every cache level.
 * */
#define _GNU_SOURCE
#include "bench/micro/roofline.h"
#include "bench/time/sample.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const struct { const char *variant, *unit; double units_a_byte; } ceilings[CEILING_COUNT] = {
    [CEILING_READ] = { "read", "GB/s", 1 },
    [CEILING_FMA] = { "fma_f32", "GFMA/s", 0.25 },
    [CEILING_INT8] = { "dot_i8", "GMAC/s", 1 },
    [CEILING_SHUFFLE] = { "shuffle", "GB/s", 1 },
    [CEILING_POPCOUNT] = { "popcount", "GB/s", 1 },
};

const char *ceiling_name(enum ceiling c) { return ceilings[c].variant; }
const char *ceiling_unit(enum ceiling c) { return ceilings[c].unit; }

const struct kernel *roofline_reader(void)
{
    struct kernel_set set;
    kernel_set_resolve(&set, NULL, NULL); /* cannot fail: nothing was asked for */
    return set.of[OP_peak];
}

/* Takes up the results of work that has no other use, which a compiler might drop. */
static atomic_ullong used;

struct peak_work { const struct kernel *kernel; const uint8_t *at; size_t size; };

static double run_peak(void *context, uint64_t iterations)
{
    const struct peak_work *w = context;
    atomic_fetch_add_explicit(&used, w->kernel->fn.peak(w->at, w->size, iterations), memory_order_relaxed);
    return -1;
}

/* The rate of an arm whose one iteration does so many units. */
static int rate_of(const struct samples *s, size_t arm, double units, uint64_t seed, struct rate *out, struct err *e)
{
    struct summary sum;
    const int status = stats_summarise(samples_of(s, arm), s->rounds, seed, &sum, e);
    if (status != ERR_OK) return status;
    out->median = units / sum.median;
    out->interval = (struct interval){ units / sum.interval.hi, units / sum.interval.lo };
    return ERR_OK;
}

static int ceiling_of(const struct kernel *k)
{
    int c = 0;
    while (c < CEILING_COUNT && strcmp(ceilings[c].variant, k->variant) != 0) c++;
    return c;
}

int roofline_instructions(struct rate rates[CEILING_COUNT], size_t rounds, uint64_t seed, struct err *e)
{
    enum { MOST = 32, SIZE = 4 * PEAK_STEP };
    struct peak_work work[MOST];
    struct sample_arm arms[MOST];
    size_t count = 0;
    for (const struct kernel *k = kernel_next(OP_peak, NULL); k; k = kernel_next(OP_peak, k)) {
        if (!kernel_runnable(k) || k->kind != KERNEL_FREE || ceiling_of(k) == CEILING_COUNT || count == MOST) continue;
        work[count] = (struct peak_work){ k, NULL, SIZE };
        arms[count] = (struct sample_arm){ .name = k->variant, .run = run_peak, .context = &work[count] };
        count++;
    }
    for (int c = 0; c < CEILING_COUNT; c++) rates[c] = (struct rate){ 0 };
    if (count == 0) return ERR_OK;
    const struct sample_plan plan = { .rounds = rounds, .seed = seed };
    struct samples s;
    int status = sample_run(arms, count, &plan, &s, e);
    if (status != ERR_OK) return status;
    for (size_t a = 0; a < count && status == ERR_OK; a++) {
        const int c = ceiling_of(work[a].kernel);
        struct rate r = { .kernel = work[a].kernel };
        status = rate_of(&s, a, SIZE * ceilings[c].units_a_byte, seed, &r, e);
        if (r.median > rates[c].median) rates[c] = r;
    }
    samples_free(&s);
    return status;
}

/* --- bandwidth --------------------------------------------------------------------------------- */

struct team;
struct member { struct team *team; pthread_t thread; uint8_t *at; int cpu; };
struct team {
    struct member *members;
    int threads;
    size_t bytes;
    const struct kernel *kernel;
    pthread_barrier_t start, end;
    uint64_t passes; /* 0: go home */
};

static void *member_main(void *context)
{
    struct member *m = context;
    (void)clock_pin(m->cpu, NULL); /* where binding is forbidden the scheduler's choice stands */
    for (;;) {
        pthread_barrier_wait(&m->team->start);
        if (m->team->passes == 0) return NULL;
        struct peak_work work = { m->team->kernel, m->at, m->team->bytes };
        run_peak(&work, m->team->passes);
        pthread_barrier_wait(&m->team->end);
    }
}

static double run_team(void *context, uint64_t iterations)
{
    struct team *t = context;
    t->passes = iterations;
    pthread_barrier_wait(&t->start);
    pthread_barrier_wait(&t->end);
    return -1;
}

static int measure_team(struct team *t, size_t rounds, uint64_t seed, struct rate *out, struct err *e)
{
    int started = 0;
    pthread_barrier_init(&t->start, NULL, (unsigned)t->threads + 1);
    pthread_barrier_init(&t->end, NULL, (unsigned)t->threads + 1);
    while (started < t->threads &&
           pthread_create(&t->members[started].thread, NULL, member_main, &t->members[started]) == 0)
        started++;
    if (started < t->threads) { /* those that wait can only be left: the barrier will never open */
        for (int i = 0; i < started; i++) pthread_cancel(t->members[i].thread);
        for (int i = 0; i < started; i++) pthread_join(t->members[i].thread, NULL);
        return FAIL(e, ERR_MEM, "only %d of %d threads could be started", started, t->threads);
    }
    /* Waking the team costs some 10 us: samples of 2 ms make that 0.5 %. */
    const struct sample_arm arm = { .name = "read", .run = run_team, .context = t };
    const struct sample_plan plan = { .rounds = rounds, .sample_ns = 2e6, .seed = seed };
    struct samples s;
    int status = sample_run(&arm, 1, &plan, &s, e);
    t->passes = 0;
    pthread_barrier_wait(&t->start);
    for (int i = 0; i < t->threads; i++) pthread_join(t->members[i].thread, NULL);
    if (status != ERR_OK) return status;
    status = rate_of(&s, 0, (double)t->bytes * t->threads, seed, out, e);
    samples_free(&s);
    return status;
}

int roofline_read(size_t bytes, int threads, size_t rounds, uint64_t seed, struct rate *out, struct err *e)
{
    bytes = bytes < PEAK_STEP ? PEAK_STEP : bytes / PEAK_STEP * PEAK_STEP;
    struct team t = { .threads = threads, .bytes = bytes, .kernel = roofline_reader() };
    t.members = mem_zero((size_t)threads, sizeof *t.members);
    int status = t.members ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %d threads", threads);
    for (int i = 0; i < threads && status == ERR_OK; i++) {
        t.members[i] = (struct member){ .team = &t, .at = mem_alloc(bytes, 1), .cpu = i };
        if (!t.members[i].at) status = FAIL(e, ERR_MEM, "no memory to read %zu bytes in %d threads", bytes, threads);
        else memset(t.members[i].at, 1, bytes);
    }
    struct rate r = { .kernel = t.kernel };
    if (status == ERR_OK && threads == 1) {
        struct peak_work work = { t.kernel, t.members[0].at, bytes };
        const struct sample_arm arm = { .name = "read", .run = run_peak, .context = &work };
        struct samples s;
        status = sample_run(&arm, 1, &(struct sample_plan){ .rounds = rounds, .seed = seed }, &s, e);
        if (status == ERR_OK) {
            status = rate_of(&s, 0, (double)bytes, seed, &r, e);
            samples_free(&s);
        }
    } else if (status == ERR_OK) {
        status = measure_team(&t, rounds, seed, &r, e);
    }
    for (int i = 0; t.members && i < threads; i++) mem_free(t.members[i].at);
    mem_free(t.members);
    if (status == ERR_OK) *out = r;
    return status;
}

/* --- random access ------------------------------------------------------------------------------- */

struct random_work {
    const uint8_t *at;
    uint32_t *order; /* of rows, or of lines: where to go from each */
    size_t count, row_bytes;
    size_t next;
};

/* One iteration is a thousand rows, so that the loop itself does not count. */
enum { ROWS_A_TURN = 1000 };

static double run_rows(void *context, uint64_t iterations)
{
    struct random_work *w = context;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations * ROWS_A_TURN; i++) {
        const uint8_t *row = w->at + w->order[w->next] * w->row_bytes;
        w->next = w->next + 1 == w->count ? 0 : w->next + 1;
        for (size_t at = 0; at < w->row_bytes; at += 64) { /* a word of each line brings the line */
            uint64_t word;
            memcpy(&word, row + at, 8);
            sum += word;
        }
    }
    atomic_fetch_add_explicit(&used, sum, memory_order_relaxed);
    return -1;
}

static double run_chase(void *context, uint64_t iterations)
{
    struct random_work *w = context;
    size_t line = w->next;
    for (uint64_t i = 0; i < iterations * ROWS_A_TURN; i++) {
        uint32_t to;
        memcpy(&to, w->at + line * 64, 4);
        line = to;
    }
    w->next = line;
    atomic_fetch_add_explicit(&used, line, memory_order_relaxed);
    return -1;
}

static int measure_random(size_t bytes, size_t row_bytes, int chase, size_t rounds, uint64_t seed, struct rate *out,
                          struct err *e)
{
    const size_t count = bytes / row_bytes;
    uint8_t *at = mem_alloc(count, row_bytes);
    uint32_t *order = mem_alloc(count, sizeof *order);
    if (!at || !order || count < 2) {
        mem_free(at);
        mem_free(order);
        return FAIL(e, ERR_MEM, "no memory for %zu rows of %zu bytes", count, row_bytes);
    }
    struct rng rng;
    rng_seed(&rng, seed, 1);
    rng_shuffle(&rng, order, count);
    memset(at, 1, count * row_bytes);
    for (size_t i = 0; chase && i < count; i++) memcpy(at + (size_t)order[i] * 64, &order[(i + 1) % count], 4);
    struct random_work work = { at, order, count, row_bytes, 0 };
    const struct sample_arm arm = { .name = "random", .run = chase ? run_chase : run_rows, .context = &work };
    struct samples s;
    int status = sample_run(&arm, 1, &(struct sample_plan){ .rounds = rounds, .sample_ns = 1e6, .seed = seed }, &s, e);
    if (status == ERR_OK) {
        struct rate r = { 0 };
        status = rate_of(&s, 0, ROWS_A_TURN, seed, &r, e);
        if (status == ERR_OK) *out = r;
        samples_free(&s);
    }
    mem_free(at);
    mem_free(order);
    return status;
}

int roofline_rows(size_t bytes, size_t row_bytes, size_t rounds, uint64_t seed, struct rate *out, struct err *e)
{
    return measure_random(bytes, row_bytes, 0, rounds, seed, out, e);
}

int roofline_chase(size_t bytes, size_t rounds, uint64_t seed, struct rate *out, struct err *e)
{
    return measure_random(bytes, 64, 1, rounds, seed, out, e);
}
