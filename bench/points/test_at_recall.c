/* SPDX-License-Identifier: MIT
 * test_at_recall.c - times at a level of recall: what is between points, what is beyond them, and how wide a ratio is. */
#include <math.h>
#include "bench/points/at_recall.h"
#include "kernels/base/err.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { QUERIES = 400, REPS = 9, POINTS = 3, LINES = 4 };

/* Lines of points whose queries are found or not, with a share as given, and whose times are `us` but for noise. */
struct made {
    double recall[LINES][POINTS][QUERIES], us[LINES][POINTS][REPS];
    struct recall_point points[LINES][POINTS];
    struct recall_line lines[LINES];
};

static void make(struct made *m, const double shares[POINTS], const double us[LINES][POINTS], double noise, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    for (size_t l = 0; l < LINES; l++) {
        for (size_t p = 0; p < POINTS; p++) {
            for (size_t q = 0; q < QUERIES; q++) m->recall[l][p][q] = (double)q < shares[p] * QUERIES;
            for (size_t i = 0; i < REPS; i++) m->us[l][p][i] = us[l][p] * exp(noise * (rng_uniform(&r) - 0.5));
            m->points[l][p] = (struct recall_point){ m->recall[l][p], m->us[l][p] };
        }
        m->lines[l] = (struct recall_line){ m->points[l], POINTS };
    }
}

static const double shares[POINTS] = { 0.9, 0.5, 0.75 }; /* in no order */
static const double times[LINES][POINTS] = { { 90, 10, 40 }, { 45, 5, 20 }, { 9, 1, 4 }, { 90, 10, 40 } };

static int near(double a, double b) { return fabs(a - b) < 1e-9 * fabs(b); }

static void between_points(void)
{
    static struct made m;
    struct at_recall out[LINES];
    struct err e = { 0 };
    make(&m, shares, times, 0, 1);
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.625, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(near(out[0].us, 20) && near(out[1].us, 10) && near(out[2].us, 2), "%g, %g, %g", out[0].us, out[1].us, out[2].us);
    CHECK(near(out[1].ratio, 2) && near(out[2].ratio, 10) && near(out[3].ratio, 1), "%g, %g", out[1].ratio, out[2].ratio);
    CHECK(!out[0].at_most && !out[2].at_most, "between two points");
    /* Lines of one shape and no noise: whichever queries are drawn, the ratio is the same. */
    CHECK(near(out[1].ratio_within.lo, 2) && near(out[1].ratio_within.hi, 2), "%g, %g", out[1].ratio_within.lo,
          out[1].ratio_within.hi);
    CHECK(out[0].us_within.lo < 17 && out[0].us_within.hi > 23, "times have the queries' spread: %g, %g", out[0].us_within.lo,
          out[0].us_within.hi);
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.75, 1, out, &e) == ERR_OK && near(out[0].us, 40), "%g", out[0].us);
}

static void beyond_points(void)
{
    static struct made m;
    struct at_recall out[LINES];
    struct err e = { 0 };
    make(&m, shares, times, 0, 2);
    m.lines[1].count = 1; /* .9 alone */
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.6, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(out[1].at_most && near(out[1].us, 45) && near(out[1].ratio, out[0].us / 45), "%g", out[1].us);
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.95, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(isnan(out[0].us) && isnan(out[0].ratio) && isnan(out[1].ratio) && isnan(out[1].ratio_within.lo), "%g", out[0].us);
    m.lines[0].count = 1, m.lines[1].count = 3;
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.6, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(out[0].at_most && isnan(out[2].ratio) && !isnan(out[2].us), "against an upper bound there is no ratio");
    m.lines[0].count = 3;
    /* Half of the resamples do not reach it. */
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.9, 1, out, &e) == ERR_OK, "%s", e.text);
    CHECK(near(out[0].us, 90) && isnan(out[0].us_within.lo) && isnan(out[0].us_within.hi), "%g", out[0].us_within.hi);
}

/* The true ratio is in the interval nearly always, and a base that is off from itself makes it as much wider. */
static void covers(void)
{
    static struct made m;
    struct at_recall out[LINES];
    struct err e = { 0 };
    int inside = 0, straight = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        make(&m, shares, times, 0.2, seed);
        CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.625, seed, out, &e) == ERR_OK, "%s", e.text);
        inside += out[2].ratio_within.lo <= 10 && out[2].ratio_within.hi >= 10;
        straight += out[2].ratio_within.lo < out[2].ratio && out[2].ratio < out[2].ratio_within.hi;
    }
    CHECK(inside >= 18 && straight == 20, "%d of 20 hold the ratio", inside);
    const double width = log(out[2].ratio_within.hi / out[2].ratio_within.lo);
    for (size_t p = 0; p < POINTS; p++)
        for (size_t i = 0; i < REPS; i++) m.us[LINES - 1][p][i] *= 1.25;
    const double off = fabs(log(out[3].ratio / 1.25)) - fabs(log(out[3].ratio));
    CHECK(at_recall(m.lines, LINES, QUERIES, REPS, 0.625, 20, out, &e) == ERR_OK, "%s", e.text);
    const double wider = log(out[2].ratio_within.hi / out[2].ratio_within.lo);
    CHECK(fabs(wider - width - 2 * off) < 1e-9, "wider by %g, not %g", wider - width, 2 * off);
}

int main(void)
{
    test_case("between two points: linear in recall, logarithmic in time", between_points);
    test_case("beyond the points nothing is made up", beyond_points);
    test_case("intervals hold the ratio, and what the base is off by", covers);
    return test_end();
}
