/* SPDX-License-Identifier: MIT
 * test_twohop_codes.c - what b-bit codes lose of the planted evidence, and the way that is left to it, against the
 * closed form of gen_twohop.c: the noise of codes of distortion D on a cosine has deviation sqrt(D / (1 - D) / dim). */
#include "datasets/dataset.h"
#include "datasets/normal.h"
#include "index/index.h"
#include "kernels/base/test.h"
#include <math.h>

enum { N = 8000, D = 128, Q = 500, M = 50 };
static float rows[N * D], asked[Q * D];

static int see_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    (void)context;
    (void)e;
    memcpy(rows + (size_t)(id - 1) * dim, x, dim * sizeof *x);
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t count, struct err *e)
{
    (void)context, (void)split, (void)text, (void)e;
    CHECK(count == 1 && relevant[0].id == 2 * id + 2, "query %lld", (long long)id);
    memcpy(asked + (size_t)id * dim, x, dim * sizeof *x);
    return ERR_OK;
}

/* P(N(0, 1) < x) */
static double below(double x) { return 0.5 * erfc(-x / sqrt(2)); }

/* Of Q queries: evidence that is among the M candidates of the codes, and anchors that are. */
static void count_found(int bits, size_t *evidence, size_t *anchors)
{
    static struct hit hits[Q * M];
    static size_t counts[Q];
    const struct index_config config = { .dim = D, .metric = METRIC_COSINE, .seed = 1, .threads = 2 };
    const struct rows base = { rows, N, D, D }, queries = { asked, Q, D, D };
    struct index *ix = NULL;
    struct err e = { 0 };
    char spec[40];
    snprintf(spec, sizeof spec, "turboquant:bits=%d", bits);
    CHECK(index_create(&ix, spec, &config, &e) == ERR_OK && index_add(ix, base, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(index_search(ix, queries, M, 1, 2, hits, counts, &e) == ERR_OK, "%s", e.text);
    *evidence = *anchors = 0;
    for (size_t q = 0; q < Q; q++)
        for (size_t i = 0; i < M; i++) {
            *evidence += hits[q * M + i].id == (int64_t)(2 * q + 1);
            *anchors += hits[q * M + i].id == (int64_t)(2 * q);
        }
    index_destroy(ix);
}

/* The form takes the M-th best of the background, its noise included, for a fixed score, and errors of codes for normal
 * ones: good to about three hundredths at 8,000 rows. */
static void codes_lose_what_the_form_says(void)
{
    static const double distortion[] = { 0, .3634, .1175, .0345, .0095 };
    const struct generator_ops *g = generator_find("twohop");
    const struct kb_sink sink = { .vector = see_vector, .query = see_query };
    struct params *p = NULL;
    struct err e = { 0 };
    const double s = 1 / sqrt(D), c = s * normal_quantile(1 - (double)M / N), hidden = .27;
    CHECK(params_create(&p, g->params, g->name, "n=8000,dim=128,queries=500,hidden=0.27", &e) == ERR_OK, "%s", e.text);
    CHECK(g->graph(p, &sink, &e) == ERR_OK, "%s", e.text);
    params_destroy(p);
    for (int bits = 1; bits <= 4; bits++) {
        const double noise = sqrt(distortion[bits] / (1 - distortion[bits]));
        const double lost = below((c * sqrt(1 + noise * noise) - hidden) / (s * noise));
        size_t evidence, anchors;
        count_found(bits, &evidence, &anchors);
        const double got = 1 - (double)evidence / Q, error = sqrt(lost * (1 - lost) / Q);
        CHECK(fabs(got - lost) < 3 * error + .03, "%d bits lose %.3f of the evidence, the form says %.3f", bits, got,
              lost);
        CHECK(anchors >= Q - 2, "%d bits: %zu of %d anchors, which lead to it", bits, anchors, Q);
    }
}

int main(void)
{
    test_case("codes lose the evidence as the closed form says, and keep the way to it", codes_lose_what_the_form_says);
    return test_end();
}
