/* SPDX-License-Identifier: MIT
 * test_sample.c - the timing loop against a simulated clock: nothing here depends on how quiet the
 * machine is. */
#include "bench/time/sample.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <math.h>

/* A clock that costs 20 ns to read and moves when an arm works. */
struct world {
    uint64_t now;
    struct rng rng;
    char log[4096];
    size_t logged;
};
struct worker { struct world *world; double ns; char letter; };

static uint64_t world_now(void *context) { return ((struct world *)context)->now += 20; }

static double work(void *context, uint64_t iterations)
{
    struct worker *w = context;
    w->world->now += (uint64_t)(w->ns * (double)iterations);
    if (w->world->logged < sizeof w->world->log) w->world->log[w->world->logged++] = w->letter;
    return -1;
}

static struct samples run(struct worker *workers, size_t count, struct sample_plan plan)
{
    struct world *world = workers[0].world;
    const struct clock_source clock = { world_now, world };
    struct sample_arm arms[8];
    for (size_t i = 0; i < count; i++)
        arms[i] = (struct sample_arm){ .name = "arm", .run = work, .context = &workers[i] };
    plan.clock = &clock;
    struct samples s = { 0 };
    CHECK(sample_run(arms, count, &plan, &s, NULL) == ERR_OK, "status");
    return s;
}

static void counts_and_overhead(void)
{
    struct world world = { 0 };
    struct worker w[2] = { { &world, 10, 'a' }, { &world, 1000, 'b' } };
    struct samples s = run(w, 2, (struct sample_plan){ .rounds = 7, .seed = 1 });
    CHECK(s.rounds == 8, "7 rounds of 2 arms are rounded up to 8: %zu", s.rounds);
    CHECK(s.overhead_ns == 20 && s.resolution_ns == 20, "overhead %g", s.overhead_ns);
    for (size_t a = 0; a < 2; a++) {
        CHECK((double)s.iterations[a] * w[a].ns >= 50e3, "%llu iterations", (unsigned long long)s.iterations[a]);
        for (size_t i = 0; i < s.rounds; i++)
            CHECK(samples_of(&s, a)[i] == w[a].ns, "arm %zu: %g ns, overhead left in?", a, samples_of(&s, a)[i]);
    }
    samples_free(&s);
    w[0].ns = 50;
    s = run(w, 2, (struct sample_plan){ .rounds = 2, .seed = 1, .shared = 1 });
    CHECK(s.iterations[0] == s.iterations[1] && (double)s.iterations[0] * 50 >= 50e3, "shared: %llu and %llu",
          (unsigned long long)s.iterations[0], (unsigned long long)s.iterations[1]);
    samples_free(&s);
}

/* Every block of N rounds: each arm once a round, and once in each position. */
static void latin_square(void)
{
    enum { N = 4, BLOCKS = 6 };
    struct world world = { 0 };
    struct worker w[N];
    for (int i = 0; i < N; i++) w[i] = (struct worker){ &world, 100, (char)('a' + i) };
    struct samples s = run(w, N, (struct sample_plan){ .rounds = N * BLOCKS, .seed = 3 });
    const char *order = world.log + world.logged - N * N * BLOCKS;
    int same_as_first = 0;
    for (int b = 0; b < BLOCKS; b++) {
        const char *block = order + b * N * N;
        same_as_first += memcmp(block, order, N * N) == 0;
        for (int i = 0; i < N; i++) {
            int in_round = 0, in_position = 0;
            for (int j = 0; j < N; j++) {
                in_round |= 1 << (block[i * N + j] - 'a');
                in_position |= 1 << (block[j * N + i] - 'a');
            }
            CHECK(in_round == 15 && in_position == 15, "block %d: %.16s", b, block);
        }
    }
    CHECK(same_as_first < BLOCKS, "the permutation is never re-drawn: %.16s", order);
    samples_free(&s);
}

static void budget_cuts_whole_blocks(void)
{
    struct world world = { 0 };
    struct worker w[3] = { { &world, 1e6, 'a' }, { &world, 2e6, 'b' }, { &world, 3e6, 'c' } };
    struct samples s = run(w, 3, (struct sample_plan){ .rounds = 300, .budget_ns = 1e8, .least_rounds = 6, .seed = 1 });
    CHECK(s.rounds % 3 == 0 && s.rounds >= 6 && s.rounds < 30, "%zu rounds", s.rounds);
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < s.rounds; i++)
            CHECK(samples_of(&s, a)[i] == w[a].ns, "rows moved wrongly: arm %zu, %g", a, samples_of(&s, a)[i]);
    samples_free(&s);
}

static void ratios(void)
{
    double ns[] = { 2, 4, 0, 5, /* */ 1, 4, 3, 10 }, out[4];
    const struct samples s = { .arms = 2, .rounds = 4, .ns = ns };
    size_t ties = 9;
    const size_t n = samples_log_ratios(&s, 0, 1, out, &ties);
    CHECK(n == 3 && ties == 1, "%zu ratios, %zu ties", n, ties);
    CHECK(fabs(out[0] - log(2)) < 1e-15 && out[1] == 0 && fabs(out[2] + log(2)) < 1e-15,
          "%g %g %g", out[0], out[1], out[2]);
}

static void refusals(void)
{
    struct samples s;
    struct err e = { 0 };
    CHECK(sample_run(NULL, 0, &(struct sample_plan){ .rounds = 1 }, &s, &e) == ERR_ARG, "no arms: %s", e.text);
}

static void real_clock(void)
{
    const struct clock_cost cost = clock_measure(NULL);
    CHECK(cost.resolution_ns > 0 && cost.overhead_ns >= 0 && cost.overhead_ns < 1e6, "%g %g",
          cost.resolution_ns, cost.overhead_ns);
    const uint64_t a = clock_ns(), b = clock_ns();
    CHECK(b >= a, "the clock ran backwards");
}

int main(void)
{
    test_case("iteration counts, clock overhead taken off", counts_and_overhead);
    test_case("Latin square, re-drawn every block", latin_square);
    test_case("budget ends after a whole block", budget_cuts_whole_blocks);
    test_case("log ratios and ties", ratios);
    test_case("refusals", refusals);
    test_case("the machine's clock", real_clock);
    return test_end();
}
