/* SPDX-License-Identifier: MIT
 * test_latency.c - a queue whose delays can be worked out by hand, on a simulated clock. */
#include "bench/time/latency.h"
#include "kernels/base/test.h"
#include <math.h>

struct world { uint64_t now; uint64_t first_ns, rest_ns; };

static uint64_t now_of(void *context) { return ((struct world *)context)->now += 10; }

/* The first call stalls, the others do not. */
static void serve(void *context, uint64_t number)
{
    struct world *w = context;
    w->now += number == 0 ? w->first_ns : w->rest_ns;
}

static struct latency run(struct world *w, size_t calls, double rate, size_t waiting)
{
    const struct clock_source clock = { now_of, w };
    const struct latency_plan plan = {
        .call = serve, .context = w, .calls = calls, .rate = rate, .waiting = waiting, .clock = &clock
    };
    struct latency l = { 0 };
    CHECK(latency_run(&l, &plan, NULL) == ERR_OK, "status");
    return l;
}

/* One stall of 100 ms among calls of 1 ms that are due every 2 ms.  A closed loop sees one slow call
 * of a thousand; whoever was due during the stall waited too: call i waits 100 - i ms. */
static void no_coordinated_omission(void)
{
    struct world a = { 0, 100000000, 1000000 }, b = a;
    struct latency closed = run(&a, 1000, 0, 0), open = run(&b, 1000, 500, 1000);
    CHECK(closed.count == 1000 && open.count == 1000 && open.skipped == 0, "%zu", open.skipped);
    CHECK(closed.ns[998] < 1.01e6 && closed.ns[999] > 99e6, "closed: %g %g", closed.ns[998], closed.ns[999]);
    for (int i = 0; i < 99; i++)
        CHECK(fabs(open.ns[999 - i] - (100 - i) * 1e6) < 20e3, "open, %d from the top: %g ms", i,
              open.ns[999 - i] / 1e6);
    CHECK(open.ns[899] < 1.1e6, "the rest: %g", open.ns[899]);
    const struct percentile p = latency_percentile(&open, 0.95), q = latency_percentile(&closed, 0.95);
    CHECK(p.ns > 45e6 && q.ns < 1.1e6, "p95 open %g, closed %g", p.ns, q.ns);
    latency_free(&closed);
    latency_free(&open);
}

/* Calls of 2 ms due every 1 ms: the queue grows until calls are turned away, and they are counted. */
static void overload(void)
{
    struct world w = { 0, 2000000, 2000000 };
    struct latency l = run(&w, 1000, 1000, 50);
    CHECK(l.skipped > 400 && l.skipped < 500 && l.count + l.skipped == 1000, "%zu turned away", l.skipped);
    CHECK(l.ns[l.count - 1] < 54e6, "nobody waits longer than the queue: %g", l.ns[l.count - 1]);
    CHECK(fabs(l.served - 500) < 15, "served %g a second", l.served);
    latency_free(&l);
}

static void poisson_rate(void)
{
    struct world w = { 0, 1000, 1000 };
    const struct clock_source clock = { now_of, &w };
    const struct latency_plan plan = { .call = serve,
                                       .context = &w,
                                       .calls = 4000,
                                       .rate = 100000,
                                       .poisson = 1,
                                       .waiting = 1000,
                                       .seed = 3,
                                       .clock = &clock };
    struct latency l;
    CHECK(latency_run(&l, &plan, NULL) == ERR_OK, "status");
    CHECK(fabs(l.served / 100000 - 1) < 0.06, "served %g a second of 100000", l.served); /* sd 1.6 % */
    /* M/D/1 at 10 % load (and 10 ns a clock reading): most do not wait, some do. */
    CHECK(l.ns[2000] < 1100 && l.ns[3990] > 1300, "%g %g", l.ns[2000], l.ns[3990]);
    latency_free(&l);
}

static void percentile_rules(void)
{
    double ns[10000];
    for (int i = 0; i < 10000; i++) ns[i] = i + 1;
    struct latency l = { .ns = ns, .count = 1000 };
    struct percentile p = latency_percentile(&l, 0.99);
    CHECK(p.ns == 990 && p.interval.lo == 983 && p.interval.hi == 997, "%g [%g, %g]", p.ns, p.interval.lo,
          p.interval.hi);
    CHECK(latency_percentile(&l, 0.999).ns == 0, "p99.9 of 1,000");
    l.count = 499;
    CHECK(latency_percentile(&l, 0.99).ns == 0 && latency_percentile(&l, 0.5).ns == 250, "p99 of 499");
    l.count = 10000;
    CHECK(latency_percentile(&l, 0.999).ns == 9990, "p99.9 of 10,000");
}

/* Four values: what HdrHistogram's own printer gives for them, line by line. */
static void hgrm(void)
{
    double ns[] = { 1000, 2000, 3000, 4000 };
    const struct latency l = { .ns = ns, .count = 4 };
    struct text out = { 0 };
    latency_hgrm(&l, &out);
    static const char want[] =
        "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
        "       1.000 0.000000000000          1           1.00\n"
        "       1.000 0.100000000000          1           1.11\n"
        "       1.000 0.200000000000          1           1.25\n"
        "       2.000 0.300000000000          2           1.43\n"
        "       2.000 0.400000000000          2           1.67\n"
        "       2.000 0.500000000000          2           2.00\n"
        "       3.000 0.550000000000          3           2.22\n"
        "       3.000 0.600000000000          3           2.50\n"
        "       3.000 0.650000000000          3           2.86\n"
        "       3.000 0.700000000000          3           3.33\n"
        "       3.000 0.750000000000          3           4.00\n"
        "       4.000 1.000000000000          4\n";
    CHECK(strncmp(text_of(&out), want, sizeof want - 1) == 0, "%s", text_of(&out));
    CHECK(strstr(text_of(&out), "#[Mean    =        2.500, StdDeviation   =        1.118]"), "%s", text_of(&out));
    text_free(&out);
}

static void refusals(void)
{
    struct latency l;
    struct err e = { 0 };
    CHECK(latency_run(&l, &(struct latency_plan){ 0 }, &e) == ERR_ARG, "%s", e.text);
}

int main(void)
{
    test_case("a stall is felt by all who were due", no_coordinated_omission);
    test_case("overload is counted", overload);
    test_case("Poisson arrivals", poisson_rate);
    test_case("percentiles, their intervals, and when there are too few calls", percentile_rules);
    test_case(".hgrm", hgrm);
    test_case("refusals", refusals);
    return test_end();
}
