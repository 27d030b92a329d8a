/* SPDX-License-Identifier: MIT
 * point.c - folds calls and the quality of every query into a row, and writes the per-query file. */
#include "bench/rows/point.h"
#include "bench/quality/interval.h"
#include "bench/rows/output.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>
#include <sys/resource.h>

/* 1,000 resamples of the calls: an end of 95 % has 25 beyond it. */
enum { MEAN_RESAMPLES = 1000 };

/* Below this many calls the upper end of an interval for p99 does not exist with room to spare
 * (0.99^500 = 0.0066). */
enum { P99_CALLS = 500 };

int quality_init(struct quality *q, size_t query_count, struct err *e)
{
    double *values = mem_alloc(metric_count() * query_count, sizeof *values);
    if (!values) return FAIL(e, ERR_MEM, "no memory for the quality of %zu queries", query_count);
    *q = (struct quality){ .values = values, .query_count = query_count };
    return ERR_OK;
}

void quality_fini(struct quality *q)
{
    mem_free(q->values);
    *q = (struct quality){ 0 };
}

void quality_set(struct quality *q, size_t query, const struct evidence *v)
{
    for (size_t m = 0; m < metric_count(); m++) q->values[m * q->query_count + query] = metric_at(m)->of(v);
}

int point_quality(struct row *row, const struct quality *q, struct err *e)
{
    double *scratch = mem_alloc(q->query_count, sizeof *scratch);
    struct interval *intervals = mem_alloc(metric_count(), sizeof *intervals);
    int status = scratch && intervals ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu queries", q->query_count);
    if (status == ERR_OK) status = metric_intervals(q->values, q->query_count, intervals, e);
    for (size_t m = 0; status == ERR_OK && m < metric_count(); m++) {
        row_real(row, metric_at(m)->name,
                 metric_folded(metric_at(m), q->values + m * q->query_count, q->query_count, scratch));
        row_real(row, metric_lo(m), intervals[m].lo);
        row_real(row, metric_hi(m), intervals[m].hi);
    }
    mem_free(scratch);
    mem_free(intervals);
    return status;
}

double point_exact(enum metric metric, const float *q, const float *x, size_t dim)
{
    double dot = 0, qq = 0, xx = 0, apart = 0;
    for (size_t i = 0; i < dim; i++) {
        dot += (double)q[i] * x[i];
        qq += (double)q[i] * q[i];
        xx += (double)x[i] * x[i];
        apart += ((double)q[i] - x[i]) * ((double)q[i] - x[i]);
    }
    if (metric == METRIC_DOT) return dot;
    if (metric == METRIC_L2) return -apart;
    return qq > 0 && xx > 0 ? dot / sqrt(qq * xx) : 0;
}

int point_latency(struct row *row, const struct calls *calls, size_t batch, size_t base_count, struct err *e)
{
    const size_t n = calls->count;
    if (n == 0) return ERR_OK;
    double *sorted = mem_alloc(n, sizeof *sorted);
    if (!sorted) return FAIL(e, ERR_MEM, "no memory for %zu timings", n);
    memcpy(sorted, calls->us, n * sizeof *sorted);
    stats_sort(sorted, n);
    const double median = stats_median(sorted, n);
    const double qps = calls->wall_s > 0 ? (double)n * (double)batch / calls->wall_s : (double)NAN;
    row_real(row, "qps", qps);
    row_int(row, "lat_n", (int64_t)n);
    row_real(row, "lat_mean_us", stats_mean(sorted, n));
    row_real(row, "lat_p50_us", median);
    if (n > 1) {
        const struct interval mean = stats_bootstrap_mean(sorted, n, 0.95, MEAN_RESAMPLES, n);
        row_real(row, "lat_mean_lo_us", mean.lo);
        row_real(row, "lat_mean_hi_us", mean.hi);
        row_real(row, "qps_lo", qps * stats_mean(sorted, n) / mean.hi);
        row_real(row, "qps_hi", qps * stats_mean(sorted, n) / mean.lo);
    }
    const struct ranks middle = stats_quantile_ranks(n, 0.5, 0.95);
    if (middle.lo >= 1) row_real(row, "lat_p50_lo_us", sorted[middle.lo - 1]);
    if (middle.hi <= n) row_real(row, "lat_p50_hi_us", sorted[middle.hi - 1]);
    row_real(row, "lat_p95_us", stats_quantile(sorted, n, 0.95));
    if (n >= P99_CALLS) {
        const struct ranks r = stats_quantile_ranks(n, 0.99, 0.95);
        row_real(row, "lat_p99_us", stats_quantile(sorted, n, 0.99));
        if (r.lo >= 1) row_real(row, "lat_p99_lo_us", sorted[r.lo - 1]);
        if (r.hi <= n) row_real(row, "lat_p99_hi_us", sorted[r.hi - 1]);
    }
    if (base_count) row_real(row, "ns_per_vector", median * 1e3 / ((double)batch * (double)base_count));
    mem_free(sorted);
    return ERR_OK;
}

