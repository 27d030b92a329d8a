/* SPDX-License-Identifier: MIT
 * test_ivf.c - lists that are all gone through are the inner index, residuals decode, far origins rank. */
#include "index/check_index.h"

/* Through all of its lists ivf answers what the inner index answers alone, to the bit. */
static void ivf_is_its_inner(void)
{
    enum { D = 70, N = 900, Q = 12, K = 10 };
    static const char *const inners[] = { "flat",
                                          "turboquant:bits=1",
                                          "turboquant:bits=4",
                                          "turboquant:bits=3,layout=blocked",
                                          "rabitq:bits=8",
                                          "sq:bits=4",
                                          "pq:m=7",
                                          "pq:m=10,nbits=4",
                                          "turboquant:bits=2,estimator=prod_orth" };
    struct rows x = normal_rows(80, N, D), q = normal_rows(81, Q, D);
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            char spec[128];
            snprintf(spec, sizeof spec, "ivf:nlist=16,nprobe=16,inner=(%s)", inners[i]);
            struct index *a = make(inners[i], D, (enum metric)m), *b = make(spec, D, (enum metric)m);
            add_all(a, x, NULL), add_all(b, x, NULL);
            struct found f = ask(a, q, K, 4, 1), g = ask(b, q, K, 4, 2);
            CHECK(same(f, g, Q, K), "%s, %s", spec, metric_name((enum metric)m));
            free_found(f), free_found(g);
            index_destroy(a), index_destroy(b);
        }
    free_rows(x), free_rows(q);
}

/* Through all lists of residuals of 8 bits: exact scores but for what 8 bits lose, and the rows themselves back. */
static void ivf_residuals(void)
{
    enum { D = 96, N = 800, Q = 15, K = 10 };
    static const char *const inners[] = { "turboquant:bits=8,eps0=5", "turboquant:bits=8,layout=blocked",
                                          "rabitq:bits=8,eps0=5", "sq:bits=8", "flat" };
    struct rows x = normal_rows(90, N, D), q = normal_rows(91, Q, D);
    struct err e = { 0 };
    float *centred = (float *)(uintptr_t)x.at, back[D];
    for (size_t i = 0; i < N * D; i++) /* four heaps */
        if (i % D % 4 == i / D % 4) centred[i] += (float)(i / D % 4 + 1);
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            char spec[128];
            struct index *exact = make("flat", D, (enum metric)m), *ix = NULL;
            const struct index_config c = { .dim = D, .metric = (enum metric)m, .seed = 42, .threads = 1 };
            snprintf(spec, sizeof spec, "ivf:nlist=8,nprobe=8,residual=1,inner=(%s)", inners[i]);
            const int status = index_create(&ix, spec, &c, &e), is_flat = strcmp(inners[i], "flat") == 0;
            if (is_flat && m == METRIC_DOT) {
                CHECK(status == ERR_ARG && strstr(e.text, "residual=1"), "%s: %s", spec, e.text);
                index_destroy(exact);
                continue;
            }
            CHECK(status == ERR_OK, "%s: %s", spec, e.text);
            add_all(exact, x, NULL), add_all(ix, x, NULL);
            struct found f = ask(exact, q, K, 1, 1), g = ask(ix, q, K, 4, 2);
            int common = 0;
            float worst = 0;
            const float scale = m == METRIC_COSINE ? 1 : m == METRIC_DOT ? D : 4 * D;
            for (size_t query = 0; query < Q; query++)
                for (size_t a = 0; a < K; a++)
                    for (size_t b = 0; b < K; b++) {
                        const struct hit *h = &f.hits[query * K + a], *got = &g.hits[query * K + b];
                        if (h->id != got->id) continue;
                        common++;
                        worst = fmaxf(worst, fabsf(h->score - got->score) / scale);
                    }
            CHECK(common >= Q * K * 9 / 10 && worst < (is_flat ? 1e-6f : 0.01f), "%s, %s: %d of %d common, off by %g",
                  spec, metric_name((enum metric)m), common, Q * K, (double)worst);
            CHECK(index_decode(ix, 5, back, &e) == ERR_OK, "%s", e.text);
            double length = 0, off = 0;
            for (size_t j = 0; j < D; j++) length += (double)x.at[5 * D + j] * (double)x.at[5 * D + j];
            for (size_t j = 0; j < D; j++) {
                const double wanted = (double)x.at[5 * D + j] / (m == METRIC_COSINE ? sqrt(length) : 1);
                off += (wanted - (double)back[j]) * (wanted - (double)back[j]);
            }
            CHECK(off < 1e-3 * (m == METRIC_COSINE ? 1 : length), "%s, %s: decoded off by %g", spec,
                  metric_name((enum metric)m), off);
            free_found(f), free_found(g);
            index_destroy(exact), index_destroy(ix);
        }
    free_rows(x), free_rows(q);
}

/* Far from the origin by l2: a row asked for is in the one list that its query goes through, but at a rim. */
static void ivf_far_away(void)
{
    enum { D = 32, N = 400 };
    struct rows x = normal_rows(101, N, D);
    float *rows = (float *)(uintptr_t)x.at;
    for (size_t i = 0; i < N * D; i++) rows[i] += 300;
    struct index *ix = make("ivf:nlist=16,nprobe=1,inner=(flat)", D, METRIC_L2);
    add_all(ix, x, NULL);
    struct found f = ask(ix, x, 1, 1, 1);
    size_t own = 0;
    for (size_t i = 0; i < N; i++) own += f.counts[i] == 1 && f.hits[i].id == (int64_t)i && f.hits[i].score == 0;
    CHECK(own >= N * 95 / 100, "%zu of %d rows found", own, N);
    free_found(f);
    index_destroy(ix);
    free_rows(x);
}

int main(void)
{
    test_case("ivf through all its lists is its inner index", ivf_is_its_inner);
    test_case("ivf over residuals scores and decodes rows", ivf_residuals);
    test_case("ivf ranks lists far from the origin", ivf_far_away);
    return test_end();
}
