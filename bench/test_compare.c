/* SPDX-License-Identifier: MIT
 * test_compare.c - verdicts on samples whose truth is known.  The timings are simulated, so no test
 * depends on how quiet this machine is: the loop, the clock and the noise are the real ones' shape. */
#include "bench/compare.h"
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
    CHECK(compare_judge(s, processes, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    for (size_t p = 0; p < processes; p++) samples_free(&s[p]);
    judged_free(&j);
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
        CHECK(compare_judge(s, 1, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
        CHECK(j.replicates == j.rounds, "one process: %zu of %zu rounds", j.replicates, j.rounds);
        by_rounds += j.verdict != VERDICT_UNRESOLVED;
        samples_free(s);
        judged_free(&j);
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
    CHECK(compare_judge(s, 6, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    CHECK(j.replicates == 6 && j.rounds == 12 && j.ties == 2, "%zu %zu %zu", j.replicates, j.rounds, j.ties);
    CHECK(fabs(j.ratio - 2) < 1e-12 && j.interval.lo == 1 && fabs(j.interval.hi - 2) < 1e-12, "%g [%g, %g]", j.ratio,
          j.interval.lo, j.interval.hi);
    CHECK(j.verdict == VERDICT_UNRESOLVED && fabs(j.within - 1) < 1e-12, "the interval touches 1: within %g", j.within);
    struct text t = { 0 };
    compare_describe(&j, &t);
    CHECK(strcmp(text_of(&t), "not resolved (+- 100.0 %)") == 0, "%s", text_of(&t));
    judged_free(&j);
    CHECK(compare_judge(s, 5, 0, 1, 0.05, 1, &j, NULL) == ERR_OK, "judging");
    text_clear(&t);
    compare_describe(&j, &t);
    CHECK(strstr(text_of(&t), "5 replicates are too few"), "%s", text_of(&t));
    judged_free(&j);
    CHECK(compare_judge(s, 6, 0, 1, 0.05, 2, &j, NULL) == ERR_OK && isinf(j.interval.hi),
          "six are too few for two comparisons");
    judged_free(&j);
    text_free(&t);
}

static void amdahl(void)
{
    CHECK(compare_amdahl(0.5, 2) == 1 / 0.75, "%g", compare_amdahl(0.5, 2));
    CHECK(compare_amdahl(0, 10) == 1 && compare_amdahl(1, 10) == 10, "limits");
}

static void quality(void)
{
    const double a[] = { 1, 0.5, NAN, 0.5, 0.2 }, b[] = { 1, 0.6, 1, 0.4, 0.4 };
    double work[5];
    const struct quality_difference d = compare_quality(a, b, 5, 1, 1, work);
    CHECK(d.wins == 2 && d.ties == 1 && d.losses == 1, "%zu %zu %zu", d.wins, d.ties, d.losses);
    CHECK(fabs(d.mean_arm - d.mean_base - 0.05) < 1e-12 && d.interval.lo <= 0.05 && d.interval.hi >= 0.05, "[%g, %g]",
          d.interval.lo, d.interval.hi);
    const struct quality_difference one_of_many = compare_quality(a, b, 5, 100, 1, work);
    CHECK(one_of_many.interval.lo <= d.interval.lo && one_of_many.interval.hi >= d.interval.hi, "more verdicts, wider");
}

static void refusals(void)
{
    double zero[] = { 0, 0 };
    struct samples s = { .arms = 2, .rounds = 1, .ns = zero };
    struct judged j;
    struct err e = { 0 };
    CHECK(compare_judge(&s, 0, 0, 1, 0.05, 1, &j, &e) == ERR_ARG, "no process: %s", e.text);
    CHECK(compare_judge(&s, 1, 0, 1, 0.05, 1, &j, &e) == ERR_ARG && strstr(e.text, "no time"), "%s", e.text);
}

int main(void)
{
    test_case("worked example: ratio, interval, ties, Bonferroni", worked_example);
    test_case("40 A/A comparisons", forty_nulls);
    test_case("a planted 5 % is resolved, 0 % is not", planted_slow_down);
    test_case("rounds of one process are no replicates", rounds_are_no_replicates);
    test_case("Amdahl", amdahl);
    test_case("paired quality", quality);
    test_case("refusals", refusals);
    return test_end();
}
