/* SPDX-License-Identifier: MIT
 * interval.h - how far a mean over queries could be off, had other queries of the same kind been asked. */
#ifndef ASSAY_INTERVAL_H
#define ASSAY_INTERVAL_H
#include "bench/quality/metric.h"
#include "bench/time/stats.h"

/* The 95 % interval of every metric, in the order of the registry: percentile bootstrap over queries (Efron 1979), 2,000
 * resamples, each of all metrics at once.  values: metric_count() x count, row after row of one metric, NaN where a
 * query has none.  out: metric_count() intervals; NaN, NaN where fewer than two queries have a value.  Equal input gives
 * equal output.  Where all queries have the same value the interval is that value: the data say nothing about others.
 * ERR_MEM. */
int metric_intervals(const double *values, size_t count, struct interval *out, struct err *e);
#endif
