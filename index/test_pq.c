/* SPDX-License-Identifier: MIT
 * test_pq.c - parts that a rotation is learnt for, and scores too small for bytes. */
#include "index/check_index.h"

/* Four numbers, each in every part: untold by a part's 4 bits, which must say all four; turned, a part says one. */
static void opq_turns_to_the_parts(void)
{
    enum { D = 16, N = 600 };
    struct rows noise = normal_rows(97, N, D), four = normal_rows(98, N, 4);
    struct err e = { 0 };
    float *x = (float *)(uintptr_t)noise.at, back[D];
    for (size_t i = 0; i < N * D; i++) x[i] = 0.05f * x[i] + four.at[i / D * 4 + i % 4];
    double lost[2] = { 0 };
    for (int turns = 0; turns < 2; turns++) {
        struct index *ix = make(turns ? "pq:nbits=4,opq=true" : "pq:nbits=4", D, METRIC_L2);
        add_all(ix, noise, NULL);
        for (size_t r = 0; r < N; r++) {
            CHECK(index_decode(ix, (int64_t)r, back, &e) == ERR_OK, "%s", e.text);
            for (size_t i = 0; i < D; i++) lost[turns] += pow((double)(back[i] - x[r * D + i]), 2) / N;
        }
        index_destroy(ix);
    }
    CHECK(lost[1] < lost[0] / 2, "lost %g, turned %g", lost[0], lost[1]);
    free_rows(noise), free_rows(four);
}

/* A query of 2^-110 the size has the same neighbours at 2^-110 the scores, which no byte of a table can tell apart. */
static void pq_tiny_scores(void)
{
    enum { D = 16, N = 600, K = 10 };
    static const char *const specs[] = { "pq", "pq:nbits=4" };
    struct rows x = normal_rows(102, N, D), q = normal_rows(103, 1, D);
    float tiny[D];
    for (size_t i = 0; i < D; i++) tiny[i] = ldexpf(q.at[i], -110);
    for (size_t s = 0; s < 2; s++) {
        struct index *ix = make(specs[s], D, METRIC_DOT);
        add_all(ix, x, NULL);
        struct found f = ask(ix, q, K, 1, 1), g = ask(ix, (struct rows){ tiny, 1, D, D }, K, 1, 1);
        for (size_t i = 0; i < K; i++)
            CHECK(g.hits[i].id == f.hits[i].id && ldexpf(g.hits[i].score, 110) == f.hits[i].score, "%s: place %zu: %g",
                  specs[s], i, (double)g.hits[i].score);
        free_found(f), free_found(g);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

int main(void)
{
    test_case("pq: opq turns rows to where the parts serve", opq_turns_to_the_parts);
    test_case("pq: scores too small for tables of bytes", pq_tiny_scores);
    return test_end();
}
