/* SPDX-License-Identifier: MIT
 * ceiling.c - how well the best ranker could do with what codes keep. */
#include "bench/quality/ceiling.h"
#include "kernels/base/mem.h"
#include <string.h>

int ceiling_search(const struct index *ix, const int64_t *ids, size_t count, struct rows queries, size_t k, int threads,
                   struct hit *hits, size_t *counts, struct err *e)
{
    const size_t dim = queries.dim;
    /* A cosine would take out again the factor that an estimator gives a row. */
    const int scores_dots = ix->config.metric == METRIC_COSINE && !ix->ops->decoded_by_cosine;
    const struct index_config config = { dim, scores_dots ? METRIC_DOT : ix->config.metric, 0, threads, NULL };
    struct index *flat = NULL;
    float *rows = mem_alloc(count, dim * sizeof *rows);
    int status = rows ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu decoded rows", count);
    for (size_t r = 0; status == ERR_OK && r < count; r++)
        status = index_decode(ix, ids ? ids[r] : (int64_t)r, rows + r * dim, e);
    if (status == ERR_OK) status = index_create(&flat, "flat", &config, e);
    if (status == ERR_OK) status = index_add(flat, (struct rows){ rows, count, dim, dim }, ids, e);
    mem_free(rows);
    if (status == ERR_OK) status = index_search(flat, queries, k, 16, threads, hits, counts, e);
    index_destroy(flat);
    return status;
}
