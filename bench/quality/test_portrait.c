/* SPDX-License-Identifier: MIT
 * test_portrait.c - what a set is said to be like, against sets of known likeness: the local dimension of a ball, the
 * rank of a spectrum, planted repeats, hubs counted by hand, queries of the same and of another law. */
#include "bench/quality/portrait.h"
#include "datasets/dataset.h"
#include "datasets/unit.h"
#include "kernels/base/faults.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <errno.h>
#include <math.h>

static float *draw(size_t count, size_t dim, uint64_t seed)
{
    struct rng r;
    float *x = mem_alloc(count * dim, sizeof *x);
    rng_seed(&r, seed, 0);
    for (size_t i = 0; x && i < count; i++) rng_normal(&r, x + i * dim, dim);
    if (!x) abort();
    return x;
}

static struct rows view(const float *at, size_t count, size_t dim) { return (struct rows){ at, count, dim, dim }; }

/* In a ball of dimension m distances from the centre have P(r < x) = x^m: the estimate of 1 / m has deviation
 * 1 / (m sqrt(k)). */
static void local_dimension_of_a_ball(void)
{
    struct rng r;
    rng_seed(&r, 7, 0);
    for (int m = 1; m <= 32; m *= 2) {
        double inverse = 0;
        for (int t = 0; t < 200; t++) {
            double d[100], largest = 0;
            /* The 100th nearest of many is the edge of a ball that the others fill. */
            for (int i = 0; i < 99; i++) d[i] = pow(1 - rng_uniform(&r), 1.0 / m);
            for (int i = 0; i < 99; i++) largest = fmax(largest, d[i]);
            d[99] = 1;
            CHECK(largest <= 1, "inside");
            inverse += 1 / difficulty_lid(d, 100) / 200;
        }
        /* The 100th adds ln 1 = 0: the sum is over 99. */
        CHECK(fabs(inverse * m - .99) < 5 / sqrt(200 * 99.0), "dimension %d: 1/lid %.5f", m, inverse);
    }
    static const double same[] = { 2, 2, 2 }, zeros[] = { 0, 0, 1, 2 }, none[] = { 0, 0, 0 };
    CHECK(isnan(difficulty_lid(same, 3)) && isnan(difficulty_lid(none, 3)), "nothing can be said");
    CHECK(fabs(difficulty_lid(zeros, 4) - 2 / log(2)) < 1e-12, "zeros are left out");
}

static void strata_are_quintiles(void)
{
    double value[11] = { 5, 1, 4, NAN, 2, 3, 9, 8, 7, 6, 10 };
    int s[11];
    struct err e = { 0 };
    CHECK(difficulty_strata(s, value, 11, 1, &e) == ERR_OK, "%s", e.text);
    for (int i = 0; i < 11; i++) CHECK(s[i] == (isnan(value[i]) ? 0 : (int)(value[i] + 1) / 2), "%g in %d", value[i],
                                       s[i]);
    CHECK(difficulty_strata(s, value, 11, 0, &e) == ERR_OK, "%s", e.text);
    for (int i = 0; i < 11; i++) CHECK(s[i] == (isnan(value[i]) ? 0 : 6 - (int)(value[i] + 1) / 2), "%g in %d",
                                       value[i], s[i]);
}

