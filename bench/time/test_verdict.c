/* SPDX-License-Identifier: MIT
 * test_verdict.c - verdicts on samples whose truth is known.  The timings are simulated, so no test
 * depends on how quiet this machine is: the loop, the clock and the noise are the real ones' shape. */
#include "bench/time/verdict.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <math.h>

/* A machine whose speed drifts slowly, with log-normal noise on every sample, a rare large hiccup,
 * and a factor of its own for every process and arm (its memory layout). */
struct machine_sim {
    uint64_t now;
    double drift;
    struct rng rng;
};
struct arm_sim { struct machine_sim *machine; double ns; };

static double normal(struct rng *r)
{
    float z;
    rng_normal(r, &z, 1);
    return z;
}

static uint64_t sim_now(void *context) { return ((struct machine_sim *)context)->now += 20; }

static double sim_work(void *context, uint64_t iterations)
{
    struct arm_sim *a = context;
    struct machine_sim *m = a->machine;
    m->drift = 0.999 * m->drift + 0.003 * normal(&m->rng);
    double ns = a->ns * (double)iterations * exp(m->drift + 0.02 * normal(&m->rng));
    if (rng_uniform(&m->rng) < 0.02) ns += 30e3 * rng_uniform(&m->rng);
    m->now += (uint64_t)ns;
    return -1;
}

/* Samples of two arms in `processes` processes; the second takes `factor` times as long. */
static void simulate(struct samples *out, size_t processes, double factor, uint64_t seed)
{
    for (size_t p = 0; p < processes; p++) {
        struct machine_sim m = { 0 };
        rng_seed(&m.rng, seed, p);
        struct arm_sim sims[2];
        sims[0] = (struct arm_sim){ &m, 100 * exp(0.003 * normal(&m.rng)) };
        sims[1] = (struct arm_sim){ &m, 100 * factor * exp(0.003 * normal(&m.rng)) };
        const struct sample_arm arms[2] = { { "a", sim_work, &sims[0], NULL }, { "b", sim_work, &sims[1], NULL } };
        const struct clock_source clock = { sim_now, &m };
        const struct sample_plan plan = { .rounds = 20, .seed = seed + p, .shared = 1, .clock = &clock };
        CHECK(sample_run(arms, 2, &plan, &out[p], NULL) == ERR_OK, "sampling");
    }
}

