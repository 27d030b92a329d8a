/* SPDX-License-Identifier: MIT
 * test_flat.c - rows of half the bytes, and distances far from the origin. */
#include "index/check_index.h"

/* Rows of half the bytes lose what rounding loses, a relative 2^-11 and 2^-8, and nothing else. */
static void flat_types(void)
{
    enum { D = 200, N = 400, Q = 9, K = 10 };
    static const struct { const char *spec; float unit; size_t bytes; } types[] = {
        { "flat", 0x1p-22f, 4 }, { "flat:type=f16", 0x1p-11f, 2 }, { "flat:type=bf16", 0x1p-8f, 2 } };
    struct rows x = normal_rows(95, N, D), q = normal_rows(96, Q, D);
    struct err e = { 0 };
    for (size_t i = 0; i < 3; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            struct index *exact = make("flat", D, (enum metric)m), *ix = make(types[i].spec, D, (enum metric)m);
            add_all(exact, x, NULL), add_all(ix, x, NULL);
            struct found f = ask(exact, q, N, 1, 1), g = ask(ix, q, N, 4, 2);
            float by_id[N];
            for (size_t query = 0; query < Q; query++) {
                for (size_t r = 0; r < N; r++) by_id[f.hits[query * N + r].id] = f.hits[query * N + r].score;
                for (size_t r = 0; r < N; r++) {
                    const struct hit *h = &g.hits[query * N + r];
                    /* sum |q_i x_i| <= |q| |x|, and two such by l2 */
                    const float size = m == METRIC_COSINE ? 1 : m == METRIC_DOT ? 2 * D : 5 * D,
                                off = fabsf(h->score - by_id[h->id]);
                    CHECK(off <= types[i].unit * size, "%s, %s: off by %g", types[i].spec,
                          metric_name((enum metric)m), (double)off);
                }
            }
            struct index_stats s;
            ix->ops->stats(ix, &s);
            CHECK(s.code_bytes == N * D * types[i].bytes && s.side_bytes == (m == METRIC_COSINE || (m == METRIC_L2 && i == 0) ? N * 4 : 0),
                  "%s: %llu and %llu bytes", types[i].spec, (unsigned long long)s.code_bytes,
                  (unsigned long long)s.side_bytes);
            free_found(f), free_found(g);
            index_destroy(exact), index_destroy(ix);
        }
    struct index *ix = make("flat:type=f16", D, METRIC_DOT), *unit = make("flat:type=f16", D, METRIC_COSINE);
    ((float *)(uintptr_t)x.at)[3 * D + 7] = 65520;
    CHECK(index_add(ix, x, NULL, &e) == ERR_ARG && strstr(e.text, "row 3, column 7"), "%s", e.text);
    CHECK(index_add(unit, x, NULL, &e) == ERR_OK, "%s", e.text);
    index_destroy(ix), index_destroy(unit);
    free_rows(x), free_rows(q);
}

/* Rows far from the origin and near to each other: |x|^2 dwarfs what is asked for. */
static void flat_far_away(void)
{
    enum { D = 70, N = 500, Q = 50, K = 10 };
    static const char *const specs[] = { "flat", "flat:type=f16", "flat:type=bf16" };
    struct rows x = normal_rows(99, N, D), q = normal_rows(100, Q, D);
    float *rows = (float *)(uintptr_t)x.at, *queries = (float *)(uintptr_t)q.at;
    for (size_t i = 0; i < N * D; i++) rows[i] = roundf(4 * rows[i]) + 128; /* such as bf16 holds, some of them */
    for (size_t i = 0; i < Q * D; i++) queries[i] = 4 * queries[i] + 128;
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
        struct index *ix = make(specs[s], D, METRIC_L2);
        add_all(ix, x, NULL);
        struct found f = ask(ix, q, N, 1, 1), g = ask(ix, q, K, Q, 1);
        for (size_t i = 0; i < Q; i++)
            for (size_t r = 0; r < N; r++) {
                const struct hit h = f.hits[i * N + r];
                float back[D];
                struct err e = { 0 };
                CHECK(index_decode(ix, h.id, back, &e) == ERR_OK, "%s", e.text);
                double apart = 0;
                for (size_t j = 0; j < D; j++) apart += pow((double)q.at[i * D + j] - (double)back[j], 2);
                CHECK(fabs(apart + (double)h.score) < 1e-5 * apart, "%s: %g, not %g", specs[s], (double)h.score, -apart);
                CHECK(r >= K || memcmp(&h, &g.hits[i * K + r], sizeof h) == 0, "%s: batches differ", specs[s]);
            }
        free_found(f), free_found(g);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

int main(void)
{
    test_case("flat: f16 and bf16 rows lose what rounding loses", flat_types);
    test_case("flat: distances far from the origin", flat_far_away);
    return test_end();
}
