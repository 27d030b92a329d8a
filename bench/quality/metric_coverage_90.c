/* SPDX-License-Identifier: MIT
 * metric_coverage_90.c - how many queries are served well, where a mean hides those that are not. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_covered(v, 0.90); }

const struct metric_ops metric_coverage_90 = {
    .name = "coverage_90",
    .summary = "share of queries whose recall_strict is 0.90 or more",
    .label = "queries with recall >= .90",
    .of = of,
};
