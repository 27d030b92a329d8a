/* SPDX-License-Identifier: MIT
 * check_index.h - what the tests of indexes share: rows, an index made by its spec, what it finds. */
#ifndef ASSAY_CHECK_INDEX_H
#define ASSAY_CHECK_INDEX_H
#include <math.h>
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/topk.h"

static struct rows normal_rows(uint64_t seed, size_t count, size_t dim)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    float *x = mem_alloc(count * dim, sizeof *x);
    rng_normal(&r, x, count * dim);
    return (struct rows){ x, count, dim, dim };
}

static void free_rows(struct rows r) { mem_free((void *)(uintptr_t)r.at); }

static struct index *make_on(int threads, const char *spec, size_t dim, enum metric metric)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = dim, .metric = metric, .seed = 42, .threads = threads };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s: %s", spec, e.text);
    return ix;
}

static struct index *make(const char *spec, size_t dim, enum metric metric) { return make_on(1, spec, dim, metric); }

static void add_all(struct index *ix, struct rows rows, const int64_t *ids)
{
    struct err e = { 0 };
    CHECK(index_add(ix, rows, ids, &e) == ERR_OK, "%s", e.text);
}

struct found {
    struct hit *hits;
    size_t *counts;
};
static struct found ask(const struct index *ix, struct rows queries, size_t k, size_t batch, int threads)
{
    struct found f = { mem_zero(queries.count * k, sizeof *f.hits), mem_zero(queries.count, sizeof *f.counts) };
    struct err e = { 0 };
    CHECK(index_search(ix, queries, k, batch, threads, f.hits, f.counts, &e) == ERR_OK, "%s", e.text);
    return f;
}
static void free_found(struct found f)
{
    mem_free(f.hits);
    mem_free(f.counts);
}
static int same(struct found a, struct found b, size_t queries, size_t k)
{
    for (size_t q = 0; q < queries; q++) {
        if (a.counts[q] != b.counts[q]) return 0;
        for (size_t i = 0; i < a.counts[q]; i++) {
            const struct hit *x = &a.hits[q * k + i], *y = &b.hits[q * k + i];
            if (x->id != y->id || memcmp(&x->score, &y->score, 4) != 0) return 0;
        }
    }
    return 1;
}
/* Hits are in order, distinct and finite. */
static void check_sorted(struct found f, size_t queries, size_t k, const char *spec)
{
    for (size_t q = 0; q < queries; q++)
        for (size_t i = 0; i < f.counts[q]; i++) {
            const struct hit *h = &f.hits[q * k + i];
            CHECK(isfinite(h->score), "%s: query %zu place %zu", spec, q, i);
            CHECK(i == 0 || hit_before(h[-1], h[0]), "%s: query %zu place %zu", spec, q, i);
        }
}
#endif
