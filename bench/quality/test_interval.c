/* SPDX-License-Identifier: MIT
 * test_interval.c - intervals over queries: where they must lie, and how often they hold. */
#include "bench/quality/interval.h"
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <math.h>

enum { QUERIES = 120 };
static double *values;
static struct interval *out;

static size_t metric_of(const char *name)
{
    size_t m = 0;
    while (metric_at(m) && strcmp(metric_at(m)->name, name) != 0) m++;
    CHECK(metric_at(m), "no metric %s", name);
    return m;
}

static void clear(void)
{
    for (size_t i = 0; i < metric_count() * QUERIES; i++) values[i] = (double)NAN;
}

static void run(void)
{
    struct err e = { 0 };
    CHECK(metric_intervals(values, QUERIES, out, &e) == ERR_OK, "%s", e.text);
}

static void names_are_the_metrics(void)
{
    for (size_t m = 0; m < metric_count(); m++) {
        struct text want = { 0 };
        text_add(&want, "%s_lo", metric_at(m)->name);
        CHECK(!strcmp(text_of(&want), metric_lo(m)), "%s and %s", text_of(&want), metric_lo(m));
        want.at[want.size - 2] = 'h', want.at[want.size - 1] = 'i';
        CHECK(!strcmp(text_of(&want), metric_hi(m)), "%s and %s", text_of(&want), metric_hi(m));
        text_free(&want);
    }
}

static void edges(void)
{
    const size_t strict = metric_of("recall_strict"), mrr = metric_of("label_mrr");
    clear();
    run();
    CHECK(isnan(out[strict].lo) && isnan(out[strict].hi), "nothing measured: no interval");
    values[strict * QUERIES] = 0.5;
    run();
    CHECK(isnan(out[strict].lo), "of one query there is no interval");
    for (size_t q = 0; q < QUERIES; q++) values[strict * QUERIES + q] = 0.75;
    values[mrr * QUERIES + 3] = 0.1;
    values[mrr * QUERIES + 7] = 0.9; /* many a resample draws neither */
    run();
    CHECK(out[strict].lo == 0.75 && out[strict].hi == 0.75, "[%g, %g] of a constant", out[strict].lo, out[strict].hi);
    CHECK(out[mrr].lo == 0.1 && out[mrr].hi == 0.9, "[%g, %g] of two queries", out[mrr].lo, out[mrr].hi);
}

static double mean_of(size_t m)
{
    double sum = 0;
    for (size_t q = 0; q < QUERIES; q++) sum += values[m * QUERIES + q];
    return sum / QUERIES;
}

/* Recalls of ten: a query is a share p of its own, drawn anew for each file of queries.  Its mean is 0.8. */
static void it_holds_as_often_as_it_says(void)
{
    enum { FILES = 200 };
    const size_t strict = metric_of("recall_strict");
    size_t held = 0;
    double width = 0, square = 0;
    struct rng r;
    rng_seed(&r, 7, 0);
    for (int f = 0; f < FILES; f++) {
        clear();
        for (size_t q = 0; q < QUERIES; q++) {
            const double p = 0.6 + 0.4 * (double)rng_below(&r, 1 << 20) / (1 << 20);
            int hits = 0;
            for (int i = 0; i < 10; i++) hits += (double)rng_below(&r, 1 << 20) < p * (1 << 20);
            values[strict * QUERIES + q] = hits / 10.0;
        }
        run();
        held += out[strict].lo <= 0.8 && 0.8 <= out[strict].hi;
        width += (out[strict].hi - out[strict].lo) / FILES;
        square += (mean_of(strict) - 0.8) * (mean_of(strict) - 0.8) / FILES;
    }
    /* 190 of 200 expected, standard deviation 3.1. */
    CHECK(held >= 178, "the interval held %zu times of %d", held, FILES);
    CHECK(fabs(width / (2 * 1.96 * sqrt(square)) - 1) < 0.2, "width %.4f, standard error %.4f", width, sqrt(square));
}

/* The 5th percentile of 1..120 is the 6th; its interval by order statistics is about 2nd to 11th. */
static void of_a_percentile(void)
{
    const size_t p5 = metric_of("recall_p5");
    clear();
    for (size_t q = 0; q < QUERIES; q++) values[p5 * QUERIES + q] = (double)((q * 7) % QUERIES + 1);
    run();
    CHECK(out[p5].lo >= 1 && out[p5].lo <= 3 && out[p5].hi >= 9 && out[p5].hi <= 13, "[%g, %g]", out[p5].lo, out[p5].hi);
    const struct interval first = out[p5];
    run();
    CHECK(first.lo == out[p5].lo && first.hi == out[p5].hi, "equal input, equal output");
}

static void without_memory_there_is_an_error(void)
{
    clear();
    for (size_t q = 0; q < QUERIES; q++) values[metric_of("recall_p5") * QUERIES + q] = (double)q;
    for (long n = 1; n < 12; n++) {
        struct err e = { 0 };
        fault_after(FAULT_MEMORY, n, ENOMEM);
        const int status = metric_intervals(values, QUERIES, out, &e);
        fault_after(FAULT_NONE, 0, 0);
        CHECK(status == ERR_MEM || status == ERR_OK, "allocation %ld: %d", n, status);
        if (n <= 8) CHECK(status == ERR_MEM, "allocation %ld did not fail", n);
    }
}

int main(void)
{
    values = mem_alloc(metric_count() * QUERIES, sizeof *values);
    out = mem_alloc(metric_count(), sizeof *out);
    if (!values || !out) abort();
    test_case("columns are named after metrics", names_are_the_metrics);
    test_case("nothing, one query, a constant, rare values", edges);
    test_case("it holds as often as it says", it_holds_as_often_as_it_says);
    test_case("of a percentile", of_a_percentile);
    test_case("without memory there is an error", without_memory_there_is_an_error);
    mem_free(values);
    mem_free(out);
    return test_end();
}