static void spectrum_and_lengths(void)
{
    enum { N = 3000, D = 24 };
    float *x = draw(N, D, 1);
    double total = 0, square = 0, eighth = 0;
    for (size_t c = 0; c < D; c++) {
        const double variance = exp(-(double)c / 6);
        total += variance;
        square += variance * variance;
        if (c < D / 8) eighth += variance;
        for (size_t i = 0; i < N; i++) x[i * D + (D - 1 - c)] = x[i * D + (D - 1 - c)] * (float)sqrt(variance) + 3;
    }
    memset(x + 5 * D, 0, D * sizeof *x);
    struct portrait p = { 0 };
    struct err e = { 0 };
    CHECK(portrait_make(&p, view(x, N, D), METRIC_COSINE, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(p.zero_rows == 1 && !p.normalised && p.length_least == 0 && p.duplicate_rows == 0, "%zu zero rows",
          p.zero_rows);
    if (p.spectrum) {
        /* the mean of 3 is taken off; the coordinates are the other way round */
        CHECK(fabs(p.effective_rank / (total * total / square) - 1) < .05, "rank %.3f, not %.3f", p.effective_rank,
              total * total / square);
        CHECK(fabs(p.principal[0] - eighth / total) < .02, "first eighth %.4f, not %.4f", p.principal[0],
              eighth / total);
        CHECK(p.first[0] < .05 && p.first[2] < p.principal[2], "coordinates %.4f %.4f", p.first[0], p.first[2]);
        double sum = 0;
        for (size_t i = 0; i < D; i++) {
            CHECK(i == 0 || p.spectrum[i] <= p.spectrum[i - 1], "descending");
            sum += p.spectrum[i];
        }
        CHECK(fabs(sum - 1) < 1e-9, "shares add up to %.12f", sum);
    }
    portrait_free(&p);
    for (size_t i = 0; i < N; i++) unit_make(x + i * D, D);
    CHECK(portrait_make(&p, view(x, N, D), METRIC_L2, 1, &e) == ERR_OK && p.normalised, "%s", e.text);
    portrait_free(&p);
    mem_free(x);
}

/* Against the definition, by two loops. */
static void neighbours_and_hubs(void)
{
    enum { N = 700, D = 9 };
    float *x = draw(N, D, 3);
    static double cosine[N], count[N];
    double nearest = 0, orphans = 0, square = 0, cube = 0;
    memcpy(x + 20 * D, x + 10 * D, D * sizeof *x);
    memcpy(x + 30 * D, x + 10 * D, D * sizeof *x);
    for (size_t a = 0; a < N; a++) {
        for (size_t b = 0; b < N; b++)
            cosine[b] = a == b ? -2 : fixed_dot(x + a * D, x + b * D, D) /
                                          sqrt(fixed_dot(x + a * D, x + a * D, D) * fixed_dot(x + b * D, x + b * D, D));
        for (int k = 0; k < 10; k++) {
            size_t best = 0;
            for (size_t b = 1; b < N; b++)
                if (cosine[b] > cosine[best]) best = b;
            if (k == 0) nearest += cosine[best] / N;
            count[best]++;
            cosine[best] = -2;
        }
    }
    for (size_t i = 0; i < N; i++) {
        orphans += count[i] == 0;
        square += pow(count[i] - 10, 2) / N;
        cube += pow(count[i] - 10, 3) / N;
    }
    struct portrait p = { 0 };
    struct err e = { 0 };
    CHECK(portrait_make(&p, view(x, N, D), METRIC_COSINE, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(p.duplicate_rows == 2 && p.asked == N && p.hub_rows == N, "%zu repeats", p.duplicate_rows);
    CHECK(fabs(p.nearest_cosine - nearest) < 1e-6, "nearest %.7f, not %.7f", p.nearest_cosine, nearest);
    CHECK(fabs(p.nearest_median - p.nearest.at[N / 2]) < .01, "median %.4f", p.nearest_median);
    CHECK(fabs(p.orphans - orphans / N) < 1e-9, "orphans %.5f, not %.5f", p.orphans, orphans / N);
    CHECK(fabs(p.hubness - cube / pow(square, 1.5)) < 1e-6, "hubness %.5f, not %.5f", p.hubness, cube / pow(square,
                                                                                                            1.5));
    CHECK(fabs(p.pair_cosine) < .02 && p.lids.count == N && p.lid > 4 && p.lid < 9, "pairs %.4f, lid %.2f",
          p.pair_cosine, p.lid);
    portrait_free(&p);
    mem_free(x);
}

static void make_set(const char *kind, const char *args, struct rows *base, struct rows *query)
{
    const struct generator_ops *g = generator_find(kind);
    struct params *p = NULL;
    struct err e = { 0 };
    CHECK(params_create(&p, g->params, g->name, args, &e) == ERR_OK && g->vectors(p, base, query, &e) == ERR_OK, "%s",
          e.text);
    params_destroy(p);
}

static void queries_like_the_base_or_not(void)
{
    struct rows base, query, other, unused;
    struct portrait p = { 0 };
    struct match m = { 0 };
    struct err e = { 0 };
    make_set("clustered", "n=3000,dim=48,queries=200,clusters=60,latent=8", &base, &query);
    make_set("clustered", "n=200,dim=48,queries=1,clusters=60,latent=8,seed=9", &other, &unused); /* another "model" */
    memcpy((float *)(uintptr_t)rows_at(query, 17), rows_at(base, 5), 48 * sizeof(float));
    memcpy((float *)(uintptr_t)rows_at(query, 90), rows_at(query, 3), 48 * sizeof(float));
    CHECK(portrait_make(&p, base, METRIC_COSINE, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(match_make(&m, &p, base, query, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(m.in_base == 1 && m.first_in_base == 17 && m.repeated == 1, "%zu in the base, first %zu, %zu repeated",
          m.in_base,
          m.first_in_base, m.repeated);
    CHECK(m.hard.in_base == 1 && m.hard.first_in_base == 17, "as the neighbours have it: %zu", m.hard.in_base);
    CHECK(fabs(m.likeness - 1) < .1, "the same law: %.3f", m.likeness);
    double easy = 0, hard = 0;
    size_t held[6] = { 0 };
    for (size_t i = 0; i < 200; i++) {
        held[m.hard.lid_stratum[i]]++;
        if (m.hard.lid_stratum[i] == 1) easy = fmax(easy, m.hard.each[i].lid);
        if (m.hard.lid_stratum[i] == 5) hard = hard == 0 ? m.hard.each[i].lid : fmin(hard, m.hard.each[i].lid);
    }
    for (int s = 1; s <= 5; s++) CHECK(held[s] == 40, "stratum %d holds %zu", s, held[s]);
    CHECK(easy < hard, "the easiest reach %.2f, the hardest begin at %.2f", easy, hard);
    match_free(&m);
    CHECK(match_make(&m, &p, base, other, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(m.likeness < MATCH_LIKE, "another model: %.3f", m.likeness);
    match_free(&m);
    CHECK(match_make(&m, &p, base, view(other.at, 10, 47), 2, &e) == ERR_ARG && strstr(e.text, "48"), "%s", e.text);
    portrait_free(&p);
    const struct rows all[] = { base, query, other, unused };
    for (int i = 0; i < 4; i++) mem_free((void *)(uintptr_t)all[i].at);
}

static void one_row_and_no_memory(void)
{
    static const float x[] = { 3, 4, 0 };
    struct portrait p = { 0 };
    struct err e = { 0 };
    CHECK(portrait_make(&p, view(x, 1, 3), METRIC_L2, 1, &e) == ERR_OK, "%s", e.text);
    CHECK(p.length_mean == 5 && isnan(p.nearest_cosine) && isnan(p.lid), "one row has no neighbour");
    portrait_free(&p);
    float *y = draw(60, 5, 4);
    int failures = 0;
    for (long n = 1; n < 60; n++) {
        fault_after(FAULT_MEMORY, n, ENOMEM);
        const int status = portrait_make(&p, view(y, 60, 5), METRIC_COSINE, 1, &e);
        fault_after(FAULT_NONE, 0, 0);
        CHECK(status == ERR_OK || (status == ERR_MEM && !p.lengths.at), "allocation %ld: %d", n, status);
        failures += status == ERR_MEM;
        if (status == ERR_OK) portrait_free(&p);
    }
    CHECK(failures > 10, "%d failures noticed", failures);
    mem_free(y);
}

int main(void)
{
    test_case("the local dimension of a ball", local_dimension_of_a_ball);
    test_case("strata are quintiles by rank", strata_are_quintiles);
    test_case("spectrum, rank and lengths", spectrum_and_lengths);
    test_case("nearest neighbours, repeats and hubs by definition", neighbours_and_hubs);
    test_case("queries like the base, in it, or of another model", queries_like_the_base_or_not);
    test_case("one row; no memory", one_row_and_no_memory);
    return test_end();
}