static enum verdict verdict_of(size_t processes, double factor, uint64_t seed)
{
    struct samples s[32] = { 0 };
    struct judged j = { 0 };
    simulate(s, processes, factor, seed);
    CHECK(verdict_judge(s, processes, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    for (size_t p = 0; p < processes; p++) samples_free(&s[p]);
    verdict_free(&j);
    return j.verdict;
}

/* P(more than 5 of 40 wrongly resolved) at the nominal 5 % is 0.014; the level reached with 10
 * processes is 2.1 %, for which it is below 0.001. */
static void forty_nulls(void)
{
    int resolved = 0;
    for (uint64_t i = 0; i < 40; i++) resolved += verdict_of(10, 1, 1000 + i) != VERDICT_UNRESOLVED;
    CHECK(resolved <= 4, "%d of 40 A/A comparisons resolved", resolved);
}

static void planted_slow_down(void)
{
    int slower = 0, wrong = 0;
    for (uint64_t i = 0; i < 20; i++) {
        const enum verdict v = verdict_of(10, 1.05, 2000 + i);
        slower += v == VERDICT_SLOWER;
        wrong += v == VERDICT_FASTER;
    }
    CHECK(slower == 20 && wrong == 0, "5 %% slower: found %d of 20, wrong way %d", slower, wrong);
    CHECK(verdict_of(10, 1 / 1.05, 3000) == VERDICT_FASTER, "5 %% faster");
    CHECK(verdict_of(10, 1, 3001) == VERDICT_UNRESOLVED, "0 %%");
}

/* Within one process its own layout is taken for a difference: why a process is the replicate. */
static void rounds_are_no_replicates(void)
{
    int by_rounds = 0;
    for (uint64_t i = 0; i < 40; i++) {
        struct samples s[1];
        struct judged j = { 0 };
        struct machine_sim m = { 0 };
        rng_seed(&m.rng, 4000 + i, 0);
        struct arm_sim sims[2] = { { &m, 100 }, { &m, 100 * (i % 2 ? 1.01 : 0.99) } }; /* layout: 1 % */
        const struct sample_arm arms[2] = { { "a", sim_work, &sims[0], NULL }, { "b", sim_work, &sims[1], NULL } };
        const struct clock_source clock = { sim_now, &m };
        const struct sample_plan plan = { .rounds = 400, .seed = i, .shared = 1, .clock = &clock };
        CHECK(sample_run(arms, 2, &plan, s, NULL) == ERR_OK, "sampling");
        CHECK(verdict_judge(s, 1, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
        CHECK(j.replicates == j.rounds, "one process: %zu of %zu rounds", j.replicates, j.rounds);
        by_rounds += j.verdict != VERDICT_UNRESOLVED;
        samples_free(s);
        verdict_free(&j);
    }
    CHECK(by_rounds >= 30, "a layout of 1 %% looked like a difference %d times of 40", by_rounds);
}

static void worked_example(void)
{
    /* Six processes of two rounds; base / arm is 2 in five and 1 in one. */
    double ns[6][4];
    struct samples s[6];
    for (int p = 0; p < 6; p++) {
        const double arm = p == 5 ? 10 : 5;
        ns[p][0] = ns[p][1] = 10;
        ns[p][2] = ns[p][3] = arm;
        s[p] = (struct samples){ .arms = 2, .rounds = 2, .ns = ns[p] };
    }
    struct judged j = { 0 };
    CHECK(verdict_judge(s, 6, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    CHECK(j.replicates == 6 && j.rounds == 12 && j.ties == 2, "%zu %zu %zu", j.replicates, j.rounds, j.ties);
    CHECK(fabs(j.ratio - 2) < 1e-12 && j.interval.lo == 1 && fabs(j.interval.hi - 2) < 1e-12, "%g [%g, %g]", j.ratio,
          j.interval.lo, j.interval.hi);
    CHECK(j.verdict == VERDICT_UNRESOLVED && fabs(j.within - 1) < 1e-12, "the interval touches 1: within %g", j.within);
    struct text t = { 0 };
    verdict_describe(&j, &t);
    CHECK(strcmp(text_of(&t), "not resolved (+- 100.0 %)") == 0, "%s", text_of(&t));
    verdict_free(&j);
    CHECK(verdict_judge(s, 5, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    text_clear(&t);
    verdict_describe(&j, &t);
    CHECK(strstr(text_of(&t), "5 replicates are too few"), "%s", text_of(&t));
    verdict_free(&j);
    CHECK(verdict_judge(s, 6, 0, 1, 0.05, 2, &j, NULL) == ERR_OK && isinf(j.interval.hi),
          "six are too few for two comparisons");
    verdict_free(&j);
    text_free(&t);
}

static void amdahl(void)
{
    CHECK(verdict_amdahl(0.5, 2) == 1 / 0.75, "%g", verdict_amdahl(0.5, 2));
    CHECK(verdict_amdahl(0, 10) == 1 && verdict_amdahl(1, 10) == 10, "limits");
}

static void quality(void)
{
    const double a[] = { 1, 0.5, NAN, 0.5, 0.2 }, b[] = { 1, 0.6, 1, 0.4, 0.4 };
    double work[5];
    const struct quality_difference d = verdict_quality(a, b, 5, 1, 1, work);
    CHECK(d.wins == 2 && d.ties == 1 && d.losses == 1, "%zu %zu %zu", d.wins, d.ties, d.losses);
    CHECK(fabs(d.mean_arm - d.mean_base - 0.05) < 1e-12 && d.interval.lo <= 0.05 && d.interval.hi >= 0.05, "[%g, %g]",
          d.interval.lo, d.interval.hi);
    const struct quality_difference one_of_many = verdict_quality(a, b, 5, 100, 1, work);
    CHECK(one_of_many.interval.lo <= d.interval.lo && one_of_many.interval.hi >= d.interval.hi, "more verdicts, wider");
}

/* Of arms that do not differ, the best is chosen after the fact: over all pairs it is called better than any once in
 * twenty, over the comparisons with it (Bonferroni of count - 1) far more often. */
static void chosen_afterwards(void)
{
    enum { ARMS = 12, N = 60, TRIALS = 200 };
    static double values[ARMS][N];
    static float drawn[ARMS * N];
    const double *arms[ARMS];
    struct interval out[ARMS];
    struct err e = { 0 };
    int wrong = 0, missed = 0;
    double work[N];
    int naive = 0;
    struct rng r;
    rng_seed(&r, 9, 0);
    for (int t = 0; t < TRIALS; t++) {
        double best = -INFINITY;
        size_t chosen = 0;
        rng_normal(&r, drawn, ARMS * N);
        for (size_t i = 0; i < ARMS * N; i++) values[i / N][i % N] = (double)drawn[i];
        for (size_t i = 0; i < ARMS; i++) {
            arms[i] = values[i];
            const double mean = stats_mean(values[i], N);
            if (mean > best) best = mean, chosen = i;
        }
        int worse = 0, worse_naive = 0;
        CHECK(verdict_all_pairs(arms, ARMS, N, chosen, 1, out, &e) == ERR_OK, "%s", e.text);
        for (size_t i = 0; i < ARMS; i++) {
            worse |= i != chosen && out[i].hi < 0;
            if (i != chosen && t < 50)
                worse_naive |= verdict_quality(arms[chosen], arms[i], N, ARMS - 1, 1, work).interval.hi < 0;
        }
        wrong += worse;
        naive += worse_naive;
        for (size_t q = 0; q < N; q++) values[1][q] -= 1.2; /* and a difference is found */
        const size_t other = chosen == 1 ? 0 : chosen;
        CHECK(verdict_all_pairs(arms, ARMS, N, other, 1, out, &e) == ERR_OK, "%s", e.text);
        missed += out[1].hi >= 0;
    }
    CHECK(wrong <= 20, "%d of %d", wrong, TRIALS); /* 10 are due; 20 or fewer but for one run in a thousand */
    CHECK(4 * naive > 2 * wrong, "a choice that does not matter tests nothing: %d of 50, %d of 200", naive, wrong);
    CHECK(missed <= TRIALS / 10, "a difference of %g standard errors is missed %d times", 1.2 / sqrt(2.0 / N), missed);
}

static void all_pairs_at_the_edge(void)
{
    const double a[] = { 1, 2, 3, NAN }, b[] = { 0.5, 1.5, 2.5, 9 }, c[] = { NAN, NAN, 1, 1 }, d[] = { 2, 1, 3, 0 };
    const double *const shifted[] = { a, b, d, a }, *const sparse[] = { a, c };
    struct interval out[4];
    struct err e = { 0 };
    CHECK(verdict_all_pairs(shifted, 4, 4, 0, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(out[0].lo == 0 && out[0].hi == 0 && out[3].lo == 0 && out[3].hi == 0, "with itself");
    CHECK(out[1].lo == -0.5 && out[1].hi == -0.5, "the same for all: [%g, %g]", out[1].lo, out[1].hi);
    CHECK(out[2].lo < 0 && out[2].lo > -10 && out[2].hi > 0 && out[2].hi < 10, "[%g, %g]", out[2].lo, out[2].hi);
    CHECK(verdict_all_pairs(sparse, 2, 4, 0, 1, out, &e) == ERR_OK && isinf(out[1].lo) && isinf(out[1].hi),
          "one query says nothing");
    CHECK(verdict_all_pairs(sparse, 1, 4, 0, 1, out, &e) == ERR_OK && out[0].lo == 0, "one arm");
}

static void refusals(void)
{
    double zero[] = { 0, 0 };
    struct samples s = { .arms = 2, .rounds = 1, .ns = zero };
    struct judged j;
    struct err e = { 0 };
    CHECK(verdict_judge(&s, 0, 0, 1, 0.05, 1, &j, &e) == ERR_ARG, "no process: %s", e.text);
    CHECK(verdict_judge(&s, 1, 0, 1, 0.05, 1, &j, &e) == ERR_ARG && strstr(e.text, "no time"), "%s", e.text);
}

/* An A/A arm that is off by 0.6 % hides what is of its size, and leaves 26 % standing. */
static void offsets_widen(void)
{
    struct judged j = { .interval = { 1.24, 1.28 }, .ratio = 1.26, .verdict = VERDICT_FASTER };
    verdict_widen(&j, log(1.006));
    CHECK(j.verdict == VERDICT_FASTER && fabs(j.interval.lo - 1.24 / 1.006) < 1e-12,
          "26 %%: [%g, %g]", j.interval.lo, j.interval.hi);
    CHECK(fabs(j.interval.hi - 1.28 * 1.006) < 1e-12, "26 %%: up to %g", j.interval.hi);
    j = (struct judged){ .interval = { 1.002, 1.008 }, .ratio = 1.005, .verdict = VERDICT_FASTER };
    verdict_widen(&j, log(1.006));
    CHECK(j.verdict == VERDICT_UNRESOLVED && fabs(j.within - (1.008 * 1.006 - 1)) < 1e-9,
          "0.5 %%: within %g", j.within);
    j = (struct judged){ .interval = { 0, INFINITY }, .verdict = VERDICT_UNRESOLVED };
    verdict_widen(&j, log(1.006));
    CHECK(j.verdict == VERDICT_UNRESOLVED && j.interval.lo == 0 && isinf(j.interval.hi),
          "no interval stays none");
}

int main(void)
{
    test_case("worked example: ratio, interval, ties, Bonferroni", worked_example);
    test_case("40 A/A comparisons", forty_nulls);
    test_case("a planted 5 % is resolved, 0 % is not", planted_slow_down);
    test_case("rounds of one process are no replicates", rounds_are_no_replicates);
    test_case("an A/A offset widens", offsets_widen);
    test_case("Amdahl", amdahl);
    test_case("paired quality", quality);
    test_case("the best of many, chosen afterwards", chosen_afterwards);
    test_case("all pairs: shifts, gaps, too little", all_pairs_at_the_edge);
    test_case("refusals", refusals);
    return test_end();
}
