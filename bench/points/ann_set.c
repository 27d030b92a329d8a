/* SPDX-License-Identifier: MIT
 * ann_set.c - base, queries and truth of index points. */
#include "bench/points/ann_set.h"
#include "bench/quality/truth.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include <string.h>

int ann_set_open(struct ann_set *s, const char *base, const char *query, enum metric metric, struct err *e)
{
    *s = (struct ann_set){ .metric = metric };
    int status = dataset_open(&s->base, base, e);
    if (status == ERR_OK) status = dataset_open(&s->query, query, e);
    if (status != ERR_OK) goto failed;
    const struct rows b = s->base.rows, q = s->query.rows;
    if (!b.at || b.count == 0) status = FAIL(e, ERR_ARG, "%s: no vectors", base);
    else if (!q.at || q.count == 0) status = FAIL(e, ERR_ARG, "%s: no vectors", query);
    else if (b.dim != q.dim)
        status = FAIL(e, ERR_ARG, "%s has %zu dimensions, %s has %zu", query, q.dim, base, b.dim);
    else if (b.count > ANN_ROWS_MAX)
        status = FAIL(e, ERR_ARG, "%s: %zu vectors, at most %d", base, b.count, ANN_ROWS_MAX);
    if (status != ERR_OK) goto failed;
    const uint64_t parts[] = { s->base.content_hash, s->query.content_hash, (uint64_t)metric };
    s->hash = hash64(0, parts, sizeof parts);
    path_short(base, s->name, sizeof s->name);
    return ERR_OK;
failed:
    ann_set_close(s);
    return status;
}

void ann_set_close(struct ann_set *s)
{
    dataset_close(&s->base);
    dataset_close(&s->query);
    mem_free(s->truth);
    difficulties_free(&s->hard);
    mem_free(s->side);
    *s = (struct ann_set){ 0 };
}

/* A truth file's ids, checked. */
static int take_truth(struct ann_set *s, const struct dataset *d, const char *path, size_t k, struct err *e)
{
    const size_t count = s->query.rows.count, depth = d->rows.dim, n = s->base.rows.count;
    if (!d->ids) return FAIL(e, ERR_FORMAT, "%s holds no ids: truth is an .ivecs file", path);
    if (d->rows.count != count)
        return FAIL(e, ERR_ARG, "%s: truth of %zu queries, there are %zu", path, d->rows.count, count);
    if (depth < k) return FAIL(e, ERR_ARG, "%s: %zu neighbours a query, k=%zu needs as many", path, depth, k);
    s->truth = mem_alloc(count * depth, sizeof *s->truth);
    if (!s->truth) return FAIL(e, ERR_MEM, "%s: no memory", path);
    s->truth_k = depth;
    for (size_t i = 0; i < count * depth; i++) {
        if (d->ids[i] < 0 || (uint64_t)d->ids[i] >= n)
            return FAIL(e, ERR_FORMAT, "%s: query %zu: neighbour %lld outside 0..%zu", path, i / depth,
                        (long long)d->ids[i], n - 1);
        s->truth[i] = (int32_t)d->ids[i];
    }
    return ERR_OK;
}

static int take_difficulty(struct ann_set *s, int threads, struct err *e)
{
    return difficulties_make(&s->hard, s->base.rows, s->query.rows, s->truth, s->truth_k, s->metric, threads, e);
}

int ann_set_truth(struct ann_set *s, const char *path, size_t k, int threads, struct err *e)
{
    const size_t n = s->base.rows.count, wanted = k < n ? k : n;
    if (n > ANN_ROWS_MAX) return FAIL(e, ERR_ARG, "%s: %zu vectors, at most %d", s->name, n, ANN_ROWS_MAX);
    if (path) {
        struct dataset d;
        int status = dataset_open(&d, path, e);
        if (status != ERR_OK) return status;
        status = take_truth(s, &d, path, wanted, e);
        dataset_close(&d);
        return status == ERR_OK ? take_difficulty(s, threads, e) : status;
    }
    struct truth t = { 0 };
    const int status = truth_cached(&t, &s->base, &s->query, wanted, s->metric, threads, NULL, e);
    if (status != ERR_OK) return status;
    s->truth = t.ids;
    s->truth_k = t.k;
    t.ids = NULL;
    truth_free(&t);
    return take_difficulty(s, threads, e);
}
