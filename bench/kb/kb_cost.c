/* SPDX-License-Identifier: MIT
 * kb_cost.c - opens a base and asks it a file of questions, with nothing else in the process, and reads off the
 * costs. */
#include "bench/kb/kb_cost.h"
#include "bench/quality/queries.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include "pipeline/cache.h"
#include "pipeline/kb.h"
#include "pipeline/pipeline.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}


static int ask(struct pipeline *p, const struct queries *q, size_t i, size_t k, struct err *e)
{
    struct answer a;
    struct question one = { .id = q->ids[i], .text = q->texts ? q->texts[i] : NULL };
    if (!one.text) one.vector = rows_at(q->vectors.rows, i), one.dim = q->vectors.rows.dim;
    const int status = pipeline_query(p, &one, k, &a, e);
    return status == ERR_OK ? status : err_context(e, status, "question %s", q->names[i]);
}

static int time_queries(struct pipeline *p, const struct queries *q, const struct kb_cost_plan *plan, double *best,
                        struct kb_cost *out, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; i < q->count; i++) best[i] = INFINITY;
    const uint64_t all = clock_ns();
    for (int pass = 0; pass < plan->passes; pass++)
        for (size_t i = 0; status == ERR_OK && i < q->count; i++) {
            const uint64_t start = clock_ns();
            status = ask(p, q, i, plan->k, e);
            const double ms = clock_since_s(start) * 1e3;
            if (ms < best[i]) best[i] = ms;
        }
    out->mean_ms = clock_since_s(all) * 1e3 / (double)(q->count * (size_t)plan->passes);
    qsort(best, q->count, sizeof *best, ascending);
    out->p50_ms = best[(q->count - 1) / 2];
    out->p99_ms = best[(q->count * 99 + 99) / 100 - 1];
    return status;
}

static uint64_t file_bytes(const char *db, const char *suffix)
{
    struct text path = { 0 };
    struct stat st;
    text_add(&path, "%s%s", db, suffix);
    const int there = !path.failed && stat(text_of(&path), &st) == 0;
    text_free(&path);
    return there ? (uint64_t)st.st_size : 0;
}

int kb_cost_measure(const char *db, const char *questions, const struct kb_cost_plan *plan, struct kb_cost *out,
                    struct err *e)
{
    struct queries q = { 0 };
    struct pipeline *p = NULL;
    struct kb_cost c = { 0 };
    int status = queries_open(&q, questions, e);
    if (status != ERR_OK) return status;
    double *best = mem_alloc(q.count, sizeof *best);
    if (!best) status = FAIL(e, ERR_MEM, "no memory for %zu times", q.count);
    const uint64_t start = clock_ns();
    if (status == ERR_OK) status = pipeline_open(&p, db, plan->settings, plan->setting_count, NULL, e);
    if (status == ERR_OK) pipeline_hold(p);
    if (status == ERR_OK) status = ask(p, &q, 0, plan->k, e);
    c.first_s = clock_since_s(start);
    if (status == ERR_OK) status = time_queries(p, &q, plan, best, &c, e);
    if (status == ERR_OK) {
        const struct kb *kb = pipeline_kb(p);
        const struct index_cache *cache = pipeline_cache(p);
        struct rusage used;
        c.rows = kb->vectors.rows.count;
        c.build_s = pipeline_build_s(p);
        c.was_cached = cache && cache->source == CACHE_LOADED;
        c.cache_bytes = file_bytes(db, ".assay");
        c.data_bytes = c.rows * kb->vectors.rows.dim * sizeof(float) + graph_bytes(&kb->graph);
        if (cache && cache->index) {
            struct index_stats s;
            cache->index->ops->stats(cache->index, &s);
            c.data_bytes += s.code_bytes + s.side_bytes;
        }
        if (getrusage(RUSAGE_SELF, &used) == 0) c.peak_bytes = (uint64_t)used.ru_maxrss * 1024;
        *out = c;
    }
    pipeline_close(p);
    mem_free(best);
    queries_close(&q);
    return status;
}