void point_resources(struct row *row, uint64_t steal_ms)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    row_int(row, "peak_rss_bytes", (int64_t)usage.ru_maxrss * 1024);
    row_int(row, "steal_ms", (int64_t)steal_ms);
}

void point_id(char out[17], const char *canonical, uint64_t data_hash)
{
    const uint64_t schema = ROW_SCHEMA;
    const uint64_t h = hash64(hash64(data_hash, &schema, sizeof schema), canonical, strlen(canonical));
    snprintf(out, 17, "%016llx", (unsigned long long)h);
}

/* The timings of every call by the query that it served: those of query i are at start[i] ..
 * start[i + 1] - 1. */
static void sort_by_query(const struct calls *calls, size_t batch, size_t query_count, size_t *start, double *timings)
{
    const size_t served = calls->count * batch;
    for (size_t i = 0; i <= query_count; i++) start[i] = 0;
    for (size_t i = 0; i < served; i++) start[i % query_count + 1]++;
    for (size_t i = 0; i < query_count; i++) start[i + 1] += start[i];
    for (size_t i = 0; i < served; i++) timings[start[i % query_count] + i / query_count] = calls->us[i / batch];
}

static void hard_cells(struct text *out, const struct difficulties *hard, size_t query)
{
    const double values[2] = { hard ? hard->each[query].lid : NAN, hard ? hard->each[query].contrast : NAN };
    for (int i = 0; i < 2; i++) {
        if (isnan(values[i])) text_add(out, "\t\t");
        else text_add(out, "\t%.9g\t%d", values[i], (i ? hard->contrast_stratum : hard->lid_stratum)[query]);
    }
}

static void query_line(struct text *out, const char *name, size_t query, const struct quality *q,
                       const double *timings, size_t n)
{
    if (name) text_add(out, "%s", name);
    else text_add(out, "%zu", query);
    if (n) text_add(out, "\t%zu\t%.9g\t%.9g", n, stats_median(timings, n), timings[0]);
    else text_add(out, "\t0\t\t");
    hard_cells(out, q->hard, query);
    for (size_t m = 0; m < metric_count(); m++) {
        const double value = q->values[m * q->query_count + query];
        if (isnan(value)) text_add(out, "\t");
        else text_add(out, "\t%.9g", value);
    }
    text_add(out, "\n");
}

int point_queries(const char *folder, const char *id, const char *const *names, const struct quality *q,
                  const struct calls *calls, size_t batch, struct err *e)
{
    struct text out = { 0 };
    double *timings = mem_alloc(calls->count * batch, sizeof *timings);
    size_t *start = mem_alloc(q->query_count + 1, sizeof *start);
    int status = timings && start ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu timings", calls->count * batch);
    if (status == ERR_OK) sort_by_query(calls, batch, q->query_count, start, timings);
    text_add(&out, "query\tcalls\tlat_us\tlat_min_us\tlid\tlid_quintile\tcontrast\tcontrast_quintile");
    for (size_t m = 0; m < metric_count(); m++) text_add(&out, "\t%s", metric_at(m)->name);
    text_add(&out, "\n");
    for (size_t i = 0; status == ERR_OK && i < q->query_count; i++) {
        const size_t n = start[i + 1] - start[i];
        stats_sort(timings + start[i], n);
        query_line(&out, names ? names[i] : NULL, i, q, timings + start[i], n);
    }
    mem_free(timings);
    mem_free(start);
    char name[32];
    snprintf(name, sizeof name, "%s.pq.tsv", id);
    if (status == ERR_OK) status = output_write_in(folder, name, &out, e);
    text_free(&out);
    return status;
}
